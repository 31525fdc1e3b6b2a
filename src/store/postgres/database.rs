//! A connection to the database, and this process's lease on what it holds.

use std::str::FromStr as _;
use std::time::{Duration, Instant};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};

use crate::config::Config;
use crate::store::StoreError;
use crate::store::failed::Failed;
use crate::store::tables::Transactions;
use crate::visit::{Lease, SteadyClock};

use super::contents::Contents;
use super::passing;
use super::schema::{self, open_error};

/// How long a server is waited for that cannot be reached.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it is waited for that a transaction is undone.
const UNDONE: Duration = Duration::from_secs(5);
/// Between two tries to connect to one that starts.
const PAUSE: Duration = Duration::from_millis(500);

/// A crawl in a PostgreSQL database, of which several processes may be part.
#[derive(Debug)]
pub struct PgDatabase {
    pub(super) db: PgConnection,
    /// For when the connection is lost.
    options: PgConnectOptions,
    /// Its URL without user, password and parameters.
    pub(super) name: String,
    /// Which process this is, for people.
    pub(super) node: String,
    pub(super) lease: Lease,
    pub(super) clock: SteadyClock,
    pub(super) config: Config,
    /// The number of the invocation that this process takes part in.
    pub(super) invocation: i64,
    /// Texts and bodies that the transaction has still to write.
    pub(super) contents: Contents,
    /// How long it waited since the last report for rows that all nodes change.
    pub(super) waited: Duration,
    /// What is to be said once the transaction is committed.
    pub(super) news: Vec<String>,
}

impl PgDatabase {
    /// Connects, and brings the schema up to date. A server that was reached once is waited for.
    pub async fn open(url: &str, config: &Config) -> Result<Self, StoreError> {
        let patience = PATIENCE.min(config.max_wait);
        let (db, options, name) = connect_within(url, patience).await?;
        let node = config.node.clone().unwrap_or_else(this_process);
        let (clock, lease) = (SteadyClock::unset(), Lease::new(config.lease));
        let (contents, waited, news, config) = (Contents::default(), Duration::ZERO, Vec::new(), config.clone());
        let mut database =
            Self { db, options, name, node, lease, clock, config, invocation: 0, contents, waited, news };
        while let Err(error) = database.prepare().await {
            database.wait_out(error, database.config.max_wait).await?;
        }
        Ok(database)
    }

    async fn prepare(&mut self) -> Result<(), Failed> {
        schema::migrate(&mut self.db, &self.name).await?;
        let asked = Lease::asked();
        let now = sqlx::raw_sql("select (extract(epoch from clock_timestamp()) * 1000)::bigint");
        self.clock.follow(asked, now.fetch_one(&mut self.db).await?.get(0));
        Ok(())
    }

    /// The transaction is undone, or its connection is lost.
    pub(super) fn forget_unwritten(&mut self) {
        (self.contents, self.news) = Default::default();
    }

    /// Another connection.
    pub(super) async fn reach(&self) -> Result<PgConnection, StoreError> {
        connect_with(&self.options, &self.name, Duration::ZERO).await
    }
}

/// The machine's name and the number of the process.
fn this_process() -> String {
    let machine = rustix::system::uname();
    format!("{}/{}", machine.nodename().to_string_lossy(), std::process::id())
}

/// A connection that leaves nothing behind in the server's session, how it was made, and what the database is called in
/// messages.
pub(super) async fn connect(url: &str) -> Result<(PgConnection, PgConnectOptions, String), StoreError> {
    connect_within(url, PATIENCE).await
}

async fn connect_within(url: &str, patience: Duration) -> Result<(PgConnection, PgConnectOptions, String), StoreError> {
    let options = options(url)?;
    let name = name(&options);
    // Of the libraries for TLS that the crates bring, one is chosen; otherwise `sslmode=verify-ca` would find two.
    if CryptoProvider::get_default().is_none() {
        let _ = aws_lc_rs::default_provider().install_default();
    }
    let options = options
        .application_name("harvestman")
        // Not every pool knows it, and no number is of such a type.
        .extra_float_digits(None)
        .statement_cache_capacity(0)
        .disable_statement_logging();
    Ok((connect_with(&options, &name, patience).await?, options, name))
}

/// Waits for an answer, and up to `patience` for a server that is there and starts; both together no longer than [`PATIENCE`].
async fn connect_with(options: &PgConnectOptions, name: &str, patience: Duration) -> Result<PgConnection, StoreError> {
    let began = Instant::now();
    loop {
        let left = PATIENCE.saturating_sub(began.elapsed());
        match tokio::time::timeout(left, PgConnection::connect_with(options)).await {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(e)) if passing::is_starting(&e) && began.elapsed() + PAUSE < patience => {
                tokio::time::sleep(PAUSE).await;
            }
            Ok(Err(e)) => return Err(open_error(name, &e)),
            Err(_) => {
                let problem = format!("no answer within {}", humantime::format_duration(PATIENCE));
                return Err(StoreError::Open { path: name.into(), problem });
            }
        }
    }
}

impl Transactions for PgDatabase {
    async fn open_transaction(&mut self) -> Result<(), Failed> {
        // A process that is stopped in the middle of one must not keep others from its hosts for longer than its lease.
        let idle = self.lease.length().as_millis() / 2;
        let begin = format!("begin; set local idle_in_transaction_session_timeout = {idle}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(begin)).execute(&mut self.db).await?;
        Ok(())
    }

    async fn commit_transaction(&mut self) -> Result<(), Failed> {
        sqlx::raw_sql("commit").execute(&mut self.db).await?;
        self.news.drain(..).for_each(|news| tracing::warn!("{news}"));
        Ok(())
    }

    async fn undo_transaction(&mut self) {
        self.forget_unwritten();
        // A connection that does not answer even that is lost, and the transaction with it.
        let _ = tokio::time::timeout(UNDONE, sqlx::raw_sql("rollback").execute(&mut self.db)).await;
    }
}

/// Whether a database is named by a URL of PostgreSQL.
pub fn is_postgres(database: &str) -> bool {
    // A scheme is the same in capitals (RFC 3986, section 3.1).
    let is_scheme = |scheme: &str| ["postgres", "postgresql"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    database.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme))
}

/// What a URL says. Nothing is shown of one that cannot be: its password may have become anything else.
fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let refuse = |problem: &str| StoreError::Open { path: "postgres://…".into(), problem: problem.to_owned() };
    let form = || refuse("it is not of the form postgres://user@host:port/database");
    let parsed = url::Url::parse(url).map_err(|_| form())?;
    if parsed[url::Position::BeforePath..].contains('@') {
        return Err(refuse("in its user and password, `/`, `?`, `#` and `@` are written as %2F, %3F, %23 and %40"));
    }
    PgConnectOptions::from_str(url).map_err(|_| form())
}

/// The URL of a database without its user, password and parameters.
fn name(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or(options.get_username());
    match options.get_socket() {
        Some(socket) => format!("postgres://{}/{database}", socket.display()),
        None => format!("postgres://{}:{}/{database}", options.get_host(), options.get_port()),
    }
}
