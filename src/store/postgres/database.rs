//! A connection to the database, and this process's lease on what it holds.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use crate::store::StoreError;
use crate::store::failed::Failed;
use crate::store::tables::Transactions;

use super::contents::Contents;
use super::rows::scalar;
use super::schema::{self, open_error};

/// How long what a silent process holds stays its own.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// How long a server is waited for that cannot be reached.
const PATIENCE: Duration = Duration::from_secs(30);

/// A crawl in a PostgreSQL database, of which several processes may be part.
#[derive(Debug)]
pub struct PgDatabase {
    pub(super) db: PgConnection,
    /// Its URL without user, password and parameters.
    pub(super) name: String,
    /// Which process this is, for people.
    pub(super) node: String,
    /// Texts and bodies that the transaction has still to write.
    pub(super) contents: Contents,
}

impl PgDatabase {
    /// Connects, and brings the schema up to date. Refused while another invocation holds its lease.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let (mut db, name) = connect(url).await?;
        schema::migrate(&mut db, &name).await?;
        let node = format!("process {}", std::process::id());
        let mut database = Self { db, name, node, contents: Contents::default() };
        database.open_transaction().await?;
        database.refuse_if_in_use().await?;
        database.commit_transaction().await?;
        Ok(database)
    }
}

impl PgDatabase {
    /// Whether another invocation holds its lease, within a transaction.
    pub(super) async fn refuse_if_in_use(&mut self) -> Result<(), Failed> {
        let alive: Option<String> = scalar(
            "select name || ', since ' || iso8601((extract(epoch from started_at) * 1000)::bigint) from node
             where leased_until > now() order by id limit 1",
        )
        .fetch_optional(&mut self.db)
        .await?;
        match alive {
            Some(holder) => Err(StoreError::InUse { path: self.name.as_str().into(), holder }.into()),
            None => Ok(()),
        }
    }
}

impl Transactions for PgDatabase {
    async fn open_transaction(&mut self) -> Result<(), Failed> {
        sqlx::raw_sql("begin").execute(&mut self.db).await?;
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

/// A connection that leaves nothing behind in the server's session, and what the database is called in messages.
pub(super) async fn connect(url: &str) -> Result<(PgConnection, String), StoreError> {
    let options = options(url)?;
    let name = name(&options);
    let options = options
        .application_name("harvestman")
        // Not every pool knows it, and no number is of such a type.
        .extra_float_digits(None)
        .statement_cache_capacity(0)
        .disable_statement_logging();
    let connecting = PgConnection::connect_with(&options);
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(connected) => Ok((connected.map_err(|e| open_error(&name, &e))?, name)),
        Err(_) => {
            let problem = format!("no answer within {}", humantime::format_duration(PATIENCE));
            Err(StoreError::Open { path: name.into(), problem })
        }
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
