//! What hosts are parts of: whoever answers for any name has as many hosts as links.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use crate::canonical::CanonicalUrl;
use crate::scope::place::registrable_domain;

/// Hosts of one registrable domain, or ports of one address, from which on they are seen as one.
const MANY_HOSTS: u32 = 4;
/// Hosts of which it is known what they are part of.
const HOSTS: usize = 50_000;

/// What a host is part of, and how many hosts a site has.
#[derive(Debug, Default)]
pub(super) struct Sites {
    hasher: RandomState,
    hosts: HashMap<Box<str>, u64, RandomState>,
    sites: HashMap<Box<str>, u32, RandomState>,
}

impl Sites {
    /// The host of a URL, or the site of so many hosts that they are seen as one.
    pub(super) fn ground_of(&mut self, url: &CanonicalUrl) -> u64 {
        if let Some(ground) = self.hosts.get(url.host_str()) {
            return *ground;
        }
        if self.hosts.len() >= HOSTS {
            self.hosts.clear();
            self.sites.clear();
        }
        let site = registrable_domain(url.url()).unwrap_or_default();
        let hosts = self.sites.entry(site.as_str().into()).or_default();
        *hosts += 1;
        let ground = self.hasher.hash_one(if *hosts > MANY_HOSTS { &*site } else { url.host_str() });
        self.hosts.insert(url.host_str().into(), ground);
        ground
    }
}
