//! What `check` looks at, each thing by itself.

use std::path::Path;

use crate::cli::failure::SAVE;
use crate::cli::last_run::LastRun;
use crate::cli::schema;
use crate::cli::words::{count, counted, size};
use crate::read::{Database, ReadError};
use crate::store::sqlite::disk_size;

use super::look::{Look, State};

/// Free on the disk, at least: a tenth of what the database takes, and so many bytes.
const LEAST_FREE: u64 = 256 << 20;
/// A file of which more is free, and than a quarter, is worth a vacuum.
const MUCH_FREE: i64 = 64 << 20;

fn ok(found: impl Into<String>) -> Look {
    Ok((State::Ok, found.into(), None))
}

fn note(found: impl Into<String>, advice: &str) -> Look {
    Ok((State::Note, found.into(), Some(advice.to_owned())))
}

fn problem(found: impl Into<String>, advice: &str) -> Look {
    Ok((State::Problem, found.into(), Some(advice.to_owned())))
}

fn number(db: &Database, sql: &str) -> Result<i64, ReadError> {
    Ok(db.first(sql, [])?.map_or(Ok(None), |row| row.at(0))?.unwrap_or_default())
}

/// Whether the database itself is whole.
pub fn integrity(db: &Database) -> Look {
    if db.path().is_none() {
        let invalid = "select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid
            where c.relnamespace = current_schema()::regnamespace and not (i.indisvalid and i.indisready)";
        return match number(db, invalid)? {
            0 => ok("the server answers, and every index is valid; the server looks after its files"),
            some => {
                problem(format!("indexes that are not valid: {some}"), "REINDEX SCHEMA, as its owner, makes them anew")
            }
        };
    }
    let rows = db.query("pragma integrity_check(10)", [])?.map(|row| row?.at(0)).collect::<Result<Vec<String>, _>>()?;
    match &rows[..] {
        [said] if said == "ok" => ok("every page of the file was read, and is whole"),
        [said, more @ ..] => {
            let more = if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
            problem(format!("damaged: {}{more}", said.replace('\n', " ")), SAVE)
        }
        [] => problem("SQLite says nothing of it", SAVE),
    }
}

/// Whether the views are those of this version.
pub fn schema(db: &Database) -> Look {
    if db.is_of_a_newer_version() {
        return note("of a newer version, which may hold more than is shown", "install the version that wrote it");
    }
    if db.is_of_an_earlier_version() {
        return note("of an earlier version", "the next `crawl` or `search` brings it up to date");
    }
    let present = db.views()?;
    let known = schema::described().map_err(|e| ReadError::Failed { problem: e.message })?;
    let missing = known.iter().filter(|view| !present.contains(&view.name)).map(|view| view.name.as_str());
    // Of an empty file, there is one on SQLite alone.
    let missing: Vec<_> = missing.filter(|name| *name != "searchable" || db.path().is_some()).collect();
    match missing.is_empty() {
        true => ok(format!("up to date, {}", counted(present.len() as u64, "view"))),
        false => problem(
            format!("views are missing: {}", missing.join(", ")),
            "somebody dropped them: put a copy of the database back, or `harvestman copy` it to a new one",
        ),
    }
}

/// Whether each URL counts once, and the last run's own account agrees.
pub fn accounting(db: &Database) -> Look {
    const NAMES: [&str; 5] = ["discovered", "fetched", "failed", "skipped", "pending"];
    let counts = |from: &str| -> Result<Vec<i64>, ReadError> {
        let row = db.first(&format!("select {} from {from}", NAMES.join(", ")), [])?;
        row.map_or_else(|| Ok(vec![]), |row| (0..NAMES.len()).map(|at| row.at(at)).collect())
    };
    // Of one commit, also while a crawl goes on.
    let _moment = db.snapshot()?;
    let (urls, run) = (counts("accounting")?, counts("runs order by id desc limit 1")?);
    let told = |counts: &[i64]| {
        let parts = counts.iter().zip(NAMES).map(|(n, name)| format!("{} {name}", count(*n)));
        parts.collect::<Vec<_>>().join(", ")
    };
    const ADVICE: &str = "the same `crawl` command counts anew; if it stays so, please report it";
    match &urls[..] {
        [discovered, parts @ ..] if *discovered != parts.iter().sum::<i64>() => problem(told(&urls), ADVICE),
        _ if !run.is_empty() && run != urls => {
            problem(format!("the URLs say {}; the last run says {}", told(&urls), told(&run)), ADVICE)
        }
        _ => ok(told(&urls)),
    }
}

/// Whether what belongs together is there.
pub fn contents(db: &Database) -> Look {
    const LOST: [(&str, &str); 4] = [
        (
            "fetched URLs without a response",
            "select count(*) from _url u where state = 1 and not exists (select 1 from _page where url_id = u.id)",
        ),
        (
            "failed URLs without a failure",
            "select count(*) from _url u where state = 2 and not exists (select 1 from _failure where url_id = u.id)",
        ),
        (
            "responses without a URL",
            "select count(*) from _page p where not exists (select 1 from _url where id = p.url_id)",
        ),
        (
            "URLs without a host",
            "select count(*) from _url u where not exists (select 1 from _host where id = u.host_id)",
        ),
    ];
    /// Of a file: the bodies that `crawl --compress` stored.
    const PACKED: (&str, &str) = (
        "compressed bodies without what they were compressed with",
        "select (select count(*) from _content where dictionary_id <> 0
                 and dictionary_id not in (select id from _dictionary))
             + (select count(*) from _old_content where dictionary_id <> 0
                 and dictionary_id not in (select id from _dictionary))",
    );
    let _moment = db.snapshot()?;
    let mut lost = Vec::new();
    for (what, sql) in LOST.into_iter().chain(db.path().is_some().then_some(PACKED)) {
        let some = number(db, sql)?;
        if some > 0 {
            lost.push(format!("{what}: {}", count(some)));
        }
    }
    match lost.is_empty() {
        true => ok("every URL has its host, and its response or failure"),
        false => problem(lost.join(", "), "put a copy of the database back, or crawl into a new one"),
    }
}

/// How the last run stands, and whether somebody is at work.
pub fn crawl(db: &Database) -> Look {
    match LastRun::read(db)? {
        None => note("nothing was crawled yet", "harvestman crawl URL"),
        Some(run) if run.is_settled() => ok(run.told()),
        Some(run) => note(run.told(), run.next()),
    }
}

/// Who has hosts, and whose lease has ended.
pub fn nodes(db: &Database) -> Look {
    let (mut alive, mut lost) = (0_u64, Vec::new());
    for row in db.query("select node, state, seen_at from nodes where state <> 'ended' order by node", [])? {
        let row = row?;
        let (node, state, seen): (String, String, String) = (row.at(0)?, row.at(1)?, row.at(2)?);
        if state == "alive" {
            alive += 1;
        } else {
            lost.push(format!("{node}, heard of last at {seen}"));
        }
    }
    if lost.is_empty() {
        return ok(if alive == 0 { "none at work".to_owned() } else { format!("{} at work", counted(alive, "node")) });
    }
    note(
        format!("{alive} at work; lost: {}", lost.join("; ")),
        "their leases have ended: nodes at work take over their hosts, and so does the next `crawl`",
    )
}

/// Whether a search finds all pages.
pub fn index(db: &Database) -> Look {
    match db.unindexed()? {
        None => note("there is none", "the next `search` makes it"),
        Some(0) => ok("up to date"),
        Some(some) => note(format!("{} wait to be indexed", counted(some, "page")), "the next `search` does that"),
    }
}

/// How much room there is, and how much of it is wasted.
pub fn disk(db: &Database) -> Look {
    let used = db.size()?;
    let Some(path) = db.path() else {
        return ok(format!("the crawl takes {}; how much the server has left cannot be seen from here", bytes(used)));
    };
    let takes = disk_size(path);
    let unused = number(db, "select freelist_count * page_size from pragma_freelist_count, pragma_page_size")?;
    let free = free_on(path).map_err(|e| ReadError::Failed { problem: format!("the disk: {e}") })?;
    let found = format!("{} taken, {} free on the disk", bytes(takes), bytes(free));
    if free < LEAST_FREE.max(takes / 10) {
        return problem(found, "make room on the disk, or bound the file with --max-database-size");
    }
    if unused > MUCH_FREE.max(size_of(takes) / 4) {
        return note(format!("{found}; {} of the file are empty", size(unused)), "`harvestman vacuum` gives them back");
    }
    ok(found)
}

/// Bytes that an ordinary user may still write beside the file.
fn free_on(path: &Path) -> rustix::io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn size_of(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn bytes(bytes: u64) -> String {
    size(size_of(bytes))
}
