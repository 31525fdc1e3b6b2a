//! PgBouncer between a crawl and its server, which lends a connection for each transaction.

#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part; a test may panic")]

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use super::postgres::Schema;
use super::until;

pub struct Pool {
    pub url: String,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Pool {
    /// None, and a line that says so, if PgBouncer is not here.
    pub async fn start(schema: &Schema) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = url::Url::parse(&schema.url).unwrap();
        let (_, socket) = server.query_pairs().find(|(key, _)| key == "host").unwrap();
        let name = schema.name();
        // Root may not be it.
        let user = if is_root() { "user = postgres\n" } else { "" };
        // It passes no options on, so that it sets the search path itself.
        let settings = format!(
            "[databases]\ncrawl = host={socket} dbname=postgres user=postgres connect_query='set search_path to {name}'\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 3\n{user}"
        );
        let path = folder.path().join("pgbouncer.ini");
        std::fs::write(&path, settings).unwrap();
        let mut command = Command::new("pgbouncer");
        command.arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(process) = command.spawn().or_else(|_| {
            // Not every user's path leads to where Debian puts it.
            Command::new("/usr/sbin/pgbouncer").arg(&path).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
        }) else {
            let said = "skipped: a test behind PgBouncer, which is not here: `apt-get install pgbouncer`\n";
            std::io::stderr().write_all(said.as_bytes()).unwrap();
            return None;
        };
        until("PgBouncer to listen", || TcpStream::connect(("127.0.0.1", port)).is_ok()).await;
        let url = format!("postgres://crawler@127.0.0.1:{port}/crawl");
        Some(Self { url, process, _folder: folder })
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

impl Drop for Pool {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
