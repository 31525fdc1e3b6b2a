//! The start of an invocation: continue or begin a run, judge again, admit the seeds.

use sqlx::{Connection, Row as _, SqliteConnection};

use crate::canonical::CanonicalUrl;
use crate::config::Config;
use crate::policy::due::Rules;
use crate::policy::sweep::{Changed, OPENED_BY_INVOCATION};
use crate::scope::Scope;
use crate::store::Start;
use crate::visit::{self, Millis, SeedLine, SkipReason, State, UrlId};

use super::database::SqliteDatabase;
use super::due;
use super::failed::Failed;
use super::heirs;
use super::judge::{SkipWord, verdict, verdict_columns};
use super::ledger::Ledger;
use super::rows::{self, json};
use super::run::SqliteRun;
use super::times;
use super::traps;

/// Rows judged again in one go.
const CHUNK: i64 = 5_000;

/// Begins this process's part in a run, in one transaction.
pub(super) async fn begin(mut database: SqliteDatabase, start: Start<'_>) -> Result<SqliteRun, Failed> {
    let Start { config, scope, seeds, given } = start;
    let rules = Rules::of(config);
    let mut tx = database.db.begin_with("begin immediate").await?;
    times::keep_up(&mut tx, &rules).await?;
    let (id, began) = enter_run(&mut tx, config).await?;
    // Unreachable then may be reachable now.
    sqlx::query(
        "update url set state = 0, reason = null
         where state = 3 and reason in (select value from json_each(?1))",
    )
    .bind(json(&OPENED_BY_INVOCATION.each_ref().map(SkipReason::as_str))?)
    .execute(&mut *tx)
    .await?;
    let changed = settings_changed(&mut tx, config, seeds).await?;
    let is_gated = is_gated(&mut tx, scope).await?;
    admit(&mut tx, seeds).await?;
    note_lines(&mut tx, given).await?;
    heirs::recall(&mut tx, scope).await?;
    remember(&mut tx, config).await?;
    if changed != Changed::default() || is_gated {
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
    let (urls, hosts) = Default::default();
    Ok(SqliteRun {
        database,
        config: config.clone(),
        scope: scope.clone(),
        rules,
        id,
        invocation,
        began,
        ledger,
        urls,
        hosts,
        traps,
    })
}

/// Continues the unfinished run, or begins a new one. Answers with its number and when it was begun.
async fn enter_run(tx: &mut SqliteConnection, config: &Config) -> Result<(i64, Millis), Failed> {
    let last = sqlx::query(
        "select id, started_at, finished_at is not null as finished, outcome is null as crashed from run
         order by id desc limit 1",
    )
    .fetch_optional(&mut *tx)
    .await?;
    if last.as_ref().is_some_and(|row| row.get("crashed")) {
        // Which hosts it had just asked is not known.
        sqlx::query("update host set asked_at = ?1").bind(visit::now()).execute(&mut *tx).await?;
    }
    if let Some(row) = last.as_ref().filter(|row| !row.get::<bool, _>("finished") && !config.fresh) {
        let id = row.get("id");
        sqlx::query("update run set outcome = null where id = ?1").bind(id).execute(&mut *tx).await?;
        return Ok((id, row.get("started_at")));
    }
    if last.is_some() {
        due::sweep(tx).await?;
    }
    let began = visit::now();
    let id =
        sqlx::query_scalar("insert into run (started_at) values (?1) returning id").bind(began).fetch_one(tx).await?;
    Ok((id, began))
}

async fn admit(tx: &mut SqliteConnection, seeds: &[CanonicalUrl]) -> Result<(), Failed> {
    let rows: Vec<_> = seeds.iter().map(|seed| (seed.as_str(), seed.host().as_str().to_owned())).collect();
    let json = json(&rows)?;
    sqlx::query(
        "insert into host (host) select distinct value ->> 1 from json_each(?1) where true on conflict do nothing",
    )
    .bind(&json)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "insert into url (url, host_id, state, depth, first_seen_at)
         select value ->> 0, (select id from host where host = value ->> 1), 0, 0, ?2 from json_each(?1) where true
         on conflict (url) do update set depth = 0, referrer_id = null, trap_id = null,
             state = iif(state = 3, 0, state), reason = iif(state = 3, null, reason)",
    )
    .bind(&json)
    .bind(visit::now())
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

/// Keeps the settings for those who ask what became of a URL, or would.
async fn remember(tx: &mut SqliteConnection, config: &Config) -> Result<(), Failed> {
    sqlx::query("insert into meta (key, value) values ('config', ?1) on conflict do update set value = ?1")
        .bind(json(config)?)
        .execute(tx)
        .await?;
    Ok(())
}

/// What decides on skipping and differs from the last invocation's.
async fn settings_changed(
    tx: &mut SqliteConnection,
    config: &Config,
    seeds: &[CanonicalUrl],
) -> Result<Changed, Failed> {
    // Version 0.1 stored what decides on skipping as a text of its own, which cannot be compared.
    let of_first_version = sqlx::query("delete from meta where key = 'settings'").execute(&mut *tx).await?;
    if of_first_version.rows_affected() > 0 {
        return Ok(Changed::ALL);
    }
    let past: Option<String> =
        sqlx::query_scalar("select value from meta where key = 'config'").fetch_optional(&mut *tx).await?;
    let Some(past) = past else { return Ok(Changed::default()) };
    let Ok(past) = serde_json::from_str::<Config>(&past) else { return Ok(Changed::ALL) };
    let mut changed = Changed::between(&past, config);
    let past: Vec<String> = sqlx::query_scalar("select u.url from seed s join url u on u.id = s.url_id order by u.url")
        .fetch_all(tx)
        .await?;
    let mut present: Vec<_> = seeds.iter().map(CanonicalUrl::as_str).collect();
    present.sort_unstable();
    present.dedup();
    changed.scope |= past != present;
    Ok(changed)
}

/// Whether the program that runs the crawl keeps URLs out, or the one before did: no settings tell which.
async fn is_gated(tx: &mut SqliteConnection, scope: &Scope) -> Result<bool, Failed> {
    let was_gated = sqlx::query("delete from meta where key = 'gated'").execute(&mut *tx).await?.rows_affected() > 0;
    if scope.is_gated() {
        sqlx::query("insert into meta (key, value) values ('gated', '1')").execute(tx).await?;
    }
    Ok(was_gated || scope.is_gated())
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
            "select id, state, ",
            verdict_columns!(),
            " from url where id > ?1 and state in (0, 3) order by id limit ?2"
        ))
        .bind(after)
        .bind(CHUNK)
        .fetch_all(&mut *tx)
        .await?;
        let Some(last) = rows.last() else { break };
        after = last.get("id");
        let mut verdicts: Vec<(UrlId, u8, Option<SkipWord>)> = Vec::new();
        for row in &rows {
            let Some((old, new)) = verdict(row, scope, sitemaps, changed) else { continue };
            left_out += i64::from(rows::state(row)? == State::Pending && new.is_some());
            if old != new {
                let state = if new.is_some() { State::Skipped } else { State::Pending };
                verdicts.push((row.get("id"), state.number(), new));
            }
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
