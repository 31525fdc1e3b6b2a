//! How connections are made: directly or through a proxy, with TLS where the URL asks for it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Uri, header};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower::Service;
use url::Url;

use super::gate::Gate;
use super::guard::Resolver;
use super::proxy::resolves_names;
use super::stream::Stream;
use crate::config::basic;

/// How often a silent connection is probed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const KEEP_ALIVE_PROBES: u32 = 3;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;
/// A connection to a server or to a proxy, which may be spoken to by TLS.
type Dialled = MaybeHttpsStream<TokioIo<TcpStream>>;
type Secured = MaybeHttpsStream<Dialled>;

/// Sends requests, which have no bodies.
pub(super) type Client = legacy::Client<Connector, Empty<Bytes>>;

/// Makes connections whose responses are read leniently, without HTTP/2.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    dial: HttpsConnector<Dial>,
    /// The proxy is asked for `http` URLs.
    relays: bool,
    timeout: Duration,
    gate: Arc<Gate>,
}

impl Connector {
    pub(super) fn new(
        tls: &Arc<ClientConfig>,
        resolver: Resolver,
        proxy: Option<Proxy>,
        timeout: Duration,
        gate: &Arc<Gate>,
    ) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(resolver.clone());
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEP_ALIVE));
        tcp.set_keepalive_interval(Some(KEEP_ALIVE));
        tcp.set_keepalive_retries(Some(KEEP_ALIVE_PROBES));
        let relays = proxy.as_ref().is_some_and(|proxy| matches!(proxy.kind, Kind::Http(_)));
        let dial = Dial { relay: HttpsConnector::from((tcp.clone(), Arc::clone(tls))), tcp, resolver, proxy };
        Self { dial: HttpsConnector::from((dial, Arc::clone(tls))), relays, timeout, gate: Arc::clone(gate) }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream<TokioIo<Secured>>>;
    type Error = Error;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.dial.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let is_relayed = self.relays && uri.scheme() == Some(&Scheme::HTTP);
        let (connecting, gate) = (tokio::time::timeout(self.timeout, self.dial.call(uri)), Arc::clone(&self.gate));
        Box::pin(async move {
            let connection = connecting.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            Ok(TokioIo::new(Stream::new(TokioIo::new(gate.pass(connection)?), is_relayed)))
        })
    }
}

/// A proxy on the way. What it is told is secret, so it has no `Debug`.
#[derive(Clone)]
pub(super) struct Proxy {
    uri: Uri,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    /// It is asked for `http` URLs, and for a tunnel (RFC 9110, section 9.3.6) to others.
    Http(HeaderMap),
    /// Name and password (RFC 1929), and whether it is told names.
    Socks(Option<(String, String)>, bool),
}

impl Proxy {
    /// None if its name cannot stand in a request.
    pub(super) fn new(url: &Url, user_agent: &HeaderValue) -> Option<Self> {
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let uri = format!("{}://{}{port}", url.scheme(), url.host_str()?).parse().ok()?;
        let decoded = |text: &str| percent_decode_str(text).collect::<Vec<_>>();
        let (name, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
        let has_login = !url.username().is_empty() || url.password().is_some();
        let kind = if url.scheme().starts_with("socks") {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            Kind::Socks(has_login.then(|| (text(&name), text(&password))), resolves_names(url))
        } else {
            let mut headers = HeaderMap::from_iter([(header::USER_AGENT, user_agent.clone())]);
            if has_login {
                headers.insert(header::PROXY_AUTHORIZATION, super::credentials::secret(&basic(&name, &password))?);
            }
            Kind::Http(headers)
        };
        Some(Self { uri, kind })
    }

    /// What it is to be told with each request for an `http` URL.
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        match &self.kind {
            Kind::Http(headers) => headers.get(header::PROXY_AUTHORIZATION),
            Kind::Socks(..) => None,
        }
    }
}

/// Connects to a server, or to a proxy so that what follows reaches the server.
#[derive(Clone)]
struct Dial {
    tcp: HttpConnector<Resolver>,
    /// To proxies over HTTP, with TLS or without.
    relay: HttpsConnector<HttpConnector<Resolver>>,
    resolver: Resolver,
    proxy: Option<Proxy>,
}

impl Dial {
    async fn connect(mut self, uri: Uri) -> Result<Dialled, Error> {
        let Some(Proxy { uri: proxy, kind }) = self.proxy else { return Ok(self.tcp.call(uri).await?.into()) };
        match kind {
            Kind::Http(headers) if uri.scheme() == Some(&Scheme::HTTPS) => {
                Ok(Tunnel::new(proxy, self.relay).with_headers(headers).call(uri).await?)
            }
            Kind::Http(_) => self.relay.call(proxy).await,
            Kind::Socks(login, is_told_names) => {
                let host = uri.host().ok_or("the URL has no host")?;
                let host = if is_told_names { host.to_owned() } else { self.resolver.resolve_one(host).await? };
                let port = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
                let to = format!("socks5://{host}:{}", uri.port_u16().unwrap_or(port)).parse()?;
                let socks = SocksV5::new(proxy, self.tcp);
                let mut socks = match login {
                    Some((name, password)) => socks.with_auth(name, password),
                    None => socks,
                };
                Ok(socks.call(to).await?.into())
            }
        }
    }
}

impl Service<Uri> for Dial {
    type Response = Dialled;
    type Error = Error;
    type Future = Connecting<Dialled>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}
