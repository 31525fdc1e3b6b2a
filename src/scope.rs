//! May this URL be fetched at all, and if not, why: a pure judgement on the URL, its depth and the seeds.

mod address;
mod heirs;
mod params;
pub mod place;

use std::collections::HashSet;

use url::Url;

pub use address::{AddressRules, is_local_name};

use crate::canonical::{CanonicalUrl, Host};
use crate::config::{Config, Pattern, ScopeKind};
use crate::visit::SkipReason;

use heirs::Heirs;
use params::DroppedParams;
pub use place::registrable_domain;
use place::{Seeded, directory};

/// The limits of a crawl, drawn from its seeds and its settings.
#[derive(Debug)]
pub struct Scope {
    kind: ScopeKind,
    patterns: Patterns,
    max_depth: Option<u32>,
    max_url_length: usize,
    follow_nofollow: bool,
    seeds: HashSet<String, Seeded>,
    hosts: HashSet<Host, Seeded>,
    prefixes: Vec<String>,
    domains: HashSet<String>,
    /// Where the seeds redirect to, which a crawl finds out.
    heirs: Heirs,
    addresses: AddressRules,
    gate: Option<Gate>,
}

/// What the user lets in and keeps out by patterns.
#[derive(Debug)]
struct Patterns {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    dropped_params: DroppedParams,
}

impl Patterns {
    fn exclude(&self, url: &CanonicalUrl) -> bool {
        self.exclude.iter().any(|pattern| pattern.is_match(url.as_str()))
    }

    fn leave_out(&self, url: &CanonicalUrl) -> bool {
        (!self.include.is_empty() && !self.include.iter().any(|pattern| pattern.is_match(url.as_str())))
            || self.exclude(url)
    }
}

/// Why the program that runs the crawl keeps a URL from being fetched.
type Ask = dyn Fn(&Url) -> Option<String> + Send + Sync;

/// Asked last.
struct Gate(Box<Ask>);

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl Scope {
    pub fn new(config: &Config, seeds: &[CanonicalUrl]) -> Self {
        let mut prefixes: Vec<_> = seeds.iter().map(directory).collect();
        prefixes.sort();
        prefixes.dedup();
        Self {
            kind: config.scope,
            patterns: Patterns {
                include: config.include.clone(),
                exclude: config.exclude.clone(),
                dropped_params: DroppedParams::new(&config.drop_params),
            },
            max_depth: config.max_depth,
            max_url_length: config.max_url_length,
            follow_nofollow: config.ignore_robots,
            seeds: seeds.iter().map(|seed| seed.as_str().to_owned()).collect(),
            hosts: seeds.iter().map(CanonicalUrl::host).collect(),
            prefixes,
            domains: seeds.iter().filter_map(|seed| registrable_domain(seed.url())).collect(),
            heirs: Heirs::default(),
            addresses: AddressRules::new(config),
            gate: None,
        }
    }

    /// Takes in that `from` redirects to `to`. Of a seed, or a page that counts for one, that page counts for the seed
    /// too: it is in scope, and in the same registrable domain its host (by prefix: its directory) is so for good.
    /// What is granted to the seed's own host is not passed on.
    pub fn inherit(&self, from: &CanonicalUrl, to: &CanonicalUrl) {
        if !self.is_seed(to) {
            self.heirs.take(from, self.is_seed(from), to);
        }
    }

    /// Whether it is a page that a seed redirects to.
    pub fn is_heir(&self, url: &CanonicalUrl) -> bool {
        self.heirs.has(url)
    }

    /// Lets the program that runs the crawl keep URLs from being fetched, seeds too.
    pub fn with_gate(self, gate: impl Fn(&Url) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { gate: Some(Gate(Box::new(gate))), ..self }
    }

    /// Whether a program decides with, whose reasons are not known from the settings.
    pub fn is_gated(&self) -> bool {
        self.gate.is_some()
    }

    /// Whether the user keeps it out by a pattern, wherever it lies.
    pub fn excludes(&self, url: &CanonicalUrl) -> bool {
        self.patterns.exclude(url)
    }

    /// Whether it may be asked for to see whether it is there, wherever it lies.
    pub fn may_be_checked(&self, url: &CanonicalUrl) -> bool {
        !self.excludes(url) && url.as_str().len() <= self.max_url_length
    }

    /// The URL that a link or a sitemap leads to: as it is named there, without the parameters that are to be left out.
    pub fn without_dropped(&self, url: CanonicalUrl) -> CanonicalUrl {
        self.patterns.dropped_params.leave_out_of(url)
    }

    /// Judges a URL found `depth` links away from a seed, by a link that may be followed or not.
    ///
    /// Reasons that depend on the URL alone come first, then `nofollow`, then `depth`: so a target that a second,
    /// better link leads to changes only between the last two.
    pub fn judge(&self, url: &CanonicalUrl, depth: u32, follow: bool) -> Option<SkipReason> {
        self.judge_page(url, depth, follow).or_else(|| self.ask_gate(url))
    }

    /// Judges a URL that only a response with an error status links to: such links are not followed.
    pub fn judge_on_error_page(&self, url: &CanonicalUrl) -> Option<SkipReason> {
        match self.judge(url, 0, true) {
            None if !self.is_seed(url) && !self.is_heir(url) => Some(SkipReason::ErrorPage),
            verdict => verdict,
        }
    }

    fn ask_gate(&self, url: &CanonicalUrl) -> Option<SkipReason> {
        let Gate(skip) = self.gate.as_ref()?;
        skip(url.url()).map(|reason| SkipReason::hook(&reason))
    }

    fn judge_page(&self, url: &CanonicalUrl, depth: u32, follow: bool) -> Option<SkipReason> {
        if self.is_seed(url) {
            return None;
        }
        if url.as_str().len() > self.max_url_length {
            return Some(SkipReason::UrlTooLong);
        }
        let is_within = self.within(url);
        if is_within && !self.patterns.leave_out(url) {
            return self.judge_link(url, depth, follow);
        }
        if self.is_heir(url) {
            return self.judge_link(url, 0, true);
        }
        Some(if is_within { SkipReason::Excluded } else { SkipReason::Scope })
    }

    fn judge_link(&self, url: &CanonicalUrl, depth: u32, follow: bool) -> Option<SkipReason> {
        if !self.addresses.license(self.is_seed_host(url)) && !self.addresses.permit_url(url) {
            return Some(SkipReason::PrivateAddress);
        }
        if !follow && !self.follow_nofollow {
            return Some(SkipReason::Nofollow);
        }
        if self.max_depth.is_some_and(|max| depth > max) {
            return Some(SkipReason::Depth);
        }
        None
    }

    /// Judges a sitemap file that robots.txt, or another file of its host, names. It may lie on any host and need match no
    /// `--include`, since it is not what is looked for but where.
    pub fn judge_sitemap(&self, url: &CanonicalUrl, depth: u32, follow: bool) -> Option<SkipReason> {
        self.judge_file(url, depth, follow).or_else(|| self.ask_gate(url))
    }

    fn judge_file(&self, url: &CanonicalUrl, depth: u32, follow: bool) -> Option<SkipReason> {
        if self.seeds.contains(url.as_str()) {
            return None;
        }
        if url.as_str().len() > self.max_url_length {
            return Some(SkipReason::UrlTooLong);
        }
        if self.kind == ScopeKind::Page {
            return Some(SkipReason::Scope);
        }
        if self.patterns.exclude(url) {
            return Some(SkipReason::Excluded);
        }
        self.judge_link(url, depth, follow)
    }

    /// Whether pages of this host may be in scope: then its sitemaps are looked for.
    pub fn reaches(&self, host: &Host) -> bool {
        match self.kind {
            ScopeKind::Page => false,
            ScopeKind::Prefix => self.hosts.contains(host) || self.heirs.has_host(host.as_str()),
            _ => CanonicalUrl::parse(host.as_str()).is_ok_and(|url| self.within(&url)),
        }
    }

    /// Whether it was asked for by name.
    pub fn is_seed(&self, url: &CanonicalUrl) -> bool {
        self.seeds.contains(url.as_str())
    }

    /// Whether a seed names this very host, port included: the licence to connect to a private address.
    pub fn is_seed_host(&self, url: &CanonicalUrl) -> bool {
        self.hosts.contains(url.host_str())
    }

    /// Whether the pages around a URL are in scope, and not that page alone.
    pub fn takes_in(&self, url: &CanonicalUrl) -> bool {
        self.within(url)
    }

    fn within(&self, url: &CanonicalUrl) -> bool {
        match self.kind {
            ScopeKind::Page => false,
            ScopeKind::Prefix => {
                self.prefixes.iter().any(|prefix| url.as_str().starts_with(prefix)) || self.heirs.has_prefix_of(url)
            }
            ScopeKind::Host => self.is_seed_host(url) || self.heirs.has_host(url.host_str()),
            ScopeKind::Domain => {
                registrable_domain(url.url()).is_some_and(|domain| self.domains.contains(&domain))
                    || self.is_seed_host(url)
            }
            ScopeKind::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> CanonicalUrl {
        CanonicalUrl::parse(text).unwrap()
    }

    fn scope(kind: ScopeKind, edit: impl FnOnce(&mut Config)) -> Scope {
        let mut config = Config { scope: kind, ..Config::default() };
        edit(&mut config);
        Scope::new(&config, &[url("https://www.example.co.uk/docs/index.html")])
    }

    #[test]
    fn each_scope_reaches_as_far_as_its_name_says() {
        let near = "https://www.example.co.uk/docs/a";
        let same_host = "https://www.example.co.uk/other";
        let sibling = "http://blog.example.co.uk/";
        let cousin = "https://example2.co.uk/";
        let reach = |kind| {
            let scope = scope(kind, |_| ());
            [near, same_host, sibling, cousin].map(|text| scope.judge(&url(text), 1, true).is_none())
        };
        assert_eq!(reach(ScopeKind::Page), [false; 4]);
        assert_eq!(reach(ScopeKind::Prefix), [true, false, false, false]);
        assert_eq!(reach(ScopeKind::Host), [true, true, false, false]);
        assert_eq!(reach(ScopeKind::Domain), [true, true, true, false]);
        assert_eq!(reach(ScopeKind::Any), [true; 4]);
    }

    #[test]
    fn seeds_are_in_scope_whatever_the_patterns_say() {
        let scope = scope(ScopeKind::Page, |config| config.exclude = vec![Pattern::new(".").unwrap()]);
        assert_eq!(scope.judge(&url("https://www.example.co.uk/docs/index.html"), 0, true), None);
    }

    #[test]
    fn patterns_depth_and_nofollow_each_give_their_reason() {
        let scope = scope(ScopeKind::Any, |config| {
            config.include = vec![Pattern::new("example").unwrap()];
            config.exclude = vec![Pattern::new(r"\.pdf$").unwrap()];
            config.max_depth = Some(2);
            config.max_url_length = 60;
        });
        let judge = |text: &str, depth, follow| scope.judge(&url(text), depth, follow);
        assert_eq!(judge("https://other.test/", 1, true), Some(SkipReason::Excluded));
        assert_eq!(judge("https://example.test/a.pdf", 1, true), Some(SkipReason::Excluded));
        assert_eq!(judge("https://example.test/", 3, true), Some(SkipReason::Depth));
        assert_eq!(judge("https://example.test/", 3, false), Some(SkipReason::Nofollow));
        assert_eq!(judge("http://127.0.0.1/example", 1, true), Some(SkipReason::PrivateAddress));
        assert_eq!(judge(&format!("https://example.test/{:060}", 0), 1, true), Some(SkipReason::UrlTooLong));
        assert_eq!(judge("https://example.test/", 2, true), None);
    }

    #[test]
    fn what_an_error_page_links_to_is_judged_by_its_url_first() {
        let scope = scope(ScopeKind::Host, |config| (config.max_depth, config.ignore_robots) = (Some(0), true));
        let judge = |text| scope.judge_on_error_page(&url(text));
        assert_eq!(judge("https://www.example.co.uk/a"), Some(SkipReason::ErrorPage));
        assert_eq!(judge("https://other.test/"), Some(SkipReason::Scope));
        assert_eq!(judge("https://www.example.co.uk/docs/index.html"), None, "a seed");
    }

    #[test]
    fn a_sitemap_may_lie_elsewhere_but_not_on_a_private_host_nor_where_the_user_shut_it_out() {
        let narrow = |config: &mut Config| {
            config.include = vec![Pattern::new("/docs/").unwrap()];
            config.exclude = vec![Pattern::new("news").unwrap()];
        };
        let judge = |kind, text: &str| scope(kind, narrow).judge_sitemap(&url(text), 1, true);
        assert_eq!(judge(ScopeKind::Prefix, "https://cdn.test/sitemap.xml"), None);
        assert_eq!(judge(ScopeKind::Host, "https://cdn.test/news.xml"), Some(SkipReason::Excluded));
        assert_eq!(judge(ScopeKind::Any, "http://10.0.0.1/sitemap.xml"), Some(SkipReason::PrivateAddress));
        assert_eq!(judge(ScopeKind::Page, "https://www.example.co.uk/sitemap.xml"), Some(SkipReason::Scope));
        let shallow = scope(ScopeKind::Host, |config| config.max_depth = Some(0));
        assert_eq!(shallow.judge_sitemap(&url("https://www.example.co.uk/s.xml"), 1, true), Some(SkipReason::Depth));
        let reaches = |kind, text: &str| scope(kind, |_| ()).reaches(&url(text).host());
        assert!(reaches(ScopeKind::Prefix, "https://www.example.co.uk/"));
        assert!(reaches(ScopeKind::Domain, "http://blog.example.co.uk/"));
        assert!(!reaches(ScopeKind::Host, "http://blog.example.co.uk/"));
        assert!(!reaches(ScopeKind::Page, "https://www.example.co.uk/"));
    }
}
