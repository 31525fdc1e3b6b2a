//! Checks: what pages name and the crawl does not fetch.

use serde::Serialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::policy::check::first_method;
use crate::store::failed::Failed;
use crate::store::tables::{CheckRows, Checks, FoundRow, NewCheck, Woken};
use crate::visit::{Check, CheckKind, HostId, Method, SkipReason, Target, UrlId};

use super::database::SqliteDatabase;
use super::rows::{self, json, run_json, words};

/// The columns that [`check`] reads.
macro_rules! check_columns {
    () => {
        "id, coalesce(at_url, url) as url, host_id, kind, method, sheet, hops, attempts, due_at"
    };
}

/// Forgets where things are named that are not checked any more, and what is named by such.
const LOOSE: &str = "delete from resource where probe_id not in (select id from probe)
     or by_sheet = 1 and from_id not in (select id from probe)";

impl Checks for SqliteDatabase {
    async fn insert_checks(&mut self, me: i64, new: &[NewCheck]) -> Result<Vec<Woken>, Failed> {
        let rows: Vec<_> = new.iter().map(row).collect();
        let mut woken = Vec::new();
        for some in rows.chunks(rows::ROWS) {
            let inserted = sqlx::query(concat!(
                "insert into probe (url, home_id, host_id, kind, method, sheet)
                 select value ->> 0, value ->> 1, value ->> 1, value ->> 2, value ->> 3, value ->> 4 from jsonb_each(?1)
                 where true
                 on conflict (url) do update set kind = min(kind, excluded.kind), sheet = coalesce(sheet, excluded.sheet),
                     method = iif(sheet is null and excluded.sheet is not null, 'GET', method),
                     state = iif(sheet is null and excluded.sheet is not null, 0, state)
                 where excluded.kind < kind or sheet is null and excluded.sheet is not null
                 returning state, (select holder from host where id = host_id) as holder, ",
                check_columns!()
            ));
            for row in inserted.bind(json(some)?).fetch_all(&mut self.db).await? {
                if row.get::<i64, _>("state") == 0 {
                    woken.push(Woken { target: check(&row)?, holder: rows::holder(&row, me) });
                }
            }
        }
        Ok(woken)
    }

    async fn write_checks(&mut self, rows: &CheckRows) -> Result<(), Failed> {
        let moved = |target: &Target| {
            let method = target.check.map(|check| check.method.as_str());
            let waits = (target.hops, target.attempts, target.due_at);
            (target.id, target.host, target.url.as_str().to_owned(), method, waits)
        };
        run_json(
            &mut self.db,
            "update or fail probe set host_id = v.host, at_url = v.url, method = v.method, hops = v.hops, attempts = v.attempts,
                 due_at = v.due
             from (select value ->> 0 as id, value ->> 1 as host, value ->> 2 as url, value ->> 3 as method,
                 value ->> '$[4][0]' as hops, value ->> '$[4][1]' as attempts, value ->> '$[4][2]' as due from jsonb_each(?1)) v
             where probe.id = v.id",
            &rows.moved.iter().map(moved).collect::<Vec<_>>(),
        )
        .await?;
        run_json(
            &mut self.db,
            "update or fail probe set state = 1, asked = v.asked, status = v.status, failure = v.failure,
                 final_url = v.final_url, verdict = v.verdict, checked_at = v.at
             from (select value ->> 0 as id, value ->> 1 as asked, value ->> 2 as status, value ->> 3 as failure,
                 value ->> '$[4][0]' as final_url, value ->> '$[4][1]' as verdict, value ->> '$[4][2]' as at
                 from jsonb_each(?1)) v
             where probe.id = v.id and probe.state = 0",
            &rows.found.iter().map(found).collect::<Vec<_>>(),
        )
        .await?;
        run_json(
            &mut self.db,
            "delete from resource where (by_sheet, from_id) in (select value ->> 0, value ->> 1 from json_each(?1))",
            &rows.read.iter().map(|by| by.columns()).collect::<Vec<_>>(),
        )
        .await?;
        run_json(
            &mut self.db,
            "insert or ignore into resource (by_sheet, from_id, probe_id, element)
             select value ->> '$[0][0]', value ->> '$[0][1]', (select id from probe where url = value ->> 1), value ->> 2
             from jsonb_each(?1)",
            &rows.named.iter().map(|(by, url, element)| (by.columns(), url, element)).collect::<Vec<_>>(),
        )
        .await
    }

    async fn waiting_checks(&mut self, hosts: &[(HostId, usize)]) -> Result<Vec<Target>, Failed> {
        let mut waiting = Vec::new();
        for (host, limit) in hosts {
            let rows = sqlx::query(concat!(
                "select ",
                check_columns!(),
                " from probe where host_id = ?1 and state = 0 order by id limit ?2"
            ));
            let rows = rows.bind(host).bind(i64::try_from(*limit).unwrap_or(i64::MAX)).fetch_all(&mut self.db).await?;
            for row in &rows {
                waiting.push(check(row)?);
            }
        }
        Ok(waiting)
    }

    async fn are_checks_left(&mut self) -> Result<bool, Failed> {
        let sql = "select exists (select 1 from probe where state = 0)";
        Ok(sqlx::query_scalar(sql).fetch_one(&mut self.db).await?)
    }

    async fn leave_checks(&mut self, kinds: &[CheckKind], reasons: &[SkipReason]) -> Result<(), Failed> {
        let is_any = !kinds.is_empty();
        let kinds = json(&kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>())?;
        if is_any {
            let only_resources = sqlx::query(
                "update probe set kind = 'resource' where kind = 'external' and id in (select probe_id from resource)
                 and ('external' not in (select value from json_each(?1)) or not exists (select 1 from url u
                     where u.url = probe.url and u.state = 3 and u.reason in (select value from json_each(?2))))",
            );
            only_resources.bind(&kinds).bind(words(reasons)?).execute(&mut self.db).await?;
        }
        for change in ["update probe set state = 1", "delete from probe"] {
            let more = if change.starts_with("delete") { "verdict is null" } else { "state = 0" };
            let sql = format!(
                "{change} where {more} and (kind not in (select value from json_each(?1))
                     or kind = 'external' and not exists (select 1 from url u where u.url = probe.url and u.state = 3
                         and u.reason in (select value from json_each(?2))))"
            );
            let changed = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&kinds).bind(words(reasons)?);
            changed.execute(&mut self.db).await?;
        }
        sqlx::query(LOOSE).execute(&mut self.db).await?;
        Ok(())
    }

    async fn waiting_urls(&mut self, after: UrlId, limit: i64) -> Result<Vec<(UrlId, String)>, Failed> {
        let rows = sqlx::query(
            "select id, coalesce(at_url, url) as url from probe where id > ?1 and state = 0 order by id limit ?2",
        );
        let rows = rows.bind(after).bind(limit).fetch_all(&mut self.db).await?;
        Ok(rows.iter().map(|row| (row.get("id"), row.get("url"))).collect())
    }

    async fn drop_checks(&mut self, checks: &[UrlId]) -> Result<(), Failed> {
        for change in
            ["update probe set state = 1 where verdict is not null", "delete from probe where verdict is null"]
        {
            let sql = format!("{change} and id in (select value from json_each(?1))");
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(json(checks)?).execute(&mut self.db).await?;
        }
        sqlx::query(LOOSE).execute(&mut self.db).await?;
        Ok(())
    }

    async fn forget_unlinked(&mut self) -> Result<(), Failed> {
        let forgotten = "delete from probe where kind = 'external' and id not in (select probe_id from resource)
             and url not in (select url from url where id in (select to_id from link)
                 or id in (select redirect_to from page where redirect_to is not null))";
        sqlx::query(forgotten).execute(&mut self.db).await?;
        Ok(())
    }

    async fn renew_checks(&mut self) -> Result<(), Failed> {
        let forgotten = "delete from probe where kind = 'resource' and id not in (select probe_id from resource)";
        sqlx::query(forgotten).execute(&mut self.db).await?;
        let renewed =
            "update probe set state = 0, host_id = home_id, at_url = null, hops = 0, attempts = 0, due_at = null,
             method = iif(sheet is null, 'HEAD', 'GET')";
        sqlx::query(renewed).execute(&mut self.db).await?;
        Ok(())
    }

    async fn skipped_for(
        &mut self,
        reasons: &[SkipReason],
        after: UrlId,
        limit: i64,
    ) -> Result<Vec<(UrlId, String, HostId)>, Failed> {
        let rows = sqlx::query(
            "select id, url, host_id from url
             where id > ?1 and state = 3 and reason in (select value from json_each(?2)) order by id limit ?3",
        );
        let rows = rows.bind(after).bind(words(reasons)?).bind(limit).fetch_all(&mut self.db).await?;
        Ok(rows.iter().map(|row| (row.get("id"), row.get("url"), row.get("host_id"))).collect())
    }
}

fn row(new: &NewCheck) -> impl Serialize {
    let NewCheck { url, host, kind, sheet } = new;
    (url, host, kind.as_str(), first_method(*sheet).as_str(), sheet)
}

fn found(row: &FoundRow) -> impl Serialize {
    (row.id, row.asked, row.status, row.failure.as_deref(), (&row.final_url, row.verdict, row.at))
}

fn check(row: &SqliteRow) -> Result<Target, Failed> {
    let kind = CheckKind::from_word(row.get("kind")).unwrap_or(CheckKind::External);
    let method = Method::from_word(row.get("method")).unwrap_or(Method::Get);
    let target = Target::to_check(
        row.get("id"),
        row.get("host_id"),
        rows::url(row)?,
        Check { kind, method, sheet: row.get("sheet") },
    );
    let (hops, attempts, due_at) = (row.get("hops"), row.get("attempts"), row.get("due_at"));
    Ok(Target { hops, attempts, due_at, ..target })
}
