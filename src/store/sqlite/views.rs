//! The tables as the reading side sees them where the public views do not do: with the ids by which rows are found fast.
//! These views exist on a reader's own connection alone, so that nobody else comes to rely on them, and a database of an
//! earlier version has them too.

use rusqlite::Connection;

use super::packing::{self, BODY};

/// Each view has the name of its table after a `_`. A column that earlier versions did not have says by what it is
/// replaced there.
const VIEWS: [(&str, &str); 21] = [
    ("meta", "key value"),
    ("run", "id started_at finished_at outcome requests bytes"),
    (
        "host",
        "id host asked_at=0 blocked_until robots_at robots_status robots_failure robots_body crawl_delay_ms certificate_expires_at=null",
    ),
    (
        "url",
        "id url host_id state reason depth attempts due_at referrer_id first_seen_at followed=1 sitemap=null lastmod=null known=0 trap_id=null",
    ),
    (
        "page",
        "url_id status content_type title description size content_hash redirect_to fetched_at elapsed_ms headers interval_ms=null fresh_until=null canonical_url language charset kept=0",
    ),
    ("content", "url_id text body dictionary_id=null"),
    ("old_content", "id=null hash=null text=null body=null dictionary_id=null"),
    ("dictionary", "id=null"),
    ("link", "from_id position to_id text rel element follow part=null"),
    ("failure", "url_id kind message"),
    ("fetch", "id run_id url_id url at status failure elapsed_ms bytes unchanged"),
    ("trap", "id=null host_id=null pattern=null"),
    ("seed", "url_id=null"),
    ("heir", "url_id=null seed_id=null"),
    ("unindexed", "url_id=null"),
    ("audit", "run_id=null at=null"),
    ("derived", "url_id=null kind=null content_hash=null version=null"),
    ("meta_value", "url_id=null number=null source=null name=null value=null position=null"),
    ("near", "url_id=null other_id=null distance=null"),
    (
        "probe",
        "id=null url=null kind=null state=1 asked=null status=null failure=null final_url=null verdict=null checked_at=null",
    ),
    ("resource", "by_sheet=null from_id=null probe_id=null element=null"),
];

/// The pages that `match` on `words` finds in the full-text index, as far as it is up to date.
const HITS: &str = "create temp view _hit as
    select page_index as words, rowid as id, rank from main.page_index
    where rowid not in (select url_id from main.unindexed);";

/// Creates the views on a connection that may still do so. The database itself stays as it is.
pub fn create(db: &Connection) -> rusqlite::Result<()> {
    let mut sql = String::new();
    for (table, columns) in VIEWS {
        let mut present = db.prepare_cached("select name from pragma_table_info(?1)")?;
        let present = present.query_map([table], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        let are_packed = present.iter().any(|known| known == "dictionary_id");
        let column = |text: &str| match text.split_once('=') {
            _ if are_packed && text.starts_with("body") => format!("{BODY} as body"),
            Some((name, instead)) if !present.iter().any(|known| known == name) => format!("{instead} as {name}"),
            Some((name, _)) => name.to_owned(),
            None => text.to_owned(),
        };
        let columns = columns.split(' ').map(column).collect::<Vec<_>>().join(", ");
        let source = if present.is_empty() { "where false".to_owned() } else { format!("from main.{table} c") };
        sql.push_str(&format!("create temp view _{table} as select {columns} {source};\n"));
    }
    if has_dictionaries(db)? {
        packing::register(db)?;
        sql.push_str(&format!(
            "create temp view bodies as select u.url, {BODY} as body
                 from main.content c join main.url u on u.id = c.url_id where c.body is not null;
             create temp view versions as select v.url, v.fetched_at, v.status, v.content_type, v.charset, v.size,
                 v.content_hash, {BODY} as body, v.text
                 from main.versions v join main.old_content c on c.hash = v.content_hash;\n"
        ));
    }
    if has_index(db)? {
        sql.push_str(HITS);
    }
    db.execute_batch(&sql)
}

/// Whether bodies may be packed in it.
fn has_dictionaries(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("select exists (select 1 from sqlite_master where name = 'dictionary')", [], |row| row.get(0))
}

/// Whether the database has a full-text index: those of earlier versions get it when they are next opened for writing.
fn has_index(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("select exists (select 1 from sqlite_master where name = 'page_index')", [], |row| row.get(0))
}
