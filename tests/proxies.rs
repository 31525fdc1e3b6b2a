//! Proxies: which one is asked, how, and what is refused before the first request.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};

use common::{Bench, stderr};
use harvestman::demo::{Reply, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

async fn crawl(bench: &Bench, args: &[&str], environment: &[(&str, &str)]) -> Output {
    let fast = ["--rate", "0", "--retries", "0", "--timeout", "10s", "--scope", "any"];
    let mut command = bench.command(&[&["crawl"], args, &fast[..]].concat());
    command.envs(environment.iter().copied()).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// A SOCKS5 proxy (RFC 1928) with a name and a password (RFC 1929) that leads everything to one server. It keeps what it
/// was asked for: a name, or `an address`.
async fn socks(server: &Server) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (port, target) = (listener.local_addr().unwrap().port(), server.address());
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let log = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let log = log.clone();
            tokio::spawn(async move {
                let mut bytes = [0; 512];
                let count = stream.read(&mut bytes).await.unwrap();
                assert!(bytes[2..count].contains(&2), "it offers a password");
                stream.write_all(&[5, 2]).await.unwrap();
                let count = stream.read(&mut bytes).await.unwrap();
                log.lock().unwrap().push(String::from_utf8_lossy(&bytes[1..count]).into_owned());
                stream.write_all(&[1, 0]).await.unwrap();
                let count = stream.read(&mut bytes).await.unwrap();
                let name = if bytes[3] == 3 {
                    String::from_utf8_lossy(&bytes[5..count - 2]).into()
                } else {
                    "an address".into()
                };
                log.lock().unwrap().push(name);
                stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
                let mut to = TcpStream::connect(target).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut to).await;
            });
        }
    });
    (port, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socks_proxy_gets_the_credentials_and_names_if_it_is_to_resolve_them() {
    let server = Server::start(|_| Reply::html("<a href=http://intranet/>x</a><a href=http://a.local/>x</a>"));
    let server = server.await.unwrap();
    let (port, asked) = socks(&server).await;
    let bench = Bench::new();
    let proxy = format!("socks5h://me:pass%20word@127.0.0.1:{port}");
    let output = crawl(&bench, &["http://site.test/", "--proxy", &proxy], &[]).await;
    assert_eq!(bench.rows("select fetched, failed from accounting").await, ["1|0"], "{}", stderr(&output));
    assert_eq!(bench.rows("select reason, count(*) from skipped group by 1").await, ["private_address|2"]);
    assert!(asked.lock().unwrap().chunks(2).all(|pair| pair == ["\u{2}me\tpass word", "site.test"]), "{asked:?}");
    asked.lock().unwrap().clear();

    // Names that it does not resolve are guarded here.
    let bench = Bench::new();
    let server = Server::start(|_| Reply::html("<a href=http://ip6-localhost/>x</a>")).await.unwrap();
    let (port, asked) = socks(&server).await;
    let proxy = format!("socks5://me:pass%20word@127.0.0.1:{port}");
    let output = crawl(&bench, &["http://localhost:9/"], &[("all_proxy", &proxy)]).await;
    assert_eq!(bench.rows("select fetched from accounting").await, ["1"], "{}", stderr(&output));
    assert!(asked.lock().unwrap().chunks(2).all(|pair| pair == ["\u{2}me\tpass word", "an address"]), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_of_another_kind_is_refused_before_the_first_request() {
    let server = Server::start(|_| Reply::html("")).await.unwrap();
    for scheme in ["socks", "htp", "ftp", "quic", "socks4"] {
        let bench = Bench::new();
        let proxy = format!("{scheme}://127.0.0.1:9");
        for environment in [&[("ALL_PROXY", &*proxy)][..], &[("http_proxy", &proxy)]] {
            let output = crawl(&bench, &[&server.url("/")], environment).await;
            assert_eq!(output.status.code(), Some(2), "{scheme}: {}", stderr(&output));
            assert!(stderr(&output).contains(environment[0].0), "{}", stderr(&output));
        }
        let output = crawl(&bench, &[&server.url("/"), "--proxy", &proxy], &[]).await;
        assert_eq!(output.status.code(), Some(2), "{scheme}: {}", stderr(&output));
        assert!(!bench.path("crawl.db").exists());
        let shadowed = [("ALL_PROXY", &*proxy), ("NO_PROXY", "*")];
        let output = crawl(&bench, &[&server.url("/")], &shadowed).await;
        assert_eq!(output.status.code(), Some(0), "what is not used may be anything: {}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_in_no_proxy_are_asked_directly_whoever_names_the_proxy() {
    let server = Server::start(|_| Reply::html("")).await.unwrap();
    let proxy = Server::start(|_| Reply::html("")).await.unwrap();
    // Without a scheme it is http.
    let address = proxy.address().to_string();
    let seeds = [&*server.url("/"), "http://site.test/"];
    for (more, environment) in [
        (&["--proxy", &address][..], &[("no_proxy", "10.0.0.0/8, 127.0.0.0/8")][..]),
        (&[], &[("http_proxy", &address), ("NO_PROXY", ".local,127.0.0.1"), ("HTTP_PROXY", "http://127.0.0.1:9")]),
    ] {
        let before = (server.hit_count(), proxy.hit_count());
        let output = crawl(&Bench::new(), &[&seeds[..], more].concat(), environment).await;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!((server.hit_count() - before.0, proxy.hit_count() - before.1), (2, 2));
    }
    let output = crawl(&Bench::new(), &[&server.url("/")], &[("HTTP_PROXY", "socks://127.0.0.1:9")]).await;
    assert_eq!(output.status.code(), Some(0), "in capitals it is not obeyed: {}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_of_a_proxy_goes_to_the_proxy_alone() {
    let proxy = Server::start(|_| Reply::html("<a href=https://secure.test/>x</a>")).await.unwrap();
    let bench = Bench::new();
    let url = format!("http://me:pass%40word@{}", proxy.address());
    crawl(&bench, &["http://site.test/", "--proxy", &url], &[]).await;
    for hit in proxy.hits() {
        // The base64 of me:pass@word.
        assert_eq!(hit.header("proxy-authorization"), Some("Basic bWU6cGFzc0B3b3Jk"), "{}", hit.path);
        assert_eq!(hit.header("authorization"), None);
    }
}
