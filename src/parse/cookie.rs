//! `Set-Cookie` and its dates, as RFC 6265bis has user agents read them.

use std::borrow::Cow;

use jiff::{Unit, civil};

/// Seconds since 1970.
pub type Seconds = i64;

/// Octets of name and value together (section 5.6, step 5).
pub const MAX_PAIR: usize = 4096;
/// Octets of the value of an attribute (section 5.6).
const MAX_ATTRIBUTE: usize = 1024;
/// Seconds that a cookie lasts, at most: 400 days (section 5.5).
const MAX_LIFE: Seconds = 400 * 24 * 3600;

/// A cookie as a server sets it: nothing is judged yet by who sets it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetCookie<'a> {
    pub name: &'a [u8],
    pub value: &'a [u8],
    /// When it ends; at the end of the session if unset.
    pub expires: Option<Seconds>,
    /// Without a leading dot, in lower case; empty if there is none.
    pub domain: Vec<u8>,
    /// None if it is the default path.
    pub path: Option<&'a [u8]>,
    pub secure: bool,
    pub http_only: bool,
}

impl<'a> SetCookie<'a> {
    /// Section 5.6, and of section 5.7 what the text alone decides. None is a cookie to be ignored.
    pub fn parse(text: &'a [u8], now: Seconds) -> Option<Self> {
        if text.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return None;
        }
        let mut parts = text.split(|byte| *byte == b';');
        let (name, value) = pair(parts.next()?).unwrap_or_else(|whole| (b"", whole));
        if name.len() + value.len() > MAX_PAIR || name.is_empty() && value.is_empty() {
            return None;
        }
        let mut cookie = Self { name, value, ..Self::default() };
        let (mut expires, mut max_age) = (None, None);
        for part in parts {
            let (name, value) = pair(part).unwrap_or_else(|whole| (whole, b""));
            if value.len() > MAX_ATTRIBUTE {
                continue;
            }
            // Of several attributes of one name the last one counts.
            match name.to_ascii_lowercase().as_slice() {
                b"expires" => expires = date(value).or(expires),
                b"max-age" => max_age = delta(value).map(|delta| now.saturating_add(delta)).or(max_age),
                b"domain" => cookie.domain = domain(value),
                b"path" => cookie.path = Some(value).filter(|path| path.starts_with(b"/")),
                b"secure" => cookie.secure = true,
                b"httponly" => cookie.http_only = true,
                _ => {}
            }
        }
        cookie.expires = max_age.or(expires).map(|at| at.min(now + MAX_LIFE));
        cookie.domain.is_ascii().then_some(cookie)
    }
}

/// What stands before and after the first `=`, without white space; the whole if there is none.
fn pair(text: &[u8]) -> Result<(&[u8], &[u8]), &[u8]> {
    match text.iter().position(|byte| *byte == b'=') {
        Some(at) => Ok((trim(&text[..at]), trim(&text[at + 1..]))),
        None => Err(trim(text)),
    }
}

/// Without tabs and spaces around it.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// `Domain` (section 5.6.3). A dot alone stays one: it is no domain, and to browsers no missing one either.
fn domain(value: &[u8]) -> Vec<u8> {
    value.strip_prefix(b".").filter(|rest| !rest.is_empty()).unwrap_or(value).to_ascii_lowercase()
}

/// `Max-Age` (section 5.6.2): seconds from now, none or less for a cookie that has ended.
fn delta(value: &[u8]) -> Option<Seconds> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if digits.len() < value.len() {
        return Some(0);
    }
    // More digits than a number holds are more than the longest life.
    Some(std::str::from_utf8(digits).ok()?.parse().unwrap_or(MAX_LIFE))
}

const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// A date, in whatever order and form its parts are written (section 5.1.1).
pub fn date(text: &[u8]) -> Option<Seconds> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    let is_delimiter = |byte: &u8| matches!(byte, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e);
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        if let Some(found) = time.is_none().then(|| time_of(token)).flatten() {
            time = Some(found);
        } else if let Some((found, _)) = day.is_none().then(|| number(token, 1..=2)).flatten() {
            day = Some(found);
        } else if let Some(found) = month.is_none().then(|| month_of(token)).flatten() {
            month = Some(found);
        } else if let Some((found, _)) = year.is_none().then(|| number(token, 2..=4)).flatten() {
            year = Some(found);
        }
    }
    let year = match year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year => year,
    };
    let (hour, minute, second) = time?;
    if year < 1601 {
        return None;
    }
    let small = |number: i16| i8::try_from(number).ok();
    let time = civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    let date = civil::Date::new(year, month?, small(day?)?).ok()?;
    // A timestamp of the crate's would end a day before the last date.
    let days = date.since((Unit::Day, civil::date(1970, 1, 1))).ok()?.get_days();
    let seconds = time.since((Unit::Second, civil::Time::midnight())).ok()?.get_seconds();
    Some(Seconds::from(days) * 24 * 3600 + seconds)
}

/// A number of so many digits at the start, no more, and what follows it.
fn number(token: &[u8], digits: std::ops::RangeInclusive<usize>) -> Option<(i16, &[u8])> {
    let length = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = digits.contains(&length).then(|| std::str::from_utf8(&token[..length]).ok()?.parse().ok())?;
    Some((number?, &token[length..]))
}

fn month_of(token: &[u8]) -> Option<i8> {
    let name = token.get(..3)?.to_ascii_lowercase();
    MONTHS.iter().position(|month| *month == name).and_then(|at| i8::try_from(at + 1).ok())
}

fn time_of(token: &[u8]) -> Option<(i16, i16, i16)> {
    let (hour, rest) = number(token, 1..=2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 1..=2)?;
    let (second, _) = number(rest.strip_prefix(b":")?, 1..=2)?;
    Some((hour, minute, second))
}

/// The path of a cookie that names none (section 5.1.4): the folder of the request's.
pub fn default_path(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) if at > 0 && path[0] == b'/' => &path[..at],
        _ => b"/",
    }
}

/// Section 5.1.4.
pub fn path_matches(request: &[u8], cookie: &[u8]) -> bool {
    let rest = request.strip_prefix(cookie);
    rest.is_some_and(|rest| rest.is_empty() || cookie.ends_with(b"/") || rest.starts_with(b"/"))
}

/// Section 5.1.3. An address has nothing below it.
pub fn domain_matches(host: &str, domain: &str) -> bool {
    let below = host.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.'));
    host == domain || below.is_some_and(|rest| !rest.is_empty() && host.parse::<std::net::Ipv4Addr>().is_err())
}

/// A `Set-Cookie` line as it may be shown: with its name and the attributes that the standard knows.
pub fn without_value(line: &[u8]) -> String {
    const WITH_VALUE: [&str; 6] = ["expires", "max-age", "domain", "path", "samesite", "priority"];
    const WITHOUT: [&str; 3] = ["secure", "httponly", "partitioned"];
    let line = String::from_utf8_lossy(line);
    let mut parts = line.split(';');
    let first = parts.next().unwrap_or_default();
    let mut shown = first.split_once('=').map_or_else(String::new, |(name, _)| format!("{}=", name.trim())) + "…";
    for part in parts {
        let name = part.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
        // What is no attribute may be the rest of a value.
        let part: Cow<'_, str> = match &*name {
            name if WITH_VALUE.contains(&name) => part.into(),
            name if WITHOUT.contains(&name) => part.split('=').next().unwrap_or_default().to_owned().into(),
            "" => "".into(),
            _ => " …".into(),
        };
        shown.push(';');
        shown.push_str(&part);
    }
    shown
}
