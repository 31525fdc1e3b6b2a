//! The full-text index, brought up to date from what the commits noted, bit by bit, beside a crawl too.

use sqlx::{PgConnection, Row as _};

use crate::store::StoreError;
use crate::visit::UrlId;

use super::database;
use super::rows::{scalar, sql};
use super::words::Words;

/// Pages that one transaction takes in, for a commit about one of them waits for it; and characters of a text that are read.
const PAGES: i64 = 16;
const CHARACTERS: i32 = 1_000_000;

/// Why the index cannot be brought up to date: what the database says.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct IndexError(String);

impl From<sqlx::Error> for IndexError {
    fn from(error: sqlx::Error) -> Self {
        Self(match error {
            sqlx::Error::Database(error) => error.message().to_owned(),
            other => other.to_string(),
        })
    }
}

impl From<rusqlite::Error> for IndexError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

/// Brings pages into the index, in short transactions. If it is killed, what it has committed stays.
#[derive(Debug)]
pub struct Indexer {
    db: PgConnection,
}

impl Indexer {
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Ok(Self { db: database::connect(url).await?.0 })
    }

    /// Indexes what waits, until `go_on` (told how many are done and how many wait) says no. Pages that are stored meanwhile
    /// are left to the next time, so that this ends however fast a crawl is.
    pub async fn run(&mut self, mut go_on: impl FnMut(i64, i64) -> bool) -> Result<(), IndexError> {
        sqlx::raw_sql("begin").execute(&mut self.db).await?;
        let mut left: i64 = scalar("select count(*) from unindexed").fetch_one(&mut self.db).await?;
        sqlx::raw_sql("commit").execute(&mut self.db).await?;
        let mut done = 0;
        while left > 0 && go_on(done, left) {
            sqlx::raw_sql("begin").execute(&mut self.db).await?;
            let indexed = self.step(left.min(PAGES)).await?;
            sqlx::raw_sql("commit").execute(&mut self.db).await?;
            if indexed == 0 {
                break;
            }
            (done, left) = (done + indexed, left - indexed);
        }
        Ok(())
    }

    async fn step(&mut self, at_most: i64) -> Result<i64, IndexError> {
        // Before the words are read: who changes them from now on waits, and notes them again.
        let notes = scalar(
            "delete from unindexed where url_id in
                 (select url_id from unindexed order by url_id limit $1 for update skip locked) returning url_id",
        );
        let ids: Vec<UrlId> = notes.bind(at_most).fetch_all(&mut self.db).await?;
        let pages = sql("select p.url_id, p.title, p.description, left(c.text, $2) as text
             from page p left join content c on c.url_id = p.url_id where p.url_id = any($1)");
        let pages = pages.bind(&ids).bind(CHARACTERS).fetch_all(&mut self.db).await?;
        let (mut found, mut vectors): (Vec<UrlId>, Vec<String>) = (vec![], vec![]);
        let words = Words::new()?;
        for page in &pages {
            found.push(page.get("url_id"));
            vectors.push(words.vector([page.get("title"), page.get("description"), page.get("text")])?);
        }
        drop(words);
        sql("insert into page_index (url_id, words)
             select id, words::tsvector from unnest($1::bigint[], $2::text[]) v (id, words)
             on conflict (url_id) do update set words = excluded.words")
        .bind(found)
        .bind(vectors)
        .execute(&mut self.db)
        .await?;
        Ok(i64::try_from(ids.len()).unwrap_or(i64::MAX))
    }
}
