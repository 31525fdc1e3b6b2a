//! `search`: the pages that hold the words, best first, with snippets.

use std::io::{IsTerminal as _, Write as _};

use crate::canonical::{CanonicalUrl, without_userinfo};
use crate::read::{Database, Hit, ReadError};
use indexmap::IndexSet;
use serde_json::Value;

use super::args::{Form, Format};
use super::console::Console;
use super::failure::Failure;
use super::fit::cut;
use super::output::{Rows, printable};
use super::table::Room;
use super::terminal::wants_colours;
use super::words::{counted, shell};
use super::{index, signals, upgrade};

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// In the syntax of FTS5.
    pub words: &'a str,
    pub host: Option<&'a str>,
    pub limit: u32,
}

pub async fn run(database: &str, search: Search<'_>, form: Form, console: &Console) -> Result<u8, Failure> {
    if search.words.trim().is_empty() {
        return Err(Failure::new("there are no words to search for").code(2));
    }
    signals::end_after(|| ())?;
    let db = ready(database, console).await?;
    let hosts = search.host.map(|host| hosts(&db, host)).transpose()?;
    if let (Some(hosts), Some(host)) = (&hosts, search.host)
        && hosts.is_empty()
    {
        console.say(&format!("No URL of the host `{}` is in the database.", printable(host)));
    }
    let hits = hits_of(&db, search, hosts.as_deref())?;
    if hits.is_empty() {
        console.say(&match db.unindexed()?.unwrap_or(0) {
            0 => match word_by_word(&db, search, hosts.as_deref())? {
                Some(words) => words,
                None => format!("No page holds `{}`.", printable(search.words)),
            },
            left => {
                let left = counted(left, "page");
                format!("No page that is indexed holds `{}`; {left} could not be looked into.", printable(search.words))
            }
        });
    }
    match form.format {
        Format::Table => list(&hits, form.wide.room())?,
        _ => rows(hits, form)?,
    }
    Ok(0)
}

/// Words that are looked for one by one, at most.
const WORDS: usize = 12;

/// Of several plain words that no page holds together: which of them are nowhere, and how to ask for any of the others.
fn word_by_word(db: &Database, search: Search<'_>, hosts: Option<&[String]>) -> Result<Option<String>, Failure> {
    let words: IndexSet<_> = search.words.split_whitespace().collect();
    if has_operators(search.words) || !(2..=WORDS).contains(&words.len()) {
        return Ok(None);
    }
    let (mut here, mut nowhere) = (Vec::new(), Vec::new());
    for word in words {
        let hits = hits_of(db, Search { words: word, limit: 1, ..search }, hosts)?;
        if hits.is_empty() { nowhere.push(word) } else { here.push(word) }
    }
    let list =
        |words: &[&str]| words.iter().map(|word| format!("`{}`", printable(word))).collect::<Vec<_>>().join(", ");
    let is_plain = |word: &&str| word.chars().all(char::is_alphanumeric);
    let any: Vec<_> = here.iter().map(|word| if is_plain(word) { (*word).to_owned() } else { quoted(word) }).collect();
    let any = shell(&any.join(" OR "));
    Ok(Some(match (here.len(), nowhere.len()) {
        (0, _) => format!("No page holds any of these words: {}.", list(&nowhere)),
        (_, 0) => {
            format!("No page holds all of these words: {}. For any of them: harvestman search {any}", list(&here))
        }
        (1, _) => format!("No page holds {}. Without that: harvestman search {any}", list(&nowhere)),
        _ => format!("No page holds {}. For any of the others: harvestman search {any}", list(&nowhere)),
    }))
}

/// The database, its index up to date if it can be.
async fn ready(database: &str, console: &Console) -> Result<Database, Failure> {
    let db = Database::open(database)?;
    let unindexed = db.unindexed()?;
    let is_old = db.is_of_an_earlier_version();
    if unindexed == Some(0) && !is_old {
        return Ok(db);
    }
    // The connection that writes must be the last to close: then SQLite removes the write-ahead log.
    drop(db);
    if is_old {
        console.say("The database is of an earlier version: it is brought up to date first.");
        match upgrade::run(database).await {
            // What the earlier version indexed can be searched all the same.
            Err(problem) if unindexed.is_some() => console.warn(&format!("it stays as it is: {problem}")),
            upgraded => upgraded?,
        }
    }
    index::bring_up_to_date(database, console, || false).await?;
    Ok(Database::open(database)?)
}

/// Takes the words as FTS5's syntax; if they are not sound in it, and use none of its operators, as plain words.
pub fn hits_of(db: &Database, search: Search<'_>, hosts: Option<&[String]>) -> Result<Vec<Hit>, Failure> {
    let ask = |words: &str| db.search(words, hosts, search.limit);
    let answer = match ask(search.words) {
        Err(ReadError::Sql { .. }) if !has_operators(search.words) => ask(&quoted(search.words)),
        answer => answer,
    };
    answer.map_err(|e| match e {
        // The statement itself is sound: this is what FTS5 says of the words.
        ReadError::Sql { problem } => {
            let problem = problem.trim_start_matches("fts5: ").replace("near \"\"", "at the end");
            Failure::new(format!("`{}` cannot be searched for: {problem}", search.words))
                .hint(hint(search.words, &problem))
        }
        e => e.into(),
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

/// Whether the word begins with a minus, which leaves a word out in most search engines, but not in FTS5.
fn leaves_out(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-')
}

/// Whether the words use operators of FTS5, or a minus.
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

/// The known hosts that a URL is on; or, if it is only a name, those of that name with any scheme and port.
pub fn hosts(db: &Database, text: &str) -> Result<Vec<String>, Failure> {
    let parse = |url: &str| {
        let url = CanonicalUrl::parse(url)
            .map_err(|e| Failure::new(format!("--host: `{}`: {e}", without_userinfo(text))).code(2))?;
        Ok::<_, Failure>(url.host().as_str().to_owned())
    };
    let is_url = text.contains("://");
    let either = if is_url {
        [parse(text)?, parse(text)?]
    } else {
        [parse(&format!("http://{text}"))?, parse(&format!("https://{text}"))?]
    };
    let sql = "select host from _host
        where host in (?1, ?2) or (?3 = 1 and (instr(host, ?1 || ':') = 1 or instr(host, ?2 || ':') = 1))";
    let [one, other] = either;
    let hosts = db.query(sql, [one.into(), other.into(), (!is_url).into()])?.map(|row| row?.at(0));
    Ok(hosts.collect::<Result<_, ReadError>>()?)
}

fn rows(hits: Vec<Hit>, form: Form) -> Result<(), Failure> {
    let mut out = Rows::new(form, ["url", "host", "title", "snippet", "score"].map(str::to_owned).into())?;
    for hit in hits {
        let snippet = hit.snippet.replace(Hit::MARKS[0], "[").replace(Hit::MARKS[1], "]");
        out.row(vec![hit.url.into(), hit.host.into(), hit.title.into(), snippet.into(), Value::from(hit.score)])?;
    }
    out.finish()
}

/// Title, URL and snippet of each, for reading. URLs are never cut: a terminal breaks them, and they can be followed.
fn list(hits: &[Hit], room: Room) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let [start, end] = if wants_colours(out.is_terminal()) { ["\x1b[1m", "\x1b[0m"] } else { ["[", "]"] };
    let mut text = String::new();
    for hit in hits {
        let title = hit.title.as_deref().filter(|title| !title.is_empty()).unwrap_or("(no title)");
        let pieces = hit.snippet.split_inclusive(Hit::MARKS).map(|piece| {
            let mark = match piece.chars().next_back() {
                Some(c) if c == Hit::MARKS[0] => start,
                Some(c) if c == Hit::MARKS[1] => end,
                _ => "",
            };
            printable(piece.trim_end_matches(Hit::MARKS)) + mark
        });
        let snippet: String = pieces.collect();
        let title = printable(title);
        let title = room.columns().map_or(title.as_str().into(), |columns| cut(&title, columns));
        text.push_str(&format!("{title}\n  {}\n  {snippet}\n\n", printable(&hit.url)));
    }
    out.write_all(text.trim_end_matches('\n').as_bytes())?;
    if !hits.is_empty() {
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}
