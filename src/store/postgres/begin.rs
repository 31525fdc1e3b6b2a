//! The beginning and the end of an invocation, and the run's row.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use sqlx::postgres::PgRow;
use sqlx::{Connection as _, Row as _};

use crate::canonical::CanonicalUrl;
use crate::policy::begin::SEED_DEPTH;
use crate::policy::sweep::{OPENED_BY_RUN, led_to};
use crate::store::failed::Failed;
use crate::store::tables::{Beginning, Done, StoredRun, Transactions as _, Waits};
use crate::store::{Accounting, Tally};
use crate::visit::{HostId, Millis, SeedLine, Settlement, SkipReason, State, UrlId};

use super::database::PgDatabase;
use super::domains::domains;
use super::rows::{self, bigint, clean, hash, int, numbers, scalar, sql, waits_columns, words};

/// Rows deleted in one transaction: so few that nobody waits for them.
const ROWS: i64 = 5_000;

impl Beginning for PgDatabase {
    async fn last_request(&mut self) -> Result<Option<(i64, Millis)>, Failed> {
        let last = sql("select id, at from request where id = (select max(id) from request)
                 and id is distinct from (select value::bigint from meta where key = 'set_back')");
        let last = last.fetch_optional(&mut self.db).await?;
        Ok(last.map(|row| (row.get("id"), row.get("at"))))
    }

    async fn set_back(&mut self, by: Millis, now: Millis, request: i64) -> Result<(), Failed> {
        sql("update host set asked_at = least(asked_at, $2),
                 blocked_until = case when blocked_until > $2 then blocked_until - $1 else blocked_until end,
                 robots_at = case when robots_at > $2 then robots_at - $1 else robots_at end
             where asked_at > $2 or blocked_until > $2 or robots_at > $2")
        .bind(by)
        .bind(now)
        .execute(&mut self.db)
        .await?;
        for waits in [
            "update url set due_at = due_at - $1 where state = 0 and due_at > $2",
            "update probe set due_at = due_at - $1 where state = 0 and due_at > $2",
        ] {
            sql(waits).bind(by).bind(now).execute(&mut self.db).await?;
        }
        self.set_meta("set_back", &request.to_string()).await
    }

    async fn told(&mut self) -> Result<Option<String>, Failed> {
        Ok(scalar("select value from meta where key = 'config'").fetch_optional(&mut self.db).await?)
    }

    async fn keep_told(&mut self, told: &str) -> Result<(), Failed> {
        self.set_meta("config", told).await
    }

    async fn last_run(&mut self) -> Result<Option<StoredRun>, Failed> {
        let last = sql(
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
        sql("update host set asked_at = $1").bind(now).execute(&mut self.db).await?;
        Ok(())
    }

    async fn continue_run(&mut self, id: i64) -> Result<(), Failed> {
        sql("update run set outcome = null where id = $1").bind(id).execute(&mut self.db).await?;
        Ok(())
    }

    async fn insert_run(&mut self, began: Millis) -> Result<i64, Failed> {
        let inserted = scalar("insert into run (started_at) values ($1) returning id");
        Ok(inserted.bind(began).fetch_one(&mut self.db).await?)
    }

    async fn sweep(&mut self, now: Millis) -> Result<(), Failed> {
        /// The present moment lies in the stored time in which the page rests ([`crate::policy::due::is_due`]).
        macro_rules! rests {
            () => {
                "exists (select 1 from page p where p.url_id = url.id
                     and $1 between p.fetched_at and p.fetched_at + coalesce(url.recrawl_ms, 0) - 1)"
            };
        }
        sql(concat!(
            "update url set state = 1, attempts = 0, due_at = null where state = any($2) and state <> 1 and ",
            rests!()
        ))
        .bind(now)
        .bind(numbers(&led_to(State::Fetched, true)))
        .execute(&mut self.db)
        .await?;
        sql(concat!(
            "update url set state = 0, reason = null, attempts = 0, due_at = null, hops = hops % 65536,
                 known = exists (select 1 from page where url_id = url.id)
             where state = any($3) or (state = 3 and reason = any($4)) or (state = any($2) and not ",
            rests!(),
            ")"
        ))
        .bind(now)
        .bind(numbers(&led_to(State::Pending, false)))
        .bind(numbers(&led_to(State::Pending, true)))
        .bind(words(&OPENED_BY_RUN))
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    async fn open_skipped(&mut self, reasons: &[SkipReason]) -> Result<(), Failed> {
        let opened = sql("update url set state = 0, reason = null where state = 3 and reason = any($1)");
        opened.bind(words(reasons)).execute(&mut self.db).await?;
        Ok(())
    }

    async fn seeds(&mut self) -> Result<Vec<String>, Failed> {
        let seeds = scalar("select u.url from seed s join url u on u.id = s.url_id");
        Ok(seeds.fetch_all(&mut self.db).await?)
    }

    async fn admit(&mut self, seeds: &[CanonicalUrl], now: Millis, opened: &[State]) -> Result<(), Failed> {
        // No row can be written twice by one statement.
        let mut once = HashSet::new();
        let seeds: Vec<_> = seeds.iter().filter(|seed| once.insert(*seed)).collect();
        let hosts: Vec<_> = seeds.iter().map(|seed| seed.host().as_str().to_owned()).collect();
        let urls: Vec<_> = seeds.iter().map(|seed| seed.as_str()).collect();
        let hashes: Vec<_> = urls.iter().map(|url| hash(url)).collect();
        sql("insert into host (host, domain) select distinct name, domain from unnest($1::text[], $2::text[]) v (name, domain)
             on conflict do nothing")
        .bind(&hosts)
        .bind(domains(&hosts))
        .execute(&mut self.db)
        .await?;
        sql("insert into url (hash, url, host_id, state, depth, first_seen_at)
             select v.hash, v.url, h.id, 0, $5, $4 from unnest($1::bytea[], $2::text[], $3::text[]) with ordinality
                 v (hash, url, host, nth) join host h on h.host = v.host order by v.nth
             on conflict (hash) do update set depth = excluded.depth, referrer_id = null, trap_id = null,
                 state = case when url.state = any($6) then excluded.state else url.state end,
                 reason = case when url.state = any($6) then null else url.reason end")
        .bind(&hashes)
        .bind(&urls)
        .bind(&hosts)
        .bind(now)
        .bind(int(SEED_DEPTH))
        .bind(numbers(opened))
        .execute(&mut self.db)
        .await?;
        sql("delete from seed").execute(&mut self.db).await?;
        let noted = sql("insert into seed (url_id) select id from url where hash = any($1)");
        noted.bind(&hashes).execute(&mut self.db).await?;
        Ok(())
    }

    async fn note_lines(&mut self, given: &[SeedLine]) -> Result<(), Failed> {
        let (mut hashes, mut lines, mut texts, mut problems) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for line in given {
            hashes.push(line.url.as_ref().ok().map(|url| hash(url.as_str())));
            lines.push(line.line.map(rows::bigint));
            texts.push(clean(&line.given));
            problems.push(line.url.as_ref().err().map(|problem| clean(problem)));
        }
        sql("delete from seed_line").execute(&mut self.db).await?;
        sql("insert into seed_line (url_id, line, given, problem)
             select u.id, v.line, v.given, v.problem from unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[])
                 with ordinality v (hash, line, given, problem, nth)
             left join url u on u.hash = v.hash order by v.nth")
        .bind(&hashes)
        .bind(lines)
        .bind(texts)
        .bind(problems)
        .execute(&mut self.db)
        .await?;
        let rest = sql("insert into seed_line (url_id, given)
                        select s.url_id, u.url from seed s join url u on u.id = s.url_id
                        where not u.hash = any($1) order by u.id");
        rest.bind(hashes.into_iter().flatten().collect::<Vec<_>>()).execute(&mut self.db).await?;
        Ok(())
    }

    async fn heirs(&mut self) -> Result<Vec<(CanonicalUrl, CanonicalUrl)>, Failed> {
        let rows = sql("select s.url as seed, u.url as heir from heir h join seed on seed.url_id = h.seed_id
                        join url s on s.id = h.seed_id join url u on u.id = h.url_id");
        rows.fetch_all(&mut self.db).await?.iter().map(rows::seed_and_heir).collect()
    }

    async fn waiting(&mut self, after: UrlId, limit: i64) -> Result<Vec<Waits>, Failed> {
        let rows = sql(concat!(
            "select ",
            waits_columns!(),
            " from url where id > $1 and state in (0, 3) order by id limit $2"
        ));
        rows.bind(after).bind(limit).fetch_all(&mut self.db).await?.iter().map(rows::waits).collect()
    }

    async fn judge(&mut self, verdicts: &[(UrlId, u8, Option<String>)]) -> Result<(), Failed> {
        if verdicts.is_empty() {
            return Ok(());
        }
        let (ids, states, reasons) = rows::verdicts(verdicts);
        let judged = sql("update url set state = v.to_state, reason = v.why
                          from unnest($1::bigint[], $2::smallint[], $3::text[]) v (i, to_state, why)
                          where url.id = v.i");
        judged.bind(ids).bind(states).bind(reasons).execute(&mut self.db).await?;
        Ok(())
    }

    async fn open_traps(&mut self, allowed: &[String]) -> Result<(), Failed> {
        let opened = sql("update url set state = 0, reason = null
                          where state = 3 and reason = 'trap' and trap_id in (select id from trap
                              where pattern = any($1) or 'all' = any($1))");
        opened.bind(allowed).execute(&mut self.db).await?;
        Ok(())
    }

    async fn next_trap(&mut self) -> Result<i64, Failed> {
        Ok(scalar("select nextval('trap_block')").fetch_one(&mut self.db).await?)
    }

    async fn count(&mut self, run: i64) -> Result<(Accounting, Tally), Failed> {
        let row = sql("update run set (discovered, fetched, failed, skipped, pending) =
                           (select discovered, fetched, failed, skipped, pending from accounting) where id = $1
                       returning discovered, fetched, failed, skipped, pending, unchanged, bytes, requests,
                 checked");
        Ok(counts(&row.bind(run).fetch_one(&mut self.db).await?))
    }

    async fn add(&mut self, run: i64, done: &Done<'_>) -> Result<(Accounting, Tally), Failed> {
        let is_stored = |it: &&Settlement| matches!(it, Settlement::Stored { .. });
        let stored = bigint(done.settlements.iter().filter(is_stored).count());
        if stored > 0 && self.config.max_pages_per_host.is_some() {
            self.count_by_host(done.settlements).await?;
        }
        // The node's row at last: whoever notes that it is gone waits for this transaction no longer than it must.
        let mine = sql("update node set batch = $2, fetched = fetched + $3 where id = $1 and not gone");
        let mine = mine.bind(done.me).bind(done.batch).bind(stored).execute(&mut self.db).await?;
        if mine.rows_affected() == 0 {
            return Err(Failed::Lapsed);
        }
        let row = sql("update run set discovered = discovered + $2, fetched = fetched + $3, failed = failed + $4,
                           skipped = skipped + $5, pending = pending + $6, unchanged = unchanged + $7,
                           bytes = bytes + $8, requests = requests + $9, checked = checked + $10 where id = $1
                       returning discovered, fetched, failed, skipped, pending, unchanged, bytes, requests,
                 checked");
        let (more, tally) = (done.accounting, done.tally);
        let row = row.bind(run).bind(more.discovered).bind(more.fetched).bind(more.failed);
        let row =
            row.bind(more.skipped).bind(more.pending).bind(tally.unchanged).bind(tally.bytes).bind(tally.requests);
        let row = row.bind(tally.checked);
        let waits = Instant::now();
        let counted = row.fetch_one(&mut self.db).await?;
        self.waited += waits.elapsed();
        Ok(counts(&counted))
    }

    async fn end(&mut self, me: i64, run: i64, outcome: &str, finished: Option<Millis>) -> Result<(), Failed> {
        self.open_transaction().await?;
        let done = match self.leave(me, run, outcome, finished).await {
            Ok(()) => self.commit_transaction().await,
            Err(error) => Err(error),
        };
        if done.is_err() {
            self.undo_transaction().await;
        }
        done
    }

    /// Requests, changes and findings grow with the runs, so that the oldest are at the low end.
    async fn prune(&mut self, keep: u32) -> Result<bool, Failed> {
        let mut tx = self.db.begin().await?;
        let oldest: Option<i64> = scalar("select id from run order by id desc limit 1 offset $1")
            .bind(i64::from(keep.saturating_sub(1)))
            .fetch_optional(&mut *tx)
            .await?;
        let Some(oldest) = oldest else { return Ok(false) };
        let mut deleted = 0;
        for delete in [
            "delete from request where run_id < $1 and id in (select id from request order by id limit $2)",
            "delete from change where run_id < $1 and id in (select id from change order by id limit $2)",
            // The last audit stays, which the next is compared with.
            "delete from finding where (run_id, number) in (select run_id, number from finding
                 where run_id < $1 and run_id < (select max(run_id) from audit) limit $2)",
            "delete from audit where run_id in (select a.run_id from audit a
                 where a.run_id < $1 and a.run_id < (select max(run_id) from audit)
                     and not exists (select 1 from finding f where f.run_id = a.run_id) limit $2)",
        ] {
            deleted += sql(delete).bind(oldest).bind(ROWS).execute(&mut *tx).await?.rows_affected();
        }
        tx.commit().await?;
        Ok(deleted > 0)
    }
}

impl PgDatabase {
    /// What [`Beginning::end`] does within its transaction.
    async fn leave(&mut self, me: i64, run: i64, outcome: &str, finished: Option<Millis>) -> Result<(), Failed> {
        self.wait_for_turn().await?;
        let left = sql("update node set seen_at = clock_timestamp(), leased_until = clock_timestamp(),
                 ended_at = clock_timestamp(), gone = true
             where id = $1 and not gone returning share - fetched as unused");
        if let Some(row) = left.bind(me).fetch_optional(&mut self.db).await? {
            self.return_pages(Some(self.invocation), row.get("unused")).await?;
        }
        self.note_the_gone(me).await?;
        let last = sql("update invocation set outcome = $2 where id = $1 and outcome is null
                            and not exists (select 1 from node where invocation_id = $1 and not gone)");
        let last = last.bind(self.invocation).bind(outcome).execute(&mut self.db).await?;
        if last.rows_affected() > 0 {
            self.write_outcome(run, outcome, finished).await?;
        }
        Ok(())
    }

    /// Those who begin or end at once do so one after the other, until their transactions end: who leaves as the last is not
    /// to overlook one that is about to join.
    pub(super) async fn wait_for_turn(&mut self) -> Result<(), Failed> {
        let turn = "select pg_advisory_xact_lock(hashtext('harvestman'), hashtext(current_schema()::text))";
        sql(turn).execute(&mut self.db).await?;
        Ok(())
    }

    /// Counts the pages that were stored of each host in this invocation.
    async fn count_by_host(&mut self, settlements: &[Settlement]) -> Result<(), Failed> {
        let mut hosts: BTreeMap<HostId, i64> = BTreeMap::new();
        for settlement in settlements {
            if let Settlement::Stored { host, .. } = settlement {
                *hosts.entry(*host).or_default() += 1;
            }
        }
        let (ids, more): (Vec<_>, Vec<_>) = hosts.into_iter().unzip();
        let counted =
            sql("update host set stored = case when stored_in = $3 then stored else 0 end + v.more, stored_in = $3
                           from unnest($1::bigint[], $2::bigint[]) v (i, more) where host.id = v.i");
        counted.bind(ids).bind(more).bind(self.invocation).execute(&mut self.db).await?;
        Ok(())
    }

    async fn set_meta(&mut self, key: &'static str, value: &str) -> Result<(), Failed> {
        let set = sql("insert into meta (key, value) values ($1, $2) on conflict (key) do update set value = $2");
        set.bind(key).bind(value).execute(&mut self.db).await?;
        Ok(())
    }
}

pub(super) fn counts(row: &PgRow) -> (Accounting, Tally) {
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
