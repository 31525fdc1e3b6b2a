//! A server that answers with bytes rather than HTTP: broken, slow and endless answers.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part; a test may panic")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A step of an answer; after the last one the connection is closed.
#[derive(Debug, Clone)]
pub enum Act {
    Send(Vec<u8>),
    /// The same bytes again and again, with a pause after each, for as long as somebody reads.
    Forever(Vec<u8>, Duration),
}

/// Says so much and hangs up.
pub fn say(bytes: impl Into<Vec<u8>>) -> Vec<Act> {
    vec![Act::Send(bytes.into())]
}

type Handler = dyn Fn(&str) -> Vec<Act> + Send + Sync;

struct Shared {
    handler: Box<Handler>,
    heads: Mutex<Vec<String>>,
    sent: AtomicU64,
}

pub struct Raw {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Raw {
    /// Serves on a free port of 127.0.0.1; the handler gets the target of the request line.
    pub async fn start(handler: impl Fn(&str) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared =
            Arc::new(Shared { handler: Box::new(handler), heads: Mutex::default(), sent: AtomicU64::default() });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, accepting }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The heads of the requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.shared.heads.lock().unwrap().clone()
    }

    /// Bytes handed to the kernel so far, over all connections.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(answer(stream, Arc::clone(&shared)));
    }
}

/// One request, one answer. That the client hangs up is part of the game.
async fn answer(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    shared.heads.lock().unwrap().push(head);
    for act in (shared.handler)(&target) {
        match act {
            Act::Send(bytes) => {
                if send(&mut stream, &bytes, &shared).await.is_err() {
                    return;
                }
            }
            Act::Forever(bytes, pause) => {
                while send(&mut stream, &bytes, &shared).await.is_ok() {
                    tokio::time::sleep(pause).await;
                }
                return;
            }
        }
    }
    let _ = stream.shutdown().await;
    // Until the client has read it all: closing with unread input would cut the answer off.
    let _ = stream.read(&mut [0; 64]).await;
}

async fn send(stream: &mut TcpStream, bytes: &[u8], shared: &Shared) -> std::io::Result<()> {
    for chunk in bytes.chunks(64 << 10) {
        stream.write_all(chunk).await?;
        shared.sent.fetch_add(chunk.len() as u64, Ordering::SeqCst);
    }
    stream.flush().await
}
