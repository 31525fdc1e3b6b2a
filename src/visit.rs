//! What travels through the crawl: candidates, targets, errands, and the record each errand ends as. Data only.

mod check;
mod clock;
mod company;
mod errand;
mod record;
mod seed;
mod state;
mod words;

pub use check::{CheckOutcome, Finding};
pub use clock::{Asked, Lease, SteadyClock, Waiting};
pub use company::{Standing, Word};
pub use errand::{
    Candidate, Check, Complete, Errand, Fragment, Hold, HostId, HostRecord, Millis, Refusal, Resource, RobotsAnswer,
    RobotsCall, StoredRobots, Target, TrapId, UrlId, Validators, now,
};
pub use record::{Failure, Page, PageOutcome, Record, Request, Rest, Retry, RobotsOutcome, Settlement};
pub use seed::SeedLine;
pub use state::State;
pub use words::{CheckKind, Element, FailureKind, Landmark, Method, SkipReason, Verdict, Way};
