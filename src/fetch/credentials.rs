//! What is sent to the seeds' hosts alone, whatever a link, a redirect, a sitemap or robots.txt says.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::config::{Config, ConfigError, Header};

/// What the user set as headers: for every host, and for those of the seeds alone.
#[derive(Debug)]
pub(super) struct Headers {
    common: HeaderMap,
    confidential: HeaderMap,
}

impl Headers {
    /// Fails on what cannot be a header.
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        let (mut common, mut confidential) = (HeaderMap::new(), HeaderMap::new());
        for header in &config.header {
            let Header { name, value } = header;
            let bad = |problem: &str| ConfigError { option: "header", problem: problem.to_owned() };
            if name.eq_ignore_ascii_case("proxy-authorization") {
                return Err(bad("credentials for a proxy belong into the URL of --proxy"));
            }
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("a name is no header name"))?;
            let value = HeaderValue::from_str(value.expose());
            let mut value = value.map_err(|_| bad(&format!("`{key}` has a value no header can hold")))?;
            value.set_sensitive(true);
            if header.is_confidential() { &mut confidential } else { &mut common }.append(key, value);
        }
        Ok(Self { common, confidential })
    }

    /// Those of a request to a host that a seed names, or does not.
    pub(super) fn of_request(&self, seed_host: bool) -> HeaderMap {
        let mut headers = self.common.clone();
        if seed_host {
            // A name is in one of the two.
            headers.extend(self.confidential.clone());
        }
        headers
    }
}
