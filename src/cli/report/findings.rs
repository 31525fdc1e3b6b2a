//! The sections that name pages to look at: broken links, duplicates, failures, skips, traps.

use crate::cli::failure::Failure;
use crate::cli::words::{count, counted, size};
use crate::read::Database;

use super::overview::top;
use super::parts::{Cell, Link, Listing, Section};
use super::query::{all, one};

/// Rows of a table at most.
pub const ROWS: i64 = 50;

// No index leads from a target to its links, so the links are read twice: to count, and for pages to show.
const BROKEN: &str = "
    with broken(id) as materialized (
        select url_id from _page where status >= 400
        union select f.url_id from _failure f join _url u on u.id = f.url_id where u.state = 2
        union select u.id from _probe c join _url u on u.url = c.url and u.state = 3 where c.verdict = 'broken'),
    top as materialized (
        select to_id, count(*) as links, count(*) over () as targets, sum(count(*)) over () as total
        from _link where to_id in (select id from broken) group by to_id order by links desc, to_id limit ?1),
    shown as materialized (
        select to_id, from_id, pages from (
            select to_id, from_id, row_number() over (partition by to_id order by from_id) as place,
                count(*) over (partition by to_id) as pages
            from (select distinct to_id, from_id from _link where to_id in (select to_id from top)) each_page) placed
        where place <= 3)
    select t.url, coalesce(cast(p.status as text), x.kind, cast(c.status as text), c.failure), top.links, (select max(pages) from shown s where s.to_id = top.to_id),
        (select string_agg(f.url, ' ' order by f.id) from shown s join _url f on f.id = s.from_id where s.to_id = top.to_id),
        top.targets, top.total
    from top join _url t on t.id = top.to_id left join _page p on p.url_id = top.to_id and p.status >= 400
    left join _failure x on x.url_id = top.to_id left join _probe c on c.url = t.url
    order by top.links desc, t.url";

pub fn broken_links(db: &Database) -> Result<Section, Failure> {
    let (mut targets, mut links) = (0, 0_i64);
    let rows = all(db, BROKEN, [ROWS.into()], |row| {
        (targets, links) = (row.at(5)?, row.at(6)?);
        let pages: i64 = row.at(3)?;
        Ok(vec![
            Cell::Link(Link::new(&row.at::<String>(0)?)),
            Cell::text(&row.at::<String>(1)?),
            Cell::count(row.at(2)?),
            Cell::count(pages),
            links_of(&row.at::<String>(4)?, pages),
        ])
    })?;
    let stored: bool = one(db, "select exists (select 1 from _link)", [], |row| row.at(0))?;
    let lead = match (targets, stored) {
        (0, false) => "No links are stored, so none can be judged.".to_owned(),
        (0, true) => {
            "No link leads to a page of status 400 or above, or to a failure, as far as was asked for.".to_owned()
        }
        _ => format!("{} to {}.", counted(links, "link"), counted(targets, "broken URL")),
    };
    let names = ["Broken URL", "Why", "#Links", "#Pages", "Stands on"];
    Ok(Section {
        id: "broken",
        title: "Broken links",
        lead,
        is_wide: true,
        blocks: Listing::first("URLs with most broken links to them", &names, rows, targets, "broken URLs"),
    })
}

/// Addresses with spaces between them, which are the first of `all`.
pub fn links_of(urls: &str, all: i64) -> Cell {
    links(&urls.split(' ').collect::<Vec<_>>(), all)
}

/// Addresses, which are the first of `all`.
pub fn links(urls: &[impl AsRef<str>], all: i64) -> Cell {
    let links: Vec<_> = urls.iter().map(|url| Link::new(url.as_ref())).collect();
    let more = all - links.len() as i64;
    Cell::Links { links, more: (more > 0).then(|| format!("and {} more", count(more))) }
}

const DUPLICATES: &str = "
    with same as materialized (
        select content_hash as hash, count(*) as copies, max(size) as size, count(*) over () as bodies,
            sum(count(*)) over () as pages, cast(sum((count(*) - 1) * max(size)) over () as double precision) as spare
        from _page where status = 200 and content_hash is not null group by 1 having count(*) > 1
        order by copies desc, size desc, hash limit ?1),
    shown as materialized (
        select hash, url_id from (
            select content_hash as hash, url_id, row_number() over (partition by content_hash order by url_id) as place
            from _page where status = 200 and content_hash in (select hash from same)) placed
        where place <= 5)
    select (select string_agg(u.url, ' ' order by u.id) from shown s join _url u on u.id = s.url_id where s.hash = same.hash),
        copies, size, bodies, pages, spare
    from same order by copies desc, size desc, hash";

pub fn duplicates(db: &Database) -> Result<Section, Failure> {
    let (mut bodies, mut pages, mut spare) = (0, 0_i64, 0.0);
    let rows = all(db, DUPLICATES, [ROWS.into()], |row| {
        (bodies, pages, spare) = (row.at(3)?, row.at(4)?, row.at(5)?);
        let (copies, each) = (row.at(1)?, row.at(2)?);
        Ok(vec![
            links_of(&row.at::<String>(0)?, copies),
            Cell::count(copies),
            Cell::Number { sort: each as f64, text: size(each) },
        ])
    })?;
    Ok(Section {
        id: "duplicates",
        title: "Duplicates",
        lead: match bodies {
            0 => "No two pages of status 200 have the same body.".to_owned(),
            _ => format!(
                "{} share {}; the copies take {}.",
                counted(pages, "page"),
                counted(bodies, "body").replace("bodys", "bodies"),
                size(spare as i64)
            ),
        },
        is_wide: true,
        blocks: Listing::first(
            "Bodies with most copies",
            &["Pages", "#Copies", "#Size of each"],
            rows,
            bodies,
            "bodies",
        ),
    })
}

pub fn failures(db: &Database) -> Result<Section, Failure> {
    let kinds = top(db, "select kind as label, count(*) as n from failures group by kind")?;
    let known = kinds.total;
    let sql = "select url, kind, message, attempts, referrer from failures order by host, kind, url limit ?1";
    let rows = all(db, sql, [ROWS.into()], |row| {
        Ok(vec![
            Cell::Link(Link::new(&row.at::<String>(0)?)),
            Cell::text(&row.at::<String>(1)?),
            Cell::text(&row.at::<String>(2)?),
            Cell::count(row.at(3)?),
            referrer(row.at(4)?),
        ])
    })?;
    let mut blocks = kinds.bars("Failures by kind", "Kind", "URLs", |_| "bad");
    let names = ["Address", "Kind", "Message", "#Attempts", "Found on"];
    blocks.extend(Listing::first("Failed addresses", &names, rows, known, "failed addresses"));
    Ok(Section {
        id: "failures",
        title: "Failures",
        lead: match known {
            0 => "Every requested URL gave a usable response.".to_owned(),
            _ => format!("{} gave no usable response after all retries.", counted(known, "URL")),
        },
        is_wide: true,
        blocks,
    })
}

fn referrer(url: Option<String>) -> Cell {
    url.map_or_else(|| Cell::text("a seed"), |url| Cell::Link(Link::new(&url)))
}

/// What each reason to skip a URL means.
const REASONS: [(&str, &str); 10] = [
    ("scope", "outside the scope"),
    ("excluded", "by --include or --exclude"),
    ("depth", "deeper than --max-depth"),
    ("robots", "forbidden by robots.txt"),
    ("robots_unreachable", "robots.txt could not be read"),
    ("nofollow", "only nofollow links lead there"),
    ("private_address", "private address that no seed names"),
    ("trap", "without end, and brings nothing new"),
    ("url_too_long", "longer than --max-url-length"),
    ("error_page", "only error pages link there"),
];

pub fn skipped(db: &Database) -> Result<Section, Failure> {
    let mut reasons = top(db, "select coalesce(reason, '') as label, count(*) as n from skipped group by reason")?;
    let total = reasons.total;
    for (label, _) in &mut reasons.rows {
        if let Some((_, meaning)) = REASONS.iter().find(|(reason, _)| reason == label) {
            *label = format!("{label}: {meaning}");
        }
    }
    let sql =
        "select coalesce(reason, ''), host, count(*), min(url), count(*) over () from skipped group by reason, host
        order by 3 desc, 1, 2 limit ?1";
    let mut known = 0;
    let rows = all(db, sql, [ROWS.into()], |row| {
        known = row.at(4)?;
        Ok(vec![
            Cell::text(&row.at::<String>(0)?),
            Cell::Link(Link::new(&row.at::<String>(1)?)),
            Cell::count(row.at(2)?),
            Cell::Link(Link::new(&row.at::<String>(3)?)),
        ])
    })?;
    let mut blocks = reasons.bars("Skipped URLs by reason", "Reason", "URLs", |_| "idle");
    let names = ["Reason", "Host", "#URLs", "One of them"];
    blocks.extend(Listing::first("Skipped URLs by reason and host", &names, rows, known, "pairs of reason and host"));
    Ok(Section {
        id: "skipped",
        title: "What was skipped and why",
        lead: match total {
            0 => "Nothing was skipped.".to_owned(),
            _ => format!("{} known and deliberately not requested.", counted(total, "URL")),
        },
        is_wide: true,
        blocks,
    })
}

pub fn traps(db: &Database) -> Result<Section, Failure> {
    let (mut known, mut held) = (0_i64, 0_i64);
    let sql = "select host, pattern, reason, held_back, example, count(*) over (), sum(held_back) over () from traps
        order by held_back desc, host, pattern limit ?1";
    // A database of an earlier version holds nothing back.
    let rows = all(db, if db.has_view("traps")? { sql } else { "select 1 where ?1 is null" }, [ROWS.into()], |row| {
        (known, held) = (row.at(5)?, row.at(6)?);
        Ok(vec![
            Cell::Link(Link::new(&row.at::<String>(0)?)),
            Cell::text(&row.at::<String>(1)?),
            Cell::text(&row.at::<String>(2)?),
            Cell::count(row.at(3)?),
            Cell::Link(Link::new(&row.at::<String>(4)?)),
        ])
    })?;
    let names = ["Host", "Pattern", "Why", "#Held back", "One of them"];
    Ok(Section {
        id: "traps",
        title: "Traps",
        lead: match known {
            0 => "None: no pattern of URLs went on and on and brought nothing new.".to_owned(),
            _ => format!("{} held back. --allow-trap with a pattern lets its URLs in.", counted(held, "URL")),
        },
        is_wide: true,
        blocks: Listing::first("Patterns that brought nothing new", &names, rows, known, "traps"),
    })
}

#[cfg(test)]
mod tests {
    use super::REASONS;
    use crate::visit::SkipReason;

    #[test]
    fn every_skip_reason_is_put_in_words() {
        let words: Vec<_> = REASONS.iter().map(|(reason, _)| *reason).collect();
        assert_eq!(words, SkipReason::ALL.iter().map(SkipReason::as_str).collect::<Vec<_>>());
    }
}
