//! The tool that crawls, within what the command line allows.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::canonical::{CanonicalUrl, without_userinfo};
use crate::cli::args::CrawlArgs;
use crate::cli::console::Console;
use crate::cli::failure::Failure;
use crate::cli::questions::Source;
use crate::cli::{index, settings};
use crate::config::{Config, Recrawl, ScopeKind};
use crate::engine::{Crawl, Hook, Summary};
use crate::read::{Database, ReadError};

use super::answers::{Answered, arguments};
use super::reach::Reach;

/// The most that one call may ask for.
pub const MAX_PAGES: u32 = 1_000;
pub const MAX_SECONDS: u32 = 600;
/// A known page is fetched again once it is older, unless it is asked for.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub struct Crawler {
    source: Source,
    reach: Arc<[Reach]>,
    console: Console,
    /// One crawl at a time.
    turn: Mutex<()>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    seeds: Vec<String>,
    #[serde(default = "fifty")]
    max_pages: u32,
    max_depth: Option<u32>,
    #[serde(default = "most_clients_wait")]
    max_seconds: u32,
    #[serde(default)]
    again: bool,
}

fn fifty() -> u32 {
    50
}

/// Below the minute after which clients give a tool up.
fn most_clients_wait() -> u32 {
    45
}

/// Keeps a crawl within what is allowed, wherever links, redirects and sitemaps lead.
struct Fence(Arc<[Reach]>);

impl Hook for Fence {
    fn skip(&self, url: &Url) -> Option<String> {
        (!covers(&self.0, url)).then(|| "outside of --allow-crawl".to_owned())
    }
}

fn covers(reach: &[Reach], url: &Url) -> bool {
    reach.iter().any(|reach| reach.covers(url))
}

impl Crawler {
    pub fn new(source: Source, reach: Vec<Reach>, console: Console) -> Self {
        Self { source, reach: reach.into(), console, turn: Mutex::new(()) }
    }

    /// What is allowed, in words.
    pub fn reach(&self) -> String {
        self.reach.iter().map(Reach::to_string).collect::<Vec<_>>().join(", ")
    }

    pub async fn call(&self, given: Value, cancel: CancellationToken) -> Result<Answered, Failure> {
        let asked: Asked = arguments(given)?;
        let seeds = self.seeds(&asked.seeds)?;
        let Ok(_turn) = self.turn.try_lock() else {
            return Err(Failure::new("a crawl is under way: wait for its answer, or ask `query` how it stands"));
        };
        self.must_be_ours().await?;
        let config = self.config(&asked, &seeds)?;
        let crawl = Crawl::new(seeds.iter().map(CanonicalUrl::as_str)).map_err(|e| Failure::new(e.to_string()))?;
        let crawl =
            crawl.config(config).database(&self.source.database).hook(Fence(self.reach.clone())).cancelled_by(cancel);
        let summary = crawl.start().await?.finish().await?;
        index::bring_up_to_date(&self.source.database, &self.console, || false).await?;
        Ok(self.told(&summary))
    }

    /// The seeds, if all may be crawled.
    fn seeds(&self, given: &[String]) -> Result<Vec<CanonicalUrl>, Failure> {
        if given.is_empty() || given.len() > 100 {
            return Err(Failure::new("give one seed at least, and a hundred at most"));
        }
        let seed = |seed: &String| {
            let url = CanonicalUrl::parse(seed)
                .map_err(|e| Failure::new(format!("the seed `{}`: {e}", without_userinfo(seed))))?;
            match covers(&self.reach, url.url()) {
                true => Ok(url),
                false => {
                    let failure = Failure::new(format!("`{url}` is outside of what may be crawled: {}", self.reach()));
                    Err(failure.hint("only the user can allow more, with --allow-crawl"))
                }
            }
        };
        given.iter().map(seed).collect()
    }

    /// A crawl judges all that its database holds by its own scope. So that no other crawl's URLs are touched, the database
    /// holds what may be crawled, and nothing else.
    async fn must_be_ours(&self) -> Result<(), Failure> {
        if matches!(Database::open(&self.source.database), Err(ReadError::Missing { .. } | ReadError::Open { .. })) {
            // The crawl makes it, or says why it cannot.
            return Ok(());
        }
        let (source, reach) = (self.source.clone(), self.reach.clone());
        let foreign = tokio::task::spawn_blocking(move || {
            source.ask(|db| {
                for row in db.query("select url from _url where state < 3", [])? {
                    let url: String = row?.at(0)?;
                    if Url::parse(&url).is_ok_and(|parsed| !covers(&reach, &parsed)) {
                        return Ok(Some(url));
                    }
                }
                Ok(None)
            })
        });
        match foreign.await {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(url))) => {
                let failure = Failure::new(format!(
                    "the database holds URLs outside of what may be crawled, such as `{url}`, and is left alone"
                ));
                Err(failure.hint("only the user can name another with --database, or allow more with --allow-crawl"))
            }
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(Failure::new("the tool broke down, which is a bug")),
        }
    }

    /// The settings of the folder, within the limits of the call.
    fn config(&self, asked: &Asked, seeds: &[CanonicalUrl]) -> Result<Config, Failure> {
        let (config, _) = settings::settle(&CrawlArgs::default())?;
        let least = |one: u32, other: Option<u64>| u64::from(one).min(other.unwrap_or(u64::MAX));
        let is_named =
            |seed: &CanonicalUrl| self.reach.iter().any(|reach| reach.names_hosts() && reach.covers(seed.url()));
        Ok(Config {
            // The fence says how far.
            scope: ScopeKind::Any,
            max_pages: Some(least(asked.max_pages.clamp(1, MAX_PAGES), config.max_pages)),
            max_depth: asked.max_depth.or(config.max_depth),
            max_duration: Some(Duration::from_secs(asked.max_seconds.clamp(1, MAX_SECONDS).into())),
            recrawl_after: Recrawl::After(if asked.again { Duration::ZERO } else { DAY }),
            deny_private: config.deny_private || !seeds.iter().all(is_named),
            ..config
        })
    }

    fn told(&self, summary: &Summary) -> Answered {
        let data = json!(summary);
        let pending = summary.accounting.pending;
        let note = (pending > 0).then(|| format!("{pending} URLs are left: the same call goes on with them."));
        Answered { note, data: data.to_string(), is_of_the_web: false }
    }
}
