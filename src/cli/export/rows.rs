//! JSON lines and CSV: one row a page.

use std::io::Write;

use crate::cli::args::Format;
use crate::cli::failure::Failure;
use crate::cli::output::{Rows, cells, unique};
use crate::read::Database;

use super::pages::{PAGES, Pages, columns_of, quoted};

/// The chosen columns, or those of the view.
pub fn columns(db: &Database, pages: &Pages<'_>, chosen: Option<&[String]>) -> Result<Vec<String>, Failure> {
    let source = pages.source();
    let Some(chosen) = chosen else { return Ok(columns_of(db, if source == PAGES { "pages" } else { source })?) };
    let known = columns_of(db, source)?;
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
    let list = columns.iter().map(|name| format!("v.{}", quoted(name))).collect::<Vec<_>>().join(", ");
    let names: Vec<_> = columns.iter().map(String::as_str).collect();
    let mut out = Rows::to(out, format, unique(&names))?;
    let written =
        pages.each(&format!("select {list} {} {}", pages.from(), pages.order()), |row| out.row(cells(row)))?;
    out.finish()?;
    Ok(written)
}
