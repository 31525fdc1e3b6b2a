//! What a monitoring system sees of a crawl: strict OpenMetrics whose figures add up, and nobody who can hold it up.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{Bench, page, stderr, until};
use harvestman::demo::{Reply, Server, graph_page};

/// A crawl that serves its figures, and where.
struct Watched {
    child: Child,
    address: String,
}

impl Watched {
    async fn start(bench: &Bench, args: &[&str]) -> Self {
        let more = ["--metrics", "127.0.0.1:0", "--rate", "0", "--retries", "0", "--timeout", "10m"];
        let log = File::create(bench.path("log")).unwrap();
        let mut command = bench.command(&[&["crawl"], args, &more[..]].concat());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut address = None;
        until("the address", || {
            let said = std::fs::read_to_string(bench.path("log")).unwrap();
            let line = said.lines().find_map(|line| line.strip_prefix("Metrics at http://")?.strip_suffix("/metrics"));
            address = line.map(str::to_owned);
            address.is_some()
        })
        .await;
        Self { child, address: address.unwrap() }
    }

    /// Sends the head of a request and gives the whole answer: its head, and its body.
    async fn ask(&self, request_line: &str) -> (String, String) {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let request = format!("{request_line}\r\nHost: {}\r\n\r\n", self.address);
        let whole = tokio::task::spawn_blocking(move || {
            socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            socket.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).unwrap();
            answer
        });
        let whole = whole.await.unwrap();
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    async fn scrape(&self) -> String {
        self.ask("GET /metrics HTTP/1.1").await.1
    }

    /// Scrapes until the figures are as expected, and not for ever.
    async fn scrape_until(&self, expected: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let text = self.scrape().await;
            if expected(&text) {
                return text;
            }
            assert!(Instant::now() < deadline, "waited a minute for other figures than {text}");
        }
    }

    /// Ends it at once, whatever hangs.
    async fn stop(mut self, bench: &Bench) {
        bench.kill(&mut self.child).await;
    }
}

/// The value of one series.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} in {text}")).parse().unwrap()
}

/// The sum of all series of a name.
fn sum(text: &str, name: &str) -> f64 {
    let values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{')?.rsplit(' ').next());
    values.map(|value| value.parse::<f64>().unwrap()).sum()
}

/// What the reference parser says, where it is installed (`pip install prometheus-client`).
fn assert_strict(file: &Path, text: &str) {
    const CHECK: &str = "import sys
try:
    from prometheus_client.openmetrics.parser import text_fd_to_metric_families as parse
except ImportError:
    sys.exit('skipped: the reference parser of OpenMetrics is not there')
print(len(list(parse(open(sys.argv[1])))), 'families')";
    std::fs::write(file, text).unwrap();
    let Ok(output) = Command::new("python3").args(["-c", CHECK]).arg(file).output() else {
        println!("skipped: python3 is not there");
        return;
    };
    let said = stderr(&output);
    if said.starts_with("skipped: ") {
        println!("{said}");
        return;
    }
    assert_eq!(String::from_utf8_lossy(&output.stdout), "8 families\n", "{said}{text}");
}

/// Every sample belongs to the family above it, which has a type and a help; buckets grow; the end is marked.
fn assert_well_formed(text: &str) {
    let mut family = "";
    let mut bucket = ("", 0.0);
    for line in text.strip_suffix("# EOF\n").unwrap_or_else(|| panic!("no end: {text}")).lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            family = described.split(' ').next().unwrap();
            assert!(text.contains(&format!("# TYPE {family} ")), "{family}");
            assert_eq!(text.matches(&format!("# HELP {family} ")).count(), 1, "{family} in one place");
        }
        if line.starts_with('#') {
            continue;
        }
        let (series, number) = line.rsplit_once(' ').unwrap();
        let number: f64 = number.parse().unwrap();
        assert!(series.starts_with(family), "{line} among {family}");
        assert_eq!(text.lines().filter(|other| other.starts_with(&format!("{series} "))).count(), 1, "{series}");
        if series.contains("_bucket{") {
            let stage = series.split("stage=").nth(1).unwrap();
            assert!(stage != bucket.0 || number >= bucket.1, "{line}");
            bucket = (stage, number);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_during_a_crawl_is_strict_openmetrics_and_its_figures_add_up() {
    let server = Server::start(|path| match path {
        "/" => page((0..20).map(|n| format!("/{n}")).chain(["/hang".into()])),
        "/robots.txt" | "/0" | "/1" => Reply::status(404),
        "/2" => Reply::status(599),
        "/3" | "/4" | "/5" => Reply::html("x").with_header("Content-Encoding", "gzip"),
        "/hang" => page([""; 0]).delayed(Duration::MAX),
        _ => page(["http://elsewhere.example/"]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let crawl = Watched::start(&bench, &[&server.url("/")]).await;
    let all_but_one = |text: &str| {
        let is_rest = value(text, "harvestman_urls{state=\"pending\"}") == 1.0 && sum(text, "harvestman_urls") == 23.0;
        is_rest && value(text, "harvestman_connections_in_use") == 1.0
    };
    let text = crawl.scrape_until(all_but_one).await;
    assert_well_formed(&text);
    assert_strict(&bench.path("scrape"), &text);
    for (series, expected) in [
        ("harvestman_requests_total", 22.0),
        ("harvestman_responses_total{status=\"200\"}", 15.0),
        ("harvestman_responses_total{status=\"404\"}", 3.0),
        ("harvestman_responses_total{status=\"599\"}", 1.0),
        ("harvestman_request_failures_total{kind=\"decode\"}", 3.0),
        ("harvestman_request_failures_total{kind=\"timeout\"}", 0.0),
        ("harvestman_urls{state=\"fetched\"}", 18.0),
        ("harvestman_urls{state=\"failed\"}", 3.0),
        ("harvestman_urls{state=\"skipped\"}", 1.0),
        ("harvestman_stage_duration_seconds_count{stage=\"fetch\"}", 22.0),
        ("harvestman_stage_duration_seconds_bucket{le=\"+Inf\",stage=\"fetch\"}", 22.0),
        ("harvestman_stage_duration_seconds_count{stage=\"parse\"}", 15.0),
        ("harvestman_stage_duration_seconds_count{stage=\"queue\"}", 22.0),
    ] {
        assert_eq!(value(&text, series), expected, "{series} in {text}");
    }
    assert!(value(&text, "harvestman_body_bytes_total") > 300.0, "{text}");
    assert!((1.0..=22.0).contains(&value(&text, "harvestman_stage_duration_seconds_count{stage=\"commit\"}")));
    for unit in ["# UNIT harvestman_body_bytes bytes", "# UNIT harvestman_stage_duration_seconds seconds"] {
        assert!(text.contains(unit), "{text}");
    }
    assert!(!text.contains("127.0.0.1") && !text.contains("elsewhere"), "no host is a label: {text}");
    crawl.stop(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoint_speaks_http_and_knows_two_paths() {
    let server = Server::start(|_| page([""; 0]).delayed(Duration::MAX)).await.unwrap();
    let bench = Bench::new();
    let crawl = Watched::start(&bench, &[&server.url("/")]).await;
    let (head, _) = crawl.ask("GET /metrics?x=1 HTTP/1.1").await;
    let content_type = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains(content_type), "{head}");
    let (head, body) = crawl.ask("GET /healthz HTTP/1.1").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && body == "ok\n", "{head} {body}");
    for (line, status) in [
        ("HEAD /metrics HTTP/1.1", "200 OK"),
        ("GET / HTTP/1.1", "404 Not Found"),
        ("POST /metrics HTTP/1.1", "405 Method Not Allowed"),
        ("nonsense", "400 Bad Request"),
    ] {
        let (head, body) = crawl.ask(line).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{line}: {head}");
        assert!(!line.starts_with("HEAD") || body.is_empty(), "{body}");
    }
    let long = format!("GET /{} HTTP/1.1", "x".repeat(100_000));
    let mut socket = TcpStream::connect(&crawl.address).unwrap();
    let _ = socket.write_all(long.as_bytes());
    assert!(crawl.scrape().await.ends_with("# EOF\n"), "a head without end is refused, and the next is heard");
    crawl.stop(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_say_nothing_hold_up_neither_the_crawl_nor_other_clients_for_long() {
    let server = Server::start(|path| match path {
        "/p/99" => page([""; 0]).delayed(Duration::MAX),
        path => graph_page(100, 300, path),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let crawl = Watched::start(&bench, &[&server.url("/p/0"), "--max-connections-per-host", "8"]).await;
    let silent: Vec<_> = (0..20).map(|_| TcpStream::connect(&crawl.address).unwrap()).collect();
    until("all pages but the one that hangs", || server.hit_count() == 101).await;
    crawl.scrape_until(|text| value(text, "harvestman_urls{state=\"fetched\"}") == 99.0).await;
    drop(silent);
    crawl.stop(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_to_be_had_is_named_before_the_crawl_begins() {
    let server = Server::start(|_| page([""; 0]).delayed(Duration::MAX)).await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/");
    let taken = server.address().to_string();
    let output = bench.run(&["crawl", &seed, "--metrics", &taken]).await;
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("error: --metrics: cannot listen on {taken}\n  caused by: Address already in use");
    assert!(stderr(&output).starts_with(&expected), "{}", stderr(&output));
    let output = bench.run(&["crawl", &seed, "--metrics", "9464"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--metrics") && stderr(&output).contains("address"), "{}", stderr(&output));
    assert_eq!(server.hit_count(), 0);

    let first = Watched::start(&bench, &[&seed]).await;
    let second = bench.run(&["crawl", &seed, "--metrics", &first.address]).await;
    assert_eq!(second.status.code(), Some(4), "that another crawl is at work says more: {}", stderr(&second));
    first.stop(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_says_when_an_earlier_crawl_went_well_if_that_is_known() {
    let hangs = Arc::new(AtomicBool::new(false));
    let hanging = hangs.clone();
    let server = Server::start(move |path| match path {
        "/robots.txt" => Reply::status(404),
        _ if hanging.load(Ordering::SeqCst) => page([""; 0]).delayed(Duration::MAX),
        _ => page([""; 0]),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let seed = server.url("/");
    let series = "harvestman_last_success_timestamp_seconds";
    hangs.store(true, Ordering::SeqCst);
    let first = Watched::start(&bench, &[&seed]).await;
    assert!(!first.scrape().await.contains(series), "no crawl went well yet");
    first.stop(&bench).await;
    hangs.store(false, Ordering::SeqCst);
    let file = ["--success-file", "good.prom"];
    let good = bench.run(&[&["crawl", &seed], &file[..]].concat()).await;
    assert!(good.status.success(), "{}", stderr(&good));
    hangs.store(true, Ordering::SeqCst);
    let known = Watched::start(&bench, &[&seed]).await;
    let text = known.scrape().await;
    assert_well_formed(&text);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((0.0..300.0).contains(&(now - value(&text, series))), "by the runs: {text}");
    known.stop(&bench).await;
    let noted = std::fs::read_to_string(bench.path("good.prom")).unwrap();
    let line = noted.lines().find(|line| line.starts_with(series)).unwrap();
    std::fs::write(bench.path("good.prom"), noted.replace(line, &format!("{series} 1000.5"))).unwrap();
    let by_file = Watched::start(&bench, &[&[&*seed], &file[..]].concat()).await;
    assert_eq!(value(&by_file.scrape().await, series), 1000.5, "the file says it exactly");
    by_file.stop(&bench).await;
}
