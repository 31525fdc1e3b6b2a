//! `report`: the crawl as one HTML file to look at, which loads nothing from anywhere.

mod audit;
mod changes;
mod figures;
mod findings;
mod orphans;
mod overview;
pub mod parts;
mod plot;
mod query;
mod redirects;
mod run;
mod seeds;
mod slow;
mod titles;
mod workbook;

use std::io::Write as _;

use crate::read::Database;
use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;

use super::audit::settle;
use super::console::Console;
use super::failure::Failure;
use super::output::printable;
use super::target::{Target, format_of, no_such_file};
use super::words::size;
use figures::figures;
use parts::{Block, Cell, Figure, Hop, Section};
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
    /// What the differences are to.
    compared: Option<String>,
    figures: Vec<Figure>,
    sections: Vec<Section>,
    longest: usize,
}

/// Bytes of the file that are not passed for the sake of addresses without end.
const MOST: usize = 5_000_000;
/// Bytes of an address that is a link: browsers take no more everywhere. And of one where the file would be too large.
pub const LONGEST: usize = 2_000;
const SHORTER: usize = 200;

pub fn run(database: &str, output: &str, console: &Console) -> Result<u8, Failure> {
    let db = Database::open(database)?;
    let target = Target::new(output.as_ref(), db.path())?;
    let ending = format_of(output.as_ref());
    let make: fn(&Database) -> Result<Vec<u8>, Failure> = match ending.as_deref() {
        None | Some("html" | "htm") => |db| Ok(page(db)?.into_bytes()),
        Some("xlsx") => book,
        Some(_) => return Err(no_such_file(output.as_ref(), "a report is a page, .html, or a workbook, .xlsx")),
    };
    let report = make(&db)?;
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
    let book = workbook::workbook(&figures(db, &run, true)?, &sections(db, &run)?);
    book.map_err(|e| Failure::new("cannot make the workbook").cause(&e))
}

fn page(db: &Database) -> Result<String, Failure> {
    // All sections are of one commit, also while a crawl goes on.
    let _snapshot = db.snapshot()?;
    let run = Run::latest(db)?;
    let mut page = Page {
        style: STYLE,
        script: SCRIPT,
        style_hash: hash(STYLE),
        script_hash: hash(SCRIPT),
        database: printable(db.name().rsplit('/').next().unwrap_or_default()),
        version: env!("CARGO_PKG_VERSION"),
        made_at: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        state: run.state.clone(),
        compared: run.compared(),
        figures: figures(db, &run, true)?,
        sections: sections(db, &run)?,
        longest: LONGEST,
    };
    let render = |page: &Page<'_>| page.render().map_err(|e| Failure::new("cannot make the report").cause(&e));
    let mut html = render(&page)?;
    if html.len() > MOST {
        page.longest = SHORTER;
        html = render(&page)?;
    }
    Ok(html + "\n")
}

/// How a crawl stands, as far as it is told fast enough to be asked for again and again.
pub struct Glance {
    /// In a sentence.
    pub state: String,
    pub figures: Vec<Figure>,
    pub sections: Vec<Section>,
}

pub fn glance(db: &Database) -> Result<Glance, Failure> {
    let _snapshot = db.snapshot()?;
    let run = Run::latest(db)?;
    let figures = figures(db, &run, false)?;
    let mut sections = vec![overview::accounting(db, None)?];
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
    let (limits, ignored) = settle()?;
    Ok(vec![
        overview::accounting(db, run.before.as_ref())?,
        seeds::seeds(db)?,
        changes::changes(db, run)?,
        overview::pace(db, run)?,
        overview::statuses(db)?,
        overview::content_types(db)?,
        overview::response_times(db)?,
        slow::hosts(db, run)?,
        overview::sizes(db)?,
        overview::depths(db)?,
        overview::hosts(db)?,
        audit::findings(db)?,
        findings::broken_links(db)?,
        redirects::redirects(db)?,
        titles::titles(db, &limits, &ignored)?,
        findings::duplicates(db)?,
        orphans::orphans(db)?,
        slow::pages(db)?,
        findings::failures(db)?,
        findings::skipped(db)?,
        findings::traps(db)?,
    ])
}

/// As a Content-Security-Policy names what it allows.
fn hash(text: &str) -> String {
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(digest(&SHA256, text.as_bytes())))
}
