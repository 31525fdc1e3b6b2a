//! What is sent to the seeds' hosts alone, whatever a link, a redirect, a sitemap or robots.txt says.

use std::collections::HashMap;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::netrc::Netrc;
use crate::canonical::{CanonicalUrl, Host};
use crate::config::{Config, ConfigError, Header, Login, Secret};

/// What the user gave for every host, and for those of the seeds alone.
#[derive(Debug)]
pub(super) struct Credentials {
    common: HeaderMap,
    confidential: HeaderMap,
    /// The values of `Authorization` that stand in seeds.
    logins: HashMap<Host, Secret>,
    netrc: Netrc,
}

impl Credentials {
    /// Fails on what cannot be a header, and on a netrc file that cannot be read.
    pub(super) fn new(config: &Config, logins: &[Login]) -> Result<Self, ConfigError> {
        let (mut common, mut confidential) = (HeaderMap::new(), HeaderMap::new());
        for header in &config.header {
            let Header { name, value } = header;
            let bad = |problem: &str| ConfigError { option: "header", problem: problem.to_owned() };
            if name.eq_ignore_ascii_case("proxy-authorization") {
                return Err(bad("credentials for a proxy belong into the URL of --proxy"));
            }
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("a name is no header name"))?;
            let value = secret(value).ok_or_else(|| bad(&format!("`{key}` has a value no header can hold")))?;
            if header.is_confidential() { &mut confidential } else { &mut common }.append(key, value);
        }
        let mut by_host = HashMap::new();
        for Login { host, authorization } in logins {
            if by_host.entry(host.clone()).or_insert(authorization.clone()) != authorization {
                tracing::warn!("seeds give several credentials for {host}: the first are sent");
            }
        }
        let netrc = config.netrc.as_deref().map(Netrc::read).transpose()?.unwrap_or_default();
        Ok(Self { common, confidential, logins: by_host, netrc })
    }

    /// The headers of a request to a host that a seed names, or does not. What was given as a header goes before what
    /// stands in a seed, and that before the netrc file.
    pub(super) fn of_request(&self, url: &CanonicalUrl, seed_host: bool) -> HeaderMap {
        let mut headers = self.common.clone();
        if !seed_host {
            return headers;
        }
        // A name is in one of the two.
        headers.extend(self.confidential.clone());
        if !headers.contains_key(AUTHORIZATION) {
            let of_seed = self.logins.get(url.host_str()).and_then(secret);
            let of_netrc = || secret(&self.netrc.authorization(url.url().host_str()?)?);
            headers.extend(of_seed.or_else(of_netrc).map(|value| (AUTHORIZATION, value)));
        }
        headers
    }
}

/// The value of a header, which is not shown.
pub(super) fn secret(value: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value.expose()).ok()?;
    value.set_sensitive(true);
    Some(value)
}
