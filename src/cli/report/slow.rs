//! What took long: the hosts that the run spent its time with, and the pages that take longest.

use crate::cli::failure::Failure;
use crate::cli::words::size;
use crate::read::Database;

use super::figures::span;
use super::overview::ms;
use super::parts::{Cell, Link, Listing, Section};
use super::plot::percent;
use super::query::{all, one};
use super::run::Run;

/// Rows of each table.
const ROWS: i64 = 25;

const HOSTS: &str = "
    with spent as (
        select u.host_id as id, count(*) as requests, sum(f.elapsed_ms) as ms, max(f.elapsed_ms) as longest,
            count(*) filter (where f.failure is not null) as failed, max(f.at + f.elapsed_ms) - min(f.at) as busy
        from _fetch f join _url u on u.id = f.url_id where f.run_id = ?1 group by u.host_id),
    top as materialized (
        select id, requests, ms, longest, failed, busy, count(*) over () as hosts, sum(ms) over () as whole
        from spent order by ms desc, id limit ?2),
    placed as (
        select u.host_id as id, f.elapsed_ms as ms, t.requests,
            row_number() over (partition by u.host_id order by f.elapsed_ms) as place
        from _fetch f join _url u on u.id = f.url_id join top t on t.id = u.host_id where f.run_id = ?1),
    middle as (
        select id, min(ms) filter (where place = (requests * 50 + 99) / 100) as median,
            min(ms) filter (where place = (requests * 95 + 99) / 100) as late
        from placed group by id)
    select h.host, t.requests, t.ms, m.median, m.late, t.longest, t.failed, t.busy, t.hosts, t.whole
    from top t join middle m on m.id = t.id join _host h on h.id = t.id order by t.ms desc, h.host";

pub fn hosts(db: &Database, run: &Run) -> Result<Section, Failure> {
    let mut known = 0;
    let rows = all(db, HOSTS, [run.id.into(), ROWS.into()], |row| {
        known = row.at(8)?;
        let (spent, whole): (i64, i64) = (row.at(2)?, row.at(9)?);
        let time = |number: i64| Cell::Number { sort: number as f64, text: ms(number) };
        let mut cells = vec![Cell::Link(Link::new(&row.at::<String>(0)?)), Cell::count(row.at(1)?), time(spent)];
        cells.push(Cell::Number { sort: spent as f64, text: percent(spent, whole) });
        for column in 3..6 {
            cells.push(time(row.at(column)?));
        }
        cells.push(Cell::count(row.at(6)?));
        let busy: i64 = row.at(7)?;
        cells.push(Cell::Number { sort: busy as f64, text: span(busy) });
        Ok(cells)
    })?;
    let names =
        ["Host", "#Requests", "#Time spent", "#Share", "#Median", "#95 %", "#Longest", "#Failed", "#First to last"];
    let lead = match known {
        0 => "No page was asked for in this run.".to_owned(),
        _ => "By the time that all requests of this run to a host took together, failed ones too. One slow answer costs little; \
              from the first request to the last answer, a host also waits for its pace."
            .to_owned(),
    };
    let blocks = Listing::first("Hosts that took most time", &names, rows, known, "hosts");
    Ok(Section { id: "slow-hosts", title: "Where the time went", lead, is_wide: true, blocks })
}

pub fn pages(db: &Database) -> Result<Section, Failure> {
    let sql = "select url, title, status, size, elapsed_ms from pages order by elapsed_ms desc, url limit ?1";
    let rows = all(db, sql, [ROWS.into()], |row| {
        let (bytes, elapsed): (i64, i64) = (row.at(3)?, row.at(4)?);
        Ok(vec![
            Cell::Link(Link::new(&row.at::<String>(0)?)),
            Cell::text(&row.at::<Option<String>>(1)?.unwrap_or_default()),
            Cell::count(row.at(2)?),
            Cell::Number { sort: bytes as f64, text: size(bytes) },
            Cell::Number { sort: elapsed as f64, text: ms(elapsed) },
        ])
    })?;
    let known: i64 = one(db, "select count(*) from _page", [], |row| row.at(0))?;
    let names = ["Page", "Title", "#Status", "#Size", "#Time"];
    Ok(Section {
        id: "slowest",
        title: "Slowest pages",
        lead: match rows.len() {
            0 => "No page has been fetched.".to_owned(),
            _ => "From the start of the request to the last byte of the body.".to_owned(),
        },
        is_wide: true,
        blocks: Listing::first("Pages that take longest", &names, rows, known, "pages"),
    })
}
