//! How the crawl stands: the accounting, status codes, types, hosts, and the last answers.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use crate::cli::failure::Failure;
use crate::cli::report::parts::{Block, Cell, Figure, Hop, Section};
use crate::cli::report::{self, Glance, LONGEST};
use crate::cli::words::size;
use crate::read::Database;
use crate::store::sqlite::timestamp;

use super::frame::{Frame, render};
use super::site::Shared;
use super::table::{Field, Table};

/// Requests that are listed.
const LAST: i64 = 15;

#[derive(Template)]
#[template(path = "open/overview.html", whitespace = "minimize")]
struct Overview {
    frame: Frame,
    state: String,
    figures: Vec<Figure>,
    sections: Vec<Section>,
    longest: usize,
    table: Table,
}

pub async fn show(State(site): Shared, Query(asked): Query<HashMap<String, String>>) -> Response {
    let is_live = asked.get("live").is_none_or(|live| live != "off");
    site.show(move |db, frame| overview(db, Frame { is_live, ..frame }), "/").await
}

fn overview(db: &Database, frame: Frame) -> Result<String, Failure> {
    let table = last_requests(db)?;
    let Glance { state, figures, sections } = report::glance(db)?;
    render(&Overview { frame, state, figures, sections, longest: LONGEST, table })
}

fn last_requests(db: &Database) -> Result<Table, Failure> {
    let sql = "select coalesce(u.url, f.url), f.status, f.failure, f.elapsed_ms, f.bytes, f.at
        from _fetch f left join _url u on u.id = f.url_id order by f.id desc limit ?1";
    let mut rows = Vec::new();
    for row in db.query(sql, [LAST.into()])? {
        let row = row?;
        let status = row.at::<Option<u16>>(1)?.map(|status| status.to_string());
        let answer = status.or(row.at(2)?).unwrap_or_default();
        rows.push(vec![
            Field::url(row.at::<Option<&str>>(0)?.unwrap_or_default()),
            Field::text(&answer),
            Field::count(row.at(3)?),
            Field::Number(size(row.at(4)?)),
            Field::text(&timestamp(row.at(5)?)),
        ]);
    }
    let heads = ["URL", "Answer", "#ms", "#Received", "At"];
    Ok(Table { none: "No request was made so far.", ..Table::new("last", "The last requests", &heads, rows) })
}
