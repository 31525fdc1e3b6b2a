//! Pages that no other page links to.

use crate::cli::failure::Failure;
use crate::cli::words::counted;
use crate::read::Database;

use super::findings::ROWS;
use super::parts::{Cell, Link, Listing, Section};
use super::query::{all, one};

/// With what led to each, as far as that is stored still.
const ORPHANS: &str = "with lonely as materialized (
        select u.id, u.url, p.title, u.referrer_id, u.sitemap, count(*) over () as known
        from orphans v join _url u on u.url = v.url join _page p on p.url_id = u.id order by u.url limit ?1)
    select o.url, o.title, r.url, o.known, case
            when exists (select 1 from _page q where q.url_id = o.referrer_id and q.redirect_to = o.id) then 'a redirect'
            when o.sitemap is not null then 'robots.txt'
            else coalesce((select min(element) from _link l where l.from_id = o.referrer_id and l.to_id = o.id), '') end
    from lonely o left join _url r on r.id = o.referrer_id order by o.url";

pub fn orphans(db: &Database) -> Result<Section, Failure> {
    let section = |lead: String, blocks| Section {
        id: "orphans",
        title: "Pages that no page links to",
        lead,
        is_wide: true,
        blocks,
    };
    if db.is_of_an_earlier_version() {
        let lead = "Not known: the database is of an earlier version, which the next crawl brings up to date.";
        return Ok(section(lead.to_owned(), vec![]));
    }
    let stored: bool = one(db, "select exists (select 1 from _link)", [], |row| row.at(0))?;
    if !stored {
        return Ok(section("No links are stored, so none can be missed.".to_owned(), vec![]));
    }
    let mut known = 0;
    let rows = all(db, ORPHANS, [ROWS.into()], |row| {
        known = row.at(3)?;
        let referrer: Option<String> = row.at(2)?;
        let way: &str = row.at(4)?;
        let way = if way.is_empty() { "what is not stored any more" } else { way };
        Ok(vec![
            Cell::Link(Link::new(&row.at::<String>(0)?)),
            Cell::text(&row.at::<Option<String>>(1)?.unwrap_or_default()),
            Cell::text(way),
            referrer.map_or_else(|| Cell::text(""), |url| Cell::Link(Link::new(&url))),
        ])
    })?;
    let open: i64 = one(db, "select failed + pending from accounting", [], |row| row.at(0))?;
    let unknown = match open {
        0 => String::new(),
        _ => format!(" What {} without a page would link to is not known.", counted(open, "URL")),
    };
    let lead = match known {
        0 => format!("None: every HTML page but the seeds stands in a link of another.{unknown}"),
        _ => format!(
            "{} of status 200, no seed, that no a, area or frame of another page leads to.{unknown}",
            counted(known, "HTML page")
        ),
    };
    let names = ["Page", "Title", "Found by", "Of"];
    Ok(section(lead, Listing::first("Orphans", &names, rows, known, "orphans")))
}
