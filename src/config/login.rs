//! Credentials in the URL of a seed.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::Url;

use super::options::Config;
use super::values::Secret;
use crate::canonical::{CanonicalUrl, Host};

/// Credentials for one host: scheme, name and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub host: Host,
    /// The value of `Authorization`.
    pub authorization: Secret,
}

impl Login {
    /// The credentials that stand in a URL, if any do.
    pub fn of_seed(text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        let host = CanonicalUrl::parse(text).ok()?.host();
        if url.username().is_empty() && url.password().is_none() {
            return None;
        }
        let decoded = |text: &str| percent_decode_str(text).collect::<Vec<_>>();
        let authorization = basic(&decoded(url.username()), &decoded(url.password().unwrap_or_default()));
        Some(Self { host, authorization })
    }
}

impl Config {
    /// The options with credentials or cookies that were given, by which hosts know who is asking.
    pub(crate) fn credentials(&self) -> BTreeSet<String> {
        let files = [("--cookies", &self.cookies), ("--netrc", &self.netrc)];
        let files = files.into_iter().filter(|(_, file)| file.is_some()).map(|(option, _)| option.to_owned());
        let headers = self.header.iter().filter(|header| header.is_confidential());
        files.chain(headers.map(|header| format!("--header {}", header.name))).collect()
    }
}

/// The value of `Authorization` for a name and a password (RFC 7617).
pub fn basic(name: &[u8], password: &[u8]) -> Secret {
    format!("Basic {}", STANDARD.encode([name, b":", password].concat())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credentials_in_a_url_are_for_its_scheme_name_and_port() {
        for (text, host, expected) in [
            ("http://me:pass@a.test/x", "http://a.test", "me:pass"),
            ("https://me:p%40ss%3A@A.test:8443/", "https://a.test:8443", "me:p@ss:"),
            ("http://me@a.test/", "http://a.test", "me:"),
            ("http://:pass@a.test/", "http://a.test", ":pass"),
            ("http://m%C3%A9:p@a@a.test/", "http://a.test", "mé:p@a"),
        ] {
            let login = Login::of_seed(text).unwrap();
            let encoded = login.authorization.expose().strip_prefix("Basic ").unwrap().to_owned();
            assert_eq!(login.host.as_str(), host);
            assert_eq!(STANDARD.decode(encoded).unwrap(), expected.as_bytes(), "{text}");
        }
        for text in ["http://a.test/", "http://a.test/x@y", "http://@a.test/", "ftp://me:pass@a.test/", "no URL"] {
            assert_eq!(Login::of_seed(text), None, "{text}");
        }
    }
}
