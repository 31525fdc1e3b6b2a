//! A tiny harness: the real binary in a folder of its own, against servers on 127.0.0.1.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part; a test may panic")]

pub mod pool;
pub mod postgres;
pub mod proxy;
pub mod site;
pub mod web;

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

pub struct Bench {
    pub dir: tempfile::TempDir,
    /// Where commands that name no database find it; crawl.db if there is none.
    pub schema: Option<postgres::Schema>,
}

impl Bench {
    /// On SQLite; with `HARVESTMAN_TEST_ON=postgres`, on the server that `HARVESTMAN_TEST_POSTGRES` names.
    pub fn new() -> Self {
        let on_postgres = std::env::var("HARVESTMAN_TEST_ON").is_ok_and(|store| store == "postgres");
        let schema = on_postgres.then(|| postgres::Schema::new().unwrap());
        if let Some(schema) = &schema {
            schema.create();
        }
        Self { schema, ..Self::on_sqlite() }
    }

    pub fn on_sqlite() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), schema: None }
    }

    /// The names of the columns of a view, as the program shows them.
    pub async fn columns(&self, view: &str) -> String {
        let output = self.run(&["query", &format!("select * from {view} limit 0"), "--format", "csv"]).await;
        stdout(&output).trim_end().replace(',', ", ")
    }

    /// What the database of this bench is called.
    pub fn database(&self) -> String {
        match &self.schema {
            Some(schema) => schema.url.clone(),
            None => self.path("crawl.db").display().to_string(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harvestman"));
        command.args(args).current_dir(self.dir.path()).env_remove("HTTP_PROXY").env_remove("http_proxy");
        // It is the tests' own, and no option's.
        for own in ["HARVESTMAN_TEST_POSTGRES", "HARVESTMAN_TEST_POSTGRES_RESTART", "HARVESTMAN_TEST_ON"] {
            command.env_remove(own);
        }
        if let Some(schema) = &self.schema {
            command.env("HARVESTMAN_DATABASE", &schema.url);
        }
        command
    }

    /// Runs to the end without blocking the servers of the test.
    pub async fn run(&self, args: &[&str]) -> Output {
        let mut command = self.command(args);
        tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output().unwrap()).await.unwrap()
    }

    pub fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Rows of a query on the database, cells as text joined by `|`.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        if let Some(schema) = &self.schema {
            return schema.rows_or(sql, "null").await;
        }
        let options = SqliteConnectOptions::new().filename(self.path("crawl.db")).read_only(true);
        let mut db = SqliteConnection::connect_with(&options).await.unwrap();
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut db).await.unwrap();
        rows.iter()
            .map(|row| {
                let cell = |i| match row.try_get_unchecked::<Option<Vec<u8>>, _>(i).unwrap() {
                    Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                    None => "null".to_owned(),
                };
                (0..row.len()).map(cell).collect::<Vec<_>>().join("|")
            })
            .collect()
    }
}

impl Bench {
    /// Of two wordings the one for the database of this bench: functions are each database's own.
    pub fn either<'a>(&self, on_sqlite: &'a str, on_postgres: &'a str) -> &'a str {
        if self.schema.is_some() { on_postgres } else { on_sqlite }
    }

    /// The shortest time between two requests to one host on 127.0.0.1, in milliseconds, by the crawler's own account.
    pub async fn closest_requests(&self) -> f64 {
        let at = self.either("(julianday(at) - 2440587.5) * 86400000", "extract(epoch from at::timestamptz) * 1000");
        let gaps = format!(
            "select f.at - lag(f.at) over (partition by substr(f.url, 1, 22) order by f.at) as gap
             from (select {at} as at, url from fetches) f"
        );
        self.rows(&format!("select min(gap) from ({gaps}) g")).await[0].parse().unwrap()
    }

    /// Kills a crawl. On PostgreSQL, others would wait for its lease, which ends here.
    pub async fn kill(&self, child: &mut Child) {
        child.kill().unwrap();
        child.wait().unwrap();
        if let Some(schema) = &self.schema {
            schema.lapse().await;
        }
    }

    /// Sees that a file is not damaged. A server sees to that itself.
    pub async fn must_be_sound(&self) {
        if self.schema.is_none() {
            assert_eq!(self.rows("pragma integrity_check").await, ["ok"]);
        }
    }

    /// Changes the database behind the crawler's back.
    pub async fn write(&self, sql: &str) {
        if let Some(schema) = &self.schema {
            return schema.execute(sql.to_owned()).await;
        }
        let options = SqliteConnectOptions::new().filename(self.path("crawl.db"));
        let mut db = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut db).await.unwrap();
        db.close().await.unwrap();
    }
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The closing summary of `crawl --json`; says what went wrong if there is none.
pub fn summary(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", stderr(output)))
}

/// A page with links and nothing else.
pub fn page<S: AsRef<str>>(links: impl IntoIterator<Item = S>) -> harvestman::demo::Reply {
    let link = |link: S| format!("<a href='{0}'>{0}</a> ", link.as_ref());
    harvestman::demo::Reply::html(links.into_iter().map(link).collect::<String>())
}

/// Waits for an event of another process, and not for ever.
pub async fn until(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !happened() {
        assert!(std::time::Instant::now() < deadline, "waited a minute for {what}");
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

/// Sends a signal by its name.
pub fn send(signal: &str, child: &Child) {
    let command = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
}

/// Waits for the end of a process.
pub async fn ended(child: &mut Child) -> ExitStatus {
    let mut status = None;
    until("the end of the crawl", || {
        status = child.try_wait().unwrap();
        status.is_some()
    })
    .await;
    status.unwrap()
}
