//! The pages that seeds redirect to: each counts for its seed.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use super::place::{Seeded, directory, registrable_domain};
use crate::canonical::{CanonicalUrl, Host};

/// What redirects of seeds have let in. Shared by those who judge and those who find redirects.
#[derive(Debug, Default)]
pub(super) struct Heirs {
    /// Most crawls have none, and then no link needs the lock.
    are_any: AtomicBool,
    found: RwLock<Found>,
}

#[derive(Debug, Default)]
struct Found {
    /// Each with the registrable domain of the seed that it counts for.
    urls: HashMap<String, Option<String>, Seeded>,
    hosts: HashSet<Host, Seeded>,
    prefixes: Vec<String>,
}

impl Heirs {
    fn ask(&self, question: impl FnOnce(&Found) -> bool) -> bool {
        self.are_any.load(Ordering::Acquire) && question(&self.found.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn has(&self, url: &CanonicalUrl) -> bool {
        self.ask(|found| found.urls.contains_key(url.as_str()))
    }

    pub(super) fn has_host(&self, host: &str) -> bool {
        self.ask(|found| found.hosts.contains(host))
    }

    pub(super) fn has_prefix_of(&self, url: &CanonicalUrl) -> bool {
        self.ask(|found| found.prefixes.iter().any(|prefix| url.as_str().starts_with(prefix)))
    }

    /// Takes in where `from`, a seed or a page that counts for one, redirects to; and its host, if that lies in the seed's
    /// registrable domain. Of any other redirect nothing is taken.
    pub(super) fn take(&self, from: &CanonicalUrl, is_seed: bool, to: &CanonicalUrl) {
        if !is_seed && !self.has(from) {
            return;
        }
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        let domain = found.urls.get(from.as_str()).cloned().unwrap_or_else(|| registrable_domain(from.url()));
        if domain.is_some() && registrable_domain(to.url()) == domain {
            found.hosts.insert(to.host());
            let prefix = directory(to);
            if !found.prefixes.contains(&prefix) {
                found.prefixes.push(prefix);
            }
        }
        found.urls.insert(to.as_str().to_owned(), domain);
        self.are_any.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use crate::canonical::CanonicalUrl;
    use crate::config::{Config, Pattern, ScopeKind};
    use crate::scope::Scope;
    use crate::visit::SkipReason;

    fn url(text: &str) -> CanonicalUrl {
        CanonicalUrl::parse(text).unwrap()
    }

    #[test]
    fn where_a_seed_redirects_to_counts_for_it_and_in_its_domain_the_host_is_in_scope() {
        let [seed, secure, inner] =
            ["https://www.example.co.uk/docs/index.html", "https://example.co.uk/m/home", "https://example.co.uk/m/a"]
                .map(url);
        let [other, beside, third] =
            ["https://moved.test/x", "https://moved.test/y", "https://example.co.uk/else"].map(url);
        let judge =
            |scope: &Scope| [&secure, &inner, &third, &other, &beside].map(|url| scope.judge(url, 1, true).is_none());
        let after = |kind, edit: fn(&mut Config)| {
            let mut config = Config { scope: kind, ..Config::default() };
            edit(&mut config);
            let scope = Scope::new(&config, std::slice::from_ref(&seed));
            assert_eq!(judge(&scope)[3], kind == ScopeKind::Any);
            scope.inherit(&beside, &other);
            assert_eq!(judge(&scope)[3], kind == ScopeKind::Any, "of no seed");
            scope.inherit(&seed, &other);
            scope.inherit(&other, &secure);
            judge(&scope)
        };
        assert_eq!(after(ScopeKind::Host, |_| ()), [true, true, true, true, false]);
        assert_eq!(after(ScopeKind::Prefix, |_| ()), [true, true, false, true, false]);
        assert_eq!(after(ScopeKind::Page, |_| ()), [true, false, false, true, false]);
        assert_eq!(after(ScopeKind::Domain, |_| ()), [true, true, true, true, false]);
        assert_eq!(after(ScopeKind::Any, |_| ()), [true; 5]);
        let exclude = |config: &mut Config| config.exclude = vec![Pattern::new("/m/").unwrap()];
        assert_eq!(after(ScopeKind::Host, exclude), [true, false, true, true, false]);
    }

    #[test]
    fn no_redirect_of_a_seed_leads_to_a_private_address() {
        let seed = url("http://127.0.0.1:8080/");
        let scope = Scope::new(&Config::default(), std::slice::from_ref(&seed));
        for private in ["http://127.0.0.1:9090/", "http://localhost/", "http://10.0.0.1/"].map(url) {
            scope.inherit(&seed, &private);
            assert_eq!(scope.judge(&private, 0, true), Some(SkipReason::PrivateAddress));
            assert!(!scope.is_seed_host(&private));
        }
    }
}
