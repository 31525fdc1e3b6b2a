//! What the database holds of one URL: its row, its host, the way it was found, its requests, the last settings.

use std::collections::HashSet;

use crate::canonical::CanonicalUrl;
use crate::cli::due;
use crate::config::Config;
use crate::policy;
use crate::policy::turn::COLUMNS;
use crate::read::{Database, ReadError, Row, Value};
use crate::scope::Scope;
use crate::store::sqlite::{robots_answer, timestamp};
use crate::visit::{Millis, RobotsAnswer};
use serde::Serialize;

/// Hops that are followed back to a seed, at most.
const MAX_HOPS: usize = 100;
/// Requests that are listed, at most.
const MAX_REQUESTS: i64 = 20;

/// What is known of the URL.
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

/// What is known of its host, with its robots.txt.
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
    /// By which it is due again.
    #[serde(skip)]
    pub page: policy::due::Facts,
}

/// The trap that a URL is held back as a part of.
#[derive(Debug, Serialize)]
pub struct Trap {
    pub host: String,
    pub pattern: String,
    pub reason: String,
    pub held_back: i64,
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

/// What `--check` found of it, and which pages and style sheets name it as a part of theirs.
#[derive(Debug, Serialize)]
pub struct Check {
    pub kind: String,
    pub verdict: String,
    /// How the last request asked; None if there was none.
    pub method: Option<String>,
    pub status: Option<u16>,
    pub failure: Option<String>,
    pub final_url: String,
    pub checked_at: String,
    /// The first few.
    pub named_by: Vec<String>,
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

/// All that the database holds of one URL.
#[derive(Debug)]
pub struct Facts {
    pub known: Option<Known>,
    pub host: Option<KnownHost>,
    pub run: Option<Run>,
    /// The settings of the last invocation; `None` in a database of an earlier version, which did not keep them.
    pub settings: Option<(Config, Scope)>,
    pub response: Option<Response>,
    /// Kind and message of the failure.
    pub failure: Option<(String, String)>,
    pub trap: Option<Trap>,
    pub check: Option<Check>,
    /// The way from the seed to the URL.
    pub found: Vec<Hop>,
    /// The last requests, oldest first, and how many there are in all.
    pub requests: (Vec<Request>, i64),
    /// Pending URLs of the host whose turn comes before.
    pub ahead: i64,
}

pub fn gather(db: &Database, url: &CanonicalUrl) -> Result<Facts, ReadError> {
    // A crawl may be running: everything is read as of one commit.
    let _moment = db.snapshot()?;
    let known = one(db, "select * from _url where url = ?1", [url.as_str().into()], known)?;
    let host = url.host();
    let id = known.as_ref().map(|known| known.id);
    let failed = known.as_ref().filter(|known| known.state == 2);
    let waits = known.as_ref().filter(|known| known.state == 0);
    Ok(Facts {
        host: one(db, "select * from _host where host = ?1", [host.as_str().into()], known_host)?,
        run: last_run(db)?,
        settings: settings(db)?,
        response: id.map(|id| response(db, id)).transpose()?.flatten(),
        failure: failed.map(|known| failure(db, known.id)).transpose()?.flatten(),
        trap: id.map(|id| trap(db, id)).transpose()?.flatten(),
        check: check(db, url)?,
        found: id.map(|id| way(db, id)).transpose()?.unwrap_or_default(),
        requests: requests(db, id, url)?,
        ahead: waits.map(|known| ahead(db, known)).transpose()?.unwrap_or(0),
        known,
    })
}

/// The only row of an answer, if it has one.
fn one<T>(
    db: &Database,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
    read: impl FnOnce(&Row) -> Result<T, ReadError>,
) -> Result<Option<T>, ReadError> {
    db.first(sql, values)?.as_ref().map(read).transpose()
}

fn known(row: &Row) -> Result<Known, ReadError> {
    Ok(Known {
        id: row.get("id")?,
        host_id: row.get("host_id")?,
        state: row.get("state")?,
        reason: row.get("reason")?,
        depth: row.get("depth")?,
        attempts: row.get("attempts")?,
        due_at: row.get("due_at")?,
        followed: row.get("followed")?,
        first_seen_at: row.get("first_seen_at")?,
    })
}

fn known_host(row: &Row) -> Result<KnownHost, ReadError> {
    let robots_status: Option<u16> = row.get("robots_status")?;
    let robots_failure: Option<String> = row.get("robots_failure")?;
    Ok(KnownHost {
        asked_at: row.get("asked_at")?,
        blocked_until: row.get("blocked_until")?,
        crawl_delay_ms: row.get("crawl_delay_ms")?,
        robots_at: row.get("robots_at")?,
        robots: robots_answer(robots_status, robots_failure.as_deref(), row.get("robots_body")?),
        robots_status,
        robots_failure,
    })
}

fn last_run(db: &Database) -> Result<Option<Run>, ReadError> {
    let sql = "select id, outcome from runs order by id desc limit 1";
    one(db, sql, [], |row| Ok(Run { id: row.at(0)?, outcome: row.at(1)? }))
}

fn settings(db: &Database) -> Result<Option<(Config, Scope)>, ReadError> {
    let Some(config) = due::settings(db)? else { return Ok(None) };
    let seeds = db.query("select u.url from _seed s join _url u on u.id = s.url_id", [])?.map(|row| row?.at(0));
    let seeds: Vec<String> = seeds.collect::<Result<_, ReadError>>()?;
    let seeds: Vec<_> = seeds.iter().filter_map(|seed| CanonicalUrl::parse(seed).ok()).collect();
    let scope = Scope::new(&config, &seeds);
    let heirs = "select s.url, u.url from _heir h join _seed on _seed.url_id = h.seed_id
        join _url s on s.id = h.seed_id join _url u on u.id = h.url_id";
    for row in db.query(heirs, [])? {
        let row = row?;
        let (seed, heir): (&str, &str) = (row.at(0)?, row.at(1)?);
        if let (Ok(seed), Ok(heir)) = (CanonicalUrl::parse(seed), CanonicalUrl::parse(heir)) {
            scope.inherit(&seed, &heir);
        }
    }
    Ok(Some((config, scope)))
}

fn response(db: &Database, id: i64) -> Result<Option<Response>, ReadError> {
    let sql = format!(
        "select p.status, p.content_type, t.url, {} from _page p join _url u on u.id = p.url_id
         left join _url t on t.id = p.redirect_to where p.url_id = ?1",
        due::COLUMNS
    );
    one(db, &sql, [id.into()], |row| {
        let (status, content_type, redirect_to, page) = (row.at(0)?, row.at(1)?, row.at(2)?, due::facts(row, 3)?);
        Ok(Response { status, content_type, redirect_to, fetched_at: timestamp(page.fetched_at), page })
    })
}

fn trap(db: &Database, id: i64) -> Result<Option<Trap>, ReadError> {
    let sql = "select host, pattern from _url u join _trap t on t.id = u.trap_id join _host h on h.id = t.host_id
               where u.id = ?1 and u.state = 3 and u.reason = 'trap'";
    let key: Option<(String, String)> = one(db, sql, [id.into()], |row| Ok((row.at(0)?, row.at(1)?)))?;
    let Some((host, pattern)) = key else { return Ok(None) };
    let sql = "select reason, held_back from traps where host = ?1 and pattern = ?2";
    let read = |row: &Row| Ok((row.at(0)?, row.at(1)?));
    let (reason, held_back) = one(db, sql, [host.as_str().into(), pattern.as_str().into()], read)?.unwrap_or_default();
    Ok(Some(Trap { host, pattern, reason, held_back }))
}

fn failure(db: &Database, id: i64) -> Result<Option<(String, String)>, ReadError> {
    let sql = "select kind, message from _failure where url_id = ?1";
    one(db, sql, [id.into()], |row| Ok((row.at(0)?, row.at(1)?)))
}

/// The way from a seed, found backwards by the referrers. A way that is a loop, or longer than [`MAX_HOPS`], begins
/// somewhere in between.
fn way(db: &Database, id: i64) -> Result<Vec<Hop>, ReadError> {
    let (mut hops, mut seen, mut next) = (Vec::new(), HashSet::new(), Some(id));
    while let Some(id) = next.filter(|id| hops.len() < MAX_HOPS && seen.insert(*id)) {
        let sql = "select url, referrer_id, depth, sitemap is not null from _url where id = ?1";
        let row = one(db, sql, [id.into()], |row| Ok((row.at(0)?, row.at(1)?, row.at(2)?, row.at(3)?)))?;
        let Some((url, referrer, depth, is_sitemap)): Option<(_, _, u32, bool)> = row else { break };
        let (how, text) = match referrer {
            Some(referrer) => step(db, referrer, id)?,
            None if depth == 0 => ("seed".to_owned(), None),
            None if is_sitemap => ("robots.txt".to_owned(), None),
            None => ("link".to_owned(), None),
        };
        hops.push(Hop { url, how, text });
        next = referrer;
    }
    hops.reverse();
    Ok(hops)
}

/// What led from one URL to the next.
fn step(db: &Database, from: i64, to: i64) -> Result<(String, Option<String>), ReadError> {
    let ends = || [from.into(), to.into()];
    if db.first("select 1 from _page where url_id = ?1 and redirect_to = ?2", ends())?.is_some() {
        return Ok(("redirect".to_owned(), None));
    }
    let link =
        "select element, text from _link where from_id = ?1 and to_id = ?2 order by follow desc, position limit 1";
    let link = one(db, link, ends(), |row| Ok((row.at(0)?, row.at(1)?)))?;
    Ok(link.unwrap_or_else(|| ("link".to_owned(), None)))
}

fn check(db: &Database, url: &CanonicalUrl) -> Result<Option<Check>, ReadError> {
    let sql = "select * from _probe where url = ?1 and verdict is not null";
    let found = one(db, sql, [url.as_str().into()], |row| {
        let check = Check {
            kind: row.get("kind")?,
            verdict: row.get("verdict")?,
            method: row.get("asked")?,
            status: row.get("status")?,
            failure: row.get("failure")?,
            final_url: row.get("final_url")?,
            checked_at: timestamp(row.get("checked_at")?),
            named_by: Vec::new(),
        };
        Ok((row.get::<i64>("id")?, check))
    })?;
    let Some((id, check)) = found else { return Ok(None) };
    let sql = "select coalesce(u.url, p.url) from _resource r left join _url u on u.id = r.from_id and r.by_sheet = 0
         left join _probe p on p.id = r.from_id and r.by_sheet = 1
         where r.probe_id = ?1 order by r.by_sheet, r.from_id limit 5";
    let named_by = db.query(sql, [id.into()])?.map(|row| row?.at::<String>(0)).collect::<Result<_, _>>()?;
    Ok(Some(Check { named_by, ..check }))
}

fn requests(db: &Database, id: Option<i64>, url: &CanonicalUrl) -> Result<(Vec<Request>, i64), ReadError> {
    let sql = "select run_id, at, status, failure, elapsed_ms, bytes, unchanged, count(*) over () from _fetch
         where url_id = ?1 or (url_id is null and url = ?2) order by id desc limit ?3";
    let request = |row: &Row| {
        let request = Request {
            run: row.at(0)?,
            at: timestamp(row.at(1)?),
            status: row.at(2)?,
            failure: row.at(3)?,
            elapsed_ms: row.at(4)?,
            bytes: row.at(5)?,
            unchanged: row.at(6)?,
        };
        Ok((request, row.at(7)?))
    };
    let rows = db.query(sql, [id.into(), url.as_str().into(), MAX_REQUESTS.into()])?;
    let rows: Vec<(Request, i64)> = rows.map(|row| request(&row?)).collect::<Result<_, ReadError>>()?;
    let total = rows.first().map_or(0, |row| row.1);
    Ok((rows.into_iter().rev().map(|row| row.0).collect(), total))
}

fn ahead(db: &Database, known: &Known) -> Result<i64, ReadError> {
    // The turn of the URL itself is read from its row.
    let sql = format!(
        "select count(*) from _url where host_id = ?1 and state = 0
             and ({COLUMNS}) < (select {COLUMNS} from _url where id = ?2)"
    );
    let count = one(db, &sql, [known.host_id.into(), known.id.into()], |row| row.at(0))?;
    Ok(count.unwrap_or(0))
}
