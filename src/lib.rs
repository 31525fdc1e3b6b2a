//! A web crawler that goes from a seed list to a SQLite (or PostgreSQL) database, politely, and loses nothing it saw.
//!
//! A crawl is written down with [`Crawl`], followed with [`RunningCrawl`], and read with [`Database`]:
//!
//! ```no_run
//! use harvestman::{Crawl, Database};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let crawl = Crawl::new(["https://books.toscrape.com/"])?.rate(5.0).max_pages(100).database("books.db");
//! let mut crawl = crawl.start().await?;
//! while let Some(page) = crawl.next().await {
//!     println!("{} {}", page.status(), page.url());
//! }
//! let summary = crawl.finish().await?;
//! println!("{} pages, {} URLs are pending", summary.accounting.fetched, summary.accounting.pending);
//!
//! for row in Database::open("books.db")?.query("select url from pages where title like ?1", ["%poetry%".into()])? {
//!     println!("{}", row?.get::<&str>("url")?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Pages arrive after their commit, each once; a slow listener slows the crawl. A [`Hook`] keeps URLs out by code and sees
//! responses before they are stored. Settings come one by one, or all at once from the same TOML that the command line
//! reads ([`Config::from_toml`]). The folder `examples` answers what embedders ask: follow pages, stop at a condition, keep
//! URLs out, read the database, run inside a web service.
//!
//! What follows is for those who work on the crawler.
//!
//! # Words
//!
//! - An *invocation* is one process of `crawl`. A *run* is what it works on: one pass over the seeds and what they lead to.
//!   An invocation that was stopped or killed leaves its run open, and the next one goes on with it.
//! - An *errand* is what a worker is handed: a page or a robots.txt to ask for, a URL to check, a host's sitemaps to take up,
//!   or a URL to refuse, of which the last two cost no request. It ends as exactly one *record*, which is what the writer stores.
//! - A *check* asks whether something is there that pages name and the crawl does not fetch. It waits on its host as a URL does,
//!   and is none.
//! - A *pattern* is a URL with its changing parts left open (`/tag/*`); its *budget* is how many more of its URLs are fetched
//!   while they bring nothing new.
//! - A *host clock* says when a host may be asked again. The clock of a page says when the page is due again.
//!
//! # How a URL travels
//!
//! ```text
//!  seeds ─ CanonicalUrl::parse ──────────────────► Store::begin ──► Run      durable first
//!                                                     │ pending
//!       ┌─────────────────────────────────────────────▼
//!       │                                         Frontier ─ next().await ──► Errand { Robots | Sitemaps | Page | Check | Refuse }
//!       │                                             ▲                          │
//!       │                         release(): rest     └──────────────────────────┤
//!       │                                                                        ▼
//!       │                                                    Fetch::fetch        a page's or robots.txt's one request
//!       │                                                                        ▼
//!       │                                                    parse_page, or      pure: no runtime, no database
//!       │                                                    sitemap::read
//!       │                                                                        ▼
//!       │                                                    PageReader          each link becomes a Candidate,
//!       │                                                    Scope::judge        each Candidate is judged
//!       │                                                                        ▼
//!       └── settle() ◄────── writer: a batch → one transaction ◄──────────────── Record
//!                            │  ▲
//!                  Standing  ▼  │  Word                              on PostgreSQL: how this node stands among others,
//!                        Run::report, take, give_back                and what it hears of them through the database
//! ```
//!
//! The cycle closes through the commit: the frontier never holds a URL that is not on disk, and a page and its links
//! become durable together. So resuming after `kill -9` is reading what is pending. Records reach the writer through a
//! bounded channel; the writer reaches the frontier by a plain call, which never waits for a worker, so the two cannot
//! block each other. A second bounded channel takes committed pages to whoever follows the crawl.
//!
//! Requests in flight never exceed the connections; besides, up to 512 answers wait for their commit, within the budget of
//! bytes. A crash costs no more requests than these.
//!
//! A module uses those that stand before it, and no other: `canonical`, `visit`, `config`, `scope`, `policy`, `parse`, `extract`; then
//! `frontier`, `fetch`, `store`, `warc`, which do not use each other; `engine` and `read`, which do not either; `cli`.
//! `demo` is the site of the command of that name, which the tests crawl too.
//!
//! # Where to look
//!
//! Decisions are functions without a runtime or a database. The store selects the rows that they need, calls them, and
//! writes their results.
//!
//! - What the settings are: `config::options`, each once. What an invocation was told is kept as one document:
//!   `config::document`, `Told`.
//! - Whether a URL is in scope: `scope`.
//! - Which depth a URL takes from the page that names it: `visit::words`, `Way::depth_below`; a seed's: `policy::begin`. What
//!   a better link changes of a known URL: `policy::offer`. How a shorter path is handed on along stored links:
//!   `policy::nearer`. Which depth is too deep: `scope`; whether a shorter path opens it again: `policy::nearer` too.
//! - What a host may be asked now: `frontier::host`. Which of its URLs is next: `policy::turn`. When the time ends in which a
//!   host is not asked, be it for its pace, a `Retry-After` or a back-off: `frontier::clock`, `free_at`. How long a back-off
//!   is, and whether and when something is tried again: `policy::retry`.
//! - How many connections there are, and what happens when the machine has no more: `fetch::descriptors`, `fetch::clients`
//!   (an HTTP client for each host), `frontier::connections`.
//! - What is checked though it is not crawled, how, and what the answer says: `policy::check`.
//! - When a robots.txt is asked for: `frontier::robots`; what its answer allows: `policy::robots`.
//! - What memory bodies and documents take: `parse::memory` is the budget, whose `Held` keeps bytes taken until the commit;
//!   `parse::body` a body from the wire to its reader; `parse::pool` how many bytes and threads read documents at once, and
//!   for how long; `parse::tree` how a large one is read in parts.
//! - What a request is conditional on: `policy::kept`. What happens on a 304: `policy::life`, `Past::renewed_by`, decides;
//!   `store::part::pages`, `fetched`, leaves the stored page and its links as they are, and renews its times: when it was
//!   asked, how long it stays fresh, when it is due again. What any other answer makes of a page, known before or not:
//!   `policy::life`, `Memory::after`. When a page is due again: `policy::due`.
//! - What is a trap, and from which pattern's budget a URL is fetched: `policy::traps`; what is booked and stored of it:
//!   `store::part::traps`. What it holds back is skipped when it is first linked to, and refused by `frontier::host` if it
//!   was pending by then.
//! - What a request, or a refusal to make one, can end as, and what follows for the schedule: `visit::record`. What follows
//!   for its URL: `policy::fate`.
//! - What is written in one transaction: `store::part::commit`, `apply`, step by step, the same on every database. What a
//!   database has to select and write for that: `store::tables`; how SQLite and PostgreSQL do: `store::sqlite`,
//!   `store::postgres`, a file for each trait.
//! - Which run an invocation belongs to: `policy::begin`. What a new run asks for again, and what is judged again:
//!   `policy::sweep`. How a run begins and ends: `store::part::begin`, `engine::lifetime`.
//! - What is derived from stored pages, and when: `extract::derive` says what of one page, `engine::extract` goes through the pages
//!   that lack it, `store::derived` is what a database does for that. What a page says of itself: `extract::metadata`,
//!   `extract::structured`; which of it answers the usual questions: `extract::page_data`; what rules find: `extract::items`.
//! - What an audit finds: `cli::audit`, each finding once.
//! - What a page's main content is, and its Markdown: `extract::article`; how that is cut into parts: `extract::chunks`. When two
//!   articles are near each other: `extract::simhash`, `extract::near`.
//!
//! # Several nodes
//!
//! On PostgreSQL several processes, *nodes*, are one invocation. They never talk to each other, only to the database. All that is
//! drawn above each of them does, with hosts of its own: who holds a host alone asks it and alone settles its URLs, so that
//! pace, back-off, robots.txt and connections stay within a process. Links to a host of another node are stored as pending, and
//! that node finds them.
//!
//! - A node holds all its hosts by one *lease*, which its writer renews (`engine::company`; in the midst of what takes long,
//!   `engine::writer`, `renew_in_time`), and which is looked at before each request (`visit::clock`, `Lease`) and once more
//!   when the connection stands (`fetch::gate`). A host is taken under an *epoch*, which rises each time. A commit names the epochs
//!   of its hosts, and nothing is stored of one that another node has taken meanwhile: `store::part::hosts`, `fence`. In memory
//!   such a host comes back only once nothing is under way that was asked for before: `frontier::lost`.
//! - Due times, leases and all that is stored are by the database's clock, as far as a node knows it: `visit::clock`,
//!   `SteadyClock`. A host that is given back takes its clock along (`Hold`); of one whose node is silent, it is assumed that it
//!   was asked until the lease ended: `store::postgres::rows`, `asked_at`.
//! - Who takes part in what, how pages and the pace of all are shared out, and when it is over for all:
//!   `store::postgres::company`. How a node stands, and what it gives to others: `frontier::schedule::company`.
//! - What is done again once the database can be asked: `store::part`, `patiently`; how long an answer is waited for:
//!   `store::part::patience`; which failures pass: `store::postgres::passing`. Each transaction bears a number, by which one is known whose answer did not come.
//!
//! On SQLite a process has the database alone: there is no lease, and it holds all hosts for as long as it runs.
//!
//! # How a crawl is read
//!
//! The writer holds the database's lock, and uses sqlx. Whoever asks gets a [`read::Database`]: a connection of
//! its own that cannot write, because SQLite's authorizer is asked for every step of every statement, or because a
//! transaction of PostgreSQL is told to read only. Each kind of database is a `read::driver::Driver`. `query`,
//! `explain`, `report`, `export` and `changes` stand on that and on views alone, so they work beside a running crawl;
//! `search` and `crawl --index` bring the full-text index up to date (`store::sqlite::index`, `store::postgres::index`) in short
//! transactions, `extract` and `audit` keep what they find (`store::derived`, `store::audit`), and `vacuum` makes the database smaller.
//! `open` and `mcp` answer others than the user at the terminal: what they ask is bounded in time and size (`cli::questions`).

#![deny(missing_docs)]
#![cfg_attr(
    not(feature = "cli"),
    allow(dead_code, unused_imports, reason = "the command line uses more than the library")
)]

#[allow(missing_docs, reason = "reachable by the project's own tests alone")]
mod canonical;
#[cfg(feature = "cli")]
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "reachable by the binary and the project's own tests alone")]
pub mod cli;
mod config;
#[doc(hidden)]
pub mod demo;
mod engine;
#[allow(missing_docs, reason = "reachable by the project's own tests alone")]
mod extract;
#[allow(missing_docs, missing_debug_implementations, reason = "reachable by the project's own tests alone")]
mod fetch;
#[allow(missing_docs, reason = "reachable by the project's own tests alone")]
mod frontier;
#[allow(missing_docs, reason = "reachable by the project's own tests alone")]
mod parse;
#[allow(missing_docs, reason = "reachable by the project's own tests alone")]
mod policy;
pub mod read;
#[allow(missing_docs, reason = "reachable by the project's own tests alone")]
mod scope;
#[allow(missing_docs, reason = "all but the errors and counts are reachable by the project's own tests alone")]
mod store;
#[allow(missing_docs, reason = "reachable by the project's own tests alone")]
mod visit;
#[allow(missing_docs, reason = "reachable by the project's own tests alone")]
mod warc;

pub use config::values::*;
pub use config::{Config, ConfigError, Difference, TomlError};
pub use engine::{Crawl, CrawlEnd, CrawlError, Hook, Link, Page, Progress, RunningCrawl, SeedError, Summary};
pub use read::Database;
pub use store::{Accounting, DatabaseFailure, StoreError, Tally};
/// Stops a crawl from elsewhere: see [`Crawl::cancelled_by`] and [`RunningCrawl::token`].
pub use tokio_util::sync::CancellationToken;

/// The inside, for the project's own tests and benchmarks. Not part of the library's promises.
#[doc(hidden)]
pub mod internals {
    pub mod canonical {
        pub use crate::canonical::*;
    }
    pub mod config {
        pub use crate::config::*;
    }
    pub mod extract {
        pub use crate::extract::*;
    }
    pub mod fetch {
        pub use crate::fetch::*;
    }
    pub mod frontier {
        pub use crate::frontier::*;
    }
    pub mod parse {
        pub use crate::parse::*;
    }
    pub mod policy {
        pub use crate::policy::*;
    }
    pub mod scope {
        pub use crate::scope::*;
    }
    pub mod store {
        pub use crate::store::*;
    }
    pub mod visit {
        pub use crate::visit::*;
    }
    pub mod warc {
        pub use crate::warc::*;
    }
}
