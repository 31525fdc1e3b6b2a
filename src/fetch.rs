//! One request: address guard, time and size caps, content decoding. No redirects, no retries, no waiting.

mod coding;

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use tokio::io::AsyncBufReadExt;
use tokio_util::io::StreamReader;

use crate::canonical::CanonicalUrl;
use crate::config::{Config, ConfigError, Header};
use crate::scope::{is_private, names_private};
use crate::visit::{FailureKind, Validators};

/// Response header fields accepted; more is a failure `protocol`.
const MAX_HEADERS: usize = 256;
/// Bytes of HTTP/2 response headers accepted.
const MAX_HEADER_BYTES: u32 = 256 << 10;
/// Kept-alive connections without a request, for each host.
const IDLE_PER_HOST: usize = 64;

/// How much of a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// It is left on the wire.
    Nothing,
    /// All of it, up to so many bytes; more is a failure `too_large`.
    Whole(u64),
    /// So many bytes; what follows is left on the wire.
    Start(usize),
}

/// A response, whole or as much of it as was wanted.
#[derive(Debug)]
pub struct Fetched {
    pub status: u16,
    pub headers: HeaderMap,
    /// None if the media type was not wanted.
    pub body: Option<Vec<u8>>,
}

/// Why a request gave no usable response.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FetchError {
    /// The address is not for crawling, and no seed names this host.
    #[error("the address is not a public one")]
    Private,
    #[error("{message}")]
    Failed {
        kind: FailureKind,
        message: String,
        /// No connection stood.
        unconnected: bool,
    },
}

impl FetchError {
    pub(crate) fn failed(kind: FailureKind, message: impl Into<String>) -> Self {
        Self::Failed { kind, message: message.into(), unconnected: false }
    }
}

/// Makes requests. Two clients, so that no connection to a private address is ever shared with a host whose seed
/// licence does not cover it.
#[derive(Debug, Clone)]
pub struct Fetcher {
    licensed: reqwest::Client,
    guarded: reqwest::Client,
    headers: HeaderMap,
    proxied: bool,
    timeout: Duration,
}

/// Silence that ends a request, where its whole time limit is longer.
const MAX_SILENCE: Duration = Duration::from_secs(30);
/// How long a connection is kept for the next request: a host at its pace needs it at once, and each idle one takes a
/// file descriptor.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

impl Fetcher {
    /// Fails on a header, a proxy or TLS roots that cannot be used.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let prepare = |guard: bool| -> Result<reqwest::ClientBuilder, ConfigError> {
            let mut builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .user_agent(&config.user_agent)
                .connect_timeout(config.connect_timeout)
                .read_timeout(config.timeout.min(MAX_SILENCE))
                .http1_max_headers(MAX_HEADERS)
                .http2_max_header_list_size(MAX_HEADER_BYTES)
                .pool_max_idle_per_host(config.max_connections_per_host.min(IDLE_PER_HOST))
                .pool_idle_timeout(IDLE_TIMEOUT)
                .tcp_nodelay(true);
            if guard {
                builder = builder.dns_resolver(Arc::new(PublicOnly { exempt: proxy_host(config) }));
            }
            if let Some(proxy) = &config.proxy {
                let problem = |e: reqwest::Error| ConfigError { option: "proxy", problem: chain(&e) };
                builder = builder.proxy(reqwest::Proxy::all(proxy.expose()).map_err(problem)?);
            }
            if config.no_proxy {
                builder = builder.no_proxy();
            }
            Ok(builder)
        };
        let build = |guard: bool| -> Result<reqwest::Client, ConfigError> {
            // A machine without root certificates can still crawl http; its https requests fail as `tls`.
            let client = match prepare(guard)?.build() {
                Err(_) => prepare(guard)?.tls_certs_only([]).build(),
                client => client,
            };
            client.map_err(|e| ConfigError { option: "user-agent", problem: chain(&e) })
        };
        Ok(Self {
            licensed: build(false)?,
            guarded: build(true)?,
            headers: headers(config)?,
            proxied: proxy_host(config).is_some(),
            timeout: config.timeout,
        })
    }

    /// Gets `url`, if it changed since what `validators` tell; a header that the user set wins. `licensed`: a seed names its host, so its address may be private. `wants` looks at status and
    /// media type (lower case, no parameters) and says how much of the body is read.
    pub async fn get(
        &self,
        url: &CanonicalUrl,
        licensed: bool,
        validators: Option<&Validators>,
        wants: impl Fn(u16, Option<&str>) -> Read,
    ) -> Result<Fetched, FetchError> {
        if !licensed && names_private(url) {
            return Err(FetchError::Private);
        }
        let whole = tokio::time::timeout(self.timeout, self.exchange(url, licensed, validators, wants));
        whole.await.unwrap_or_else(|_| {
            let message = format!("no whole response within {}", humantime::format_duration(self.timeout));
            Err(FetchError::failed(FailureKind::Timeout, message))
        })
    }

    async fn exchange(
        &self,
        url: &CanonicalUrl,
        licensed: bool,
        validators: Option<&Validators>,
        wants: impl Fn(u16, Option<&str>) -> Read,
    ) -> Result<Fetched, FetchError> {
        let client = if licensed { &self.licensed } else { &self.guarded };
        let request = client.get(url.url().clone()).headers(self.headers(validators));
        let mut response = request.send().await.map_err(|e| classify(&e))?;
        if !licensed && !self.proxied && response.remote_addr().is_some_and(|peer| is_private(peer.ip())) {
            return Err(FetchError::Private);
        }
        let status = response.status().as_u16();
        let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| essence(value.as_bytes()));
        let read = wants(status, media_type.as_deref());
        let headers = response.headers().clone();
        if read == Read::Nothing {
            return Ok(Fetched { status, headers, body: None });
        }
        let codings = coding::codings(&headers).map_err(|problem| FetchError::failed(FailureKind::Decode, problem))?;
        let mut body = Vec::new();
        let room = if let Read::Whole(max) = read { max } else { 0 };
        if codings.is_empty() {
            let announced = response.content_length().unwrap_or(0).min(room).min(1 << 20);
            body.reserve(usize::try_from(announced).unwrap_or(0));
            while let Some(chunk) = response.chunk().await.map_err(|e| classify(&e))? {
                if take(&mut body, &chunk, read)? {
                    break;
                }
            }
        } else {
            let bytes = StreamReader::new(Box::pin(response.bytes_stream().map_err(io::Error::other)));
            let mut decoded = coding::decode(bytes, &codings).await.map_err(|e| undecodable(&e))?;
            loop {
                let chunk = decoded.fill_buf().await.map_err(|e| undecodable(&e))?;
                let length = chunk.len();
                if length == 0 || take(&mut body, chunk, read)? {
                    break;
                }
                decoded.consume(length);
            }
        }
        Ok(Fetched { status, headers, body: Some(body) })
    }

    fn headers(&self, validators: Option<&Validators>) -> HeaderMap {
        let mut headers = self.headers.clone();
        let Some(Validators { etag, last_modified }) = validators else { return headers };
        for (name, value) in [(IF_NONE_MATCH, etag), (IF_MODIFIED_SINCE, last_modified)] {
            if let Some(value) = value.as_ref().and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.entry(name).or_insert(value);
            }
        }
        headers
    }
}

/// Adds a chunk to a body; true if that is as much of it as is wanted.
fn take(body: &mut Vec<u8>, chunk: &[u8], read: Read) -> Result<bool, FetchError> {
    let max = match read {
        Read::Nothing => return Ok(true),
        Read::Start(wanted) => {
            body.extend_from_slice(&chunk[..chunk.len().min(wanted - body.len())]);
            return Ok(body.len() == wanted);
        }
        Read::Whole(max) => max,
    };
    if body.len() as u64 + chunk.len() as u64 > max {
        return Err(FetchError::failed(FailureKind::TooLarge, format!("body is larger than {max} bytes")));
    }
    body.extend_from_slice(chunk);
    Ok(false)
}

/// Type and subtype of a Content-Type, lower case. None if there is none to be read.
pub fn essence(content_type: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(content_type);
    let essence = text.split([';', ',']).next()?.trim().to_ascii_lowercase();
    essence.contains('/').then_some(essence)
}

/// The charset that a Content-Type names, read as leniently as browsers do (WHATWG MIME Sniffing, section 4.4).
pub fn charset_label(content_type: &str) -> Option<&str> {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let label = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset")).map(|(_, value)| value);
    label.map(|value| value.trim().trim_matches(['"', '\''])).find(|label| !label.is_empty())
}

/// Header bytes as text: UTF-8 if they are, else each byte a Latin-1 character.
pub fn latin1(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|&byte| char::from(byte)).collect(), str::to_owned)
}

fn headers(config: &Config) -> Result<HeaderMap, ConfigError> {
    let mut map = HeaderMap::new();
    for Header { name, value } in &config.header {
        let bad = |what: &str| ConfigError { option: "header", problem: format!("`{name}` {what}") };
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("is no header name"))?;
        let value = HeaderValue::from_str(value.expose()).map_err(|_| bad("has a value no header can hold"))?;
        map.append(header, value);
    }
    let types = HeaderValue::from_static("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
    map.entry("accept").or_insert(types);
    map.entry("accept-encoding").or_insert(HeaderValue::from_static(coding::ACCEPTED));
    Ok(map)
}

/// The proxy's own name must resolve wherever it lies: the user named it.
fn proxy_host(config: &Config) -> Option<String> {
    let from_environment = || {
        ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
            .iter()
            .find_map(|name| std::env::var(name).ok())
    };
    let proxy = config.proxy.as_ref().map(|proxy| proxy.expose().to_owned()).or_else(from_environment)?;
    let url = if proxy.contains("://") { proxy } else { format!("http://{proxy}") };
    url::Url::parse(&url).ok()?.host_str().map(str::to_owned)
}

/// Resolves names to public addresses only, so that the guard holds for the address that is connected to.
struct PublicOnly {
    exempt: Option<String>,
}

/// A name that has none but private addresses.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to no public address")]
struct NoPublicAddress;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let exempt = self.exempt.as_deref() == Some(name.as_str());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<_> = found.iter().copied().filter(|a| exempt || !is_private(a.ip())).collect();
            if public.is_empty() && !found.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Names a failure by looking through what caused it: reqwest calls refusal, DNS, TLS and guard alike `connect`.
fn classify(error: &reqwest::Error) -> FetchError {
    let mut io = None;
    let mut hyper = None;
    let mut tls = false;
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<NoPublicAddress>() {
            return FetchError::Private;
        }
        tls |= cause.is::<rustls::Error>();
        if let Some(found) = cause.downcast_ref::<std::io::Error>() {
            tls |= is_tls(found);
            io = Some(found.kind());
        }
        hyper = hyper.or(cause.downcast_ref::<hyper::Error>());
        source = cause.source();
    }
    let kind = if tls {
        FailureKind::Tls
    } else if error.is_dns() {
        FailureKind::Dns
    } else if error.is_timeout() || io == Some(std::io::ErrorKind::TimedOut) {
        FailureKind::Timeout
    } else if error.is_connect() {
        FailureKind::Connect
    } else if hyper.is_some_and(hyper::Error::is_parse) {
        FailureKind::Protocol
    } else {
        FailureKind::Closed
    };
    FetchError::Failed { kind, message: chain(error), unconnected: error.is_connect() || tls }
}

/// Whether an I/O error is TLS's, however many more are wrapped around it: `source` passes over what they hold.
fn is_tls(error: &std::io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(|inner| inner.is::<rustls::Error>() || inner.downcast_ref::<std::io::Error>().is_some_and(is_tls))
}

/// A body that broke off, or whose coding is broken.
fn undecodable(error: &io::Error) -> FetchError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>()) {
        Some(transport) => classify(transport),
        None => FetchError::failed(FailureKind::Decode, format!("the content coding is broken: {error}")),
    }
}

/// An error and its causes in one line, without the URL, which stands beside it everywhere.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    if text.is_empty() { error.to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charset_is_found_however_its_header_is_written() {
        for text in ["text/html; charset=x", "text/html ;;Charset = 'x';", "a/b;charset=;q=1;charset=\"x\";charset=y"] {
            assert_eq!(charset_label(text), Some("x"), "{text}");
        }
        assert_eq!(charset_label("text/html"), None);
        assert_eq!(charset_label("charset=x"), None);
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_private_addresses_alone_is_refused_as_that() {
        let resolve = |exempt: Option<&str>| {
            let resolver = PublicOnly { exempt: exempt.map(str::to_owned) };
            resolver.resolve("localhost".parse().unwrap())
        };
        assert!(resolve(None).await.err().unwrap().is::<NoPublicAddress>());
        assert!(resolve(Some("localhost")).await.unwrap().all(|address| is_private(address.ip())));
    }
}
