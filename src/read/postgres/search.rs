//! Full-text search on PostgreSQL, in the syntax of FTS5 and with its snippets.

use crate::parse::unspaced;
use crate::read::driver::Driver;
use crate::read::error::ReadError;
use crate::read::hit::Hit;
use crate::read::row::Row;
use crate::read::snippets::Snippets;
use crate::store::postgres::words::Words;
use crate::store::value::Value;

use super::fts;

/// Only pages whose last response was a success. A title weighs ten times as much as the text, a description four times, and
/// what stands in a long page less. What is shown is read of the best alone.
const SEARCH: &str = "
    with best as materialized (
        select i.url_id, ts_rank('{0.1, 0.1, 0.4, 1}', i.words, q.words, 1) as rank
        from (select ?1::tsquery as words) q join _index i on i.words @@ q.words join _page p on p.url_id = i.url_id
        where p.status between 200 and 299 and i.url_id not in (select url_id from _unindexed)
            and (?2::text is null or (select host_id from _url where id = i.url_id) in
                (select h.id from _host h where h.host in (select json_array_elements_text(?2::json))))
        order by rank desc, i.url_id limit ?3)
    select u.url, h.host, p.title, p.description, substr(c.text, 1, 100000), best.rank::float8
    from best
    join _url u on u.id = best.url_id
    join _host h on h.id = u.host_id
    join _page p on p.url_id = best.url_id
    left join _content c on c.url_id = best.url_id
    order by best.rank desc, best.url_id";

/// The best pages that hold the words.
pub fn hits(db: &dyn Driver, search: &str, hosts: Option<&[String]>, limit: u32) -> Result<Vec<Hit>, ReadError> {
    if !db.has_view("_index")? {
        return Err(ReadError::Sql { problem: "the database has no full-text index".to_owned() });
    }
    let of = |e: rusqlite::Error| match ReadError::of(&e) {
        ReadError::Sql { problem } => ReadError::Sql { problem: problem.replace(unspaced::SEPARATOR, "") },
        e => e,
    };
    let search = unspaced::query(search);
    let snippets = Snippets::new().map_err(of)?;
    // FTS5 says whether the search is sound.
    snippets.of(&search, [None; 3]).map_err(of)?;
    let words = Words::new().map_err(of)?;
    let Some(query) = fts::tsquery(&search, &words)? else { return Ok(vec![]) };
    let hosts: Option<String> = hosts.map(|hosts| serde_json::json!(hosts).to_string());
    let values: Vec<Value> = vec![query.into(), hosts.into(), limit.into()];
    let (columns, mut rows) = db.query(SEARCH, values)?;
    let (columns, mut hits) = (columns.into(), Vec::new());
    while let Some(values) = rows.next()? {
        let row = Row::new(std::sync::Arc::clone(&columns), values);
        let texts: [Option<&str>; 3] = [row.at(2)?, row.at(3)?, row.at(4)?];
        let snippet = snippets.of(&search, texts).map_err(of)?;
        hits.push(Hit { url: row.at(0)?, host: row.at(1)?, title: row.at(2)?, snippet, score: row.at(5)? });
    }
    Ok(hits)
}
