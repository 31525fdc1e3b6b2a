//! JSON lines and CSV: one row a page.

use std::io::Write;

use crate::cli::args::Format;
use crate::cli::failure::Failure;
use crate::cli::output::{Rows, cells, unique};
use crate::read::{Database, ReadError};

use super::pages::{PAGES, Pages};

/// The chosen columns, or those of `pages`.
pub fn columns(db: &Database, chosen: Option<&[String]>) -> Result<Vec<String>, Failure> {
    let names = |sql: &str| -> Result<Vec<String>, ReadError> {
        Ok(db.prepare(sql)?.columns().into_iter().map(str::to_owned).collect())
    };
    let Some(chosen) = chosen else { return Ok(names("select * from pages")?) };
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
        pages.each(&format!("select {list} {} order by p.url_id", pages.from()), |row| out.row(cells(row)))?;
    out.finish()?;
    Ok(written)
}
