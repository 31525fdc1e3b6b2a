//! Settings, hosts and URLs to try the schedule with.

use crate::canonical::{CanonicalUrl, Host};
use crate::frontier::limits::Limits;
use crate::visit::{Check, CheckKind, Complete, HostId, HostRecord, Method, Millis, Target, UrlId};

/// Some day in 2025, so that times are of the size they really have.
pub(super) const START: Millis = 1_750_000_000_000;
pub(super) const HOSTS: HostId = 4;
/// Nothing else waits on disk.
pub(super) const ALL: Complete = Complete { pages: true, checks: true };
pub(super) const MAX_WAIT: Millis = 60_000;

#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) connections: usize,
    pub(super) uncommitted: usize,
    pub(super) per_host: usize,
    /// Milliseconds between requests; 0 is no limit.
    pub(super) interval: Millis,
    pub(super) global_interval: Millis,
    pub(super) max_pages: Option<u64>,
    pub(super) max_pages_per_host: Option<u64>,
    pub(super) window: usize,
    /// Whether there may be checks.
    pub(super) checks: bool,
    /// Crawl-delay of each host in milliseconds, and whether it forbids every third URL.
    pub(super) hosts: Vec<(Millis, bool)>,
}

/// A crawl at three requests a second, without budgets.
pub(super) fn plain() -> Setting {
    Setting {
        connections: 4,
        uncommitted: 6,
        per_host: 2,
        interval: 333,
        global_interval: 0,
        max_pages: None,
        max_pages_per_host: None,
        window: 64,
        checks: true,
        hosts: vec![(0, false); HOSTS as usize],
    }
}

fn rate(interval: Millis) -> f64 {
    if interval == 0 { 0.0 } else { 1000.0 / interval as f64 }
}

pub(super) fn limits(setting: &Setting) -> Limits {
    Limits {
        connections: setting.connections,
        uncommitted: setting.uncommitted,
        max_connections_per_host: setting.per_host,
        rate: rate(setting.interval),
        global_rate: rate(setting.global_interval),
        max_pages: setting.max_pages,
        max_pages_per_host: setting.max_pages_per_host,
        max_wait: MAX_WAIT,
        retries: 3,
        ignore_robots: false,
        checks: setting.checks,
        sitemaps: true,
        product_token: "bot".into(),
        window: setting.window,
        shared: false,
    }
}

fn url(host: HostId, id: UrlId) -> CanonicalUrl {
    let path = if id % 3 == 0 { "no" } else { "yes" };
    CanonicalUrl::parse(&format!("http://h{host}.test/{path}/{id}")).unwrap()
}

pub(super) fn target(host: HostId, id: UrlId) -> Target {
    Target::new(id, host, url(host, id), 0)
}

/// A URL to be checked. Checks have numbers of their own.
pub(super) fn to_check(host: HostId, id: UrlId) -> Target {
    let check = Check { kind: CheckKind::External, method: Method::Head, sheet: None };
    Target::to_check(id, host, url(host, id), check)
}

pub(super) fn record(host: HostId) -> HostRecord {
    let name = Host::parse(&format!("http://h{host}.test")).unwrap();
    HostRecord { id: host, host: name, asked_at: 0, blocked_until: 0, robots: None, epoch: 1, stored: 0 }
}
