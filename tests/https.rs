//! Hosts with a certificate that is trusted: pages over TLS, by HTTP/2 where the host speaks it and by HTTP/1.1 where not.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::convert::Infallible;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use common::{Bench, stderr};
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A certificate for localhost and 127.0.0.1 that vouches for itself, and its key.
const IDENTITY: &str = "tests/common/localhost.pem";

/// The version, path and cookies of each request.
type Log = Arc<Mutex<Vec<String>>>;

/// Answers over TLS by one protocol; the port, and what was asked for.
async fn server(protocol: &'static str) -> (u16, Log) {
    let identity = Path::new(env!("CARGO_MANIFEST_DIR")).join(IDENTITY);
    let certificate = CertificateDer::from_pem_file(&identity).unwrap();
    serve(protocol, certificate, PrivateKeyDer::from_pem_file(&identity).unwrap()).await
}

async fn serve(
    protocol: &'static str,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> (u16, Log) {
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = builder.with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![protocol.into()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (port, log) = (listener.local_addr().unwrap().port(), Log::default());
    let requests = Arc::clone(&log);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, requests) = (acceptor.clone(), Arc::clone(&requests));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let answer = service_fn(move |request| answer(request, Arc::clone(&requests)));
                // That the crawler hangs up is no failure.
                let _ = match protocol {
                    "h2" => {
                        http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await
                    }
                    _ => http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await,
                };
            });
        }
    });
    (port, log)
}

async fn answer(request: Request<Incoming>, log: Log) -> Result<Response<String>, Infallible> {
    let cookies = request.headers().get(COOKIE).map_or("", |line| line.to_str().unwrap());
    let path = request.uri().path();
    log.lock().unwrap().push(format!("{:?} {path} {cookies}", request.version()));
    let (status, body) = match path {
        "/" => (200, "<title>first</title><a href=/next>next</a>"),
        "/next" => (200, "<title>next</title>"),
        _ => (404, ""),
    };
    let answer = Response::builder().status(status).header(CONTENT_TYPE, "text/html");
    Ok(answer.header(SET_COOKIE, "__Host-a=1; Secure; Path=/").body(body.to_owned()).unwrap())
}

async fn crawl(bench: &Bench, url: &str, trusts: bool) -> Output {
    let identity = Path::new(env!("CARGO_MANIFEST_DIR")).join(IDENTITY);
    crawl_trusting(bench, url, trusts.then_some(&*identity)).await
}

async fn crawl_trusting(bench: &Bench, url: &str, identity: Option<&Path>) -> Output {
    let mut command = bench.command(&["crawl", url, "--rate", "0", "--retries", "0", "--timeout", "20s"]);
    if let Some(identity) = identity {
        command.env("SSL_CERT_FILE", identity).env_remove("SSL_CERT_DIR");
    }
    command.stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_with_a_trusted_certificate_is_crawled_by_the_protocol_that_it_speaks() {
    for (protocol, version) in [("h2", "HTTP/2.0"), ("http/1.1", "HTTP/1.1")] {
        let (port, log) = server(protocol).await;
        let bench = Bench::new();
        let site = format!("https://localhost:{port}");
        let output = crawl(&bench, &format!("{site}/"), true).await;
        assert_eq!(output.status.code(), Some(0), "{protocol}: {}", stderr(&output));
        let pages =
            bench.rows(&format!("select replace(url, '{site}', ''), status, title from pages order by url")).await;
        assert_eq!(pages, ["/|200|first", "/next|200|next"], "{protocol}");
        let asked = log.lock().unwrap().clone();
        let expected = ["/robots.txt ", "/ __Host-a=1", "/next __Host-a=1"].map(|rest| format!("{version} {rest}"));
        assert_eq!(asked, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_certificate_nobody_vouches_for_is_sent_nothing() {
    let (port, log) = server("h2").await;
    let bench = Bench::new();
    let output = crawl(&bench, &format!("https://localhost:{port}/"), false).await;
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("certificate"), "{}", stderr(&output));
    assert!(log.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn when_certificates_expire_is_stored_and_the_audit_warns_in_time() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let now = SystemTime::now();
    for (expires_at, code, finding) in [
        (now - 2 * DAY, 3, Some("certificate-expired")),
        (now + 20 * DAY, 0, Some("certificate-expiring")),
        (now + 40 * DAY, 0, None),
    ] {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = expires_at.into();
        let certificate = params.self_signed(&key).unwrap();
        let bench = Bench::new();
        let identity = bench.path("identity.pem");
        std::fs::write(&identity, certificate.pem()).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let (port, _) = serve("h2", certificate.der().clone(), key).await;
        let site = format!("https://localhost:{port}");
        let output = crawl_trusting(&bench, &format!("{site}/"), Some(&identity)).await;
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        let stored = bench.rows("select certificate_expires_at from hosts").await;
        let expected = humantime::format_rfc3339_seconds(expires_at).to_string().replace('Z', ".000Z");
        assert_eq!(stored, [expected]);
        assert_eq!(bench.run(&["audit"]).await.status.code(), Some(0));
        let found = bench.rows("select finding, url from findings where finding like 'certificate%'").await;
        assert_eq!(found, Vec::from_iter(finding.map(|finding| format!("{finding}|{site}/"))));
    }
}
