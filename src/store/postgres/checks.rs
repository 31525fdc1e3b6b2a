//! Checks: what pages name and the crawl does not fetch.

use std::collections::HashMap;

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::policy::check::first_method;
use crate::store::failed::Failed;
use crate::store::tables::{CheckRows, Checks, NamedBy, NewCheck, Woken};
use crate::visit::{Check, CheckKind, HostId, Method, SkipReason, Target, UrlId};

use super::database::PgDatabase;
use super::rows::{self, bigint, hash, int, scalar, sql, words};

/// The columns that [`check`] reads, of a row of `probe`.
macro_rules! check_columns {
    () => {
        "probe.id, coalesce(probe.at_url, probe.url) as url, probe.host_id, probe.kind, probe.method, probe.sheet, probe.hops,
             probe.attempts, probe.due_at"
    };
}

/// Forgets where things are named that are not checked any more, and what is named by such.
const LOOSE: &str = "delete from resource r where not exists (select 1 from probe p where p.id = r.probe_id)
     or by_sheet = 1 and not exists (select 1 from probe p where p.id = r.from_id)";

impl Checks for PgDatabase {
    async fn insert_checks(&mut self, me: i64, new: &[NewCheck]) -> Result<Vec<Woken>, Failed> {
        // In one order, so that two that insert the same ones wait for each other and no more; no row twice.
        let mut new: Vec<_> = new.iter().map(|new| (hash(&new.url), new)).collect();
        new.sort_unstable_by(|one, other| (&one.0, one.1.kind).cmp(&(&other.0, other.1.kind)));
        new.dedup_by(|one, other| one.0 == other.0);
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sql(concat!(
            "insert into probe (hash, url, home_id, host_id, kind, method, sheet)
             select hash, url, host, host, kind, method, sheet
             from unnest($2::bytea[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::int[])
                 v (hash, url, host, kind, method, sheet)
             on conflict (hash) do update set kind = least(probe.kind, excluded.kind),
                 sheet = coalesce(probe.sheet, excluded.sheet),
                 method = case when probe.sheet is null and excluded.sheet is not null then 'GET' else probe.method end,
                 state = case when probe.sheet is null and excluded.sheet is not null then 0 else probe.state end
             where excluded.kind < probe.kind or probe.sheet is null and excluded.sheet is not null
             returning state, (select ",
            rows::holder_column!(),
            " from host h where h.id = probe.host_id), ",
            check_columns!()
        ));
        let rows = rows
            .bind(me)
            .bind(new.iter().map(|(hash, _)| hash.as_slice()).collect::<Vec<_>>())
            .bind(new.iter().map(|(_, new)| new.url.as_str()).collect::<Vec<_>>())
            .bind(new.iter().map(|(_, new)| new.host).collect::<Vec<_>>())
            .bind(new.iter().map(|(_, new)| new.kind.as_str()).collect::<Vec<_>>())
            .bind(new.iter().map(|(_, new)| first_method(new.sheet).as_str()).collect::<Vec<_>>())
            .bind(new.iter().map(|(_, new)| new.sheet.map(int)).collect::<Vec<_>>());
        let rows = rows.fetch_all(&mut self.db).await?;
        let waits = rows.iter().filter(|row| row.get::<i16, _>("state") == 0);
        waits.map(|row| Ok(Woken { target: check(row)?, holder: rows::holder(row) })).collect()
    }

    async fn write_checks(&mut self, rows: &CheckRows) -> Result<(), Failed> {
        let moved = &rows.moved;
        if !moved.is_empty() {
            let method = |target: &Target| target.check.map(|check| check.method.as_str());
            sql("update probe set host_id = v.host, at_url = v.url, method = v.method, hops = v.hops, attempts = v.attempts,
                     due_at = v.due
                 from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::int[], $6::int[], $7::bigint[])
                     v (i, host, url, method, hops, attempts, due)
                 where probe.id = v.i")
            .bind(moved.iter().map(|target| target.id).collect::<Vec<_>>())
            .bind(moved.iter().map(|target| target.host).collect::<Vec<_>>())
            .bind(moved.iter().map(|target| target.url.as_str()).collect::<Vec<_>>())
            .bind(moved.iter().map(method).collect::<Vec<_>>())
            .bind(moved.iter().map(|target| int(target.hops)).collect::<Vec<_>>())
            .bind(moved.iter().map(|target| int(target.attempts)).collect::<Vec<_>>())
            .bind(moved.iter().map(|target| target.due_at).collect::<Vec<_>>())
            .execute(&mut self.db)
            .await?;
        }
        let found = &rows.found;
        if !found.is_empty() {
            sql("update probe set state = 1, asked = v.asked, status = v.status, failure = v.failure,
                     final_url = v.final_url, verdict = v.verdict, checked_at = v.at
                 from unnest($1::bigint[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bigint[])
                     v (i, asked, status, failure, final_url, verdict, at)
                 where probe.id = v.i and probe.state = 0")
            .bind(found.iter().map(|row| row.id).collect::<Vec<_>>())
            .bind(found.iter().map(|row| row.asked).collect::<Vec<_>>())
            .bind(found.iter().map(|row| row.status.map(i32::from)).collect::<Vec<_>>())
            .bind(found.iter().map(|row| row.failure.as_deref()).collect::<Vec<_>>())
            .bind(found.iter().map(|row| row.final_url.as_str()).collect::<Vec<_>>())
            .bind(found.iter().map(|row| row.verdict).collect::<Vec<_>>())
            .bind(found.iter().map(|row| row.at).collect::<Vec<_>>())
            .execute(&mut self.db)
            .await?;
        }
        let by = |by: &NamedBy| by.columns();
        if !rows.read.is_empty() {
            let (sheets, ids): (Vec<_>, Vec<_>) =
                rows.read.iter().map(by).map(|(sheet, id)| (i16::from(sheet), id)).unzip();
            let gone = sql(
                "delete from resource where (by_sheet, from_id) in (select * from unnest($1::smallint[], $2::bigint[]))",
            );
            gone.bind(sheets).bind(ids).execute(&mut self.db).await?;
        }
        let named = &rows.named;
        if !named.is_empty() {
            sql("insert into resource (by_sheet, from_id, probe_id, element)
                 select v.sheet, v.id, p.id, v.element
                 from unnest($1::smallint[], $2::bigint[], $3::bytea[], $4::text[]) v (sheet, id, hash, element)
                 join probe p on p.hash = v.hash
                 on conflict do nothing")
            .bind(named.iter().map(|(from, ..)| i16::from(by(from).0)).collect::<Vec<_>>())
            .bind(named.iter().map(|(from, ..)| by(from).1).collect::<Vec<_>>())
            .bind(named.iter().map(|(_, url, _)| hash(url)).collect::<Vec<_>>())
            .bind(named.iter().map(|(.., element)| *element).collect::<Vec<_>>())
            .execute(&mut self.db)
            .await?;
        }
        Ok(())
    }

    async fn waiting_checks(&mut self, hosts: &[(HostId, usize)]) -> Result<Vec<Target>, Failed> {
        let limits: HashMap<_, _> = hosts.iter().copied().collect();
        let rows = sql(concat!(
            "select ",
            check_columns!(),
            " from unnest($1::bigint[], $2::bigint[]) v (host, most)
             cross join lateral (select * from probe where host_id = v.host and state = 0 order by id limit v.most) probe
             order by probe.id"
        ));
        let rows = rows.bind(limits.keys().copied().collect::<Vec<_>>());
        let rows = rows.bind(limits.values().map(|limit| bigint(*limit)).collect::<Vec<_>>());
        rows.fetch_all(&mut self.db).await?.iter().map(check).collect()
    }

    async fn are_checks_left(&mut self) -> Result<bool, Failed> {
        Ok(scalar("select exists (select 1 from probe where state = 0)").fetch_one(&mut self.db).await?)
    }

    async fn leave_checks(&mut self, kinds: &[CheckKind], reasons: &[SkipReason]) -> Result<(), Failed> {
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
        if !kinds.is_empty() {
            let only_resources = sql("update probe set kind = 'resource'
                 where kind = 'external' and exists (select 1 from resource r where r.probe_id = probe.id)
                     and ('external' <> all($1) or not exists (select 1 from url u
                         where u.hash = probe.hash and u.state = 3 and u.reason = any($2)))");
            only_resources.bind(&kinds).bind(words(reasons)).execute(&mut self.db).await?;
        }
        for change in ["update probe set state = 1", "delete from probe"] {
            let more = if change.starts_with("delete") { "verdict is null" } else { "state = 0" };
            let text = format!(
                "{change} where {more} and (kind <> all($1) or kind = 'external'
                     and not exists (select 1 from url u where u.hash = probe.hash and u.state = 3 and u.reason = any($2)))"
            );
            let changed = sqlx::query(sqlx::AssertSqlSafe(text)).persistent(false);
            changed.bind(&kinds).bind(words(reasons)).execute(&mut self.db).await?;
        }
        sql(LOOSE).execute(&mut self.db).await?;
        Ok(())
    }

    async fn waiting_urls(&mut self, after: UrlId, limit: i64) -> Result<Vec<(UrlId, String)>, Failed> {
        let rows =
            sql("select id, coalesce(at_url, url) as url from probe where id > $1 and state = 0 order by id limit $2");
        let rows = rows.bind(after).bind(limit).fetch_all(&mut self.db).await?;
        Ok(rows.iter().map(|row| (row.get("id"), row.get("url"))).collect())
    }

    async fn drop_checks(&mut self, checks: &[UrlId]) -> Result<(), Failed> {
        for change in
            ["update probe set state = 1 where verdict is not null", "delete from probe where verdict is null"]
        {
            let text = format!("{change} and id = any($1)");
            sqlx::query(sqlx::AssertSqlSafe(text)).persistent(false).bind(checks).execute(&mut self.db).await?;
        }
        sql(LOOSE).execute(&mut self.db).await?;
        Ok(())
    }

    async fn forget_unlinked(&mut self) -> Result<(), Failed> {
        sql("delete from probe where kind = 'external'
                     and not exists (select 1 from resource r where r.probe_id = probe.id)
                     and not exists (select 1 from url u join link l on l.to_id = u.id where u.hash = probe.hash)
                     and not exists (select 1 from url u join page p on p.redirect_to = u.id where u.hash = probe.hash)")
            .execute(&mut self.db)
            .await?;
        Ok(())
    }

    async fn renew_checks(&mut self) -> Result<(), Failed> {
        sql("delete from probe where kind = 'resource'
                 and not exists (select 1 from resource r where r.probe_id = probe.id)")
        .execute(&mut self.db)
        .await?;
        let renewed =
            sql("update probe set state = 0, host_id = home_id, at_url = null, hops = 0, attempts = 0, due_at = null,
             method = case when sheet is null then 'HEAD' else 'GET' end");
        renewed.execute(&mut self.db).await?;
        Ok(())
    }

    async fn skipped_for(
        &mut self,
        reasons: &[SkipReason],
        after: UrlId,
        limit: i64,
    ) -> Result<Vec<(UrlId, String, HostId)>, Failed> {
        let rows = sql(
            "select id, url, host_id from url where id > $1 and state = 3 and reason = any($2) order by id limit $3",
        );
        let rows = rows.bind(after).bind(words(reasons)).bind(limit).fetch_all(&mut self.db).await?;
        Ok(rows.iter().map(|row| (row.get("id"), row.get("url"), row.get("host_id"))).collect())
    }
}

fn check(row: &PgRow) -> Result<Target, Failed> {
    let kind = CheckKind::from_word(row.get("kind")).unwrap_or(CheckKind::External);
    let method = Method::from_word(row.get("method")).unwrap_or(Method::Get);
    let target = Target::to_check(
        row.get("id"),
        row.get("host_id"),
        rows::url(row)?,
        Check { kind, method, sheet: rows::optional(row, "sheet") },
    );
    let (hops, attempts, due_at) = (rows::uint(row, "hops"), rows::uint(row, "attempts"), row.get("due_at"));
    Ok(Target { hops, attempts, due_at, ..target })
}
