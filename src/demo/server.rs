//! One host of a web: what it answers, and what it was asked.

use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Connections the kernel holds for a server that has not accepted them yet.
const BACKLOG: u32 = 4096;

/// The rest after a failed accept, which is mostly a want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// One answer a host gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status; one that HTTP has no room for is sent as 500.
    pub status: u16,
    /// Names and values, in the order sent; those HTTP does not allow are left out. Date and Content-Length are added.
    pub headers: Vec<(String, String)>,
    /// The body, as sent.
    pub body: Vec<u8>,
    /// How long the host waits before the status line. `Duration::MAX` is for ever: the request hangs.
    pub delay: Duration,
}

impl Reply {
    /// 200 with an HTML page in UTF-8.
    pub fn html(body: impl Into<String>) -> Self {
        Self::of_type("text/html; charset=utf-8", body.into().into_bytes())
    }

    /// 200 with plain text in UTF-8.
    pub fn text(body: impl Into<String>) -> Self {
        Self::of_type("text/plain; charset=utf-8", body.into().into_bytes())
    }

    /// A bare status: no Content-Type, an empty body.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), delay: Duration::ZERO }
    }

    /// A redirect: `to` goes into Location as it is; the body is empty.
    pub fn redirect(status: u16, to: &str) -> Self {
        Self::status(status).with_header("location", to)
    }

    /// The same answer with one more header. A Content-Type replaces the one there; any other name may repeat.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("content-type") {
            self.headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        }
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same answer after `delay`, which replaces an earlier delay. `Duration::MAX` never answers.
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    pub(super) fn of_type(content_type: &str, body: Vec<u8>) -> Self {
        Self { body, ..Self::status(200) }.with_header("content-type", content_type)
    }

    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_bytes(value.as_bytes());
            if let (Ok(name), Ok(value)) = (name, value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// A served request, for the server's own log.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The method, such as GET.
    pub method: String,
    /// Path and query, as sent.
    pub path: String,
    /// When the head of the request had been read.
    pub at: Instant,
    /// The headers of the request: names in lower case, values with U+FFFD for what is not UTF-8.
    pub headers: Vec<(String, String)>,
}

impl Hit {
    fn of(request: &Request<Incoming>) -> Self {
        let at = Instant::now();
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
        Self { method: request.method().to_string(), path, at, headers: headers.collect() }
    }

    /// The first value of a header, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(present, _)| present.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What the tasks of one server share.
pub(super) struct Host {
    handler: Box<dyn Fn(&Hit) -> Reply + Send + Sync>,
    log: Option<Mutex<Vec<Hit>>>,
    served: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

impl Host {
    pub(super) fn new(handler: impl Fn(&Hit) -> Reply + Send + Sync + 'static, logged: bool) -> Arc<Self> {
        Arc::new(Self {
            handler: Box::new(handler),
            log: logged.then(Mutex::default),
            served: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
        })
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let _busy = Busy::begin(self);
        let hit = Hit::of(&request);
        let reply = (self.handler)(&hit);
        if let Some(log) = &self.log {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(hit);
        }
        self.served.fetch_add(1, Ordering::Relaxed);
        match reply.delay {
            Duration::ZERO => {}
            Duration::MAX => pending().await,
            delay => tokio::time::sleep(delay).await,
        }
        Ok(reply.into_response())
    }
}

/// A request being answered; dropped with it, also when the client goes away.
struct Busy<'a>(&'a Host);

impl<'a> Busy<'a> {
    fn begin(host: &'a Host) -> Self {
        let now = host.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        host.most_in_flight.fetch_max(now, Ordering::Relaxed);
        Self(host)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One host of a web: an HTTP/1.1 server with keep-alive. It and its connections stop when it is dropped.
pub struct Server {
    address: SocketAddr,
    host: Arc<Host>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Serves on a free port of 127.0.0.1. The handler gets path and query.
    pub async fn start(handler: impl Fn(&str) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        Self::bind(any_port(), handler).await
    }

    /// As `start`, on an address of the caller's choice; port 0 is any free one.
    pub async fn bind(
        address: SocketAddr,
        handler: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::serve(listen(address)?, Host::new(move |hit| handler(&hit.path), true))
    }

    /// As `start`, with a handler that also sees the time and the headers of the request.
    pub async fn start_with_request(handler: impl Fn(&Hit) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        Self::serve(listen(any_port())?, Host::new(handler, true))
    }

    /// As `start`, but keeps no log: `hits` stays empty, the counts go on. For a web too large to remember.
    pub async fn without_log(handler: impl Fn(&str) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        Self::serve(listen(any_port())?, Host::new(move |hit| handler(&hit.path), false))
    }

    /// As `start_with_request`, but keeps no log.
    pub async fn without_log_with_request(handler: impl Fn(&Hit) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        Self::serve(listen(any_port())?, Host::new(handler, false))
    }

    pub(super) fn serve(listener: TcpListener, host: Arc<Host>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, Arc::clone(&host)));
        Ok(Self { address, host, accepting })
    }

    /// The absolute URL of a path, which begins with a slash: `http://127.0.0.1:PORT/path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests so far, in the order in which their handler ran; empty without a log.
    pub fn hits(&self) -> Vec<Hit> {
        let log = self.host.log.as_ref();
        log.map_or_else(Vec::new, |log| log.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// How many requests have come in, also without a log.
    pub fn hit_count(&self) -> usize {
        self.host.served.load(Ordering::Relaxed)
    }

    /// The highest number of requests that were being answered at once, delays included.
    pub fn most_in_flight(&self) -> usize {
        self.host.most_in_flight.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("hits", &self.hit_count())
            .finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

pub(super) fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Takes connections until it is aborted; its connections live in the set and end with it.
async fn accept(listener: TcpListener, host: Arc<Host>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => drop(connections.spawn(talk(stream, Arc::clone(&host)))),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Serves one connection to its end. A client that breaks it off, or a socket without NODELAY, is no matter here.
async fn talk(stream: TcpStream, host: Arc<Host>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| host.answer(request));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
