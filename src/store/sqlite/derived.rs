//! What is derived from stored pages, in a file that a crawl may be writing to.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior};

use crate::extract::derive::{Derived, Stored};
use crate::extract::items::Column;
use crate::extract::{Kind, Wanted};
use crate::store::StoreError;
use crate::store::derived::{COMPARED, DerivedError, Derives, ItemView, Lacking, RULES, StoredRules};
use crate::visit::UrlId;

use super::packing::BODY;
use super::peek;

impl From<rusqlite::Error> for DerivedError {
    fn from(error: rusqlite::Error) -> Self {
        Self(peek::in_words(&error))
    }
}

/// A database file that derived data is kept in.
#[derive(Debug)]
pub struct DerivedFile {
    db: Connection,
}

impl DerivedFile {
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let db = peek::connect_to_write(path);
        Ok(Self { db: db.map_err(|e| StoreError::Open { path: path.to_owned(), problem: peek::problem(&e) })? })
    }

    fn begin(&mut self) -> rusqlite::Result<Transaction<'_>> {
        self.db.transaction_with_behavior(TransactionBehavior::Immediate)
    }
}

/// What lacks what, of the pages that can be read: each page with the kinds that it lacks.
const LACKING: &str = "select p.url_id, p.size, group_concat(w.value ->> 0) from page p
     cross join content c on c.url_id = p.url_id cross join json_each(?1) w
     where p.url_id > ?2 and p.status = 200 and p.content_hash is not null and c.body is not null and not exists
         (select 1 from derived d where d.url_id = p.url_id and d.kind = w.value ->> 0 and d.version = w.value ->> 1
             and d.content_hash = p.content_hash)
     group by p.url_id order by p.url_id limit ?3";

/// As the statements take it.
fn as_json(wanted: &Wanted) -> String {
    let pairs: Vec<_> = wanted.iter().map(|(kind, version)| (kind.as_str(), version)).collect();
    serde_json::json!(pairs).to_string()
}

impl Derives for DerivedFile {
    async fn waiting(&mut self, wanted: &Wanted) -> Result<i64, DerivedError> {
        let sql = format!("select count(*) from ({LACKING})");
        Ok(self.db.prepare_cached(&sql)?.query_row((as_json(wanted), UrlId::MIN, i64::MAX), |row| row.get(0))?)
    }

    async fn has_any(&mut self) -> Result<bool, DerivedError> {
        Ok(self.db.query_row("select exists (select 1 from derived)", [], |row| row.get(0))?)
    }

    async fn last_page(&mut self) -> Result<UrlId, DerivedError> {
        let sql = "select coalesce(max(url_id), 0) from page";
        Ok(self.db.query_row(sql, [], |row| row.get(0))?)
    }

    async fn lacking(&mut self, wanted: &Wanted, after: UrlId, at_most: i64) -> Result<Vec<Lacking>, DerivedError> {
        let read = |row: &Row<'_>| {
            let kinds: String = row.get(2)?;
            let size = row.get::<_, i64>(1)?.cast_unsigned();
            Ok(Lacking { id: row.get(0)?, size, kinds: kinds.split(',').filter_map(Kind::from_word).collect() })
        };
        let mut found = self.db.prepare_cached(LACKING)?;
        let found = found.query_map((as_json(wanted), after, at_most), read)?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    async fn load(&mut self, pages: &[Lacking]) -> Result<Vec<Stored>, DerivedError> {
        let mut page = self.db.prepare_cached(&format!(
            "select u.url, p.charset, p.language, p.title, p.description, p.headers, c.text, {BODY}, p.content_hash
             from page p join url u on u.id = p.url_id join content c on c.url_id = p.url_id
             where p.url_id = ?1 and p.status = 200 and p.content_hash is not null and c.body is not null",
        ))?;
        let mut found = Vec::new();
        for lacking in pages {
            let read = |row: &Row<'_>| {
                let headers: String = row.get(5)?;
                Ok(Stored {
                    id: lacking.id,
                    url: row.get(0)?,
                    charset: row.get(1)?,
                    language: row.get(2)?,
                    title: row.get(3)?,
                    description: row.get(4)?,
                    headers: serde_json::from_str(&headers).unwrap_or_default(),
                    text: row.get(6)?,
                    body: row.get(7)?,
                    content_hash: row.get(8)?,
                    lacks: lacking.kinds.clone(),
                })
            };
            found.extend(page.query_row([lacking.id], read).optional()?);
        }
        Ok(found)
    }

    async fn keep(&mut self, derived: &[Derived], wanted: &Wanted) -> Result<usize, DerivedError> {
        let tx = self.begin()?;
        for page in derived {
            for (kind, version) in wanted.iter().filter(|(kind, _)| page.kinds.contains(kind)) {
                replace(&tx, page, kind)?;
                tx.prepare_cached(
                    "insert or replace into derived (url_id, kind, content_hash, version) values (?1, ?2, ?3, ?4)",
                )?
                .execute((page.id, kind.as_str(), &page.content_hash, version))?;
            }
        }
        tx.commit()?;
        Ok(0)
    }

    async fn drop_gone(&mut self) -> Result<(), DerivedError> {
        let tx = self.begin()?;
        let gone = "select d.url_id from derived d left join page p on p.url_id = d.url_id
            left join content c on c.url_id = d.url_id
            where p.status is not 200 or c.body is null group by d.url_id";
        let gone: Vec<UrlId> = tx.prepare(gone)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for id in gone {
            for kind in Kind::ALL {
                clear(&tx, id, kind)?;
            }
            tx.execute("delete from derived where url_id = ?1", [id])?;
        }
        Ok(tx.commit()?)
    }

    async fn is_near_current(&mut self) -> Result<bool, DerivedError> {
        let sql = "select exists (select 1 from meta where key = ?1)";
        Ok(self.db.query_row(sql, [COMPARED], |row| row.get(0))?)
    }

    async fn simhashes(&mut self) -> Result<Vec<(UrlId, u64)>, DerivedError> {
        let mut hashes = self.db.prepare(
            "select min(a.url_id), a.simhash from article a
             join derived d on d.url_id = a.url_id and d.kind = 'articles'
             where a.simhash is not null group by d.content_hash, a.simhash order by 1",
        )?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()));
        Ok(hashes.query_map([], read)?.collect::<rusqlite::Result<_>>()?)
    }

    async fn keep_near(&mut self, pairs: &[(UrlId, UrlId, u32)]) -> Result<(), DerivedError> {
        let tx = self.begin()?;
        tx.execute("delete from near", [])?;
        let mut insert = tx.prepare("insert into near (url_id, other_id, distance) values (?1, ?2, ?3)")?;
        for pair in pairs {
            insert.execute(*pair)?;
        }
        drop(insert);
        tx.execute("insert or replace into meta (key, value) values (?1, '')", [COMPARED])?;
        Ok(tx.commit()?)
    }

    async fn rules(&mut self) -> Result<Option<StoredRules>, DerivedError> {
        let mut value = self.db.prepare_cached("select value from meta where key = ?1")?;
        let [text, name] = RULES.map(|key| value.query_row([key], |row| row.get::<_, String>(0)).optional());
        Ok(text?
            .map(|text| Ok::<_, rusqlite::Error>(StoredRules { text, name: name?.unwrap_or_default() }))
            .transpose()?)
    }

    async fn keep_rules(&mut self, rules: &StoredRules, views: &[ItemView]) -> Result<(), DerivedError> {
        let tx = self.begin()?;
        for (key, value) in RULES.into_iter().zip([&rules.text, &rules.name]) {
            tx.execute("insert or replace into meta (key, value) values (?1, ?2)", (key, value))?;
        }
        let stale: Vec<String> = tx
            .prepare("select name from sqlite_master where type = 'view' and name like 'items\\_%' escape '\\'")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for name in stale {
            tx.execute_batch(&format!("drop view {}", quoted(&name)))?;
        }
        for view in views {
            tx.execute_batch(&view_sql(view))?;
        }
        let names: Vec<_> = views.iter().map(|view| view.item.as_str()).collect();
        tx.execute(
            "delete from item where item not in (select value from json_each(?1))",
            [serde_json::json!(names).to_string()],
        )?;
        Ok(tx.commit()?)
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The view of an item. In JSON, `true` is 1 to SQLite, which is what its views hold of other booleans too.
fn view_sql(view: &ItemView) -> String {
    let column = |(name, column): &(String, Column)| {
        let path = format!("'$.\"{}\"'", name.replace('\'', "''"));
        let value = if *column == Column::Json {
            format!("nullif(i.data -> {path}, 'null')")
        } else {
            format!("i.data ->> {path}")
        };
        format!(", {value} as {}", quoted(name))
    };
    let columns: String = view.columns.iter().map(column).collect();
    let (name, item) = (quoted(&format!("items_{}", view.item)), view.item.replace('\'', "''"));
    format!(
        "create view {name} as select u.url, i.position{columns}
         from item i join url u on u.id = i.url_id where i.item = '{item}'"
    )
}

fn clear(tx: &Transaction<'_>, id: UrlId, kind: Kind) -> rusqlite::Result<()> {
    let sql: &[&str] = match kind {
        Kind::Metadata => &["delete from meta_value where url_id = ?1", "delete from page_fact where url_id = ?1"],
        Kind::Articles => &["delete from article where url_id = ?1"],
        Kind::Items => &["delete from item where url_id = ?1"],
    };
    for sql in sql {
        tx.prepare_cached(sql)?.execute([id])?;
    }
    if kind == Kind::Articles {
        tx.prepare_cached("delete from meta where key = ?1")?.execute([COMPARED])?;
    }
    Ok(())
}

/// Writes what was derived of one kind instead of what there was.
fn replace(tx: &Transaction<'_>, page: &Derived, kind: Kind) -> rusqlite::Result<()> {
    clear(tx, page.id, kind)?;
    match kind {
        Kind::Metadata => insert_metadata(tx, page),
        Kind::Articles => insert_article(tx, page),
        Kind::Items => insert_items(tx, page),
    }
}

fn insert_metadata(tx: &Transaction<'_>, page: &Derived) -> rusqlite::Result<()> {
    let Some((values, data)) = &page.metadata else { return Ok(()) };
    let mut insert = tx.prepare_cached(
        "insert into meta_value (url_id, number, source, name, value, position) values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (number, value) in (0_u32..).zip(values) {
        insert.execute((page.id, number, value.source.as_str(), &value.name, &value.value, value.position))?;
    }
    tx.prepare_cached(
        "insert into page_fact (url_id, type, title, description, image, site_name, author, published_at, modified_at,
             price, currency, availability, language, words)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute((
        page.id,
        &data.kind,
        &data.title,
        &data.description,
        &data.image,
        &data.site_name,
        &data.author,
        &data.published_at,
        &data.modified_at,
        data.price,
        &data.currency,
        &data.availability,
        &data.language,
        data.words.cast_signed(),
    ))?;
    Ok(())
}

fn insert_article(tx: &Transaction<'_>, page: &Derived) -> rusqlite::Result<()> {
    let Some((article, simhash)) = &page.article else { return Ok(()) };
    tx.prepare_cached(
        "insert into article (url_id, title, author, published_at, language, words, simhash, text, markdown)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute((
        page.id,
        &article.title,
        &article.author,
        &article.published_at,
        &article.language,
        article.words.cast_signed(),
        simhash.map(u64::cast_signed),
        &article.text,
        &article.markdown,
    ))?;
    Ok(())
}

fn insert_items(tx: &Transaction<'_>, page: &Derived) -> rusqlite::Result<()> {
    let mut insert =
        tx.prepare_cached("insert into item (url_id, number, item, position, data) values (?1, ?2, ?3, ?4, ?5)")?;
    for (number, item) in (0_u32..).zip(&page.items) {
        insert.execute((page.id, number, &item.item, item.position, serde_json::json!(item.data).to_string()))?;
    }
    Ok(())
}
