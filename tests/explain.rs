//! Why a URL was or was not fetched, and what happens next, as `explain` tells it.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::{Bench, page, stderr, stdout, until};
use harvestman::demo::{Reply, Server};
use serde_json::{Value, json};

const ROBOTS: &str =
    "# Rules\nUser-agent: *\nAllow: /\n\nUser-agent: harvestman\nDisallow: /private # keep out\nCrawl-delay: 0.001\n";

async fn site() -> Server {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text(ROBOTS),
        "/" => Reply::html(
            "<a href=/a>To&#27;[31m a</a><a href=/moved>m</a><a href=/private/x>p</a><a href=/no rel=nofollow>n</a>
             <a href=/secret/1>s</a><a href=http://elsewhere.test/>e</a><a href=/big>b</a>",
        ),
        "/a" => page(["/b"]),
        "/b" => page(["/c"]),
        "/moved" => Reply::redirect(301, "/target"),
        "/big" => Reply::html("x".repeat(5_000)),
        _ => Reply::html("<title>Fine</title>"),
    });
    server.await.unwrap()
}

async fn crawl(bench: &Bench, args: &[&str]) {
    let output = bench.run(&[&["crawl", "--rate", "0"], args].concat()).await;
    assert!(output.status.success(), "{}", stderr(&output));
}

async fn crawled(site: &Server) -> Bench {
    let bench = Bench::new();
    crawl(&bench, &[&site.url("/"), "--max-depth", "2", "--exclude", "/secret/", "--max-body-size", "1KiB"]).await;
    bench
}

async fn text(bench: &Bench, url: &str) -> String {
    let output = bench.run(&["explain", url]).await;
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{url}");
    stdout(&output)
}

async fn explain(bench: &Bench, url: &str) -> Value {
    let output = bench.run(&["explain", url, "--json"]).await;
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{url}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The way from the seed: how each hop was made and where it led.
fn way(explained: &Value, site: &Server) -> Vec<String> {
    let hops = explained["found"].as_array().unwrap();
    let hop = |hop: &Value| [&hop["how"], &hop["url"]].map(|part| part.as_str().unwrap().replace(&site.url(""), ""));
    hops.iter().map(|step| hop(step).join(" ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_from_the_seed_is_told_link_by_link() {
    let site = site().await;
    let bench = crawled(&site).await;
    let b = explain(&bench, &site.url("/b")).await;
    assert_eq!(way(&b, &site), ["seed /", "a /a", "a /b"]);
    assert_eq!((&b["found"][2]["text"], &b["depth"], &b["state"]), (&json!("/b"), &json!(2), &json!("fetched")));
    let target = explain(&bench, &site.url("/target")).await;
    assert_eq!(way(&target, &site), ["seed /", "a /moved", "redirect /target"]);
    let moved = explain(&bench, &site.url("/moved")).await;
    assert_eq!(
        (&moved["response"]["status"], &moved["response"]["redirect_to"]),
        (&json!(301), &json!(site.url("/target")))
    );
    assert_eq!(way(&explain(&bench, &site.url("/")).await, &site), ["seed /"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_without_end_is_shown_by_its_last_hundred_steps() {
    let site = Server::start(|path| match path.trim_start_matches('/').parse::<u32>() {
        Ok(number) if number < 130 => page([format!("/{}", number + 1)]),
        _ => Reply::status(404),
    });
    let site = site.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&site.url("/0")]).await;
    let last = explain(&bench, &site.url("/130")).await;
    assert_eq!(
        (way(&last, &site).len(), &way(&last, &site)[0], &last["depth"]),
        (100, &"a /31".to_owned(), &json!(130))
    );
    assert!(text(&bench, &site.url("/130")).await.contains("found       … from a seed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_stored_links_the_way_is_still_known() {
    let site = site().await;
    let bench = Bench::new();
    crawl(&bench, &[&site.url("/"), "--no-links"]).await;
    let c = explain(&bench, &site.url("/c")).await;
    assert_eq!(way(&c, &site), ["seed /", "link /a", "link /b", "link /c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_is_told_by_group_and_line() {
    let site = site().await;
    let bench = crawled(&site).await;
    let private = explain(&bench, &site.url("/private/x")).await;
    assert_eq!((&private["state"], &private["reason"]), (&json!("skipped"), &json!("robots")));
    let robots = &private["robots"];
    let told = ["verdict", "group", "line", "rule", "status", "crawl_delay_ms"].map(|key| robots[key].clone());
    let rule = "Disallow: /private # keep out";
    assert_eq!(told, [json!("disallowed"), json!("harvestman"), json!(6), json!(rule), json!(200), json!(1)]);
    assert!(private["next"]["what"].as_str().unwrap().contains("--ignore-robots"), "{private}");
    let a = explain(&bench, &site.url("/a")).await;
    assert_eq!((&a["robots"]["verdict"], &a["robots"]["line"]), (&json!("allowed"), &Value::Null));
    crawl(&bench, &[&site.url("/"), "--ignore-robots"]).await;
    let private = explain(&bench, &site.url("/private/x")).await;
    assert_eq!((&private["state"], &private["robots"]["verdict"]), (&json!("fetched"), &json!("ignored")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_robots_txt_that_is_missing_allows_and_one_that_is_down_forbids() {
    for (status, verdict, state) in [(404, "allowed", "fetched"), (503, "unreachable", "skipped")] {
        let server = Server::start(move |path| match path {
            "/robots.txt" => Reply::status(status),
            _ => Reply::html(""),
        });
        let server = server.await.unwrap();
        let bench = Bench::new();
        bench.run(&["crawl", &server.url("/"), "--retries", "0", "--rate", "0"]).await;
        let front = explain(&bench, &server.url("/")).await;
        assert_eq!((&front["robots"]["verdict"], &front["state"]), (&json!(verdict), &json!(state)), "{front}");
        assert_eq!(front["robots"]["status"], status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_reason_says_what_it_means_and_which_option_changes_it() {
    let site = site().await;
    let bench = crawled(&site).await;
    let elsewhere = "http://elsewhere.test/".to_owned();
    for (url, reason, option) in [
        (site.url("/c"), "depth", "--max-depth"),
        (site.url("/no"), "nofollow", "--ignore-robots"),
        (site.url("/secret/1"), "excluded", "patterns"),
        (elsewhere, "scope", "--scope"),
    ] {
        let told = explain(&bench, &url).await;
        assert_eq!((&told["state"], &told["reason"]), (&json!("skipped"), &json!(reason)));
        assert_eq!(told["scope"]["verdict"], reason);
        assert!(told["next"]["what"].as_str().unwrap().contains(option), "{told}");
        assert_eq!(told["request_count"], 0);
    }
    let secret = text(&bench, &site.url("/secret/1")).await;
    assert!(secret.contains("--exclude /secret/ matches it"), "{secret}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_lists_every_request_and_what_may_help() {
    let site = Server::start(|path| match path {
        "/" => page(["/hang"]),
        "/hang" => Reply::html("").delayed(Duration::MAX),
        _ => Reply::status(404),
    });
    let site = site.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&site.url("/"), "--timeout", "200ms", "--retries", "1"]).await;
    let hang = explain(&bench, &site.url("/hang")).await;
    assert_eq!(
        (&hang["state"], &hang["reason"], &hang["request_count"]),
        (&json!("failed"), &json!("timeout"), &json!(2))
    );
    for request in hang["requests"].as_array().unwrap() {
        assert_eq!(
            (&request["failure"], &request["status"], &request["run"]),
            (&json!("timeout"), &Value::Null, &json!(1))
        );
        assert!(request["elapsed_ms"].as_i64().unwrap() >= 200, "{hang}");
    }
    assert!(!hang["message"].as_str().unwrap().is_empty());
    let next = hang["next"]["what"].as_str().unwrap();
    assert!(next.contains("--timeout") && next.contains("2 requests"), "{next}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_last_twenty_requests_are_listed_and_the_total_is_named() {
    let site = site().await;
    let bench = Bench::new();
    for _ in 0..22 {
        crawl(&bench, &[&site.url("/"), "--scope", "page"]).await;
    }
    let front = explain(&bench, &site.url("/")).await;
    let requests = front["requests"].as_array().unwrap();
    assert_eq!((requests.len(), &front["request_count"], &requests[19]["run"]), (20, &json!(22), &json!(22)));
    assert_eq!((&requests[0]["unchanged"], &requests[0]["status"]), (&json!(true), &json!(200)));
    assert!(text(&bench, &site.url("/")).await.contains("the last 20 of 22"));
    let robots = explain(&bench, &site.url("/robots.txt")).await;
    assert_eq!((&robots["state"], &robots["request_count"]), (&json!("unknown"), &json!(1)), "asked for, but no page");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_seen_is_judged_by_the_last_settings() {
    let site = site().await;
    let bench = crawled(&site).await;
    let long = site.url(&format!("/{}", "x".repeat(5_000)));
    for (url, state, reason) in [
        (site.url("/new"), "fetched", None),
        (site.url("/private/new"), "skipped", Some("robots")),
        (site.url("/secret/new"), "skipped", Some("excluded")),
        ("https://example.com/".to_owned(), "skipped", Some("scope")),
        (long, "skipped", Some("url_too_long")),
    ] {
        let told = explain(&bench, &url).await;
        assert_eq!(told["state"], "unknown", "{url}");
        assert_eq!(told["would"], json!({ "state": state, "reason": reason }), "{url}");
        let next = told["next"]["what"].as_str().unwrap();
        assert!(next.contains(reason.unwrap_or("depth 1 at most")), "{next}");
    }
    crawl(&bench, &[&site.url("/"), "--scope", "any", "--max-depth", "0"]).await;
    let url = "http://10.0.0.1/";
    assert_eq!(explain(&bench, url).await["would"]["reason"], "private_address");
    assert_eq!(explain(&bench, &site.url("/new")).await["would"]["reason"], "depth");
    assert_eq!(explain(&bench, "https://example.com/").await["robots"]["verdict"], "unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_spelling_finds_the_url_and_what_is_none_is_refused() {
    let site = site().await;
    let bench = crawled(&site).await;
    let spelling = site.url("/x/../a#part").replace("http", "HTTP");
    let told = text(&bench, &spelling).await;
    assert!(told.starts_with(&format!("{}\ntyped as    {spelling}\nstate       fetched\n", site.url("/a"))), "{told}");
    for bad in ["nonsense", "ftp://example.com/", "", "\u{1b}[31m"] {
        let output = bench.run(&["explain", bad]).await;
        let said = stderr(&output);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""), "{said}");
        assert!(said.starts_with("error:") && !said.contains('\u{1b}'), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_says_for_whom_and_what_was_fetched_when_it_is_due_again() {
    let site = site().await;
    let bench = Bench::new();
    crawl(&bench, &[&site.url("/"), "--max-pages", "1", "--recrawl-after", "1h"]).await;
    let a = explain(&bench, &site.url("/a")).await;
    assert_eq!((&a["state"], &a["next"]["at"]), (&json!("pending"), &Value::Null));
    assert!(a["next"]["what"].as_str().unwrap().contains("continues run 1"), "{a}");
    let front = explain(&bench, &site.url("/")).await;
    let fetched: jiff::Timestamp = bench.rows("select fetched_at from pages").await[0].parse().unwrap();
    let due: jiff::Timestamp = front["next"]["at"].as_str().unwrap().parse().unwrap();
    assert_eq!(due.duration_since(fetched), jiff::SignedDuration::from_hours(1));
    let private = explain(&bench, &site.url("/private/x")).await;
    assert!(
        private["state"] == "skipped" || private["next"]["what"].as_str().unwrap().contains("forbids"),
        "{private}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_host_names_the_time() {
    let server = Server::start(|path| match path {
        "/" => page(["/a"]),
        "/a" => Reply::status(503).with_header("retry-after", "3000"),
        _ => Reply::status(404),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    let a = explain(&bench, &server.url("/a")).await;
    let due = bench.rows("select due_at from queue").await.concat();
    assert_eq!(
        (&a["state"], &a["next"]["at"], &a["request_count"]),
        (&json!("pending"), &json!(due), &json!(1)),
        "{a}"
    );
    assert!(a["meaning"].as_str().unwrap().contains("1 request "), "{a}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_the_json_are_these() {
    let site = site().await;
    let bench = crawled(&site).await;
    let told = explain(&bench, &site.url("/a")).await;
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let all = "url state reason meaning message trap response check depth first_seen_at found scope robots request_count requests \
               next would";
    assert_eq!(keys(&told), all);
    assert_eq!(keys(&told["response"]), "status content_type redirect_to fetched_at");
    assert_eq!(keys(&told["found"][0]), "url how text");
    assert_eq!(keys(&told["scope"]), "scope max_depth verdict meaning");
    let robots = "url asked_at status failure verdict group line rule crawl_delay_ms meaning";
    assert_eq!(keys(&told["robots"]), robots);
    assert_eq!(keys(&told["requests"][0]), "run at status failure elapsed_ms bytes unchanged");
    assert_eq!(keys(&told["next"]), "what at");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_has_every_part_and_steers_no_terminal() {
    let site = site().await;
    let bench = crawled(&site).await;
    for path in ["/", "/a", "/b", "/c", "/moved", "/private/x", "/no", "/secret/1", "/big", "/new"] {
        let told = text(&bench, &site.url(path)).await;
        assert!(!told.contains(|c: char| c != '\n' && c.is_control()), "{told:?}");
        for label in ["state", "next", "in scope", "robots.txt", "requests"] {
            assert!(told.lines().any(|line| line.starts_with(&format!("{label:12}"))), "{label}: {told}");
        }
    }
    let a = text(&bench, &site.url("/a")).await;
    assert!(a.contains("found       seed") && a.contains("<a> “To\\u{1b}[31m a” to"), "{a}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_crawl_can_be_asked() {
    let site = Server::start(|path| match path {
        "/" => page(["/a", "/b"]),
        "/robots.txt" => Reply::status(404),
        _ => Reply::html("").delayed(Duration::MAX),
    });
    let site = site.await.unwrap();
    let bench = Bench::new();
    let mut child = bench.start(&["crawl", &site.url("/"), "--rate", "0", "--max-connections-per-host", "1"]);
    until("the second page to be asked for", || site.most_in_flight() > 0 && site.hit_count() >= 3).await;
    let (a, b) = (explain(&bench, &site.url("/a")).await, explain(&bench, &site.url("/b")).await);
    child.kill().unwrap();
    child.wait().unwrap();
    for told in [a, b] {
        assert_eq!((&told["state"], way(&told, &site).len()), (&json!("pending"), 2));
        assert!(told["next"]["what"].as_str().unwrap().contains("the crawl that is running"), "{told}");
    }
}
