//! `status`: what the database holds.

use std::io::Write as _;

use crate::policy;
use crate::read::Database;
use crate::store::sqlite::timestamp;
use crate::visit::{self, Millis};

use super::due;
use super::failure::Failure;
use super::output::{self, Answer, unwritten};
use super::query::ask;

const PARTS: [(&str, &str); 5] = [
    ("Accounting", "select * from accounting"),
    ("Runs", "select * from runs order by id desc limit 10"),
    ("Hosts with most URLs", "select * from hosts order by discovered desc, host limit 10"),
    (
        "Queue",
        "select host, count(*) as pending, min(due_at) as next_due from queue group by host order by 2 desc limit 10",
    ),
    ("Traps", "select * from traps order by held_back desc, host, pattern limit 10"),
];

/// When pages are due again, seen from now, and how many milliseconds away that is at most.
const DUE: [(&str, Millis); 5] = [
    ("now", 0),
    ("within an hour", 3_600_000),
    ("within a day", 86_400_000),
    ("within a week", 7 * 86_400_000),
    ("later", Millis::MAX),
];

pub fn run(database: &str) -> Result<u8, Failure> {
    let db = Database::open(database)?;
    let mut out = String::new();
    let asked = PARTS.into_iter().map(|(title, sql)| Ok((title, ask(&db, sql, [])?)));
    for part in asked.chain([due_again(&db).map(|answer| ("Pages due again", answer))]) {
        let (title, answer) = part?;
        if answer.rows.is_empty() {
            out.push_str(&format!("{title}: none\n\n"));
        } else {
            out.push_str(&format!("{title}\n{}\n\n", output::table(&answer)));
        }
    }
    writeln!(std::io::stdout(), "{}", out.trim_end()).map_err(|e| unwritten(&e))?;
    Ok(0)
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
