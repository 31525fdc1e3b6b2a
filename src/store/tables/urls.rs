//! URLs: where they stand, what leads to them, which wait. `me` is the number of this invocation.

use std::collections::HashMap;
use std::future::Future;

use crate::canonical::CanonicalUrl;
use crate::policy::kept::Stored;
use crate::policy::nearer::{Nearer, Step};
use crate::policy::offer::{Outcome, Standing};
use crate::policy::redirect::Hop;
use crate::store::failed::Failed;
use crate::visit::{HostId, HostRecord, Millis, SkipReason, State, Target, TrapId, UrlId};

use super::begin::Waits;
use super::hosts::Holder;

/// Fast, and seeded at random: the keys are the web's choice.
pub type Seeded = foldhash::fast::RandomState;

/// URLs that have a row.
pub type Present = HashMap<String, Standing, Seeded>;

/// A URL that nobody knew before.
#[derive(Debug)]
pub struct NewUrl<'a> {
    pub url: &'a str,
    pub host: HostId,
    pub state: State,
    pub reason: Option<&'a str>,
    pub depth: u32,
    pub hops: u32,
    pub referrer: Option<UrlId>,
    pub followed: bool,
    pub sitemap: Option<u32>,
    pub trap: Option<TrapId>,
}

/// What becomes of a known URL by a better link.
#[derive(Debug)]
pub struct Better {
    pub id: UrlId,
    pub referrer: Option<UrlId>,
    pub outcome: Outcome,
}

/// A URL that became pending, and who holds its host.
#[derive(Debug)]
pub struct Woken {
    pub target: Target,
    pub holder: Holder,
}

/// A URL as it stands after its depth was lowered, or it was judged again.
#[derive(Debug)]
pub struct Lowered {
    pub target: Target,
    pub holder: Holder,
    pub state: State,
    pub reason: Option<SkipReason>,
}

/// A host and its first pending URLs in the order of [`crate::policy::turn`], each with the page that is stored of it.
pub type Window = (HostRecord, Vec<(Target, Option<Stored>)>);

pub trait Urls {
    fn look_up(&mut self, urls: &[&str]) -> impl Future<Output = Result<Present, Failed>> + Send;

    /// Keeps others from changing some URLs until the transaction ends, and answers with how these stand now. None where
    /// nobody else writes.
    fn hold_still(&mut self, _urls: &[&str]) -> impl Future<Output = Result<Present, Failed>> + Send {
        std::future::ready(Ok(Present::default()))
    }

    fn improve(&mut self, urls: &[Better]) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Inserts URLs, none of them twice, and answers with their ids: none for one that another process inserted meanwhile.
    fn insert_urls(
        &mut self,
        urls: &[NewUrl<'_>],
        now: Millis,
    ) -> impl Future<Output = Result<Vec<Option<UrlId>>, Failed>> + Send;

    /// Writes what pays for URLs from now on.
    fn relieve(&mut self, urls: &[(UrlId, Option<TrapId>)]) -> impl Future<Output = Result<(), Failed>> + Send;

    /// The stored links, edges and redirects from these URLs to others that are deeper.
    fn ways_from(&mut self, urls: &[UrlId]) -> impl Future<Output = Result<Vec<Step>, Failed>> + Send;

    /// Stores shorter depths.
    fn lower(&mut self, me: i64, urls: &[Nearer]) -> impl Future<Output = Result<Vec<Lowered>, Failed>> + Send;

    /// Makes URLs pending.
    fn open_urls(&mut self, ids: &[UrlId]) -> impl Future<Output = Result<(), Failed>> + Send;

    /// The stored redirects that lead on from a URL, at most so many.
    fn chain(&mut self, from: UrlId, hops: u32) -> impl Future<Output = Result<Vec<Hop>, Failed>> + Send;

    /// Makes a fetched URL pending once more, unless it is not fetched: so many redirects in a row led back to it in this run
    /// ([`crate::policy::redirect::led_by`]).
    fn ask_again(&mut self, id: UrlId, hops: u32) -> impl Future<Output = Result<bool, Failed>> + Send;

    /// Makes undone that a page became a redirect in this run: before, it was `fingerprint`.
    fn undo_change(
        &mut self,
        run: i64,
        id: UrlId,
        fingerprint: Option<String>,
    ) -> impl Future<Output = Result<(), Failed>> + Send;

    /// A redirect leads from a URL that is a seed or counts for one. What lies behind counts for it too; answers with the
    /// seeds beside what does so from now on.
    fn add_heirs(
        &mut self,
        from: UrlId,
        to: UrlId,
    ) -> impl Future<Output = Result<Vec<(CanonicalUrl, CanonicalUrl)>, Failed>> + Send;

    /// What is skipped on the host of a URL for one of the reasons `there`, and the URL itself for one of the reasons
    /// `itself`.
    fn left_out(
        &mut self,
        url: &CanonicalUrl,
        there: &[SkipReason],
        itself: &[SkipReason],
    ) -> impl Future<Output = Result<Vec<Waits>, Failed>> + Send;

    /// Gives URLs another state and reason.
    fn let_in(
        &mut self,
        me: i64,
        verdicts: &[(UrlId, u8, Option<String>)],
    ) -> impl Future<Output = Result<Vec<Lowered>, Failed>> + Send;

    /// The windows of those of the hosts that are held, with as many pending URLs as is said beside each.
    fn windows(
        &mut self,
        me: i64,
        hosts: &[(HostId, usize)],
    ) -> impl Future<Output = Result<Vec<Window>, Failed>> + Send;
}
