//! What the user may type.

mod common;
mod crawl;
mod examples;
mod export;
mod open;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum, ValueHint};

use super::audit::threshold::AuditThreshold;
use super::job::Extraction;
use super::mistyped::{self, Meant};

pub use common::{DatabaseArg, Form, Format, Since, Wide};
pub use crawl::CrawlArgs;
pub use export::{ExportArgs, ExportFormat};
pub use open::{McpArgs, OpenArgs};

/// A polite, resumable web crawler: from a seed list to a SQLite database
#[derive(Debug, Parser)]
#[command(name = "harvestman", version, propagate_version = true, max_term_width = 110)]
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
    #[command(after_help = examples::CRAWL)]
    Crawl(Box<CrawlArgs>),
    /// Run read-only SQL on the database, or a recipe; show what can be asked
    #[command(after_help = examples::QUERY)]
    Query {
        #[command(flatten)]
        database: DatabaseArg,
        #[command(flatten)]
        question: Question,
        /// The value of :NAME in the SQL; repeatable
        #[arg(long, value_name = "NAME=VALUE")]
        param: Vec<Param>,
        #[command(flatten)]
        form: Form,
    },
    /// Full-text search over titles, descriptions and texts, best first
    #[command(after_help = examples::SEARCH)]
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
        #[command(flatten)]
        form: Form,
    },
    /// What the database holds: accounting, runs, hosts, queue
    #[command(after_help = examples::STATUS)]
    Status {
        #[command(flatten)]
        database: DatabaseArg,
        #[arg(long, default_value = "table")]
        format: StatusFormat,
        #[command(flatten)]
        wide: Wide,
    },
    /// One page and all about it
    #[command(after_help = examples::SHOW)]
    Show {
        #[command(flatten)]
        database: DatabaseArg,
        url: String,
        #[command(flatten)]
        part: Part,
        #[command(flatten)]
        wide: Wide,
    },
    /// Write the pages as JSON lines, CSV, WARC, WACZ, sitemap or Markdown
    #[command(after_help = examples::EXPORT)]
    Export(ExportArgs),
    /// Look at the crawl in the browser, also while it runs: pages, links, search, SQL; served on loopback, read-only
    #[command(after_help = examples::OPEN)]
    Open {
        #[command(flatten)]
        database: DatabaseArg,
        #[command(flatten)]
        how: OpenArgs,
    },
    /// Let an agent's program read the crawl by the Model Context Protocol, over standard input and output
    #[command(after_help = examples::MCP)]
    Mcp {
        #[command(flatten)]
        database: DatabaseArg,
        #[command(flatten)]
        how: McpArgs,
    },
    /// One self-contained HTML file with plots: how the crawl went and what it found
    #[command(after_help = examples::REPORT)]
    Report {
        #[command(flatten)]
        database: DatabaseArg,
        /// The file to write; - for standard output
        #[arg(short, long, value_name = "FILE", default_value = "report.html")]
        output: String,
    },
    /// Why a URL was or was not fetched: how it was found, scope, robots rule, requests, and what happens next
    #[command(after_help = examples::EXPLAIN)]
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
    #[command(after_help = examples::CHANGES)]
    Changes {
        #[command(flatten)]
        database: DatabaseArg,
        /// From this run on, or from this day or moment (UTC) on [default: the last run]
        #[arg(long, value_name = "RUN|DATE")]
        since: Option<Since>,
        /// Show what changed in the readable text, as far as crawl --keep-versions kept it
        #[arg(long)]
        diff: bool,
        #[command(flatten)]
        form: Form,
    },
    /// What is wrong with the site, from what is stored of it: broken links, titles, indexing, headers
    #[command(after_help = examples::AUDIT)]
    Audit(AuditArgs),
    /// Derive data from stored pages, without asking their servers: metadata, articles, items by rules
    #[command(after_help = examples::EXTRACT)]
    Extract(ExtractArgs),
    /// Copy a crawl from one database to another, SQLite or PostgreSQL; the same command goes on with one that was cut off
    #[command(after_help = examples::COPY)]
    Copy {
        /// A SQLite file, or postgres://USER@HOST/DATABASE
        from: String,
        /// The same: it is made, or empty, or holds a part of the same copy
        to: String,
    },
    /// Is the database sound, and what to do if it is not; exits with 1 then. It only reads
    #[command(after_help = examples::CHECK)]
    Check {
        #[command(flatten)]
        database: DatabaseArg,
        #[arg(long, default_value = "table")]
        format: StatusFormat,
        #[command(flatten)]
        wide: Wide,
    },
    /// Begin in this folder: write a harvestman.toml and a seeds.txt, after three questions
    #[command(after_help = examples::INIT)]
    Init {
        /// What is to be crawled; asked for if nothing is named
        #[arg(value_name = "SEED")]
        seeds: Vec<String>,
        /// Ask nothing, take the defaults
        #[arg(short, long)]
        yes: bool,
    },
    /// Give the space that is free in the database back to the file system
    #[command(after_help = examples::VACUUM)]
    Vacuum(DatabaseArg),
    /// Say which URLs a robots.txt allows
    #[command(after_help = examples::ROBOTS)]
    Robots {
        /// A robots.txt, as a file or as an http(s) URL, and URLs; or one URL alone, to which that of its host applies
        #[arg(required = true, value_name = "ROBOTS|URL")]
        robots: Vec<String>,
        /// The product token to match [default: that of the crawl's user agent]
        #[arg(long, value_name = "TOKEN", env = "HARVESTMAN_USER_AGENT", hide_env_values = true)]
        user_agent: Option<String>,
    },
    /// Serve a bundled site on loopback and crawl it; needs no network
    #[command(after_help = examples::DEMO)]
    Demo {
        /// SQLite file, created if absent, or postgres://USER@HOST/DATABASE
        #[arg(short, long, default_value = "demo.db", value_parser = NonEmptyStringValueParser::new())]
        database: String,
    },
    /// Print a completion script
    #[command(after_help = examples::COMPLETIONS)]
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    #[command(after_help = examples::MAN)]
    Man,
}

#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct Question {
    /// What to ask; - reads it from standard input
    #[arg(allow_hyphen_values = true, value_parser = sql)]
    pub sql: Option<String>,
    /// Run a useful query by its name
    #[arg(long, value_name = "NAME")]
    pub recipe: Option<String>,
    /// Show the recipes
    #[arg(long)]
    pub list: bool,
    /// Show the views, or the columns of one, and what they hold
    #[arg(long, value_name = "VIEW")]
    pub schema: Option<Option<String>>,
    /// Print a metadata.yaml for Datasette: views, columns and recipes described, tables hidden
    #[arg(long, conflicts_with_all = ["param", "format"])]
    pub datasette: bool,
}

/// The commands with the options that all have, such as --help.
pub fn built() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// SQL may begin with a comment, but a single word with hyphens before it is an option that does not exist.
fn sql(text: &str) -> Result<String, String> {
    if !text.starts_with('-') || text == "-" || text.contains(char::is_whitespace) {
        return Ok(text.to_owned());
    }
    let option = text.split('=').next().unwrap_or_default();
    let meant = built().find_subcommand("query").and_then(|query| mistyped::meant(option, query));
    let meant = meant.map_or_else(String::new, |meant| match meant {
        Meant::Option(option) => format!("; did you mean --{option}?"),
        Meant::Words(words) => format!("; {words}"),
    });
    Err(format!("there is no such option{meant}"))
}

/// What was typed, with the value of `crawl --extract` written out: what follows is its value only if it can be one, and may
/// be a seed otherwise.
pub fn spelt_out(typed: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut is_open = false;
    for word in typed {
        let value = word.to_str().and_then(Extraction::from_word);
        if std::mem::replace(&mut is_open, false) {
            words.push(format!("--extract={}", value.unwrap_or(Extraction::All).as_str()).into());
            if value.is_some() {
                continue;
            }
        }
        is_open =
            word == "--extract" && words.iter().any(|word| word == "crawl") && !words.iter().any(|word| word == "--");
        if !is_open {
            words.push(word);
        }
    }
    words.extend(is_open.then(|| "--extract=all".into()));
    words
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
    /// Its main content, as far as extract has found it
    #[arg(long)]
    pub markdown: bool,
    /// The response headers
    #[arg(long)]
    pub headers: bool,
    /// The links found on it
    #[arg(long)]
    pub links: bool,
    /// What it says of itself, as far as extract has read it
    #[arg(long)]
    pub metadata: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    Table,
    /// One object
    Json,
}

#[derive(Debug, Clone, Args)]
pub struct AuditArgs {
    #[command(flatten)]
    pub database: DatabaseArg,
    /// [default: what --output ends in, else table]
    #[arg(long)]
    pub format: Option<AuditFormat>,
    /// A file, which is replaced once the new one is whole; or - for standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
    /// Exit with 5 if it holds, e.g. 'error>0' or 'warning>=20'; repeatable
    #[arg(long, value_name = "THRESHOLD")]
    pub fail_on: Vec<AuditThreshold>,
    #[command(flatten)]
    pub wide: Wide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// How many of what, examples, how to fix them, and what was not checked
    Table,
    /// One object
    Json,
    Csv,
    /// SARIF 2.1.0
    Sarif,
    /// A workbook for spreadsheets: an overview, and a sheet a finding
    Xlsx,
}

#[derive(Debug, Clone, Args)]
pub struct ExtractArgs {
    #[command(flatten)]
    pub database: DatabaseArg,
    /// What to bring up to date [default: all three]; or what rules give of one page
    pub what: Option<What>,
    /// With `try`: a URL of the database, or an HTML file
    #[arg(value_name = "URL|FILE", required_if_eq("what", "try"))]
    pub target: Option<String>,
    /// Find items by this file of rules, or by one that comes with harvestman: product, article, event, job, recipe [default: those given last]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_if_eq("what", "try"))]
    pub rules: Option<String>,
    /// Print what there is then
    #[arg(long)]
    pub format: Option<Format>,
    #[command(flatten)]
    pub wide: Wide,
    /// Print only pages that are new or changed from this run on, or from this day or moment (UTC) on
    #[arg(long, value_name = "RUN|DATE")]
    pub since: Option<Since>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// What pages say of themselves: JSON-LD, Open Graph, headings, images …
    Metadata,
    /// Main content without navigation, as text and as Markdown
    Articles,
    /// What rules find: --rules
    Items,
    /// What rules give of one page, with the elements that they take
    Try,
}
