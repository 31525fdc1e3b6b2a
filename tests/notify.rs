//! What a service manager is told by sd_notify(3): ready, stopping, and alive only while it is.
#![cfg(feature = "cli")]
#![cfg(target_os = "linux")] // whose sockets have abstract names
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs::File;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Bench, ended, page, send, stderr, until};
use harvestman::demo::{Reply, Server, graph_page};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, PgConnection, SqliteConnection};

/// A service manager: a socket, and all that it was told.
struct Manager {
    socket: Arc<UnixDatagram>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Manager {
    fn listen(address: &SocketAddr) -> Self {
        let socket = Arc::new(UnixDatagram::bind_addr(address).unwrap());
        let told = Arc::new(Mutex::new(Vec::new()));
        let (ears, memory) = (socket.clone(), told.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = ears.recv(&mut bytes) {
                memory.lock().unwrap().push(String::from_utf8(bytes[..length].to_vec()).unwrap());
            }
        });
        Self { socket, told }
    }

    fn on_path(bench: &Bench) -> (Self, String) {
        let path = bench.path("notify");
        (Self::listen(&SocketAddr::from_pathname(&path).unwrap()), path.to_str().unwrap().to_owned())
    }

    /// Every assignment that was sent, in its order.
    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().iter().flat_map(|message| message.lines().map(str::to_owned)).collect()
    }

    fn count(&self, state: &str) -> usize {
        self.told().iter().filter(|line| *line == state).count()
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
    }
}

fn start_notifying(bench: &Bench, args: &[&str], socket: &str, watchdog: Option<&str>) -> Child {
    let mut command = bench.command(args);
    command.env("NOTIFY_SOCKET", socket).envs(watchdog.map(|usec| ("WATCHDOG_USEC", usec)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manager_is_told_when_the_crawl_runs_and_when_it_stops() {
    let server = Server::start(|path| graph_page(1_000, 300, path)).await.unwrap();
    let bench = Bench::on_sqlite();
    let (manager, socket) = Manager::on_path(&bench);
    let lock = File::create(bench.path("crawl.db")).unwrap();
    lock.lock().unwrap();
    let args = ["crawl", &server.url("/p/0"), "--rate", "50", "--wait-lock", "1m"];
    let mut child = start_notifying(&bench, &args, &socket, None);
    until("the wait", || !manager.told().is_empty()).await;
    assert!(manager.told()[0].starts_with("STATUS=Waiting up to 1m: "), "{:?}", manager.told());
    assert_eq!(manager.count("READY=1"), 0, "not before the crawl has its database");
    lock.unlock().unwrap();
    until("readiness", || manager.count("READY=1") == 1).await;
    until("requests", || server.hit_count() > 3).await;
    let status = manager.told().last().unwrap().clone();
    assert!(status.starts_with("STATUS=") && status.contains(" fetched, 0 failed, "), "{status}");
    assert_eq!(manager.count("STOPPING=1"), 0);
    send("TERM", &child);
    assert_eq!(ended(&mut child).await.code(), Some(143));
    until("the farewell", || manager.count("STOPPING=1") > 0).await;
    assert_eq!(manager.count("WATCHDOG=1"), 0, "nobody asked for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abstract_socket_is_one_too_and_a_missing_one_does_no_harm() {
    let server = Server::start(|path| graph_page(3, 300, path)).await.unwrap();
    let bench = Bench::new();
    let name = format!("harvestman-test-{}", std::process::id());
    let manager = Manager::listen(&SocketAddr::from_abstract_name(&name).unwrap());
    let args = ["crawl", &server.url("/p/0"), "--rate", "0"];
    let mut child = start_notifying(&bench, &args, &format!("@{name}"), None);
    assert_eq!(ended(&mut child).await.code(), Some(0));
    until("both", || manager.count("READY=1") == 1 && manager.count("STOPPING=1") == 1).await;

    let mut command = bench.command(&args);
    command.env("NOTIFY_SOCKET", "/no/such/socket");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("warning: NOTIFY_SOCKET /no/such/socket"), "{}", stderr(&output));
}

/// A transaction that keeps the crawl from committing.
enum Held {
    File(SqliteConnection),
    Server(PgConnection),
}

impl Held {
    async fn take(bench: &Bench) -> Self {
        if let Some(schema) = &bench.schema {
            let mut db = schema.connect().await;
            sqlx::raw_sql("begin; lock table url").execute(&mut db).await.unwrap();
            return Self::Server(db);
        }
        let options = SqliteConnectOptions::new().filename(bench.path("crawl.db"));
        let mut db = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql("begin immediate").execute(&mut db).await.unwrap();
        Self::File(db)
    }

    async fn release(self) {
        let rollback = sqlx::raw_sql("rollback");
        match self {
            Self::File(mut db) => drop(rollback.execute(&mut db).await.unwrap()),
            Self::Server(mut db) => drop(rollback.execute(&mut db).await.unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watchdog_hears_of_a_crawl_that_waits_but_not_of_one_whose_writer_is_stuck() {
    let server = Server::start(|path| graph_page(1_000_000, 300, path)).await.unwrap();
    let bench = Bench::new();
    let (manager, socket) = Manager::on_path(&bench);
    let args = ["crawl", &server.url("/p/0"), "--rate", "20"];
    let mut child = start_notifying(&bench, &args, &socket, Some("600000"));
    until("signs of life", || manager.count("WATCHDOG=1") > 3 && server.hit_count() > 3).await;

    let held = Held::take(&bench).await;
    let mut heard = 0;
    let mut silent_since = Instant::now();
    until("silence while nothing can be committed", || {
        let now = manager.count("WATCHDOG=1");
        if now != heard {
            (heard, silent_since) = (now, Instant::now());
        }
        silent_since.elapsed() > Duration::from_millis(1_500)
    })
    .await;
    held.release().await;
    until("signs of life again", || manager.count("WATCHDOG=1") > heard).await;
    send("TERM", &child);
    assert_eq!(ended(&mut child).await.code(), Some(143));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_nothing_to_join_has_not_failed() {
    let bench = Bench::new();
    if bench.schema.is_none() {
        return; // A file has no nodes.
    }
    let (manager, socket) = Manager::on_path(&bench);
    let mut child = start_notifying(&bench, &["crawl", "http://127.0.0.1:1/", "--join"], &socket, None);
    assert_eq!(ended(&mut child).await.code(), Some(0));
    until("readiness", || manager.count("READY=1") == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watchdog_hears_of_a_crawl_whose_hosts_rest() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nCrawl-delay: 600\n"),
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let (manager, socket) = Manager::on_path(&bench);
    let mut child = start_notifying(&bench, &["crawl", &server.url("/")], &socket, Some("600000"));
    until("robots.txt", || server.hit_count() > 0).await;
    let before = manager.count("WATCHDOG=1");
    until("signs of life", || manager.count("WATCHDOG=1") > before + 3).await;
    send("INT", &child);
    assert_eq!(ended(&mut child).await.code(), Some(130));
}
