//! Numbers as people write them.

use std::iter::Peekable;
use std::str::Chars;

use super::locale::Locale;

/// The zeros of decimal digits that are read (Unicode, category Nd): full-width, Arabic, Persian, Devanagari, Bengali, Thai.
const ZEROS: [char; 7] = ['0', '\u{ff10}', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}'];
/// Words that make a number behind which they stand larger.
const MULTIPLES: [&str; 26] = [
    "k",
    "thousand",
    "million",
    "millions",
    "mn",
    "mio",
    "billion",
    "billions",
    "bn",
    "mrd",
    "tsd",
    "tausend",
    "millionen",
    "milliarden",
    "mille",
    "millones",
    "mil",
    "millón",
    "milliard",
    "milliards",
    "万",
    "億",
    "千",
    "百",
    "兆",
    "萬",
];
/// Characters of a text that may hold a number.
const MAX_LENGTH: usize = 1_000;

/// As [`number`], in a language by its tag.
pub fn read(text: &str, language: Option<&str>) -> Option<f64> {
    number(text, language.and_then(Locale::parse).as_ref())
}

/// The one number in a text: with the separators of thousands and decimals of any of the usual kinds, with a sign, between
/// other words, such as a currency. Where a point or comma could be either, the locale decides, and without one the point
/// is that of decimals. `None` if there is no number or several, a fraction (½), or a number in words (2 million).
pub fn number(text: &str, locale: Option<&Locale>) -> Option<f64> {
    let written = only(text, locale)?;
    written.parse().ok().filter(|number: &f64| number.is_finite())
}

/// As [`number`], without a fraction.
pub fn integer(text: &str, locale: Option<&Locale>) -> Option<i64> {
    let written = only(text, locale)?;
    written.parse().ok().or_else(|| {
        let (whole, fraction) = written.split_once('.')?;
        fraction.bytes().all(|digit| digit == b'0').then(|| whole.parse().ok())?
    })
}

fn digit(c: char) -> Option<char> {
    let value = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10))?;
    char::from_digit(value, 10)
}

/// The one number as Rust writes it.
fn only(text: &str, locale: Option<&Locale>) -> Option<String> {
    if text.chars().nth(MAX_LENGTH).is_some() || text.contains(is_fraction) {
        return None;
    }
    let mut found = None;
    let mut rest = text.trim().chars().peekable();
    // The last two characters before the number that are no currency signs.
    let (mut sign, mut before) = (None, None);
    while let Some(c) = rest.peek().copied() {
        if digit(c).is_some() || is_leading_point(c, before, &rest) {
            let written = Written::read(&mut rest).value(locale)?;
            let minus = if sign == Some('-') { "-" } else { "" };
            if is_multiple(rest.clone()) || found.replace(format!("{minus}{written}")).is_some() {
                return None;
            }
            (sign, before) = (None, Some('0'));
            continue;
        }
        match c {
            '-' | '\u{2212}' | '\u{ff0d}' | '\u{fe63}'
                if before.is_none_or(|before: char| !before.is_alphanumeric()) =>
            {
                sign = Some('-')
            }
            // Between the sign and the number may stand a currency.
            _ if c.is_whitespace() || is_currency(c) => {}
            _ => sign = None,
        }
        before = Some(c);
        rest.next();
    }
    found
}

fn is_fraction(c: char) -> bool {
    matches!(c, '\u{bc}'..='\u{be}' | '\u{2150}'..='\u{215f}' | '\u{2189}' | '\u{2044}')
}

fn is_currency(c: char) -> bool {
    matches!(c, '$' | '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20cf}' | '\u{ffe0}' | '\u{ffe1}' | '\u{ffe5}' | '\u{ff04}')
}

/// `.5` at the beginning or after white space is a number.
fn is_leading_point(c: char, before: Option<char>, rest: &Peekable<Chars<'_>>) -> bool {
    let next = rest.clone().nth(1);
    matches!(c, '.' | ',')
        && next.is_some_and(|next| digit(next).is_some())
        && before.is_none_or(|before| !before.is_alphanumeric())
}

/// Whether a word follows that makes the number another one: `10K`, `2 million`.
fn is_multiple(mut rest: Peekable<Chars<'_>>) -> bool {
    let is_attached = rest.peek().is_some_and(|c| !c.is_whitespace());
    let word: String = rest.skip_while(|c| c.is_whitespace()).take_while(|c| c.is_alphabetic()).collect();
    // A capital M or B behind a digit is no unit; a small m is metres.
    let is_attached_capital = is_attached && matches!(word.as_str(), "M" | "B");
    let word = word.to_lowercase();
    is_attached_capital || MULTIPLES.contains(&word.as_str()) || word.starts_with(['万', '億', '千', '兆', '萬'])
}

/// A number's digits, and what stands between them.
struct Written {
    groups: Vec<String>,
    separators: Vec<char>,
    exponent: String,
}

impl Written {
    fn read(rest: &mut Peekable<Chars<'_>>) -> Self {
        let mut written = Self { groups: vec![String::new()], separators: Vec::new(), exponent: String::new() };
        while let Some(c) = rest.peek().copied() {
            if let (Some(digit), Some(group)) = (digit(c), written.groups.last_mut()) {
                group.push(digit);
                rest.next();
            } else if let Some(separator) = separator(c).filter(|kind| written.continues(*kind, rest)) {
                written.separators.push(separator);
                written.groups.push(String::new());
                rest.next();
            } else {
                break;
            }
        }
        let mut ahead = rest.clone();
        if ahead.next_if(|c| matches!(c, 'e' | 'E')).is_some() {
            let sign = ahead.next_if(|c| matches!(c, '-' | '+'));
            let digits: String = std::iter::from_fn(|| ahead.next_if(char::is_ascii_digit)).collect();
            if (1..=4).contains(&digits.len()) && ahead.peek().is_none_or(|c| !c.is_alphanumeric()) {
                written.exponent = format!("e{}{digits}", sign.map_or(String::new(), String::from));
                *rest = ahead;
            }
        }
        written
    }

    /// Whether what follows a separator belongs to the number: digits, and after a space three of them.
    fn continues(&self, separator: char, rest: &Peekable<Chars<'_>>) -> bool {
        let following = rest.clone().skip(1).take_while(|c| digit(*c).is_some()).take(4).count();
        let is_first = self.separators.is_empty();
        let first = self.groups[0].len();
        match separator {
            ' ' => following == 3 && (1..=3).contains(&first) && self.separators.iter().all(|s| *s == ' '),
            '\'' => following == 3 && (!is_first || (1..=3).contains(&first)),
            _ => following > 0,
        }
    }

    /// As Rust writes it.
    fn value(&self, locale: Option<&Locale>) -> Option<String> {
        let decimal = self.decimal(locale)?;
        let (whole, fraction) =
            if decimal { self.groups.split_at(self.groups.len() - 1) } else { (&self.groups[..], &[][..]) };
        // Thousands, or lakhs and crores, where all but the last group of three have two digits.
        let is_grouped = whole.len() == 1
            || (1..=3).contains(&whole[0].len())
                && whole.last().is_some_and(|last| last.len() == 3)
                && whole[1..].iter().all(|group| (2..=3).contains(&group.len()));
        if !is_grouped {
            return None;
        }
        let whole = whole.concat();
        let mut text = if whole.is_empty() { "0".to_owned() } else { whole };
        for fraction in fraction {
            text.push('.');
            text.push_str(fraction);
        }
        text.push_str(&self.exponent);
        Some(text)
    }

    /// Whether the last separator is that of decimals; `None` if it can be neither.
    fn decimal(&self, locale: Option<&Locale>) -> Option<bool> {
        let Some((last, others)) = self.separators.split_last() else { return Some(false) };
        let is_alone = !others.contains(last);
        if others.iter().any(|other| *other != others[0]) {
            return None;
        }
        match *last {
            ' ' | '\'' | '\u{66c}' => Some(false),
            '\u{66b}' => is_alone.then_some(true),
            _ if !others.is_empty() => Some(is_alone),
            mark => {
                let (first, second) = (&self.groups[0], &self.groups[1]);
                let cannot_be_thousands = second.len() != 3 || first.len() > 3 || first.is_empty() || first == "0";
                Some(cannot_be_thousands || locale.map_or('.', Locale::decimal_mark) == mark)
            }
        }
    }
}

/// What separates digits: a point, a comma, and what is alike.
fn separator(c: char) -> Option<char> {
    match c {
        '.' | '\u{ff0e}' => Some('.'),
        ',' | '\u{ff0c}' => Some(','),
        '\'' | '\u{2019}' | '\u{2bc}' => Some('\''),
        ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' => Some(' '),
        '\u{66b}' | '\u{66c}' => Some(c),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_is_written_where_it_is_written() {
        for (text, locale, expected) in [
            ("1234.5", "", Some(1234.5)),
            ("1.234,56 €", "", Some(1234.56)),
            ("1,234.56", "", Some(1234.56)),
            ("1 234,56", "", Some(1234.56)),
            ("1\u{202f}234\u{202f}567,89 €", "fr", Some(1_234_567.89)),
            ("1'234.50", "", Some(1234.5)),
            ("CHF 1’234’567.50", "de-CH", Some(1_234_567.5)),
            ("12,34,567.89 ₹", "", Some(1_234_567.89)),
            ("−5", "", Some(-5.0)),
            ("-$3.50", "", Some(-3.5)),
            ("- 7 °C", "", Some(-7.0)),
            ("A-5", "", Some(5.0)),
            ("+12", "", Some(12.0)),
            ("£51.77", "", Some(51.77)),
            ("In stock (22 available)", "", Some(22.0)),
            ("USD 1,299", "en", Some(1299.0)),
            ("1.299", "en", Some(1.299)),
            ("1.299", "de", Some(1299.0)),
            ("1.299", "", Some(1.299)),
            ("1,299", "", Some(1299.0)),
            ("1,299", "fr-FR", Some(1.299)),
            ("1.299", "es-MX", Some(1.299)),
            ("1,5", "en", Some(1.5)),
            ("12.50", "de", Some(12.5)),
            ("0,125", "en", Some(0.125)),
            ("1234,567", "en", Some(1234.567)),
            ("1.234.567", "", Some(1_234_567.0)),
            ("1,234,567", "de", Some(1_234_567.0)),
            (".5", "", Some(0.5)),
            (",75", "", Some(0.75)),
            ("１２，３４５円", "ja", Some(12_345.0)),
            ("￥１，２００", "ja", Some(1_200.0)),
            ("١٢٣٤٫٥", "ar", Some(1234.5)),
            ("١٬٢٣٤٫٥", "ar", Some(1234.5)),
            ("۱۲۳", "fa", Some(123.0)),
            ("१२३", "hi", Some(123.0)),
            ("15 %", "", Some(15.0)),
            ("5kg", "", Some(5.0)),
            ("10 m", "", Some(10.0)),
            ("1e3", "", Some(1000.0)),
            ("1.5E-2", "", Some(0.015)),
            ("2 for 10 €", "", None),
            ("4.5 out of 5", "", None),
            ("10–20", "", None),
            ("½", "", None),
            ("1½", "", None),
            ("1/2", "", None),
            ("10K", "", None),
            ("1.5M", "", None),
            ("2 million", "", None),
            ("3 Mio. €", "de", None),
            ("3万円", "ja", None),
            ("1.2.3", "", None),
            ("192.168.10.1", "", None),
            ("1,23,45", "", None),
            ("five", "", None),
            ("", "", None),
            ("1e999", "", None),
            ("12345678901234567890", "", Some(12_345_678_901_234_567_890.0)),
        ] {
            assert_eq!(number(text, Locale::parse(locale).as_ref()), expected, "`{text}` in `{locale}`");
        }
    }

    #[test]
    fn an_integer_has_no_fraction() {
        for (text, locale, expected) in [
            ("In stock (22 available)", "", Some(22)),
            ("1.234", "de", Some(1234)),
            ("1.234", "en", None),
            ("5.00 €", "", Some(5)),
            ("5.50 €", "", None),
            ("−3", "", Some(-3)),
            ("9007199254740993", "", Some(9_007_199_254_740_993)),
            ("99999999999999999999", "", None),
            ("1e3", "", None),
        ] {
            assert_eq!(integer(text, Locale::parse(locale).as_ref()), expected, "`{text}` in `{locale}`");
        }
    }
}
