//! Hosts, and who holds them. A host is its holder's until it is given back or the holder is gone.

use std::collections::HashSet;

use sqlx::Row as _;

use crate::canonical::Host;
use crate::store::failed::Failed;
use crate::store::tables::{Holder, Hosts, Robots, Transactions as _};
use crate::visit::{Hold, HostId, HostRecord, StoredRobots};

use super::database::PgDatabase;
use super::domains::domains;
use super::rows::{self, bigint, scalar, sql};

/// Sets the clocks of hosts, and more, as far as they are held under the epochs that are named.
macro_rules! set_clocks {
    ($more:literal) => {
        concat!(
            "update host set asked_at = v.asked, blocked_until = v.until",
            $more,
            " from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) v (i, epoch, asked, until)
             where host.id = v.i and host.epoch = v.epoch and host.holder = $1
                 and exists (select 1 from node where id = $1 and not gone)
             returning host.id"
        )
    };
}

impl Hosts for PgDatabase {
    async fn take(&mut self, me: i64, limit: usize) -> Result<Vec<HostId>, Failed> {
        self.open_transaction().await?;
        let done = match self.take_free(me, bigint(limit)).await {
            Ok(taken) => self.commit_transaction().await.map(|()| taken),
            Err(error) => Err(error),
        };
        if done.is_err() {
            self.undo_transaction().await;
        }
        done
    }

    async fn lost(&mut self, me: i64, holds: &[Hold]) -> Result<Vec<HostId>, Failed> {
        let lost = scalar(
            "select v.i from unnest($2::bigint[], $3::bigint[]) v (i, epoch)
             where not exists (select 1 from host where id = v.i and epoch = v.epoch and holder = $1)",
        );
        let (ids, epochs): (Vec<_>, Vec<_>) = holds.iter().map(|hold| (hold.host, hold.epoch)).unzip();
        self.open_transaction().await?;
        let lost = lost.bind(me).bind(ids).bind(epochs).fetch_all(&mut self.db).await?;
        self.commit_transaction().await?;
        Ok(lost)
    }

    async fn free(&mut self, me: i64, holds: &[Hold]) -> Result<(), Failed> {
        self.open_transaction().await?;
        match self.let_go(me, holds).await {
            Ok(()) => self.commit_transaction().await,
            Err(error) => {
                self.undo_transaction().await;
                Err(error)
            }
        }
    }

    async fn set_clocks(&mut self, me: i64, holds: &[Hold]) -> Result<HashSet<HostId>, Failed> {
        self.update_clocks(set_clocks!(""), me, holds).await
    }

    async fn insert_hosts(&mut self, me: i64, hosts: &HashSet<&str>) -> Result<Vec<HostRecord>, Failed> {
        // In one order, so that two that insert the same ones wait for each other and no more.
        let mut names: Vec<_> = hosts.iter().copied().collect();
        names.sort_unstable();
        let rows = sql(concat!(
            "insert into host (host, domain, epoch, holder)
             select name, domain, 1, $1 from unnest($2::text[], $3::text[]) v (name, domain)
             on conflict do nothing returning ",
            rows::host_columns!()
        ));
        let invocation = self.invocation;
        let rows = rows.bind(me).bind(&names).bind(domains(&names)).fetch_all(&mut self.db).await?;
        rows.iter().map(|row| rows::host_record(row, invocation)).collect()
    }

    async fn find_hosts(&mut self, me: i64, hosts: &HashSet<&str>) -> Result<Vec<(Host, HostId, Holder)>, Failed> {
        let rows = sql(concat!("select id, host, ", rows::holder_column!(), " from host h where host = any($2)"));
        let names: Vec<_> = hosts.iter().copied().collect();
        let rows = rows.bind(me).bind(names).fetch_all(&mut self.db).await?;
        rows.iter().map(|row| Ok((rows::host_name(row)?, row.get("id"), rows::holder(row)))).collect()
    }

    async fn take_reached(&mut self, me: i64, hosts: &HashSet<HostId>) -> Result<HashSet<HostId>, Failed> {
        let ids: Vec<_> = hosts.iter().copied().collect();
        let locked = sql("select 1 from host where id = any($1) order by id for no key update");
        locked.bind(&ids).execute(&mut self.db).await?;
        // A statement of its own, which sees the holders' rows as they are now that the hosts are locked. Both halves see the
        // hosts as they were before: none is answered twice.
        let held: Vec<HostId> = scalar(concat!(
            "with taken as (
                 update host h set epoch = epoch + 1, holder = $1, asked_at = ",
            rows::asked_at!(),
            " where id = any($2) and holder <> $1 and ",
            rows::is_free!(),
            " returning id)
             select id from taken union all select id from host where id = any($2) and holder = $1"
        ))
        .bind(me)
        .bind(ids)
        .fetch_all(&mut self.db)
        .await?;
        Ok(held.into_iter().collect())
    }

    async fn held_host(&mut self, me: i64, id: HostId) -> Result<Option<HostRecord>, Failed> {
        let row = sql(concat!("select ", rows::host_columns!(), " from host where id = $2 and holder = $1"));
        let row = row.bind(me).bind(id).fetch_optional(&mut self.db).await?;
        row.as_ref().map(|row| rows::host_record(row, self.invocation)).transpose()
    }

    async fn stored_robots(&mut self, host: &Host) -> Result<Option<StoredRobots>, Failed> {
        let row = sql("select robots_at, robots_status, robots_failure, robots_body from host where host = $1");
        let row = row.bind(host.as_str()).fetch_optional(&mut self.db).await?;
        Ok(row.as_ref().and_then(rows::stored_robots))
    }

    async fn keep_robots(&mut self, id: HostId, robots: Robots<'_>) -> Result<(), Failed> {
        let update = sql(
            "update host set robots_at = $2, robots_status = $3, robots_failure = $4, robots_body = $5, crawl_delay_ms = $6
             where id = $1",
        );
        let update = update.bind(id).bind(robots.at).bind(robots.status.map(i32::from)).bind(robots.failure);
        update.bind(robots.body).bind(robots.crawl_delay).execute(&mut self.db).await?;
        Ok(())
    }
}

impl PgDatabase {
    /// Takes hosts within a transaction, those that were left alone for the longest first.
    async fn take_free(&mut self, me: i64, limit: i64) -> Result<Vec<HostId>, Failed> {
        self.note_the_gone(me).await?;
        // A host that is held has its place behind those that wait. `offset 0` keeps the planner from reading all that is
        // pending before it looks at the first host.
        let locked: Vec<HostId> = scalar(concat!(
            "select id from host h where queued_at is not null and holder <> $1 and ",
            rows::is_free!(),
            " and (exists (select 1 from url where host_id = h.id and state = 0 offset 0)
                 or exists (select 1 from probe where host_id = h.id and state = 0 offset 0))
             order by queued_at, id limit $2 for update skip locked"
        ))
        .bind(me)
        .bind(limit)
        .fetch_all(&mut self.db)
        .await?;
        if locked.is_empty() {
            return Ok(locked);
        }
        // A statement of its own: a host may have been taken while the first one ran, by a node that it did not see.
        let taken: Vec<HostId> = scalar(concat!(
            "update host h set epoch = epoch + 1, holder = $1,
                 queued_at = greatest(queued_at, (extract(epoch from clock_timestamp()) * 1000)::bigint), asked_at = ",
            rows::asked_at!(),
            " where id = any($2) and ",
            rows::is_free!(),
            " returning id"
        ))
        .bind(me)
        .bind(locked)
        .fetch_all(&mut self.db)
        .await?;
        if !taken.is_empty() {
            let mine = sql("update node set rests = false where id = $1 and not gone");
            if mine.bind(me).execute(&mut self.db).await?.rows_affected() == 0 {
                return Err(Failed::Lapsed);
            }
        }
        Ok(taken)
    }

    /// Gives hosts back within a transaction. Those that nothing is pending of wait for nobody: one whose row another
    /// transaction holds may have something by now, and stays in the queue.
    async fn let_go(&mut self, me: i64, holds: &[Hold]) -> Result<(), Failed> {
        let ids: Vec<_> = holds.iter().map(|hold| hold.host).collect();
        let locked: Vec<HostId> = scalar(
            "select id from host where id = any($2) and holder = $1
                 and not exists (select 1 from url where host_id = host.id and state = 0 offset 0)
                 and not exists (select 1 from probe where host_id = host.id and state = 0 offset 0)
             for update skip locked",
        )
        .bind(me)
        .bind(ids)
        .fetch_all(&mut self.db)
        .await?;
        let freed = set_clocks!(", holder = 0, queued_at = greatest(v.asked, v.until)");
        self.update_clocks(freed, me, holds).await?;
        // A statement of its own, which sees what was committed before the rows were locked.
        sql("update host set queued_at = null where id = any($1) and holder = 0
                 and not exists (select 1 from url where host_id = host.id and state = 0 offset 0)
                 and not exists (select 1 from probe where host_id = host.id and state = 0 offset 0)")
        .bind(locked)
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    async fn update_clocks(&mut self, text: &'static str, me: i64, holds: &[Hold]) -> Result<HashSet<HostId>, Failed> {
        if holds.is_empty() {
            return Ok(HashSet::new());
        }
        let column = |value: fn(&Hold) -> i64| holds.iter().map(value).collect::<Vec<_>>();
        let update = scalar(text).bind(me).bind(column(|hold| hold.host)).bind(column(|hold| hold.epoch));
        let update = update.bind(column(|hold| hold.asked_at)).bind(column(|hold| hold.blocked_until));
        let held: Vec<HostId> = update.fetch_all(&mut self.db).await?;
        Ok(held.into_iter().collect())
    }
}
