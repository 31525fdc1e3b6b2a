//! How many clicks a page is away from the seeds, along the links as they are stored. The crawl's own depth is another: it
//! counts what a sitemap names as near.

use std::collections::HashMap;

use crate::read::{Database, ReadError};

use super::finding::{Found, Site};
use super::sql::pages;

/// A site that is made to take more is not worth more time. Depths may then be given too large.
const PASSES: usize = 64;

/// What leads from one URL to another, and whether that takes a click.
const WAYS: &str = "select l.from_id, l.to_id, 1 from _link l join _page s on s.url_id = l.from_id and s.status = 200
         where l.element in ('a', 'area', 'iframe', 'frame')
     union all select p.url_id, p.redirect_to, 0 from _page p where p.redirect_to is not null";

/// Pages that are deeper than the settings have it.
pub fn deep(site: &Site<'_>) -> Result<Vec<Found>, ReadError> {
    let clicks = clicks(site.db)?;
    let mut found = Vec::new();
    for row in site.db.query(concat!("select u.id, u.url from ", pages!()), [])? {
        let row = row?;
        let clicks = clicks.get(&row.at::<i64>(0)?).copied().unwrap_or_default();
        if clicks > site.settings.depth {
            found.push(Found::new(row.at::<&str>(1)?, format!("{clicks} clicks")));
        }
    }
    Ok(found)
}

/// The clicks to each URL that is reached. The links are gone through until no path gets shorter, so that memory grows with
/// the URLs and not with the links.
fn clicks(db: &Database) -> Result<HashMap<i64, u32>, ReadError> {
    let seeds = db.query("select url_id from _seed union select url_id from _heir", [])?;
    let mut clicks = seeds.map(|row| Ok((row?.at(0)?, 0))).collect::<Result<HashMap<i64, u32>, ReadError>>()?;
    for _ in 0..PASSES {
        let mut is_settled = true;
        for row in db.query(WAYS, [])? {
            let row = row?;
            let (from, to, step): (i64, i64, i64) = (row.at(0)?, row.at(1)?, row.at(2)?);
            let Some(&here) = clicks.get(&from) else { continue };
            let there = here + u32::from(step > 0);
            if clicks.get(&to).is_none_or(|&known| known > there) {
                clicks.insert(to, there);
                is_settled = false;
            }
        }
        if is_settled {
            break;
        }
    }
    Ok(clicks)
}
