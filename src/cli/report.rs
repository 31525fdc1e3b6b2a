//! `report`: the crawl as one HTML file to look at, which loads nothing from anywhere.

mod audit;
mod findings;
mod overview;
pub mod parts;
mod plot;
mod query;
mod run;
mod workbook;

use std::io::Write as _;
use std::time::Duration;

use crate::read::Database;
use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;

use super::console::Console;
use super::failure::Failure;
use super::output::printable;
use super::target::Target;
use super::words::{count, size, time};
use super::workbook::is_workbook;
use parts::{Block, Cell, Section};
use query::one;
use run::Run;

pub const STYLE: &str = include_str!("../../templates/report/style.css");
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

pub fn run(database: &str, output: &str, console: &Console) -> Result<u8, Failure> {
    let db = Database::open(database)?;
    let target = Target::new(output.as_ref(), db.path())?;
    let report = match is_workbook(output.as_ref()) {
        true => book(&db)?,
        false => page(&db)?.into_bytes(),
    };
    let mut out = target.open()?;
    out.write_all(&report)?;
    out.close()?.take_its_name(target.path())?;
    if target.path().is_none() {
        return Ok(0);
    }
    console.say(&format!("Wrote {} ({}).", printable(output), size(report.len() as i64)));
    Ok(0)
}

/// The figures and the sections as a workbook.
fn book(db: &Database) -> Result<Vec<u8>, Failure> {
    let _snapshot = db.snapshot()?;
    let run = Run::latest(db)?;
    let book = workbook::workbook(&figures(db, &run)?, &sections(db, &run)?);
    book.map_err(|e| Failure::new("cannot make the workbook").cause(&e))
}

fn page(db: &Database) -> Result<String, Failure> {
    // All sections are of one commit, also while a crawl goes on.
    let _snapshot = db.snapshot()?;
    let run = Run::latest(db)?;
    let page = Page {
        style: STYLE,
        script: SCRIPT,
        style_hash: hash(STYLE),
        script_hash: hash(SCRIPT),
        database: printable(db.name().rsplit('/').next().unwrap_or_default()),
        version: env!("CARGO_PKG_VERSION"),
        made_at: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        state: run.state.clone(),
        figures: figures(db, &run)?,
        sections: sections(db, &run)?,
    };
    let page = page.render().map_err(|e| Failure::new("cannot make the report").cause(&e))?;
    Ok(page + "\n")
}

/// How a crawl stands, as far as it is told fast enough to be asked for again and again.
pub struct Glance {
    /// In a sentence.
    pub state: String,
    pub figures: Vec<(&'static str, String)>,
    pub sections: Vec<Section>,
}

pub fn glance(db: &Database) -> Result<Glance, Failure> {
    let _snapshot = db.snapshot()?;
    let run = Run::latest(db)?;
    let figures = figures(db, &run)?;
    let mut sections = vec![overview::accounting(db)?];
    // Of very many pages they may take longer than the question may; what was answered by then is worth being shown.
    for section in [overview::hosts, overview::statuses, overview::content_types] {
        match section(db) {
            Ok(section) => sections.push(section),
            Err(_) => break,
        }
    }
    Ok(Glance { state: run.state, figures, sections })
}

fn sections(db: &Database, run: &Run) -> Result<Vec<Section>, Failure> {
    Ok(vec![
        overview::accounting(db)?,
        overview::pace(db, run)?,
        overview::statuses(db)?,
        overview::content_types(db)?,
        overview::response_times(db)?,
        overview::sizes(db)?,
        overview::depths(db)?,
        overview::hosts(db)?,
        audit::findings(db)?,
        findings::broken_links(db)?,
        findings::redirects(db)?,
        findings::duplicates(db)?,
        findings::slowest(db)?,
        findings::failures(db)?,
        findings::skipped(db)?,
        findings::traps(db)?,
        findings::changes(db, run)?,
    ])
}

/// As a Content-Security-Policy names what it allows.
fn hash(text: &str) -> String {
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

/// The numbers at the top.
fn figures(db: &Database, run: &Run) -> Result<Vec<(&'static str, String)>, Failure> {
    let sql = "select discovered, fetched, failed, (select count(*) from _host) from accounting";
    let [discovered, fetched, failed, hosts]: [i64; 4] =
        one(db, sql, [], |row| Ok([row.at(0)?, row.at(1)?, row.at(2)?, row.at(3)?]))?;
    let took = Duration::from_millis((run.last_at - run.first_at).try_into().unwrap_or_default());
    let sql = "select count(*) from _fetch where run_id = ?1 and url_id is not null and failure is null";
    let answers: i64 = one(db, sql, [run.id.into()], |row| row.at(0))?;
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
