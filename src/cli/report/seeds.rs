//! What became of each seed, those that brought nothing first.

use crate::cli::failure::Failure;
use crate::cli::words::{count, counted};
use crate::read::Database;

use super::findings::ROWS;
use super::parts::{Cell, Link, Listing, Section};
use super::query::all;

const SEEDS: &str = "
    select line, given, state, reason, status, final_url, pages, count(*) over () as known,
        count(*) filter (where state = 'rejected') over () as rejected,
        count(*) filter (where state = 'fetched') over () as fetched,
        count(*) filter (where state = 'fetched' and status >= 400) over () as wrong,
        count(*) filter (where state = 'failed') over () as failed,
        count(*) filter (where state = 'skipped') over () as skipped,
        count(*) filter (where state = 'pending') over () as pending
    from seeds
    order by case when state = 'rejected' then 0 when state = 'failed' then 1 when state = 'skipped' then 2
        when state = 'fetched' and status >= 400 then 3 when state = 'pending' then 4 else 5 end, coalesce(line, 0), given
    limit ?1";

pub fn seeds(db: &Database) -> Result<Section, Failure> {
    let section = |lead: String, blocks| Section { id: "seeds", title: "Seeds", lead, is_wide: true, blocks };
    if !tells_lines(db)? {
        let lead = "Not known: the database is of an earlier version, which the next crawl brings up to date.";
        return Ok(section(lead.to_owned(), vec![]));
    }
    let mut counts = [0_i64; 7];
    let rows = all(db, SEEDS, [ROWS.into()], |row| {
        for (place, count) in counts.iter_mut().enumerate() {
            *count = row.at(7 + place)?;
        }
        let or_none = |number: Option<i64>| number.map_or_else(|| Cell::text(""), Cell::count);
        let url: Option<String> = row.at(5)?;
        Ok(vec![
            or_none(row.at(0)?),
            Cell::text(&row.at::<String>(1)?),
            Cell::text(&row.at::<String>(2)?),
            Cell::text(&row.at::<Option<String>>(3)?.unwrap_or_default()),
            or_none(row.at(4)?),
            or_none(row.at(6)?),
            url.map_or_else(|| Cell::text(""), |url| Cell::Link(Link::new(&url))),
        ])
    })?;
    let names = ["#Line", "As given", "State", "Why", "#Status", "#Pages by way of it", "Where it ends"];
    let blocks = Listing::first("Each seed, those without a page first", &names, rows, counts[0], "seeds");
    Ok(section(lead(counts), blocks))
}

fn lead([known, rejected, fetched, wrong, failed, skipped, pending]: [i64; 7]) -> String {
    if known == 0 {
        return "No seeds are known.".to_owned();
    }
    let wrong = if wrong > 0 { format!(" ({} with a status of 400 or above)", count(wrong)) } else { String::new() };
    let mut lead = format!(
        "{}: {} fetched{wrong}, {} failed, {} skipped, {} pending.",
        counted(known - rejected, "seed"),
        count(fetched),
        count(failed),
        count(skipped),
        count(pending)
    );
    if rejected > 0 {
        lead.push_str(&format!(" {} left out: no URL that can be crawled.", counted(rejected, "line")));
    }
    lead
}

/// Whether the seeds are known as they were given, which earlier versions did not keep.
fn tells_lines(db: &Database) -> Result<bool, Failure> {
    let has_view = db.has_view("seeds")?;
    Ok(has_view && db.query("select * from seeds limit 0", [])?.columns().iter().any(|column| column == "line"))
}
