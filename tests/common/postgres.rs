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
            let said =
                "skipped: tests on PostgreSQL; `.ci/postgres cargo test --test store --test postgres` runs them\n";
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

    pub async fn connect(&self) -> PgConnection {
        let mut db = PgConnection::connect(&self.url).await.unwrap();
        let create = format!("create schema if not exists {}", self.name);
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut db).await.unwrap();
        db
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
        let mut db = self.connect().await;
        // Without arguments, all answers come as text.
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut db).await.unwrap();
        db.close().await.unwrap();
        let cell = |row: &PgRow, at: usize| {
            let value = row.try_get_raw(at).unwrap();
            match (value.is_null(), value.type_info().name()) {
                (true, _) => String::new(),
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
        let url = std::mem::take(&mut self.url);
        let dropped = async move {
            let mut db = PgConnection::connect(&url).await?;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await
        };
        // The runtime of the test cannot wait for it here.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let _ = std::thread::spawn(move || runtime.map(|runtime| runtime.block_on(dropped).is_ok())).join();
    }
}
