//! What a batch of records changes, gathered before the statements that write it: each kind of row goes over as one JSON
//! array.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;
use sqlx::SqliteConnection;

use crate::policy::fate::Fate;
use crate::policy::traps::Weighed;
use crate::store::Committed;
use crate::visit::{HostId, Millis, State, Target, TrapId, UrlId};

use super::failed::Failed;
use super::ledger::Delta;
use super::page_rows::{PageRow, write_pages};
use super::rows::run_json;

/// Beside each record of a batch, what its page is to the URLs that it names.
pub(super) type Weights<'a> = Vec<Option<Weighed<'a>>>;

/// What a batch changes: each tuple becomes a JSON array.
#[derive(Default)]
pub(super) struct Batch {
    /// What the frontier has to know after the commit.
    pub(super) committed: Committed,
    pub(super) delta: Delta,
    states: Vec<StateRow>,
    pub(super) fetches: Vec<FetchRow>,
    pub(super) links: LinkRows,
    /// From, to: redirects of what may be a seed, or count for one.
    pub(super) heirs: Vec<(UrlId, UrlId)>,
    /// Id, time: when a sitemap says that a page changed last.
    pub(super) lastmods: Vec<(UrlId, Millis)>,
    /// Id, kind, message, attempts.
    failures: Vec<(UrlId, &'static str, Arc<str>, u32)>,
    pub(super) pages: Vec<PageRow>,
    /// Run, id, what became of it, when.
    pub(super) changes: Vec<(i64, UrlId, &'static str, Millis)>,
    pub(super) kept_alive: Vec<KeptAlive>,
    /// Pages whose words the index does not have.
    pub(super) unindexed: Vec<UrlId>,
    /// What redirects led back to, with a cookie.
    pub(super) again: Vec<Target>,
    /// Id, and what pays for it from now on.
    pub(super) relieved: Vec<(UrlId, Option<TrapId>)>,
    /// Pages that led to URLs that nobody knew, and what pays for these.
    pub(super) led_on: HashSet<(UrlId, TrapId)>,
    /// Hosts that nobody held and of which URLs became pending.
    pub(super) reached: HashSet<HostId>,
}

/// The links of the batch's pages.
#[derive(Default)]
pub(super) struct LinkRows {
    /// Pages whose stored links are replaced.
    pub(super) replaced: Vec<UrlId>,
    /// From, position, to, text, rel, element, follow.
    pub(super) whole: Vec<(UrlId, usize, UrlId, String, String, &'static str, bool)>,
    /// From, position, to, text of an `<a>` without `rel` that is followed: almost every link.
    pub(super) plain: Vec<(UrlId, usize, UrlId, String)>,
    /// From, to, step: what a depth is passed on along when links are not stored.
    pub(super) edges: Vec<(UrlId, UrlId, bool)>,
}

/// Of a page that was not modified: id, time of the answer, how long it took, interval, until when it is fresh, what
/// counts as kept.
pub(super) type KeptAlive = (UrlId, Millis, u64, Millis, Option<Millis>, u8);

/// Id, state, reason, attempts, not before, how long after it was fetched the page is due again (none: as before).
type StateRow = (UrlId, u8, Option<String>, u32, Option<Millis>, Option<Millis>);

/// A row of `fetch`.
#[derive(Serialize)]
pub(super) struct FetchRow {
    pub(super) run: i64,
    pub(super) id: Option<UrlId>,
    /// Of a robots.txt, which has no row of its own.
    pub(super) url: Option<String>,
    pub(super) at: Millis,
    pub(super) status: Option<u16>,
    pub(super) failure: Option<&'static str>,
    pub(super) elapsed: u64,
    pub(super) bytes: u64,
    pub(super) unchanged: bool,
}

impl Batch {
    /// A pending URL takes its fate. A page is due again `recrawl` after it was fetched; none: as before.
    pub(super) fn settle(&mut self, id: UrlId, fate: Fate, recrawl: Option<Millis>) {
        let Fate { state, reason, attempts, due_at, failure } = fate;
        if let Some((kind, message)) = failure {
            self.failures.push((id, kind.as_str(), message, attempts));
        }
        let reason = reason.map(|reason| reason.to_string());
        self.states.push((id, state.number(), reason, attempts, due_at, recrawl));
        self.delta.change(State::Pending, state);
    }

    /// The request at hand brought nothing new.
    pub(super) fn note_unchanged(&mut self) {
        self.delta.tally.unchanged += 1;
        if let Some(fetch) = self.fetches.last_mut() {
            fetch.unchanged = true;
        }
    }

    /// Writes the rows of pages, links and states, and the log of requests.
    pub(super) async fn write(&self, db: &mut SqliteConnection) -> Result<(), Failed> {
        self.write_contents(db).await?;
        self.write_links(db).await?;
        self.write_fates(db).await
    }

    async fn write_contents(&self, db: &mut SqliteConnection) -> Result<(), Failed> {
        write_pages(db, &self.pages).await?;
        run_json(db, "insert or ignore into unindexed select value from json_each(?1)", &self.unindexed).await?;
        run_json(
            db,
            "insert into change (run_id, url_id, kind, at)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from jsonb_each(?1)",
            &self.changes,
        )
        .await?;
        run_json(
            db,
            "update page set fetched_at = v.at, elapsed_ms = v.elapsed, interval_ms = v.interval,
                 fresh_until = v.fresh, kept = v.kept
             from (select value ->> 0 as id, value ->> 1 as at, value ->> 2 as elapsed, value ->> 3 as interval,
                   value ->> 4 as fresh, value ->> 5 as kept from jsonb_each(?1)) v
             where page.url_id = v.id",
            &self.kept_alive,
        )
        .await
    }

    async fn write_links(&self, db: &mut SqliteConnection) -> Result<(), Failed> {
        run_json(db, "delete from link where from_id in (select value from json_each(?1))", &self.links.replaced)
            .await?;
        run_json(
            db,
            "insert or replace into link (from_id, position, to_id, text, rel, element, follow)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
             from jsonb_each(?1)",
            &self.links.whole,
        )
        .await?;
        run_json(
            db,
            "insert or replace into link (from_id, position, to_id, text, rel, element, follow)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, '', 'a', true from jsonb_each(?1)",
            &self.links.plain,
        )
        .await?;
        run_json(
            db,
            "insert or ignore into edge (from_id, to_id, step) select value ->> 0, value ->> 1, value ->> 2
             from jsonb_each(?1)",
            &self.links.edges,
        )
        .await
    }

    async fn write_fates(&self, db: &mut SqliteConnection) -> Result<(), Failed> {
        run_json(
            db,
            "insert or replace into failure (url_id, kind, message, attempts, last_attempt_at)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3,
                 cast(unixepoch('subsec') * 1000 as integer)
             from jsonb_each(?1)",
            &self.failures,
        )
        .await?;
        run_json(
            db,
            "update url set state = v.state, reason = v.reason, attempts = v.attempts, due_at = v.due,
                 recrawl_ms = coalesce(v.recrawl, recrawl_ms)
             from (select value ->> 0 as id, value ->> 1 as state, value ->> 2 as reason, value ->> 3 as attempts,
                   value ->> 4 as due, value ->> 5 as recrawl from jsonb_each(?1)) v where url.id = v.id",
            &self.states,
        )
        .await?;
        run_json(
            db,
            "insert into fetch (run_id, url_id, url, at, status, failure, elapsed_ms, bytes, unchanged)
             select value ->> 'run', value ->> 'id', value ->> 'url', value ->> 'at', value ->> 'status', value ->> 'failure',
                 value ->> 'elapsed', value ->> 'bytes', value ->> 'unchanged'
             from jsonb_each(?1)",
            &self.fetches,
        )
        .await
    }
}
