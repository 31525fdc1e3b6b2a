//! What the schedule and its hosts keep to: values, drawn from the settings once.

use crate::config::Config;
use crate::policy::politeness;
use crate::visit::Millis;

/// Answers that wait for their commit, beside as many requests as there are connections: fetching goes on while a transaction
/// is written, and transactions are large enough for what each costs by itself.
pub const WAITING: usize = 512;

/// The limits of one invocation.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests in flight.
    pub connections: usize,
    /// Requests in flight, and answers that wait for their commit.
    pub uncommitted: usize,
    pub max_connections_per_host: usize,
    /// Requests per second to one host; 0 is no limit.
    pub rate: f64,
    /// Requests per second to all hosts together; 0 is no limit.
    pub global_rate: f64,
    pub max_pages: Option<u64>,
    pub max_pages_per_host: Option<u64>,
    /// The longest time that a host is waited for.
    pub max_wait: Millis,
    pub retries: u32,
    pub ignore_robots: bool,
    /// There may be URLs to check, which goes on when the budget of pages is used up.
    pub checks: bool,
    /// Look for sitemaps, in robots.txt too if its rules are ignored.
    pub sitemaps: bool,
    pub product_token: String,
    /// Targets held in memory for one host; the rest of its queue stays on disk.
    pub window: usize,
    /// Other processes take part: whether anything is left, and how much of what is limited this one has, they say together.
    pub shared: bool,
}

impl Limits {
    pub fn new(config: &Config) -> Self {
        Self {
            connections: config.connections(),
            uncommitted: config.connections().saturating_add(WAITING),
            max_connections_per_host: config.max_connections_per_host,
            rate: config.rate,
            global_rate: config.global_rate,
            max_pages: config.max_pages,
            max_pages_per_host: config.max_pages_per_host,
            max_wait: politeness::millis(config.max_wait),
            retries: config.retries,
            ignore_robots: config.ignore_robots,
            checks: config.checks_by_requests(),
            sitemaps: config.sitemaps,
            product_token: config.product_token().to_owned(),
            window: config.connections().saturating_mul(4).clamp(2 * WAITING, 2048),
            shared: false,
        }
    }
}
