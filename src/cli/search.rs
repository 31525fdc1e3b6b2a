//! `search`: the pages that hold the words, best first, with snippets.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use crate::canonical::CanonicalUrl;
use crate::store::sqlite::{SqliteDatabase, file_path, index, read};
use rusqlite::{Connection, Row, named_params};
use serde_json::Value;

use super::args::Format;
use super::console::Console;
use super::log::wants_colours;
use super::output::{Rows, printable};
use super::snippet::{MARKS, Snippets};
use super::{Failure, index as cli_index, signals};

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// In the syntax of FTS5.
    pub words: &'a str,
    pub host: Option<&'a str>,
    pub limit: u32,
}

/// Only pages whose last response was a success: the others have nothing to say but that. What is shown is read of the
/// best alone.
const SEARCH: &str = "
    with best (id, rank) as materialized (
        select f.rowid, f.rank from page_index f cross join page p on p.url_id = f.rowid
        where page_index match :words and p.status between 200 and 299
            and (:hosts is null or (select host_id from url where id = f.rowid) in (select value from json_each(:hosts)))
            and f.rowid not in (select url_id from unindexed)
        order by f.rank limit :limit)
    select u.url, h.host, s.title, s.description, substr(s.text, 1, 100000), -best.rank
    from best
    cross join url u on u.id = best.id
    cross join host h on h.id = u.host_id
    cross join searchable s on s.url_id = best.id
    order by best.rank";

pub async fn run(database: &str, search: Search<'_>, format: Format, console: &Console) -> Result<u8, Failure> {
    if search.words.trim().is_empty() {
        return Err(Failure::new("there are no words to search for").code(2));
    }
    signals::end_after(|| ())?;
    let Ok(path) = file_path(database);
    let db = ready(&path, console).await?;
    let hosts = search.host.map(|host| hosts(&db, host)).transpose()?;
    if let (Some(hosts), Some(host)) = (&hosts, search.host)
        && hosts.is_empty()
    {
        console.say(&format!("No URL of the host `{}` is in the database.", printable(host)));
    }
    let hits = hits_of(&db, search, hosts)?;
    if hits.is_empty() {
        console.say(&format!("No page holds `{}`.", printable(search.words)));
    }
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
        console.say("The database is of an earlier version: it is brought up to date first.");
        SqliteDatabase::open(path).await?.close().await?;
    }
    cli_index::bring_up_to_date(path, console, || false)?;
    Ok(read::open(path)?)
}

/// A page that holds the words.
struct Hit {
    url: String,
    host: String,
    title: Option<String>,
    /// One line, hits between [`snippet::MARKS`].
    snippet: String,
    /// The higher, the better.
    score: f64,
}

/// Asks for the words as they are, and if that is no FTS5, for each of them as plain text.
fn hits_of(db: &Connection, search: Search<'_>, hosts: Option<Vec<i64>>) -> Result<Vec<Hit>, Failure> {
    let hosts = hosts.map(|hosts| serde_json::json!(hosts).to_string());
    let mut statement = db.prepare(SEARCH)?;
    let snippets = Snippets::new()?;
    let mut ask = |words: &str| -> rusqlite::Result<Vec<Hit>> {
        let given = named_params! { ":words": words, ":hosts": hosts, ":limit": search.limit };
        let hit = |row: &Row<'_>| {
            let (title, description, text): (Option<String>, Option<String>, Option<String>) =
                (row.get(2)?, row.get(3)?, row.get(4)?);
            let snippet = snippets.of(words, [&title, &description, &text])?;
            Ok(Hit { url: row.get(0)?, host: row.get(1)?, title, snippet, score: row.get(5)? })
        };
        statement.query_map(given, hit)?.collect()
    };
    let answer = match ask(search.words) {
        Err(e) if is_malformed(&e) && !has_operators(search.words) => ask(&quoted(search.words)),
        answer => answer,
    };
    answer.map_err(|e| match read::in_words(&e) {
        problem if is_malformed(&e) => {
            let problem = problem.trim_start_matches("fts5: ").replace("near \"\"", "at the end");
            Failure::new(format!("`{}` cannot be searched for: {problem}", search.words))
                .hint(hint(search.words, &problem))
        }
        _ => e.into(),
    })
}

fn hint(words: &str, problem: &str) -> &'static str {
    if words.split_whitespace().skip(1).any(leaves_out) {
        "pages without a word: harvestman search 'spider NOT orb'"
    } else if problem.contains("unterminated") {
        "close the quotation mark"
    } else if problem.contains("at the end") {
        "an operator lacks what stands on its right side, or a bracket is not closed"
    } else {
        "put quotation marks around words that hold special characters: harvestman search '\"c++\"'"
    }
}

/// The statement itself is sound: a plain error when it runs is what FTS5 says of the words.
fn is_malformed(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_ERROR)
}

/// As most search engines understand it, and FTS5 does not.
fn leaves_out(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-')
}

/// Whether someone who knows FTS5 wrote this, or wants more than the words.
fn has_operators(words: &str) -> bool {
    let filters = ["title", "description", "text"];
    let is_operator = |word: &str| {
        let name = word.split(':').next().unwrap_or_default().trim_start_matches('-');
        ["AND", "OR", "NOT", "NEAR"].contains(&word) || (word.contains(':') && filters.contains(&name))
    };
    words.contains(['"', '*', '^', '(', ')', '{', '}'])
        || words.split_whitespace().any(is_operator)
        || words.split_whitespace().skip(1).any(leaves_out)
}

fn quoted(words: &str) -> String {
    words.split_whitespace().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ")
}

/// The hosts meant by a URL, or by a name: then whatever their scheme and port.
fn hosts(db: &Connection, text: &str) -> Result<Vec<i64>, Failure> {
    let parse = |url: &str| {
        let url = CanonicalUrl::parse(url).map_err(|e| Failure::new(format!("--host: `{text}`: {e}")).code(2))?;
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
