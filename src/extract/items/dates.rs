//! Dates as people and machines write them.

use std::sync::LazyLock;

use jiff::civil::{Date, Time};
use regex::{Captures, Regex};

use super::locale::{First, Locale};

/// Characters of a text that may hold a date.
const MAX_LENGTH: usize = 1_000;
/// The months in English, German, French and Spanish, in full and in short.
const MONTHS: [&str; 12] = [
    "january|januar|jänner|janvier|enero|janv|jan|jän|ene",
    "february|februar|février|fevrier|febrero|févr|fevr|feb|fév|fev",
    "march|märz|maerz|mars|marzo|mär|mrz|mar",
    "april|avril|abril|apr|avr|abr",
    "mayo|may|mai",
    "june|juni|juin|junio|jun",
    "july|juli|juillet|julio|juil|jul",
    "august|août|aout|agosto|aug|ago|aoû",
    "september|septembre|septiembre|setiembre|sept|sep|set",
    "october|oktober|octobre|octubre|oct|okt",
    "november|novembre|noviembre|nov",
    "december|dezember|décembre|decembre|diciembre|dec|dez|déc|dic",
];
/// Minutes that the clocks of named zones are ahead of UTC (RFC 5322, 4.3, and the usual names in Europe and Japan).
const ZONES: [(&str, i32); 20] = [
    ("z", 0),
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("est", -300),
    ("edt", -240),
    ("cst", -360),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
    ("wet", 0),
    ("cet", 60),
    ("mez", 60),
    ("cest", 120),
    ("mesz", 120),
    ("eet", 120),
    ("eest", 180),
    ("jst", 540),
];

/// The ways to write a date; `mon` is a month's name. Those that leave less open come first.
static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let month = format!("(?P<mon>{})", MONTHS.join("|"));
    [
        r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})".to_owned(),
        r"(?P<y>\d{4})\s*[年년]\s*(?P<m>\d{1,2})\s*[月월]\s*(?P<d>\d{1,2})\s*[日일号]".to_owned(),
        format!(r"{month}\s+(?P<d>\d{{1,2}})\s+(?P<t>\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s+[a-z]{{1,4}})?)\s+(?P<y>\d{{4}})"),
        format!(r"(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|[.º°ª])?[\s,/-]*(?:(?:of|de|del)\s+)?{month}\.?[\s,/-]*(?:(?:de|del|of)\s+)?(?P<y>\d{{4}})"),
        format!(r"{month}\.?\s*(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:\s*,\s*|\s+)(?P<y>\d{{4}})"),
        format!(r"(?P<y>\d{{4}})[\s,-]+{month}\.?[\s-]+(?P<d>\d{{1,2}})"),
        r"(?P<y>\d{4})[./]\s?(?P<m>\d{1,2})[./]\s?(?P<d>\d{1,2})".to_owned(),
        r"(?P<a>\d{1,2})\s?(?P<s>[./-])\s?(?P<b>\d{1,2})\s?[./-]\s?(?P<y>\d{4}|\d{2})".to_owned(),
    ]
    .iter()
    .filter_map(|form| Regex::new(form).ok())
    .collect()
});

/// A date in ISO 8601's basic format, which is a whole text.
static BASIC: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^\s*(\d{4})(\d{2})(\d{2})(?:t(\d{2})(\d{2})(\d{2})?\s*(z|[+-]\d{2}:?\d{2})?)?\s*$").ok()
});

/// What may stand behind a date: the time, and its zone.
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"(?x)^(?:(?P<iso>t)|(?:[\s,;|·@–—-]|at\b|um\b|à\b|a\ las\b|a\ la\b|[(（][日月火水木金土][)）]|[日月火水木金土]曜日?)*)
        (?P<ja>午前|午後)?(?P<h>\d{1,2})
        (?:(?:[:h時时]|(?P<dot>\.))(?P<mi>\d{2})(?:[:分](?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?)?
        (?P<hour>[時时])?[分秒]?\s*(?P<unit>uhr\b|h\b)?\s*(?P<half>[ap]\.?\s?m\b\.?)?
        \s*[(（]?(?:(?P<zone>[a-z]{1,4})\b)?(?P<off>\s?[+−-]\d{1,2}(?::?\d{2})?)?";
    Regex::new(pattern).ok()
});

/// As [`date`], in a language by its tag.
pub fn read(text: &str, language: Option<&str>) -> Option<String> {
    date(text, language.and_then(Locale::parse).as_ref())
}

/// The one date in a text, as ISO 8601 writes it: with its time if one follows it, and that with its zone if it has one.
/// Between days and months in figures the locale decides where they leave it open. `None` if there is no date or several,
/// if it is not clear or not possible, or relative to another (2 days ago).
pub fn date(text: &str, locale: Option<&Locale>) -> Option<String> {
    let mut text: String = text.chars().take(MAX_LENGTH + 1).map(plain).flat_map(char::to_lowercase).collect();
    if text.chars().nth(MAX_LENGTH).is_some() {
        return None;
    }
    if let Some(parts) = BASIC.as_ref()?.captures(&text) {
        let part = |index| parts.get(index).map_or("", |part| part.as_str());
        let day = format!("{}-{}-{}", part(1), part(2), part(3));
        let time = if part(4).is_empty() {
            String::new()
        } else {
            format!("t{}:{}:{:0>2}{}", part(4), part(5), part(6), part(7))
        };
        text = day + &time;
    }
    let mut found: Option<(Date, String)> = None;
    for form in FORMS.iter() {
        let mut rest = text.clone();
        for parts in form.captures_iter(&text) {
            let whole = parts.get(0)?;
            if !stands_alone(&text, whole.range(), parts.name("s").is_some()) {
                continue;
            }
            let day = day(&parts, locale)?;
            let time = match parts.name("t") {
                Some(time) => Some(time.as_str()),
                None => text.get(whole.end()..),
            };
            let (time, length) = time_of(time.unwrap_or_default())?;
            match &mut found {
                Some((other, _)) if *other != day => return None,
                Some((_, known)) if time.is_empty() || !known.is_empty() => {}
                _ => found = Some((day, time)),
            }
            // What was read must not be read as another form.
            let end = if parts.name("t").is_some() { whole.end() } else { whole.end() + length };
            rest.replace_range(whole.start()..end, &" ".repeat(end - whole.start()));
        }
        text = rest;
    }
    found.map(|(day, time)| format!("{day}{time}"))
}

/// Digits, white space and hyphens as in ASCII.
fn plain(c: char) -> char {
    match c {
        '\u{ff10}'..='\u{ff19}' => char::from_u32(u32::from(c) - 0xff10 + 0x30).unwrap_or(c),
        '\u{ff0f}' => '/',
        '\u{ff1a}' => ':',
        '\u{2010}' | '\u{2011}' | '\u{2212}' => '-',
        _ if c.is_whitespace() => ' ',
        _ => c,
    }
}

/// Whether a place in a text is no part of a longer word, number or sequence of numbers.
fn stands_alone(text: &str, place: std::ops::Range<usize>, is_numeric: bool) -> bool {
    let before = text[..place.start].chars().next_back();
    let mut after = text[place.end..].chars();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '\u{c0}'..='\u{24f}');
    let joins = |c: Option<char>| is_numeric && c.is_some_and(|c| matches!(c, '.' | '/' | '-'));
    let next = after.next();
    let goes_on = joins(next) && after.next().is_some_and(|c| c.is_ascii_digit());
    !before.is_some_and(is_word) && !joins(before) && !next.is_some_and(|c| c.is_ascii_digit()) && !goes_on
}

fn day(parts: &Captures<'_>, locale: Option<&Locale>) -> Option<Date> {
    let number = |name| parts.name(name).and_then(|part| part.as_str().parse::<i16>().ok());
    let year = match (number("y")?, parts.name("y")?.len()) {
        (year, 2) => year + if year < 70 { 2000 } else { 1900 },
        (year, _) => year,
    };
    let (month, day) = match (parts.name("mon"), number("a"), number("b")) {
        (Some(name), ..) => {
            let month = MONTHS.iter().position(|names| names.split('|').any(|known| known == name.as_str()))?;
            (i16::try_from(month + 1).ok()?, number("d")?)
        }
        (None, Some(first), Some(second)) => {
            let is_dotted = parts.name("s").is_some_and(|mark| mark.as_str() == ".");
            let day_first = match locale.map(Locale::first) {
                _ if first == second || first > 12 => true,
                _ if second > 12 => false,
                _ if is_dotted => true,
                Some(First::Day) => true,
                Some(First::Month) => false,
                Some(First::Year) | None => return None,
            };
            if day_first { (second, first) } else { (first, second) }
        }
        _ => (number("m")?, number("d")?),
    };
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok().filter(|_| year >= 1000)
}

/// The time at the beginning of a text as ISO 8601 has it behind a date, empty if there is none, and its length in the
/// text; `None` if there is one that cannot be.
fn time_of(text: &str) -> Option<(String, usize)> {
    let none = Some((String::new(), 0));
    let Some(parts) = TIME.as_ref()?.captures(text) else { return none };
    let part = |name| parts.name(name).map(|part| part.as_str());
    let number = |name| part(name).and_then(|digits| digits.parse::<i8>().ok());
    let is_marked = part("unit").or(part("half")).or(part("hour")).is_some();
    if !is_marked && (part("mi").is_none() || part("dot").is_some()) {
        return none;
    }
    let is_afternoon = part("half").map(|half| half.starts_with('p')).or(part("ja").map(|half| half == "午後"));
    let hour = match (number("h")?, is_afternoon) {
        (hour @ 0..=12, Some(is_afternoon)) => hour % 12 + if is_afternoon { 12 } else { 0 },
        (_, Some(_)) => return None,
        (hour, None) => hour,
    };
    // A leap second is the one before it.
    let second = number("s").unwrap_or(0).min(60);
    let time = Time::new(hour, number("mi").unwrap_or(0), second.min(59), 0).ok()?;
    let fraction = part("f").map_or(String::new(), |digits| format!(".{digits}"));
    let mut text = format!("T{:02}:{:02}:{:02}{fraction}", time.hour(), time.minute(), time.second());
    let named = part("zone").and_then(|name| ZONES.iter().find(|(zone, _)| *zone == name));
    // `10:00-11:30` is a span of time; an offset has seconds before it, a space, a zone's name, or the T of ISO 8601.
    let is_offset = |offset: &&str| {
        part("s").is_some()
            || named.is_some()
            || part("iso").is_some()
            || offset.starts_with(' ') && !offset.contains(':')
    };
    let is_unknown_word = part("zone").is_some() && named.is_none();
    let offset = part("off").filter(is_offset).filter(|_| !is_unknown_word).map(offset);
    match (offset, named) {
        (Some(minutes), _) => text.push_str(&zone(minutes?)),
        (None, Some((_, minutes))) => text.push_str(&zone(*minutes)),
        (None, None) => {}
    }
    Some((text, parts.get(0).map_or(0, |whole| whole.len())))
}

/// The minutes of an offset such as `+0100`, `-05:30` or `+1`.
fn offset(text: &str) -> Option<i32> {
    let text = text.trim_start();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = if digits.len() > 2 { digits.split_at(digits.len() - 2) } else { (digits.as_str(), "0") };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let sign = if text.starts_with('+') { 1 } else { -1 };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

fn zone(minutes: i32) -> String {
    if minutes == 0 {
        return "Z".to_owned();
    }
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_the_forms_of_machines_and_of_five_languages() {
        for (text, locale, expected) in [
            ("2026-11-27", "", "2026-11-27"),
            ("2026-11-27T11:45:08Z", "", "2026-11-27T11:45:08Z"),
            ("2026-11-27T11:45:08.125+01:00", "", "2026-11-27T11:45:08.125+01:00"),
            ("2026-11-27T11:45-05:00", "", "2026-11-27T11:45:00-05:00"),
            ("2026-11-27 11:45", "", "2026-11-27T11:45:00"),
            ("2026-11-27 11:45:08 +0530", "", "2026-11-27T11:45:08+05:30"),
            ("2026-11-27T23:59:60Z", "", "2026-11-27T23:59:59Z"),
            ("20261127", "", "2026-11-27"),
            ("20261127T114508Z", "", "2026-11-27T11:45:08Z"),
            ("Fri, 27 Nov 2026 11:45:08 +0000", "", "2026-11-27T11:45:08Z"),
            ("Fri, 27 Nov 2026 11:45:08 GMT", "", "2026-11-27T11:45:08Z"),
            ("27 Nov 2026 11:45 EST", "", "2026-11-27T11:45:00-05:00"),
            ("Fri Nov 27 11:45:08 2026", "", "2026-11-27T11:45:08"),
            ("Fri Nov 27 11:45:08 UTC 2026", "", "2026-11-27T11:45:08Z"),
            ("November 27, 2026", "", "2026-11-27"),
            ("Nov. 27, 2026", "", "2026-11-27"),
            ("November 27th, 2026 at 3:05 pm", "", "2026-11-27T15:05:00"),
            ("27th of November 2026", "", "2026-11-27"),
            ("27-Nov-2026", "", "2026-11-27"),
            ("2026 Nov 27", "", "2026-11-27"),
            ("Posted on May 3, 2026 by Ann", "", "2026-05-03"),
            ("Friday, November 27, 2026 12:00 AM", "", "2026-11-27T00:00:00"),
            ("November 27, 2026, 3 p.m.", "", "2026-11-27T15:00:00"),
            ("27. November 2026", "de", "2026-11-27"),
            ("Freitag, den 27. November 2026 um 14:30 Uhr", "de", "2026-11-27T14:30:00"),
            ("27.11.2026, 9.05 Uhr", "de", "2026-11-27T09:05:00"),
            ("27.11.2026 14 Uhr", "de", "2026-11-27T14:00:00"),
            ("1. März 2026", "de", "2026-03-01"),
            ("3. Jänner 2026", "de-AT", "2026-01-03"),
            ("27.11.26", "de", "2026-11-27"),
            ("3. 5. 2026", "", "2026-05-03"),
            ("27.11.2026 11:45 MEZ", "de", "2026-11-27T11:45:00+01:00"),
            ("27 nov. 2026", "fr", "2026-11-27"),
            ("le 1er mars 2026", "fr", "2026-03-01"),
            ("vendredi 27 novembre 2026 à 14h30", "fr", "2026-11-27T14:30:00"),
            ("14 août 2026", "fr", "2026-08-14"),
            ("2 févr. 2026", "fr", "2026-02-02"),
            ("27 juil. 2026", "fr", "2026-07-27"),
            ("25 décembre 2026 à 8 h", "fr", "2026-12-25T08:00:00"),
            ("27 de noviembre de 2026", "es", "2026-11-27"),
            ("viernes, 27 de noviembre de 2026 a las 14:30", "es", "2026-11-27T14:30:00"),
            ("1 de enero del 2026", "es", "2026-01-01"),
            ("5 ago. 2026", "es", "2026-08-05"),
            ("3º de mayo de 2026", "es", "2026-05-03"),
            ("2026年11月27日", "ja", "2026-11-27"),
            ("2026年11月27日(金) 14時30分", "ja", "2026-11-27T14:30:00"),
            ("２０２６年１月３日", "ja", "2026-01-03"),
            ("2026年11月27日 午後3時", "ja", "2026-11-27T15:00:00"),
            ("公開日：2026/11/27 10:00", "ja", "2026-11-27T10:00:00"),
            ("2026.11.27", "ja", "2026-11-27"),
            ("11/27/2026", "", "2026-11-27"),
            ("27/11/2026", "", "2026-11-27"),
            ("03/04/2026", "en", "2026-03-04"),
            ("03/04/2026", "en-US", "2026-03-04"),
            ("03/04/2026", "en-GB", "2026-04-03"),
            ("03/04/2026", "fr", "2026-04-03"),
            ("03-04-2026", "nl", "2026-04-03"),
            ("05/05/2026", "", "2026-05-05"),
            ("27.11.2026, 10:00-11:30", "de", "2026-11-27T10:00:00"),
            ("27 November 2026 (2026-11-27)", "", "2026-11-27"),
            ("2024-02-29", "", "2024-02-29"),
            ("8 May 1945", "", "1945-05-08"),
        ] {
            assert_eq!(date(text, Locale::parse(locale).as_ref()).as_deref(), Some(expected), "`{text}` in `{locale}`");
        }
    }

    #[test]
    fn what_is_unclear_relative_or_impossible_is_no_date() {
        for (text, locale) in [
            ("", ""),
            ("2 days ago", "en"),
            ("yesterday", "en"),
            ("vor 3 Tagen", "de"),
            ("hace 2 días", "es"),
            ("3日前", "ja"),
            ("03/04/2026", ""),
            ("03/04/2026", "ja"),
            ("2026-02-30", ""),
            ("2023-02-29", ""),
            ("31/31/2026", ""),
            ("2026-11-27T25:00:00", ""),
            ("November 27, 2026 13:05 pm", "en"),
            ("November 2026", "en"),
            ("27 November", "en"),
            ("2026", ""),
            ("1795779908", ""),
            ("192.168.10.11", ""),
            ("1.2.3.4", "de"),
            ("令和8年11月27日", "ja"),
            ("27 November 2026 – 29 November 2026", "en"),
            ("27 marching 2026", "en"),
        ] {
            assert_eq!(date(text, Locale::parse(locale).as_ref()), None, "`{text}` in `{locale}`");
        }
    }
}
