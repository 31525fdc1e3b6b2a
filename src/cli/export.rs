//! `export`: the pages as JSON lines, CSV, a web archive, a sitemap or Markdown, one after the other: memory does not grow with them.

mod markdown;
mod pages;
mod rows;
mod sitemap;
mod warc;

use std::io::{self, IsTerminal as _};
use std::path::Path;

use crate::read::Database;

use super::args::{ExportArgs, ExportFormat, Format};
use super::console::Console;
use super::failure::Failure;
use super::output::printable;
use super::target::{Target, ending};
use super::words::counted;
use pages::Pages;

pub fn run(args: &ExportArgs, console: &Console) -> Result<u8, Failure> {
    let format = args.format.map_or_else(|| by_name(args), Ok)?;
    check(args, format)?;
    let db = Database::open(args.database.path()?)?;
    let pages = Pages::new(&db, args.from.as_deref(), args.filter.as_deref(), args.since)?;
    let columns = rows::columns(&db, &pages, args.columns.as_deref())?;
    let target = || Target::new(&args.output, db.path());
    let _snapshot = db.snapshot()?;
    let mut called = args.output.display().to_string();
    let written = match format {
        ExportFormat::Jsonl => target()?.whole(|out| rows::write(&pages, columns, Format::Jsonl, out))?,
        ExportFormat::Csv => target()?.whole(|out| rows::write(&pages, columns, Format::Csv, out))?,
        ExportFormat::Warc | ExportFormat::Wacz => {
            let (written, files) = warc::write(&db, &pages, args, format)?;
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

/// The format that the name of the file asks for.
fn by_name(args: &ExportArgs) -> Result<ExportFormat, Failure> {
    let is_folder = args.output.as_os_str().as_encoded_bytes().ends_with(b"/");
    let name = args.output.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    match ending(&args.output).as_deref() {
        _ if is_folder || args.chunk.is_some() => Ok(ExportFormat::Markdown),
        Some("jsonl" | "ndjson") => Ok(ExportFormat::Jsonl),
        Some("csv") => Ok(ExportFormat::Csv),
        Some("warc") => Ok(ExportFormat::Warc),
        Some("gz") if name.ends_with(".warc.gz") => Ok(ExportFormat::Warc),
        Some("wacz") => Ok(ExportFormat::Wacz),
        Some("xml") => Ok(ExportFormat::Sitemap),
        _ => {
            let failure = match args.output == Path::new("-") {
                true => Failure::new("nothing says what is to be written"),
                false => Failure::new(format!(
                    "`{}` does not say what is to be written",
                    printable(&args.output.display().to_string())
                )),
            };
            let way =
                "name it with --format, or let --output end in .jsonl, .csv, .warc.gz, .wacz, .xml, or / for Markdown";
            Err(failure.hint(way).code(2))
        }
    }
}

/// What is asked for must fit together.
fn check(args: &ExportArgs, format: ExportFormat) -> Result<(), Failure> {
    let rows = matches!(format, ExportFormat::Jsonl | ExportFormat::Csv);
    let is_archive = matches!(format, ExportFormat::Warc | ExportFormat::Wacz);
    let problem = if args.columns.is_some() && !rows {
        "--columns is for jsonl and csv: the other formats have a shape of their own"
    } else if args.sitemap_base.is_some() && format != ExportFormat::Sitemap {
        "--sitemap-base is for sitemap"
    } else if args.from.is_some() && !rows {
        "--from is for jsonl and csv: the other formats have a shape of their own"
    } else if args.chunk.is_some() && format != ExportFormat::Markdown {
        "--chunk is for markdown"
    } else if args.split.is_some() && !is_archive {
        "--split is for warc and wacz"
    } else if is_archive && args.output == Path::new("-") && io::stdout().is_terminal() {
        "a web archive is no text for a terminal: name a file with --output"
    } else if args.cdxj && format != ExportFormat::Warc {
        "--cdxj is for warc: a WACZ has an index in it"
    } else {
        return Ok(());
    };
    Err(Failure::new(problem).code(2))
}
