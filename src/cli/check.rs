//! `check`: whether a database is sound, who is at work on it, and what to do about what is not as it should be. It only reads.

mod look;
mod looks;

use std::io::Write as _;

use serde::Serialize;

use crate::read::Database;

use super::args::{StatusFormat, Wide};
use super::failure::{Failure, hint_for};
use super::output::{self, Answer, unwritten};
use super::signals;
use super::table::{Room, draw_prose};
use look::{Look, State};

/// What was looked at, and what was found.
#[derive(Debug, Serialize)]
struct Found {
    check: &'static str,
    state: State,
    found: String,
    /// What to do.
    advice: Option<String>,
}

/// Whether all is well, and what was looked at: the keys of the JSON object.
#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    database: String,
    checks: Vec<Found>,
}

/// What is looked at, and how.
type Question = (&'static str, fn(&Database) -> Look);

/// Each look, its name, and whether it is one at a file, at a server, or at both.
const LOOKS: [Question; 8] = [
    ("integrity", looks::integrity),
    ("schema", looks::schema),
    ("accounting", looks::accounting),
    ("contents", looks::contents),
    ("crawl", looks::crawl),
    ("nodes", looks::nodes),
    ("search index", looks::index),
    ("disk", looks::disk),
];

pub fn run(database: &str, format: StatusFormat, wide: Wide) -> Result<u8, Failure> {
    signals::end_after(|| ())?;
    let db = Database::open(database)?;
    let mut checks = Vec::new();
    for (check, look) in LOOKS {
        // A file has no nodes.
        if check == "nodes" && db.path().is_some() {
            continue;
        }
        let (state, found, advice) = look(&db).unwrap_or_else(|e| {
            let problem = e.to_string();
            let advice = hint_for(&problem).map(str::to_owned);
            (State::Problem, format!("cannot be read: {problem}"), advice)
        });
        checks.push(Found { check, state, found, advice });
    }
    let ok = checks.iter().all(|found| found.state != State::Problem);
    let report = Report { ok, database: db.name().to_owned(), checks };
    let text = match format {
        StatusFormat::Json => serde_json::to_string(&report).map_err(std::io::Error::from)?,
        StatusFormat::Table => table(&report, wide.room()),
    };
    writeln!(std::io::stdout(), "{text}").map_err(|e| unwritten(&e))?;
    Ok(u8::from(!ok))
}

fn table(report: &Report, room: Room) -> String {
    let word = |state| match state {
        State::Ok => "ok",
        State::Note => "note",
        State::Problem => "PROBLEM",
    };
    let rows = report
        .checks
        .iter()
        .map(|Found { check, state, found, .. }| vec![(*check).into(), word(*state).into(), found.as_str().into()]);
    let columns = ["check", "state", "found"].map(str::to_owned).into();
    let mut text = draw_prose(&Answer { columns, rows: rows.collect() }, room).text;
    // One cause often shows at several places.
    let mut advised: Vec<(Vec<&str>, &str)> = Vec::new();
    for Found { check, advice, .. } in &report.checks {
        let Some(advice) = advice else { continue };
        match advised.iter_mut().find(|(_, given)| given == advice) {
            Some((checks, _)) => checks.push(check),
            None => advised.push((vec![check], advice)),
        }
    }
    for (checks, advice) in advised {
        text.push_str(&format!("\n{}: {}", checks.join(", "), output::printable(advice)));
    }
    let problems = report.checks.iter().filter(|found| found.state == State::Problem).count();
    let name = output::printable(&report.database);
    text + &match problems {
        0 => format!("\n{name} is sound."),
        _ => format!("\n{name} needs to be seen to: {}.", super::words::counted(problems as u64, "problem")),
    }
}
