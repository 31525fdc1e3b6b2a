//! Full-text search that writes nothing: pages that are not in the index yet are looked through as they are.

use crate::canonical::CanonicalUrl;
use crate::read::{Database, Hit, Row};

use crate::cli::failure::Failure;
use crate::cli::search::{self, Search, hits_of};

use super::list::literal;

/// Characters around the first word in a snippet of a page that is not indexed.
const AROUND: usize = 100;

/// What was found.
pub struct Found {
    pub hits: Vec<Hit>,
    /// Pages that are not in the index, and were looked through for each word as it stands.
    pub unindexed: i64,
}

/// The pages that hold the words, the best first, `limit` of them at most.
pub fn search(db: &Database, words: &str, host: Option<&str>, limit: u32) -> Result<Found, Failure> {
    let hosts = host.map(|host| search::hosts(db, host)).transpose()?;
    let unindexed = db.unindexed()?;
    let mut hits = match unindexed {
        Some(_) => hits_of(db, Search { words, host, limit }, hosts.as_deref())?,
        None => {
            return Err(Failure::new("an earlier version wrote the database, and it has no full-text index")
                .hint("the next `harvestman crawl` or `harvestman search` makes one"));
        }
    };
    let unindexed = unindexed.unwrap_or(0);
    let room = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(hits.len());
    if unindexed > 0 && room > 0 {
        hits.extend(look_through(db, words, hosts.as_deref(), room)?);
    }
    Ok(Found { hits, unindexed })
}

/// The pages outside of the index that contain all words, whatever stands around them.
fn look_through(db: &Database, words: &str, hosts: Option<&[String]>, most: usize) -> Result<Vec<Hit>, Failure> {
    let words: Vec<_> = words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let words: Vec<_> = words.into_iter().filter(|word| !["AND", "OR", "NOT", "NEAR"].contains(word)).collect();
    if words.is_empty() {
        return Ok(vec![]);
    }
    let mut sql = "select u.url, p.title, substr(coalesce(c.text, p.description), 1, 100000)
        from _unindexed n join _page p on p.url_id = n.url_id join _url u on u.id = n.url_id
        left join _content c on c.url_id = n.url_id where p.status between 200 and 299"
        .to_owned();
    for place in 1..=words.len() {
        sql.push_str(&format!(
            " and lower(coalesce(p.title, '') || ' ' || coalesce(p.description, '') || ' ' || coalesce(c.text, ''))
              like lower(?{place}) escape '!'"
        ));
    }
    let mut hits = Vec::new();
    for row in db.query(&sql, words.iter().map(|word| format!("%{}%", literal(word)).into()))? {
        let hit = hit(&row?, &words)?;
        if hosts.is_none_or(|hosts| hosts.contains(&hit.host)) {
            hits.push(hit);
        }
        if hits.len() == most {
            break;
        }
    }
    Ok(hits)
}

fn hit(row: &Row, words: &[&str]) -> Result<Hit, Failure> {
    let (url, title, text): (String, Option<String>, Option<String>) = (row.at(0)?, row.at(1)?, row.at(2)?);
    let host = CanonicalUrl::parse(&url).map_or_else(|_| String::new(), |url| url.host_str().to_owned());
    Ok(Hit { host, title, snippet: snippet(text.as_deref().unwrap_or_default(), words), score: 0.0, url })
}

/// A line around the first of the words that the text contains, which is marked.
fn snippet(text: &str, words: &[&str]) -> String {
    let chars: Vec<char> = text.chars().filter(|c| !Hit::MARKS.contains(c)).collect();
    let lower: Vec<char> = chars.iter().map(|c| c.to_lowercase().next().unwrap_or(*c)).collect();
    let find = |word: &&str| {
        let word: Vec<char> = word.to_lowercase().chars().collect();
        lower.windows(word.len()).position(|at| *at == *word).map(|at| (at, at + word.len()))
    };
    let (start, end) = words.iter().find_map(find).unwrap_or((0, 0));
    let part = |from: usize, to: usize| chars[from..to].iter().map(|c| if c.is_whitespace() { ' ' } else { *c });
    let (from, to) = (start.saturating_sub(AROUND), (end + AROUND).min(chars.len()));
    let mut line: String = part(from, start).collect();
    if end > start {
        line.push(Hit::MARKS[0]);
        line.extend(part(start, end));
        line.push(Hit::MARKS[1]);
    }
    line.extend(part(end, to));
    let [before, after] = [from > 0, to < chars.len()].map(|is_cut| if is_cut { "…" } else { "" });
    format!("{before}{line}{after}")
}
