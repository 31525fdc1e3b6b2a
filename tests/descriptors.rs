//! File descriptors: connections stay below a bound, idle ones are let go, and a crawl that runs out of them loses no URL.
#![cfg(all(feature = "cli", target_os = "linux"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::io::BufRead;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Bench, page, stderr, summary, until};
use harvestman::demo::{Reply, Server};
use rlimit::Resource;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What is said of a want of descriptors.
const SHORTAGE: &str = "no file descriptor is left";

/// The connections that are open to some hosts, and the most there ever were.
#[derive(Default)]
struct Open {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// Says what a host holds, after a wait if need be.
type Answer = Box<dyn Fn(&str) -> Option<&'static str> + Send + Sync>;

/// Hosts that keep connections open for as long as the client does. A path without an answer gets it once `ready` is.
async fn keep_alive_hosts(count: usize, open: Arc<Open>, ready: watch::Receiver<bool>, answer: Answer) -> Vec<String> {
    let answer: Arc<Answer> = Arc::new(answer);
    let mut urls = Vec::new();
    for _ in 0..count {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        urls.push(format!("http://{}/", listener.local_addr().unwrap()));
        let (open, ready, answer) = (open.clone(), ready.clone(), answer.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (open, ready, answer) = (open.clone(), ready.clone(), answer.clone());
                tokio::spawn(async move {
                    let now = open.now.fetch_add(1, Ordering::SeqCst) + 1;
                    open.most.fetch_max(now, Ordering::SeqCst);
                    let _ = converse(stream, ready, &answer).await;
                    open.now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
    }
    urls
}

async fn converse(mut stream: TcpStream, mut ready: watch::Receiver<bool>, answer: &Answer) -> std::io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    while let Some(request) = lines.next_line().await? {
        while lines.next_line().await?.is_some_and(|line| !line.is_empty()) {}
        let path = request.split(' ').nth(1).unwrap_or_default();
        if answer(path).is_none() {
            let _ = ready.wait_for(|ready| *ready).await;
        }
        let body = answer(path).unwrap_or("waited for");
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n", body.len());
        write.write_all(format!("{head}{body}").as_bytes()).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn few_descriptors_cost_no_host() {
    let bench = Bench::new();
    let mut servers = Vec::new();
    for _ in 0..60 {
        let server = Server::start(|path| match path {
            "/robots.txt" => Reply::status(404),
            "/" => page(["/two"]),
            _ => page([""; 0]),
        });
        servers.push(server.await.unwrap());
    }
    let seeds: Vec<_> = servers.iter().map(|server| server.url("/")).collect();
    std::fs::write(bench.path("seeds.txt"), seeds.join("\n")).unwrap();
    let script = "ulimit -n 40; exec \"$0\" crawl seeds.txt --rate 0 --retries 0 --json";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_harvestman")]).current_dir(bench.dir.path());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!((summary(&output)["fetched"].as_i64(), summary(&output)["failed"].as_i64()), (Some(120), Some(0)));
    assert!(stderr(&output).contains("the limit on open files leaves room for"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_that_runs_out_of_descriptors_goes_on_when_there_are_some_and_charges_nobody() {
    let bench = Bench::new();
    let (tell, ready) = watch::channel(false);
    let open = Arc::new(Open::default());
    let seeds = keep_alive_hosts(12, open.clone(), ready, Box::new(|_| None)).await;
    let options = ["crawl", "--ignore-robots", "--rate", "0", "--retries", "0", "--concurrency", "4", "--json"];
    let mut command = bench.command(&options);
    let mut child = command.args(&seeds).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let process = i32::try_from(child.id()).unwrap();
    until("four requests in flight", || open.now.load(Ordering::SeqCst) == 4).await;
    let (mut soft, mut hard) = (0, 0);
    rlimit::prlimit(process, Resource::NOFILE, None, Some((&mut soft, &mut hard))).unwrap();
    rlimit::prlimit(process, Resource::NOFILE, Some((8, hard)), None).unwrap();
    tell.send_replace(true);
    let mut log = BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    let said = tokio::task::spawn_blocking(move || {
        let before: Vec<_> = log.by_ref().map_while(Result::ok).take_while(|line| !line.contains(SHORTAGE)).collect();
        rlimit::prlimit(process, Resource::NOFILE, Some((soft, hard)), None).unwrap();
        (before, log.map_while(Result::ok).filter(|line| line.contains(SHORTAGE)).count())
    });
    let (before, told_again) = said.await.unwrap();
    let output = child.wait_with_output().unwrap();
    let counts = (summary(&output)["fetched"].as_i64(), summary(&output)["failed"].as_i64());
    assert_eq!((counts, told_again), ((Some(12), Some(0)), 0), "{before:?}");
    assert_eq!(bench.rows("select count(*), count(failure) from fetches").await, ["12|0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_are_let_go_once_their_host_has_nothing_queued() {
    let bench = Bench::new();
    let (tell, ready) = watch::channel(false);
    let (brief, busy) = (Arc::new(Open::default()), Arc::new(Open::default()));
    let mut seeds = keep_alive_hosts(1, brief.clone(), ready.clone(), Box::new(|_| Some("brief"))).await;
    let holds = |path: &str| (path == "/robots.txt").then_some("");
    seeds.extend(keep_alive_hosts(1, busy, ready, Box::new(holds)).await);
    // The page of the second host comes once no connection to the first is open, and within less time than an idle one
    // is kept.
    let closed = tokio::spawn(async move {
        until("the end of each connection", || {
            brief.most.load(Ordering::SeqCst) > 0 && brief.now.load(Ordering::SeqCst) == 0
        })
        .await;
        tell.send_replace(true);
    });
    let options = ["crawl", "--rate", "0", "--retries", "0", "--timeout", "8s", "--json"];
    let output = bench.run(&[&options[..], &[&seeds[0], &seeds[1]]].concat()).await;
    closed.await.unwrap();
    assert_eq!((summary(&output)["fetched"].as_i64(), summary(&output)["failed"].as_i64()), (Some(2), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_stay_below_a_bound_that_the_settings_set() {
    let bench = Bench::new();
    let open = Arc::new(Open::default());
    let answer = |path: &str| match path {
        "/robots.txt" => Some(""),
        "/" => Some("<a href=/two>two</a>"),
        _ => Some("two"),
    };
    let seeds = keep_alive_hosts(50, open.clone(), watch::channel(true).1, Box::new(answer)).await;
    std::fs::write(bench.path("seeds.txt"), seeds.join("\n")).unwrap();
    let output = bench.run(&["crawl", "seeds.txt", "--rate", "0", "--max-connections", "1", "--json"]).await;
    assert_eq!((summary(&output)["fetched"].as_i64(), summary(&output)["failed"].as_i64()), (Some(100), Some(0)));
    let most = open.most.load(Ordering::SeqCst);
    assert!(most <= 1 + 16, "{most} connections were open at once");
}
