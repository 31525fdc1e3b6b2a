//! Who is let in: whoever knows the token, by a name of this machine itself. Other pages in the same browser are neither, nor
//! are names that lead here by way of somebody else's DNS.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;

use crate::cli::failure::Failure;

/// Bytes of the token before they are written as text.
const TOKEN: usize = 24;

/// What the pages may do: show themselves with the one style, script and icon, and ask this server alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// On every response, refusals included.
static HEADERS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

const HOW: &str = "Open the address that `harvestman open` printed: it holds the token that lets you in. Where a click on it \
     does not do, paste it into the address bar.\n";

pub struct Guard {
    port: u16,
    token: String,
}

impl Guard {
    pub fn new(port: u16) -> Result<Self, Failure> {
        let mut bytes = [0; TOKEN];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Failure::new("there is no randomness to make a token of"))?;
        Ok(Self { port, token: base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes) })
    }

    /// Where a browser begins.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/?token={}", self.port, self.token)
    }

    /// Cookies do not keep ports apart, so that several such servers need names of their own.
    fn cookie(&self) -> String {
        format!("harvestman-{}", self.port)
    }

    fn is_here(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(HOST).iter();
        let names = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{}", self.port));
        let host = hosts.next().and_then(|host| host.to_str().ok());
        host.is_some_and(|host| names.iter().any(|name| name.eq_ignore_ascii_case(host))) && hosts.next().is_none()
    }

    fn is_token(&self, text: &str) -> bool {
        verify_slices_are_equal(text.as_bytes(), self.token.as_bytes()).is_ok()
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie();
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(key, value)| key == name && self.is_token(value))
    }

    /// What a request gets that is not let through.
    fn stops(&self, request: &Request) -> Option<Response> {
        let plain = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
        if !self.is_here(request.headers()) {
            let words = "This server is asked by the name 127.0.0.1 or localhost, and its port, alone.\n";
            return Some((StatusCode::MISDIRECTED_REQUEST, plain, words).into_response());
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Some((StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response());
        }
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let token = url::form_urlencoded::parse(query).find(|(name, _)| name == "token");
        match token {
            // The token leaves the address, so that it stands in no history and on no picture of the screen.
            Some((_, token)) if self.is_token(&token) => {
                let cookie = format!("{}={}; HttpOnly; SameSite=Strict; Path=/", self.cookie(), self.token);
                let headers = [(LOCATION, "/".to_owned()), (SET_COOKIE, cookie)];
                Some((StatusCode::SEE_OTHER, headers).into_response())
            }
            None if self.has_cookie(request.headers()) => None,
            _ => Some((StatusCode::FORBIDDEN, plain, HOW).into_response()),
        }
    }
}

/// Lets a request through to the pages, or not.
pub async fn pass(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let mut response = match guard.stops(&request) {
        Some(response) => response,
        None => next.run(request).await,
    };
    for (name, value) in &HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
