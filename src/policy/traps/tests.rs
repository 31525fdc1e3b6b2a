//! Sites that exist as functions alone, crawled by a crawl that does what the store and the frontier do.

mod endless;
mod innocent;
mod large;
mod maze;
mod site;
mod tarpit;
mod trap;
mod vast;
