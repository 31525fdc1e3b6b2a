//! Hosts, and who holds them.

use std::collections::HashSet;

use sqlx::Row as _;

use crate::canonical::Host;
use crate::store::failed::Failed;
use crate::store::tables::{Holder, Hosts, Robots};
use crate::visit::{Hold, HostId, HostRecord};

use super::database::SqliteDatabase;
use super::rows::{self, json};

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

impl Hosts for SqliteDatabase {
    async fn take(&mut self, me: i64, limit: usize) -> Result<Vec<HostId>, Failed> {
        let taken = sqlx::query_scalar(
            "update host set epoch = epoch + 1, holder = ?1
             where id in (select id from host h
                 where holder < ?1 and (exists (select 1 from url where host_id = h.id and state = 0)
                     or exists (select 1 from probe where host_id = h.id and state = 0))
                 order by holder, id limit ?2)
             returning id",
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Ok(taken.bind(me).bind(limit).fetch_all(&mut self.db).await?)
    }

    async fn lost(&mut self, me: i64, holds: &[Hold]) -> Result<Vec<HostId>, Failed> {
        let held: Vec<_> = holds.iter().map(|hold| (hold.host, hold.epoch)).collect();
        let lost = sqlx::query_scalar(
            "select v.value ->> 0 from json_each(?1) v
             where not exists (select 1 from host
                 where id = v.value ->> 0 and epoch = v.value ->> 1 and holder = ?2)",
        );
        Ok(lost.bind(json(&held)?).bind(me).fetch_all(&mut self.db).await?)
    }

    async fn free(&mut self, me: i64, holds: &[Hold]) -> Result<(), Failed> {
        self.update_clocks(set_clocks!(", holder = 0"), me, holds).await?;
        Ok(())
    }

    async fn set_clocks(&mut self, me: i64, holds: &[Hold]) -> Result<HashSet<HostId>, Failed> {
        self.update_clocks(set_clocks!(""), me, holds).await
    }

    async fn insert_hosts(&mut self, me: i64, hosts: &HashSet<&str>) -> Result<Vec<HostRecord>, Failed> {
        let rows = sqlx::query(concat!(
            "insert into host (host, epoch, holder) select value, 1, ?2 from json_each(?1) where true
             on conflict do nothing returning ",
            rows::host_columns!()
        ));
        rows.bind(json(hosts)?).bind(me).fetch_all(&mut self.db).await?.iter().map(rows::host_record).collect()
    }

    async fn find_hosts(&mut self, me: i64, hosts: &HashSet<&str>) -> Result<Vec<(Host, HostId, Holder)>, Failed> {
        let sql = "select id, host, holder from host where host in (select value from json_each(?1))";
        let rows = sqlx::query(sql).bind(json(hosts)?).fetch_all(&mut self.db).await?;
        rows.iter().map(|row| Ok((rows::host_name(row)?, row.get("id"), rows::holder(row, me)))).collect()
    }

    /// Nobody else has the file: whoever held nothing before is held then.
    async fn take_reached(&mut self, me: i64, hosts: &HashSet<HostId>) -> Result<HashSet<HostId>, Failed> {
        sqlx::query(
            "update host set epoch = epoch + 1, holder = ?2
             where id in (select value from json_each(?1)) and +holder < ?2",
        )
        .bind(json(hosts)?)
        .bind(me)
        .execute(&mut self.db)
        .await?;
        Ok(hosts.clone())
    }

    async fn held_host(&mut self, me: i64, id: HostId) -> Result<Option<HostRecord>, Failed> {
        let sql = concat!("select ", rows::host_columns!(), " from host where id = ?1 and holder = ?2");
        let row = sqlx::query(sql).bind(id).bind(me).fetch_optional(&mut self.db).await?;
        row.as_ref().map(rows::host_record).transpose()
    }

    async fn keep_robots(&mut self, id: HostId, robots: Robots<'_>) -> Result<(), Failed> {
        let update = sqlx::query(
            "update host set robots_at = ?2, robots_status = ?3, robots_failure = ?4, robots_body = ?5, crawl_delay_ms = ?6
             where id = ?1",
        );
        let update = update.bind(id).bind(robots.at).bind(robots.status).bind(robots.failure);
        update.bind(robots.body).bind(robots.crawl_delay).execute(&mut self.db).await?;
        Ok(())
    }
}

impl SqliteDatabase {
    async fn update_clocks(&mut self, sql: &'static str, me: i64, holds: &[Hold]) -> Result<HashSet<HostId>, Failed> {
        if holds.is_empty() {
            return Ok(HashSet::new());
        }
        let clocks: Vec<_> = holds.iter().map(|it| (it.host, it.epoch, it.asked_at, it.blocked_until)).collect();
        let held: Vec<HostId> = sqlx::query_scalar(sql).bind(json(&clocks)?).bind(me).fetch_all(&mut self.db).await?;
        Ok(held.into_iter().collect())
    }
}
