//! The stored times at which known pages are due, and how they are computed anew.

use crate::config::Told;
use crate::policy::due::{Rules, wait};
use crate::store::failed::Failed;
use crate::store::tables::Tables;
use crate::visit::{Millis, UrlId};

use super::told;

/// Pages computed in one go.
const CHUNK: i64 = 5_000;

/// Computes anew when all known pages are due, if the stored times were computed by other rules or never.
pub(super) async fn keep_up(database: &mut impl Tables, past: Option<&Told>, rules: &Rules) -> Result<(), Failed> {
    let is_same = past.is_some_and(|past| Rules::of(&past.config) == *rules);
    if is_same && !database.lacks_times().await? {
        return Ok(());
    }
    let mut after = 0;
    loop {
        let pages = database.known_pages(after, CHUNK).await?;
        let Some(last) = pages.last() else { break };
        after = last.id;
        let recrawl = |facts| wait(&facts, rules);
        let changed: Vec<(UrlId, Millis)> = pages
            .iter()
            .filter_map(|page| Some((page, recrawl(page.facts?))))
            .filter(|(page, recrawl)| page.recrawl != Some(*recrawl))
            .map(|(page, recrawl)| (page.id, recrawl))
            .collect();
        database.set_recrawl(&changed).await?;
    }
    Ok(())
}

/// In a database of a version that stored no times: computes them by the settings of its last crawl, if there was one.
pub async fn bring_in(database: &mut impl Tables) -> Result<(), Failed> {
    if !database.lacks_times().await? {
        return Ok(());
    }
    database.open_transaction().await?;
    let done = match told::recall(database).await {
        Ok(Some(past)) => keep_up(database, Some(&past), &Rules::of(&past.config)).await,
        other => other.map(|_| ()),
    };
    match done {
        Ok(()) => database.commit_transaction().await,
        Err(error) => {
            database.undo_transaction().await;
            Err(error)
        }
    }
}
