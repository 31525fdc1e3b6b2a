//! The start of an invocation: continue or begin a run, judge again, admit the seeds.

use std::collections::BTreeSet;

use crate::config::{Config, Told};
use crate::policy::begin::{Entry, LastRun, seed_opens};
use crate::policy::due::Rules;
use crate::policy::sweep::{Changed, OPENED_BY_INVOCATION};
use crate::policy::traps::Traps;
use crate::scope::Scope;
use crate::store::failed::Failed;
use crate::store::tables::{Entrance, Tables};
use crate::store::{Start, StoreError};
use crate::visit::{Millis, State};

use super::checks;
use super::clocks;
use super::company;
use super::heirs;
use super::judge::verdicts;
use super::ledger::Ledger;
use super::node::Node;
use super::run::Part;
use super::times;
use super::told;

/// Rows judged again in one go.
const CHUNK: i64 = 5_000;

/// Begins this process's part in a run, in one transaction, which is done again as long as the database cannot be asked.
pub async fn begin<D: Tables>(mut database: D, start: Start<'_>) -> Result<Part<D>, StoreError> {
    let mut doubt = None;
    let entered = loop {
        let error = match begin_once(&mut database, start, &mut doubt).await {
            Ok(entered) => break entered,
            Err(error) => error,
        };
        database.recover(error, start.config.max_wait).await?;
        // Whose answer did not come may have begun: a second time it would take part beside itself, or in what comes next.
        if let Some(entered) = doubt.take()
            && has_begun(&mut database, entered.node, start.config).await?
        {
            break entered;
        }
    };
    let Entered { config, rules, id, node, began, ledger, traps } = entered;
    let (urls, hosts, detours) = Default::default();
    let (scope, node) = (start.scope.clone(), Node::new(node));
    Ok(Part { database, config, scope, rules, id, node, began, ledger, urls, hosts, detours, traps })
}

/// Begins it, or leaves what it came to in `doubt` if it is not known whether that was stored.
async fn begin_once(
    database: &mut impl Tables,
    start: Start<'_>,
    doubt: &mut Option<Entered>,
) -> Result<Entered, Failed> {
    database.open_transaction().await?;
    let error = match enter(database, start).await {
        Ok(entered) => match database.commit_transaction().await {
            Ok(()) => return Ok(entered),
            Err(error) => {
                *doubt = Some(entered);
                error
            }
        },
        Err(error) => error,
    };
    database.undo_transaction().await;
    Err(error)
}

/// Whether this node stands in the database.
async fn has_begun(database: &mut impl Tables, node: i64, config: &Config) -> Result<bool, StoreError> {
    loop {
        match database.has_stored(node, 0).await {
            Ok(has_begun) => return Ok(has_begun),
            Err(error) => database.recover(error, config.max_wait).await?,
        }
    }
}

/// Whether this process could begin now; nothing is changed.
pub async fn try_begin(database: &mut impl Tables, start: Start<'_>) -> Result<(), Failed> {
    database.open_transaction().await?;
    let entered = match database.enter(start.config.join).await {
        Ok(Entrance { joins: Some(joined), .. }) => company::compare(database, start, &joined).await,
        Ok(Entrance { joins: None, .. }) => Ok(()),
        Err(error) => Err(error),
    };
    database.undo_transaction().await;
    entered
}

/// What a part in a run begins with.
struct Entered {
    config: Config,
    rules: Rules,
    id: i64,
    node: i64,
    began: Millis,
    ledger: Ledger,
    traps: Traps,
}

async fn enter(database: &mut impl Tables, start: Start<'_>) -> Result<Entered, Failed> {
    let Start { config, scope, .. } = start;
    let Entrance { me: node, joins } = database.enter(config.join).await?;
    let rules = Rules::of(config);
    let told = company::told(start);
    let (id, began, ledger) = match joins {
        Some(joined) => {
            company::compare(database, start, &joined).await?;
            heirs::recall(database, scope).await?;
            (joined.run, joined.began, Ledger::join(&joined))
        }
        None => enter_alone(database, start, &told, &rules).await?,
    };
    let traps = Traps::new(&config.allow_trap, database.next_trap().await?);
    database.settle(node, id, &told::written(&company::told_by_all(start))?).await?;
    Ok(Entered { config: told.config, rules, id, node, began, ledger, traps })
}

/// Nobody else is at work: brings everything into the state in which the run begins or goes on.
async fn enter_alone(
    database: &mut impl Tables,
    start: Start<'_>,
    told: &Told,
    rules: &Rules,
) -> Result<(i64, Millis, Ledger), Failed> {
    let Start { config, scope, seeds, given } = start;
    clocks::follow(database).await?;
    let past = told::recall(database).await?;
    times::keep_up(database, past.as_ref(), rules).await?;
    let (entry, id, began) = enter_run(database, config.fresh).await?;
    let mut present = told.clone();
    let earlier = past.iter().filter(|_| entry == Entry::Continued).flat_map(|past| past.credentials.clone());
    present.credentials.extend(earlier);
    database.note_failure(None).await?;
    // Unreachable then may be reachable now.
    database.open_skipped(&OPENED_BY_INVOCATION).await?;
    let old_seeds: BTreeSet<_> = database.seeds().await?.into_iter().collect();
    let new_seeds: BTreeSet<_> = seeds.iter().map(ToString::to_string).collect();
    let changed = Changed::between(entry, past.as_ref().map(|told| (told, &old_seeds)), (&present, &new_seeds));
    let opened: Vec<_> = State::ALL.into_iter().filter(|state| seed_opens(*state)).collect();
    let now = database.clock().now();
    database.admit(seeds, now, &opened).await?;
    database.note_lines(given).await?;
    heirs::recall(database, scope).await?;
    told::keep(database, &present).await?;
    if changed.is_anything() {
        let left_out = judge_all_again(database, scope, config.sitemaps, changed).await?;
        if left_out > 0 {
            tracing::warn!("{}", told_of_left_out(left_out, &old_seeds, &new_seeds));
        }
    }
    if !config.allow_trap.is_empty() {
        // What the user lets through now is pending again.
        database.open_traps(&config.allow_trap).await?;
    }
    checks::begin(database, scope, config, entry).await?;
    Ok((id, began, Ledger::begin(database, id).await?))
}

/// Continues the last run or begins another. Answers with which of them, its number and when it was begun.
async fn enter_run(database: &mut impl Tables, fresh: bool) -> Result<(Entry, i64, Millis), Failed> {
    let last = database.last_run().await?;
    let run = last.as_ref().map(|run| LastRun { is_finished: run.is_finished, has_ended: run.has_ended });
    let began = database.clock().now();
    if run.is_some_and(LastRun::leaves_hosts_as_asked) {
        database.count_as_asked(began).await?;
    }
    let entry = Entry::after(run, fresh);
    match (entry, last) {
        (Entry::Continued, Some(last)) => {
            database.continue_run(last.id).await?;
            return Ok((entry, last.id, last.began));
        }
        (Entry::Another, _) => database.sweep(began).await?,
        (Entry::First | Entry::Continued, _) => {}
    }
    Ok((entry, database.insert_run(began).await?, began))
}

/// Earlier seeds that are named.
const NAMED: usize = 3;

/// What became of URLs that were pending, and how they are pending again.
fn told_of_left_out(left_out: i64, old_seeds: &BTreeSet<String>, new_seeds: &BTreeSet<String>) -> String {
    let missing: Vec<_> = old_seeds.difference(new_seeds).collect();
    let mut named = missing.iter().take(NAMED).map(|seed| seed.as_str()).collect::<Vec<_>>().join(" ");
    match missing.len().saturating_sub(NAMED) {
        _ if missing.is_empty() => {
            return format!(
                "the settings differ from the last ones: pending URLs that these leave out, and that are skipped from now on: \
                 {left_out}. What is stored stays; the settings of before take them up again"
            );
        }
        0 => {}
        more => named.push_str(&format!(" and {more} more")),
    }
    format!(
        "the seeds are others than the last ones: pending URLs that these leave out, and that are skipped from now on: {left_out}. \
         What is stored stays. To crawl both, give the last ones too: {named}. To keep them apart, give these a --database of \
         their own"
    )
}

/// Judges by the new settings whatever was skipped under the old ones or is still pending. Answers how many are left out that were
/// pending.
async fn judge_all_again(
    database: &mut impl Tables,
    scope: &Scope,
    sitemaps: bool,
    changed: Changed,
) -> Result<i64, Failed> {
    let (mut after, mut left_out) = (0, 0);
    loop {
        let waits = database.waiting(after, CHUNK).await?;
        let Some(last) = waits.last() else { break };
        after = last.id;
        let verdicts = verdicts(waits, scope, sitemaps, changed);
        left_out += verdicts.left_out;
        database.judge(&verdicts.rows).await?;
    }
    Ok(left_out)
}
