//! A second reader for hosts whose answers the HTTP library refuses: they are asked again, and what they send is brought
//! into good form on its way.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use http::header::{PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use lru::LruCache;
use rustls::ClientConfig;

use super::classify::classify;
use super::connector::{Client, Connector};
use super::gate::Gate;
use super::guard::Resolver;
use super::request::FetchError;
use super::route::Way;
use crate::canonical::{CanonicalUrl, Host};
use crate::parse::message::MAX_FIELDS;
use crate::visit::FailureKind;

/// Hosts remembered.
const HOSTS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

pub(super) struct Lenient {
    tls: Arc<ClientConfig>,
    user_agent: HeaderValue,
    connect_timeout: Duration,
    gate: Arc<Gate>,
    // A std mutex: held for microseconds, and never across an await.
    hosts: Mutex<LruCache<Host, (), RandomState>>,
}

impl Lenient {
    pub(super) fn new(
        tls: &ClientConfig,
        user_agent: &HeaderValue,
        connect_timeout: Duration,
        gate: Arc<Gate>,
    ) -> Self {
        // HTTP/2 leaves nothing to be read one way or the other.
        let mut tls = tls.clone();
        tls.alpn_protocols.clear();
        let hosts = Mutex::new(LruCache::with_hasher(HOSTS, RandomState::default()));
        Self { tls: Arc::new(tls), user_agent: user_agent.clone(), connect_timeout, gate, hosts }
    }

    /// Whether the answers of a host are read here.
    pub(super) fn reads(&self, host: &Host) -> bool {
        let mut hosts = self.hosts();
        !hosts.is_empty() && hosts.get(host).is_some()
    }

    /// Reads the answers of a host from now on.
    pub(super) fn take_over(&self, host: Host) {
        self.hosts().put(host, ());
    }

    fn hosts(&self) -> MutexGuard<'_, LruCache<Host, (), RandomState>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a URL over a connection of its own: after an answer that is not as it should be, none can be trusted.
    pub(super) async fn ask(
        &self,
        method: http::Method,
        way: &Way<'_>,
        url: &CanonicalUrl,
        headers: HeaderMap,
    ) -> Result<reqwest::Response, FetchError> {
        let unusable = |e: &dyn std::error::Error| FetchError::failed(FailureKind::Protocol, e.to_string());
        let mut request = http::Request::builder()
            .method(method)
            .uri(url.as_str())
            .body(Empty::<Bytes>::new())
            .map_err(|e| unusable(&e))?;
        *request.headers_mut() = headers;
        request.headers_mut().entry(USER_AGENT).or_insert_with(|| self.user_agent.clone());
        let proxy = way.proxy.map(|proxy| &proxy.lenient);
        if let Some(value) = proxy.filter(|_| url.url().scheme() == "http").and_then(|proxy| proxy.authorization()) {
            request.headers_mut().insert(PROXY_AUTHORIZATION, value.clone());
        }
        let resolver = Resolver(way.guard.cloned());
        let connector = Connector::new(&self.tls, resolver, proxy.cloned(), self.connect_timeout, &self.gate);
        let client: Client = legacy::Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .http1_max_headers(MAX_FIELDS)
            .build(connector);
        let response = client.request(request).await.map_err(|e| classify(&e))?;
        Ok(response.map(reqwest::Body::wrap).into())
    }
}
