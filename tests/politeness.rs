//! How often a host is asked, and when it is left alone: read off the servers' own logs.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use common::{Bench, page, stderr, summary};
use harvestman::demo::{Hit, Reply, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// How late this machine runs what is due: a request held up by that much comes closer to its successor.
struct Jitter {
    stop: Arc<AtomicBool>,
    probe: std::thread::JoinHandle<Duration>,
}

impl Jitter {
    fn watch() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let probe = std::thread::spawn(move || {
            let mut worst = Duration::ZERO;
            while !stopped.load(Ordering::Relaxed) {
                let before = Instant::now();
                std::thread::sleep(MS);
                worst = worst.max(before.elapsed().saturating_sub(MS));
            }
            worst
        });
        Self { stop, probe }
    }

    /// What is to be forgiven. A request is handed from thread to thread a few times before the server notes it.
    fn end(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.probe.join().unwrap() * 3
    }
}

/// The times between the starts of requests, shortest first.
fn gaps<'a>(hits: impl IntoIterator<Item = &'a Hit>) -> Vec<Duration> {
    let mut times: Vec<_> = hits.into_iter().map(|hit| hit.at).collect();
    times.sort_unstable();
    let mut gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable();
    gaps
}

#[track_caller]
fn assert_pace(hits: &[Hit], interval: Duration, forgiven: Duration) {
    let gaps = gaps(hits);
    let least = interval.mul_f64(0.9).saturating_sub(forgiven);
    assert!(gaps.first().is_none_or(|gap| *gap >= least), "{interval:?} asked, {forgiven:?} forgiven: {gaps:?}");
}

fn first(hits: &[Hit]) -> Instant {
    hits.iter().map(|hit| hit.at).min().unwrap()
}

fn last(hits: &[Hit]) -> Instant {
    hits.iter().map(|hit| hit.at).max().unwrap()
}

fn paths(server: &Server) -> Vec<String> {
    server.hits().into_iter().map(|hit| hit.path).collect()
}

fn seeds(bench: &Bench, servers: &[&Server]) {
    let text: String = servers.iter().map(|server| server.url("/\n")).collect();
    std::fs::write(bench.path("seeds.txt"), text).unwrap();
}

/// `/` links to `pages` pages; the first of them is a redirect to the second.
fn small_site(pages: usize, path: &str) -> Reply {
    match path {
        "/" => page((1..=pages).map(|number| format!("/{number}"))),
        "/1" => Reply::redirect(302, "/2"),
        "/robots.txt" => Reply::status(404),
        _ => page([""; 0]),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_hosts_keep_their_pace_and_neither_a_large_nor_a_hanging_one_holds_up_the_others() {
    const INTERVAL: Duration = Duration::from_millis(100);
    let mut ordinary = Vec::new();
    for _ in 0..38 {
        ordinary.push(Server::start(|path| small_site(4, path)).await.unwrap());
    }
    let tries = AtomicUsize::new(0);
    let large = Server::start(move |path| match path {
        "/3" if tries.fetch_add(1, Ordering::SeqCst) == 0 => Reply::status(503),
        _ => small_site(40, path),
    })
    .await
    .unwrap();
    let hanging = Server::start(|_| Reply::status(200).delayed(Duration::MAX)).await.unwrap();
    let bench = Bench::new();
    let all: Vec<_> = ordinary.iter().chain([&large, &hanging]).collect();
    seeds(&bench, &all);
    let jitter = Jitter::watch();
    let options = ["crawl", "seeds.txt", "--rate", "10", "--timeout", "3s", "--retries", "1", "--json"];
    let output = bench.run(&options).await;
    let forgiven = jitter.end();

    let done = summary(&output);
    assert_eq!((&done["outcome"], &done["fetched"]), (&"finished".into(), &(38 * 5 + 41).into()), "{done}");
    for server in &all {
        assert_pace(&server.hits(), INTERVAL, forgiven);
    }
    // By the crawler's own account nothing has to be forgiven, but that times are whole milliseconds.
    let closest = bench.closest_requests().await;
    assert!(closest >= 89.0, "{closest} ms");
    let retried = hanging.hits();
    assert_eq!(retried.len(), 2, "robots.txt, and its retry");
    let large = large.hits();
    assert_eq!(large.len(), 43, "robots.txt, each page once, and one retry");
    for server in &ordinary {
        let hits = server.hits();
        assert_eq!(hits.len(), 6, "robots.txt and each page once");
        let end = last(&hits);
        // Six requests at the same pace. The large host takes seven times as many, the hanging one five times as long.
        let meanwhile = large.iter().filter(|hit| hit.at < end).count();
        assert!(meanwhile < 30, "{meanwhile} requests to the large host came first");
        assert!(end < retried[1].at, "held up until the hanging host timed out");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_delay_longer_than_the_rate_wins_and_a_shorter_one_does_not() {
    let site = |delay: &'static str| {
        move |path: &str| match path {
            "/robots.txt" => Reply::text(format!("User-agent: *\nCrawl-delay: {delay}\n")),
            _ => small_site(2, path),
        }
    };
    let longer = Server::start(site("0.9")).await.unwrap();
    let shorter = Server::start(site("0.1")).await.unwrap();
    let bench = Bench::new();
    seeds(&bench, &[&longer, &shorter]);
    let jitter = Jitter::watch();
    bench.run(&["crawl", "seeds.txt", "--rate", "2"]).await;
    let forgiven = jitter.end();
    assert_eq!((longer.hit_count(), shorter.hit_count()), (4, 4));
    assert_pace(&longer.hits(), 900 * MS, forgiven);
    assert_pace(&shorter.hits(), 500 * MS, forgiven);
    let rows = bench.rows("select crawl_delay_ms from hosts order by 1").await;
    assert_eq!(rows, ["100", "900"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_delay_beyond_all_measure_stops_nothing_but_its_host() {
    let endless = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nCrawl-delay: 9e18\n"),
        _ => page(["/a"]),
    })
    .await
    .unwrap();
    let other = Server::start(|path| small_site(3, path)).await.unwrap();
    let bench = Bench::new();
    seeds(&bench, &[&endless, &other]);
    let output = bench.run(&["crawl", "seeds.txt", "--rate", "0", "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(summary(&output)["outcome"], "waiting");
    assert_eq!((endless.hit_count(), other.hit_count()), (1, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_delay_longer_than_max_wait_allows_one_request_an_invocation() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nCrawl-delay: 2\n"),
        _ => small_site(2, path),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let seed = server.url("/");
    let args = ["crawl", &seed, "--max-wait", "1s", "--json"];
    for requests in 1..=3 {
        let output = bench.run(&args).await;
        assert_eq!((output.status.code(), &summary(&output)["outcome"]), (Some(0), &"waiting".into()));
        assert_eq!(server.hit_count(), requests, "{:?}", paths(&server));
        let due = bench.rows("select count(*) = 0 from queue where due_at is null").await;
        assert_eq!(due, ["1"], "what waits says until when");
        tokio::time::sleep(2 * SECOND).await;
    }
    assert_pace(&server.hits(), 2 * SECOND, Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_obeyed_in_full_in_seconds_and_as_a_date() {
    let asks = |status: u16, value: fn() -> String| {
        let tries = AtomicUsize::new(0);
        move |path: &str| match path {
            "/1" if tries.fetch_add(1, Ordering::SeqCst) == 0 => {
                Reply::status(status).with_header("Retry-After", &value())
            }
            "/1" => page([""; 0]),
            _ => small_site(3, path),
        }
    };
    let seconds = Server::start(asks(429, || "3".to_owned())).await.unwrap();
    // Whole seconds: at least three are left of four.
    let date = || httpdate::fmt_http_date(SystemTime::now() + 4 * SECOND);
    let date = Server::start(asks(503, date)).await.unwrap();
    let other_status = Server::start(asks(500, || "3".to_owned())).await.unwrap();
    let bench = Bench::new();
    let all = [&seconds, &date, &other_status];
    seeds(&bench, &all);
    bench.run(&["crawl", "seeds.txt", "--rate", "0", "--max-connections-per-host", "1"]).await;
    for server in all {
        let hits = server.hits();
        assert_eq!(hits.len(), 6, "{:?}", paths(server));
        let asked = hits.iter().position(|hit| hit.path == "/1").unwrap();
        assert!(hits[asked + 1].at - hits[asked].at >= 3 * SECOND, "the host as a whole is left alone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_rest_the_whole_host_also_without_retry_after() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |path| match path {
        "/" => page(["/a", "/b"]),
        "/a" | "/b" if asked.fetch_add(1, Ordering::Relaxed) == 0 => Reply::status(429),
        "/robots.txt" => Reply::status(404),
        _ => page([""; 0]),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    bench.run(&["crawl", &server.url("/"), "--rate", "0", "--max-connections-per-host", "1"]).await;
    let hits = server.hits();
    let times: Vec<_> = hits.iter().filter(|hit| hit.path != "/robots.txt").map(|hit| hit.at).collect();
    assert_eq!(times.len(), 4);
    assert!(times[2] - times[1] >= Duration::from_millis(500), "the other page waits too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_longer_than_max_wait_leaves_its_urls_for_a_later_invocation() {
    let server = Server::start(|path| match path {
        "/" => Reply::status(503).with_header("Retry-After", "4"),
        _ => Reply::status(404),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let seed = server.url("/");
    let crawl = |max_wait: &'static str| {
        let args =
            ["crawl", &seed, "--rate", "0", "--max-wait", max_wait, "--retries", "1", "--json"].map(str::to_owned);
        let bench = &bench;
        async move { bench.run(&args.each_ref().map(String::as_str)).await }
    };
    for invocation in 1..=2 {
        let output = crawl("1s").await;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(summary(&output)["outcome"], "waiting");
        assert_eq!(server.hit_count(), 2, "robots.txt and one try after invocation {invocation}");
        let is_to_come = bench.either("due_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')", "due_at::timestamptz > now()");
        assert_eq!(bench.rows(&format!("select attempts, {is_to_come} from queue")).await, ["1|1"]);
    }
    let output = crawl("1m").await;
    assert_eq!(summary(&output)["outcome"], "finished");
    assert!(gaps(&server.hits())[1] >= 4 * SECOND, "{:?}", gaps(&server.hits()));
    assert_eq!(bench.rows("select status from pages").await, ["503"], "the last try counts");
}

/// Answers robots.txt with 404 and closes every other connection without a word; counts the latter.
async fn closing_server() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let closed = Arc::new(AtomicUsize::new(0));
    let count = closed.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let read = stream.read(&mut head).await.unwrap_or(0);
            if head[..read].starts_with(b"GET /robots.txt") {
                let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let _ = stream.write_all(answer).await;
            } else if read > 0 {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (url, closed)
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_are_counted_and_other_hosts_do_not_wait_for_them() {
    let busy = Server::start(|path| match path {
        "/" => page(["/503", "/429"]),
        "/503" => Reply::status(503),
        "/429" => Reply::status(429),
        _ => Reply::status(404),
    })
    .await
    .unwrap();
    let (closing, closed) = closing_server().await;
    let other = Server::start(|path| small_site(20, path)).await.unwrap();
    let bench = Bench::new();
    std::fs::write(bench.path("seeds.txt"), format!("{closing}\n{}\n{}\n", busy.url("/"), other.url("/"))).unwrap();
    let output = bench.run(&["crawl", "seeds.txt", "--rate", "0", "--retries", "2"]).await;
    assert!(output.status.success(), "{}", stderr(&output));

    assert_eq!(closed.load(Ordering::SeqCst), 3, "the first try and two more");
    assert_eq!(bench.rows("select kind, attempts from failures").await, ["closed|3"]);
    let hits = busy.hits();
    for path in ["/503", "/429"] {
        assert_eq!(hits.iter().filter(|hit| hit.path == path).count(), 3, "{path}");
    }
    let stored = bench.rows("select status, count(*) from pages where status > 400 group by 1 order by 1").await;
    assert_eq!(stored, ["429|1", "503|1"], "the last answer is kept");
    let requests = "select count(*) from fetches where status in (429, 503) or failure = 'closed'";
    assert_eq!(bench.rows(requests).await, ["9"]);
    assert_eq!(other.hit_count(), 22);
    assert!(last(&other.hits()) < last(&hits), "held up by the retries of another host");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_global_rate_holds_over_all_hosts() {
    let mut servers = Vec::new();
    for _ in 0..4 {
        servers.push(Server::start(|path| small_site(4, path)).await.unwrap());
    }
    let bench = Bench::new();
    let all: Vec<_> = servers.iter().collect();
    seeds(&bench, &all);
    let jitter = Jitter::watch();
    let output = bench.run(&["crawl", "seeds.txt", "--rate", "0", "--global-rate", "8", "--json"]).await;
    let forgiven = jitter.end();
    assert_eq!(summary(&output)["fetched"], 20);
    let hits: Vec<_> = servers.iter().flat_map(Server::hits).collect();
    assert_eq!(hits.len(), 24);
    assert_pace(&hits, 125 * MS, forgiven);
    let shortest_time = 23 * 125 * MS;
    assert!(last(&hits) - first(&hits) + forgiven >= shortest_time.mul_f64(0.99));
}

/// Three hosts (three addresses) of one server, so that it sees all requests in flight.
async fn three_hosts_in_one(bench: &Bench) -> Server {
    let address = "0.0.0.0:0".parse().unwrap();
    let server = Server::bind(address, |path| small_site(12, path).delayed(60 * MS)).await.unwrap();
    let port = server.address().port();
    let text: String = (1..=3).map(|host| format!("http://127.0.0.{host}:{port}/\n")).collect();
    std::fs::write(bench.path("seeds.txt"), text).unwrap();
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn never_more_requests_are_in_flight_than_connections_are_allowed() {
    let bench = Bench::new();
    let server = three_hosts_in_one(&bench).await;
    let caps = ["--max-connections", "4", "--max-connections-per-host", "16"];
    bench.run(&[&["crawl", "seeds.txt", "--rate", "0"][..], &caps].concat()).await;
    assert_eq!((server.hit_count(), server.most_in_flight()), (3 * 14, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn never_more_requests_of_one_host_are_in_flight_than_it_is_allowed() {
    let server = Server::start(|path| small_site(20, path).delayed(60 * MS)).await.unwrap();
    let bench = Bench::new();
    bench.run(&["crawl", &server.url("/"), "--rate", "0", "--max-connections-per-host", "3"]).await;
    assert_eq!((server.hit_count(), server.most_in_flight()), (22, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_never_bursts() {
    let server = Server::start(|path| small_site(9, path)).await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/");
    let jitter = Jitter::watch();
    for _ in 0..3 {
        let output = bench.run(&["crawl", &seed, "--rate", "1.25", "--max-pages", "1", "--json"]).await;
        assert_eq!(summary(&output)["outcome"], "limit");
    }
    assert_eq!(server.hit_count(), 4, "robots.txt and a page an invocation");
    // A slower pace counts from the last request of the faster one.
    bench.run(&["crawl", &seed, "--rate", "0.5", "--max-pages", "1"]).await;
    let forgiven = jitter.end();
    let hits = server.hits();
    assert_pace(&hits, 800 * MS, forgiven);
    assert_pace(&hits[3..], 2 * SECOND, forgiven);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_after_kill_9_never_bursts() {
    let server = Server::start(|path| small_site(9, path).delayed(50 * MS)).await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/");
    for _ in 0..3 {
        let before = server.hit_count();
        let mut child = bench.start(&["crawl", &seed, "--rate", "1", "--lease", "2s"]);
        common::until("a request", || server.hit_count() > before).await;
        // Before its answer is there.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_pace(&server.hits(), SECOND, Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_is_kept_for_the_next_invocation() {
    let server = Server::start(|path| small_site(3, path)).await.unwrap();
    let bench = Bench::new();
    for _ in 0..3 {
        bench.run(&["crawl", &server.url("/"), "--rate", "0"]).await;
    }
    let asked = paths(&server).iter().filter(|path| *path == "/robots.txt").count();
    assert_eq!((asked, server.hit_count()), (1, 1 + 3 * 4), "the pages are fetched again, robots.txt is not");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_robots_txt_failed_is_judged_again_once_it_answers() {
    let up = Arc::new(AtomicBool::new(false));
    let is_up = up.clone();
    let server = Server::start(move |path| match path {
        "/robots.txt" if !is_up.load(Ordering::SeqCst) => Reply::status(503),
        "/robots.txt" => Reply::text("User-agent: *\nDisallow: /2\n"),
        _ => small_site(2, path),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let seed = server.url("/");
    let args = ["crawl", &seed, "--rate", "0", "--retries", "1"];
    assert_eq!(bench.run(&args).await.status.code(), Some(3));
    assert_eq!(paths(&server), ["/robots.txt", "/robots.txt"]);
    assert_eq!(bench.rows("select reason from skipped").await, ["robots_unreachable"]);
    up.store(true, Ordering::SeqCst);
    assert_eq!(bench.run(&args).await.status.code(), Some(0));
    assert_eq!(paths(&server)[2..], ["/robots.txt", "/", "/1"]);
    assert_eq!(bench.rows("select reason from skipped").await, ["robots"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_robots_txt_moved_to_a_dead_host_forbids_its_own_host() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::redirect(301, "http://127.0.0.1:1/robots.txt"),
        _ => page([""; 0]),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    std::fs::write(bench.path("seeds.txt"), format!("{}\nhttp://127.0.0.1:1/\n", server.url("/"))).unwrap();
    bench.run(&["crawl", "seeds.txt", "--rate", "0", "--retries", "0"]).await;
    assert_eq!(bench.rows("select reason from skipped").await, ["robots_unreachable"]);
    assert_eq!(bench.rows("select url from failures").await, ["http://127.0.0.1:1/"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_never_waits_for_a_host_that_died() {
    let dying = Server::start(|path| small_site(300, path)).await.unwrap();
    let alive = Server::start(|path| small_site(10, path)).await.unwrap();
    let bench = Bench::new();
    seeds(&bench, &[&dying, &alive]);
    let started = Instant::now();
    let args = ["crawl", "seeds.txt", "--rate", "50", "--retries", "1", "--max-connections-per-host", "8", "--json"];
    let crawl = bench.run(&args);
    let death = async {
        common::until("some pages", || dying.hit_count() > 20).await;
        drop(dying);
    };
    let (output, ()) = tokio::join!(crawl, death);
    let done = summary(&output);
    assert_eq!((&done["outcome"], &done["pending"]), (&"finished".into(), &0.into()), "{done}");
    assert_eq!(alive.hit_count(), 12);
    assert!(done["failed"].as_u64().unwrap() > 200, "{done}");
    assert!(started.elapsed() < 45 * SECOND, "waited {:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_outage_costs_no_page_however_many_requests_it_hits() {
    let server = Server::start(|path| small_site(200, path)).await.unwrap();
    let address = server.address();
    let bench = Bench::new();
    let seed = server.url("/");
    let args = ["crawl", &seed, "--rate", "0", "--max-connections-per-host", "32", "--json"];
    let crawl = bench.run(&args);
    let outage = async {
        common::until("some pages", || server.hit_count() > 20).await;
        drop(server);
        tokio::time::sleep(SECOND).await;
        Server::bind(address, |path| small_site(200, path)).await.unwrap()
    };
    let (output, _server) = tokio::join!(crawl, outage);
    let done = summary(&output);
    assert_eq!((&done["fetched"], &done["failed"]), (&201.into(), &0.into()), "{done}");
}
