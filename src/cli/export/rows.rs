//! JSON lines and CSV: one row a page.

use std::io::Write;

use rusqlite::Connection;

use super::super::Failure;
use super::super::args::Format;
use super::super::output::{Rows, cells, unique};
use super::{PAGES, Pages};

/// The chosen columns, or those of `pages`.
pub fn columns(db: &Connection, chosen: Option<&[String]>) -> Result<Vec<String>, Failure> {
    let names = |sql: &str| -> Result<Vec<String>, Failure> {
        Ok(db.prepare(sql)?.column_names().into_iter().map(str::to_owned).collect())
    };
    let Some(chosen) = chosen else { return names("select * from pages") };
    let known = names(&format!("select * from {PAGES}"))?;
    let chosen: Vec<_> = chosen.iter().map(|name| name.trim().to_owned()).collect();
    match chosen.iter().find(|name| !known.contains(name)) {
        Some(name) => {
            Err(Failure::new(format!("--columns: there is no `{name}`"))
                .hint(format!("there are {}", known.join(", "))))
        }
        None => Ok(chosen),
    }
}

pub fn write(pages: &Pages<'_>, columns: Vec<String>, format: Format, out: &mut impl Write) -> Result<i64, Failure> {
    let list = columns.iter().map(|name| format!("v.{name}")).collect::<Vec<_>>().join(", ");
    let names: Vec<_> = columns.iter().map(String::as_str).collect();
    let mut out = Rows::to(out, format, unique(&names))?;
    let written =
        pages.each(&format!("select {list} {} order by p.url_id", pages.from()), |row| out.row(cells(row)?))?;
    out.finish()?;
    Ok(written)
}
