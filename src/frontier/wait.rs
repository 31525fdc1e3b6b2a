//! What hosts wait for, and what holds the pace altogether: data for whoever watches.

use std::collections::BTreeMap;

use crate::canonical::Host;
use crate::visit::Millis;

/// Why a host is not asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// It rests since it did not answer.
    Failed,
    /// It asked for time.
    Asked,
    /// The Crawl-delay of its robots.txt.
    CrawlDelay,
    /// The rate that the user set.
    Rate,
    /// As many requests to it are in flight as there may be, or its last ones are.
    Answers,
    /// What is left of it is tried again later.
    Retries,
    /// It asked for more time than this invocation waits.
    Later,
}

/// The hosts that wait for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub hosts: usize,
    /// The host of them that goes on first, in how many milliseconds, and its time between two requests.
    pub first: Host,
    pub left: Millis,
    pub interval: Millis,
}

/// What holds the pace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdup {
    /// Requests in flight, and how many there may be.
    pub in_flight: usize,
    pub connections: usize,
    /// Answers that wait for their commit, and whether no request is made before some are stored.
    pub unstored: usize,
    pub awaits_commit: bool,
    /// The machine could not make as many connections as there may be.
    pub awaits_machine: bool,
    /// The pace of all requests together.
    pub awaits_global_pace: bool,
    /// Nothing more is asked for.
    pub is_closed: bool,
    /// Hosts by what they wait for.
    pub hosts: BTreeMap<Wait, Waiting>,
    /// There are more hosts than were looked at.
    pub is_part: bool,
    /// More of a host waits in the store than is in memory.
    pub has_more: bool,
    /// URLs in memory that this invocation does not ask for, since their hosts asked for too much time.
    pub put_off: usize,
    /// What one host's URLs in memory take at its pace, in milliseconds: the longest of all hosts.
    pub longest: Millis,
}

/// What one host waits for, until when, and what its pace makes of its queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct HostWait {
    pub(super) wait: Option<(Wait, Millis)>,
    pub(super) interval: Millis,
    pub(super) queued: usize,
    /// Whether more of it waits in the store.
    pub(super) has_more: bool,
}
