//! The ways to a host: directly or through a proxy, with the private addresses that a seed's licence opens or without.

use std::sync::Arc;

use http::HeaderValue;
use url::Url;

use super::connector::{Client, Proxy};
use super::guard::PublicOnly;
use super::proxy::{NoProxy, Proxies, resolves_names};
use crate::canonical::CanonicalUrl;
use crate::config::ConfigError;
use crate::scope::{AddressRules, is_local_name};

/// What a client is built with.
#[derive(Default)]
pub(super) struct Way<'a> {
    pub(super) guard: Option<PublicOnly>,
    pub(super) proxy: Option<&'a Proxy>,
}

/// A way to hosts. Two clients, so that no connection to a private address is ever shared with a host whose seed licence
/// does not cover it.
pub(super) struct Route {
    licensed: Client,
    guarded: Client,
    proxy: Option<Proxy>,
    /// The address of the proxy's name, which may be private, is that of no host.
    proxy_host: Option<String>,
    /// The proxy is told names.
    resolved_by_proxy: bool,
}

impl Route {
    fn direct(rules: &AddressRules, build: &Build<'_>) -> Self {
        let guard = Some(PublicOnly { rules: rules.clone(), exempt: None });
        let (licensed, guarded) = (build(&Way::default()), build(&Way { guard, proxy: None }));
        Self { licensed, guarded, proxy: None, proxy_host: None, resolved_by_proxy: false }
    }

    fn through(url: &Url, rules: &AddressRules, user_agent: &HeaderValue, build: &Build<'_>) -> Option<Self> {
        let proxy = Proxy::new(url, user_agent)?;
        let licensed = build(&Way { guard: None, proxy: Some(&proxy) });
        if resolves_names(url) {
            let guarded = licensed.clone();
            return Some(Self { licensed, guarded, proxy: Some(proxy), proxy_host: None, resolved_by_proxy: true });
        }
        let proxy_host = url.host_str().map(str::to_owned);
        let guard = Some(PublicOnly { rules: rules.clone(), exempt: proxy_host.clone() });
        let guarded = build(&Way { guard, proxy: Some(&proxy) });
        Some(Self { licensed, guarded, proxy: Some(proxy), proxy_host, resolved_by_proxy: false })
    }

    pub(super) fn is_direct(&self) -> bool {
        self.proxy.is_none()
    }

    /// What the proxy is to be told with a request for a URL.
    pub(super) fn authorization(&self, url: &Url) -> Option<&HeaderValue> {
        self.proxy.as_ref().filter(|_| url.scheme() == "http")?.authorization()
    }

    pub(super) fn client(&self, licensed: bool) -> &Client {
        if licensed { &self.licensed } else { &self.guarded }
    }

    /// Whether nobody here would see that the host of a URL is a private one.
    pub(super) fn hides(&self, url: &CanonicalUrl) -> bool {
        self.resolved_by_proxy && is_local_name(url)
            || self.proxy_host.is_some() && url.url().host_str() == self.proxy_host.as_deref()
    }
}

type Build<'a> = dyn Fn(&Way<'_>) -> Client + 'a;

/// The ways of a crawl.
pub(super) struct Routes {
    direct: Route,
    http: Option<Arc<Route>>,
    https: Option<Arc<Route>>,
    none_for: NoProxy,
}

impl Routes {
    /// Fails on a proxy whose name or password cannot stand in a request.
    pub(super) fn new(
        proxies: Proxies,
        rules: &AddressRules,
        user_agent: &HeaderValue,
        build: &Build<'_>,
    ) -> Result<Self, ConfigError> {
        let Proxies { http, https, none_for } = proxies;
        let through = |proxy: &Url| {
            let route = Route::through(proxy, rules, user_agent, build).map(Arc::new);
            route.ok_or_else(|| ConfigError { option: "proxy", problem: "cannot be asked for anything".to_owned() })
        };
        let by_http = http.as_ref().map(through).transpose()?;
        let by_https = if http == https { by_http.clone() } else { https.as_ref().map(through).transpose()? };
        Ok(Self { direct: Route::direct(rules, build), http: by_http, https: by_https, none_for })
    }

    /// The way to a URL.
    pub(super) fn of(&self, url: &Url) -> &Route {
        let proxied = if url.scheme() == "https" { &self.https } else { &self.http };
        proxied.as_deref().filter(|_| !self.none_for.lists(url)).unwrap_or(&self.direct)
    }
}
