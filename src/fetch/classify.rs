//! What a failed request is called, and how its causes are told.

use std::error::Error as _;
use std::io;

use super::descriptors;
use super::guard::NoPublicAddress;
use super::request::FetchError;
use crate::visit::FailureKind;

/// Names a failure by looking through what caused it: reqwest calls refusal, DNS, TLS and guard alike `connect`.
pub(super) fn classify(error: &reqwest::Error) -> FetchError {
    if error.is_connect() && (descriptors::are_missing(error) || error.is_dns() && descriptors::are_gone()) {
        return FetchError::Shortage;
    }
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

/// Whether the connection was closed instead of an answer.
pub(super) fn is_unanswered(error: &reqwest::Error) -> bool {
    use io::ErrorKind as K;
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.any(|cause| {
        cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message)
            || cause.downcast_ref::<io::Error>().is_some_and(|error| {
                matches!(error.kind(), K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe | K::UnexpectedEof)
            })
    })
}

/// Whether an I/O error is TLS's, however many more are wrapped around it: `source` passes over what they hold.
fn is_tls(error: &std::io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(|inner| inner.is::<rustls::Error>() || inner.downcast_ref::<std::io::Error>().is_some_and(is_tls))
}

/// A body that broke off, or whose coding is broken.
pub(super) fn undecodable(error: &io::Error) -> FetchError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>()) {
        Some(transport) => classify(transport),
        None => FetchError::failed(FailureKind::Decode, format!("the content coding is broken: {error}")),
    }
}

/// An error and its causes in one line, without the URL, which stands beside it everywhere.
pub(super) fn chain(error: &reqwest::Error) -> String {
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
