//! The start of an invocation: continue or begin a run, judge again, admit the seeds.

use std::collections::BTreeSet;

use sqlx::{Connection, Row as _, SqliteConnection};

use crate::canonical::CanonicalUrl;
use crate::config::Told;
use crate::policy::begin::{Entry, LastRun, SEED_DEPTH, seed_opens};
use crate::policy::due::Rules;
use crate::policy::sweep::{Changed, OPENED_BY_INVOCATION, Verdict};
use crate::scope::Scope;
use crate::store::Start;
use crate::visit::{self, Millis, SeedLine, SkipReason, State, UrlId};

use super::clocks;
use super::database::SqliteDatabase;
use super::due;
use super::failed::Failed;
use super::heirs;
use super::judge::{verdict, verdict_columns};
use super::ledger::Ledger;
use super::rows::{self, json};
use super::run::SqliteRun;
use super::times;
use super::told;
use super::traps;

/// Rows judged again in one go.
const CHUNK: i64 = 5_000;

/// Begins this process's part in a run, in one transaction.
pub(super) async fn begin(mut database: SqliteDatabase, start: Start<'_>) -> Result<SqliteRun, Failed> {
    let Start { config, scope, seeds, given } = start;
    let rules = Rules::of(config);
    let mut tx = database.db.begin_with("begin immediate").await?;
    clocks::follow(&mut tx).await?;
    let past = told::recall(&mut tx).await?;
    times::keep_up(&mut tx, past.as_ref(), &rules).await?;
    let (entry, id, began) = enter_run(&mut tx, config.fresh).await?;
    let mut credentials = config.credentials();
    credentials.extend(past.iter().filter(|_| entry == Entry::Continued).flat_map(|past| past.credentials.clone()));
    let present = Told { config: config.clone(), gated: scope.is_gated(), credentials };
    // Unreachable then may be reachable now.
    sqlx::query(
        "update url set state = 0, reason = null
         where state = 3 and reason in (select value from json_each(?1))",
    )
    .bind(json(&OPENED_BY_INVOCATION.each_ref().map(SkipReason::as_str))?)
    .execute(&mut *tx)
    .await?;
    let (old_seeds, new_seeds) = (seeds_so_far(&mut tx).await?, seeds.iter().map(ToString::to_string).collect());
    let changed = Changed::between(entry, past.as_ref().map(|told| (told, &old_seeds)), (&present, &new_seeds));
    admit(&mut tx, seeds).await?;
    note_lines(&mut tx, given).await?;
    heirs::recall(&mut tx, scope).await?;
    told::keep(&mut tx, &present).await?;
    if changed.is_anything() {
        judge_all_again(&mut tx, scope, config.sitemaps, changed).await?;
    }
    let traps = traps::begin(&mut tx, config).await?;
    let ledger = Ledger::begin(&mut tx, id).await?;
    let invocation = sqlx::query_scalar(
        "insert into meta (key, value) values ('invocation', 1)
         on conflict do update set value = value + 1 returning cast(value as integer)",
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    let (urls, hosts, detours) = Default::default();
    Ok(SqliteRun {
        database,
        config: present.config,
        scope: scope.clone(),
        rules,
        id,
        invocation,
        began,
        ledger,
        urls,
        hosts,
        detours,
        traps,
    })
}

/// Continues the last run or begins another. Answers with which of them, its number and when it was begun.
async fn enter_run(tx: &mut SqliteConnection, fresh: bool) -> Result<(Entry, i64, Millis), Failed> {
    let last = sqlx::query(
        "select id, started_at, finished_at is not null as is_finished, outcome is not null as has_ended from run
         order by id desc limit 1",
    )
    .fetch_optional(&mut *tx)
    .await?;
    let run = last.as_ref().map(|row| LastRun { is_finished: row.get("is_finished"), has_ended: row.get("has_ended") });
    if run.is_some_and(LastRun::leaves_hosts_as_asked) {
        sqlx::query("update host set asked_at = ?1").bind(visit::now()).execute(&mut *tx).await?;
    }
    let entry = Entry::after(run, fresh);
    match (entry, last) {
        (Entry::Continued, Some(last)) => {
            let id = last.get("id");
            sqlx::query("update run set outcome = null where id = ?1").bind(id).execute(&mut *tx).await?;
            return Ok((entry, id, last.get("started_at")));
        }
        (Entry::Another, _) => due::sweep(tx).await?,
        (Entry::First | Entry::Continued, _) => {}
    }
    let began = visit::now();
    let id =
        sqlx::query_scalar("insert into run (started_at) values (?1) returning id").bind(began).fetch_one(tx).await?;
    Ok((entry, id, began))
}

async fn seeds_so_far(tx: &mut SqliteConnection) -> Result<BTreeSet<String>, Failed> {
    let seeds = sqlx::query_scalar("select u.url from seed s join url u on u.id = s.url_id").fetch_all(tx).await?;
    Ok(seeds.into_iter().collect())
}

async fn admit(tx: &mut SqliteConnection, seeds: &[CanonicalUrl]) -> Result<(), Failed> {
    let rows: Vec<_> = seeds.iter().map(|seed| (seed.as_str(), seed.host().as_str().to_owned())).collect();
    let json = json(&rows)?;
    let opened: Vec<_> = State::ALL.into_iter().filter(|state| seed_opens(*state)).map(State::number).collect();
    sqlx::query(
        "insert into host (host) select distinct value ->> 1 from json_each(?1) where true on conflict do nothing",
    )
    .bind(&json)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "insert into url (url, host_id, state, depth, first_seen_at)
         select value ->> 0, (select id from host where host = value ->> 1), 0, ?3, ?2 from json_each(?1) where true
         on conflict (url) do update set depth = excluded.depth, referrer_id = null, trap_id = null,
             state = iif(state in (select value from json_each(?4)), excluded.state, state),
             reason = iif(state in (select value from json_each(?4)), null, reason)",
    )
    .bind(&json)
    .bind(visit::now())
    .bind(SEED_DEPTH)
    .bind(rows::json(&opened)?)
    .execute(&mut *tx)
    .await?;
    sqlx::query("delete from seed").execute(&mut *tx).await?;
    sqlx::query("insert into seed (url_id) select id from url where url in (select value ->> 0 from json_each(?1))")
        .bind(&json)
        .execute(tx)
        .await?;
    Ok(())
}

/// Keeps how the seeds were given.
async fn note_lines(tx: &mut SqliteConnection, given: &[SeedLine]) -> Result<(), Failed> {
    let text = |line: &SeedLine| line.url.as_ref().map(ToString::to_string).ok();
    let rows: Vec<_> = given.iter().map(|line| (text(line), line.line, &line.given, line.url.as_ref().err())).collect();
    sqlx::query("delete from seed_line").execute(&mut *tx).await?;
    sqlx::query(
        "insert into seed_line (url_id, line, given, problem)
         select u.id, value ->> 1, value ->> 2, value ->> 3 from json_each(?1) left join url u on u.url = value ->> 0
         union all
         select s.url_id, null, u.url, null from seed s join url u on u.id = s.url_id
         where u.url not in (select value ->> 0 from json_each(?1) where value ->> 0 is not null)",
    )
    .bind(json(&rows)?)
    .execute(tx)
    .await?;
    Ok(())
}

/// Judges by the new settings whatever was skipped under the old ones or is still pending.
async fn judge_all_again(
    tx: &mut SqliteConnection,
    scope: &Scope,
    sitemaps: bool,
    changed: Changed,
) -> Result<(), Failed> {
    let (mut after, mut left_out) = (0_i64, 0);
    loop {
        let rows = sqlx::query(concat!(
            "select id, ",
            verdict_columns!(),
            " from url where id > ?1 and state in (0, 3) order by id limit ?2"
        ))
        .bind(after)
        .bind(CHUNK)
        .fetch_all(&mut *tx)
        .await?;
        let Some(last) = rows.last() else { break };
        after = last.get("id");
        let mut verdicts: Vec<(UrlId, u8, Option<String>)> = Vec::new();
        for row in &rows {
            let Some(Verdict { state, reason }) = verdict(row, scope, sitemaps, changed)? else { continue };
            left_out += i64::from(rows::state(row)? == State::Pending && state == State::Skipped);
            verdicts.push((row.get("id"), state.number(), reason.map(|reason| reason.to_string())));
        }
        rows::run_json(
            tx,
            "update url set state = v.state, reason = v.reason
             from (select value ->> 0 as id, value ->> 1 as state, value ->> 2 as reason from json_each(?1)) v
             where url.id = v.id",
            &verdicts,
        )
        .await?;
    }
    if left_out > 0 {
        tracing::warn!("URLs that were pending are left out under these seeds and settings: {left_out}");
    }
    Ok(())
}
