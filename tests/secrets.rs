//! Secrets stay home: they are shown by nothing, and sent to the hosts alone that they were given for.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::process::{Output, Stdio};

use common::{Bench, stderr, stdout};
use harvestman::demo::{Hit, Reply, Server};

const SECRET: &str = "planted-in-9f3c";

/// Runs a command with more environment.
async fn run(bench: &Bench, args: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = bench.command(args);
    command.envs(environment.iter().copied()).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// Everything a command said.
fn said(output: &Output) -> String {
    stdout(output) + &stderr(output)
}

/// The host that a proxy is asked for.
fn host(hit: &Hit) -> &str {
    hit.header("host").unwrap()
}

#[tokio::test]
async fn no_help_shows_what_the_environment_holds() {
    let bench = Bench::new();
    let header = format!("Authorization: Bearer {SECRET}");
    let proxy = format!("http://me:{SECRET}@127.0.0.1:1");
    let database = format!("postgres://me:{SECRET}@127.0.0.1/crawl");
    let environment =
        [("HARVESTMAN_HEADER", &*header), ("HARVESTMAN_PROXY", &*proxy), ("HARVESTMAN_DATABASE", &*database)];
    for command in ["crawl", "query", "search", "status", "show", "export", "report", "explain", "changes", "vacuum"] {
        let output = run(&bench, &[command, "--help"], &environment).await;
        assert!(output.status.success() && stdout(&output).contains("HARVESTMAN_DATABASE"), "{command}");
        assert!(!said(&output).contains(SECRET), "{}", said(&output));
    }
    for args in [&["man"][..], &["completions", "bash"], &["status"], &["crawl", "http://127.0.0.1:1/"]] {
        let output = run(&bench, args, &environment).await;
        assert!(!said(&output).contains(SECRET), "{}", said(&output));
    }
}

#[tokio::test]
async fn no_message_about_a_wrong_value_repeats_it() {
    let bench = Bench::new();
    let seed = "http://127.0.0.1:1/";
    for (option, value) in [
        ("--header", format!("Authorization Bearer {SECRET}")),
        ("--header", format!("{SECRET} {SECRET}: x")),
        ("--header", format!("X-A: a\n{SECRET}")),
        ("--header", format!("X-A: \u{7}{SECRET}")),
        ("--header", format!("User-Agent: {SECRET}")),
        ("--header", format!("Proxy-Authorization: Basic {SECRET}")),
        ("--proxy", format!("http://me:{SECRET}")),
        ("--proxy", format!("gopher://me:{SECRET}@127.0.0.1:1")),
        ("--proxy", format!("http://me:{SECRET}@:1")),
    ] {
        let variable = option.replace("--", "HARVESTMAN_").to_uppercase();
        for output in [
            run(&bench, &["crawl", seed, option, &value], &[]).await,
            run(&bench, &["crawl", seed], &[(&variable, &value)]).await,
        ] {
            assert_eq!(output.status.code(), Some(2), "{value}: {}", said(&output));
            assert!(said(&output).contains(option) && !said(&output).contains(SECRET), "{}", said(&output));
        }
    }
    for text in
        ["header = 'Authorization: SECRET'", "header = ['SECRET']", "proxy = ['SECRET']", "proxy = 'a://SECRET'"]
    {
        std::fs::write(bench.path("harvestman.toml"), text.replace("SECRET", SECRET)).unwrap();
        let output = run(&bench, &["crawl", seed], &[]).await;
        assert!(output.status.code() == Some(1) && stderr(&output).contains("harvestman.toml, line 1"), "{text}");
        assert!(!said(&output).contains(SECRET), "{}", said(&output));
    }
}

#[tokio::test]
async fn a_text_that_cannot_be_a_seed_is_told_without_its_credentials() {
    let bench = Bench::new();
    let lines =
        ["ftp://me:SECRET@a.test/", "me:SECRET@a.test", "http://me:SEC/SECRET@a.test/", "http//me:SECRET@a.test"];
    let lines = lines.map(|line| line.replace("SECRET", SECRET));
    std::fs::write(bench.path("seeds.txt"), lines.join("\n")).unwrap();
    let mut calls = vec![vec!["crawl", "seeds.txt"]];
    for line in &lines {
        calls.push(vec!["crawl", line]);
        calls.extend(["show", "explain"].map(|command| vec![command, line]));
        calls.push(vec!["robots", line, line]);
    }
    for args in calls {
        let output = run(&bench, &args, &[]).await;
        assert!(!said(&output).contains(SECRET), "{args:?}: {}", said(&output));
        assert!(args[0] != "crawl" || said(&output).contains("…@a.test"), "{args:?}: {}", said(&output));
    }
}

/// Headers with secrets, by their names, go to the seed's host and nowhere else: not to another port, scheme or name that
/// its pages, redirects, robots.txt and sitemaps lead to.
#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_secrets_go_to_the_hosts_of_the_seeds_alone() {
    let proxy = Server::start_with_request(|hit| match (host(hit), hit.path.as_str()) {
        ("site.test", "/robots.txt") => {
            Reply::text("Sitemap: http://maps.test/sitemap.xml\nSitemap: http://site.test/own.xml")
        }
        ("site.test", "/") => Reply::html(
            "<a href=/page>x</a><a href=http://other.test/>x</a><a href=http://site.test:81/>x</a><a href=/away>x</a>",
        ),
        ("site.test", "/away") => Reply::redirect(302, "http://canary.test/"),
        ("canary.test", "/") => Reply::redirect(302, "http://site.test/back"),
        ("other.test", "/robots.txt") => Reply::redirect(301, "http://site.test/robots-of-other"),
        (_, path) if path.ends_with(".xml") => Reply::text("http://site.test/mapped\nhttp://mapped.test/"),
        _ => Reply::html(""),
    });
    let proxy = proxy.await.unwrap();
    let bench = Bench::new();
    let names = ["Authorization", "Cookie", "X-Api-Key", "X-Auth", "My-Token", "Client-Secret", "SessionId"];
    let headers: Vec<_> = names.iter().map(|name| format!("{name}: a={SECRET}")).collect();
    let mut args = vec!["crawl", "http://site.test/", "--scope", "any", "--rate", "0", "--retries", "0", "--sitemaps"];
    let address = proxy.url("");
    args.extend(["--proxy", &address, "--header", "X-Open: for all"]);
    headers.iter().for_each(|header| args.extend(["--header", header]));
    let output = run(&bench, &args, &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let hits = proxy.hits();
    for path in ["/", "/robots.txt", "/page", "/away", "/back", "/own.xml", "/mapped", "/robots-of-other"] {
        assert!(hits.iter().any(|hit| host(hit) == "site.test" && hit.path == path), "{path}");
    }
    for name in ["other.test", "site.test:81", "canary.test", "maps.test", "mapped.test"] {
        assert!(hits.iter().any(|hit| host(hit) == name), "{name}");
    }
    for hit in hits {
        let found = names.iter().filter(|name| hit.header(name).is_some()).count();
        assert_eq!(found, if host(&hit) == "site.test" { names.len() } else { 0 }, "{} {}", host(&hit), hit.path);
        assert_eq!(hit.header("x-open"), Some("for all"));
    }
}
