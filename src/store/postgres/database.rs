//! A connection to the database, and this process's lease on what it holds.

use std::str::FromStr as _;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};

use crate::config::Config;
use crate::store::StoreError;
use crate::store::failed::Failed;
use crate::store::tables::Transactions;
use crate::visit::{Lease, Millis, SteadyClock};

use super::contents::Contents;
use super::schema::{self, open_error};

/// How long a server is waited for that cannot be reached.
const PATIENCE: Duration = Duration::from_secs(30);

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
}

impl PgDatabase {
    /// Connects, and brings the schema up to date.
    pub async fn open(url: &str, config: &Config) -> Result<Self, StoreError> {
        let (mut db, options, name) = connect(url).await?;
        schema::migrate(&mut db, &name).await?;
        let node = config.node.clone().unwrap_or_else(this_process);
        let clock = SteadyClock::at(time(&mut db).await?);
        let lease = Lease::new(config.lease);
        let (contents, config) = (Contents::default(), config.clone());
        Ok(Self { db, options, name, node, lease, clock, config, invocation: 0, contents })
    }

    /// Another connection.
    pub(super) async fn reach(&self) -> Result<PgConnection, StoreError> {
        connect_with(&self.options, &self.name).await
    }
}

/// The server's.
async fn time(db: &mut PgConnection) -> Result<Millis, Failed> {
    let now = sqlx::raw_sql("select (extract(epoch from clock_timestamp()) * 1000)::bigint").fetch_one(db).await?;
    Ok(now.get(0))
}

/// The machine's name and the number of the process.
fn this_process() -> String {
    let machine = rustix::system::uname();
    format!("{}/{}", machine.nodename().to_string_lossy(), std::process::id())
}

/// A connection that leaves nothing behind in the server's session, how it was made, and what the database is called in
/// messages.
pub(super) async fn connect(url: &str) -> Result<(PgConnection, PgConnectOptions, String), StoreError> {
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
    Ok((connect_with(&options, &name).await?, options, name))
}

async fn connect_with(options: &PgConnectOptions, name: &str) -> Result<PgConnection, StoreError> {
    match tokio::time::timeout(PATIENCE, PgConnection::connect_with(options)).await {
        Ok(connected) => connected.map_err(|e| open_error(name, &e)),
        Err(_) => {
            let problem = format!("no answer within {}", humantime::format_duration(PATIENCE));
            Err(StoreError::Open { path: name.into(), problem })
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
        Ok(())
    }

    async fn undo_transaction(&mut self) {
        self.contents = Contents::default();
        let _ = sqlx::raw_sql("rollback").execute(&mut self.db).await;
    }
}

/// Whether a database is named by a URL of PostgreSQL.
pub fn is_postgres(database: &str) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| database.starts_with(scheme))
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
