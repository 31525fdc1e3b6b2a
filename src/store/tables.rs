//! What a database does for a crawl: it selects the rows that it is asked for, and writes those that it is given. Which
//! they are, the files of `part` say, and the same of every database. What is here for each kind of row is one trait.

mod begin;
mod checks;
mod company;
mod hosts;
mod pages;
mod places;
mod times;
mod traps;
mod urls;

use std::future::Future;

use super::failed::Failed;
pub use begin::{Beginning, StoredRun, Waits};
pub use checks::{CheckRows, Checks, FoundRow, NamedBy, NewCheck};
pub use company::{Company, Done, Entrance, Heard, Joined};
pub use hosts::{Holder, Hosts, Robots};
pub use pages::{Edge, FailureRow, FetchRow, Gathered, KeptAlive, LinkRow, PageRow, Pages, Past, PlainLink, StateRow};
pub use places::{Places, Sought};
pub use times::{Timed, Times};
pub use traps::Accounts;
pub use urls::{Better, Lowered, NewUrl, Present, Seeded, Urls, Window, Woken};

/// A database that can hold a crawl.
pub trait Tables:
    Transactions
    + Space
    + Company
    + Beginning
    + Hosts
    + Urls
    + Pages
    + Places
    + Times
    + Accounts
    + Checks
    + Send
    + std::fmt::Debug
{
}

impl<D> Tables for D where
    D: Transactions
        + Space
        + Company
        + Beginning
        + Hosts
        + Urls
        + Pages
        + Places
        + Times
        + Accounts
        + Checks
        + Send
        + std::fmt::Debug
{
}

/// One at a time. What is asked outside of one is a transaction by itself.
pub trait Transactions {
    fn open_transaction(&mut self) -> impl Future<Output = Result<(), Failed>> + Send;

    /// What was written is durable when this returns.
    fn commit_transaction(&mut self) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Undoes what was written, if that is not the case anyway.
    fn undo_transaction(&mut self) -> impl Future<Output = ()> + Send;
}

/// What the database takes on the disk.
pub trait Space {
    /// Bytes, but for those that are free for what comes next, where the database can tell them.
    fn size(&mut self) -> impl Future<Output = Result<u64, Failed>> + Send;

    /// Keeps why the last invocation could not go on, or that nothing is known of that. A server has operators who are told.
    fn note_failure(&mut self, _why: Option<&str>) -> impl Future<Output = Result<(), Failed>> + Send {
        std::future::ready(Ok(()))
    }
}
