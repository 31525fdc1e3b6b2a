//! What the processes of one crawl tell each other.

use std::time::Duration;

/// How one of several stands.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Standing {
    /// Hosts that have something to do.
    pub hosts: usize,
    /// Hosts that it has anything to do with, those that are being asked included.
    pub needs: usize,
    /// The share of the pace of all requests that it keeps to, in requests a second.
    pub rate: f64,
    /// More that it has room for.
    pub room: usize,
    /// Nothing is handed out, and nothing can be unless something is brought in.
    pub rests: bool,
    /// A limit keeps URLs from being asked for.
    pub is_limited: bool,
    /// More pages could be asked for if its share were larger.
    pub lacks_pages: bool,
}

/// What it hears of the others.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Word {
    /// It was silent for longer than its lease: nothing that it held is its own any more.
    pub is_lost: bool,
    /// The crawl is over, for all.
    pub is_over: bool,
    /// Hosts that it is to give to others.
    pub spare: usize,
    /// Its share of the limited pages, those stored included.
    pub pages: Option<u64>,
    /// Its share of the pace of all requests together, in requests a second.
    pub rate: Option<f64>,
    /// How long it waited since the last word for rows that all change.
    pub waited: Duration,
}
