//! What is derived from stored pages, in a database that crawls may be writing to.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::QueryScalar;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Postgres, Row as _};

use crate::extract::derive::{Derived, Stored};
use crate::extract::items::Column;
use crate::extract::{Kind, Wanted};
use crate::store::StoreError;
use crate::store::derived::{COMPARED, DerivedError, Derives, ItemView, Lacking, RULES, StoredRules};
use crate::visit::UrlId;

use super::database;
use super::rows::{bigint, clean, scalar, sql};

impl From<sqlx::Error> for DerivedError {
    fn from(error: sqlx::Error) -> Self {
        Self(match error {
            sqlx::Error::Database(error) => error.message().to_owned(),
            other => other.to_string(),
        })
    }
}

/// A database that derived data is kept in.
#[derive(Debug)]
pub struct DerivedDatabase {
    db: PgConnection,
}

impl DerivedDatabase {
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Ok(Self { db: database::connect(url).await?.0 })
    }

    async fn begin(&mut self) -> Result<&mut PgConnection, DerivedError> {
        sqlx::raw_sql("begin").execute(&mut self.db).await?;
        Ok(&mut self.db)
    }

    /// The answer to a question that has one row of one column.
    async fn one<T>(&mut self, question: QueryScalar<'_, Postgres, T, PgArguments>) -> Result<T, DerivedError>
    where
        T: Send + Unpin,
        (T,): for<'r> FromRow<'r, PgRow>,
    {
        let answer = question.fetch_one(self.begin().await?).await?;
        self.commit().await?;
        Ok(answer)
    }

    async fn commit(&mut self) -> Result<(), DerivedError> {
        sqlx::raw_sql("commit").execute(&mut self.db).await?;
        Ok(())
    }
}

/// What lacks what, of the pages that can be read: each page with the kinds that it lacks.
macro_rules! lacking {
    () => {
        "select p.url_id, p.size, array_agg(w.kind) as kinds
         from page p join content c on c.url_id = p.url_id cross join unnest($1::text[], $2::text[]) w (kind, version)
         where p.url_id > $3 and p.status = 200 and p.content_hash is not null and c.body is not null and not exists
             (select 1 from derived d where d.url_id = p.url_id and d.kind = w.kind and d.version = w.version
                 and d.content_hash = p.content_hash)
         group by p.url_id order by p.url_id limit $4"
    };
}

fn split(wanted: &Wanted) -> (Vec<&str>, Vec<&str>) {
    wanted.iter().map(|(kind, version)| (kind.as_str(), version)).unzip()
}

impl Derives for DerivedDatabase {
    async fn waiting(&mut self, wanted: &Wanted) -> Result<i64, DerivedError> {
        let (kinds, versions) = split(wanted);
        let waiting = scalar(concat!("select count(*) from (", lacking!(), ") l"));
        self.one(waiting.bind(kinds).bind(versions).bind(UrlId::MIN).bind(i64::MAX)).await
    }

    async fn has_any(&mut self) -> Result<bool, DerivedError> {
        self.one(scalar("select exists (select 1 from derived)")).await
    }

    async fn last_page(&mut self) -> Result<UrlId, DerivedError> {
        self.one(scalar("select coalesce(max(url_id), 0) from page")).await
    }

    async fn lacking(&mut self, wanted: &Wanted, after: UrlId, at_most: i64) -> Result<Vec<Lacking>, DerivedError> {
        let (kinds, versions) = split(wanted);
        let db = self.begin().await?;
        let rows = sql(lacking!()).bind(kinds).bind(versions).bind(after).bind(at_most).fetch_all(db).await?;
        self.commit().await?;
        let read = |row: &PgRow| {
            let kinds: Vec<String> = row.get("kinds");
            let kinds = kinds.iter().filter_map(|kind| Kind::from_word(kind)).collect();
            Lacking { id: row.get("url_id"), size: row.get::<i64, _>("size").cast_unsigned(), kinds }
        };
        Ok(rows.iter().map(read).collect())
    }

    async fn load(&mut self, pages: &[Lacking]) -> Result<Vec<Stored>, DerivedError> {
        let ids: Vec<_> = pages.iter().map(|page| page.id).collect();
        let db = self.begin().await?;
        let rows = sql(
            "select p.url_id, u.url, p.charset, p.language, p.title, p.description, p.headers::text as headers, c.text, c.body,
                 p.content_hash
             from page p join url u on u.id = p.url_id join content c on c.url_id = p.url_id
             where p.url_id = any($1) and p.status = 200 and p.content_hash is not null and c.body is not null
             order by p.url_id",
        );
        let rows = rows.bind(ids).fetch_all(db).await?;
        self.commit().await?;
        let read = |row: &PgRow| {
            let id: UrlId = row.get("url_id");
            Some(Stored {
                id,
                url: row.get("url"),
                charset: row.get("charset"),
                language: row.get("language"),
                title: row.get("title"),
                description: row.get("description"),
                headers: serde_json::from_str(row.get("headers")).unwrap_or_default(),
                text: row.get("text"),
                body: row.get("body"),
                content_hash: row.get("content_hash"),
                lacks: pages.iter().find(|page| page.id == id)?.kinds.clone(),
            })
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    async fn keep(&mut self, derived: &[Derived], wanted: &Wanted) -> Result<usize, DerivedError> {
        let db = self.begin().await?;
        let mut twice = 0;
        for (kind, version) in wanted.iter() {
            let pages: Vec<_> = derived.iter().filter(|page| page.kinds.contains(&kind)).collect();
            let ids: Vec<_> = pages.iter().map(|page| page.id).collect();
            let hashes: Vec<_> = pages.iter().map(|page| page.content_hash.as_str()).collect();
            // First, and in the order of the pages: of several that derive the same, the others wait here until it is there.
            let mut fresh: Vec<UrlId> = scalar(
                "insert into derived (url_id, kind, content_hash, version)
                 select id, $3, hash, $4 from unnest($1::bigint[], $2::text[]) p (id, hash) order by id
                 on conflict (url_id, kind) do update set content_hash = excluded.content_hash, version = excluded.version
                     where (derived.content_hash, derived.version) is distinct from (excluded.content_hash, excluded.version)
                 returning url_id",
            )
            .bind(ids)
            .bind(hashes)
            .bind(kind.as_str())
            .bind(version)
            .fetch_all(&mut *db)
            .await?;
            fresh.sort_unstable();
            twice += pages.len() - fresh.len();
            let pages: Vec<_> = pages.into_iter().filter(|page| fresh.binary_search(&page.id).is_ok()).collect();
            clear(db, kind, &fresh).await?;
            match kind {
                Kind::Metadata => insert_metadata(db, &pages).await?,
                Kind::Articles => insert_articles(db, &pages).await?,
                Kind::Items => insert_items(db, &pages).await?,
            }
        }
        self.commit().await?;
        Ok(twice)
    }

    async fn drop_gone(&mut self) -> Result<(), DerivedError> {
        let db = self.begin().await?;
        let gone: Vec<UrlId> = scalar(
            "delete from derived d where not exists
                 (select 1 from page p join content c on c.url_id = p.url_id
                  where p.url_id = d.url_id and p.status = 200 and c.body is not null)
             returning url_id",
        )
        .fetch_all(&mut *db)
        .await?;
        for kind in Kind::ALL {
            clear(db, kind, &gone).await?;
        }
        self.commit().await
    }

    async fn is_near_current(&mut self) -> Result<bool, DerivedError> {
        self.one(scalar("select exists (select 1 from meta where key = $1)").bind(COMPARED)).await
    }

    async fn simhashes(&mut self) -> Result<Vec<(UrlId, u64)>, DerivedError> {
        let db = self.begin().await?;
        let rows = sql("select min(a.url_id) as id, a.simhash from article a
             join derived d on d.url_id = a.url_id and d.kind = 'articles'
             where a.simhash is not null group by d.content_hash, a.simhash order by 1");
        let rows = rows.fetch_all(db).await?;
        self.commit().await?;
        Ok(rows.iter().map(|row| (row.get("id"), row.get::<i64, _>("simhash").cast_unsigned())).collect())
    }

    async fn keep_near(&mut self, pairs: &[(UrlId, UrlId, u32)]) -> Result<(), DerivedError> {
        let db = self.begin().await?;
        // Of several that found them, one after the other.
        sql("lock table near in share row exclusive mode").execute(&mut *db).await?;
        sql("delete from near").execute(&mut *db).await?;
        for part in pairs.chunks(100_000) {
            sql("insert into near (url_id, other_id, distance) select * from unnest($1::bigint[], $2::bigint[], $3::int[])")
                .bind(part.iter().map(|pair| pair.0).collect::<Vec<_>>())
                .bind(part.iter().map(|pair| pair.1).collect::<Vec<_>>())
                .bind(part.iter().map(|pair| pair.2.cast_signed()).collect::<Vec<_>>())
                .execute(&mut *db)
                .await?;
        }
        sql("insert into meta (key, value) values ($1, '') on conflict (key) do nothing")
            .bind(COMPARED)
            .execute(&mut *db)
            .await?;
        self.commit().await
    }

    async fn rules(&mut self) -> Result<Option<StoredRules>, DerivedError> {
        let db = self.begin().await?;
        let mut found: [Option<String>; 2] = [None, None];
        for (found, key) in found.iter_mut().zip(RULES) {
            *found = scalar("select value from meta where key = $1").bind(key).fetch_optional(&mut *db).await?;
        }
        self.commit().await?;
        let [text, name] = found;
        Ok(text.map(|text| StoredRules { text, name: name.unwrap_or_default() }))
    }

    async fn keep_rules(&mut self, rules: &StoredRules, views: &[ItemView]) -> Result<(), DerivedError> {
        let db = self.begin().await?;
        for (key, value) in RULES.into_iter().zip([&rules.text, &rules.name]) {
            sql("insert into meta (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value")
                .bind(key)
                .bind(clean(value).into_owned())
                .execute(&mut *db)
                .await?;
        }
        let stale: Vec<String> = scalar(
            "select viewname::text from pg_views where schemaname = current_schema() and viewname like 'items\\_%'",
        )
        .fetch_all(&mut *db)
        .await?;
        for name in stale {
            run(db, format!("drop view {}", quoted(&name))).await?;
        }
        for view in views {
            run(db, view_sql(view)).await?;
        }
        let names: Vec<_> = views.iter().map(|view| view.item.clone()).collect();
        sql("delete from item where item <> all($1)").bind(names).execute(&mut *db).await?;
        self.commit().await
    }
}

/// Runs a statement that was made of names which the rules allow.
async fn run(db: &mut PgConnection, statement: String) -> Result<(), DerivedError> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(db).await?;
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The view of an item.
fn view_sql(view: &ItemView) -> String {
    let column = |(name, column): &(String, Column)| {
        let key = name.replace('\'', "''");
        let value = match column {
            Column::Text => format!("i.data ->> '{key}'"),
            Column::Number => format!("(i.data ->> '{key}')::double precision"),
            Column::Integer => format!("(i.data ->> '{key}')::bigint"),
            Column::Boolean => format!("(i.data ->> '{key}')::boolean"),
            Column::Json => format!("nullif((i.data -> '{key}')::text, 'null')::json"),
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

async fn clear(db: &mut PgConnection, kind: Kind, ids: &[UrlId]) -> Result<(), DerivedError> {
    let statements: &[&'static str] = match kind {
        Kind::Metadata => {
            &["delete from meta_value where url_id = any($1)", "delete from page_fact where url_id = any($1)"]
        }
        Kind::Articles => &["delete from article where url_id = any($1)"],
        Kind::Items => &["delete from item where url_id = any($1)"],
    };
    for statement in statements {
        sql(statement).bind(ids).execute(&mut *db).await?;
    }
    if kind == Kind::Articles && !ids.is_empty() {
        sql("delete from meta where key = $1").bind(COMPARED).execute(db).await?;
    }
    Ok(())
}

async fn insert_metadata(db: &mut PgConnection, pages: &[&Derived]) -> Result<(), DerivedError> {
    let (mut ids, mut numbers, mut positions): (Vec<UrlId>, Vec<i32>, Vec<i32>) = Default::default();
    let (mut sources, mut names, mut texts): (Vec<&str>, Vec<_>, Vec<_>) = Default::default();
    let found = || pages.iter().filter_map(|page| page.metadata.as_ref().map(|metadata| (page.id, metadata)));
    for (id, (values, _)) in found() {
        for (number, value) in (0..).zip(values) {
            ids.push(id);
            numbers.push(number);
            positions.push(value.position.cast_signed());
            sources.push(value.source.as_str());
            names.push(value.name.as_str());
            texts.push(value.value.as_deref());
        }
    }
    sql("insert into meta_value (url_id, number, source, name, value, position)
         select * from unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::int[])")
    .bind(ids)
    .bind(numbers)
    .bind(sources)
    .bind(names)
    .bind(texts)
    .bind(positions)
    .execute(&mut *db)
    .await?;
    for (id, (_, data)) in found() {
        sql("insert into page_fact (url_id, type, title, description, image, site_name, author, published_at, modified_at,
                 price, currency, availability, language, words)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)")
        .bind(id)
        .bind(&data.kind)
        .bind(&data.title)
        .bind(&data.description)
        .bind(&data.image)
        .bind(&data.site_name)
        .bind(&data.author)
        .bind(&data.published_at)
        .bind(&data.modified_at)
        .bind(data.price)
        .bind(&data.currency)
        .bind(&data.availability)
        .bind(&data.language)
        .bind(bigint(data.words))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

async fn insert_articles(db: &mut PgConnection, pages: &[&Derived]) -> Result<(), DerivedError> {
    for page in pages {
        let Some((article, simhash)) = &page.article else { continue };
        sql("insert into article (url_id, title, author, published_at, language, words, simhash, text, markdown)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(page.id)
        .bind(&article.title)
        .bind(&article.author)
        .bind(&article.published_at)
        .bind(&article.language)
        .bind(bigint(article.words))
        .bind(simhash.map(u64::cast_signed))
        .bind(&article.text)
        .bind(&article.markdown)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

async fn insert_items(db: &mut PgConnection, pages: &[&Derived]) -> Result<(), DerivedError> {
    let (mut ids, mut numbers, mut positions): (Vec<UrlId>, Vec<i32>, Vec<i32>) = Default::default();
    let (mut names, mut data): (Vec<&str>, Vec<String>) = Default::default();
    for page in pages {
        for (number, item) in (0..).zip(&page.items) {
            ids.push(page.id);
            numbers.push(number);
            positions.push(item.position.cast_signed());
            names.push(&item.item);
            data.push(serde_json::json!(item.data).to_string());
        }
    }
    sql("insert into item (url_id, number, item, position, data)
         select id, number, item, position, data::json
         from unnest($1::bigint[], $2::int[], $3::text[], $4::int[], $5::text[]) i (id, number, item, position, data)")
    .bind(ids)
    .bind(numbers)
    .bind(names)
    .bind(positions)
    .bind(data)
    .execute(db)
    .await?;
    Ok(())
}
