//! What is read of a crawl in a PostgreSQL database when it has ended.

use std::collections::BTreeMap;

use crate::engine::{CrawlEnd, Summary};
use crate::store::StoreError;
use crate::store::postgres::{PgDatabase, SeedEnd};
use crate::store::sqlite::timestamp;
use crate::visit::{Millis, SkipReason, State};

use super::ending::Ending;
use super::hints::{Facts, Named};

/// Reads the facts for hints, as far as views tell them.
pub async fn gather(db: &mut PgDatabase, facts: Facts, summary: &Summary) -> Result<Facts, StoreError> {
    let mut facts = facts;
    let a = summary.accounting;
    for SeedEnd { seed, state, reason, status } in db.seed_ends().await? {
        let refused = status.filter(|status| *status >= 400);
        facts.seeds += 1;
        facts.seeds_lost += i64::from(matches!(state, State::Failed | State::Skipped) || refused.is_some());
        match (state, reason.as_deref()) {
            (State::Skipped, Some(reason)) if reason == SkipReason::Robots.as_str() => {
                facts.seeds_forbidden += 1;
                facts.forbidden_seed.get_or_insert(seed);
            }
            // These are told by host.
            (State::Failed, Some("dns" | "tls")) => {}
            (State::Failed, Some(kind)) => facts.seeds_failed.push(format!("{seed} ({kind})")),
            _ => refused.into_iter().for_each(|status| facts.seeds_refused.push(format!("{seed} ({status})"))),
        }
    }
    if a.failed > 0 {
        for (kind, named) in
            [("tls", &mut facts.certificates), ("dns", &mut facts.unresolved), ("connect", &mut facts.unconnected)]
        {
            let sql = "select host from failures where kind = $1 group by host order by count(*) desc, 1";
            *named = names(db.ask(sql, &[kind]).await?);
        }
    }
    if a.skipped > 0 {
        let sql = "select distinct host from skipped where reason = $1 order by 1";
        facts.robots_unreachable = names(db.ask(sql, &[SkipReason::RobotsUnreachable.as_str()]).await?);
    }
    if summary.outcome == CrawlEnd::Waiting {
        let sql = "select host || ' until ' || min(due_at) from queue where due_at is not null
                   group by host order by min(due_at), host";
        facts.waiting = names(db.ask(sql, &[]).await?);
    }
    Ok(facts)
}

/// What the database says of a crawl beyond its accounting.
pub async fn ending(
    db: &mut PgDatabase,
    run: i64,
    (started_at, finished_at): (Millis, Millis),
    counts_broken_links: bool,
) -> Result<Ending, StoreError> {
    let changes = "select change, count(*)::text from changes where run = $1::text::bigint group by change";
    let changes = counts(db.ask(changes, &[&run.to_string()]).await?);
    let change = |word| changes.get(word).copied().unwrap_or(0);
    let broken_links = match counts_broken_links {
        true => counts(db.ask("select 'all', count(*)::text from broken_links", &[]).await?).into_values().sum(),
        false => 0,
    };
    Ok(Ending {
        started_at: timestamp(started_at),
        finished_at: timestamp(finished_at),
        new: change("new"),
        changed: change("changed"),
        gone: change("gone"),
        restored: change("restored"),
        statuses: counts(db.ask("select status::text, count(*)::text from pages group by status", &[]).await?),
        failures: counts(db.ask("select kind, count(*)::text from failures group by kind", &[]).await?),
        broken_links,
    })
}

fn names(rows: Vec<Vec<Option<String>>>) -> Named {
    rows.into_iter().flatten().flatten().collect()
}

/// Rows of a word and a number.
fn counts(rows: Vec<Vec<Option<String>>>) -> BTreeMap<String, i64> {
    let count = |row: Vec<Option<String>>| match <[_; 2]>::try_from(row) {
        Ok([Some(word), Some(number)]) => Some((word, number.parse().ok()?)),
        _ => None,
    };
    rows.into_iter().filter_map(count).collect()
}
