//! What changed since the run before, with examples of each kind.

use crate::cli::failure::Failure;
use crate::cli::words::{count, counted};
use crate::read::Database;

use super::overview::Top;
use super::parts::{Cell, Link, Listing, Section};
use super::query::all;
use super::run::Run;

/// Pages of each kind of change that are shown.
const EXAMPLES: i64 = 20;

/// What may have become of a page, and the colour of each.
const KINDS: [(&str, &str); 4] = [("new", "ok"), ("changed", "turn"), ("gone", "bad"), ("restored", "wait")];

const CHANGES: &str = "
    with placed as (
        select url, change, at, row_number() over (partition by change order by url) as place from changes where run = ?1)
    select c.url, c.change, p.title, p.status, c.at
    from placed c left join _url u on u.url = c.url left join _page p on p.url_id = u.id
    where c.place <= ?2 order by c.change, c.url";

pub fn changes(db: &Database, run: &Run) -> Result<Section, Failure> {
    let section = |lead: String, blocks| Section {
        id: "changes",
        title: "What changed since the run before",
        lead,
        is_wide: true,
        blocks,
    };
    if run.before.is_none() {
        return Ok(section("This is the first run: there is none before it to compare with.".to_owned(), vec![]));
    }
    if !db.has_view("changes")? {
        let lead = "Not known: the database is of an earlier version, which the next crawl brings up to date.";
        return Ok(section(lead.to_owned(), vec![]));
    }
    let counts = "select change, count(*) from changes where run = ?1 group by 1 order by 1";
    let counts: Vec<(String, i64)> = all(db, counts, [run.id.into()], |row| Ok((row.at(0)?, row.at(1)?)))?;
    let known = counts.iter().map(|(_, n)| n).sum();
    if known == 0 {
        return Ok(section("Nothing.".to_owned(), vec![]));
    }
    let each: Vec<_> = counts.iter().map(|(change, n)| format!("{} {change}", count(*n))).collect();
    let rows = all(db, CHANGES, [run.id.into(), EXAMPLES.into()], |row| {
        Ok(vec![
            Cell::Link(Link::new(&row.at::<String>(0)?)),
            Cell::text(&row.at::<String>(1)?),
            Cell::text(&row.at::<Option<String>>(2)?.unwrap_or_default()),
            row.at::<Option<i64>>(3)?.map_or_else(|| Cell::text(""), Cell::count),
            Cell::text(&row.at::<String>(4)?),
        ])
    })?;
    let kinds = Top { kinds: counts.len() as i64, total: known, rows: counts };
    let colour = |kind: &str| KINDS.iter().find(|(name, _)| *name == kind).map_or("idle", |(_, class)| class);
    let mut blocks = kinds.bars("Pages by what became of them", "Change", "Pages", colour);
    let names = ["Page", "Change", "Title", "#Status", "At"];
    blocks.extend(Listing::first("Pages that changed", &names, rows, known, "changed pages"));
    Ok(section(format!("{}: {}.", counted(known, "page"), each.join(", ")), blocks))
}
