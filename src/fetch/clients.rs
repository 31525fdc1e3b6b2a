//! An HTTP client for each host that is asked: so the idle connections of one host can be let go, and those of all hosts
//! stay below a bound. A client is made in a few microseconds, since all share what is slow to make.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use http::{HeaderMap, HeaderValue};
use lru::LruCache;
use rustls::ClientConfig;
use tower::BoxError;
use tower::util::MapResultLayer;

use super::certificates::Certificates;
use super::classify::chain;
use super::connection::History;
use super::descriptors::Connections;
use super::gate::Gate;
use super::guard::Resolver;
use super::lenient::Lenient;
use super::proxy::Proxies;
use super::request::FetchError;
use super::route::{Route, Routes, Way};
use super::tls;
use crate::canonical::{CanonicalUrl, Host};
use crate::config::{Config, ConfigError};
use crate::scope::AddressRules;
use crate::visit::FailureKind;

/// Response header fields accepted; more is a failure `protocol`.
const MAX_HEADERS: usize = 256;
/// Bytes of HTTP/2 response headers accepted.
const MAX_HEADER_BYTES: u32 = 256 << 10;
/// Kept-alive connections without a request, for each host.
const IDLE_PER_HOST: usize = 64;
/// Silence that ends a request, where its whole time limit is longer.
const MAX_SILENCE: Duration = Duration::from_secs(30);
/// How long a connection is kept for the next request: a host at its pace needs it at once.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// A host, and whether a seed opens its private addresses: no connection to one is ever shared with a request that its
/// licence does not cover.
type Key = (Host, bool);

/// Makes the clients, and keeps those of the hosts that were asked last.
pub(super) struct Clients {
    routes: Routes,
    pub(super) lenient: Lenient,
    user_agent: HeaderValue,
    connect_timeout: Duration,
    silence: Duration,
    /// Kept-alive connections to one host, at most.
    pub(super) idle_per_host: usize,
    tls: ClientConfig,
    pub(super) certificates: Arc<Certificates>,
    pub(super) history: Arc<History>,
    pub(super) gate: Arc<Gate>,
    // A std mutex: held for microseconds, and never across an await.
    kept: Mutex<LruCache<Key, reqwest::Client, RandomState>>,
}

impl Clients {
    /// Fails on a proxy or a user agent that cannot be used.
    pub(super) fn new(config: &Config, proxies: Proxies, rules: &AddressRules) -> Result<Self, ConfigError> {
        let idle = Connections::of(config).idle;
        let idle_per_host = config.max_connections_per_host.min(IDLE_PER_HOST).min(idle);
        let hosts = NonZeroUsize::new(idle / idle_per_host.max(1)).unwrap_or(NonZeroUsize::MIN);
        let user_agent = HeaderValue::from_str(&config.user_agent)
            .map_err(|e| ConfigError { option: "user-agent", problem: e.to_string() })?;
        let certificates = Arc::default();
        let (tls, gate) = (tls::client_config(&certificates)?, Arc::<Gate>::default());
        let clients = Self {
            routes: Routes::new(proxies, rules, &user_agent)?,
            lenient: Lenient::new(&tls, &user_agent, config.connect_timeout, Arc::clone(&gate)),
            user_agent,
            connect_timeout: config.connect_timeout,
            silence: config.timeout.min(MAX_SILENCE),
            idle_per_host,
            tls,
            certificates,
            history: Arc::default(),
            gate,
            kept: Mutex::new(LruCache::with_hasher(hosts, RandomState::default())),
        };
        let problem = |e: reqwest::Error| ConfigError { option: "user-agent", problem: chain(&e) };
        clients.build(&Way::default()).map_err(problem)?;
        Ok(clients)
    }

    pub(super) fn route(&self, url: &CanonicalUrl) -> &Route {
        self.routes.of(url.url())
    }

    /// The client for a URL, with the private addresses that a seed opens or without.
    pub(super) fn of(&self, url: &CanonicalUrl, opened: bool) -> Result<reqwest::Client, FetchError> {
        let key = (url.host(), opened);
        let mut kept = self.kept();
        if let Some(client) = kept.get(&key) {
            return Ok(client.clone());
        }
        let client = self.build(&self.route(url).way(opened));
        let client = client.map_err(|e| FetchError::failed(FailureKind::Protocol, chain(&e)))?;
        kept.push(key, client.clone());
        Ok(client)
    }

    /// Asks for a URL whose host answers in a form that only a lenient reader reads.
    pub(super) async fn ask_leniently(
        &self,
        method: http::Method,
        url: &CanonicalUrl,
        opened: bool,
        headers: HeaderMap,
    ) -> Result<reqwest::Response, FetchError> {
        self.lenient.ask(method, &self.route(url).way(opened), url, headers).await
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

    fn kept(&self) -> MutexGuard<'_, LruCache<Key, reqwest::Client, RandomState>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn build(&self, way: &Way<'_>) -> reqwest::Result<reqwest::Client> {
        let (history, gate) = (Arc::clone(&self.history), Arc::clone(&self.gate));
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(self.user_agent.clone())
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.silence)
            .http1_max_headers(MAX_HEADERS)
            // As browsers do: a line that is no header field is passed over, a folded one is one line.
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http2_max_header_list_size(MAX_HEADER_BYTES)
            .pool_max_idle_per_host(self.idle_per_host)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tls_backend_preconfigured(self.tls.clone())
            .connector_layer(MapResultLayer::new(move |made: Result<_, BoxError>| {
                Ok::<_, BoxError>(gate.pass(history.note_made(made?))?)
            }))
            .tcp_nodelay(true)
            .dns_resolver(Arc::new(Resolver(way.guard.cloned())))
            .no_proxy();
        if let Some(proxy) = way.proxy {
            builder = builder.proxy(proxy.strict.clone());
        }
        builder.build()
    }
}
