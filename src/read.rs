//! Reading a crawl, also while it runs: the pages, the links, and plain SQL on the views of the database.
//!
//! ```no_run
//! use harvestman::read::Database;
//!
//! # fn main() -> Result<(), harvestman::read::ReadError> {
//! let db = Database::open("crawl.db")?;
//! for page in db.pages()? {
//!     let page = page?;
//!     println!("{} {} {}", page.status, page.url, page.title.unwrap_or_default());
//! }
//! for link in db.links_from("https://books.toscrape.com/")? {
//!     println!("leads to {}", link?.to_url);
//! }
//! let sql = "select host, count(*) as pages from pages where status = ?1 group by host order by 2 desc";
//! for row in db.query(sql, [404.into()])? {
//!     let row = row?;
//!     println!("{}: {} missing", row.get::<&str>("host")?, row.get::<i64>("pages")?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The views and their columns are public and described in `docs/views.md`. The tables behind them may change, and so
//! may views whose names begin with `_`. Nothing here can write: the connection refuses every statement that does not read.
//!
//! Reading is synchronous, and a large question keeps its thread busy. Inside an async program, give it a thread:
//!
//! ```no_run
//! # use harvestman::read::{Database, ReadError};
//! # async fn count() -> Result<i64, Box<dyn std::error::Error>> {
//! let pages = tokio::task::spawn_blocking(|| {
//!     let row = Database::open("crawl.db")?.first("select count(*) from pages", [])?;
//!     row.map_or(Ok(0), |row| row.at(0))
//! });
//! let pages: Result<i64, ReadError> = pages.await?;
//! # Ok(pages?)
//! # }
//! ```

mod database;
mod driver;
mod error;
mod hit;
mod postgres;
mod records;
mod row;
mod snippets;
mod sqlite;
mod statement;

pub use crate::store::value::{FromValue, Value};
pub use database::{Database, Snapshot};
pub use error::ReadError;
pub use hit::Hit;
pub use records::{LinkRow, PageRow};
pub use row::Row;
pub use statement::{Rows, Statement};
