//! `changes`: what became of the pages from run to run, on request with what changed in their text.

use std::io::{BufWriter, Write as _};
use std::time::Duration;

use crate::read::{Database, ReadError, Row};
use crate::store::sqlite::timestamp;
use crate::visit::Millis;
use serde_json::Value;
use similar::TextDiff;

use super::args::{Form, Format, Since};
use super::failure::Failure;
use super::output::{Guarded, Rows, cells, printable};

/// A longer text, in bytes, is not compared.
const MAX_TEXT: i64 = 1 << 20;
/// A comparison that takes longer ends with a diff that is right but perhaps not the shortest.
const PATIENCE: Duration = Duration::from_secs(2);

pub fn run(database: &str, since: Option<Since>, diff: bool, form: Form) -> Result<u8, Failure> {
    let db = Database::open(database)?;
    require_views(&db)?;
    let (run, at) = start(&db, since)?;
    let listing = "select run, url, change, at from changes where run >= ?1 and at >= ?2 order by run, at, url";
    let rows = db.query(listing, [run.into(), at.into()])?;
    if diff && form.format == Format::Table {
        let mut out = BufWriter::new(Guarded::stdout());
        for row in rows {
            write_block(&mut out, &db, &row?)?;
        }
        out.flush()?;
        return Ok(0);
    }
    let columns = ["run", "url", "change", "at", "diff"].map(str::to_owned);
    let mut out = Rows::new(form, columns[..if diff { 5 } else { 4 }].to_vec())?;
    for row in rows {
        let row = row?;
        let compared = if diff { Some(compare(&db, &row)?) } else { None };
        let mut cells = cells(row);
        cells.extend(compared.map(|compared| match compared {
            Comparison::Diff(text) => text.into(),
            Comparison::Same => "".into(),
            _ => Value::Null,
        }));
        out.row(cells)?;
    }
    out.finish()?;
    Ok(0)
}

pub fn require_views(db: &Database) -> Result<(), Failure> {
    if !db.has_view("changes")? || !db.has_view("versions")? {
        return Err(Failure::new(format!(
            "`{}` was written by a version of harvestman that kept no changes",
            db.name()
        ))
        .hint("the next `harvestman crawl` brings it up to date"));
    }
    Ok(())
}

/// The first run and the first moment that are listed.
pub fn start(db: &Database, since: Option<Since>) -> Result<(i64, String), Failure> {
    let last = db.first("select max(id) from runs", [])?;
    let last: i64 = last.map_or(Ok(None), |row| row.at(0))?.unwrap_or(0);
    match since {
        None => Ok((last, String::new())),
        Some(Since::Time(at)) => Ok((0, timestamp(at))),
        Some(Since::Run(run)) if (1..=last).contains(&run) => Ok((run, String::new())),
        Some(Since::Run(run)) if last == 0 => Err(Failure::new(format!("there is no run {run}: there is none at all"))),
        Some(Since::Run(run)) => Err(Failure::new(format!("there is no run {run}; the last is {last}"))),
    }
}

/// When what `since` names began.
pub fn moment(db: &Database, since: Since) -> Result<Millis, Failure> {
    match since {
        Since::Time(at) => Ok(at),
        Since::Run(run) => {
            let began = db.first("select started_at from _run where id = ?1", [run.into()])?;
            Ok(began.map_or(Ok(Millis::MIN), |row| row.at(0))?)
        }
    }
}

/// What there is to say of the text before and after a change.
enum Comparison {
    Diff(String),
    Same,
    NotKept,
    NoText,
    TooLong,
    /// The page is new or gone.
    OneSided,
}

fn write_block(out: &mut impl std::io::Write, db: &Database, row: &Row) -> Result<(), Failure> {
    let (run, url): (i64, String) = (row.get("run")?, row.get("url")?);
    let (change, at): (String, String) = (row.get("change")?, row.get("at")?);
    writeln!(out, "run {run}  {change}  {url}  {at}")?;
    match compare(db, row)? {
        Comparison::Diff(text) => text.lines().try_for_each(|line| writeln!(out, "{}", printable(line)))?,
        Comparison::Same => writeln!(out, "(the readable text is the same)")?,
        Comparison::NotKept => writeln!(out, "(what it was is not kept: `crawl --keep-versions 1` keeps it)")?,
        Comparison::NoText => writeln!(out, "(no readable text is kept of it)")?,
        Comparison::TooLong => writeln!(out, "(too long to be compared)")?,
        Comparison::OneSided => return Ok(()),
    }
    writeln!(out)?;
    Ok(())
}

fn compare(db: &Database, row: &Row) -> Result<Comparison, Failure> {
    let (url, change, at): (String, String, String) = (row.get("url")?, row.get("change")?, row.get("at")?);
    if !matches!(change.as_str(), "changed" | "restored") {
        return Ok(Comparison::OneSided);
    }
    let Some(before) = version(db, "max(fetched_at) from versions where url = ?1 and fetched_at < ?2", &url, &at)?
    else {
        return Ok(Comparison::NotKept);
    };
    let later = version(db, "min(fetched_at) from versions where url = ?1 and fetched_at >= ?2", &url, &at)?;
    let Some(after) = later.map_or_else(|| present(db, &url), |later| Ok(Some(later)))? else {
        return Ok(Comparison::NotKept);
    };
    let (old, new) = match (before.text, after.text) {
        (Text::Whole(old), Text::Whole(new)) => (old, new),
        (Text::TooLong, _) | (_, Text::TooLong) => return Ok(Comparison::TooLong),
        _ => return Ok(Comparison::NoText),
    };
    if old == new {
        return Ok(Comparison::Same);
    }
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(&old, &new);
    let text =
        diff.unified_diff().header(&before.fetched_at, &after.fetched_at).missing_newline_hint(false).to_string();
    Ok(Comparison::Diff(text))
}

/// A page at one time.
struct Version {
    fetched_at: String,
    text: Text,
}

enum Text {
    Whole(String),
    TooLong,
    /// The page has no text, or its text was not stored.
    Missing,
}

impl Version {
    fn read(row: &Row) -> Result<Self, ReadError> {
        let length: Option<i64> = row.at(1)?;
        let text = match length {
            None => Text::Missing,
            Some(length) if length > MAX_TEXT => Text::TooLong,
            Some(_) => Text::Whole(row.at(2)?),
        };
        Ok(Self { fetched_at: row.at(0)?, text })
    }
}

/// The kept version that `which` chooses.
fn version(db: &Database, which: &str, url: &str, at: &str) -> Result<Option<Version>, Failure> {
    let row = db.first(&format!("select {which}"), [url.into(), at.into()])?;
    let Some(fetched_at) = row.map_or(Ok(None), |row| row.at::<Option<String>>(0))? else { return Ok(None) };
    let sql = "select fetched_at, octet_length(text), text from versions where url = ?1 and fetched_at = ?2";
    let row = db.first(sql, [url.into(), fetched_at.into()])?;
    Ok(row.as_ref().map(Version::read).transpose()?)
}

/// The page as it is, unless it answers with an error.
fn present(db: &Database, url: &str) -> Result<Option<Version>, Failure> {
    let sql = "select fetched_at, octet_length(text), text from pages where url = ?1 and status < 400";
    let row = db.first(sql, [url.into()])?;
    Ok(row.as_ref().map(Version::read).transpose()?)
}
