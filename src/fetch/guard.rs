//! Keeps requests from addresses that are none of the public internet's.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::scope::AddressRules;

/// Resolves names to public addresses only, so that the guard holds for the address that is connected to.
#[derive(Debug, Clone)]
pub(super) struct PublicOnly {
    pub rules: AddressRules,
    /// A proxy's name, whose address may be private: the user named it.
    pub exempt: Option<String>,
}

/// A name that has none but private addresses.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to no public address")]
pub(super) struct NoPublicAddress;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let exempt = self.exempt.as_deref() == Some(name.as_str());
        let rules = self.rules.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<_> = found.iter().copied().filter(|a| exempt || rules.permit(a.ip())).collect();
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
    use crate::config::Config;

    #[tokio::test]
    async fn a_name_that_resolves_to_private_addresses_alone_is_refused_as_that() {
        let resolve = |exempt: Option<&str>, allowed: &[&str]| {
            let allow_address = allowed.iter().map(|range| range.parse().unwrap()).collect();
            let rules = AddressRules::new(&Config { allow_address, ..Config::default() });
            PublicOnly { rules, exempt: exempt.map(str::to_owned) }.resolve("localhost".parse().unwrap())
        };
        assert!(resolve(None, &[]).await.err().unwrap().is::<NoPublicAddress>());
        assert!(resolve(Some("localhost"), &[]).await.unwrap().all(|address| address.ip().is_loopback()));
        assert!(resolve(None, &["127.0.0.0/8", "::1"]).await.unwrap().all(|address| address.ip().is_loopback()));
    }
}
