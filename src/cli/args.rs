//! What the user may type: all optional, turned into a [`Config`] once.

pub mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Config, DEFAULT_BODY_TYPES, ScopeKind};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;
use url::Url;

use super::job::Job;
use super::threshold::Threshold;
use values::{Age, HeaderLine, Pattern, Since, Size, Span, Types, proxy, rate};

/// A polite, resumable web crawler: from a seed list to a SQLite database
#[derive(Debug, Parser)]
#[command(name = "harvestman", version, max_term_width = 110, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more: each URL; twice: also robots.txt, retries and hosts that ask for time
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// How log lines are written
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Crawl from seeds into a database; the same command continues an interrupted crawl
    Crawl(Box<CrawlArgs>),
    /// Run read-only SQL on the database, or a recipe
    Query {
        #[command(flatten)]
        database: DatabaseArg,
        #[command(flatten)]
        question: Question,
        /// The value of :NAME in the SQL; repeatable
        #[arg(long, value_name = "NAME=VALUE")]
        param: Vec<Param>,
        #[arg(long, default_value = "table")]
        format: Format,
    },
    /// Full-text search over titles, descriptions and texts, best first
    Search {
        #[command(flatten)]
        database: DatabaseArg,
        /// In the syntax of SQLite's FTS5: words, "a phrase", word*, AND, OR, NOT, NEAR(a b), title: word
        #[arg(required = true)]
        words: Vec<String>,
        /// Only pages of this host, such as example.com or https://example.com
        #[arg(long, value_name = "HOST")]
        host: Option<String>,
        /// Hits, at most
        #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..), allow_hyphen_values = true)]
        limit: u32,
        #[arg(long, default_value = "table")]
        format: Format,
    },
    /// What the database holds: accounting, runs, hosts, queue
    Status(DatabaseArg),
    /// One page and all about it
    Show {
        #[command(flatten)]
        database: DatabaseArg,
        url: String,
        #[command(flatten)]
        part: Part,
    },
    /// Write the pages as JSON lines, CSV, WARC or sitemap
    Export(ExportArgs),
    /// One self-contained HTML file with plots: how the crawl went and what it found
    Report {
        #[command(flatten)]
        database: DatabaseArg,
        /// The file to write; - for standard output
        #[arg(short, long, value_name = "FILE", default_value = "report.html")]
        output: String,
    },
    /// Why a URL was or was not fetched: how it was found, scope, robots rule, requests, and what happens next
    Explain {
        #[command(flatten)]
        database: DatabaseArg,
        /// In any spelling; it need not be in the database
        url: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Which pages are new, changed, gone or restored
    Changes {
        #[command(flatten)]
        database: DatabaseArg,
        /// From this run on, or from this day or moment (UTC) on [default: the last run]
        #[arg(long, value_name = "RUN|DATE")]
        since: Option<Since>,
        /// Show what changed in the readable text, as far as crawl --keep-versions kept it
        #[arg(long)]
        diff: bool,
        #[arg(long, default_value = "table")]
        format: Format,
    },
    /// Give the space that is free in the database back to the file system
    Vacuum(DatabaseArg),
    /// Say which URLs a robots.txt allows
    Robots {
        /// A file or an http(s) URL
        robots: String,
        #[arg(required = true)]
        urls: Vec<String>,
        /// The product token to match
        #[arg(long, value_name = "TOKEN", default_value = "harvestman")]
        user_agent: String,
    },
    /// Serve a bundled site on loopback and crawl it; needs no network
    Demo {
        /// SQLite file, created if absent
        #[arg(short, long, default_value = "demo.db")]
        database: String,
    },
    /// Print a completion script
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
}

#[derive(Debug, Clone, Args)]
pub struct DatabaseArg {
    /// The crawl's SQLite file [default: what harvestman.toml says, or crawl.db]
    #[arg(short, long, env = "HARVESTMAN_DATABASE")]
    pub database: Option<String>,
}

#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct Question {
    /// What to ask
    #[arg(allow_hyphen_values = true)]
    pub sql: Option<String>,
    /// Run a useful query by its name
    #[arg(long, value_name = "NAME")]
    pub recipe: Option<String>,
    /// Show the recipes
    #[arg(long)]
    pub list: bool,
}

/// A parameter of a query as `name=value`.
#[derive(Debug, Clone)]
pub struct Param {
    pub name: String,
    pub value: String,
}

impl std::str::FromStr for Param {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("write a parameter as name=value")?;
        Ok(Self { name: name.trim_start_matches([':', '@', '$']).to_owned(), value: value.to_owned() })
    }
}

#[derive(Debug, Clone, Copy, Args)]
#[group(multiple = false)]
pub struct Part {
    /// The body as received
    #[arg(long)]
    pub body: bool,
    /// The readable text
    #[arg(long)]
    pub text: bool,
    /// The response headers
    #[arg(long)]
    pub headers: bool,
    /// The links found on it
    #[arg(long)]
    pub links: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Json,
    Jsonl,
    Csv,
}

#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    pub database: DatabaseArg,
    #[arg(long)]
    pub format: ExportFormat,
    /// A file, which is replaced once the new one is whole; or - for standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Columns of the view `pages`, or `body`; of jsonl and csv [default: all of `pages`]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub columns: Option<Vec<String>>,
    /// Only the pages for which this SQL expression holds, e.g. "status = 200 and depth < 3"
    #[arg(long = "where", value_name = "SQL", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Where the parts of a split sitemap will lie [default: the root of the pages' host]
    #[arg(long, value_name = "URL")]
    pub sitemap_base: Option<Url>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    Jsonl,
    Csv,
    /// WARC/1.1, a gzip member a record; by custom its name ends in .warc.gz
    Warc,
    /// sitemaps.org: the HTML pages of one host; above 50,000 an index, and parts beside it
    Sitemap,
}

macro_rules! on_off {
    () => {
        "true"
    };
}

/// The options of `crawl`, as typed or as read from a TOML file.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CrawlArgs {
    /// A file with one URL a line, a URL, or - for standard input
    #[arg(required = true, value_name = "SEED")]
    #[serde(skip)]
    pub seeds: Vec<String>,
    /// SQLite file, created if absent [default: crawl.db]
    #[arg(short, long, env = "HARVESTMAN_DATABASE")]
    pub database: Option<String>,
    /// TOML file whose keys are these options' names [default: harvestman.toml if present]
    #[arg(long, value_name = "FILE", env = "HARVESTMAN_CONFIG")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// How far from the seeds [default: host]
    #[arg(long, env = "HARVESTMAN_SCOPE")]
    pub scope: Option<ScopeKind>,
    /// Only URLs that match; repeatable
    #[arg(long, value_name = "REGEX", env = "HARVESTMAN_INCLUDE")]
    #[serde(default)]
    pub include: Vec<Pattern>,
    /// No URLs that match; repeatable
    #[arg(long, value_name = "REGEX", env = "HARVESTMAN_EXCLUDE")]
    #[serde(default)]
    pub exclude: Vec<Pattern>,
    /// Links away from a seed [default: unlimited]
    #[arg(long, value_name = "N", env = "HARVESTMAN_MAX_DEPTH")]
    pub max_depth: Option<u32>,
    /// Responses stored by this invocation [default: unlimited]
    #[arg(long, value_name = "N", env = "HARVESTMAN_MAX_PAGES")]
    pub max_pages: Option<u64>,
    /// The same for each host [default: unlimited]
    #[arg(long, value_name = "N", env = "HARVESTMAN_MAX_PAGES_PER_HOST")]
    pub max_pages_per_host: Option<u64>,
    /// Stop cleanly after, e.g. 50m; requests in flight get ten seconds more [default: unlimited]
    #[arg(long, value_name = "DURATION", env = "HARVESTMAN_MAX_DURATION")]
    pub max_duration: Option<Span>,
    /// Decoded; a larger body is a failure [default: 10MiB]
    #[arg(long, value_name = "SIZE", env = "HARVESTMAN_MAX_BODY_SIZE")]
    pub max_body_size: Option<Size>,
    /// Workers [default: 64]
    #[arg(long, value_name = "N", env = "HARVESTMAN_CONCURRENCY")]
    pub concurrency: Option<usize>,
    /// Requests in flight [default: as many as workers]
    #[arg(long, value_name = "N", env = "HARVESTMAN_MAX_CONNECTIONS")]
    pub max_connections: Option<usize>,
    /// Requests in flight to one host [default: 2]
    #[arg(long, value_name = "N", env = "HARVESTMAN_MAX_CONNECTIONS_PER_HOST")]
    pub max_connections_per_host: Option<usize>,
    /// Requests per second to one host, 0 for no limit; a longer Crawl-delay wins [default: 2]
    #[arg(long, value_name = "N", env = "HARVESTMAN_RATE", value_parser = rate, allow_hyphen_values = true)]
    pub rate: Option<f64>,
    /// Requests per second in all, 0 for no limit [default: 0]
    #[arg(long, value_name = "N", env = "HARVESTMAN_GLOBAL_RATE", value_parser = rate, allow_hyphen_values = true)]
    pub global_rate: Option<f64>,
    /// Fetch what robots.txt forbids, and follow nofollow links
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = on_off!(), value_name = "BOOL", env = "HARVESTMAN_IGNORE_ROBOTS")]
    pub ignore_robots: Option<bool>,
    /// The User-Agent; its product token is what robots.txt is matched against
    #[arg(long, value_name = "TEXT", env = "HARVESTMAN_USER_AGENT")]
    pub user_agent: Option<String>,
    /// The whole request [default: 30s]
    #[arg(long, value_name = "DURATION", env = "HARVESTMAN_TIMEOUT")]
    pub timeout: Option<Span>,
    /// The connection [default: 10s]
    #[arg(long, value_name = "DURATION", env = "HARVESTMAN_CONNECT_TIMEOUT")]
    pub connect_timeout: Option<Span>,
    /// Tries after the first, for what may pass [default: 3]
    #[arg(long, value_name = "N", env = "HARVESTMAN_RETRIES")]
    pub retries: Option<u32>,
    /// The longest to wait for a host that asked for time [default: 10m]
    #[arg(long, value_name = "DURATION", env = "HARVESTMAN_MAX_WAIT")]
    pub max_wait: Option<Span>,
    /// Hops in a row [default: 10]
    #[arg(long, value_name = "N", env = "HARVESTMAN_MAX_REDIRECTS")]
    pub max_redirects: Option<u32>,
    /// Longer URLs are skipped [default: 4096]
    #[arg(long, value_name = "N", env = "HARVESTMAN_MAX_URL_LENGTH")]
    pub max_url_length: Option<usize>,
    /// Sent with every request; repeatable
    #[arg(long, value_name = "'NAME: VALUE'", env = "HARVESTMAN_HEADER")]
    #[serde(default)]
    pub header: Vec<HeaderLine>,
    /// Proxy URL [default: from the environment]
    #[arg(long, value_name = "URL", env = "HARVESTMAN_PROXY", value_parser = proxy)]
    pub proxy: Option<String>,
    /// In a new run, leave pages alone that were fetched less than this ago; `auto`: each at an interval that follows
    /// its changes [default: 0s]
    #[arg(long, value_name = "DURATION|auto", env = "HARVESTMAN_RECRAWL_AFTER")]
    pub recrawl_after: Option<Age>,
    /// The shortest interval of `auto` [default: 1h]
    #[arg(long, value_name = "DURATION", env = "HARVESTMAN_RECRAWL_MIN")]
    pub recrawl_min: Option<Span>,
    /// The longest interval of `auto` [default: 30d]
    #[arg(long, value_name = "DURATION", env = "HARVESTMAN_RECRAWL_MAX")]
    pub recrawl_max: Option<Span>,
    /// In a new run, leave pages alone whose Cache-Control or Expires says that they are fresh
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = on_off!(), value_name = "BOOL", env = "HARVESTMAN_RESPECT_CACHE")]
    pub respect_cache: Option<bool>,
    /// Give up an interrupted run instead of continuing it
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = on_off!(), value_name = "BOOL", env = "HARVESTMAN_FRESH")]
    pub fresh: Option<bool>,
    #[arg(long, value_name = "TYPES", env = "HARVESTMAN_BODY_TYPES", help = format!("Media types whose bodies are downloaded [default: {DEFAULT_BODY_TYPES}]"))]
    pub body_types: Option<Types>,
    /// Do not store bodies
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = on_off!(), value_name = "BOOL", env = "HARVESTMAN_NO_BODIES")]
    pub no_bodies: Option<bool>,
    /// Do not store links
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = on_off!(), value_name = "BOOL", env = "HARVESTMAN_NO_LINKS")]
    pub no_links: Option<bool>,
    /// Also take the URLs of the hosts' sitemaps: those robots.txt names, else /sitemap.xml
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = on_off!(), value_name = "BOOL", env = "HARVESTMAN_SITEMAPS")]
    pub sitemaps: Option<bool>,
    /// Do not store readable text; titles and descriptions are kept
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = on_off!(), value_name = "BOOL", env = "HARVESTMAN_NO_TEXT")]
    pub no_text: Option<bool>,
    /// Index for full-text search at the end, which the first search does otherwise
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = on_off!(), value_name = "BOOL", env = "HARVESTMAN_INDEX")]
    pub index: Option<bool>,
    /// Of a page that changes or goes away, keep up to N older versions; 0 keeps none [default: 0]
    #[arg(long, value_name = "N", env = "HARVESTMAN_KEEP_VERSIONS")]
    pub keep_versions: Option<u32>,
    /// At the end of a run, delete the fetches and changes of all but the last N runs [default: keep all]
    #[arg(long, value_name = "N", env = "HARVESTMAN_KEEP_RUNS")]
    pub keep_runs: Option<u32>,
    /// Print the closing summary as one JSON object
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = on_off!(), value_name = "BOOL", env = "HARVESTMAN_JSON")]
    pub json: Option<bool>,
    /// Exit with 5 if it holds in the end, e.g. 'failed>10%' (of what was discovered) or 'fetched<100'; repeatable
    #[arg(long, value_name = "THRESHOLD", env = "HARVESTMAN_FAIL_ON")]
    #[serde(default)]
    pub fail_on: Vec<Threshold>,
    /// Wait this long for a database that another crawl holds [default: 0s]
    #[arg(long, value_name = "DURATION", env = "HARVESTMAN_WAIT_LOCK")]
    pub wait_lock: Option<Span>,
    /// Write the log to this file too, after what it holds; --quiet is not for it
    #[arg(long, value_name = "FILE", env = "HARVESTMAN_LOG_FILE")]
    pub log_file: Option<PathBuf>,
    /// Serve figures for Prometheus at /metrics and /healthz there, e.g. 127.0.0.1:9464
    #[arg(long, value_name = "ADDRESS", env = "HARVESTMAN_METRICS")]
    pub metrics: Option<SocketAddr>,
}

impl CrawlArgs {
    /// Fills what was not typed from `file`.
    pub fn or(self, file: Self) -> Self {
        let either = |typed: Vec<Pattern>, file: Vec<Pattern>| if typed.is_empty() { file } else { typed };
        Self {
            seeds: self.seeds,
            database: self.database.or(file.database),
            config: self.config,
            scope: self.scope.or(file.scope),
            include: either(self.include, file.include),
            exclude: either(self.exclude, file.exclude),
            max_depth: self.max_depth.or(file.max_depth),
            max_pages: self.max_pages.or(file.max_pages),
            max_pages_per_host: self.max_pages_per_host.or(file.max_pages_per_host),
            max_duration: self.max_duration.or(file.max_duration),
            max_body_size: self.max_body_size.or(file.max_body_size),
            concurrency: self.concurrency.or(file.concurrency),
            max_connections: self.max_connections.or(file.max_connections),
            max_connections_per_host: self.max_connections_per_host.or(file.max_connections_per_host),
            rate: self.rate.or(file.rate),
            global_rate: self.global_rate.or(file.global_rate),
            ignore_robots: self.ignore_robots.or(file.ignore_robots),
            user_agent: self.user_agent.or(file.user_agent),
            timeout: self.timeout.or(file.timeout),
            connect_timeout: self.connect_timeout.or(file.connect_timeout),
            retries: self.retries.or(file.retries),
            max_wait: self.max_wait.or(file.max_wait),
            max_redirects: self.max_redirects.or(file.max_redirects),
            max_url_length: self.max_url_length.or(file.max_url_length),
            header: if self.header.is_empty() { file.header } else { self.header },
            proxy: self.proxy.or(file.proxy),
            recrawl_after: self.recrawl_after.or(file.recrawl_after),
            recrawl_min: self.recrawl_min.or(file.recrawl_min),
            recrawl_max: self.recrawl_max.or(file.recrawl_max),
            respect_cache: self.respect_cache.or(file.respect_cache),
            fresh: self.fresh.or(file.fresh),
            body_types: self.body_types.or(file.body_types),
            no_bodies: self.no_bodies.or(file.no_bodies),
            no_links: self.no_links.or(file.no_links),
            sitemaps: self.sitemaps.or(file.sitemaps),
            no_text: self.no_text.or(file.no_text),
            index: self.index.or(file.index),
            keep_versions: self.keep_versions.or(file.keep_versions),
            keep_runs: self.keep_runs.or(file.keep_runs),
            json: self.json.or(file.json),
            fail_on: if self.fail_on.is_empty() { file.fail_on } else { self.fail_on },
            wait_lock: self.wait_lock.or(file.wait_lock),
            log_file: self.log_file.or(file.log_file),
            metrics: self.metrics.or(file.metrics),
        }
    }

    /// How the crawl is run as a job.
    pub fn to_job(&self) -> Job {
        Job {
            json: self.json.unwrap_or(false),
            index: self.index.unwrap_or(false),
            fail_on: self.fail_on.clone(),
            wait_lock: self.wait_lock.map_or(Duration::ZERO, |span| span.0),
            metrics: self.metrics,
        }
    }

    /// The settings these options amount to.
    pub fn to_config(&self) -> Config {
        let d = Config::default();
        let span = |typed: Option<Span>, default| typed.map_or(default, |span| span.0);
        Config {
            scope: self.scope.unwrap_or(d.scope),
            include: self.include.iter().map(|pattern| pattern.0.clone()).collect(),
            exclude: self.exclude.iter().map(|pattern| pattern.0.clone()).collect(),
            max_depth: self.max_depth,
            max_pages: self.max_pages,
            max_pages_per_host: self.max_pages_per_host,
            max_duration: self.max_duration.map(|span| span.0),
            max_body_size: self.max_body_size.map_or(d.max_body_size, |size| size.0),
            concurrency: self.concurrency.unwrap_or(d.concurrency),
            max_connections: self.max_connections,
            max_connections_per_host: self.max_connections_per_host.unwrap_or(d.max_connections_per_host),
            rate: self.rate.unwrap_or(d.rate),
            global_rate: self.global_rate.unwrap_or(d.global_rate),
            ignore_robots: self.ignore_robots.unwrap_or(d.ignore_robots),
            user_agent: self.user_agent.clone().unwrap_or(d.user_agent),
            timeout: span(self.timeout, d.timeout),
            connect_timeout: span(self.connect_timeout, d.connect_timeout),
            retries: self.retries.unwrap_or(d.retries),
            max_wait: span(self.max_wait, d.max_wait),
            max_redirects: self.max_redirects.unwrap_or(d.max_redirects),
            no_proxy: d.no_proxy,
            max_url_length: self.max_url_length.unwrap_or(d.max_url_length),
            headers: self.header.iter().map(|line| (line.0.clone(), line.1.clone())).collect(),
            proxy: self.proxy.clone(),
            recrawl_after: self.recrawl_after.map_or(d.recrawl_after, |age| age.0),
            recrawl_min: span(self.recrawl_min, d.recrawl_min),
            recrawl_max: span(self.recrawl_max, d.recrawl_max),
            respect_cache: self.respect_cache.unwrap_or(d.respect_cache),
            fresh: self.fresh.unwrap_or(d.fresh),
            body_types: self.body_types.clone().map_or(d.body_types, |types| types.0),
            store_bodies: !self.no_bodies.unwrap_or(false),
            store_links: !self.no_links.unwrap_or(false),
            sitemaps: self.sitemaps.unwrap_or(d.sitemaps),
            store_text: !self.no_text.unwrap_or(false),
            keep_versions: self.keep_versions.unwrap_or(d.keep_versions),
            keep_runs: self.keep_runs,
        }
    }
}
