//! Checks: what pages name and the crawl does not fetch, and what came of asking for it.

use indexmap::IndexMap;

use crate::canonical::CanonicalUrl;
use crate::config::{Config, ToCheck};
use crate::policy::begin::Entry;
use crate::policy::check::{CHECKED, imported, is_checked, refused};
use crate::scope::Scope;
use crate::store::failed::Failed;
use crate::store::tables::{FoundRow, NamedBy, NewCheck, Seeded, Tables, Woken};
use crate::visit::{CheckKind, CheckOutcome, Finding, HostId, Record, Refusal, Resource, SkipReason, Target};

use super::batch::Batch;
use super::run::Part;

/// URLs looked through in one go.
const CHUNK: i64 = 5_000;

/// The kinds of checks that the settings ask for.
fn kinds(config: &Config) -> Vec<CheckKind> {
    let kind = |what: &ToCheck| match what {
        ToCheck::External => Some(CheckKind::External),
        ToCheck::Resources => Some(CheckKind::Resource),
        ToCheck::Fragments => None,
    };
    config.check.iter().filter_map(kind).collect()
}

/// Whether the target of a link, which is skipped for this reason, is to be checked.
fn wants(config: &Config, scope: &Scope, url: &CanonicalUrl, reason: Option<&SkipReason>) -> bool {
    config.check.contains(&ToCheck::External) && reason.is_some_and(is_checked) && scope.may_be_checked(url)
}

/// The checks with which an invocation begins: those that were left, or in a new run all anew; and those of what was skipped
/// before anybody asked for it.
pub(super) async fn begin(
    database: &mut impl Tables,
    scope: &Scope,
    config: &Config,
    entry: Entry,
) -> Result<(), Failed> {
    if entry == Entry::Another && !config.check.is_empty() {
        database.renew_checks().await?;
    }
    database.leave_checks(&kinds(config), &CHECKED).await?;
    let is_wanted = |url: &str| CanonicalUrl::parse(url).is_ok_and(|url| scope.may_be_checked(&url));
    let mut after = 0;
    while !config.check.is_empty() {
        let waiting = database.waiting_urls(after, CHUNK).await?;
        let Some((last, _)) = waiting.last() else { break };
        after = *last;
        let unwanted: Vec<_> = waiting.iter().filter(|(_, url)| !is_wanted(url)).map(|(id, _)| *id).collect();
        if !unwanted.is_empty() {
            database.drop_checks(&unwanted).await?;
        }
    }
    after = 0;
    while config.check.contains(&ToCheck::External) {
        let skipped = database.skipped_for(&CHECKED, after, CHUNK).await?;
        let Some((last, ..)) = skipped.last() else { break };
        after = *last;
        let new = skipped.into_iter().filter(|(_, url, _)| is_wanted(url));
        let new: Vec<_> =
            new.map(|(_, url, host)| NewCheck { url, host, kind: CheckKind::External, sheet: None }).collect();
        // Hosts are taken when the crawl begins.
        database.insert_checks(0, &new).await?;
    }
    if config.check.contains(&ToCheck::External) && config.store_links {
        database.forget_unlinked().await?;
    }
    Ok(())
}

/// Each URL once: as the target of a link before a part of a page, and read as a style sheet if any names it as one.
fn once(new: Vec<NewCheck>) -> Vec<NewCheck> {
    let mut merged: IndexMap<String, NewCheck, Seeded> = IndexMap::default();
    for check in new {
        match merged.get_mut(&check.url) {
            Some(known) => {
                known.kind = known.kind.min(check.kind);
                known.sheet = known.sheet.into_iter().chain(check.sheet).min();
            }
            None => {
                merged.insert(check.url.clone(), check);
            }
        }
    }
    merged.into_values().collect()
}

impl<D: Tables> Part<D> {
    /// Notes a URL that is skipped for a reason, if it is to be checked.
    pub(super) fn note_check(&self, url: &CanonicalUrl, host: HostId, reason: Option<&SkipReason>, batch: &mut Batch) {
        if wants(&self.config, &self.scope, url, reason) {
            let (kind, sheet) = (CheckKind::External, None);
            batch.checks.new.push(NewCheck { url: url.to_string(), host, kind, sheet });
        }
    }

    /// Notes what a page or a style sheet names. `level` is that of a style sheet among it.
    pub(super) async fn note_resources(
        &mut self,
        by: NamedBy,
        named: Vec<Resource>,
        level: Option<u32>,
        batch: &mut Batch,
    ) -> Result<(), Failed> {
        if !self.config.check.contains(&ToCheck::Resources) {
            return Ok(());
        }
        batch.checks.rows.read.push(by);
        let named: Vec<_> = named.into_iter().filter(|part| self.scope.may_be_checked(&part.url)).collect();
        let hosts: Vec<_> = named.iter().map(|part| part.url.host()).collect();
        self.resolve_hosts(hosts.iter(), batch).await?;
        for (Resource { url, element, is_sheet }, host) in named.into_iter().zip(hosts) {
            let Some(host) = self.hosts.id(&host) else { continue };
            let (url, kind, sheet) = (url.to_string(), CheckKind::Resource, level.filter(|_| is_sheet));
            batch.checks.rows.named.push((by, url.clone(), element));
            batch.checks.new.push(NewCheck { url, host, kind, sheet });
        }
        Ok(())
    }

    /// Stores what is to be checked, and what came of checks.
    pub(super) async fn write_checks(&mut self, batch: &mut Batch) -> Result<(), Failed> {
        if !batch.checks.new.is_empty() {
            let new = once(std::mem::take(&mut batch.checks.new));
            for Woken { target, holder } in self.database.insert_checks(self.node.id, &new).await? {
                if batch.may_fetch_at(target.host, holder) {
                    batch.committed.targets.push(target);
                }
            }
        }
        self.database.write_checks(&batch.checks.rows).await
    }

    /// Takes in what an errand of a check came to.
    pub(super) async fn record_check(&mut self, mut record: Record, batch: &mut Batch) -> Result<(), Failed> {
        if let Record::Check { outcome, .. } = &mut record
            && let CheckOutcome::Moved(url) = outcome
            && !self.scope.may_be_checked(url)
        {
            *outcome = CheckOutcome::Found(refused(&Refusal::Skip(SkipReason::Excluded)), Vec::new());
        }
        batch.committed.settlements.push(record.settlement(|_| None));
        match record {
            Record::Check { target, outcome: CheckOutcome::Found(finding, named), .. } => {
                self.found(&target, finding, true, batch);
                if let Some(level) = target.check.and_then(|check| check.sheet) {
                    self.note_resources(NamedBy::Sheet(target.id), named, imported(level), batch).await?;
                }
            }
            Record::Check { target, outcome, .. } => {
                let Some(next) = target.after(&outcome) else { return Ok(()) };
                let host = next.url.host();
                self.resolve_hosts(std::iter::once(&host), batch).await?;
                let next = Target { host: self.hosts.id(&host).unwrap_or(target.host), ..next };
                batch.checks.rows.moved.push(next.clone());
                if next.host != target.host && self.may_fetch(&host, batch) {
                    batch.committed.targets.push(next);
                }
            }
            Record::GuardedPage(target) => {
                let refusal = Refusal::Skip(SkipReason::PrivateAddress);
                self.found(&target, refused(&refusal), false, batch);
            }
            Record::Refused { target, verdict } => self.found(&target, refused(&verdict), false, batch),
            Record::Page { .. }
            | Record::Robots { .. }
            | Record::GuardedRobots(_)
            | Record::PostponedPage(_)
            | Record::PostponedRobots(_)
            | Record::Sitemaps { .. } => {}
        }
        Ok(())
    }

    fn found(&self, target: &Target, finding: Finding, was_asked: bool, batch: &mut Batch) {
        let Finding { verdict, status, failure } = finding;
        batch.delta.tally.checked += 1;
        batch.checks.rows.found.push(FoundRow {
            id: target.id,
            asked: target.check.filter(|_| was_asked).map(|check| check.method.as_str()),
            status,
            failure,
            final_url: target.url.to_string(),
            verdict: verdict.as_str(),
            at: self.database.clock().now(),
        });
    }
}
