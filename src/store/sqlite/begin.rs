//! The beginning and the end of an invocation, and the run's row.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::canonical::CanonicalUrl;
use crate::policy::begin::SEED_DEPTH;
use crate::policy::sweep::{OPENED_BY_RUN, led_to};
use crate::store::failed::Failed;
use crate::store::tables::{Beginning, Done, StoredRun, Waits};
use crate::store::{Accounting, Tally};
use crate::visit::{Millis, SeedLine, SkipReason, State, UrlId};

use super::database::SqliteDatabase;
use super::rows::{self, json, numbers, run_json, waits_columns, words};

/// Rows deleted in one transaction: so few that readers and signals wait for none of them.
const ROWS: i64 = 5_000;

impl Beginning for SqliteDatabase {
    async fn last_request(&mut self) -> Result<Option<(i64, Millis)>, Failed> {
        let last = sqlx::query(
            "select id, at from fetch where id = (select max(id) from fetch)
                 and id is not (select cast(value as integer) from meta where key = 'set_back')",
        );
        let last = last.fetch_optional(&mut self.db).await?;
        Ok(last.map(|row| (row.get("id"), row.get("at"))))
    }

    async fn set_back(&mut self, by: Millis, now: Millis, request: i64) -> Result<(), Failed> {
        for sql in [
            "update host set asked_at = min(asked_at, ?2),
                 blocked_until = iif(blocked_until > ?2, blocked_until - ?1, blocked_until),
                 robots_at = iif(robots_at > ?2, robots_at - ?1, robots_at)
             where asked_at > ?2 or blocked_until > ?2 or robots_at > ?2",
            "update url set due_at = due_at - ?1 where state = 0 and due_at > ?2",
            "update probe set due_at = due_at - ?1 where state = 0 and due_at > ?2",
            "insert into meta (key, value) values ('set_back', ?3) on conflict do update set value = ?3",
        ] {
            sqlx::query(sql).bind(by).bind(now).bind(request).execute(&mut self.db).await?;
        }
        Ok(())
    }

    async fn told(&mut self) -> Result<Option<String>, Failed> {
        let sql = "select value from meta where key = 'config'";
        Ok(sqlx::query_scalar(sql).fetch_optional(&mut self.db).await?)
    }

    async fn keep_told(&mut self, told: &str) -> Result<(), Failed> {
        let sql = "insert into meta (key, value) values ('config', ?1) on conflict do update set value = ?1";
        sqlx::query(sql).bind(told).execute(&mut self.db).await?;
        Ok(())
    }

    async fn last_run(&mut self) -> Result<Option<StoredRun>, Failed> {
        let last = sqlx::query(
            "select id, started_at, finished_at is not null as is_finished, outcome is not null as has_ended from run
             order by id desc limit 1",
        );
        let last = last.fetch_optional(&mut self.db).await?;
        Ok(last.map(|row| StoredRun {
            id: row.get("id"),
            began: row.get("started_at"),
            is_finished: row.get("is_finished"),
            has_ended: row.get("has_ended"),
        }))
    }

    async fn count_as_asked(&mut self, now: Millis) -> Result<(), Failed> {
        sqlx::query("update host set asked_at = ?1").bind(now).execute(&mut self.db).await?;
        Ok(())
    }

    async fn continue_run(&mut self, id: i64) -> Result<(), Failed> {
        sqlx::query("update run set outcome = null where id = ?1").bind(id).execute(&mut self.db).await?;
        Ok(())
    }

    async fn insert_run(&mut self, began: Millis) -> Result<i64, Failed> {
        let sql = "insert into run (started_at) values (?1) returning id";
        Ok(sqlx::query_scalar(sql).bind(began).fetch_one(&mut self.db).await?)
    }

    async fn sweep(&mut self, now: Millis) -> Result<(), Failed> {
        /// The present moment lies in the stored time in which the page rests ([`crate::policy::due::is_due`]).
        macro_rules! rests {
            () => {
                "exists (select 1 from page p where p.url_id = url.id
                     and ?1 between p.fetched_at and p.fetched_at + coalesce(url.recrawl_ms, 0) - 1)"
            };
        }
        sqlx::query(concat!(
            "update url set state = 1, attempts = 0, due_at = null
             where state in (select value from json_each(?2)) and state <> 1 and ",
            rests!()
        ))
        .bind(now)
        .bind(numbers(&led_to(State::Fetched, true))?)
        .execute(&mut self.db)
        .await?;
        sqlx::query(concat!(
            "update url set state = 0, reason = null, attempts = 0, due_at = null, hops = hops % 65536,
                 known = exists (select 1 from page where url_id = id)
             where state in (select value from json_each(?3))
                 or (state = 3 and reason in (select value from json_each(?4)))
                 or (state in (select value from json_each(?2)) and not ",
            rests!(),
            ")"
        ))
        .bind(now)
        .bind(numbers(&led_to(State::Pending, false))?)
        .bind(numbers(&led_to(State::Pending, true))?)
        .bind(words(&OPENED_BY_RUN)?)
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    async fn open_skipped(&mut self, reasons: &[SkipReason]) -> Result<(), Failed> {
        sqlx::query(
            "update url set state = 0, reason = null
             where state = 3 and reason in (select value from json_each(?1))",
        )
        .bind(words(reasons)?)
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    async fn seeds(&mut self) -> Result<Vec<String>, Failed> {
        let sql = "select u.url from seed s join url u on u.id = s.url_id";
        Ok(sqlx::query_scalar(sql).fetch_all(&mut self.db).await?)
    }

    async fn admit(&mut self, seeds: &[CanonicalUrl], now: Millis, opened: &[State]) -> Result<(), Failed> {
        let rows: Vec<_> = seeds.iter().map(|seed| (seed.as_str(), seed.host().as_str().to_owned())).collect();
        let json = json(&rows)?;
        sqlx::query(
            "insert into host (host) select distinct value ->> 1 from json_each(?1) where true on conflict do nothing",
        )
        .bind(&json)
        .execute(&mut self.db)
        .await?;
        sqlx::query(
            "insert into url (url, host_id, state, depth, first_seen_at)
             select value ->> 0, (select id from host where host = value ->> 1), 0, ?3, ?2 from json_each(?1) where true
             on conflict (url) do update set depth = excluded.depth, referrer_id = null, trap_id = null,
                 state = iif(state in (select value from json_each(?4)), excluded.state, state),
                 reason = iif(state in (select value from json_each(?4)), null, reason)",
        )
        .bind(&json)
        .bind(now)
        .bind(SEED_DEPTH)
        .bind(numbers(opened)?)
        .execute(&mut self.db)
        .await?;
        sqlx::query("delete from seed").execute(&mut self.db).await?;
        let sql = "insert into seed (url_id) select id from url where url in (select value ->> 0 from json_each(?1))";
        sqlx::query(sql).bind(&json).execute(&mut self.db).await?;
        Ok(())
    }

    async fn note_lines(&mut self, given: &[SeedLine]) -> Result<(), Failed> {
        let text = |line: &SeedLine| line.url.as_ref().map(ToString::to_string).ok();
        let row = |line| (text(line), line.line, &line.given, line.url.as_ref().err());
        let rows: Vec<_> = given.iter().map(row).collect();
        sqlx::query("delete from seed_line").execute(&mut self.db).await?;
        sqlx::query(
            "insert into seed_line (url_id, line, given, problem)
             select u.id, value ->> 1, value ->> 2, value ->> 3 from json_each(?1) left join url u on u.url = value ->> 0
             union all
             select s.url_id, null, u.url, null from seed s join url u on u.id = s.url_id
             where u.url not in (select value ->> 0 from json_each(?1) where value ->> 0 is not null)",
        )
        .bind(json(&rows)?)
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    async fn heirs(&mut self) -> Result<Vec<(CanonicalUrl, CanonicalUrl)>, Failed> {
        let rows = sqlx::query(
            "select s.url as seed, u.url as heir from heir h join seed on seed.url_id = h.seed_id
             join url s on s.id = h.seed_id join url u on u.id = h.url_id",
        );
        rows.fetch_all(&mut self.db).await?.iter().map(rows::seed_and_heir).collect()
    }

    async fn waiting(&mut self, after: UrlId, limit: i64) -> Result<Vec<Waits>, Failed> {
        let rows = sqlx::query(concat!(
            "select ",
            waits_columns!(),
            " from url where id > ?1 and state in (0, 3) order by id limit ?2"
        ));
        rows.bind(after).bind(limit).fetch_all(&mut self.db).await?.iter().map(rows::waits).collect()
    }

    async fn judge(&mut self, verdicts: &[(UrlId, u8, Option<String>)]) -> Result<(), Failed> {
        run_json(
            &mut self.db,
            "update url set state = v.state, reason = v.reason
             from (select value ->> 0 as id, value ->> 1 as state, value ->> 2 as reason from json_each(?1)) v
             where url.id = v.id",
            verdicts,
        )
        .await
    }

    async fn open_traps(&mut self, allowed: &[String]) -> Result<(), Failed> {
        sqlx::query(
            "update url set state = 0, reason = null
             where state = 3 and reason = 'trap' and trap_id in (select id from trap
                 where pattern in (select value from json_each(?1)) or 'all' in (select value from json_each(?1)))",
        )
        .bind(json(allowed)?)
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    async fn next_trap(&mut self) -> Result<i64, Failed> {
        let sql = "select coalesce(max(id), 0) + 1 from trap";
        Ok(sqlx::query_scalar(sql).fetch_one(&mut self.db).await?)
    }

    async fn count(&mut self, run: i64) -> Result<(Accounting, Tally), Failed> {
        let row = sqlx::query(
            "update run set (discovered, fetched, failed, skipped, pending) =
                 (select discovered, fetched, failed, skipped, pending from accounting) where id = ?1
             returning discovered, fetched, failed, skipped, pending, unchanged, bytes, requests,
                 checked",
        );
        Ok(counts(&row.bind(run).fetch_one(&mut self.db).await?))
    }

    async fn add(&mut self, run: i64, done: &Done<'_>) -> Result<(Accounting, Tally), Failed> {
        let row = sqlx::query(
            "update run set discovered = discovered + ?2, fetched = fetched + ?3, failed = failed + ?4,
                 skipped = skipped + ?5, pending = pending + ?6, unchanged = unchanged + ?7, bytes = bytes + ?8,
                 requests = requests + ?9, checked = checked + ?10 where id = ?1
             returning discovered, fetched, failed, skipped, pending, unchanged, bytes, requests,
                 checked",
        );
        let (more, tally) = (done.accounting, done.tally);
        let row = row.bind(run).bind(more.discovered).bind(more.fetched).bind(more.failed);
        let row =
            row.bind(more.skipped).bind(more.pending).bind(tally.unchanged).bind(tally.bytes).bind(tally.requests);
        let row = row.bind(tally.checked);
        Ok(counts(&row.fetch_one(&mut self.db).await?))
    }

    async fn end(&mut self, _me: i64, run: i64, outcome: &str, finished: Option<Millis>) -> Result<(), Failed> {
        let sql = "update run set outcome = ?1, finished_at = ?2 where id = ?3";
        sqlx::query(sql).bind(outcome).bind(finished).bind(run).execute(&mut self.db).await?;
        if finished.is_some() {
            sqlx::query("delete from edge").execute(&mut self.db).await?;
        }
        Ok(())
    }

    /// Requests, changes and findings grow with the runs, so that the oldest are at the low end.
    async fn prune(&mut self, keep: u32) -> Result<bool, Failed> {
        let oldest: Option<i64> = sqlx::query_scalar("select id from run order by id desc limit 1 offset ?1")
            .bind(keep.saturating_sub(1))
            .fetch_optional(&mut self.db)
            .await?;
        let Some(oldest) = oldest else { return Ok(false) };
        let mut deleted = 0;
        for delete in [
            "delete from fetch where run_id < ?1 and id in (select id from fetch order by id limit ?2)",
            "delete from change where run_id < ?1 and id in (select id from change order by id limit ?2)",
            // The last audit stays, which the next is compared with.
            "delete from finding where (run_id, number) in (select run_id, number from finding
                 where run_id < ?1 and run_id < (select max(run_id) from audit) limit ?2)",
            "delete from audit where run_id in (select a.run_id from audit a
                 where a.run_id < ?1 and a.run_id < (select max(run_id) from audit)
                     and not exists (select 1 from finding f where f.run_id = a.run_id) limit ?2)",
        ] {
            deleted += sqlx::query(delete).bind(oldest).bind(ROWS).execute(&mut self.db).await?.rows_affected();
        }
        Ok(deleted > 0)
    }
}

fn counts(row: &SqliteRow) -> (Accounting, Tally) {
    let accounting = Accounting {
        discovered: row.get("discovered"),
        fetched: row.get("fetched"),
        failed: row.get("failed"),
        skipped: row.get("skipped"),
        pending: row.get("pending"),
    };
    let tally = Tally {
        unchanged: row.get("unchanged"),
        bytes: row.get("bytes"),
        requests: row.get("requests"),
        checked: row.get("checked"),
    };
    (accounting, tally)
}
