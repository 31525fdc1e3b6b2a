//! Requests over HTTP: address guard, time and size caps, content decoding.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fmt, io};

use futures_util::stream;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, PROXY_AUTHORIZATION, USER_AGENT,
};
use http::{HeaderMap, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpInfo;
use tokio::io::AsyncBufReadExt;
use tokio::time::Instant;
use tokio_util::io::StreamReader;

use super::classify::{classify, is_unanswered, undecodable};
use super::clients::Clients;
use super::coding;
use super::connector::Client;
use super::cookies::{self, Jar};
use super::cookies_txt;
use super::credentials::Credentials;
use super::proxy::Proxies;
use super::request::{Fetch, FetchError, Fetching, Read, Request, Response};
use super::route::Route;
use super::stream::History;
use crate::canonical::{CanonicalUrl, Host};
use crate::config::{Config, ConfigError, Login};
use crate::parse::cookie::Seconds;
use crate::scope::AddressRules;
use crate::visit::{self, FailureKind, Validators};

/// Silence that ends a request, where its whole time limit is longer.
const MAX_SILENCE: Duration = Duration::from_secs(30);

/// Makes requests over HTTP.
pub struct HttpClient {
    clients: Clients,
    addresses: AddressRules,
    credentials: Credentials,
    /// None if no cookies are kept.
    jar: Option<Jar>,
    timeout: Duration,
    /// The longest wait for the next bytes.
    silence: Duration,
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
            let result = self.exchange(request).await;
            if let Err(FetchError::Shortage) = result {
                self.relieve();
            }
            result
        })
    }

    fn leave(&self, host: &Host) {
        self.clients.leave(host);
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
        let (timeout, silence) = (config.timeout, config.timeout.min(MAX_SILENCE));
        let told_of_shortage = AtomicBool::default();
        Ok(Self { clients, addresses, credentials, jar, timeout, silence, told_of_shortage })
    }

    async fn exchange(&self, request: Request<'_>) -> Result<Response, FetchError> {
        let Request { url, licensed, validators, wants } = request;
        let deadline = Instant::now() + self.timeout;
        let (route, opened) = (self.clients.route(url), self.addresses.license(licensed));
        if !opened && (!self.addresses.permit_url(url) || route.hides(url)) {
            return Err(FetchError::Private);
        }
        let mut request = http::Request::new(Empty::new());
        *request.uri_mut() = Uri::try_from(url.as_str())
            .map_err(|e| FetchError::failed(FailureKind::Protocol, format!("the URL cannot be asked for: {e}")))?;
        *request.headers_mut() = self.headers(route, url, licensed, validators);
        let response = self.within(deadline, self.send(&self.clients.of(url, opened), &request)).await?;
        let peer = response.extensions().get::<HttpInfo>().filter(|_| route.is_direct() && !opened);
        if peer.is_some_and(|peer| !self.addresses.permit(peer.remote_addr().ip())) {
            return Err(FetchError::Private);
        }
        let (head, incoming) = response.into_parts();
        let (status, mut headers) = (head.status.as_u16(), head.headers);
        if let Some(jar) = &self.jar {
            jar.take(url.url(), &headers, now());
        }
        cookies::hide(&mut headers);
        let body = Body { incoming, silence: self.silence };
        let body = match wants(status, &headers) {
            Read::Nothing => Ok(None),
            read => self.within(deadline, body.read(&headers, read)).await.map(Some),
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

    /// Sends a request, and once more for each idle connection that turns out to be closed: the server may have done so
    /// while the request was on its way, and cannot have answered it (RFC 9112, section 9.3.1).
    async fn send(
        &self,
        client: &Client,
        request: &http::Request<Empty<Bytes>>,
    ) -> Result<http::Response<Incoming>, FetchError> {
        // Connections that were made for requests that took another one in the end lie idle too.
        let mut tries = self.clients.idle_per_host.saturating_add(2);
        loop {
            let started = std::time::Instant::now();
            let sent = tokio::time::timeout(self.silence, client.request(request.clone())).await;
            match sent.map_err(|_| silent())? {
                Ok(response) => {
                    response.extensions().get().inspect(|history: &&History| history.note_answer());
                    return Ok(response);
                }
                Err(error) if tries > 0 && is_unanswered(&error) && lay_idle(&error, started) => tries -= 1,
                Err(error) => return Err(classify(&error)),
            }
        }
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
    fn headers(
        &self,
        route: &Route,
        url: &CanonicalUrl,
        seed_host: bool,
        validators: Option<&Validators>,
    ) -> HeaderMap {
        let mut headers = self.credentials.of_request(url, seed_host);
        cookies::add(self.jar.as_ref(), url.url(), &mut headers, now());
        headers.extend(route.authorization(url.url()).map(|value| (PROXY_AUTHORIZATION, value.clone())));
        headers.entry(USER_AGENT).or_insert_with(|| self.clients.user_agent.clone());
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"));
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

/// Whether a request went out on a connection that had lain idle.
fn lay_idle(error: &legacy::Error, request: std::time::Instant) -> bool {
    let mut extras = http::Extensions::new();
    error.connect_info().inspect(|connected| connected.get_extras(&mut extras));
    extras.get().is_some_and(|history: &History| history.lay_idle(request))
}

fn silent() -> FetchError {
    FetchError::failed(FailureKind::Timeout, "the server fell silent")
}

/// A body that comes in.
struct Body {
    incoming: Incoming,
    silence: Duration,
}

impl Body {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        loop {
            let frame = tokio::time::timeout(self.silence, self.incoming.frame()).await.map_err(|_| silent())?;
            let Some(frame) = frame.transpose().map_err(|e| classify(&e))? else { return Ok(None) };
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }

    async fn read(mut self, headers: &HeaderMap, read: Read) -> Result<Vec<u8>, FetchError> {
        let codings = coding::codings(headers).map_err(|problem| FetchError::failed(FailureKind::Decode, problem))?;
        let mut body = Vec::new();
        if codings.is_empty() {
            let room = if let Read::Whole(max) = read { max } else { 0 };
            let announced = self.incoming.size_hint().exact().unwrap_or(0).min(room).min(1 << 20);
            body.reserve(usize::try_from(announced).unwrap_or(0));
            while let Some(chunk) = self.chunk().await? {
                if read.take(&mut body, &chunk)? {
                    break;
                }
            }
            return Ok(body);
        }
        let chunks = stream::try_unfold(self, async |mut body| {
            Ok::<_, io::Error>(body.chunk().await.map_err(io::Error::other)?.map(|chunk| (chunk, body)))
        });
        let mut decoded =
            coding::decode(StreamReader::new(Box::pin(chunks)), &codings).await.map_err(|e| undecodable(&e))?;
        loop {
            let chunk = match decoded.fill_buf().await.map_err(|e| undecodable(&e)) {
                Ok(chunk) => chunk,
                // What was decoded counts, as in browsers: a check sum that is wrong or missing, and what follows the
                // end, take nothing from it.
                Err(FetchError::Failed { kind: FailureKind::Decode, .. }) if !body.is_empty() => break,
                Err(failure) => return Err(failure),
            };
            let length = chunk.len();
            if length == 0 || read.take(&mut body, chunk)? {
                break;
            }
            decoded.consume(length);
        }
        Ok(body)
    }
}
