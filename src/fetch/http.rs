//! Requests over HTTP: address guard, time and size caps, content decoding.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fmt, io};

use futures_util::TryStreamExt;
use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, TRANSFER_ENCODING};
use tokio::io::AsyncBufReadExt;
use tokio::time::Instant;
use tokio_util::io::StreamReader;

use super::classify::{classify, is_unanswered, undecodable};
use super::clients::Clients;
use super::coding;
use super::cookies::{self, Jar};
use super::cookies_txt;
use super::credentials::Credentials;
use super::proxy::Proxies;
use super::request::{Fetch, FetchError, Fetching, Read, Request, Response};
use crate::canonical::{CanonicalUrl, Host};
use crate::config::{Config, ConfigError, Login};
use crate::parse::body::Body;
use crate::parse::cookie::Seconds;
use crate::parse::memory::Memory;
use crate::scope::AddressRules;
use crate::visit::{self, FailureKind, Lease, Method, Millis, Validators};

/// The media types that requests ask for.
pub const ACCEPTED_TYPES: &str = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";

/// Makes requests over HTTP.
pub struct HttpClient {
    clients: Clients,
    addresses: AddressRules,
    credentials: Credentials,
    /// None if no cookies are kept.
    jar: Option<Jar>,
    timeout: Duration,
    /// Whether it was told already that the machine has no more descriptors.
    told_of_shortage: AtomicBool,
}

/// Much of it is secret.
impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

impl Fetch for HttpClient {
    fn fetch<'a>(&'a self, request: Request<'a>) -> Fetching<'a> {
        Box::pin(async move {
            let host = request.url.host();
            let is_lenient = self.clients.lenient.reads(&host);
            match self.exchange(request, is_lenient).await {
                Err(FetchError::Shortage) => {
                    self.relieve();
                    Err(FetchError::Shortage)
                }
                Err(FetchError::Misread { kind, message }) if is_lenient => Err(FetchError::failed(kind, message)),
                Err(misread @ FetchError::Misread { .. }) => {
                    self.clients.lenient.take_over(host);
                    Err(misread)
                }
                result => result,
            }
        })
    }

    fn under(&self, lease: Lease) {
        self.clients.gate.close_with(lease);
    }

    fn leave(&self, host: &Host) {
        self.clients.leave(host);
    }

    fn certificate_expires_at(&self, url: &CanonicalUrl) -> Option<Millis> {
        self.clients.certificates.take(url)
    }
}

impl HttpClient {
    /// Fails on headers, files of secrets, a proxy or TLS roots that cannot be used. The logins are those of the seeds.
    pub fn new(config: &Config, logins: &[Login]) -> Result<Self, ConfigError> {
        let addresses = AddressRules::new(config);
        let proxies = Proxies::new(config, |name| std::env::var(name).ok())?;
        let clients = Clients::new(config, proxies, &addresses)?;
        let credentials = Credentials::new(config, logins)?;
        let given = config.cookies.as_deref().map(cookies_txt::read).transpose()?.unwrap_or_default();
        let jar = config.keep_cookies.then(|| Jar::with(given, now()));
        let told_of_shortage = AtomicBool::default();
        Ok(Self { clients, addresses, credentials, jar, timeout: config.timeout, told_of_shortage })
    }

    #[cfg(test)]
    pub(super) fn read_leniently(&self, host: Host) {
        self.clients.lenient.take_over(host);
    }

    async fn exchange(&self, request: Request<'_>, is_lenient: bool) -> Result<Response, FetchError> {
        let Request { url, licensed, wants, memory, .. } = request;
        let deadline = Instant::now() + self.timeout;
        let (route, opened) = (self.clients.route(url), self.addresses.license(licensed));
        if !opened && (!self.addresses.permit_url(url) || route.hides(url)) {
            return Err(FetchError::Private);
        }
        let response = self.within(deadline, self.send(&request, opened, is_lenient)).await?;
        let peer = response.remote_addr().filter(|_| route.is_direct && !opened);
        if peer.is_some_and(|peer| !self.addresses.permit(peer.ip())) {
            return Err(FetchError::Private);
        }
        let status = response.status().as_u16();
        let mut headers = response.headers().clone();
        if let Some(jar) = &self.jar {
            jar.take(url.url(), &headers, now());
        }
        cookies::hide(&mut headers);
        let body = match wants(status, &headers) {
            Read::Nothing => Ok(None),
            read => self.within(deadline, read_body(response, &headers, read, memory)).await.map(Some),
        };
        let body =
            match body {
                // Perhaps the HTTP library did not see the end of the chunks or of their trailer.
                Err(FetchError::Failed {
                    kind: kind @ (FailureKind::Closed | FailureKind::Timeout), message, ..
                }) if headers.contains_key(TRANSFER_ENCODING) => Err(FetchError::Misread { kind, message }),
                body => body,
            };
        Response::new(status, headers, body)
    }

    /// Gives back what descriptors it can.
    fn relieve(&self) {
        self.clients.leave_all();
        if !self.told_of_shortage.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "no file descriptor is left for another connection: fewer requests are made at once, and none is lost; \
                 `ulimit -n` raises the limit"
            );
        }
    }

    async fn send(
        &self,
        request: &Request<'_>,
        opened: bool,
        is_lenient: bool,
    ) -> Result<reqwest::Response, FetchError> {
        let Request { url, method, licensed, validators, .. } = *request;
        let method = match method {
            Method::Head => http::Method::HEAD,
            Method::Get => http::Method::GET,
        };
        let headers = self.headers(url, licensed, validators);
        if is_lenient {
            return self.clients.ask_leniently(method, url, opened, headers).await;
        }
        let client = self.clients.of(url, opened)?;
        let sent =
            self.send_strictly(|| client.request(method.clone(), url.url().clone()).headers(headers.clone())).await;
        sent.map_err(|error| classify(&error))
    }

    /// Sends a request, and once more for each idle connection that turns out to be closed: the server may have done so
    /// while the request was on its way, and cannot have answered it (RFC 9112, section 9.3.1).
    async fn send_strictly(&self, request: impl Fn() -> reqwest::RequestBuilder) -> reqwest::Result<reqwest::Response> {
        // Connections that were made for requests that took another one in the end lie idle too.
        let mut tries = self.clients.idle_per_host.saturating_add(2);
        loop {
            let started = std::time::Instant::now();
            match request().send().await {
                Err(error) if tries > 0 && self.was_idle(&error, started) => tries -= 1,
                result => return result.inspect(|response| self.clients.history.note_answer(response.extensions())),
            }
        }
    }

    /// Whether a request found its connection closed, which had lain idle.
    fn was_idle(&self, error: &reqwest::Error, request: std::time::Instant) -> bool {
        let library = error.source().and_then(|cause| cause.downcast_ref());
        is_unanswered(error) && library.is_some_and(|error| self.clients.history.lay_idle(error, request))
    }

    /// Waits until the time limit of a request is over.
    async fn within<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        tokio::time::timeout_at(deadline, work).await.unwrap_or_else(|_| {
            let message = format!("no whole response within {}", humantime::format_duration(self.timeout));
            Err(FetchError::failed(FailureKind::Timeout, message))
        })
    }

    /// The headers of a request; one that the user set wins over the validators.
    fn headers(&self, url: &CanonicalUrl, seed_host: bool, validators: Option<&Validators>) -> HeaderMap {
        let mut headers = self.credentials.of_request(url, seed_host);
        cookies::add(self.jar.as_ref(), url.url(), &mut headers, now());
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static(ACCEPTED_TYPES));
        headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static(coding::ACCEPTED));
        let Some(Validators { etag, last_modified }) = validators else { return headers };
        for (name, value) in [(IF_NONE_MATCH, etag), (IF_MODIFIED_SINCE, last_modified)] {
            if let Some(value) = value.as_ref().and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.entry(name).or_insert(value);
            }
        }
        headers
    }
}

fn now() -> Seconds {
    visit::now() / 1000
}

async fn read_body(
    mut response: reqwest::Response,
    headers: &HeaderMap,
    read: Read,
    memory: &Memory,
) -> Result<Body, FetchError> {
    let codings = coding::codings(headers).map_err(|problem| FetchError::failed(FailureKind::Decode, problem))?;
    let mut body = Body::default();
    if codings.is_empty() {
        let room = if let Read::Whole(max) = read { max } else { 0 };
        let announced = response.content_length().unwrap_or(0).min(room);
        body.reserve(usize::try_from(announced).unwrap_or(0));
        while let Some(chunk) = response.chunk().await.map_err(|e| classify(&e))? {
            if read.take(&mut body, &chunk, memory)? {
                break;
            }
        }
    } else {
        let bytes = StreamReader::new(Box::pin(response.bytes_stream().map_err(io::Error::other)));
        let mut decoded = coding::decode(bytes, &codings, read.limit()).await.map_err(|e| undecodable(&e))?;
        loop {
            let chunk = match decoded.fill_buf().await.map_err(|e| undecodable(&e)) {
                Ok(chunk) => chunk,
                // What was decoded counts, as in browsers: a check sum that is wrong or missing, and what follows the
                // end, take nothing from it.
                Err(FetchError::Failed { kind: FailureKind::Decode, .. }) if !body.is_empty() => break,
                Err(failure) => return Err(failure),
            };
            let length = chunk.len();
            if length == 0 || read.take(&mut body, chunk, memory)? {
                break;
            }
            decoded.consume(length);
        }
    }
    Ok(body)
}
