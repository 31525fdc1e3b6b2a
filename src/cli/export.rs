//! `export`: the pages as JSON lines, CSV, a WARC or a sitemap, one after the other: memory does not grow with them.

mod rows;
mod sitemap;
mod warc;

use crate::store::sqlite::{file_path, read};
use rusqlite::Connection;

use super::Failure;
use super::args::{ExportArgs, ExportFormat, Format};
use super::console::Console;
use super::output::printable;
use super::target::{Output, Target};
use super::words::counted;

/// What `--columns` and `--where` may name: the columns of `pages`, and the body.
const PAGES: &str = "(select *, (select body from bodies where bodies.url = pages.url) as body from pages) as pages";

pub fn run(args: &ExportArgs, console: &Console) -> Result<u8, Failure> {
    check(args)?;
    let Ok(database) = file_path(&args.database.path()?);
    let db = read::open(&database)?;
    let pages = Pages::new(&db, args.filter.as_deref())?;
    let columns = rows::columns(&db, args.columns.as_deref())?;
    let target = Target::new(&args.output, &database)?;
    // As long as one statement is unfinished, all others of its connection see the database as that one does.
    let mut runs = db.prepare("select id, started_at, strftime('%Y-%m-%dT%H:%M:%fZ') from runs order by id desc")?;
    let mut runs = runs.query([])?;
    let run = runs.next()?.map(|row| Ok::<_, rusqlite::Error>((row.get(0)?, row.get(1)?, row.get(2)?))).transpose()?;
    let written = match args.format {
        ExportFormat::Jsonl => to_one(&target, |out| rows::write(&pages, columns, Format::Jsonl, out))?,
        ExportFormat::Csv => to_one(&target, |out| rows::write(&pages, columns, Format::Csv, out))?,
        ExportFormat::Warc => to_one(&target, |out| warc::write(&pages, run.as_ref(), target.name(), out))?,
        ExportFormat::Sitemap => sitemap::write(&pages, &target, args.sitemap_base.as_ref())?,
    };
    if target.path().is_some() {
        let file = args.output.display().to_string();
        console.say(&format!("{} written to {}", counted(written, "page"), printable(&file)));
    }
    Ok(0)
}

/// The number, the start, and the present time.
type Run = (i64, String, String);

/// What is asked for must fit together.
fn check(args: &ExportArgs) -> Result<(), Failure> {
    let rows = matches!(args.format, ExportFormat::Jsonl | ExportFormat::Csv);
    let problem = if args.columns.is_some() && !rows {
        "--columns is for jsonl and csv: the other formats have a shape of their own"
    } else if args.sitemap_base.is_some() && args.format != ExportFormat::Sitemap {
        "--sitemap-base is for sitemap"
    } else {
        return Ok(());
    };
    Err(Failure::new(problem).code(2))
}

fn to_one(target: &Target, write: impl FnOnce(&mut Output) -> Result<i64, Failure>) -> Result<i64, Failure> {
    let mut out = target.open()?;
    let written = write(&mut out)?;
    out.close()?.take_its_name(target.path())?;
    Ok(written)
}

/// The pages that are exported, in the order in which their URLs were found.
struct Pages<'db> {
    db: &'db Connection,
    filter: Option<String>,
}

impl<'db> Pages<'db> {
    fn new(db: &'db Connection, filter: Option<&str>) -> Result<Self, Failure> {
        let pages = Self { db, filter: filter.map(str::to_owned) };
        let Some(filter) = filter else { return Ok(pages) };
        // What closes one parenthesis too many here closes one too few there: only an expression passes twice.
        let once = db.prepare(&format!("select 1 from {PAGES} where ({filter}\n)"));
        let twice = db.prepare(&format!("select 1 from {PAGES} where (({filter}\n))"));
        let parameters = once.and_then(|once| twice.map(|_| once.parameter_count())).map_err(|e| in_filter(&e))?;
        if parameters > 0 {
            return Err(Failure::new("--where: there is no value for a parameter"));
        }
        Ok(pages)
    }

    /// The end of a `select`, from `from` to `where`: `p` is a row of `page`, and `v` the same page as in [`PAGES`].
    fn from(&self) -> String {
        let filter = self.filter.as_deref().unwrap_or("true");
        format!(
            "from page p cross join url u cross join (select * from {PAGES} where ({filter}\n)) v
             where u.id = p.url_id and v.url = u.url"
        )
    }

    /// Hands on the rows of a statement, one by one; returns their number.
    fn each(&self, sql: &str, mut with: impl FnMut(&rusqlite::Row<'_>) -> Result<(), Failure>) -> Result<i64, Failure> {
        let mut statement = self.db.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(|e| self.failed(e))? {
            with(row)?;
            count += 1;
        }
        Ok(count)
    }

    fn failed(&self, error: rusqlite::Error) -> Failure {
        use rusqlite::ErrorCode::{TooBig, Unknown};
        match error.sqlite_error_code() {
            Some(Unknown | TooBig) if self.filter.is_some() => in_filter(&error),
            _ => error.into(),
        }
    }
}

/// What goes wrong with the user's SQL is said of the option.
fn in_filter(error: &rusqlite::Error) -> Failure {
    let problem = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::AuthorizationForStatementDenied) => {
            "refused: the database is open for reading only".into()
        }
        _ => read::in_words(error),
    };
    Failure::new(format!("--where: {problem}"))
}
