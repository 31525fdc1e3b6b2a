//! The connection, on a thread of its own: whoever reads waits for its answers and needs no runtime, within one or not.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Column as _, Executor as _, PgConnection, Row as _, SqlSafeStr as _, Statement as _};
use tokio::runtime::Runtime;

use crate::read::error::ReadError;
use crate::store::postgres::peek::{self, Peeked};

use super::answer::Batch;
use super::template::first_word;

/// Begins a transaction that sees the database as of its first question and cannot write. What is read is read to its end,
/// and bytes come in the form in which they are read here. A statement takes an hour at most, unless the user, the database
/// or the URL says otherwise.
const BEGIN: &str = "begin isolation level repeatable read, read only;
    set local bytea_output = 'hex'; set local extra_float_digits = 1; set local cursor_tuple_fraction = 1;
    select set_config('statement_timeout', coalesce(nullif(current_setting('statement_timeout'), '0'), '1h'), true)";

/// What a statement that only reads begins with.
const READS: [&str; 4] = ["select", "with", "values", "table"];

type Job = Box<dyn FnOnce(&Runtime, &mut Server) + Send>;

/// The thread, which ends with this value.
#[derive(Debug)]
pub struct Session(Sender<Job>);

type Opened = Result<(String, bool), ReadError>;

impl Session {
    /// Connects; also answers with what the database is called in messages, and whether it is of an earlier version.
    pub fn open(url: String) -> Result<(Self, String, bool), ReadError> {
        let (jobs, todo) = channel();
        let (tell, told) = sync_channel(1);
        let thread = std::thread::Builder::new().name("reader".to_owned());
        thread.spawn(move || work(&url, &tell, todo)).map_err(|e| ReadError::Failed { problem: e.to_string() })?;
        let (name, is_of_an_earlier_version) = told.recv().unwrap_or_else(|_| Err(lost()))?;
        Ok((Self(jobs), name, is_of_an_earlier_version))
    }

    /// Has the thread do something, and waits for what comes of it.
    pub fn ask<T: Send + 'static>(
        &self,
        job: impl AsyncFnOnce(&mut Server) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let (tell, told) = sync_channel(1);
        let job: Job = Box::new(move |runtime, server| drop(tell.send(runtime.block_on(job(server)))));
        // A thread that is gone drops the job, and with it the other end.
        let _ = self.0.send(job);
        told.recv().unwrap_or_else(|_| Err(lost()))
    }

    /// The same without waiting.
    pub fn tell(&self, job: impl AsyncFnOnce(&mut Server) + Send + 'static) {
        let job: Job = Box::new(move |runtime, server| runtime.block_on(job(server)));
        let _ = self.0.send(job);
    }
}

fn lost() -> ReadError {
    ReadError::Failed { problem: "the connection is gone".to_owned() }
}

fn work(url: &str, tell: &SyncSender<Opened>, todo: Receiver<Job>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(e) => return drop(tell.send(Err(ReadError::Failed { problem: e.to_string() }))),
    };
    let Peeked { db, name, is_of_an_earlier_version } = match runtime.block_on(peek::connect(url)) {
        Ok(peeked) => peeked,
        Err(e) => return drop(tell.send(Err(e.into()))),
    };
    let mut server = Server { db, users: 0, cursors: 0, timeout: String::new(), bound: None };
    let _ = tell.send(Ok((name, is_of_an_earlier_version)));
    for job in todo {
        job(&runtime, &mut server);
    }
    let _ = runtime.block_on(sqlx::Connection::close(server.db));
}

/// The connection.
#[derive(Debug)]
pub struct Server {
    db: PgConnection,
    /// Who needs the transaction: it ends with the last.
    users: usize,
    /// The cursors so far, by which they are named.
    cursors: u32,
    /// How long a statement may take, as the server writes it.
    timeout: String,
    /// How long it may take instead.
    bound: Option<String>,
}

impl Server {
    /// Takes part in the transaction, which begins with the first.
    pub async fn enter(&mut self) -> Result<(), ReadError> {
        if self.users == 0 {
            let begun = sqlx::raw_sql(BEGIN).fetch_one(&mut self.db).await;
            self.timeout = begun.map(|row| row.get(0)).map_err(|e| ReadError::of_postgres(&e))?;
            self.be_bound().await?;
        }
        self.users += 1;
        Ok(())
    }

    /// Gives each statement up that takes longer, from now on.
    pub async fn bound(&mut self, time: Duration) -> Result<(), ReadError> {
        self.bound = Some(format!("{}ms", time.as_millis().max(1)));
        if self.users > 0 { self.be_bound().await } else { Ok(()) }
    }

    async fn be_bound(&mut self) -> Result<(), ReadError> {
        if let Some(bound) = self.bound.clone() {
            self.run(format!("set local statement_timeout = '{bound}'")).await?;
            self.timeout = bound;
        }
        Ok(())
    }

    pub async fn leave(&mut self) {
        self.users = self.users.saturating_sub(1);
        if self.users == 0 {
            let _ = self.run("rollback".to_owned()).await;
        }
    }

    /// Opens a cursor and reads its first row. The server takes one statement alone here, and none but a question.
    pub async fn declare(&mut self, sql: &str) -> Result<(u32, Batch), ReadError> {
        self.must_read(sql).await?;
        self.enter().await?;
        let opened = self.first(sql).await;
        if opened.is_err() {
            self.leave().await;
        }
        opened
    }

    async fn first(&mut self, sql: &str) -> Result<(u32, Batch), ReadError> {
        let id = self.open(sql).await.map_err(|e| ReadError::of_postgres(&e))?;
        let mut first = self.fetch(id, 1).await?;
        if first.rows.is_empty() {
            first.columns = self.names(sql).await.map_err(|e| ReadError::of_postgres(&e))?;
        }
        Ok((id, first))
    }

    async fn open(&mut self, sql: &str) -> Result<u32, sqlx::Error> {
        self.cursors = self.cursors.wrapping_add(1);
        let declare = AssertSqlSafe(format!("declare c{} no scroll cursor for {sql}", self.cursors));
        sqlx::query(declare).persistent(false).execute(&mut self.db).await?;
        Ok(self.cursors)
    }

    pub async fn fetch(&mut self, id: u32, rows: usize) -> Result<Batch, ReadError> {
        // Of the simple protocol, all answers are text. What is asked may change settings, and it is not to take for ever.
        let sql = format!("set local statement_timeout = '{}'; fetch {rows} from c{id}", self.timeout);
        let answer = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.db);
        answer.await.and_then(|answer| Batch::read(&answer, rows)).map_err(|e| ReadError::of_postgres(&e))
    }

    pub async fn close(&mut self, id: u32) {
        if self.users > 1 {
            let _ = self.run(format!("close c{id}")).await;
        }
        self.leave().await;
    }

    /// The names of the columns of a question, which is planned and not asked.
    pub async fn describe(&mut self, sql: &str) -> Result<Vec<String>, ReadError> {
        self.must_read(sql).await?;
        self.enter().await?;
        let names = match self.open(sql).await {
            Ok(id) => {
                let names = self.names(sql).await;
                let _ = self.run(format!("close c{id}")).await;
                names
            }
            Err(e) => Err(e),
        };
        self.leave().await;
        names.map_err(|e| ReadError::of_postgres(&e))
    }

    /// What the server understands and is no question does more than read.
    async fn must_read(&mut self, sql: &str) -> Result<(), ReadError> {
        if READS.contains(&&*first_word(sql)) {
            return Ok(());
        }
        match self.parse(sql).await? {
            Err(e) if e.as_database_error().and_then(|e| e.code()).as_deref() == Some("42601") => {
                Err(ReadError::of_postgres(&e))
            }
            _ => Err(ReadError::Refused),
        }
    }

    async fn parse(&mut self, sql: &str) -> Result<Result<Vec<String>, sqlx::Error>, ReadError> {
        self.enter().await?;
        let names = self.names(sql).await;
        self.leave().await;
        Ok(names)
    }

    async fn names(&mut self, sql: &str) -> Result<Vec<String>, sqlx::Error> {
        let statement = (&mut self.db).prepare(AssertSqlSafe(sql.to_owned()).into_sql_str()).await?;
        let names = statement.columns().iter().map(|column| column.name().to_owned()).collect();
        sqlx::raw_sql("deallocate all").execute(&mut self.db).await?;
        Ok(names)
    }

    async fn run(&mut self, sql: String) -> Result<(), ReadError> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.db).await;
        done.map(drop).map_err(|e| ReadError::of_postgres(&e))
    }
}
