//! Full-text search over titles, descriptions and texts.

use crate::parse::unspaced;

use super::database::Database;
use super::error::ReadError;
use super::row::Row;
use super::snippets::Snippets;

/// A page that holds the words.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The canonical URL.
    pub url: String,
    /// Scheme, host and port.
    pub host: String,
    /// The title.
    pub title: Option<String>,
    /// One line around the words, each of which stands between the two characters of [`Hit::MARKS`].
    pub snippet: String,
    /// How well it fits: the higher, the better.
    pub score: f64,
}

impl Hit {
    /// What stands before and after each word that was found in a snippet.
    pub const MARKS: [char; 2] = super::snippets::MARKS;
}

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

impl Database {
    /// The pages that hold the words, which are in the syntax of [FTS5](https://sqlite.org/fts5.html), the best first, and
    /// `limit` of them at most. Words of scripts without spaces, such as Chinese, Japanese and Thai, are found within
    /// sentences. With `hosts`, only pages of these. Pages that wait to be indexed are left out:
    /// [`unindexed`](Self::unindexed).
    ///
    /// # Errors
    ///
    /// [`ReadError::Sql`] if the words are not sound, or the database has no full-text index.
    pub fn search(&self, words: &str, hosts: Option<&[String]>, limit: u32) -> Result<Vec<Hit>, ReadError> {
        let hosts = hosts.map(|hosts| serde_json::json!(hosts).to_string());
        let words = unspaced::query(words);
        let snippets = Snippets::new().map_err(|e| ReadError::of(&e))?;
        let hit = |row: &Row| {
            let snippet = snippets.of(&words, [row.at(2)?, row.at(3)?, row.at(4)?]).map_err(|e| ReadError::of(&e))?;
            Ok(Hit { url: row.at(0)?, host: row.at(1)?, title: row.at(2)?, snippet, score: row.at(5)? })
        };
        let hits = self.query(SEARCH, [words.as_ref().into(), hosts.into(), limit.into()])?;
        hits.map(|row| hit(&row?)).collect::<Result<_, _>>().map_err(|e| match e {
            ReadError::Sql { problem } => ReadError::Sql { problem: problem.replace(unspaced::SEPARATOR, "") },
            e => e,
        })
    }

    /// How many pages wait to be brought into the full-text index; `None` if the database has no index yet, as those of
    /// early versions.
    ///
    /// # Errors
    ///
    /// [`ReadError::Failed`] if the file cannot be read.
    pub fn unindexed(&self) -> Result<Option<i64>, ReadError> {
        let exists = self.first("select 1 from sqlite_master where name = 'search'", [])?.is_some();
        let count = if exists { self.first("select count(*) from _unindexed", [])? } else { None };
        count.map(|row| row.at(0)).transpose()
    }
}
