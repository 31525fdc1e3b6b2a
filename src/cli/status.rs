//! `status`: what the database holds.

use std::io::Write as _;

use crate::policy;
use crate::read::{Database, ReadError};
use crate::store::postgres::is_postgres;
use crate::store::sqlite::timestamp;
use crate::visit::{self, Millis};

use serde_json::{Map, Value};

use super::args::{StatusFormat, Wide};
use super::due;
use super::failure::Failure;
use super::last_run::{self, LastRun};
use super::output::{self, Answer, CUT, printable, unwritten};
use super::query::ask;
use super::table::{Drawn, Room, draw, fits};

/// The key of a part in JSON, its title, and its question.
const PARTS: [(&str, &str, &str); 7] = [
    ("accounting", "Accounting: each URL counts once", "select * from accounting"),
    ("runs", "Runs", "select * from runs order by id desc limit 10"),
    ("hosts", "Hosts with most URLs", "select * from hosts order by discovered desc, host limit 10"),
    (
        "queue",
        "Queue",
        "select host, count(*) as pending, min(due_at) as next_due from queue group by host order by 2 desc limit 10",
    ),
    (
        "checks",
        "Checks of what is linked and not crawled",
        "select case when state = 0 then 'waiting' else verdict end as verdict, count(*) as urls from _probe
         group by case when state = 0 then 'waiting' else verdict end order by 2 desc, 1",
    ),
    (NODES, "Nodes", "select * from nodes order by state, node, started_at limit 50"),
    (
        "traps",
        "Traps: patterns of URLs without end, and what is held back of them",
        "select * from traps order by held_back desc, host, pattern limit 10",
    ),
];

/// The columns of parts that a terminal has no room for all of.
const NARROW: [(&str, &[&str]); 2] = [
    ("runs", &["id", "started_at", "outcome", "fetched", "failed", "pending", "requests"]),
    ("hosts", &["host", "discovered", "fetched", "failed", "pending", "mean_elapsed_ms"]),
];

/// A file has none.
const NODES: &str = "nodes";

/// When pages are due again, seen from now, and how many milliseconds away that is at most.
const DUE: [(&str, Millis); 5] = [
    ("now", 0),
    ("within an hour", 3_600_000),
    ("within a day", 86_400_000),
    ("within a week", 7 * 86_400_000),
    ("later", Millis::MAX),
];

pub fn run(database: &str, format: StatusFormat, wide: Wide) -> Result<u8, Failure> {
    let db = Database::open(database)?;
    // All parts are of one commit.
    let _moment = db.snapshot()?;
    let parts = PARTS.into_iter().filter(|(key, ..)| *key != NODES || is_postgres(database));
    let asked = parts.map(|(key, title, sql)| Ok((key, title, ask(&db, sql, [])?)));
    let asked = asked.chain([due_again(&db).map(|answer| ("due", "Pages that a new run fetches again", answer))]);
    let parts = asked.collect::<Result<Vec<_>, Failure>>()?;
    let out = match format {
        StatusFormat::Table => in_words(&db)? + "\n\n" + &tables(&parts, wide.room()),
        StatusFormat::Json => json(parts),
    };
    writeln!(std::io::stdout(), "{}", out.trim_end()).map_err(|e| unwritten(&e))?;
    Ok(0)
}

/// How much there is, how the last run stands, and what comes next.
fn in_words(db: &Database) -> Result<String, ReadError> {
    let Some(run) = LastRun::read(db)? else {
        return Ok(format!("{} holds no run yet: harvestman crawl URL", printable(db.name())));
    };
    let accounted = printable(&last_run::accounted(db)?);
    Ok(format!("{accounted}\n{} {}", run.told(), run.next()))
}

fn tables(parts: &[(&str, &str, Answer)], room: Room) -> String {
    let (mut text, mut is_any_cut) = (String::new(), false);
    for (key, title, answer) in parts {
        if answer.rows.is_empty() {
            text.push_str(&format!("{title}: none\n\n"));
            continue;
        }
        let short =
            NARROW.iter().find(|(part, _)| part == key && !fits(answer, room)).map(|(_, names)| only(answer, names));
        let Drawn { text: drawn, is_cut } = draw(short.as_ref().unwrap_or(answer), room);
        is_any_cut |= is_cut || short.is_some();
        text.push_str(&format!("{title}\n{drawn}\n\n"));
    }
    if is_any_cut { text + CUT } else { text }
}

/// An answer with these of its columns.
fn only(answer: &Answer, names: &[&str]) -> Answer {
    let kept: Vec<_> = (0..answer.columns.len()).filter(|at| names.contains(&answer.columns[*at].as_str())).collect();
    let rows = answer.rows.iter().map(|row| kept.iter().map(|at| row[*at].clone()).collect()).collect();
    Answer { columns: kept.iter().map(|at| answer.columns[*at].clone()).collect(), rows }
}

/// One object: each part is an array of objects, but for the accounting, which is one.
fn json(parts: Vec<(&str, &str, Answer)>) -> String {
    let mut whole = Map::new();
    for (key, _, Answer { columns, rows }) in parts {
        let mut rows = rows.into_iter().map(|row| Value::Object(output::object(&columns, row)));
        let value = if key == "accounting" { rows.next().unwrap_or_default() } else { rows.collect() };
        whole.insert(key.to_owned(), value);
    }
    Value::Object(whole).to_string()
}

/// The known pages that wait for a new run, by when they are due ([`crate::policy::due`]).
fn due_again(db: &Database) -> Result<Answer, Failure> {
    let (rules, now) = (due::rules(db)?, visit::now());
    let mut counted = DUE.map(|(when, _)| (Millis::MAX, when, 0_u64));
    let sql = format!("select {} from _page p join _url u on u.id = p.url_id where u.state in (1, 2)", due::COLUMNS);
    for row in db.query(&sql, [])? {
        let page = due::facts(&row?, 0)?;
        let at = policy::due::due_at(&page, &rules);
        let at = if policy::due::is_due(at, page.fetched_at, now) { at.min(now) } else { at };
        if let Some(place) = DUE.iter().position(|(_, most)| at.saturating_sub(now) <= *most) {
            let (earliest, _, pages) = &mut counted[place];
            (*earliest, *pages) = (at.min(*earliest), *pages + 1);
        }
    }
    let rows = counted.into_iter().filter(|(_, _, pages)| *pages > 0);
    let rows = rows.map(|(at, when, pages)| vec![when.into(), pages.into(), timestamp(at).into()]).collect();
    Ok(Answer { columns: ["due", "pages", "earliest"].map(str::to_owned).into(), rows })
}
