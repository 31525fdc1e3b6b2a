//! One batch of records, one transaction: resolve the links, gather what each record changes, write it, count.

use std::sync::Arc;

use crate::policy::redirect::{self, Hop, MAX_HOPS};
use crate::store::Committed;
use crate::visit::{
    Failure, FailureKind, Hold, HostId, PageOutcome, Record, Refusal, Request, Retry, RobotsOutcome, Settlement,
    SkipReason, State, Target, UrlId,
};
use sqlx::Row as _;

use super::batch::{Batch, FetchRow};
use super::failed::Failed;
use super::known::{KnownHosts, KnownUrls};
use super::ledger::Ledger;
use super::links::{Found, Ids};
use super::pages::Past;
use super::run::SqliteRun;

impl SqliteRun {
    pub(super) async fn commit_batch(
        &mut self,
        records: Vec<Record>,
        hold: impl Fn(HostId) -> Option<Hold> + Send + Sync,
    ) -> Result<Committed, Failed> {
        // The transaction is written out by hand, so that the methods below can borrow all of `self`.
        sqlx::query("begin immediate").execute(self.db()).await?;
        let done = self.apply(records, &hold).await;
        let done = match done {
            Ok(done) => sqlx::query("commit").execute(self.db()).await.map(|_| done).map_err(Failed::from),
            Err(error) => Err(error),
        };
        match done {
            Ok((ledger, committed)) => {
                self.ledger = ledger;
                Ok(committed)
            }
            Err(error) => {
                let _ = sqlx::query("rollback").execute(self.db()).await;
                (self.urls, self.hosts) = (KnownUrls::default(), KnownHosts::default());
                self.traps.forget();
                Err(error)
            }
        }
    }

    async fn apply(
        &mut self,
        records: Vec<Record>,
        hold: &(impl Fn(HostId) -> Option<Hold> + Send + Sync),
    ) -> Result<(Ledger, Committed), Failed> {
        let mut batch = Batch::default();
        let records = self.fence(records, hold, &mut batch).await?;
        let mut weights = self.weigh(&records).await?;
        let mut ids = self.resolve(&records, &mut weights, &mut batch).await?;
        self.relieve_all(&mut batch).await?;
        let past = self.past(&records).await?;
        self.settle_traps(&records, weights, &past, &batch);
        for record in records {
            self.record(record, &mut ids, &past, &mut batch).await?;
        }
        batch.write(self.db()).await?;
        self.heed_lastmods(&mut batch).await?;
        self.pass_depth_on(past.lowered, &mut batch).await?;
        self.note_heirs(&mut batch).await?;
        self.write_traps(&mut batch).await?;
        self.take_reached(&batch).await?;
        let ledger = self.ledger.write(&mut self.database.db, self.id, &batch.delta).await?;
        Ok((ledger, batch.committed))
    }

    async fn record(&mut self, record: Record, ids: &mut Ids, past: &Past, batch: &mut Batch) -> Result<(), Failed> {
        let found = Found::of(&record, ids);
        if record.target().is_some_and(|target| past.ended.contains(&target.id)) {
            batch.committed.settlements.push(record.refused());
            return Ok(());
        }
        if let Some(target) = self.reprieved(&record, past) {
            batch.committed.settlements.push(Settlement::Reprieved { target });
            return Ok(());
        }
        let record = self.end_loop(record, &found).await?;
        log(&record, self.id, batch);
        if let Record::Robots { outcome: RobotsOutcome::Again { url, .. }, .. } = &record {
            self.bring_in(&url.host(), batch).await?;
        }
        batch.committed.settlements.push(record.settlement(|host| self.hosts.id(host)));
        match record {
            Record::Page { target, request, outcome, .. } => match outcome {
                PageOutcome::Fetched(page) => {
                    let page = Arc::unwrap_or_clone(page);
                    self.fetched(&target, page, elapsed_ms(&request), found, past, batch).await?;
                }
                PageOutcome::Failed(Failure { kind, message }) => {
                    failed(&target, kind, &message, target.attempts + 1, batch);
                }
                PageOutcome::Retry(Retry { due_at, .. }) => batch.postpone(&target, due_at),
                PageOutcome::Abandoned => {}
            },
            Record::Robots { call, outcome: RobotsOutcome::Answered(answer), .. } => {
                self.robots(call.for_host, &answer).await?;
            }
            Record::Robots { outcome: RobotsOutcome::Again { .. } | RobotsOutcome::Abandoned, .. } => {}
            Record::GuardedPage(target) => skipped(&target, &SkipReason::PrivateAddress, batch),
            Record::GuardedRobots(call) => self.robots(call.for_host, &call.guarded_answer()).await?,
            Record::PostponedPage(_) | Record::PostponedRobots(_) | Record::Sitemaps { .. } => {}
            Record::Refused { target, verdict: Refusal::Skip(reason) } => {
                if reason == SkipReason::Trap {
                    self.urls.forget(target.url.as_str());
                }
                skipped(&target, &reason, batch);
            }
            Record::Refused { target, verdict: Refusal::Fail { kind, message, attempts } } => {
                failed(&target, kind, &message, attempts, batch);
            }
        }
        Ok(())
    }

    /// A redirect that closes a loop makes its page a failure.
    async fn end_loop(&mut self, record: Record, found: &Found) -> Result<Record, Failed> {
        match (record, found.redirect) {
            (Record::Page { target, request, rest, outcome: PageOutcome::Fetched(page) }, Some(to)) => {
                let chain = self.chain(to).await?;
                let outcome = if redirect::closes_loop(target.id, to, &chain, self.began) {
                    let message = "the redirects lead back to this URL";
                    PageOutcome::Failed(Failure::new(FailureKind::Redirect, message))
                } else {
                    PageOutcome::Fetched(page)
                };
                Ok(Record::Page { target, request, rest, outcome })
            }
            (record, _) => Ok(record),
        }
    }

    /// The stored redirects that lead on from a URL.
    async fn chain(&mut self, from: UrlId) -> Result<Vec<Hop>, Failed> {
        let rows = sqlx::query(
            "with recursive chain (id, fetched_at, hops) as (
                 select ?1, null, 0 union all
                 select p.redirect_to, p.fetched_at, hops + 1 from chain c join page p on p.url_id = c.id
                 where p.redirect_to is not null and hops < ?2)
             select id, fetched_at from chain where hops > 0 order by hops",
        )
        .bind(from)
        .bind(MAX_HOPS)
        .fetch_all(self.db())
        .await?;
        Ok(rows.iter().map(|row| Hop { to: row.get("id"), fetched_at: row.get("fetched_at") }).collect())
    }
}

fn failed(target: &Target, kind: FailureKind, message: &str, attempts: u32, batch: &mut Batch) {
    batch.failures.push((target.id, kind.as_str(), message.to_owned(), attempts));
    // What failed is due at once, whatever is stored of it.
    batch.settle(target, State::Failed, None, attempts, Some(0));
}

fn skipped(target: &Target, reason: &SkipReason, batch: &mut Batch) {
    batch.settle(target, State::Skipped, Some(reason.to_string()), target.attempts, None);
}

fn log(record: &Record, run: i64, batch: &mut Batch) {
    let (id, url, request) = match record {
        Record::Page { target, request, .. } => (Some(target.id), None, request),
        Record::Robots { call, request, .. } => (None, Some(call.url.as_str().to_owned()), request),
        Record::GuardedPage(_)
        | Record::GuardedRobots(_)
        | Record::PostponedPage(_)
        | Record::PostponedRobots(_)
        | Record::Sitemaps { .. }
        | Record::Refused { .. } => return,
    };
    batch.delta.tally.requests += 1;
    batch.delta.tally.bytes += i64::try_from(request.bytes).unwrap_or(i64::MAX);
    batch.fetches.push(FetchRow {
        run,
        id,
        url,
        at: request.at,
        status: request.status,
        failure: request.failure.map(FailureKind::as_str),
        elapsed: elapsed_ms(request),
        bytes: request.bytes,
        unchanged: false,
    });
}

fn elapsed_ms(request: &Request) -> u64 {
    u64::try_from(request.elapsed.as_millis()).unwrap_or(u64::MAX)
}
