//! Whatever a server sends instead of an answer.

use std::cell::OnceCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use harvestman::internals::canonical::CanonicalUrl;
use harvestman::internals::config::Config;
use harvestman::internals::fetch::{Fetch as _, FetchError, HttpClient, Read, Request, Response};
use harvestman::internals::parse::memory::Memory;
use harvestman::internals::visit::{FailureKind, Method};
use http::HeaderMap;
use http::header::SET_COOKIE;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

/// Bytes of a body that are read, at most.
const CAP: u64 = 1 << 20;
/// Nothing takes that long: the server closes the connection behind what it sends.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A server, and a client for it.
struct Bench {
    runtime: Runtime,
    answer: Arc<Mutex<Vec<u8>>>,
    url: CanonicalUrl,
    client: HttpClient,
    memory: Memory,
}

impl Bench {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = CanonicalUrl::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let answer = Arc::new(Mutex::new(Vec::new()));
        let sent = answer.clone();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
                tokio::spawn(serve(stream, answer));
            }
        });
        let config = Config { timeout: TIMEOUT, keep_cookies: false, ..Config::default() };
        let client = runtime.block_on(async { HttpClient::new(&config, &[]) }).unwrap();
        Self { runtime, answer, url, client, memory: Memory::default() }
    }

    fn fetch(&self, read: Read) -> Result<Response, FetchError> {
        let wants = |_: u16, _: &HeaderMap| read;
        let request = Request {
            url: &self.url,
            method: Method::Get,
            licensed: true,
            validators: None,
            wants: &wants,
            memory: &self.memory,
        };
        self.runtime.block_on(self.client.fetch(request))
    }
}

/// Sends an answer to a request, and nothing more.
async fn serve(mut stream: TcpStream, answer: Vec<u8>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(length) if length > 0 => request.extend_from_slice(&buffer[..length]),
            _ => return,
        }
    }
    _ = stream.write_all(&answer).await;
    _ = stream.shutdown().await;
    // Closed with bytes unread, the connection would be reset, and the answer lost.
    while stream.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
}

thread_local! {
    static BENCH: OnceCell<Bench> = const { OnceCell::new() };
}

/// An answer, as it goes over the wire.
pub fn answer(input: &[u8]) {
    BENCH.with(|bench| {
        let bench = bench.get_or_init(Bench::new);
        *bench.answer.lock().unwrap_or_else(PoisonError::into_inner) = input.to_vec();
        let whole = bench.fetch(Read::Whole(CAP));
        if let Ok(response) = &whole {
            assert!(response.body.as_ref().is_none_or(|body| body.len() as u64 <= CAP));
            let _ = (response.content_type(), response.header("location"));
            let cookies = response.headers.get_all(SET_COOKIE).iter();
            assert!(
                cookies.map(|line| line.as_bytes()).all(|line| line.is_empty() || line.windows(3).any(is_ellipsis))
            );
        }
        ends_in_time(&whole);
        // A start is a start of the whole.
        let start = bench.fetch(Read::Start(512));
        ends_in_time(&start);
        if let (Ok(Response { body: Some(whole), status, .. }), Ok(Response { body: Some(start), .. })) = (whole, start)
        {
            let (whole, start) = (whole.load().unwrap(), start.load().unwrap());
            assert!(status >= 400 || start == whole[..whole.len().min(512)], "{start:?} of {whole:?}");
        }
        ends_in_time(&bench.fetch(Read::Nothing));
    });
}

fn is_ellipsis(bytes: &[u8]) -> bool {
    bytes == "…".as_bytes()
}

fn ends_in_time(result: &Result<Response, FetchError>) {
    assert!(!matches!(result, Err(FetchError::Failed { kind: FailureKind::Timeout, .. })), "{result:?}");
}
