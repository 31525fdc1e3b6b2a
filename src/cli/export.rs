//! `export`: the pages as JSON lines, CSV, a web archive, a sitemap or Markdown, one after the other: memory does not grow with them.

mod markdown;
mod pages;
mod rows;
mod sitemap;
mod warc;

use std::path::Path;

use crate::read::Database;

use super::args::{ExportArgs, ExportFormat, Format};
use super::console::Console;
use super::failure::Failure;
use super::output::printable;
use super::target::Target;
use super::words::counted;
use pages::Pages;

pub fn run(args: &ExportArgs, console: &Console) -> Result<u8, Failure> {
    check(args)?;
    let db = Database::open(args.database.path()?)?;
    let pages = Pages::new(&db, args.from.as_deref(), args.filter.as_deref(), args.since)?;
    let columns = rows::columns(&db, &pages, args.columns.as_deref())?;
    let target = || Target::new(&args.output, db.path());
    let _snapshot = db.snapshot()?;
    let mut called = args.output.display().to_string();
    let written = match args.format {
        ExportFormat::Jsonl => target()?.whole(|out| rows::write(&pages, columns, Format::Jsonl, out))?,
        ExportFormat::Csv => target()?.whole(|out| rows::write(&pages, columns, Format::Csv, out))?,
        ExportFormat::Warc | ExportFormat::Wacz => {
            let (written, files) = warc::write(&db, &pages, args)?;
            called = files;
            written
        }
        ExportFormat::Sitemap => sitemap::write(&pages, &target()?, args.sitemap_base.as_ref())?,
        ExportFormat::Markdown => markdown::write(&db, &pages, args, console)?,
    };
    if args.output != Path::new("-") {
        console.say(&format!(
            "{} written to {}",
            counted(written, if args.from.is_some() { "row" } else { "page" }),
            printable(&called)
        ));
    }
    Ok(0)
}

/// What is asked for must fit together.
fn check(args: &ExportArgs) -> Result<(), Failure> {
    let rows = matches!(args.format, ExportFormat::Jsonl | ExportFormat::Csv);
    let problem = if args.columns.is_some() && !rows {
        "--columns is for jsonl and csv: the other formats have a shape of their own"
    } else if args.sitemap_base.is_some() && args.format != ExportFormat::Sitemap {
        "--sitemap-base is for sitemap"
    } else if args.from.is_some() && !rows {
        "--from is for jsonl and csv: the other formats have a shape of their own"
    } else if args.chunk.is_some() && args.format != ExportFormat::Markdown {
        "--chunk is for markdown"
    } else if args.split.is_some() && !matches!(args.format, ExportFormat::Warc | ExportFormat::Wacz) {
        "--split is for warc and wacz"
    } else if args.cdxj && args.format != ExportFormat::Warc {
        "--cdxj is for warc: a WACZ has an index in it"
    } else {
        return Ok(());
    };
    Err(Failure::new(problem).code(2))
}
