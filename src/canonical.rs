//! Canonical URLs and hosts: what makes two spellings one row, and what politeness is counted by.

use std::borrow::Borrow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use url::Url;

/// An http(s) URL in the form the [WHATWG URL standard](https://url.spec.whatwg.org/) serialises it,
/// without its fragment and credentials. Two spellings of one URL are equal here, and one row in the database. Cheap to
/// clone: the links of a page share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CanonicalUrl(Arc<Url>);

/// Why a text is not a URL that can be crawled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("it does not begin with http:// or https://")]
    Relative,
    #[error("not a URL: {0}")]
    Syntax(url::ParseError),
    #[error("scheme `{0}` is not http or https")]
    Scheme(String),
    #[error("no host")]
    NoHost,
}

impl From<url::ParseError> for UrlError {
    fn from(error: url::ParseError) -> Self {
        match error {
            url::ParseError::RelativeUrlWithoutBase => Self::Relative,
            other => Self::Syntax(other),
        }
    }
}

impl CanonicalUrl {
    /// Parses an absolute URL.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Self::from_url(Url::parse(text.trim())?)
    }

    /// Resolves `reference` (the value of an `href` or a `Location`) against `base`.
    pub fn join(base: &Url, reference: &str) -> Result<Self, UrlError> {
        Self::from_url(base.join(reference)?)
    }

    fn from_url(mut url: Url) -> Result<Self, UrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme(url.scheme().to_owned()));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(UrlError::NoHost);
        }
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            // Cannot fail for http(s) with a host, and credentials must never reach the database.
            let _ = url.set_username("");
            let _ = url.set_password(None);
        }
        Ok(Self(Arc::new(url)))
    }

    /// The serialisation, the key of the URL in the database.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The parsed form, for joining and requesting.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Scheme, host and port.
    pub fn host(&self) -> Host {
        Host(self.host_str().into())
    }

    /// The text of [`host`](Self::host), borrowed.
    pub fn host_str(&self) -> &str {
        &self.0[..url::Position::BeforePath]
    }

    /// What robots.txt rules are matched against: path and query.
    pub fn path_and_query(&self) -> &str {
        &self.0[url::Position::BeforePath..]
    }

    /// The address, if the host is written as one.
    pub fn literal_address(&self) -> Option<IpAddr> {
        match self.0.host()? {
            url::Host::Ipv4(ip) => Some(ip.into()),
            url::Host::Ipv6(ip) => Some(ip.into()),
            url::Host::Domain(_) => None,
        }
    }
}

impl fmt::Display for CanonicalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that was given as a URL, for messages: without what may be credentials. Of a text that is no URL it cannot be
/// said where they end, so it is the last `@` that ends them.
pub fn without_userinfo(text: &str) -> String {
    let Some((before, after)) = text.rsplit_once('@') else { return text.to_owned() };
    let scheme = before.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = before.split_at(scheme);
    let is_url = CanonicalUrl::parse(text).is_ok();
    match rest.find(['/', '\\', '?', '#']).filter(|_| is_url) {
        // The authority ends before the `@`; it may hold another.
        Some(end) => match rest[..end].rfind('@') {
            Some(at) => format!("{scheme}…{}@{after}", &rest[at..]),
            None => text.to_owned(),
        },
        None => format!("{scheme}…@{after}"),
    }
}

/// Scheme, host name and port, such as `https://example.com` or `http://127.0.0.1:8080`: the unit of politeness and
/// of robots.txt. A default port is left out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(Arc<str>);

impl Host {
    /// Reads a host back from the text it was stored as.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Ok(CanonicalUrl::parse(text)?.host())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the host keeps its robots.txt (RFC 9309, section 2.3).
    pub fn robots_url(&self) -> Result<CanonicalUrl, UrlError> {
        CanonicalUrl::parse(&format!("{}/robots.txt", self.0))
    }

    /// Where a host's sitemap is looked for if its robots.txt names none.
    pub fn sitemap_url(&self) -> Result<CanonicalUrl, UrlError> {
        CanonicalUrl::parse(&format!("{}/sitemap.xml", self.0))
    }
}

impl Borrow<str> for Host {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        CanonicalUrl::parse(text).unwrap().to_string()
    }

    #[test]
    fn spellings_of_one_url_become_one() {
        for spelling in [
            "HTTP://EXAMPLE.com:80/a/./b/../c#part",
            "http://example.com/a/c",
            "  http://user:secret@example.com/a/c  ",
            "http:\\\\example.com\\a\\c",
        ] {
            assert_eq!(canonical(spelling), "http://example.com/a/c");
        }
        assert_eq!(canonical("http://0x7f.1/"), "http://127.0.0.1/");
        assert_eq!(canonical("http://bücher.example/ä"), "http://xn--bcher-kva.example/%C3%A4");
    }

    #[test]
    fn credentials_are_left_out_of_what_is_told_of_a_text_whether_it_is_a_url_or_not() {
        for (text, told) in [
            ("http://user:secret@a.test/x", "http://…@a.test/x"),
            ("http://user:se@cret@a.test/x@y", "http://…@a.test/x@y"),
            ("http://a.test/x@y", "http://a.test/x@y"),
            ("user:secret@a.test/x", "…@a.test/x"),
            ("ftp://user:secret@a.test/x", "ftp://…@a.test/x"),
            ("http://user:sec/ret@a.test/", "http://…@a.test/"),
            ("http:user:secret@a.test/", "…@a.test/"),
            ("no URL", "no URL"),
        ] {
            assert_eq!(without_userinfo(text), told);
        }
    }

    #[test]
    fn only_http_urls_are_crawled() {
        for text in ["ftp://example.com/", "mailto:a@b.c", "javascript:void(0)", "example.com", "", "http://"] {
            assert!(CanonicalUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_host_is_scheme_name_and_port() {
        let host = |text| CanonicalUrl::parse(text).unwrap().host();
        assert_eq!(host("https://example.com:443/x").as_str(), "https://example.com");
        assert_eq!(host("http://[::1]:8080/x").as_str(), "http://[::1]:8080");
        assert_ne!(host("http://example.com/"), host("https://example.com/"));
        assert_eq!(host("http://example.com/a?b").robots_url().unwrap().as_str(), "http://example.com/robots.txt");
    }
}
