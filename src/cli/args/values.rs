//! Values as they are typed, on the command line and in the settings file alike.

use std::time::Duration;

use crate::config::{BodyTypes, Recrawl};
use regex::Regex;
use serde::Deserialize;

/// Requests per second.
pub fn rate(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate >= 0.0);
    number.ok_or_else(|| "write requests per second, such as 2 or 0.5; 0 is no limit".to_owned())
}

pub fn proxy(text: &str) -> Result<String, String> {
    let is_usable = url::Url::parse(text).is_ok_and(|url| url.has_host()) && reqwest::Proxy::all(text).is_ok();
    is_usable.then(|| text.to_owned()).ok_or_else(|| "write a URL such as http://proxy.example:3128".to_owned())
}

/// A value written as text, on the command line and in the file alike.
macro_rules! from_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }
    };
}

/// A regular expression.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(pub Regex);
from_text!(Pattern);

impl std::str::FromStr for Pattern {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let one_line = |e: regex::Error| {
            let text = e.to_string();
            let last = text.lines().last().unwrap_or_default().trim();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        };
        Regex::new(text).map(Self).map_err(|e| format!("not a regular expression: {}", one_line(e)))
    }
}

/// A duration such as `90s`, `50m` or `1h 30m`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);
from_text!(Span);

impl std::str::FromStr for Span {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let plain = if text == "0" { "0s" } else { text };
        humantime::parse_duration(plain).map(Self).map_err(|e| format!("{e}; write a duration such as 90s or 50m"))
    }
}

/// A duration, or `auto`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct Age(pub Recrawl);
from_text!(Age);

impl std::str::FromStr for Age {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self(Recrawl::Auto));
        }
        let span: Span = text.parse().map_err(|problem| format!("{problem}, or auto"))?;
        Ok(Self(Recrawl::After(span.0)))
    }
}

/// The number of a run, or a moment in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub enum Since {
    Run(i64),
    Time(i64),
}

impl std::str::FromStr for Since {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(run) = text.parse() {
            return Ok(Self::Run(run));
        }
        let moment = text.parse::<jiff::Timestamp>().or_else(|_| {
            text.parse::<jiff::civil::DateTime>()?.to_zoned(jiff::tz::TimeZone::UTC).map(|utc| utc.timestamp())
        });
        let moment = moment.map(|moment| Self::Time(moment.as_millisecond()));
        moment.map_err(|_| "write the number of a run, or a date such as 2026-01-31 or 2026-01-31T03:15Z".to_owned())
    }
}

/// A number of bytes such as `512KiB`, `10MiB` or `5000000`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct Size(pub u64);
from_text!(Size);

impl std::str::FromStr for Size {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
        let unit: u64 = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kib" => 1 << 10,
            "kb" => 1_000,
            "m" | "mib" => 1 << 20,
            "mb" => 1_000_000,
            "g" | "gib" => 1 << 30,
            "gb" => 1_000_000_000,
            other => return Err(format!("unknown unit `{other}`; write a size such as 512KiB or 10MiB")),
        };
        let number: u64 = digits.trim().parse().map_err(|_| "write a size such as 512KiB or 10MiB".to_owned())?;
        number.checked_mul(unit).filter(|size| *size > 0).map(Self).ok_or_else(|| "out of range".to_owned())
    }
}

/// A header as `Name: value`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct HeaderLine(pub String, pub String);
from_text!(HeaderLine);

impl std::str::FromStr for HeaderLine {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').ok_or("write a header as `Name: value`")?;
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(format!("`{name}` is no header name"));
        }
        if name.eq_ignore_ascii_case("user-agent") {
            return Err("is set with --user-agent, whose product token robots.txt is matched against".into());
        }
        if reqwest::header::HeaderValue::from_str(&value).is_err() {
            return Err(format!("`{name}` has a value no header can hold"));
        }
        Ok(Self(name, value))
    }
}

/// Media types.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Types(pub BodyTypes);
from_text!(Types);

impl std::str::FromStr for Types {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}
