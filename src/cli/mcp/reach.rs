//! How far an agent may crawl.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::canonical::CanonicalUrl;

/// What `--allow-crawl` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// `example.com` or `example.com:8080`: this host, by http and https.
    Host(String),
    /// `*.example.com`: this host and all whose names end so.
    Below(String),
    /// A URL, and what begins as it does: up to a `/`, `?` or its end.
    Prefix(String),
}

impl FromStr for Reach {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let how = "write a host (example.com), a host with all below it (*.example.com), or the beginning of URLs \
             (https://example.com/docs/)";
        if text.contains("://") {
            let url = CanonicalUrl::parse(text).map_err(|e| format!("{e}; {how}"))?;
            return Ok(Self::Prefix(url.to_string()));
        }
        let (is_below, name) = text.strip_prefix("*.").map_or((false, text), |name| (true, name));
        let url = CanonicalUrl::parse(&format!("http://{name}/")).map_err(|e| format!("{e}; {how}"))?;
        let place = place(url.url());
        let is_name =
            url.url().path() == "/" && url.url().query().is_none() && !name.contains(['/', '@', '*', '?', '#']);
        let is_domain = url.url().domain().is_some_and(|name| name.contains('.'));
        match (is_name, is_below, is_domain) {
            (false, ..) => Err(how.to_owned()),
            (true, false, _) => Ok(Self::Host(place)),
            (true, true, true) => Ok(Self::Below(place)),
            (true, true, false) => Err(format!("hosts are below a name with a dot in it alone; {how}")),
        }
    }
}

/// The host, with its port unless that is the scheme's own.
fn place(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}{port}", url.host_str().unwrap_or_default())
}

impl Reach {
    pub fn covers(&self, url: &Url) -> bool {
        match self {
            Self::Host(host) => place(url) == *host,
            Self::Below(domain) => {
                place(url).strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Self::Prefix(prefix) => url.as_str().strip_prefix(prefix.as_str()).is_some_and(|rest| {
                prefix.ends_with(['/', '?', '=', '&']) || rest.is_empty() || rest.starts_with(['/', '?'])
            }),
        }
    }

    /// Whether it names the very hosts that are asked, so that private ones are meant if they are named.
    pub fn names_hosts(&self) -> bool {
        !matches!(self, Self::Below(_))
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => f.write_str(host),
            Self::Below(domain) => write!(f, "*.{domain}"),
            Self::Prefix(prefix) => write!(f, "{prefix}…"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reach_covers_what_it_names_and_nothing_that_looks_like_it() {
        let covers = |reach: &str, url: &str| {
            let reach: Reach = reach.parse().unwrap_or_else(|e| panic!("{reach}: {e}"));
            reach.covers(CanonicalUrl::parse(url).unwrap().url())
        };
        for (reach, url) in [
            ("example.com", "https://example.com/a"),
            ("Example.COM", "http://example.com/"),
            ("example.com:8080", "http://example.com:8080/a"),
            ("*.example.com", "https://docs.example.com/"),
            ("*.example.com", "https://example.com/"),
            ("https://example.com/docs/", "https://example.com/docs/a?b"),
            ("https://example.com/docs", "https://example.com/docs"),
            ("https://example.com/docs", "https://example.com/docs?page=2"),
            ("https://example.com", "https://example.com/a"),
            ("http://127.0.0.1:9/", "http://127.0.0.1:9/a"),
        ] {
            assert!(covers(reach, url), "{reach} {url}");
        }
        for (reach, url) in [
            ("example.com", "https://www.example.com/"),
            ("example.com", "https://example.com.evil.test/"),
            ("example.com", "https://example.com:8443/"),
            ("*.example.com", "https://notexample.com/"),
            ("*.example.com", "https://example.com.evil.test/"),
            ("*.example.com", "https://evil.test/docs.example.com"),
            ("https://example.com/docs", "https://example.com/docs-of-others"),
            ("https://example.com/docs/", "http://example.com/docs/"),
            ("https://example.com/docs/", "https://example.com/docs/../other"),
            ("https://example.com", "https://example.com@evil.test/"),
        ] {
            assert!(!covers(reach, url), "{reach} {url}");
        }
        for text in ["", "*", "*.com", "*.", "example.com/docs", "a b", "ftp://example.com/", "*.*.com", "x@y.com"] {
            assert!(text.parse::<Reach>().is_err(), "{text}");
        }
    }
}
