//! Taking a crawl over from another database.

use std::fmt::Write as _;
use std::path::PathBuf;

use sqlx::AssertSqlSafe;

use crate::store::StoreError;
use crate::store::copies::{MARK, Table, Takes};
use crate::store::failed::Failed;
use crate::store::tables::Transactions as _;
use crate::store::value::Value;

use super::database::PgDatabase;
use super::domains;
use super::rows::{clean, hash, scalar, sql};

impl Takes for PgDatabase {
    fn path(&self) -> PathBuf {
        self.name.as_str().into()
    }

    async fn must_be_free(&mut self) -> Result<(), StoreError> {
        // Each is a transaction: a pool may give the next statement another connection.
        self.open_transaction().await?;
        self.refuse_beside("").await?;
        Ok(self.commit_transaction().await?)
    }

    async fn mark(&mut self) -> Result<Option<String>, StoreError> {
        loop {
            match self.stored_mark().await {
                Ok(mark) => return Ok(mark),
                Err(error) => self.wait_out(error, self.config.max_wait).await?,
            }
        }
    }

    async fn is_empty(&mut self) -> Result<bool, StoreError> {
        self.open_transaction().await?;
        let empty = scalar("select not exists (select 1 from url) and not exists (select 1 from run)");
        let empty = empty.fetch_one(&mut self.db).await.map_err(StoreError::database)?;
        self.commit_transaction().await?;
        Ok(empty)
    }

    async fn columns(&mut self, table: &Table) -> Result<Vec<String>, StoreError> {
        self.open_transaction().await?;
        // Who holds a host and what an invocation stored of it are another's matter, and the hash is made anew.
        let columns = scalar(
            "select attname::text from pg_attribute
             where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attname not in ('holder', 'stored', 'stored_in')
                 and not ($1 in ('url', 'probe') and attname = 'hash')
             order by attnum",
        );
        let columns = columns.bind(table.name_on(true)).fetch_all(&mut self.db);
        let columns = columns.await.map_err(StoreError::database)?;
        self.commit_transaction().await?;
        Ok(columns)
    }

    async fn put(
        &mut self,
        table: &Table,
        columns: &[String],
        rows: &[Vec<Value>],
        mark: &str,
    ) -> Result<(), StoreError> {
        self.open_transaction().await?;
        let written = self.write(table, columns, rows, mark).await;
        if written.is_err() {
            self.undo_transaction().await;
        }
        Ok(written?)
    }

    async fn complete(&mut self) -> Result<(), StoreError> {
        Ok(self.go_on_behind().await?)
    }
}

/// Tables whose rows get numbers from the database.
const NUMBERED: [&str; 8] = ["host", "request", "change", "old_content", "version", "seed_line", "run", "probe"];

impl PgDatabase {
    async fn stored_mark(&mut self) -> Result<Option<String>, Failed> {
        self.open_transaction().await?;
        let mark = scalar("select value from meta where key = $1").bind(MARK).fetch_optional(&mut self.db).await?;
        self.commit_transaction().await?;
        Ok(mark)
    }

    async fn write(
        &mut self,
        table: &Table,
        columns: &[String],
        rows: &[Vec<Value>],
        mark: &str,
    ) -> Result<(), Failed> {
        let url = columns.iter().position(|column| column == "url").filter(|_| matches!(table.name, "url" | "probe"));
        let mut names = columns.join(", ");
        if url.is_some() {
            names.push_str(", hash");
        }
        let mut text = String::new();
        for row in rows {
            for (at, value) in row.iter().enumerate() {
                if at > 0 {
                    text.push('\t');
                }
                put(&mut text, value);
            }
            if let Some(Value::Text(url)) = url.and_then(|at| row.get(at)) {
                text.push('\t');
                put(&mut text, &Value::Blob(hash(url)));
            }
            text.push('\n');
        }
        if !rows.is_empty() {
            let copy = format!("copy {} ({names}) from stdin", table.name_on(true));
            let mut copy = self.db.copy_in_raw(&copy).await?;
            copy.send(text.as_bytes()).await?;
            copy.finish().await?;
        }
        let set = sql("insert into meta (key, value) values ($1, $2) on conflict (key) do update set value = $2");
        set.bind(MARK).bind(mark).execute(&mut self.db).await?;
        self.commit_transaction().await
    }

    async fn go_on_behind(&mut self) -> Result<(), Failed> {
        self.open_transaction().await?;
        for table in NUMBERED {
            let set = format!(
                "select setval(pg_get_serial_sequence('{table}', 'id'), max(id)) from {table} having max(id) is not null"
            );
            sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut self.db).await?;
        }
        sqlx::raw_sql(
            "select setval('url_id', max(id)) from url having max(id) is not null;
             -- The first block behind all.
             select setval('trap_block', (max(id) / 4294967296 + 1) * 4294967296 + 1, false) from trap
                 having max(id) is not null",
        )
        .execute(&mut self.db)
        .await?;
        sql("delete from meta where key = $1").bind(MARK).execute(&mut self.db).await?;
        domains::complete(&mut self.db).await?;
        self.commit_transaction().await?;
        // What questions are planned by.
        sqlx::raw_sql("analyze host, url, page, content, link, request").execute(&mut self.db).await?;
        Ok(())
    }
}

/// A value in the text form of `copy` (https://www.postgresql.org/docs/current/sql-copy.html).
fn put(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("\\N"),
        Value::Integer(number) => out.push_str(&number.to_string()),
        Value::Real(number) => out.push_str(&number.to_string()),
        Value::Text(text) => {
            for c in clean(text).chars() {
                match c {
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\t' => out.push_str("\\t"),
                    c => out.push(c),
                }
            }
        }
        Value::Blob(bytes) => {
            out.push_str("\\\\x");
            for byte in bytes {
                let _ = write!(out, "{byte:02x}");
            }
        }
    }
}
