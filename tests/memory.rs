//! Memory: large documents share one budget, whatever they are made of, and none is lost for it.
#![cfg(all(feature = "cli", target_os = "linux"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::Bench;
use harvestman::demo::{Reply, Server};

/// Bytes of each document.
const LENGTH: usize = 1 << 20;

/// The most memory a process has had, in MiB, as the kernel counts.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib >> 10)
}

fn filled(piece: impl Fn(usize) -> String) -> String {
    let mut html = String::from("<title>t</title><a href=/first>first</a>");
    for number in 0.. {
        if html.len() > LENGTH {
            break;
        }
        html += &piece(number);
    }
    html + "<a href=/last>last</a>"
}

#[tokio::test(flavor = "multi_thread")]
async fn large_documents_at_once_take_turns_and_keep_their_last_links() {
    let documents = [
        filled(|_| "<p>".to_owned()),
        filled(|_| "<i>x</i>".to_owned()),
        filled(|_| "<div>".to_owned()),
        filled(|number| format!("<font size={number}><p>")),
        filled(|number| format!("<li><a href=/{number}>{number}</a>")),
        filled(|_| "word ".to_owned()),
        filled(|_| "&amp;".to_owned()),
    ];
    let mut servers = Vec::new();
    for document in documents {
        let server = Server::start(move |path| match path {
            "/" => Reply::html(document.clone()),
            _ => Reply::status(404),
        });
        servers.push(server.await.unwrap());
    }
    let bench = Bench::new();
    let seeds: Vec<_> = servers.iter().map(|server| server.url("/")).collect();
    let options = ["crawl", "--scope", "page", "--rate", "0", "--timeout", "5m", "--no-links"];
    let mut child = bench.start(&[&options[..], &seeds.iter().map(String::as_str).collect::<Vec<_>>()].concat());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = peak(child.id()).unwrap_or(0).max(most);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(bench.rows("select fetched, failed from accounting").await, ["7|0"]);
    assert_eq!(bench.rows("select count(*) from urls where url like '%/last'").await, ["7"]);
    // Their trees alone would take 28 times their 7 MiB.
    assert!((1..196).contains(&most), "{most} MiB");
}
