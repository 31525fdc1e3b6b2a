//! Keeps requests from addresses that are none of the public internet's.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::config::Config;
use crate::scope::is_private;

/// The proxy's own name must resolve wherever it lies: the user named it.
pub(super) fn proxy_host(config: &Config) -> Option<String> {
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
pub(super) struct PublicOnly {
    /// A name whose address may be private.
    pub exempt: Option<String>,
}

/// A name that has none but private addresses.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to no public address")]
pub(super) struct NoPublicAddress;

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

#[cfg(test)]
mod tests {
    use super::*;

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
