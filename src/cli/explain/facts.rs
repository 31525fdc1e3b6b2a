//! What the database holds of one URL: its row, its host, the way it was found, its requests, the last settings.

use std::collections::HashSet;

use crate::canonical::CanonicalUrl;
use crate::config::Config;
use crate::scope::Scope;
use crate::store::sqlite::{robots_answer, timestamp};
use crate::visit::{Millis, RobotsAnswer};
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::Serialize;

use crate::cli::Failure;

/// Hops of the way back to a seed, at most.
const MAX_HOPS: usize = 100;
/// Requests that are listed, at most.
const MAX_REQUESTS: i64 = 20;

/// A row of `url`.
#[derive(Debug)]
pub struct Known {
    id: i64,
    host_id: i64,
    pub state: i64,
    pub reason: Option<String>,
    pub depth: u32,
    pub attempts: u32,
    pub due_at: Option<Millis>,
    pub followed: bool,
    pub first_seen_at: Millis,
}

/// A row of `host`, with its robots.txt.
#[derive(Debug)]
pub struct KnownHost {
    pub asked_at: Millis,
    pub blocked_until: Millis,
    pub crawl_delay_ms: Option<Millis>,
    pub robots_at: Option<Millis>,
    pub robots_status: Option<u16>,
    pub robots_failure: Option<String>,
    pub robots: RobotsAnswer,
}

/// The latest response.
#[derive(Debug, Serialize)]
pub struct Response {
    pub status: u16,
    pub content_type: Option<String>,
    pub redirect_to: Option<String>,
    pub fetched_at: String,
    #[serde(skip)]
    pub at: Millis,
    /// The interval of `--recrawl-after auto`; none while only one answer is known, or in a database of an earlier version.
    #[serde(skip)]
    pub interval: Option<Millis>,
}

/// One step of the way from a seed.
#[derive(Debug, Serialize)]
pub struct Hop {
    pub url: String,
    /// `seed`, `robots.txt` (a sitemap that it names, or that stands at the usual place), `redirect`, the element of the
    /// link, or `link` if that is not stored any more.
    pub how: String,
    pub text: Option<String>,
}

/// One request.
#[derive(Debug, Serialize)]
pub struct Request {
    pub run: i64,
    pub at: String,
    pub status: Option<u16>,
    pub failure: Option<String>,
    pub elapsed_ms: i64,
    pub bytes: i64,
    pub unchanged: bool,
}

/// The last run.
#[derive(Debug)]
pub struct Run {
    pub id: i64,
    /// How its last invocation ended; None while it runs, and after a crash.
    pub outcome: Option<String>,
}

/// All of it.
#[derive(Debug)]
pub struct Facts {
    pub known: Option<Known>,
    pub host: Option<KnownHost>,
    pub run: Option<Run>,
    /// Those of the last invocation; databases of earlier versions have none.
    pub settings: Option<(Config, Scope)>,
    pub response: Option<Response>,
    /// Kind and message.
    pub failure: Option<(String, String)>,
    /// From the seed to the URL.
    pub found: Vec<Hop>,
    /// The last of them, oldest first, and how many there are in all.
    pub requests: (Vec<Request>, i64),
    /// Pending URLs of the host whose turn comes before.
    pub ahead: i64,
}

pub fn gather(db: &Connection, url: &CanonicalUrl) -> Result<Facts, Failure> {
    // As long as these rows are not read to their end, all that is read is of one moment of a crawl that may be running.
    let mut moment = db.prepare("select 1 from meta")?;
    let mut moment = moment.query([])?;
    moment.next()?;
    let known = db.query_row("select * from url where url = ?1", [url.as_str()], known).optional()?;
    let host = url.host();
    let id = known.as_ref().map(|known| known.id);
    Ok(Facts {
        host: db.query_row("select * from host where host = ?1", [host.as_str()], known_host).optional()?,
        run: last_run(db)?,
        settings: settings(db)?,
        response: id.map(|id| response(db, id)).transpose()?.flatten(),
        failure: known
            .as_ref()
            .filter(|known| known.state == 2)
            .map(|known| failure(db, known.id))
            .transpose()?
            .flatten(),
        found: id.map(|id| way(db, id)).transpose()?.unwrap_or_default(),
        requests: requests(db, id, url)?,
        ahead: known.as_ref().filter(|known| known.state == 0).map(|known| ahead(db, known)).transpose()?.unwrap_or(0),
        known,
    })
}

/// Columns that an earlier version did not have take what they stood for then.
fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        id: row.get("id")?,
        host_id: row.get("host_id")?,
        state: row.get("state")?,
        reason: row.get("reason")?,
        depth: row.get("depth")?,
        attempts: row.get("attempts")?,
        due_at: row.get("due_at")?,
        followed: row.get("followed").unwrap_or(true),
        first_seen_at: row.get("first_seen_at")?,
    })
}

fn known_host(row: &Row<'_>) -> rusqlite::Result<KnownHost> {
    let robots_status: Option<u16> = row.get("robots_status")?;
    let robots_failure: Option<String> = row.get("robots_failure")?;
    Ok(KnownHost {
        asked_at: row.get("asked_at").unwrap_or(0),
        blocked_until: row.get("blocked_until")?,
        crawl_delay_ms: row.get("crawl_delay_ms")?,
        robots_at: row.get("robots_at")?,
        robots: robots_answer(robots_status, robots_failure.as_deref(), row.get("robots_body")?),
        robots_status,
        robots_failure,
    })
}

fn last_run(db: &Connection) -> Result<Option<Run>, Failure> {
    let sql = "select id, outcome from run order by id desc limit 1";
    let run = |row: &Row<'_>| Ok(Run { id: row.get(0)?, outcome: row.get(1)? });
    Ok(db.query_row(sql, [], run).optional()?)
}

fn settings(db: &Connection) -> Result<Option<(Config, Scope)>, Failure> {
    let sql = "select value from meta where key = 'config'";
    let json: Option<String> = db.query_row(sql, [], |row| row.get(0)).optional()?;
    let Some(config) = json.and_then(|json| serde_json::from_str::<Config>(&json).ok()) else { return Ok(None) };
    let mut seeds = db.prepare("select u.url from seed s join url u on u.id = s.url_id")?;
    let seeds = seeds.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let seeds: Vec<_> = seeds.iter().filter_map(|seed| CanonicalUrl::parse(seed).ok()).collect();
    let scope = Scope::new(&config, &seeds);
    Ok(Some((config, scope)))
}

fn response(db: &Connection, id: i64) -> Result<Option<Response>, Failure> {
    let sql = "select p.status, p.content_type, t.url, p.fetched_at from page p left join url t on t.id = p.redirect_to
               where p.url_id = ?1";
    let response = |row: &Row<'_>| {
        let at = row.get(3)?;
        let interval = db.query_row("select interval_ms from page where url_id = ?1", [id], |row| row.get(0));
        let interval = interval.unwrap_or_default();
        let (status, content_type, redirect_to) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Response { status, content_type, redirect_to, fetched_at: timestamp(at), at, interval })
    };
    Ok(db.query_row(sql, [id], response).optional()?)
}

fn failure(db: &Connection, id: i64) -> Result<Option<(String, String)>, Failure> {
    let sql = "select kind, message from failure where url_id = ?1";
    Ok(db.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// The way from a seed, walked back by the referrers. One that bites its own tail, or is longer than [`MAX_HOPS`],
/// begins somewhere on it.
fn way(db: &Connection, id: i64) -> Result<Vec<Hop>, Failure> {
    let (mut hops, mut seen, mut next) = (Vec::new(), HashSet::new(), Some(id));
    while let Some(id) = next.filter(|id| hops.len() < MAX_HOPS && seen.insert(*id)) {
        let sql = "select url, referrer_id, depth from url where id = ?1";
        let row = db.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let Some((url, referrer, depth)): Option<(_, _, u32)> = row else { break };
        let (how, text) = match referrer {
            Some(referrer) => step(db, referrer, id)?,
            None if depth == 0 => ("seed".to_owned(), None),
            None if is_sitemap(db, id) => ("robots.txt".to_owned(), None),
            None => ("link".to_owned(), None),
        };
        hops.push(Hop { url, how, text });
        next = referrer;
    }
    hops.reverse();
    Ok(hops)
}

/// Databases of earlier versions know of none.
fn is_sitemap(db: &Connection, id: i64) -> bool {
    db.query_row("select sitemap is not null from url where id = ?1", [id], |row| row.get(0)).unwrap_or(false)
}

/// What led from one URL to the next.
fn step(db: &Connection, from: i64, to: i64) -> Result<(String, Option<String>), Failure> {
    let redirects = "select exists (select 1 from page where url_id = ?1 and redirect_to = ?2)";
    if db.query_row(redirects, [from, to], |row| row.get(0))? {
        return Ok(("redirect".to_owned(), None));
    }
    let link =
        "select element, text from link where from_id = ?1 and to_id = ?2 order by follow desc, position limit 1";
    let link = db.query_row(link, [from, to], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(link.unwrap_or_else(|| ("link".to_owned(), None)))
}

fn requests(db: &Connection, id: Option<i64>, url: &CanonicalUrl) -> Result<(Vec<Request>, i64), Failure> {
    let mut statement = db.prepare(
        "select run_id, at, status, failure, elapsed_ms, bytes, unchanged, count(*) over () from fetch
         where url_id = ?1 or (url_id is null and url = ?2) order by id desc limit ?3",
    )?;
    let request = |row: &Row<'_>| {
        let request = Request {
            run: row.get(0)?,
            at: timestamp(row.get(1)?),
            status: row.get(2)?,
            failure: row.get(3)?,
            elapsed_ms: row.get(4)?,
            bytes: row.get(5)?,
            unchanged: row.get(6)?,
        };
        Ok((request, row.get(7)?))
    };
    let rows = statement.query_map(rusqlite::params![id, url.as_str(), MAX_REQUESTS], request)?;
    let rows: Vec<(Request, i64)> = rows.collect::<Result<_, _>>()?;
    let total = rows.first().map_or(0, |row| row.1);
    Ok((rows.into_iter().rev().map(|row| row.0).collect(), total))
}

fn ahead(db: &Connection, known: &Known) -> Result<i64, Failure> {
    let sql = "select count(*) from url where host_id = ?1 and state = 0 and (depth, id) < (?2, ?3)";
    Ok(db.query_row(sql, rusqlite::params![known.host_id, known.depth, known.id], |row| row.get(0))?)
}
