//! The ways to a host: directly or through a proxy, with the private addresses that a seed's licence opens or without.

use std::sync::Arc;

use http::HeaderValue;
use url::Url;

use super::classify::chain;
use super::connector;
use super::guard::PublicOnly;
use super::proxy::{NoProxy, Proxies, resolves_names};
use crate::canonical::CanonicalUrl;
use crate::config::ConfigError;
use crate::scope::{AddressRules, is_local_name};

/// What a client is built with.
#[derive(Default)]
pub(super) struct Way<'a> {
    pub(super) guard: Option<&'a Arc<PublicOnly>>,
    pub(super) proxy: Option<&'a Proxy>,
}

/// A proxy, for requests and for those whose answers are read leniently.
pub(super) struct Proxy {
    pub(super) strict: reqwest::Proxy,
    pub(super) lenient: connector::Proxy,
}

/// A way to hosts.
pub(super) struct Route {
    /// Keeps names from private addresses; none where a proxy resolves them.
    guard: Option<Arc<PublicOnly>>,
    proxy: Option<Proxy>,
    /// The address of the proxy's name, which may be private, is that of no host.
    proxy_host: Option<String>,
    /// The proxy is told names.
    resolved_by_proxy: bool,
    pub(super) is_direct: bool,
}

impl Route {
    fn direct(rules: &AddressRules) -> Self {
        let guard = Some(Arc::new(PublicOnly { rules: rules.clone(), exempt: None }));
        Self { guard, proxy: None, proxy_host: None, resolved_by_proxy: false, is_direct: true }
    }

    fn through(url: &Url, rules: &AddressRules, user_agent: &HeaderValue) -> Result<Self, ConfigError> {
        let problem = |problem| ConfigError { option: "proxy", problem };
        let strict = reqwest::Proxy::all(url.clone()).map_err(|e| problem(chain(&e)))?;
        let lenient = connector::Proxy::new(url, user_agent).ok_or_else(|| problem("cannot be used".to_owned()))?;
        let proxy = Some(Proxy { strict, lenient });
        let resolved_by_proxy = resolves_names(url);
        let proxy_host = url.host_str().map(str::to_owned).filter(|_| !resolved_by_proxy);
        let guard = PublicOnly { rules: rules.clone(), exempt: proxy_host.clone() };
        let guard = (!resolved_by_proxy).then(|| Arc::new(guard));
        Ok(Self { guard, proxy, proxy_host, resolved_by_proxy, is_direct: false })
    }

    /// The way to hosts whose private addresses a seed opens, or to others.
    pub(super) fn way(&self, opened: bool) -> Way<'_> {
        Way { guard: self.guard.as_ref().filter(|_| !opened), proxy: self.proxy.as_ref() }
    }

    /// Whether nobody here would see that the host of a URL is a private one.
    pub(super) fn hides(&self, url: &CanonicalUrl) -> bool {
        self.resolved_by_proxy && is_local_name(url)
            || self.proxy_host.is_some() && url.url().host_str() == self.proxy_host.as_deref()
    }
}

/// The ways of a crawl.
pub(super) struct Routes {
    direct: Route,
    http: Option<Arc<Route>>,
    https: Option<Arc<Route>>,
    none_for: NoProxy,
}

impl Routes {
    pub(super) fn new(proxies: Proxies, rules: &AddressRules, user_agent: &HeaderValue) -> Result<Self, ConfigError> {
        let Proxies { http, https, none_for } = proxies;
        let through = |proxy: &Url| Route::through(proxy, rules, user_agent).map(Arc::new);
        let by_http = http.as_ref().map(through).transpose()?;
        let by_https = if http == https { by_http.clone() } else { https.as_ref().map(through).transpose()? };
        Ok(Self { direct: Route::direct(rules), http: by_http, https: by_https, none_for })
    }

    /// The way to a URL.
    pub(super) fn of(&self, url: &Url) -> &Route {
        let proxied = if url.scheme() == "https" { &self.https } else { &self.http };
        proxied.as_deref().filter(|_| !self.none_for.lists(url)).unwrap_or(&self.direct)
    }
}
