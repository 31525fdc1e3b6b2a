//! What a crawl is told: every default exists here once, for the help, the documentation and the code.

use std::time::Duration;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// How far from the seeds the crawl goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum ScopeKind {
    /// Only the seeds
    Page,
    /// The same host, at or below the seed's directory
    Prefix,
    /// The same scheme, name and port
    #[default]
    Host,
    /// The same registrable domain (public suffix list)
    Domain,
    /// Anywhere
    Any,
}

/// How long a new run leaves known pages alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recrawl {
    /// The same time for all.
    After(Duration),
    /// Each at its own interval, which follows its changes.
    Auto,
}

/// Workers, at most: each costs some memory, busy or not.
const MAX_CONCURRENCY: usize = 100_000;

/// The settings of one crawl. [`Config::default`] is what the command line starts from.
#[derive(Debug, Clone)]
pub struct Config {
    pub scope: ScopeKind,
    /// A URL must match one of these, if there are any. Seeds are always in scope.
    pub include: Vec<Regex>,
    /// A URL must match none of these.
    pub exclude: Vec<Regex>,
    /// Links away from a seed, at most.
    pub max_depth: Option<u32>,
    /// Responses stored by this invocation, exact.
    pub max_pages: Option<u64>,
    /// The same for each host.
    pub max_pages_per_host: Option<u64>,
    pub max_duration: Option<Duration>,
    /// Decoded bytes; a larger body is a failure `too_large`.
    pub max_body_size: u64,
    /// Workers, at least 1.
    pub concurrency: usize,
    /// Requests in flight; as many as workers if unset.
    pub max_connections: Option<usize>,
    pub max_connections_per_host: usize,
    /// Requests per second to one host; 0 is unlimited.
    pub rate: f64,
    /// Requests per second in all; 0 is unlimited.
    pub global_rate: f64,
    pub ignore_robots: bool,
    pub user_agent: String,
    /// Whole request.
    pub timeout: Duration,
    pub connect_timeout: Duration,
    /// After the first try.
    pub retries: u32,
    /// The longest this invocation waits for a host that asked for time.
    pub max_wait: Duration,
    /// Hops in a row.
    pub max_redirects: u32,
    /// Asks hosts directly, whatever the environment says of proxies.
    pub no_proxy: bool,
    /// Bytes; longer ones are skipped.
    pub max_url_length: usize,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
    /// None: what the environment says.
    pub proxy: Option<String>,
    /// In a new run, known pages younger than this are left alone.
    pub recrawl_after: Recrawl,
    /// Bounds of the interval that follows a page's changes.
    pub recrawl_min: Duration,
    pub recrawl_max: Duration,
    /// In a new run, pages whose response says that it is still fresh are left alone too.
    pub respect_cache: bool,
    /// Give up an interrupted run.
    pub fresh: bool,
    pub body_types: BodyTypes,
    pub store_bodies: bool,
    pub store_links: bool,
    /// Also takes the URLs of the hosts' sitemaps.
    pub sitemaps: bool,
    pub store_text: bool,
    /// Older versions kept of each page that changes or goes away.
    pub keep_versions: u32,
    /// Runs of which fetches and changes are kept, at least 1; all if unset.
    pub keep_runs: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            scope: ScopeKind::Host,
            include: Vec::new(),
            exclude: Vec::new(),
            max_depth: None,
            max_pages: None,
            max_pages_per_host: None,
            max_duration: None,
            max_body_size: 10 << 20,
            concurrency: 64,
            max_connections: None,
            max_connections_per_host: 2,
            rate: 2.0,
            global_rate: 0.0,
            ignore_robots: false,
            user_agent: concat!("harvestman/", env!("CARGO_PKG_VERSION"), " (+", env!("CARGO_PKG_REPOSITORY"), ")")
                .into(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            retries: 3,
            max_wait: Duration::from_secs(600),
            max_redirects: 10,
            no_proxy: false,
            max_url_length: 4096,
            headers: Vec::new(),
            proxy: None,
            recrawl_after: Recrawl::After(Duration::ZERO),
            recrawl_min: Duration::from_secs(3600),
            recrawl_max: Duration::from_secs(30 * 24 * 3600),
            respect_cache: false,
            fresh: false,
            body_types: BodyTypes::default(),
            store_bodies: true,
            store_links: true,
            sitemaps: false,
            store_text: true,
            keep_versions: 0,
            keep_runs: None,
        }
    }
}

/// A setting that no crawl can run with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option}: {problem}")]
pub struct ConfigError {
    pub option: &'static str,
    pub problem: String,
}

impl Config {
    /// Requests in flight, at most.
    pub fn connections(&self) -> usize {
        self.max_connections.unwrap_or(self.concurrency)
    }

    /// The product token that robots.txt is matched against (RFC 9309, section 2.2.1).
    pub fn product_token(&self) -> &str {
        product_token(&self.user_agent)
    }

    /// Refuses what cannot work, before anything is opened.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let refuse = |option, problem: &str| Err(ConfigError { option, problem: problem.to_owned() });
        if self.concurrency == 0 {
            return refuse("concurrency", "at least one worker is needed");
        }
        if self.concurrency > MAX_CONCURRENCY {
            return refuse("concurrency", &format!("more than {MAX_CONCURRENCY} workers"));
        }
        if self.connections() == 0 {
            return refuse("max-connections", "at least one connection is needed");
        }
        if self.max_connections_per_host == 0 {
            return refuse("max-connections-per-host", "at least one connection is needed");
        }
        for (option, rate) in [("rate", self.rate), ("global-rate", self.global_rate)] {
            if !rate.is_finite() || rate < 0.0 {
                return refuse(option, "must be 0 (no limit) or a positive number of requests per second");
            }
        }
        if self.timeout.is_zero() {
            return refuse("timeout", "must be longer than zero");
        }
        if self.connect_timeout.is_zero() {
            return refuse("connect-timeout", "must be longer than zero");
        }
        if self.recrawl_min > self.recrawl_max {
            return refuse("recrawl-min", "must not be longer than --recrawl-max");
        }
        if self.keep_runs == Some(0) {
            return refuse("keep-runs", "at least the run itself is kept");
        }
        if self.product_token().is_empty() {
            return refuse("user-agent", "must start with a product token, such as `mybot/1.0`");
        }
        Ok(())
    }
}

/// The leading letters, digits, hyphens and underscores of a user agent.
pub fn product_token(user_agent: &str) -> &str {
    let end = user_agent.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    &user_agent[..end.unwrap_or(user_agent.len())]
}

/// Media types whose bodies are downloaded: `type/subtype`, `type/*`, `*+suffix` or `*/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyTypes(Vec<String>);

/// The default of `--body-types`.
pub const DEFAULT_BODY_TYPES: &str = "text/*, application/xhtml+xml, application/xml, application/json, *+xml, *+json";

impl Default for BodyTypes {
    fn default() -> Self {
        Self(split_types(DEFAULT_BODY_TYPES))
    }
}

impl std::str::FromStr for BodyTypes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let types = split_types(text);
        for pattern in &types {
            let whole = pattern.starts_with("*+") && pattern.len() > 2;
            let halves = pattern.split_once('/').is_some_and(|(top, sub)| {
                let plain = |half: &str| !half.is_empty() && !half.contains(['/', ' ', '*']);
                (plain(top) && (plain(sub) || sub == "*")) || pattern == "*/*"
            });
            if !whole && !halves {
                return Err(format!("`{pattern}` is no media type; write `text/html`, `text/*`, `*+xml` or `*/*`"));
            }
        }
        if types.is_empty() { Err("names no media type; `*/*` means all".into()) } else { Ok(Self(types)) }
    }
}

fn split_types(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_ascii_lowercase()).filter(|part| !part.is_empty()).collect()
}

impl BodyTypes {
    /// Whether a body of this essence (`type/subtype`, lower case, no parameters) is wanted.
    pub fn wants(&self, essence: &str) -> bool {
        self.0.iter().any(|pattern| {
            if pattern == "*/*" || pattern == essence {
                return true;
            }
            if let Some(suffix) = pattern.strip_prefix('*') {
                return essence.ends_with(suffix);
            }
            pattern.strip_suffix('*').is_some_and(|top| top.ends_with('/') && essence.starts_with(top))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_types_match_by_type_wildcard_and_suffix() {
        let types = BodyTypes::default();
        for wanted in ["text/html", "text/plain", "application/atom+xml", "application/ld+json", "image/svg+xml"] {
            assert!(types.wants(wanted), "{wanted}");
        }
        for left in ["image/png", "application/pdf", "application/octet-stream"] {
            assert!(!types.wants(left), "{left}");
        }
        assert!("*/*".parse::<BodyTypes>().unwrap().wants("image/png"));
        for bad in ["html", "", "text/", "/html", "*/html", "te*t/html", "text/*+xml", "text/a/b"] {
            assert!(bad.parse::<BodyTypes>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_product_token_ends_before_the_version() {
        assert_eq!(product_token("harvestman/0.1 (+https://example.org)"), "harvestman");
        assert_eq!(product_token("My-Bot_x 2"), "My-Bot_x");
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_name() {
        let config = Config { rate: f64::NAN, ..Config::default() };
        assert_eq!(config.validate().unwrap_err().option, "rate");
        assert!(Config::default().validate().is_ok());
    }
}
