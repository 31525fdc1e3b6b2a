//! `search`: the pages that hold the words, best first, with snippets.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use harvestman::canonical::CanonicalUrl;
use harvestman::store::sqlite::{SqliteStore, file_path, index, read};
use rusqlite::{Connection, Row, named_params};
use serde_json::Value;

use super::args::Format;
use super::console::Console;
use super::log::wants_colours;
use super::output::{Rows, printable};
use super::{Failure, index as cli_index};

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// In the syntax of FTS5.
    pub words: &'a str,
    pub host: Option<&'a str>,
    pub limit: u32,
}

/// Around a hit until it is shown: no text of a page is likely to hold them, and none does harm by it.
const MARKS: [char; 2] = ['\u{2}', '\u{3}'];

/// Only pages whose last response was a success: the others have nothing to say but that.
const SEARCH: &str = "
    select u.url, h.host, p.title, snippet(page_index, 2, char(2), char(3), '…', 32),
        snippet(page_index, -1, char(2), char(3), '…', 32), -f.rank
    from page_index f
    cross join url u on u.id = f.rowid
    cross join page p on p.url_id = f.rowid
    cross join host h on h.id = u.host_id
    where page_index match :words and p.status between 200 and 299
        and (:hosts is null or u.host_id in (select value from json_each(:hosts)))
        and f.rowid not in (select url_id from unindexed)
    order by f.rank limit :limit";

pub async fn run(database: &str, search: Search<'_>, format: Format, console: &Console) -> Result<u8, Failure> {
    if search.words.trim().is_empty() {
        return Err(Failure::new("there are no words to search for"));
    }
    let Ok(path) = file_path(database);
    let db = ready(&path, console).await?;
    let hosts = search.host.map(|host| hosts(&db, host)).transpose()?;
    if let (Some(hosts), Some(host)) = (&hosts, search.host)
        && hosts.is_empty()
    {
        console.say(&format!("No URL of the host `{}` is in the database.", printable(host)));
    }
    let hits = hits_of(&db, search, hosts)?;
    match format {
        Format::Table => list(&hits)?,
        _ => rows(hits, format)?,
    }
    Ok(0)
}

/// The database, its index up to date if it can be.
async fn ready(path: &Path, console: &Console) -> Result<Connection, Failure> {
    let db = read::open(path)?;
    let exists = index::exists(&db)?;
    if exists && index::waiting(&db)? == 0 {
        return Ok(db);
    }
    // Whoever writes is to close last, so that it can put the WAL away.
    drop(db);
    if !exists {
        SqliteStore::open(path).await?.close().await?;
    }
    cli_index::bring_up_to_date(path, console, || false)?;
    Ok(read::open(path)?)
}

/// A page that holds the words.
struct Hit {
    url: String,
    host: String,
    title: Option<String>,
    /// One line, hits between [`MARKS`].
    snippet: String,
    /// The higher, the better.
    score: f64,
}

impl Hit {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let [of_text, of_best]: [Option<String>; 2] = [row.get(3)?, row.get(4)?];
        // What is found in the title alone is there to be seen anyway, but a snippet without a hit explains nothing.
        let snippet = of_text.filter(|text| text.contains(MARKS[0])).or(of_best).unwrap_or_default();
        Ok(Self {
            url: row.get(0)?,
            host: row.get(1)?,
            title: row.get(2)?,
            snippet: snippet.split_whitespace().collect::<Vec<_>>().join(" "),
            score: row.get(5)?,
        })
    }
}

/// Asks for the words as they are, and if that is no FTS5, for each of them as plain text.
fn hits_of(db: &Connection, search: Search<'_>, hosts: Option<Vec<i64>>) -> Result<Vec<Hit>, Failure> {
    let hosts = hosts.map(|hosts| serde_json::json!(hosts).to_string());
    let mut statement = db.prepare(SEARCH)?;
    let mut ask = |words: &str| -> rusqlite::Result<Vec<Hit>> {
        let given = named_params! { ":words": words, ":hosts": hosts, ":limit": search.limit };
        statement.query_map(given, Hit::read)?.collect()
    };
    let answer = match ask(search.words) {
        Err(e) if is_malformed(&e) && !has_operators(search.words) => ask(&quoted(search.words)),
        answer => answer,
    };
    answer.map_err(|e| match read::in_words(&e) {
        problem if is_malformed(&e) => {
            let problem = problem.trim_start_matches("fts5: ").replace("near \"\"", "at the end");
            Failure::new(format!("`{}` cannot be searched for: {problem}", search.words))
                .hint("put quotation marks around words that hold special characters: harvestman search '\"c++\"'")
        }
        _ => e.into(),
    })
}

/// The statement itself is sound: a plain error when it runs is what FTS5 says of the words.
fn is_malformed(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_ERROR)
}

/// Whether someone who knows FTS5 wrote this.
fn has_operators(words: &str) -> bool {
    let filters = ["title", "description", "text"];
    let is_operator = |word: &str| {
        let name = word.split(':').next().unwrap_or_default().trim_start_matches('-');
        ["AND", "OR", "NOT", "NEAR"].contains(&word) || (word.contains(':') && filters.contains(&name))
    };
    words.contains(['"', '*', '^', '(', ')', '{', '}']) || words.split_whitespace().any(is_operator)
}

fn quoted(words: &str) -> String {
    words.split_whitespace().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ")
}

/// The hosts meant by a URL, or by a name: then whatever their scheme and port.
fn hosts(db: &Connection, text: &str) -> Result<Vec<i64>, Failure> {
    let parse = |url: &str| {
        let url = CanonicalUrl::parse(url).map_err(|e| Failure::new(format!("--host: `{text}`: {e}")))?;
        Ok::<_, Failure>(url.host().as_str().to_owned())
    };
    let is_url = text.contains("://");
    let either = if is_url {
        [parse(text)?, parse(text)?]
    } else {
        [parse(&format!("http://{text}"))?, parse(&format!("https://{text}"))?]
    };
    let sql = "select id from host where host in (?1, ?2) or (?3 and (instr(host, ?1 || ':') = 1 or instr(host, ?2 || ':') = 1))";
    let [one, other] = either;
    let ids = db.prepare(sql)?.query_map((one, other, !is_url), |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids)
}

fn rows(hits: Vec<Hit>, format: Format) -> Result<(), Failure> {
    let mut out = Rows::new(format, ["url", "host", "title", "snippet", "score"].map(str::to_owned).into())?;
    for hit in hits {
        let snippet = hit.snippet.replace(MARKS[0], "[").replace(MARKS[1], "]");
        out.row(vec![hit.url.into(), hit.host.into(), hit.title.into(), snippet.into(), Value::from(hit.score)])?;
    }
    out.finish()
}

/// Title, URL and snippet of each, for reading.
fn list(hits: &[Hit]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let [start, end] = if wants_colours(out.is_terminal()) { ["\x1b[1m", "\x1b[0m"] } else { ["[", "]"] };
    let mut text = String::new();
    for hit in hits {
        let title = hit.title.as_deref().filter(|title| !title.is_empty()).unwrap_or("(no title)");
        let pieces = hit.snippet.split_inclusive(MARKS).map(|piece| {
            let mark = match piece.chars().next_back() {
                Some(c) if c == MARKS[0] => start,
                Some(c) if c == MARKS[1] => end,
                _ => "",
            };
            printable(piece.trim_end_matches(MARKS)) + mark
        });
        let snippet: String = pieces.collect();
        text.push_str(&format!("{}\n  {}\n  {snippet}\n\n", printable(title), printable(&hit.url)));
    }
    out.write_all(text.trim_end_matches('\n').as_bytes())?;
    if !hits.is_empty() {
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}
