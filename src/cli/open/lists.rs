//! Pages, failures, skipped and pending URLs, filtered, a hundred at a time.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use crate::cli::failure::Failure;
use crate::cli::questions::list::{Filter, Kind, list};
use crate::cli::words::size;
use crate::read::{Database, ReadError, Row};
use crate::store::sqlite::timestamp;

use super::frame::{Frame, render};
use super::site::{Shared, Site};
use super::table::{Field, Table, address};

/// Rows of a page.
const ROWS: usize = 100;

#[derive(Template)]
#[template(path = "open/list.html", whitespace = "minimize")]
struct Listing {
    frame: Frame,
    path: &'static str,
    filter: Filter,
    /// What the filter by a word is called.
    word: Option<(&'static str, &'static str)>,
    has_status: bool,
    table: Table,
}

pub async fn pages(State(site): Shared, Query(filter): Query<Filter>) -> Response {
    show(site, Kind::Pages, filter).await
}

pub async fn failures(State(site): Shared, Query(filter): Query<Filter>) -> Response {
    show(site, Kind::Failures, filter).await
}

pub async fn skipped(State(site): Shared, Query(filter): Query<Filter>) -> Response {
    show(site, Kind::Skipped, filter).await
}

pub async fn queue(State(site): Shared, Query(filter): Query<Filter>) -> Response {
    show(site, Kind::Queue, filter).await
}

async fn show(site: Arc<Site>, kind: Kind, filter: Filter) -> Response {
    site.show(move |db, frame| listing(db, frame, kind, filter), path(kind)).await
}

fn path(kind: Kind) -> &'static str {
    match kind {
        Kind::Pages => "/pages",
        Kind::Failures => "/failures",
        Kind::Skipped => "/skipped",
        Kind::Queue => "/queue",
    }
}

fn heads(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Pages => &["URL", "#Status", "Type", "Title", "#Size", "#Depth", "Fetched at"],
        Kind::Failures => &["URL", "Kind", "What went wrong", "#Attempts", "Found on"],
        Kind::Skipped => &["URL", "Reason", "Found on"],
        Kind::Queue => &["URL", "#Depth", "#Attempts", "Not before", "Found on"],
    }
}

fn listing(db: &Database, frame: Frame, kind: Kind, filter: Filter) -> Result<String, Failure> {
    let (rows, has_more) = list(db, kind, &filter, ROWS)?;
    let last = rows.last().map(|row| row.at::<i64>(0)).transpose()?.filter(|_| has_more);
    let cells = rows.iter().map(|row| cells(kind, row)).collect::<Result<Vec<_>, _>>()?;
    let is_filtered = [&filter.host, &filter.text, &filter.status, &filter.word].iter().any(|text| !text.is_empty());
    let mut table = Table::new("list", frame.title.clone(), heads(kind), cells);
    table.none = match (is_filtered, filter.after > 0) {
        (false, false) => "None.",
        (true, false) => "None that fits the filter.",
        (_, true) => "No more.",
    };
    table.next = last.map(|last| {
        let after = last.to_string();
        let Filter { host, text, status, word, .. } = &filter;
        address(path(kind), &[("host", host), ("text", text), ("status", status), ("word", word), ("after", &after)])
    });
    let word = match kind {
        Kind::Pages => Some(("Type", "text/html")),
        Kind::Failures => Some(("Kind", "timeout")),
        Kind::Skipped => Some(("Reason", "robots")),
        Kind::Queue => None,
    };
    render(&Listing { frame, path: path(kind), word, has_status: kind == Kind::Pages, filter, table })
}

fn cells(kind: Kind, row: &Row) -> Result<Vec<Field>, ReadError> {
    let text = |at: usize| Ok::<_, ReadError>(Field::maybe(row.at::<Option<&str>>(at)?));
    let count = |at: usize| Ok::<_, ReadError>(Field::count(row.at(at)?));
    let link =
        |at: usize| Ok::<_, ReadError>(row.at::<Option<&str>>(at)?.map_or(Field::Text(String::new()), Field::url));
    let rest = match kind {
        Kind::Pages => vec![
            Field::Number(row.at::<i64>(2)?.to_string()),
            text(3)?,
            text(4)?,
            Field::Number(size(row.at(5)?)),
            count(6)?,
            Field::text(&timestamp(row.at(7)?)),
        ],
        Kind::Failures => vec![text(2)?, text(3)?, count(4)?, link(5)?],
        Kind::Skipped => vec![text(2)?, link(3)?],
        Kind::Queue => {
            let due = row.at::<Option<i64>>(4)?.map(timestamp);
            vec![count(2)?, count(3)?, Field::maybe(due.as_deref()), link(5)?]
        }
    };
    Ok([link(1)?].into_iter().chain(rest).collect())
}
