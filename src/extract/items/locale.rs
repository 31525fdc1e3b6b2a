//! How a language writes numbers and dates.

/// Languages that write a decimal comma (CLDR, `numbers/symbols/decimal`).
const COMMA: &str = " af az be bg bs ca cs da de el es et eu fi fr gl hr hu hy id is it ka kk lt lv mk nb nl nn no pl pt ro ru sk sl \
    sq sr sv tr uk uz vi ";
/// Regions that write a point in spite of their language.
const POINT: [&str; 14] = [
    "de-ch", "de-li", "it-ch", "es-mx", "es-us", "es-pr", "es-gt", "es-hn", "es-ni", "es-pa", "es-do", "es-sv",
    "es-pe", "es-cu",
];
/// Languages that write the month of a numeric date before its day, as far as nothing else is known of the region.
const MONTH_FIRST: [&str; 4] = ["en", "en-us", "en-ph", "es-us"];
/// Languages that write the year first.
const YEAR_FIRST: [&str; 5] = ["ja", "zh", "ko", "hu", "lt"];

/// A language tag (BCP 47) in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale(String);

/// What comes first in a numeric date such as 03/04/2026.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    Day,
    Month,
    Year,
}

impl Locale {
    /// Of a tag such as `de` or `pt-BR`, also written `pt_BR`.
    pub fn parse(tag: &str) -> Option<Self> {
        let tag = tag.trim().to_ascii_lowercase().replace('_', "-");
        let is_part =
            |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let language = tag.split('-').next().unwrap_or_default();
        let is_language = (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase());
        (is_language && tag.split('-').all(is_part)).then_some(Self(tag))
    }

    fn language(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    pub fn decimal_mark(&self) -> char {
        let is_comma = COMMA.split(' ').any(|language| language == self.language());
        if is_comma && !POINT.contains(&self.0.as_str()) { ',' } else { '.' }
    }

    pub fn first(&self) -> First {
        if MONTH_FIRST.contains(&self.0.as_str()) {
            First::Month
        } else if YEAR_FIRST.contains(&self.language()) {
            First::Year
        } else {
            First::Day
        }
    }
}
