//! Sites that exist as functions alone, crawled by a crawl that does what the store and the frontier do.

mod innocent;
mod site;
mod trap;
