//! One batch of records, one transaction: resolve the links, gather what each record changes, write it, count.

use std::sync::Arc;
use std::time::Duration;

use crate::policy::due::{self, Facts};
use crate::policy::fate::Fate;
use crate::policy::redirect::{Hop, MAX_HOPS, Way, round};
use crate::store::Committed;
use crate::store::failed::Failed;
use crate::store::tables::{FetchRow, Tables};
use crate::visit::{
    FailureKind, Hold, HostId, PageOutcome, Record, Refusal, Request, RobotsOutcome, Settlement, State, Target,
};

use super::batch::Batch;
use super::known::{KnownHosts, KnownUrls};
use super::ledger::Ledger;
use super::links::{Found, Ids};
use super::pages::Past;
use super::patience::within;
use super::run::Part;

impl<D: Tables> Part<D> {
    pub(super) async fn commit_batch(
        &mut self,
        records: Vec<Record>,
        hold: impl Fn(HostId) -> Option<Hold> + Send + Sync,
        limit: Option<Duration>,
    ) -> Result<Committed, Failed> {
        within(limit, self.database.open_transaction()).await?;
        let (done, ended) = match within(limit, self.apply(records, &hold)).await {
            Ok(done) => (Some(done), within(limit, self.database.commit_transaction()).await),
            Err(error) => (None, Err(error)),
        };
        match (done, ended) {
            (Some((ledger, committed)), Ok(())) => {
                self.ledger = ledger;
                Ok(committed)
            }
            (done, ended) => {
                self.database.undo_transaction().await;
                (self.urls, self.hosts) = (KnownUrls::default(), KnownHosts::default());
                self.traps.forget();
                self.node.doubt = done;
                Err(ended.err().unwrap_or(Failed::Lapsed))
            }
        }
    }

    /// What one transaction writes, in this order: the clocks of the hosts that were asked; rows for the URLs and hosts that
    /// links lead to, and what a better link changes of those known; from which budget known URLs are fetched; of each record
    /// its redirect, its robots.txt, its body and what becomes of the version before; then changes, pages, links, failures, states and
    /// the log of requests (`Gathered`); what is asked again; what sitemaps say of changes; shorter depths, handed on; what
    /// redirects of seeds let in; budgets of traps; checks; who holds the hosts that came up; the run's accounting.
    async fn apply(
        &mut self,
        records: Vec<Record>,
        hold: &(impl Fn(HostId) -> Option<Hold> + Send + Sync),
    ) -> Result<(Ledger, Committed), Failed> {
        let mut batch = Batch::default();
        let records = self.fence(records, hold, &mut batch).await?;
        if records.is_empty() {
            return Ok((self.ledger.clone(), batch.committed));
        }
        let mut weights = self.weigh(&records).await?;
        let mut ids = self.resolve(&records, &mut weights, &mut batch).await?;
        self.database.relieve(&std::mem::take(&mut batch.relieved)).await?;
        let past = self.past(&records).await?;
        self.settle_traps(&records, weights, &past, &batch);
        for record in records {
            self.record(record, &mut ids, &past, &mut batch).await?;
        }
        self.database.write(&std::mem::take(&mut batch.rows)).await?;
        for target in std::mem::take(&mut batch.again) {
            self.ask_again(target, &mut batch).await?;
        }
        self.heed_lastmods(&mut batch).await?;
        self.pass_depth_on(past.lowered, &mut batch).await?;
        self.note_heirs(&mut batch).await?;
        self.write_traps(&mut batch).await?;
        self.write_checks(&mut batch).await?;
        self.take_reached(&mut batch).await?;
        let ledger = self.write_ledger(&batch).await?;
        Ok((ledger, batch.committed))
    }

    async fn record(&mut self, record: Record, ids: &mut Ids, past: &Past, batch: &mut Batch) -> Result<(), Failed> {
        if record.check().is_some() {
            log(&record, self.id, batch);
            return self.record_check(record, batch).await;
        }
        let found = Found::of(&record, ids);
        if record.target().is_some_and(|target| past.ended.contains(&target.id)) {
            batch.committed.settlements.push(record.refused());
            return Ok(());
        }
        if let Some(target) = self.reprieved(&record, past) {
            batch.committed.settlements.push(Settlement::Reprieved { target });
            return Ok(());
        }
        let (record, again) = self.judge_redirect(record, &found).await?;
        log(&record, self.id, batch);
        let record = self.seek_robots(record, batch).await?;
        batch.committed.settlements.push(record.settlement(|host| self.hosts.id(host)));
        let settled = record.target().map(|target| target.id).zip(Fate::of(&record));
        // How long after it was fetched the page is due again.
        let recrawl = match record {
            Record::Page { target, request, outcome: PageOutcome::Fetched(page), .. } => {
                let page = Arc::unwrap_or_clone(page);
                Some(self.fetched(&target, page, elapsed_ms(&request), found, past, batch).await?)
            }
            Record::Page { outcome: PageOutcome::Failed(_), .. }
            | Record::Refused { verdict: Refusal::Fail { .. }, .. } => {
                Some(due::wait(&Facts { failed: true, ..Facts::default() }, &self.rules))
            }
            Record::Robots { call, outcome: RobotsOutcome::Answered(answer), .. } => {
                self.robots(call.for_host, &answer).await?;
                None
            }
            Record::GuardedRobots(call) => {
                self.robots(call.for_host, &call.guarded_answer()).await?;
                None
            }
            Record::Page { outcome: PageOutcome::Retry(_) | PageOutcome::Abandoned, .. }
            | Record::Robots { outcome: RobotsOutcome::Again { .. } | RobotsOutcome::Abandoned, .. }
            | Record::Refused { verdict: Refusal::Skip(_), .. }
            | Record::Refused { verdict: Refusal::Wait, .. }
            | Record::Check { .. }
            | Record::GuardedPage(_)
            | Record::PostponedPage(_)
            | Record::PostponedRobots(_)
            | Record::Sitemaps { .. } => None,
        };
        if let Some((id, fate)) = settled {
            batch.settle(id, fate, recrawl);
        }
        batch.again.extend(again);
        Ok(())
    }

    /// Makes the page of a redirect that closes a loop a failure; or tells what is to be asked again.
    async fn judge_redirect(&mut self, record: Record, found: &Found) -> Result<(Record, Option<Target>), Failed> {
        let (target, request, rest, page, to) = match (record, found.redirect) {
            (Record::Page { target, request, rest, outcome: PageOutcome::Fetched(page) }, Some(to)) => {
                (target, request, rest, page, to)
            }
            (record, _) => return Ok((record, None)),
        };
        let sets_cookie = page.headers.iter().any(|(name, _)| name == "set-cookie");
        let hop = Hop { to, fetched_at: page.fetched_at, sets_cookie };
        let way =
            Way::of(target.id, hop, &self.database.chain(to, MAX_HOPS).await?, self.began, self.config.keep_cookies);
        let again = page.redirect.as_ref().filter(|_| way == Way::Back).map(|candidate| {
            let host = self.hosts.id(&candidate.url.host()).unwrap_or_default();
            let again = Target::new(to, host, candidate.url.clone(), target.depth);
            Target { hops: target.hops + 1, sitemap: candidate.sitemap, ..again }
        });
        let outcome = match (way, &page.redirect) {
            (Way::Round, Some(next)) => PageOutcome::Failed(round(&next.url)),
            _ => PageOutcome::Fetched(page),
        };
        Ok((Record::Page { target, request, rest, outcome }, again))
    }

    /// Has a URL fetched again that was fetched in this run. That it was a redirect meanwhile is no change of it.
    async fn ask_again(&mut self, target: Target, batch: &mut Batch) -> Result<(), Failed> {
        if !self.database.ask_again(target.id, target.hops).await? {
            return Ok(());
        }
        batch.delta.change(State::Fetched, State::Pending);
        if let Some(before) = self.detours.remove(&target.id) {
            self.database.undo_change(self.id, target.id, before).await?;
        }
        if self.may_fetch(&target.url.host(), batch) {
            batch.committed.targets.push(target);
        }
        Ok(())
    }
}

fn log(record: &Record, run: i64, batch: &mut Batch) {
    let (Some(request), Some((host, asked))) = (record.request(), record.asked()) else { return };
    let id = record.target().map(|target| target.id);
    // A robots.txt has no row of its own, and what is checked is none of the crawl's URLs.
    let url = id.is_none().then(|| asked.as_str().to_owned());
    batch.delta.tally.requests += 1;
    batch.delta.tally.bytes += i64::try_from(request.bytes).unwrap_or(i64::MAX);
    batch.rows.certificates.extend(request.certificate_expires_at.map(|at| (host, at)));
    batch.rows.fetches.push(FetchRow {
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
