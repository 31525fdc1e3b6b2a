//! The crawl as a program that embeds it writes it down.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::hook::Hook;
use super::lifetime::Engine;
use super::running::RunningCrawl;
use super::summary::CrawlError;
use crate::canonical::{CanonicalUrl, UrlError, without_userinfo};
use crate::config::{Config, Login};
use crate::fetch::HttpClient;
use crate::store::Store;
use crate::store::copies::must_be_whole;
use crate::store::postgres::{PgDatabase, is_postgres};
use crate::store::sqlite::{SqliteDatabase, file_path};

/// Stored pages that wait for whoever follows the crawl; when so many wait, the crawl does too.
const PAGES_WAITING: usize = 16;

/// A seed that cannot be crawled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the seed `{seed}` cannot be crawled: {problem}")]
pub struct SeedError {
    seed: String,
    problem: UrlError,
}

impl SeedError {
    /// The text that was given as a seed.
    pub fn seed(&self) -> &str {
        &self.seed
    }
}

/// A crawl that is yet to be started: its seeds, its settings, its database.
///
/// Each setting has a method of its own, named like the option of the command line. A setting that cannot work is told
/// by [`start`](Self::start).
#[derive(Debug)]
#[must_use = "a crawl does nothing until it is started"]
pub struct Crawl {
    seeds: Vec<CanonicalUrl>,
    /// What stands in the seeds.
    logins: Vec<Login>,
    pub(super) config: Config,
    database: PathBuf,
    hook: Option<Arc<dyn Hook>>,
    cancel: CancellationToken,
}

impl Crawl {
    /// A crawl from these seeds into `crawl.db`, with the default settings. Credentials in a seed are sent to its host alone
    /// (scheme, name and port).
    ///
    /// # Errors
    ///
    /// The first seed that is no http(s) URL.
    pub fn new(seeds: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, SeedError> {
        let parse = |seed: &str| {
            CanonicalUrl::parse(seed).map_err(|problem| SeedError { seed: without_userinfo(seed), problem })
        };
        let (mut urls, mut logins) = (Vec::new(), Vec::new());
        for seed in seeds {
            urls.push(parse(seed.as_ref())?);
            logins.extend(Login::of_seed(seed.as_ref()));
        }
        let (config, hook, cancel) = Default::default();
        Ok(Self { seeds: urls, logins, config, database: "crawl.db".into(), hook, cancel })
    }

    /// Where the crawl is kept: the path of a SQLite file, which is created if it is absent, or its URL
    /// (`sqlite://crawl.db`); or the URL of a PostgreSQL database (`postgres://user@host/database`). A crawl that was
    /// interrupted is continued.
    pub fn database(self, database: impl AsRef<Path>) -> Self {
        Self { database: database.as_ref().to_owned(), ..self }
    }

    /// All settings at once, such as those of a file: see [`Config::from_toml`].
    pub fn config(self, config: Config) -> Self {
        Self { config, ..self }
    }

    /// Lets the program decide which URLs are fetched, and see responses before they are stored.
    pub fn hook(self, hook: impl Hook) -> Self {
        Self { hook: Some(Arc::new(hook)), ..self }
    }

    /// Stops the crawl cleanly once this token is cancelled: requests in flight get ten seconds to end, what was committed
    /// stays, and the rest is pending.
    pub fn cancelled_by(self, token: CancellationToken) -> Self {
        Self { cancel: token, ..self }
    }

    /// Opens the database and starts the crawl on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// Settings that cannot work, and a database that cannot be used, such as one that another crawl uses, or that holds a
    /// part of a copy.
    pub async fn start(self) -> Result<RunningCrawl, CrawlError> {
        self.config.validate()?;
        let fetcher = Arc::new(HttpClient::new(&self.config, &self.logins)?);
        if let Some(url) = self.database.to_str().filter(|database| is_postgres(database)) {
            let mut store = PgDatabase::open(url, &self.config).await?;
            must_be_whole(&mut store).await?;
            return Ok(self.start_on(store, fetcher));
        }
        let path = self.database.to_str().map_or_else(|| Ok(self.database.clone()), file_path)?;
        let mut store = SqliteDatabase::open(&path).await?;
        must_be_whole(&mut store).await?;
        Ok(self.start_on(store, fetcher))
    }

    fn start_on(self, store: impl Store + 'static, fetcher: Arc<HttpClient>) -> RunningCrawl {
        let (listener, pages) = mpsc::channel(PAGES_WAITING);
        let engine =
            Engine::new(self.config, self.seeds, store).delivering_to(listener).hooked(self.hook).fetched_by(fetcher);
        let progress = engine.progress();
        // The token that was given may stop more than this crawl.
        let cancel = self.cancel.child_token();
        let cancelled = cancel.clone().cancelled_owned();
        let runtime = Handle::current();
        // The writer waits for the disk more than it computes. On a thread of its own it need not wait for workers that
        // parse as well.
        let task = tokio::task::spawn_blocking(move || {
            runtime.block_on(async move {
                let (summary, store) = engine.run_until(cancelled).await?;
                store.close().await?;
                Ok(summary)
            })
        });
        RunningCrawl::new(pages, progress, cancel, task)
    }
}
