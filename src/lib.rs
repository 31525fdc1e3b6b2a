//! A web crawler that goes from a seed list to a SQLite database, politely, and loses nothing it saw.
//!
//! ```no_run
//! use harvestman::{canonical::CanonicalUrl, config::Config, engine::Crawl, store::sqlite::SqliteStore};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let seeds = vec![CanonicalUrl::parse("https://books.toscrape.com/")?];
//! let store = SqliteStore::open("crawl.db".as_ref()).await?;
//! let (summary, store) = Crawl::new(Config::default(), seeds, store).run_until(std::future::pending()).await?;
//! println!("{} pages", summary.accounting.fetched);
//! store.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # How a URL travels
//!
//! ```text
//!  seeds ─ CanonicalUrl::parse ─ Scope::judge ──► Store::begin             durable first
//!                                                     │ pending
//!       ┌─────────────────────────────────────────────▼
//!       │                                         Frontier ─ next().await ──► Errand { Robots | Sitemaps | Page | Refuse }
//!       │                                             ▲                          │
//!       │                         release(): rest     └──────────────────────────┤
//!       │                                                                        ▼
//!       │                                                    Fetch::fetch        one request, guarded and capped
//!       │                                                                        ▼
//!       │                                                    parse_html, or      pure, within a budget and a deadline
//!       │                                                    sitemap::read
//!       │                                                                        ▼
//!       │                                                    Scope::judge        each link becomes a Candidate
//!       │                                                                        ▼
//!       └── settle(fresh) ◄── writer: recv_many → one transaction ◄───────────── Record
//! ```
//!
//! The cycle closes through the commit: the frontier never holds a URL that is not on disk, and a page and its links
//! become durable together. So resuming is reading what is pending, and `kill -9` needs no code of its own. The one
//! bounded channel points from the workers to the writer and the way back is a plain call, so it cannot deadlock.
//!
//! Requests that are handed out and not yet committed never exceed the connections: a crash costs no more than that.
//!
//! Arrows between the modules point down only: `canonical` ← `visit`, `config` ← `scope`, `policy`, `parse` ← `frontier`,
//! `fetch`, `store` (which do not know each other) ← `engine`, `read` ← `cli`.
//!
//! # How a crawl is read
//!
//! The writer holds the database's lock and speaks through sqlx. Whoever asks gets a [`read::Database`]: a connection of
//! its own that cannot write, because SQLite's authorizer is asked for every step of every statement. `query`,
//! `explain`, `report`, `export` and `changes` stand on that and on views alone, so they work beside a running crawl;
//! only `search` writes, when it brings the full-text index up to date (`store::sqlite::index`), in short transactions.

pub mod canonical;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod config;
pub mod demo;
pub mod engine;
pub mod fetch;
pub mod frontier;
pub mod parse;
pub mod policy;
pub mod read;
pub mod scope;
pub mod store;
pub mod visit;
pub mod warc;
