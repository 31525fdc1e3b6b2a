//! `report`: the crawl as one HTML file to look at, which loads nothing from anywhere.

mod findings;
mod overview;
mod parts;
mod plot;

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::store::sqlite::{file_path, read};
use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use rusqlite::{Connection, OptionalExtension as _, Params, Row};

use super::Failure;
use super::console::Console;
use super::output::printable;
use super::target::Target;
use super::words::{count, size, time};
use parts::{Block, Cell, Section};

const STYLE: &str = include_str!("../../templates/report/style.css");
const SCRIPT: &str = include_str!("../../templates/report/script.js");

/// The page. All that the crawl found reaches it as text, which the template escapes.
#[derive(Template)]
#[template(path = "report.html", whitespace = "minimize")]
struct Page<'a> {
    style: &'a str,
    script: &'a str,
    style_hash: String,
    script_hash: String,
    database: String,
    version: &'a str,
    made_at: String,
    state: String,
    figures: Vec<(&'static str, String)>,
    sections: Vec<Section>,
}

/// The latest run; times in milliseconds since 1970.
pub struct Run {
    id: i64,
    started_at: i64,
    /// When its first and its last request started.
    first_at: i64,
    last_at: i64,
    has_earlier: bool,
    state: String,
    requests: i64,
    bytes: i64,
}

pub fn run(database: &str, output: &str, console: &Console) -> Result<u8, Failure> {
    let Ok(path) = file_path(database);
    let db = read::open(&path)?;
    let target = Target::new(output.as_ref(), &path)?;
    let page = page(&db, &path)?;
    let mut out = target.open()?;
    out.write_all(page.as_bytes())?;
    out.close()?.take_its_name(target.path())?;
    if target.path().is_none() {
        return Ok(0);
    }
    console.say(&format!("Wrote {} ({}).", printable(output), size(page.len() as i64)));
    Ok(0)
}

fn page(db: &Connection, path: &Path) -> Result<String, Failure> {
    // An open read keeps all that follow at the same commit, also while a crawl goes on.
    let mut held = db.prepare("select name from sqlite_master")?;
    let mut snapshot = held.query([])?;
    snapshot.next()?;
    let run = latest_run(db)?;
    let page = Page {
        style: STYLE,
        script: SCRIPT,
        style_hash: hash(STYLE),
        script_hash: hash(SCRIPT),
        database: path.file_name().map(|name| printable(&name.to_string_lossy())).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION"),
        made_at: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        state: run.state.clone(),
        figures: figures(db, &run)?,
        sections: vec![
            overview::accounting(db)?,
            overview::pace(db, &run)?,
            overview::statuses(db)?,
            overview::content_types(db)?,
            overview::response_times(db)?,
            overview::sizes(db)?,
            overview::depths(db)?,
            overview::hosts(db)?,
            findings::broken_links(db)?,
            findings::redirects(db)?,
            findings::duplicates(db)?,
            findings::slowest(db)?,
            findings::failures(db)?,
            findings::skipped(db)?,
            findings::changes(db, &run)?,
        ],
    };
    let page = page.render().map_err(|e| Failure::new("cannot make the report").cause(&e))?;
    Ok(page + "\n")
}

/// As a Content-Security-Policy names what it allows.
fn hash(text: &str) -> String {
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

fn latest_run(db: &Connection) -> Result<Run, Failure> {
    let sql = "select id, started_at, outcome, requests, bytes,
            strftime('%Y-%m-%d %H:%M:%S UTC', started_at / 1000, 'unixepoch'),
            strftime('%Y-%m-%d %H:%M:%S UTC', finished_at / 1000, 'unixepoch'),
            exists (select 1 from run earlier where earlier.id < run.id)
        from run order by id desc limit 1";
    let run = db.query_row(sql, [], |row| {
        let (id, started_at): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (outcome, finished): (Option<String>, Option<String>) = (row.get(2)?, row.get(6)?);
        let now = match (finished, outcome.as_deref()) {
            (Some(at), _) => format!("finished {at}"),
            (_, None) => "still running, or cut off".to_owned(),
            (_, Some("limit")) => "stopped at a limit; the same command goes on".to_owned(),
            (_, Some("waiting")) => "waits for hosts that asked for time; the same command goes on".to_owned(),
            (_, Some(_)) => "was interrupted; the same command goes on".to_owned(),
        };
        Ok(Run {
            id,
            started_at,
            first_at: started_at,
            last_at: started_at,
            has_earlier: row.get(7)?,
            state: format!("Run {id}, started {}, {now}.", row.get::<_, String>(5)?),
            requests: row.get(3)?,
            bytes: row.get(4)?,
        })
    });
    let Some(run) = run.optional()? else {
        let state = "No run has begun.".to_owned();
        let (id, started_at, first_at, last_at, requests, bytes) = (0, 0, 0, 0, 0, 0);
        return Ok(Run { id, started_at, first_at, last_at, has_earlier: false, state, requests, bytes });
    };
    let ends =
        "select coalesce(min(at), ?2), coalesce(max(at), ?2) from fetch where run_id = ?1 and url_id is not null";
    let (first_at, last_at) = one(db, ends, [run.id, run.started_at], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Run { first_at, last_at, ..run })
}

/// The numbers at the top.
fn figures(db: &Connection, run: &Run) -> Result<Vec<(&'static str, String)>, Failure> {
    let sql = "select discovered, fetched, failed, (select count(*) from host) from accounting";
    let [discovered, fetched, failed, hosts]: [i64; 4] =
        one(db, sql, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
    let took = Duration::from_millis((run.last_at - run.first_at).try_into().unwrap_or_default());
    let sql = "select count(*) from fetch where run_id = ?1 and url_id is not null and failure is null";
    let answers: i64 = one(db, sql, [run.id], |row| row.get(0))?;
    let pace = if took.is_zero() { "–".to_owned() } else { format!("{:.1}", answers as f64 / took.as_secs_f64()) };
    Ok(vec![
        ("URLs discovered", count(discovered)),
        ("pages fetched", count(fetched)),
        ("failed", count(failed)),
        ("hosts", count(hosts)),
        ("requests in this run", count(run.requests)),
        ("received in this run", size(run.bytes)),
        ("from first to last request", time(took)),
        ("pages per second", pace),
    ])
}

fn one<T>(
    db: &Connection,
    sql: &str,
    parameters: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<T, Failure> {
    Ok(db.query_row(sql, parameters, read)?)
}

fn all<T>(
    db: &Connection,
    sql: &str,
    parameters: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Failure> {
    Ok(db.prepare(sql)?.query_map(parameters, read)?.collect::<Result<_, _>>()?)
}
