//! One request in, one response or failure out. No redirects, no retries, no waiting.
//!
//! [`HttpClient`] makes requests over the network; whatever else can answer a request implements [`Fetch`] too.

#[cfg(test)]
pub(crate) mod canned;
mod certificates;
mod classify;
mod clients;
mod coding;
mod connection;
mod connector;
pub mod cookies;
pub mod cookies_txt;
mod credentials;
mod descriptors;
mod gate;
mod guard;
mod http;
mod lenient;
pub mod netrc;
mod proxy;
mod request;
mod route;
mod stream;
mod tls;

pub(crate) use coding::ACCEPTED as ACCEPT_ENCODING;
pub(crate) use descriptors::Connections;
pub(crate) use http::ACCEPTED_TYPES as ACCEPT;
pub use http::HttpClient;
pub use request::{Fetch, FetchError, Read, Request, Response, latin1};
