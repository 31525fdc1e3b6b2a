//! A schema of its own on the server that `HARVESTMAN_TEST_POSTGRES` names.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part; a test may panic")]

use std::io::Write as _;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, TypeInfo as _, ValueRef as _};

/// It is dropped with this value.
pub struct Schema {
    pub url: String,
    name: String,
}

impl Schema {
    /// None, and a line that says so, if no server is named.
    pub fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        static SKIPPED: Once = Once::new();
        let Ok(server) = std::env::var("HARVESTMAN_TEST_POSTGRES") else {
            // Not by a macro, whose output a test that passes keeps for itself.
            let said = "skipped: tests on PostgreSQL; `.ci/postgres cargo test --test store --test postgres --test copy` runs them\n";
            SKIPPED.call_once(|| std::io::stderr().write_all(said.as_bytes()).unwrap());
            return None;
        };
        let since = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("harvestman_{since}_{}_{number}", std::process::id());
        let mut url = url::Url::parse(&server).unwrap();
        url.query_pairs_mut().append_pair("options[search_path]", &name);
        Some(Self { url: url.into(), name })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub async fn connect(&self) -> PgConnection {
        let mut db = PgConnection::connect(&self.url).await.unwrap();
        let create = format!("create schema if not exists {}", self.name);
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut db).await.unwrap();
        db
    }

    /// Makes the schema itself.
    pub fn create(&self) {
        let (url, sql) = (self.url.clone(), format!("create schema if not exists {}", self.name));
        assert!(apart(url, sql), "the server of HARVESTMAN_TEST_POSTGRES can be used");
    }

    pub async fn execute(&self, sql: String) {
        let mut db = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
        db.close().await.unwrap();
    }

    /// Lets the leases end of those who were dropped or killed.
    pub async fn lapse(&self) {
        let lapse =
            "do $$ begin update node set leased_until = now(); exception when undefined_table then null; end $$";
        self.execute(lapse.to_owned()).await;
    }

    /// Rows of a query, cells as text joined by `|`; null is empty.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        self.rows_or(sql, "").await
    }

    /// The same, with what is to stand for null.
    pub async fn rows_or(&self, sql: &str, null: &str) -> Vec<String> {
        let mut db = self.connect().await;
        // Without arguments, all answers come as text.
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut db).await.unwrap();
        db.close().await.unwrap();
        let cell = |row: &PgRow, at: usize| {
            let value = row.try_get_raw(at).unwrap();
            match (value.is_null(), value.type_info().name()) {
                (true, _) => null.to_owned(),
                (_, "BYTEA") => String::from_utf8_lossy(&bytes(value.as_str().unwrap())).into_owned(),
                (_, "BOOL") => u8::from(value.as_str().unwrap() == "t").to_string(),
                _ => value.as_str().unwrap().to_owned(),
            }
        };
        rows.iter().map(|row| (0..row.len()).map(|at| cell(row, at)).collect::<Vec<_>>().join("|")).collect()
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let sql = format!("drop schema if exists {} cascade", self.name);
        apart(std::mem::take(&mut self.url), sql);
    }
}

/// Bytes as the server writes them.
fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.strip_prefix("\\x").unwrap().as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Runs a statement where the runtime of the test cannot wait for it. Answers with whether that went well.
fn apart(url: String, sql: String) -> bool {
    let done = async move {
        let mut db = PgConnection::connect(&url).await?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    std::thread::spawn(move || runtime.is_ok_and(|runtime| runtime.block_on(done).is_ok())).join().unwrap_or(false)
}
