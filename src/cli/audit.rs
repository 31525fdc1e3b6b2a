//! `audit`: what is wrong with a site, found in what is stored of it.

mod audited;
mod catalogue;
mod certificates;
mod checks;
mod compared;
mod content;
mod depth;
mod finding;
mod headers;
mod heads;
mod indexing;
mod jsonld;
mod language_of_text;
mod language_tag;
mod languages;
mod links;
mod markup;
mod params;
mod rich_results;
mod sarif;
pub mod settings;
pub mod sql;
mod stored;
mod summary;
pub mod threshold;
pub mod titles;
mod width;
mod workbook;

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;

use clap::ValueEnum as _;
use serde_json::{Value, json};

use crate::read::Database;
use crate::store::audit::Audit;
use crate::store::postgres::{self, is_postgres};
use crate::store::sqlite::{self, file_path};
use crate::visit;

use super::args::{AuditArgs, AuditFormat, Format};
use super::console::Console;
use super::failure::Failure;
use super::output::{Rows, object, printable};
use super::settings::of_this_folder;
use super::table::Room;
use super::target::{Target, ending, format_of, no_such_file};
use super::threshold::EXIT_CODE;
use super::{signals, upgrade};
use audited::{Audited, COLUMNS};
use catalogue::CATALOGUE;
use compared::{FIXED, compare};
use finding::{Severity, Site};
use settings::{Ignored, Settings};
use stored::{Stored, Unchecked};

/// The severities, the gravest first.
pub const SEVERITIES: [&str; 3] = Severity::NAMES;

pub async fn run(args: AuditArgs, console: &Console) -> Result<u8, Failure> {
    signals::end_after(|| ())?;
    let format = args.format.map_or_else(|| by_name(&args.output), Ok)?;
    let (settings, ignored) = settle()?;
    let database = args.database.path()?;
    let db = Database::open(&database)?;
    let db = match db.is_of_an_earlier_version() {
        true => {
            drop(db);
            console.say("The database is of an earlier version: it is brought up to date first.");
            upgrade::run(&database).await?;
            Database::open(&database)?
        }
        false => db,
    };
    let target = Target::new(&args.output, db.path())?;
    let audited = audit(&db, &settings, &ignored)?;
    // The connection that writes must be the last to close: then SQLite removes the write-ahead log.
    drop(db);
    keep(&database, &audited).await?;
    let mut out = target.open()?;
    let room = if matches!(target, Target::Stdout) { args.wide.room() } else { Room::WHOLE };
    write(&audited, format, room, &mut out)?;
    out.close()?.take_its_name(target.path())?;
    if format == AuditFormat::Csv {
        let unchecked = audited.unchecked.iter();
        unchecked.for_each(|gap| console.say(&format!("Not checked: {}: {}", gap.what, printable(&gap.why))));
    }
    let counts = audited.counts();
    if let Some(path) = target.path() {
        console.say(&format!("{} written to {}", summary::totals(&audited), printable(&path.display().to_string())));
    }
    let held: Vec<_> = args.fail_on.iter().filter_map(|threshold| threshold.judge(counts)).collect();
    held.iter().for_each(|held| console.warn(&format!("--fail-on: {held}")));
    Ok(if held.is_empty() { 0 } else { EXIT_CODE })
}

/// What the settings file of this folder says of audits: the limits, and what is to be left out.
pub fn settle() -> Result<(Settings, Vec<Ignored>), Failure> {
    let (path, text) = of_this_folder()?.unwrap_or_default();
    settings::read(&text, &catalogue::names())
        .map_err(|wrong| Failure::new(format!("{path}, line {}: {}", wrong.line, printable(&wrong.problem))))
}

/// Finds all that is to be found after the last run.
fn audit(db: &Database, settings: &Settings, ignored: &[Ignored]) -> Result<Audited, Failure> {
    // All is found as of one commit.
    let _moment = db.snapshot()?;
    let run = db.first("select max(id) from runs", [])?.map_or(Ok(None), |row| row.at::<Option<i64>>(0))?;
    let run = run.ok_or_else(|| Failure::new("there is no run to audit").hint("make one with `harvestman crawl`"))?;
    let before = db.first("select max(run_id) from _audit where run_id < ?1", [run.into()])?;
    let before: Option<i64> = before.map_or(Ok(None), |row| row.at(0))?;
    let mut earlier: HashMap<String, HashSet<(String, Option<String>)>> = HashMap::new();
    let sql = "select finding, url, other_url from findings where run = ?1 and state <> ?2";
    for row in db.query(sql, [before.into(), FIXED.into()])? {
        let row = row?;
        earlier.entry(row.at(0)?).or_default().insert((row.at(1)?, row.at(2)?));
    }
    let (stored, site) = (Stored::look(db)?, Site::new(db, settings));
    let (mut rows, mut unchecked) = (Vec::new(), Vec::new());
    for finding in CATALOGUE.iter() {
        if let Some(why) = stored.lacks(finding) {
            unchecked.push(Unchecked { what: finding.name.to_owned(), why });
            continue;
        }
        let mut all = compare(finding.name, site.find(finding)?, &earlier.remove(finding.name).unwrap_or_default());
        all.retain(|row| !ignored.iter().any(|ignored| ignored.is_about(row.finding, &row.url)));
        rows.extend(all);
    }
    unchecked.extend(stored.gaps(db)?);
    Ok(Audited { run, before, rows, unchecked })
}

/// The format that the name of a file asks for.
fn by_name(file: &Path) -> Result<AuditFormat, Failure> {
    let ending = match format_of(file) {
        None => return Ok(AuditFormat::Table),
        Some(ending) if ending == "txt" => return Ok(AuditFormat::Table),
        // As viewers of SARIF want it called.
        Some(ending) if ending == "json" && file.file_stem().is_some_and(|stem| is_sarif(stem.as_ref())) => {
            "sarif".into()
        }
        Some(ending) => ending,
    };
    AuditFormat::from_str(&ending, true).map_err(|_| {
        no_such_file(
            file,
            "an audit is .txt, .json, .csv, .sarif or .xlsx, or what --format says; `harvestman report` writes .html",
        )
    })
}

fn is_sarif(file: &Path) -> bool {
    ending(file).as_deref() == Some("sarif")
}

async fn keep(database: &str, audited: &Audited) -> Result<(), Failure> {
    let kinds = CATALOGUE.iter().map(|finding| [finding.name, finding.severity.name(), finding.advice]).collect();
    let audit = Audit { run: audited.run, at: visit::now(), kinds, findings: &audited.rows };
    if is_postgres(database) {
        postgres::audit::keep(database, &audit).await?;
    } else {
        let path = file_path(database)?;
        sqlite::audit::keep(&path, &audit)?;
    }
    Ok(())
}

fn write(audited: &Audited, format: AuditFormat, room: Room, out: &mut impl Write) -> Result<(), Failure> {
    match format {
        AuditFormat::Table => out.write_all(summary::text(audited, room).as_bytes())?,
        AuditFormat::Json => {
            let columns = COLUMNS.map(str::to_owned);
            let findings: Vec<_> = audited.cells().map(|cells| Value::Object(object(&columns, cells))).collect();
            let unchecked: Vec<_> =
                audited.unchecked.iter().map(|gap| json!({ "what": gap.what, "why": gap.why })).collect();
            let whole = json!({
                "run": audited.run, "compared_with": audited.before, "findings": findings, "unchecked": unchecked,
            });
            writeln!(out, "{whole}")?;
        }
        AuditFormat::Csv => {
            let mut rows = Rows::to(out, Format::Csv, COLUMNS.map(str::to_owned).to_vec())?;
            audited.cells().try_for_each(|cells| rows.row(cells))?;
            rows.finish()?;
        }
        AuditFormat::Sarif => writeln!(out, "{}", sarif::document(audited))?,
        AuditFormat::Xlsx => {
            let book = workbook::workbook(audited);
            out.write_all(&book.map_err(|e| Failure::new("cannot make the workbook").cause(&e))?)?;
        }
    }
    Ok(())
}
