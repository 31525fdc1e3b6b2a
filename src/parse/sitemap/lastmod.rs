//! When an entry changed last, as sitemaps and feeds write it.

use std::borrow::Cow;

use crate::visit::Millis;

/// A time as sitemaps and Atom write it (W3C Date and Time Formats, from a year to a fraction of a second), or RSS (RFC
/// 2822).
pub(super) fn time(text: &str) -> Option<Millis> {
    let day = match text.len() {
        4 => Cow::Owned(format!("{text}-01-01")),
        7 => Cow::Owned(format!("{text}-01")),
        _ => Cow::Borrowed(text),
    };
    let midnight = || day.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    let at = text.parse::<jiff::Timestamp>().ok();
    let at = at.or_else(|| Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp()));
    Some(at.or_else(|| Some(midnight()?.timestamp()))?.as_millisecond())
}
