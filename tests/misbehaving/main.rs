//! A web of hosts that misbehave, each in its own way, crawled at once: what becomes of each, and what it costs.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/raw.rs"]
mod raw;

mod bodies;
mod case;
mod codings;
mod connections;
mod documents;
mod encodings;
mod heads;
mod redirects;
mod robots;
mod sitemaps;
mod statuses;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use case::{Case, ORIGIN, READ, html};
use common::Bench;
use raw::{Act, Raw, answer, say};

/// The time limit of a request in this web, in seconds; what is told by it takes so long.
const LIMIT: u64 = 6;

/// The most memory that the crawl may take, in MiB: a debug build takes half as much again as the release, which `.ci/run`
/// names in `HARVESTMAN`.
const MEMORY: (u64, u64) = (200, 300);

fn table() -> Vec<Case> {
    [
        connections::cases(),
        heads::cases(),
        statuses::cases(),
        bodies::cases(),
        codings::cases(),
        types::cases(),
        encodings::cases(),
        documents::cases(),
        redirects::cases(),
        robots::cases(),
        sitemaps::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The address of a case, which is the name of its host.
fn address(number: usize) -> Ipv4Addr {
    let [.., high, low] = u32::try_from(number + 1).unwrap().to_be_bytes();
    Ipv4Addr::new(127, 7, high, low)
}

fn origin(case: &Case, number: usize, port: u16) -> String {
    format!("{}://{}:{port}", if case.is_tls { "https" } else { "http" }, address(number))
}

fn url(case: &Case, number: usize, port: u16, path: &str) -> String {
    match case.seed.contains("://") {
        true => case.seed.replace("PORT", &port.to_string()),
        false => origin(case, number, port) + path,
    }
}

/// Serves all cases, each on an address of its own.
async fn serve(cases: Vec<Case>) -> (Arc<Vec<Case>>, Raw) {
    let cases = Arc::new(cases);
    let number = |at: SocketAddr| match at.ip() {
        IpAddr::V4(ip) => usize::try_from(u32::from(ip).wrapping_sub(address(0).into())).unwrap_or(usize::MAX),
        IpAddr::V6(_) => usize::MAX,
    };
    let (greeters, hosts) = (Arc::clone(&cases), Arc::clone(&cases));
    let server = Raw::listen(
        Ipv4Addr::UNSPECIFIED,
        move |at| greeters.get(number(at))?.greeting.clone(),
        move |at, target| match hosts.get(number(at)).and_then(|case| case.answers.get(target)) {
            Some(acts) => acts.iter().map(|act| placed(act, at)).collect(),
            None if target == "/read" => html(READ),
            None => say(answer(404, &[], "")),
        },
    );
    (cases, server.await)
}

/// What a host does, with its own URL where it is named.
fn placed(act: &Act, at: SocketAddr) -> Act {
    match act {
        Act::Send(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if text.contains(ORIGIN) => Act::Send(text.replace(ORIGIN, &format!("http://{at}")).into()),
            _ => act.clone(),
        },
        _ => act.clone(),
    }
}

/// What was recorded of each URL, in the words of the table.
async fn recorded(bench: &Bench) -> BTreeMap<String, Vec<String>> {
    let rows = bench
        .rows(
            "select json_object('url', u.url, 'is', coalesce(p.status, u.state || ' ' || coalesce(u.reason, '')),
                 'title', p.title, 'charset', p.charset, 'size', p.size, 'type', p.content_type, 'lang', p.language,
                 'text', substr(p.text, 1, 60), 'description', p.description, 'body', b.body is not null,
                 'links', (select count(*) from links where from_url = u.url),
                 'requests', (select count(*) from fetches f where f.url = u.url))
             from urls u left join pages p on p.url = u.url and u.state = 'fetched' left join bodies b on b.url = p.url",
        )
        .await;
    let mut recorded = BTreeMap::new();
    for row in rows {
        let serde_json::Value::Object(mut record) = serde_json::from_str(&row).unwrap() else { continue };
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut words: Vec<_> = text(&record.remove("is").unwrap()).split_whitespace().map(str::to_owned).collect();
        let url = text(&record.remove("url").unwrap());
        words.extend(
            record
                .iter()
                .map(|(key, value)| format!("{key}={}", text(value).split_whitespace().collect::<Vec<_>>().join("_"))),
        );
        recorded.insert(url, words);
    }
    recorded
}

/// The cases that differ, each with what was expected and what is recorded.
fn differences(cases: &[Case], port: u16, recorded: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut differences = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        for (path, expected) in &case.expected {
            let path = if *path == "/" && case.seed.starts_with('/') { case.seed } else { path };
            let url = url(case, number, port, path);
            let found = recorded.get(&url).map_or(&[][..], Vec::as_slice);
            if !expected.split(' ').all(|word| found.iter().any(|known| known == word)) {
                differences.push(format!(
                    "{}: {url}\n    expected {expected}\n    recorded {}",
                    case.name,
                    found.join(" ")
                ));
            }
        }
    }
    differences
}

/// The most memory that a process took, in MiB, where the system tells; and how it ended.
async fn watch(child: &mut Child) -> (Option<u64>, std::process::ExitStatus) {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = None;
    loop {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map(|kib| kib >> 10);
        peak = peak.max(now);
        if let Some(ended) = child.try_wait().unwrap() {
            return (peak, ended);
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_a_misbehaving_web_has_its_outcome_within_bounded_time_and_memory() {
    let (cases, server) = serve(table()).await;
    let names: BTreeSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "each name is given once");
    assert!(cases.len() >= 200, "{} cases", cases.len());

    let bench = Bench::new();
    let seeds = cases.iter().enumerate().map(|(number, case)| url(case, number, server.port(), case.seed) + "\n");
    std::fs::write(bench.path("seeds.txt"), seeds.collect::<String>()).unwrap();
    let limit = format!("{LIMIT}s");
    let release = std::env::var_os("HARVESTMAN");
    let memory = if release.is_some() { MEMORY.0 } else { MEMORY.1 };
    let mut command = Command::new(release.unwrap_or_else(|| env!("CARGO_BIN_EXE_harvestman").into()));
    command.current_dir(bench.dir.path()).env_remove("HTTP_PROXY").env_remove("http_proxy");
    command.args(["crawl", "seeds.txt", "--concurrency", "64"]);
    command.args(["--max-connections-per-host", "64"]);
    command.args(["--rate", "0", "--retries", "0", "--timeout", &limit, "--connect-timeout", "2s", "--sitemaps"]);
    command.args(["--scope", "any", "--max-depth", "20", "--max-duration", "3m", "--json"]);
    let stderr = std::fs::File::create(bench.path("stderr")).unwrap();
    let stdout = std::fs::File::create(bench.path("stdout")).unwrap();
    let mut child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().unwrap();
    let (peak, ended) = watch(&mut child).await;
    println!("{} cases, {peak:?} MiB at the peak", cases.len());

    let said = std::fs::read_to_string(bench.path("stderr")).unwrap();
    assert!(ended.success() && !said.contains("panicked"), "{said}");
    let different = differences(&cases, server.port(), &recorded(&bench).await);
    assert!(different.is_empty(), "{} of {} differ\n{}", different.len(), cases.len(), different.join("\n"));
    let summary = std::fs::read_to_string(bench.path("stdout")).unwrap();
    assert!(summary.contains("\"finished\""), "nothing is left, nothing goes on for ever: {summary}");
    let balance = "select discovered = fetched + failed + skipped and pending = 0 from accounting";
    assert_eq!(bench.rows(balance).await, ["1"]);
    assert_eq!(bench.rows("pragma integrity_check").await, ["ok"]);
    // Twice the limit, because the clock also runs while the machine does something else.
    let late = format!("select url, elapsed_ms from fetches where elapsed_ms > {}", 2_000 * LIMIT);
    assert_eq!(bench.rows(&late).await, [""; 0]);
    assert!(peak.is_none_or(|peak| peak < memory), "{peak:?} MiB");
}
