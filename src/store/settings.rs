//! What an invocation was told, kept beside its crawl: `explain` judges by it what has never been seen.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::{Config, Recrawl, ScopeKind};
use crate::policy::politeness;
use crate::visit::Millis;

/// The settings that decide on a single URL. The seeds are rows of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settings {
    scope: ScopeKind,
    include: Vec<String>,
    exclude: Vec<String>,
    max_depth: Option<u32>,
    max_url_length: usize,
    ignore_robots: bool,
    user_agent: String,
    rate: f64,
    retries: u32,
    max_redirects: u32,
    max_body_size: u64,
    /// None: each page at its own interval.
    recrawl_after_ms: Option<Millis>,
    recrawl_min_ms: Millis,
    recrawl_max_ms: Millis,
}

impl Settings {
    pub fn of(config: &Config) -> Self {
        let texts = |patterns: &[regex::Regex]| patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect();
        Self {
            scope: config.scope,
            include: texts(&config.include),
            exclude: texts(&config.exclude),
            max_depth: config.max_depth,
            max_url_length: config.max_url_length,
            ignore_robots: config.ignore_robots,
            user_agent: config.user_agent.clone(),
            rate: config.rate,
            retries: config.retries,
            max_redirects: config.max_redirects,
            max_body_size: config.max_body_size,
            recrawl_after_ms: match config.recrawl_after {
                Recrawl::After(age) => Some(politeness::millis(age)),
                Recrawl::Auto => None,
            },
            recrawl_min_ms: politeness::millis(config.recrawl_min),
            recrawl_max_ms: politeness::millis(config.recrawl_max),
        }
    }

    /// The same as a [`Config`], whose other settings are the defaults.
    pub fn to_config(&self) -> Result<Config, regex::Error> {
        let patterns =
            |texts: &[String]| texts.iter().map(|text| regex::Regex::new(text)).collect::<Result<Vec<_>, _>>();
        let span = |ms: Millis| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        Ok(Config {
            scope: self.scope,
            include: patterns(&self.include)?,
            exclude: patterns(&self.exclude)?,
            max_depth: self.max_depth,
            max_url_length: self.max_url_length,
            ignore_robots: self.ignore_robots,
            user_agent: self.user_agent.clone(),
            rate: self.rate,
            retries: self.retries,
            max_redirects: self.max_redirects,
            max_body_size: self.max_body_size,
            recrawl_after: self.recrawl_after_ms.map_or(Recrawl::Auto, |age| Recrawl::After(span(age))),
            recrawl_min: span(self.recrawl_min_ms),
            recrawl_max: span(self.recrawl_max_ms),
            ..Config::default()
        })
    }
}
