//! What stands in for the internet where the documentation is tried: a proxy that answers for every host itself, by TLS with
//! a certificate that the commands are told to trust. So they are run as they are written, `https://example.com/` included.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Method, Request, Response, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::sites;

/// An answer: status, headers, body.
pub type Answer = (u16, Vec<(&'static str, String)>, String);

/// What is asked for.
pub struct Asked<'a> {
    pub host: &'a str,
    pub path: &'a str,
    pub cookie: &'a str,
    pub authorization: &'a str,
    /// Nights that have passed: requests for the page of news.
    pub night: usize,
}

#[derive(Clone)]
pub struct Web {
    pub port: u16,
    tls: TlsAcceptor,
    nights: Arc<AtomicUsize>,
}

impl Web {
    /// Answers on a free port; the certificate to trust is written to `trust`.
    pub async fn start(trust: &Path) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let web = Self { port: listener.local_addr().unwrap().port(), tls: identity(trust), nights: Arc::default() };
        let answering = web.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answering.clone().proxy(stream));
            }
        });
        web
    }

    async fn proxy(self, stream: TcpStream) {
        let service = service_fn(move |mut request: Request<Incoming>| {
            let web = self.clone();
            async move {
                if request.method() != Method::CONNECT {
                    let host = request.uri().host().unwrap_or_default().to_owned();
                    return Ok::<_, Infallible>(web.answer(&request, &host));
                }
                let host = request.uri().host().unwrap_or_default().to_owned();
                tokio::spawn(async move {
                    if let Ok(stream) = hyper::upgrade::on(&mut request).await {
                        web.secure(TokioIo::new(stream), host).await;
                    }
                });
                Ok(Response::default())
            }
        });
        // That a client hangs up is no failure.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
    }

    async fn secure(self, stream: TokioIo<hyper::upgrade::Upgraded>, host: String) {
        let Ok(stream) = self.tls.accept(stream).await else { return };
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = self.answer(&request, &host);
            async move { Ok::<_, Infallible>(answer) }
        });
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    fn answer(&self, request: &Request<Incoming>, host: &str) -> Response<Full<Bytes>> {
        let line = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let path = request.uri().path();
        let night = match path {
            sites::NEWS => self.nights.fetch_add(1, Ordering::SeqCst) + 1,
            _ => self.nights.load(Ordering::SeqCst),
        };
        let (status, headers, body) = sites::answer(&Asked {
            host,
            path,
            cookie: line(header::COOKIE),
            authorization: line(header::AUTHORIZATION),
            night,
        });
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        response.body(Full::new(body.into())).unwrap()
    }
}

/// A certificate for the hosts of the documentation that vouches for itself.
fn identity(trust: &Path) -> TlsAcceptor {
    let key = rcgen::KeyPair::generate().unwrap();
    let names = sites::HOSTS.map(str::to_owned);
    let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    std::fs::write(trust, certificate.pem()).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()))
}
