//! `copy`: a crawl from one database into another, as of one moment. The target says itself how far the copy is.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::read::{Database, Value};
use crate::store::Store;
use crate::store::copies::{META, TABLES, Table, Takes};
use crate::store::postgres::{PgDatabase, is_postgres};
use crate::store::sqlite::{SqliteDatabase, file_path};

use super::console::Console;
use super::failure::Failure;
use super::output::printable;
use super::words::counted;

/// Rows, and bytes, that are taken over in one transaction.
const ROWS: usize = 5_000;
const BYTES: usize = 8 << 20;

/// How far a copy is.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    /// What it is a copy of.
    state: String,
    /// The table that is copied, by its place in [`TABLES`].
    table: usize,
    /// The key of its last row.
    after: Vec<serde_json::Value>,
}

pub async fn run(from: &str, to: &str, console: &Console) -> Result<u8, Failure> {
    let source = Database::open(from)?;
    source.must_be_understood()?;
    if source.is_of_an_earlier_version() {
        return Err(Failure::new(format!("`{}` is of an earlier version", printable(source.name())))
            .hint("the next `crawl` or `search` brings it up to date"));
    }
    if is_postgres(to) {
        let target = PgDatabase::open(to, &Config::default()).await?;
        copy(&source, target, to, is_postgres(from), console).await
    } else {
        let path = file_path(to)?;
        copy(&source, SqliteDatabase::open(&path).await?, to, is_postgres(from), console).await
    }
}

async fn copy<S: Store + Takes>(
    source: &Database,
    mut target: S,
    to: &str,
    is_of_postgres: bool,
    console: &Console,
) -> Result<u8, Failure> {
    // A crawl may go on in it: all of it is of one moment.
    let _moment = source.snapshot()?;
    if let Some(mark) = begin(source, &mut target, to).await? {
        take(source, &mut target, mark, is_of_postgres).await?;
    }
    target.close().await?;
    let sql = "select discovered, (select count(*) from pages) from accounting";
    let row = source.first(sql, [])?.ok_or_else(|| Failure::new("SQL: there is no answer"))?;
    console.say(&format!("Copied: {} with {}", counted(row.at::<i64>(0)?, "URL"), counted(row.at::<i64>(1)?, "page")));
    Ok(0)
}

/// Where the copy begins; nowhere if the target has all of it.
async fn begin<S: Takes>(source: &Database, target: &mut S, to: &str) -> Result<Option<Mark>, Failure> {
    target.must_be_free().await?;
    let state = state(source)?;
    let there = Database::open(to)?;
    let refuse = |holds: &str| {
        Failure::new(format!("`{}` holds {holds}", printable(there.name()))).hint("name a target that is empty")
    };
    let mark = target.mark().await?.map(|mark| serde_json::from_str::<Mark>(&mark));
    match mark {
        Some(Ok(mark)) if mark.state == state => Ok(Some(mark)),
        Some(_) => Err(refuse("a part of a copy of another crawl, or of this one before it went on")),
        None if target.is_empty().await? => Ok(Some(Mark { state, table: 0, after: vec![] })),
        None if self::state(&there)? == state => Ok(None),
        None => Err(refuse("another crawl")),
    }
}

/// What tells one moment of a crawl from any other, of it and of others.
fn state(db: &Database) -> Result<String, Failure> {
    let mut told = String::new();
    for sql in [
        "select discovered, fetched, failed, skipped, pending from accounting",
        "select * from runs order by id",
        "select max(id), max(at), count(*) from _fetch",
        "select value from _meta where key = 'config'",
        "select url, first_seen_at from _url where id in ((select min(id) from _url), (select max(id) from _url)) order by id",
    ] {
        for row in db.query(sql, [])? {
            told.push_str(&format!("{:?}\n", row?.values()));
        }
    }
    Ok(digest(&SHA256, told.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn take<S: Takes>(source: &Database, target: &mut S, mark: Mark, is_of_postgres: bool) -> Result<(), Failure> {
    let Mark { state, table: first, mut after } = mark;
    for (place, table) in TABLES.iter().enumerate().skip(first) {
        let name = table.read_from(is_of_postgres);
        let there = target.columns(table).await?;
        let here = source.prepare(&format!("select * from {name}"))?;
        let is_there = |column: &&str| there.iter().any(|known| known == column);
        let columns: Vec<_> = here.columns().into_iter().filter(is_there).map(str::to_owned).collect();
        drop(here);
        let keys = table.key.iter().filter_map(|key| columns.iter().position(|column| column == key)).collect();
        let sql = select(name, table, &columns, after.len());
        let mut batch = Batch { state: &state, place, columns, keys, rows: Vec::new(), bytes: 0 };
        for row in source.query(&sql, std::mem::take(&mut after).iter().map(value))? {
            batch.add(row?.into_values());
            if batch.is_full() {
                batch.put(target).await?;
            }
        }
        batch.put(target).await?;
        tracing::info!("copied the table {}", table.name_on(is_of_postgres));
    }
    Ok(target.complete().await?)
}

/// The rows of a table in the order of their keys, behind a key of so many values.
fn select(name: &str, table: &Table, columns: &[String], after: usize) -> String {
    let key = table.key.join(", ");
    let places: Vec<_> = (1..=after).map(|place| format!("?{place}")).collect();
    let behind = if after == 0 { "true".to_owned() } else { format!("({key}) > ({})", places.join(", ")) };
    let chosen = if table.name == "meta" { format!("key in ('{}')", META.join("', '")) } else { "true".to_owned() };
    format!("select {} from {name} where {behind} and {chosen} order by {key}", columns.join(", "))
}

/// Rows that are taken over together.
struct Batch<'a> {
    state: &'a str,
    place: usize,
    columns: Vec<String>,
    /// The places of the key among the columns.
    keys: Vec<usize>,
    rows: Vec<Vec<Value>>,
    bytes: usize,
}

impl Batch<'_> {
    fn add(&mut self, row: Vec<Value>) {
        let size = |value: &Value| match value {
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
            _ => 8,
        };
        self.bytes += row.iter().map(size).sum::<usize>();
        self.rows.push(row);
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= ROWS || self.bytes >= BYTES
    }

    async fn put<S: Takes>(&mut self, target: &mut S) -> Result<(), Failure> {
        let Some(last) = self.rows.last() else { return Ok(()) };
        let key = |at: &usize| match last.get(*at) {
            Some(Value::Integer(number)) => (*number).into(),
            Some(Value::Text(text)) => text.as_str().into(),
            _ => serde_json::Value::Null,
        };
        let after = self.keys.iter().map(key).collect();
        let mark = Mark { state: self.state.to_owned(), table: self.place, after };
        let mark = serde_json::to_string(&mark).map_err(std::io::Error::from)?;
        target.put(&TABLES[self.place], &self.columns, &self.rows, &mark).await?;
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }
}

fn value(key: &serde_json::Value) -> Value {
    key.as_i64().map_or_else(|| key.as_str().into(), Value::Integer)
}
