//! `--metrics`: serves the crawl's figures to a monitoring system, and whether the crawl is alive.
//!
//! A slow client must not hold up the crawl or other clients: few connections at once, one request each, and a time limit.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use super::figures::Metrics;
use crate::engine::Progress;
use crate::visit::Lease;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::console::Console;
use super::failure::Failure;

/// Connections at once; others wait until one of these has ended.
const MAX_CONNECTIONS: usize = 16;
/// The longest a connection may take in all.
const MAX_TIME: Duration = Duration::from_secs(5);
/// Bytes of a request's head.
const MAX_HEAD: usize = 16 << 10;
/// The pause after a failed accept, which mostly fails for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// A writer that is silent for longer is stuck: a commit alone may wait half a minute for a lock of the database.
const MAX_SILENCE: Duration = Duration::from_secs(60);
/// OpenMetrics 1.0, section "Protocol Negotiation".
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Listens at the address, so that one that cannot be used is reported before the crawl begins.
pub async fn bind(address: SocketAddr, console: &Console) -> Result<TcpListener, Failure> {
    let refuse = |e| Failure::new(format!("--metrics: cannot listen on {address}")).cause(&e);
    let listener = TcpListener::bind(address).await.map_err(refuse)?;
    let taken = listener.local_addr().map_err(refuse)?;
    console.say(&format!("Metrics at http://{taken}/metrics"));
    Ok(listener)
}

/// What is served.
struct Figures {
    registry: Registry,
    /// The lease of one of several nodes, and where its age is told.
    lease: Option<(Lease, Gauge<f64, AtomicU64>)>,
    /// When the writer was last heard of.
    heard: watch::Receiver<Instant>,
}

/// Serves until aborted. Of one of several nodes, all figures bear its name.
pub async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    progress: watch::Receiver<Progress>,
    node: Option<(String, Lease)>,
) {
    let name = node.iter().map(|(name, _)| ("node".into(), name.clone().into())).collect::<Vec<_>>();
    let mut registry = Registry::with_prefix_and_labels("harvestman", name.into_iter());
    let lease = node.map(|(_, lease)| (lease, Gauge::default()));
    if let Some((_, age)) = &lease {
        metrics.register_node(&mut registry, age.clone());
    }
    registry.register("build", "The program", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
    metrics.register(&mut registry);
    let (hear, heard) = watch::channel(Instant::now());
    let figures = Arc::new(Figures { registry, lease, heard });
    tokio::join!(listen(progress, hear), accept(listener, figures));
}

/// Notes each time the writer publishes progress, which it does several times a second, also without work.
async fn listen(mut progress: watch::Receiver<Progress>, hear: watch::Sender<Instant>) {
    while progress.changed().await.is_ok() {
        hear.send_replace(Instant::now());
    }
}

async fn accept(listener: TcpListener, figures: Arc<Figures>) {
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    while let Ok(permit) = free.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let figures = figures.clone();
                tokio::spawn(async move {
                    // An error or the time limit ends this connection; nothing else depends on it.
                    let _ = tokio::time::timeout(MAX_TIME, converse(stream, &figures)).await;
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn converse(stream: TcpStream, figures: &Figures) -> hyper::Result<()> {
    let answer = service_fn(|request| async move { Ok::<_, Infallible>(answer(&request, figures)) });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).keep_alive(false).max_buf_size(MAX_HEAD);
    server.serve_connection(TokioIo::new(stream), answer).await
}

fn answer<B>(request: &Request<B>, figures: &Figures) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = reply(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n".into());
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    match request.uri().path() {
        "/metrics" => {
            if let Some((lease, age)) = &figures.lease {
                age.set(lease.age().as_secs_f64());
            }
            let mut text = String::new();
            match encode(&mut text, &figures.registry) {
                Ok(()) => reply(StatusCode::OK, OPENMETRICS, text),
                Err(e) => reply(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{e}\n")),
            }
        }
        "/healthz" => health(figures.heard.borrow().elapsed()),
        _ => reply(StatusCode::NOT_FOUND, TEXT, "here are /metrics and /healthz\n".into()),
    }
}

fn health(silence: Duration) -> Response<Full<Bytes>> {
    if silence <= MAX_SILENCE {
        return reply(StatusCode::OK, TEXT, "ok\n".into());
    }
    let text = format!("nothing could be committed for {} s\n", silence.as_secs());
    reply(StatusCode::SERVICE_UNAVAILABLE, TEXT, text)
}

fn reply(status: StatusCode, content_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_is_silent_for_too_long_is_no_healthy_one() {
        assert_eq!(health(Duration::from_secs(40)).status(), StatusCode::OK);
        assert_eq!(health(Duration::from_secs(70)).status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
