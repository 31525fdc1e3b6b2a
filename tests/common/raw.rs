//! A server that answers with bytes rather than HTTP: broken, slow and endless answers.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part; a test may panic")]

use std::net::{Ipv4Addr, SocketAddr};
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
    Wait(Duration),
    /// The connection is reset, unread bytes and all.
    Reset,
}

/// Says so much and hangs up.
pub fn say(bytes: impl Into<Vec<u8>>) -> Vec<Act> {
    vec![Act::Send(bytes.into())]
}

/// A response from its status, header lines and body; the connection ends with it.
pub fn answer(status: u16, lines: &[&str], body: impl AsRef<[u8]>) -> Vec<u8> {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    [format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{lines}\r\n").as_bytes(), body.as_ref()].concat()
}

/// What is done before a request is read, if that is all that is done.
type Greeting = dyn Fn(SocketAddr) -> Option<Vec<Act>> + Send + Sync;
type Handler = dyn Fn(SocketAddr, &str) -> Vec<Act> + Send + Sync;

struct Shared {
    greeting: Box<Greeting>,
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
        Self::listen(Ipv4Addr::LOCALHOST, |_| None, move |_, target| handler(target)).await
    }

    /// As `start`, on an address or all of them; what is done may hang on the one that was connected to, and begin before
    /// a request is read. The hello of TLS counts as a request without a target.
    pub async fn listen(
        address: Ipv4Addr,
        greeting: impl Fn(SocketAddr) -> Option<Vec<Act>> + Send + Sync + 'static,
        handler: impl Fn(SocketAddr, &str) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (greeting, handler, heads) = (Box::new(greeting), Box::new(handler), Mutex::default());
        let shared = Arc::new(Shared { greeting, handler, heads, sent: AtomicU64::default() });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, accepting }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
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
        connections.spawn(talk(stream, Arc::clone(&shared)));
    }
}

/// The first byte of a TLS connection (RFC 8446, section 5.1: a handshake).
const HANDSHAKE: u8 = 22;

/// One request, one answer. That the client hangs up is part of the game.
async fn talk(mut stream: TcpStream, shared: Arc<Shared>) {
    let address = stream.local_addr().unwrap();
    let acts = match (shared.greeting)(address) {
        Some(acts) => acts,
        None => {
            let Some(head) = read_head(&mut stream).await else { return };
            let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
            shared.heads.lock().unwrap().push(head);
            (shared.handler)(address, &target)
        }
    };
    if perform(&mut stream, acts, &shared).await.is_none() {
        return;
    }
    let _ = stream.shutdown().await;
    // Until the client has read it all: closing with unread input would cut the answer off.
    let _ = stream.read(&mut [0; 64]).await;
}

/// None if the client hung up first.
async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head != [HANDSHAKE] {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// None if the connection is over.
async fn perform(stream: &mut TcpStream, acts: Vec<Act>, shared: &Shared) -> Option<()> {
    for act in acts {
        match act {
            Act::Send(bytes) => send(stream, &bytes, shared).await.ok()?,
            Act::Forever(bytes, pause) => loop {
                send(stream, &bytes, shared).await.ok()?;
                tokio::time::sleep(pause).await;
            },
            Act::Wait(pause) => tokio::time::sleep(pause).await,
            Act::Reset => {
                let _ = stream.set_zero_linger();
                return None;
            }
        }
    }
    Some(())
}

async fn send(stream: &mut TcpStream, bytes: &[u8], shared: &Shared) -> std::io::Result<()> {
    for chunk in bytes.chunks(64 << 10) {
        stream.write_all(chunk).await?;
        shared.sent.fetch_add(chunk.len() as u64, Ordering::SeqCst);
    }
    stream.flush().await
}
