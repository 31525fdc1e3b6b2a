//! Hosts: taken, held and given back, their clocks, their robots.txt.

use std::collections::HashSet;

use sqlx::Row as _;

use crate::canonical::Host;
use crate::policy::politeness::millis;
use crate::policy::robots::Rules;
use crate::visit::{self, FailureKind, Hold, HostId, HostRecord, Record, RobotsAnswer, SkipReason};

use super::batch::Batch;
use super::failed::Failed;
use super::known::{Holder, KnownHosts};
use super::rows::{self, json};
use super::run::SqliteRun;

/// Sets the clocks of hosts, and more, as far as they are held under the epochs that are named. The `+` keeps SQLite from
/// looking the hosts up by their holder, who holds many.
macro_rules! set_clocks {
    ($more:literal) => {
        concat!(
            "update host set asked_at = v.asked, blocked_until = v.until",
            $more,
            " from (select value ->> 0 as i, value ->> 1 as epoch, value ->> 2 as asked, value ->> 3 as until
                    from jsonb_each(?1)) v
             where host.id = v.i and host.epoch = v.epoch and +host.holder = ?2
             returning id"
        )
    };
}

impl SqliteRun {
    pub(super) async fn take_hosts(&mut self, limit: usize) -> Result<Vec<HostId>, Failed> {
        let invocation = self.invocation;
        let mut taken: Vec<HostId> = sqlx::query_scalar(
            "update host set epoch = epoch + 1, holder = ?1
             where id in (select id from host h
                 where holder < ?1 and exists (select 1 from url where host_id = h.id and state = 0)
                 order by holder, id limit ?2)
             returning id",
        )
        .bind(invocation)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(self.db())
        .await?;
        self.hosts = KnownHosts::default();
        taken.sort_unstable();
        Ok(taken)
    }

    /// Which of these are not held any more.
    pub(super) async fn lost(&mut self, holds: &[Hold]) -> Result<Vec<HostId>, Failed> {
        let invocation = self.invocation;
        let held: Vec<_> = holds.iter().map(|hold| (hold.host, hold.epoch)).collect();
        let lost: Vec<HostId> = sqlx::query_scalar(
            "select v.value ->> 0 from json_each(?1) v
             where not exists (select 1 from host
                 where id = v.value ->> 0 and epoch = v.value ->> 1 and holder = ?2)",
        )
        .bind(json(&held)?)
        .bind(invocation)
        .fetch_all(self.db())
        .await?;
        if !lost.is_empty() {
            self.hosts = KnownHosts::default();
        }
        Ok(lost)
    }

    pub(super) async fn free_hosts(&mut self, holds: &[Hold]) -> Result<(), Failed> {
        self.set_clocks(set_clocks!(", holder = 0"), holds).await?;
        self.hosts = KnownHosts::default();
        Ok(())
    }

    /// Stores the clocks of hosts that are held. Answers with those that were.
    async fn set_clocks(&mut self, sql: &'static str, holds: &[Hold]) -> Result<HashSet<HostId>, Failed> {
        if holds.is_empty() {
            return Ok(HashSet::new());
        }
        let invocation = self.invocation;
        let clocks: Vec<_> = holds.iter().map(|it| (it.host, it.epoch, it.asked_at, it.blocked_until)).collect();
        let held: Vec<HostId> =
            sqlx::query_scalar(sql).bind(json(&clocks)?).bind(invocation).fetch_all(self.db()).await?;
        Ok(held.into_iter().collect())
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
        let held = self.set_clocks(set_clocks!(""), &holds).await?;
        if held.len() == hosts.len() {
            return Ok(records);
        }
        batch.committed.lost = hosts.difference(&held).copied().collect();
        self.hosts = KnownHosts::default();
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
        let invocation = self.invocation;
        let rows = sqlx::query(concat!(
            "insert into host (host, epoch, holder) select value, 1, ?2 from json_each(?1) where true
             on conflict do nothing returning ",
            rows::host_columns!()
        ))
        .bind(json(&missing)?)
        .bind(invocation)
        .fetch_all(self.db())
        .await?;
        for row in &rows {
            let record = rows::host_record(row)?;
            missing.remove(record.host.as_str());
            self.hosts.insert(record.host.clone(), record.id, Holder::This);
            batch.committed.hosts.push(record);
        }
        if missing.is_empty() {
            return Ok(());
        }
        let sql = "select id, host, holder from host where host in (select value from json_each(?1))";
        for row in sqlx::query(sql).bind(json(&missing)?).fetch_all(self.db()).await? {
            let holder = Holder::of(row.get("holder"), invocation);
            self.hosts.insert(rows::host_name(&row)?, row.get("id"), holder);
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

    /// The same for a host of which the row says who holds it.
    pub(super) fn may_fetch_at(&self, id: HostId, holder: i64, batch: &mut Batch) -> bool {
        let holder = Holder::of(holder, self.invocation);
        if holder == Holder::None {
            batch.reached.insert(id);
        }
        holder != Holder::Another
    }

    /// Takes the hosts that nobody held and of which URLs became pending. The frontier finds what else is pending of them
    /// when it asks for their windows.
    pub(super) async fn take_reached(&mut self, batch: &Batch) -> Result<(), Failed> {
        if batch.reached.is_empty() {
            return Ok(());
        }
        let invocation = self.invocation;
        sqlx::query(
            "update host set epoch = epoch + 1, holder = ?2
             where id in (select value from json_each(?1)) and +holder < ?2",
        )
        .bind(json(&batch.reached)?)
        .bind(invocation)
        .execute(self.db())
        .await?;
        Ok(())
    }

    /// Makes a host known to the schedule: a robots.txt is asked for there on behalf of another.
    pub(super) async fn bring_in(&mut self, host: &Host, batch: &mut Batch) -> Result<(), Failed> {
        self.resolve_hosts(std::iter::once(host), batch).await?;
        let Some((id, _)) = self.hosts.get(host) else { return Ok(()) };
        if self.may_fetch(host, batch) && !batch.committed.hosts.iter().any(|record| record.id == id) {
            self.take_reached(batch).await?;
            if let Some(record) = self.held_host(id).await? {
                batch.committed.hosts.push(record);
            }
        }
        Ok(())
    }

    /// A host, if this process holds it.
    pub(super) async fn held_host(&mut self, id: HostId) -> Result<Option<HostRecord>, Failed> {
        let invocation = self.invocation;
        let sql = concat!("select ", rows::host_columns!(), " from host where id = ?1 and holder = ?2");
        let row = sqlx::query(sql).bind(id).bind(invocation).fetch_optional(self.db()).await?;
        row.as_ref().map(rows::host_record).transpose()
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
        sqlx::query(
            "update host set robots_at = ?2, robots_status = ?3, robots_failure = ?4, robots_body = ?5, crawl_delay_ms = ?6
             where id = ?1",
        )
        .bind(host)
        .bind(visit::now())
        .bind(status)
        .bind(failure)
        .bind(body)
        .bind(delay.map(millis))
        .execute(self.db())
        .await?;
        Ok(())
    }
}
