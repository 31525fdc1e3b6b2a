//! The types of settings that are more than a number, a flag or a text. Whatever is public here is part of the library.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use regex::Regex;
use url::Url;

/// A text that is no value of its setting, and how to write one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(pub(crate) String);

/// The words that an option takes, with the help to each.
pub(crate) type Choices = &'static [(&'static str, &'static str)];

/// A type of settings whose values are texts wherever they are written: as `Display` writes them and `FromStr` reads them.
pub(crate) trait Typed: FromStr<Err = ValueError> + fmt::Display {
    /// Stands for the value in the help.
    const VALUE_NAME: &'static str;
    /// Empty if any text may be a value.
    const CHOICES: Choices = &[];
}

/// An enumeration whose variants are words that a user types. A variant's documentation is its help.
macro_rules! words {
    (
        $(#[$about:meta])*
        pub enum $Words:ident as $name:literal { $($(#[doc = $help:literal])* $Variant:ident = $word:literal,)+ }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $Words { $($(#[doc = $help])* $Variant,)+ }

        impl $Words {
            /// The word as a user types it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$Variant => $word,)+ }
            }
        }

        impl Typed for $Words {
            const VALUE_NAME: &'static str = $name;
            const CHOICES: Choices = &[$(($word, concat!($($help)*)),)+];
        }

        impl fmt::Display for $Words {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $Words {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, ValueError> {
                match text {
                    $($word => Ok(Self::$Variant),)+
                    _ => {
                        let words = [$(concat!("`", $word, "`"),)+].join(", ");
                        Err(ValueError(format!("what can be written is {words}")))
                    }
                }
            }
        }
    };
}

words! {
    /// How far from the seeds the crawl goes.
    pub enum ScopeKind as "SCOPE" {
        /// Only the seeds
        Page = "page",
        /// The same host, at or below the seed's directory
        Prefix = "prefix",
        /// The same scheme, name and port
        Host = "host",
        /// The same registrable domain (public suffix list)
        Domain = "domain",
        /// Anywhere
        Any = "any",
    }
}

words! {
    /// What pages name besides what is crawled, and that is looked for: whether it is there.
    pub enum ToCheck as "WHAT" {
        /// Links out of scope
        External = "external",
        /// What pages are put together from
        Resources = "resources",
        /// Places of crawled pages that links name behind #
        Fragments = "fragments",
    }
}

/// How long a new run leaves known pages alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recrawl {
    /// The same time for all.
    After(Duration),
    /// Each at its own interval, which follows its changes.
    Auto,
}

impl From<Duration> for Recrawl {
    fn from(age: Duration) -> Self {
        Self::After(age)
    }
}

impl Typed for Recrawl {
    const VALUE_NAME: &'static str = "DURATION|auto";
}

impl fmt::Display for Recrawl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(age) => f.write_str(&print_span(age)),
            Self::Auto => f.write_str("auto"),
        }
    }
}

impl FromStr for Recrawl {
    type Err = ValueError;

    /// Reads a duration such as `12h`, or `auto`.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        span(text).map(Self::After).map_err(|problem| ValueError(format!("{problem}, or auto")))
    }
}

/// Reads a duration such as `90s`, `50m` or `1h 30m`.
pub(crate) fn span(text: &str) -> Result<Duration, ValueError> {
    let plain = if text == "0" { "0s" } else { text };
    humantime::parse_duration(plain).map_err(|e| ValueError(format!("{e}; write a duration such as 90s or 50m")))
}

/// In the largest unit that gives a whole number, so that nothing is lost.
pub(crate) fn print_span(span: &Duration) -> String {
    let (seconds, nanos) = (span.as_secs(), span.subsec_nanos());
    let units = [("d", 24 * 3600), ("h", 3600), ("m", 60), ("s", 1)];
    let whole = units.iter().find(|(_, unit)| seconds > 0 && seconds % unit == 0);
    let whole = whole.map_or("0s".to_owned(), |(name, unit)| format!("{}{name}", seconds / unit));
    if nanos == 0 { whole } else { format!("{whole} {nanos}ns") }
}

/// A regular expression, in the syntax of the crate `regex`. Its text is all there is to it, so that it can be stored.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Fails on a text that is no regular expression.
    pub fn new(text: &str) -> Result<Self, ValueError> {
        let one_line = |e: regex::Error| {
            let text = e.to_string();
            let last = text.lines().last().unwrap_or_default().trim();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        };
        Regex::new(text).map(Self).map_err(|e| ValueError(format!("not a regular expression: {}", one_line(e))))
    }

    /// Whether it matches anywhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

impl Typed for Pattern {
    const VALUE_NAME: &'static str = "REGEX";
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Pattern {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::new(text)
    }
}

/// A text that is neither shown nor stored: it cannot be serialised, and its `Debug` is `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for whoever sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A header that is sent with every request, or to the seeds' hosts only if it [is confidential](Self::is_confidential).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// In any case.
    pub name: String,
    /// Visible ASCII, as far as servers are to understand it.
    pub value: Secret,
}

impl Header {
    /// Whether it is sent to the seeds' hosts only: by its name, it is or may be a secret.
    pub fn is_confidential(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        name == "cookie" || ["auth", "token", "key", "secret", "session"].iter().any(|part| name.contains(part))
    }
}

impl FromStr for Header {
    type Err = ValueError;

    /// Reads `Name: value`.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (name, value) = text.split_once(':').ok_or_else(|| ValueError("write a header as `Name: value`".into()))?;
        let (name, value) = (name.trim(), value.trim());
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(ValueError("what stands before the colon is no header name".into()));
        }
        if name.eq_ignore_ascii_case("proxy-authorization") {
            return Err(ValueError("credentials for a proxy belong into the URL of --proxy".into()));
        }
        if name.eq_ignore_ascii_case("user-agent") {
            let problem = "is set with --user-agent, whose product token robots.txt is matched against";
            return Err(ValueError(problem.into()));
        }
        if http::HeaderValue::from_str(value).is_err() {
            return Err(ValueError(format!("`{name}` has a value no header can hold")));
        }
        Ok(Self { name: name.to_owned(), value: value.into() })
    }
}

/// A range of addresses, such as `10.0.0.0/8`; or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr(IpNet);

impl Cidr {
    /// Whether an address lies in it; one of IPv4 that is mapped into IPv6 is that of IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl Typed for Cidr {
    const VALUE_NAME: &'static str = "CIDR";
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cidr {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let range = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        range.map(Self).map_err(|_| ValueError("write a range of addresses such as 10.0.0.0/8".into()))
    }
}

/// Reads the URL of a proxy as curl does: one without a scheme is that of an `http` proxy. What is wrong is told without
/// the text, which may hold a password.
pub(crate) fn proxy_url(text: &str) -> Result<Url, ValueError> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let is_usable = |url: &Url| {
        let is_known = matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h");
        is_known && url.host_str().is_some_and(|host| !host.is_empty())
    };
    let how = "write a URL such as http://proxy.example:3128; schemes are http, https, socks5 and socks5h";
    Url::parse(&whole).ok().filter(is_usable).ok_or_else(|| ValueError(how.into()))
}

/// Media types whose bodies are downloaded: `type/subtype`, `type/*`, `*+suffix` or `*/*`, parsed from a text with commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyTypes(Vec<String>);

const DEFAULT_BODY_TYPES: &str = "text/*, application/xhtml+xml, application/xml, application/json, *+xml, *+json";

impl Default for BodyTypes {
    fn default() -> Self {
        Self(split_types(DEFAULT_BODY_TYPES))
    }
}

impl Typed for BodyTypes {
    const VALUE_NAME: &'static str = "TYPES";
}

impl fmt::Display for BodyTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl FromStr for BodyTypes {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let types = split_types(text);
        for pattern in &types {
            let whole = pattern.starts_with("*+") && pattern.len() > 2;
            let halves = pattern.split_once('/').is_some_and(|(top, sub)| {
                let plain = |half: &str| !half.is_empty() && !half.contains(['/', ' ', '*']);
                (plain(top) && (plain(sub) || sub == "*")) || pattern == "*/*"
            });
            if !whole && !halves {
                let how = "write `text/html`, `text/*`, `*+xml` or `*/*`";
                return Err(ValueError(format!("`{pattern}` is no media type; {how}")));
            }
        }
        if types.is_empty() {
            return Err(ValueError("names no media type; `*/*` means all".into()));
        }
        Ok(Self(types))
    }
}

fn split_types(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_ascii_lowercase()).filter(|part| !part.is_empty()).collect()
}

impl BodyTypes {
    /// Whether a body of this essence (`type/subtype`, lower case, no parameters) is wanted.
    pub fn wants(&self, essence: &str) -> bool {
        self.0.iter().any(|pattern| {
            if pattern == "*/*" || pattern == essence {
                return true;
            }
            if let Some(suffix) = pattern.strip_prefix('*') {
                return essence.ends_with(suffix);
            }
            pattern.strip_suffix('*').is_some_and(|top| top.ends_with('/') && essence.starts_with(top))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_types_match_by_type_wildcard_and_suffix() {
        let types = BodyTypes::default();
        for wanted in ["text/html", "text/plain", "application/atom+xml", "application/ld+json", "image/svg+xml"] {
            assert!(types.wants(wanted), "{wanted}");
        }
        for left in ["image/png", "application/pdf", "application/octet-stream"] {
            assert!(!types.wants(left), "{left}");
        }
        assert!("*/*".parse::<BodyTypes>().unwrap().wants("image/png"));
        for bad in ["html", "", "text/", "/html", "*/html", "te*t/html", "text/*+xml", "text/a/b"] {
            assert!(bad.parse::<BodyTypes>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_value_of_a_header_is_not_shown() {
        let header: Header = "Authorization: Bearer abc: d".parse().unwrap();
        assert_eq!((header.name.as_str(), header.value.expose()), ("Authorization", "Bearer abc: d"));
        assert_eq!(format!("{header:?}"), "Header { name: \"Authorization\", value: *** }");
    }

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        for (word, help) in ScopeKind::CHOICES {
            assert_eq!(word.parse::<ScopeKind>().unwrap().as_str(), *word);
            assert!(!help.is_empty());
        }
        assert!("world".parse::<ScopeKind>().is_err());
    }
}
