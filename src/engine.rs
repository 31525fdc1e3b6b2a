//! The crawl itself: a pool of workers, one writer, and the way they stop.

mod checker;
mod company;
mod crawl;
pub(crate) mod extract;
pub(crate) mod hook;
pub(crate) mod lifetime;
mod narrate;
pub(crate) mod observe;
pub(crate) mod page;
mod reader;
mod running;
mod settings;
mod sitemaps;
pub(crate) mod summary;
#[cfg(test)]
mod tests;
mod visitor;
mod worker;
mod writer;
mod writing;

pub use crawl::{Crawl, SeedError};
pub use hook::Hook;
pub(crate) use lifetime::Engine;
pub use page::{Link, Page};
pub use running::RunningCrawl;
pub use summary::{CrawlEnd, CrawlError, Progress, Summary};
