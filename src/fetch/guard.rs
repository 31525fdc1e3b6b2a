//! Keeps requests from addresses that are none of the public internet's.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use reqwest::dns::{Addrs, Resolve, Resolving};
use tower::Service;

use crate::scope::AddressRules;

/// Resolves names to public addresses only, so that the guard holds for the address that is connected to.
#[derive(Debug, Clone)]
pub(super) struct PublicOnly {
    pub rules: AddressRules,
    /// A proxy's name, whose address may be private: the user named it.
    pub exempt: Option<String>,
}

/// Resolves names, to public addresses only or to any.
#[derive(Debug, Clone)]
pub(super) struct Resolver(pub(super) Option<Arc<PublicOnly>>);

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unresolved {
    #[error("the name resolves to no public address")]
    NoPublicAddress,
    #[error("{0}")]
    Dns(#[from] io::Error),
    #[error("the name has no address")]
    NoAddress,
}

impl Resolver {
    async fn resolve(self, name: &str) -> Result<std::vec::IntoIter<SocketAddr>, Unresolved> {
        let mut found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
        let had_addresses = !found.is_empty();
        if let Some(PublicOnly { rules, exempt }) = self.0.as_deref() {
            found.retain(|address| exempt.as_deref() == Some(name) || rules.permit(address.ip()));
        }
        match found.is_empty() {
            true if had_addresses => Err(Unresolved::NoPublicAddress),
            true => Err(Unresolved::NoAddress),
            false => Ok(found.into_iter()),
        }
    }

    /// An address of a host as it stands in a URI.
    pub(super) async fn resolve_one(self, host: &str) -> Result<String, Unresolved> {
        if host.starts_with('[') {
            return Ok(host.to_owned());
        }
        Ok(match self.resolve(host).await?.next().ok_or(Unresolved::NoAddress)?.ip() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        })
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move { Ok(Box::new(resolver.resolve(name.as_str()).await?) as Addrs) })
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Unresolved;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Unresolved>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unresolved>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = self.clone();
        Box::pin(async move { resolver.resolve(name.as_str()).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[tokio::test]
    async fn a_name_that_resolves_to_private_addresses_alone_is_refused_as_that() {
        let resolve = |exempt: Option<&str>, allowed: &[&str]| {
            let allow_address = allowed.iter().map(|range| range.parse().unwrap()).collect();
            let rules = AddressRules::new(&Config { allow_address, ..Config::default() });
            Resolver(Some(Arc::new(PublicOnly { rules, exempt: exempt.map(str::to_owned) }))).resolve("localhost")
        };
        assert!(matches!(resolve(None, &[]).await, Err(Unresolved::NoPublicAddress)));
        assert!(resolve(Some("localhost"), &[]).await.unwrap().all(|address| address.ip().is_loopback()));
        assert!(resolve(None, &["127.0.0.0/8", "::1"]).await.unwrap().all(|address| address.ip().is_loopback()));
    }
}
