//! A value as a rule asks for it.

use serde_json::{Number, Value};

use super::super::page::Page;
use super::locale::Locale;
use super::rules::{Field, Kind};
use super::{dates, numbers};

/// Bytes of one value, and of one that is matched: an expression that is hard to match takes time for each.
const MAX_VALUE: usize = 1 << 20;
const MAX_MATCHED: usize = 256 << 10;

/// Words for yes and no in lower case: of English, German, French, Spanish, Italian, Portuguese, Dutch and Japanese, those of shops, and signs.
const YES: [&str; 24] = [
    "true",
    "yes",
    "y",
    "1",
    "on",
    "ja",
    "oui",
    "sí",
    "si",
    "sì",
    "sim",
    "はい",
    "✓",
    "✔",
    "✅",
    "☑",
    "in stock",
    "instock",
    "available",
    "auf lager",
    "en stock",
    "disponible",
    "disponibile",
    "在庫あり",
];
const NO: [&str; 24] = [
    "false",
    "no",
    "n",
    "0",
    "off",
    "nein",
    "non",
    "não",
    "nee",
    "いいえ",
    "✗",
    "✘",
    "❌",
    "☐",
    "out of stock",
    "outofstock",
    "sold out",
    "soldout",
    "unavailable",
    "not available",
    "ausverkauft",
    "rupture de stock",
    "agotado",
    "在庫なし",
];

/// What a text gives as the kind of a field, after its `match`; `None` if it cannot be read so.
pub fn read(text: &str, field: &Field, page: &Page, locale: Option<&Locale>) -> Option<Value> {
    let text = &text[..text.floor_char_boundary(MAX_VALUE)];
    let text = match &field.pattern {
        Some(pattern) => {
            let found = pattern.captures(&text[..text.floor_char_boundary(MAX_MATCHED)])?;
            found.get(1).or_else(|| found.get(0).filter(|_| found.len() == 1))?.as_str()
        }
        None => text,
    };
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    match field.kind {
        Kind::Text => Some(text.into()),
        Kind::Number => Number::from_f64(numbers::number(text, locale)?).map(Value::Number),
        Kind::Integer => numbers::integer(text, locale).map(Value::from),
        Kind::Boolean => boolean(text).map(Value::Bool),
        Kind::Date => dates::date(text, locale).map(Value::String),
        Kind::Url => page.base.join(text).ok().map(|url| String::from(url).into()),
    }
}

fn boolean(text: &str) -> Option<bool> {
    let text = text.to_lowercase();
    // As schema.org names what is in stock.
    let word = text.rsplit_once("schema.org/").map_or(text.as_str(), |(_, name)| name).trim_end_matches(['.', '!']);
    if YES.contains(&word) { Some(true) } else { NO.contains(&word).then_some(false) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boolean_is_one_of_the_usual_words() {
        for (text, expected) in [
            ("true", Some(true)),
            ("Yes", Some(true)),
            ("1", Some(true)),
            ("In Stock!", Some(true)),
            ("https://schema.org/InStock", Some(true)),
            ("JA", Some(true)),
            ("Sí", Some(true)),
            ("✔", Some(true)),
            ("false", Some(false)),
            ("0", Some(false)),
            ("Nein", Some(false)),
            ("Sold out", Some(false)),
            ("http://schema.org/OutOfStock", Some(false)),
            ("maybe", None),
            ("2", None),
        ] {
            assert_eq!(boolean(text), expected, "{text}");
        }
    }
}
