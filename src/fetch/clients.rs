//! An HTTP client for each host that is asked: so the idle connections of one host can be let go, and those of all hosts
//! stay below a bound. A client is made in a few microseconds, since all share what is slow to make.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use http::HeaderValue;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use lru::LruCache;

use super::connector::{Client, Connector, Tls};
use super::descriptors::Connections;
use super::guard::Resolver;
use super::proxy::Proxies;
use super::route::{Route, Routes, Way};
use crate::canonical::{CanonicalUrl, Host};
use crate::config::{Config, ConfigError};
use crate::parse::message::MAX_FIELDS;
use crate::scope::AddressRules;

/// Bytes of HTTP/2 response headers accepted.
const MAX_HEADER_BYTES: u32 = 256 << 10;
/// Kept-alive connections without a request, for each host.
const IDLE_PER_HOST: usize = 64;
/// How long a connection is kept for the next request: a host at its pace needs it at once.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// A host, and whether a seed opens its private addresses: no connection to one is ever shared with a request that its
/// licence does not cover.
type Key = (Host, bool);

/// Makes the clients, and keeps those of the hosts that were asked last.
pub(super) struct Clients {
    routes: Routes,
    pub(super) user_agent: HeaderValue,
    connect_timeout: Duration,
    /// Kept-alive connections to one host, at most.
    pub(super) idle_per_host: usize,
    tls: Tls,
    // A std mutex: held for microseconds, and never across an await.
    kept: Mutex<LruCache<Key, Client, RandomState>>,
}

impl Clients {
    /// Fails on a proxy or a user agent that cannot be used.
    pub(super) fn new(config: &Config, proxies: Proxies, rules: &AddressRules) -> Result<Self, ConfigError> {
        let idle = Connections::of(config).idle;
        let idle_per_host = config.max_connections_per_host.min(IDLE_PER_HOST).min(idle);
        let hosts = NonZeroUsize::new(idle / idle_per_host.max(1)).unwrap_or(NonZeroUsize::MIN);
        let user_agent = HeaderValue::from_str(&config.user_agent)
            .map_err(|e| ConfigError { option: "user-agent", problem: e.to_string() })?;
        Ok(Self {
            routes: Routes::new(proxies, rules, &user_agent)?,
            user_agent,
            connect_timeout: config.connect_timeout,
            idle_per_host,
            tls: Tls::new().map_err(|e| ConfigError { option: "tls", problem: e.to_string() })?,
            kept: Mutex::new(LruCache::with_hasher(hosts, RandomState::default())),
        })
    }

    pub(super) fn route(&self, url: &CanonicalUrl) -> &Route {
        self.routes.of(url.url())
    }

    /// The client for a URL, with the private addresses that a seed opens or without.
    pub(super) fn of(&self, url: &CanonicalUrl, opened: bool) -> Client {
        let key = (url.host(), opened);
        let mut kept = self.kept();
        if let Some(client) = kept.get(&key) {
            return client.clone();
        }
        let client = self.build(&self.route(url).way(opened));
        kept.push(key, client.clone());
        client
    }

    /// Closes the idle connections of a host.
    pub(super) fn leave(&self, host: &Host) {
        let mut kept = self.kept();
        for opened in [false, true] {
            kept.pop(&(host.clone(), opened));
        }
    }

    /// Closes the idle connections of all hosts.
    pub(super) fn leave_all(&self) {
        self.kept().clear();
    }

    fn kept(&self) -> MutexGuard<'_, LruCache<Key, Client, RandomState>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn build(&self, way: &Way<'_>) -> Client {
        let resolver = Resolver(way.guard.cloned());
        let connector = Connector::new(&self.tls, resolver, way.proxy.cloned(), self.connect_timeout);
        legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(self.idle_per_host)
            .http1_max_headers(MAX_FIELDS)
            .http2_max_header_list_size(MAX_HEADER_BYTES)
            .build(connector)
    }
}
