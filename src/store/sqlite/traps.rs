//! Budgets of URL patterns, stored; and what is held back for want of one.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::config::Config;
use crate::policy::traps::{Account, Traps};
use crate::visit::{Record, Refusal, SkipReason, State, Target, TrapId};

use super::batch::{Batch, Weights};
use super::failed::Failed;
use super::pages::Past;
use super::rows::{self, json, run_json};
use super::run::SqliteRun;

/// Traps under these settings. What the user lets through now is pending again.
pub(super) async fn begin(tx: &mut SqliteConnection, config: &Config) -> Result<Traps, Failed> {
    if !config.allow_trap.is_empty() {
        sqlx::query(
            "update url set state = 0, reason = null
             where state = 3 and reason = 'trap' and trap_id in (select id from trap
                 where pattern in (select value from json_each(?1)) or 'all' in (select value from json_each(?1)))",
        )
        .bind(json(&config.allow_trap)?)
        .execute(&mut *tx)
        .await?;
    }
    let next = sqlx::query_scalar("select coalesce(max(id), 0) + 1 from trap").fetch_one(tx).await?;
    Ok(Traps::new(&config.allow_trap, next))
}

impl SqliteRun {
    pub(super) async fn held_traps(&mut self) -> Result<Vec<(TrapId, bool)>, Failed> {
        let allowed = json(&self.config.allow_trap)?;
        let held: Vec<TrapId> = sqlx::query_scalar(
            "select id from trap where held and pattern not in (select value from json_each(?1))
                 and 'all' not in (select value from json_each(?1))",
        )
        .bind(allowed)
        .fetch_all(self.db())
        .await?;
        Ok(held.into_iter().map(|id| (id, true)).collect())
    }

    /// Looks at the pages of a batch before their links are.
    pub(super) async fn weigh<'a>(&mut self, records: &'a [Record]) -> Result<Weights<'a>, Failed> {
        let targets: Vec<_> = records.iter().filter_map(Record::target).collect();
        self.load_traps(&targets).await?;
        Ok(records.iter().map(|record| record.page().map(|(target, page)| self.traps.weigh(target, page))).collect())
    }

    async fn load_traps(&mut self, targets: &[&Target]) -> Result<(), Failed> {
        let (hosts, accounts) = self.traps.missing(targets);
        if hosts.is_empty() && accounts.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(
            "select t.*, h.host from trap t join host h on h.id = t.host_id
             where t.host_id in (select value from json_each(?1)) or t.id in (select value from json_each(?2))",
        )
        .bind(json(&hosts)?)
        .bind(json(&accounts)?)
        .fetch_all(self.db())
        .await?;
        self.traps.load(&hosts, rows.iter().map(|row| (row.get("host"), account(row))).collect());
        Ok(())
    }

    /// Books what the pages of a batch brought.
    pub(super) fn settle_traps(&mut self, records: &[Record], weights: Weights<'_>, past: &Past, batch: &Batch) {
        for (record, page) in records.iter().zip(weights) {
            let target = record.target().filter(|target| !past.ended.contains(&target.id));
            if let (Some(target), Some(mut page)) = (target, page) {
                page.leads_on = page.account.is_some_and(|trap| batch.led_on.contains(&(target.id, trap)));
                self.traps.settle(&mut page);
            }
        }
    }

    /// Writes what pays for URLs from now on.
    pub(super) async fn relieve_all(&mut self, batch: &mut Batch) -> Result<(), Failed> {
        run_json(
            self.db(),
            "update url set trap_id = v.trap from (select value ->> 0 as i, value ->> 1 as trap from json_each(?1)) v
             where url.id = v.i",
            &std::mem::take(&mut batch.relieved),
        )
        .await
    }

    /// The URL of a record that refuses it as part of a trap, if that pays for it no more.
    pub(super) fn reprieved(&mut self, record: &Record, past: &Past) -> Option<Target> {
        let Record::Refused { target, verdict: Refusal::Skip(SkipReason::Trap) } = record else { return None };
        let trap = past.trap(target.id);
        let is_held = trap.is_some_and(|trap| self.traps.is_held(trap));
        if is_held {
            // A better link can change its state again.
            self.urls.forget(target.url.as_str());
        }
        (!is_held).then(|| Target { trap, ..target.clone() })
    }

    /// Stores what became of the budgets. What is held back by one that is a trap no more is pending again.
    pub(super) async fn write_traps(&mut self, batch: &mut Batch) -> Result<(), Failed> {
        let changes = self.traps.take_changes();
        let row = |account: &Account| {
            let counts = (account.fruitful, account.barren, account.identical, account.is_held());
            (account.id, account.host, account.pattern.clone(), account.budget, counts)
        };
        run_json(
            self.db(),
            "insert into trap (id, host_id, pattern, budget, fruitful, barren, identical, held)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> '$[4][0]', value ->> '$[4][1]',
                 value ->> '$[4][2]', value ->> '$[4][3]' from jsonb_each(?1) where true
             on conflict (id) do update set budget = excluded.budget, fruitful = excluded.fruitful,
                 barren = excluded.barren, identical = excluded.identical, held = excluded.held",
            &changes.accounts.iter().map(row).collect::<Vec<_>>(),
        )
        .await?;
        for account in &changes.accounts {
            if changes.turned.contains(&(account.id, false)) {
                self.release(account, batch).await?;
            }
        }
        batch.committed.turned = changes.turned;
        Ok(())
    }

    /// As many as its budget pays for: with it spent anew, no more than these are held back again.
    async fn release(&mut self, account: &Account, batch: &mut Batch) -> Result<(), Failed> {
        let released = sqlx::query(concat!(
            "update url set state = 0, reason = null where id in
                 (select id from url where trap_id = ?1 and reason = 'trap' and state = 3 order by depth, id limit ?2)
             returning (select holder from host where id = url.host_id) as holder, ",
            rows::target_columns!()
        ))
        .bind(account.id)
        .bind(account.budget)
        .fetch_all(self.db())
        .await?;
        for row in &released {
            batch.delta.change(State::Skipped, State::Pending);
            if self.may_fetch_at(row.get("host_id"), row.get("holder"), batch) {
                batch.committed.targets.push(rows::target(row, None)?);
            }
        }
        Ok(())
    }
}

fn account(row: &SqliteRow) -> Account {
    Account {
        id: row.get("id"),
        host: row.get("host_id"),
        pattern: row.get("pattern"),
        budget: row.get("budget"),
        fruitful: row.get("fruitful"),
        barren: row.get("barren"),
        identical: row.get("identical"),
        is_allowed: false,
        is_drained: false,
    }
}
