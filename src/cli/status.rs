//! `status`: what the database holds.

use std::io::Write as _;

use crate::read::Database;

use super::failure::Failure;
use super::output;
use super::query::ask;

const PARTS: [(&str, &str); 6] = [
    ("Accounting", "select * from accounting"),
    ("Runs", "select * from runs order by id desc limit 10"),
    ("Hosts with most URLs", "select * from hosts order by discovered desc, host limit 10"),
    (
        "Queue",
        "select host, count(*) as pending, min(due_at) as next_due from queue group by host order by 2 desc limit 10",
    ),
    ("Traps", "select * from traps order by held_back desc, host, pattern limit 10"),
    (
        "Pages due again",
        "select case when at <= now then 'now' when at <= now + 1 / 24.0 then 'within an hour'
                when at <= now + 1 then 'within a day' when at <= now + 7 then 'within a week' else 'later' end as due,
             count(*) as pages, min(due_at) as earliest
         from (select due_at, julianday(due_at) as at, julianday('now') as now from recrawl) group by due order by 3",
    ),
];

pub fn run(database: &str) -> Result<u8, Failure> {
    let db = Database::open(database)?;
    let mut out = String::new();
    for (title, sql) in PARTS {
        let answer = ask(&db, sql, [])?;
        if answer.rows.is_empty() {
            out.push_str(&format!("{title}: none\n\n"));
        } else {
            out.push_str(&format!("{title}\n{}\n\n", output::table(&answer)));
        }
    }
    std::io::stdout().write_all(out.trim_end().as_bytes())?;
    std::io::stdout().write_all(b"\n")?;
    Ok(0)
}
