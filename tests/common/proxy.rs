//! What stands between a crawl and its PostgreSQL server, and fails.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The simple query by which a transaction is committed, as it is sent.
const COMMIT: &[u8] = b"commit\0";

/// A way to the server that can be cut.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    socket: String,
    /// Changed when all connections are cut.
    cut: watch::Sender<u64>,
    /// Changed when all connections fall silent.
    silent: watch::Sender<u64>,
    /// No connection is made.
    is_closed: AtomicBool,
    /// Commits whose answers are still to be lost.
    to_lose: AtomicUsize,
    lost: AtomicUsize,
    /// Every so many commits the answer is lost; 0 is never.
    lose_every: AtomicUsize,
    commits: AtomicUsize,
    /// A connection is cut when it is to carry one of these, each once and in this order.
    to_cut_at: Mutex<VecDeque<&'static str>>,
}

impl Shared {
    /// Whether the answer to a commit that is seen now is to be lost.
    fn loses(&self) -> bool {
        let nth = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        let every = self.lose_every.load(Ordering::SeqCst);
        let lose = |left: usize| left.checked_sub(1);
        every > 0 && nth.is_multiple_of(every)
            || self.to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lose).is_ok()
    }

    fn cuts(&self, said: &[u8]) -> bool {
        let mut to_cut_at = self.to_cut_at.lock().unwrap();
        let is_here = to_cut_at.front().is_some_and(|text| said.windows(text.len()).any(|it| it == text.as_bytes()));
        if is_here {
            to_cut_at.pop_front();
        }
        is_here
    }
}

impl Proxy {
    /// To the server whose URL names the folder of its socket.
    pub async fn start(server: &str) -> Self {
        let url = url::Url::parse(server).unwrap();
        let (_, folder) = url.query_pairs().find(|(key, _)| key == "host").unwrap();
        let shared = Arc::new(Shared {
            socket: format!("{folder}/.s.PGSQL.5432"),
            cut: watch::channel(0).0,
            silent: watch::channel(0).0,
            is_closed: AtomicBool::new(false),
            to_lose: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
            lose_every: AtomicUsize::new(0),
            commits: AtomicUsize::new(0),
            to_cut_at: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Self { port, shared, accepting }
    }

    /// The URL of the server by this way.
    pub fn url(&self, server: &str) -> String {
        let mut url = url::Url::parse(server).unwrap();
        let rest: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(key, _)| key != "host").collect();
        url.query_pairs_mut().clear().extend_pairs(rest);
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.port)).unwrap();
        url.into()
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        self.shared.cut.send_modify(|cut| *cut += 1);
    }

    /// Carries nothing any more by the connections there are, as if a firewall had forgotten them.
    pub fn silence(&self) {
        self.shared.silent.send_modify(|silent| *silent += 1);
    }

    /// Makes no more connections, or some again.
    pub fn close(&self, is_closed: bool) {
        self.shared.is_closed.store(is_closed, Ordering::SeqCst);
    }

    /// Lets the answers to so many commits be lost, and their connections with them.
    pub fn lose_commits(&self, count: usize) {
        self.shared.to_lose.store(count, Ordering::SeqCst);
    }

    /// Lets the answer to each commit of so many be lost, after the first `but` of them.
    pub fn lose_every(&self, every: usize, but: usize) {
        self.shared.commits.store(every - but, Ordering::SeqCst);
        self.shared.lose_every.store(every, Ordering::SeqCst);
    }

    /// Cuts a connection that is to carry one of these texts, each once and in this order.
    pub fn cut_at(&self, texts: &[&'static str]) {
        self.shared.to_cut_at.lock().unwrap().extend(texts);
    }

    /// At which texts none was cut yet.
    pub fn not_cut_at(&self) -> Vec<&'static str> {
        self.shared.to_cut_at.lock().unwrap().iter().copied().collect()
    }

    /// How many were lost so far.
    pub fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        if !shared.is_closed.load(Ordering::SeqCst) {
            tokio::spawn(forward(client, shared.clone()));
        }
    }
}

async fn forward(mut client: TcpStream, shared: Arc<Shared>) {
    let (mut cut, mut silent) = (shared.cut.subscribe(), shared.silent.subscribe());
    let Ok(mut server) = UnixStream::connect(&shared.socket).await else { return };
    let _ = client.set_nodelay(true);
    let (mut said, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            _ = cut.changed() => return,
            _ = silent.changed() => {
                let _ = cut.changed().await;
                return;
            }
            read = client.read(&mut said) => {
                let Ok(length @ 1..) = read else { return };
                if shared.cuts(&said[..length]) {
                    return;
                }
                let is_commit = said[..length].ends_with(COMMIT);
                if server.write_all(&said[..length]).await.is_err() {
                    return;
                }
                if is_commit && shared.loses() {
                    // It is stored when the server answers.
                    let _ = server.read(&mut answered).await;
                    shared.lost.fetch_add(1, Ordering::SeqCst);
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
