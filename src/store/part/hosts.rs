//! Hosts: taken, held and given back, their clocks, their robots.txt.

use std::collections::HashSet;

use crate::canonical::Host;
use crate::policy::politeness::millis;
use crate::policy::robots::{MAX_ROBOTS_AGE, Rules};
use crate::store::failed::Failed;
use crate::store::tables::{Holder, Robots, Tables};
use crate::visit::{
    FailureKind, Hold, HostId, Millis, Record, RobotsAnswer, RobotsCall, RobotsOutcome, SkipReason, StoredRobots,
};

use super::batch::Batch;
use super::known::KnownHosts;
use super::run::Part;

/// Until a robots.txt is asked for again that is at a host of another process.
const ROBOTS_ELSEWHERE: Millis = 20_000;

impl<D: Tables> Part<D> {
    pub(super) async fn take_hosts(&mut self, limit: usize) -> Result<Vec<HostId>, Failed> {
        let mut taken = self.database.take(self.node.id, limit).await?;
        self.hosts = KnownHosts::default();
        taken.sort_unstable();
        Ok(taken)
    }

    /// All that are held.
    pub(super) async fn held_hosts(&mut self) -> Result<Vec<HostId>, Failed> {
        self.hosts = KnownHosts::default();
        self.database.held(self.node.id).await
    }

    /// Which of these are not held any more.
    pub(super) async fn lost(&mut self, holds: &[Hold]) -> Result<Vec<HostId>, Failed> {
        let lost = self.database.lost(self.node.id, holds).await?;
        if !lost.is_empty() {
            self.forget_holders();
        }
        Ok(lost)
    }

    /// Others may do as they like with hosts that are not held any more.
    pub(super) fn forget_holders(&mut self) {
        self.hosts = KnownHosts::default();
        self.traps.forget();
    }

    pub(super) async fn free_hosts(&mut self, holds: &[Hold]) -> Result<(), Failed> {
        self.database.free(self.node.id, holds).await?;
        self.hosts.forget(&holds.iter().map(|hold| hold.host).collect());
        self.traps.forget();
        Ok(())
    }

    /// Stores the clocks of the hosts of a batch, and takes out the records about hosts that are not held: nothing of
    /// them is stored.
    pub(super) async fn fence(
        &mut self,
        records: Vec<Record>,
        hold: &(impl Fn(HostId) -> Option<Hold> + Send + Sync),
        batch: &mut Batch,
    ) -> Result<Vec<Record>, Failed> {
        let asked = records.iter().filter_map(|record| record.asked().map(|(host, _)| host));
        let hosts: HashSet<_> = records.iter().map(Record::subject).chain(asked).collect();
        let holds: Vec<_> = hosts.iter().filter_map(|host| hold(*host)).collect();
        let held = self.database.set_clocks(self.node.id, &holds).await?;
        if held.len() == hosts.len() {
            return Ok(records);
        }
        batch.committed.lost = hosts.difference(&held).copied().collect();
        self.forget_holders();
        let (kept, refused): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| held.contains(&record.subject()));
        batch.committed.settlements.extend(refused.iter().map(Record::refused));
        Ok(kept)
    }

    /// Gives hosts their rows, and remembers who holds them. Those that nobody knew are taken and reported.
    pub(super) async fn resolve_hosts(
        &mut self,
        hosts: impl Iterator<Item = &Host>,
        batch: &mut Batch,
    ) -> Result<(), Failed> {
        self.hosts.trim();
        let mut missing: HashSet<_> = hosts.filter(|host| self.hosts.get(host).is_none()).map(Host::as_str).collect();
        if missing.is_empty() {
            return Ok(());
        }
        for record in self.database.insert_hosts(self.node.id, &missing).await? {
            missing.remove(record.host.as_str());
            self.hosts.insert(record.host.clone(), record.id, Holder::This);
            batch.committed.hosts.push(record);
        }
        if missing.is_empty() {
            return Ok(());
        }
        for (host, id, holder) in self.database.find_hosts(self.node.id, &missing).await? {
            self.hosts.insert(host, id, holder);
        }
        Ok(())
    }

    /// Whether a URL of this host that became pending is this process's to fetch. A host that nobody holds is taken.
    pub(super) fn may_fetch(&mut self, host: &Host, batch: &mut Batch) -> bool {
        match self.hosts.get(host) {
            Some((_, Holder::This)) => true,
            Some((id, Holder::None)) => {
                batch.reached.insert(id);
                self.hosts.insert(host.clone(), id, Holder::This);
                true
            }
            Some((_, Holder::Another)) | None => false,
        }
    }

    /// Takes the hosts that nobody held and of which URLs became pending. The frontier finds what else is pending of them
    /// when it asks for their windows.
    pub(super) async fn take_reached(&mut self, batch: &mut Batch) -> Result<(), Failed> {
        if batch.reached.is_empty() {
            return Ok(());
        }
        let held = self.database.take_reached(self.node.id, &batch.reached).await?;
        if held.len() < batch.reached.len() {
            // Another process was faster: it finds what is pending there.
            let is_lost = |host: HostId| batch.reached.contains(&host) && !held.contains(&host);
            batch.committed.targets.retain(|target| !is_lost(target.host));
            self.hosts = KnownHosts::default();
        }
        Ok(())
    }

    /// Makes a host known to the schedule: a robots.txt is asked for there on behalf of another. False if another process
    /// holds it.
    pub(super) async fn bring_in(&mut self, host: &Host, batch: &mut Batch) -> Result<bool, Failed> {
        self.resolve_hosts(std::iter::once(host), batch).await?;
        let Some((id, _)) = self.hosts.get(host) else { return Ok(false) };
        let may_fetch = self.may_fetch(host, batch);
        if may_fetch && !batch.committed.hosts.iter().any(|record| record.id == id) {
            self.take_reached(batch).await?;
            if let Some(record) = self.database.held_host(self.node.id, id).await? {
                batch.committed.hosts.push(record);
            }
        }
        Ok(may_fetch)
    }

    /// A robots.txt that is elsewhere is asked for there, unless another process holds that host: then what that was told
    /// there counts, or this one asks again later.
    pub(super) async fn seek_robots(&mut self, record: Record, batch: &mut Batch) -> Result<Record, Failed> {
        let (call, request, rest, url) = match record {
            Record::Robots { call, request, rest, outcome: RobotsOutcome::Again { url, hop, attempt, due_at } } => {
                if self.bring_in(&url.host(), batch).await? {
                    let outcome = RobotsOutcome::Again { url, hop, attempt, due_at };
                    return Ok(Record::Robots { call, request, rest, outcome });
                }
                (call, request, rest, url)
            }
            record => return Ok(record),
        };
        let is_its_own = url.host().robots_url().is_ok_and(|own| own == url);
        let stored = if is_its_own { self.database.stored_robots(&url.host()).await? } else { None };
        let now = self.database.clock().now();
        let outcome = match stored.filter(|stored| now - stored.fetched_at < millis(MAX_ROBOTS_AGE)) {
            Some(StoredRobots { answer, .. }) => RobotsOutcome::Answered(answer),
            None => {
                let RobotsCall { url, hop, attempt, .. } = call.clone();
                RobotsOutcome::Again { url, hop, attempt, due_at: now + ROBOTS_ELSEWHERE }
            }
        };
        Ok(Record::Robots { call, request, rest, outcome })
    }

    pub(super) async fn robots(&mut self, host: HostId, answer: &RobotsAnswer) -> Result<(), Failed> {
        let (status, failure, body) = match answer {
            RobotsAnswer::Rules { status, body } => (Some(*status), None, Some(body.as_slice())),
            RobotsAnswer::Unavailable { status } => (Some(*status), None, None),
            RobotsAnswer::Unreachable { status, failure } => (*status, failure.map(FailureKind::as_str), None),
            RobotsAnswer::Dead { kind, .. } => (None, Some(kind.as_str()), None),
            RobotsAnswer::Private => (None, Some(SkipReason::PrivateAddress.as_str()), None),
        };
        let delay = body.and_then(|body| Rules::parse(body, self.config.product_token()).crawl_delay());
        let (at, crawl_delay) = (self.database.clock().now(), delay.map(millis));
        self.database.keep_robots(host, Robots { at, status, failure, body, crawl_delay }).await
    }
}
