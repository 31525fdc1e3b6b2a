//! What a failed request is called, and how its causes are told.

use std::error::Error;
use std::{io, iter};

use hyper_util::client::legacy;

use super::descriptors;
use super::gate::Lapsed;
use super::guard::Unresolved;
use super::request::FetchError;
use crate::parse::message::Malformed;
use crate::visit::FailureKind;

/// Names a failure by looking through what caused it: HTTP clients call refusal, DNS, TLS and guard alike `connect`.
pub(super) fn classify(error: &(dyn Error + 'static)) -> FetchError {
    let (mut io, mut is_malformed) = (None, false);
    let (mut is_tls, mut is_connect, mut is_dns, mut is_timeout, mut is_parse) = (false, false, false, false, false);
    for cause in causes(error) {
        if cause.is::<Lapsed>() {
            return FetchError::Lapsed;
        }
        match cause.downcast_ref::<Unresolved>() {
            Some(Unresolved::NoPublicAddress) => return FetchError::Private,
            found => is_dns |= found.is_some(),
        }
        is_tls |= cause.is::<rustls::Error>();
        is_connect |= cause.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect);
        is_timeout |= cause.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout);
        if let Some(found) = cause.downcast_ref::<hyper::Error>() {
            is_timeout |= found.is_timeout();
            is_parse |= found.is_parse();
        }
        if let Some(found) = cause.downcast_ref::<io::Error>() {
            is_tls |= holds(found, &|inner| inner.is::<rustls::Error>());
            let is_no_http = |inner: &(dyn Error + 'static)| {
                matches!(inner.downcast_ref(), Some(Malformed::NotHttp | Malformed::TooLong))
            };
            is_parse |= holds(found, &is_no_http);
            is_malformed |= matches!(found.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
            io = Some(found.kind());
        }
    }
    if is_connect && (descriptors::are_missing(error) || is_dns && descriptors::are_gone()) {
        return FetchError::Shortage;
    }
    // A server that takes no connections refuses them: this one took it, and closed it before anything was said.
    is_connect &= !matches!(io, Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted));
    let kind = if is_tls {
        FailureKind::Tls
    } else if is_dns {
        FailureKind::Dns
    } else if is_timeout || io == Some(io::ErrorKind::TimedOut) {
        FailureKind::Timeout
    } else if is_connect {
        FailureKind::Connect
    } else if is_parse {
        FailureKind::Protocol
    } else {
        FailureKind::Closed
    };
    let message = chain(error);
    if kind == FailureKind::Protocol || kind == FailureKind::Closed && is_malformed {
        return FetchError::Misread { kind, message };
    }
    FetchError::Failed { kind, message, unconnected: is_connect || is_tls }
}

/// An error and what caused it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&cause| cause.source())
}

/// Whether the connection was closed instead of an answer.
pub(super) fn is_unanswered(error: &reqwest::Error) -> bool {
    use io::ErrorKind as K;
    causes(error).any(|cause| {
        cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message)
            || cause.downcast_ref::<io::Error>().is_some_and(|error| {
                matches!(error.kind(), K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe | K::UnexpectedEof)
            })
    })
}

/// Whether an I/O error is that of another layer, however many more are wrapped around it: `source` passes over what they
/// hold.
fn holds(error: &io::Error, what: &dyn Fn(&(dyn Error + 'static)) -> bool) -> bool {
    error
        .get_ref()
        .is_some_and(|inner| what(inner) || inner.downcast_ref::<io::Error>().is_some_and(|error| holds(error, what)))
}

/// A body that broke off, or whose coding is broken.
pub(super) fn undecodable(error: &io::Error) -> FetchError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>()) {
        Some(transport) => classify(transport),
        None => FetchError::failed(FailureKind::Decode, format!("the content coding is broken: {error}")),
    }
}

/// An error and its causes in one line, without the URL, which stands beside it everywhere.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in causes(error).filter(|cause| !cause.is::<reqwest::Error>()).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}
