//! Full-text search by SQLite's FTS5.

use rusqlite::{Connection, Row};

use crate::parse::unspaced;
use crate::read::error::ReadError;
use crate::read::hit::Hit;

use crate::read::snippets::Snippets;

/// Only pages whose last response was a success: the others have nothing to say but that. What is shown is read of the
/// best alone.
const SEARCH: &str = "
    with best (id, rank) as materialized (
        select f.id, f.rank from _hit f cross join _page p on p.url_id = f.id
        where f.words match ?1 and p.status between 200 and 299
            and (?2 is null or (select host_id from _url where id = f.id) in
                (select h.id from _host h where h.host in (select value from json_each(?2))))
        order by f.rank limit ?3)
    select u.url, h.host, p.title, p.description, substr(c.text, 1, 100000), -best.rank
    from best
    cross join _url u on u.id = best.id
    cross join _host h on h.id = u.host_id
    cross join _page p on p.url_id = best.id
    left join _content c on c.url_id = best.id
    order by best.rank";

/// The best pages that hold the words.
pub fn hits(db: &Connection, words: &str, hosts: Option<&[String]>, limit: u32) -> Result<Vec<Hit>, ReadError> {
    let hosts = hosts.map(|hosts| serde_json::json!(hosts).to_string());
    let words = unspaced::query(words);
    let hits = || {
        let snippets = Snippets::new()?;
        let hit = |row: &Row<'_>| {
            let texts: [Option<String>; 3] = [row.get(2)?, row.get(3)?, row.get(4)?];
            let snippet = snippets.of(&words, texts.each_ref().map(Option::as_deref))?;
            let [title, ..] = texts;
            Ok(Hit { url: row.get(0)?, host: row.get(1)?, title, snippet, score: row.get(5)? })
        };
        db.prepare(SEARCH)?.query_map((words.as_ref(), hosts, limit), hit)?.collect::<Result<_, _>>()
    };
    hits().map_err(|e| match ReadError::of(&e) {
        ReadError::Sql { problem } => ReadError::Sql { problem: problem.replace(unspaced::SEPARATOR, "") },
        e => e,
    })
}
