//! What every store promises, written against its trait and run on each: the next one has only to be a [`Place`].
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod admission;
mod cases;
mod depth;
mod hosts;
mod leases;
mod nodes;
mod outcomes;
mod place;
mod postgres;
mod recrawl;
mod resume;
#[path = "../common/postgres.rs"]
mod schema;
mod sitemaps;
mod sqlite;
mod windows;
