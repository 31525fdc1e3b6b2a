//! The ways to a host: directly or through a proxy, with the private addresses that a seed's licence opens or without.

use std::sync::Arc;

use url::Url;

use super::guard::PublicOnly;
use super::proxy::{NoProxy, Proxies, resolves_names};
use crate::canonical::CanonicalUrl;
use crate::config::ConfigError;
use crate::scope::{AddressRules, is_local_name};

/// What a client is built with.
#[derive(Default)]
pub(super) struct Way<'a> {
    pub(super) guard: Option<PublicOnly>,
    pub(super) proxy: Option<&'a Url>,
}

/// A way to hosts. Two clients, so that no connection to a private address is ever shared with a host whose seed licence
/// does not cover it.
pub(super) struct Route {
    licensed: reqwest::Client,
    guarded: reqwest::Client,
    /// The address of the proxy's name, which may be private, is that of no host.
    proxy_host: Option<String>,
    /// The proxy is told names.
    resolved_by_proxy: bool,
    pub(super) is_direct: bool,
}

impl Route {
    fn direct(rules: &AddressRules, build: &Build<'_>) -> Result<Self, ConfigError> {
        let guard = Some(PublicOnly { rules: rules.clone(), exempt: None });
        let (licensed, guarded) = (build(&Way::default())?, build(&Way { guard, proxy: None })?);
        Ok(Self { licensed, guarded, proxy_host: None, resolved_by_proxy: false, is_direct: true })
    }

    fn through(proxy: &Url, rules: &AddressRules, build: &Build<'_>) -> Result<Self, ConfigError> {
        let licensed = build(&Way { guard: None, proxy: Some(proxy) })?;
        if resolves_names(proxy) {
            let guarded = licensed.clone();
            return Ok(Self { licensed, guarded, proxy_host: None, resolved_by_proxy: true, is_direct: false });
        }
        let proxy_host = proxy.host_str().map(str::to_owned);
        let guard = Some(PublicOnly { rules: rules.clone(), exempt: proxy_host.clone() });
        let guarded = build(&Way { guard, proxy: Some(proxy) })?;
        Ok(Self { licensed, guarded, proxy_host, resolved_by_proxy: false, is_direct: false })
    }

    pub(super) fn client(&self, licensed: bool) -> &reqwest::Client {
        if licensed { &self.licensed } else { &self.guarded }
    }

    /// Whether nobody here would see that the host of a URL is a private one.
    pub(super) fn hides(&self, url: &CanonicalUrl) -> bool {
        self.resolved_by_proxy && is_local_name(url)
            || self.proxy_host.is_some() && url.url().host_str() == self.proxy_host.as_deref()
    }
}

type Build<'a> = dyn Fn(&Way<'_>) -> Result<reqwest::Client, ConfigError> + 'a;

/// The ways of a crawl.
pub(super) struct Routes {
    direct: Route,
    http: Option<Arc<Route>>,
    https: Option<Arc<Route>>,
    none_for: NoProxy,
}

impl Routes {
    pub(super) fn new(proxies: Proxies, rules: &AddressRules, build: &Build<'_>) -> Result<Self, ConfigError> {
        let Proxies { http, https, none_for } = proxies;
        let through = |proxy: &Url| Route::through(proxy, rules, build).map(Arc::new);
        let by_http = http.as_ref().map(through).transpose()?;
        let by_https = if http == https { by_http.clone() } else { https.as_ref().map(through).transpose()? };
        Ok(Self { direct: Route::direct(rules, build)?, http: by_http, https: by_https, none_for })
    }

    /// The way to a URL.
    pub(super) fn of(&self, url: &Url) -> &Route {
        let proxied = if url.scheme() == "https" { &self.https } else { &self.http };
        proxied.as_deref().filter(|_| !self.none_for.lists(url)).unwrap_or(&self.direct)
    }
}
