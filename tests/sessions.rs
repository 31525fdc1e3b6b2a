//! Cookies and credentials: who gets them, on every hop, and that they are seen nowhere else.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::process::{Output, Stdio};

use common::{Bench, stderr, stdout};
use harvestman::demo::{Hit, Reply, Server};

async fn crawl(bench: &Bench, args: &[&str]) -> Output {
    let fast = ["--rate", "0", "--retries", "0", "--timeout", "10s", "--scope", "any"];
    let mut command = bench.command(&[&["crawl"], args, &fast[..]].concat());
    command.stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// The host that a proxy is asked for.
fn host(hit: &Hit) -> &str {
    hit.header("host").unwrap()
}

/// What was sent of a header with each request for a page, sorted: `host path: value`.
fn sent(proxy: &Server, header: &str) -> Vec<String> {
    let hits = proxy.hits().into_iter().filter(|hit| hit.path != "/robots.txt");
    let mut lines: Vec<_> =
        hits.map(|hit| format!("{} {}: {}", host(&hit), hit.path, hit.header(header).unwrap_or("-"))).collect();
    lines.sort();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_are_kept_for_their_domain_while_a_crawl_runs_and_shown_without_value() {
    let proxy = Server::start_with_request(|hit| match (host(hit), hit.path.as_str()) {
        (_, "/robots.txt") => Reply::text(""),
        ("www.site.test", "/") => Reply::html("<a href=/next>x</a>")
            .with_header("Set-Cookie", "sid=planted-1; Path=/; HttpOnly")
            .with_header("Set-Cookie", "all=planted-2; Domain=site.test"),
        ("www.site.test", "/next") => Reply::html("<a href=http://site.test/a>x</a><a href=http://other.test/>x</a>"),
        _ => Reply::html(""),
    });
    let proxy = proxy.await.unwrap();
    let seed = ["http://www.site.test/", "--proxy", &proxy.url("")];
    let bench = Bench::new();
    let output = crawl(&bench, &seed).await;
    let expected = [
        "other.test /: -",
        "site.test /a: all=planted-2",
        "www.site.test /: -",
        "www.site.test /next: sid=planted-1; all=planted-2",
    ];
    assert_eq!(sent(&proxy, "cookie"), expected, "{}", stderr(&output));
    let rows = bench.rows("select value from headers where name = 'set-cookie' order by 1").await;
    assert_eq!(rows, ["all=…; Domain=site.test", "sid=…; Path=/; HttpOnly"]);
    crawl(&Bench::new(), &[&seed[..], &["--no-cookies"]].concat()).await;
    let new: Vec<_> = proxy.hits().into_iter().skip(8).filter(|hit| hit.header("cookie").is_some()).collect();
    assert!(new.is_empty(), "{new:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_of_a_file_are_sent_and_a_bad_line_is_told_by_its_number() {
    let proxy = Server::start(|path| if path == "/" { Reply::html("<a href=/x>x</a>") } else { Reply::html("") });
    let proxy = proxy.await.unwrap();
    let bench = Bench::new();
    let file = "# Netscape HTTP Cookie File\r\n\n#HttpOnly_.site.test\tTRUE\t/\tFALSE\t0\tsid\tone\r\n\
                site.test\tFALSE\t/x\tfalse\t4102444800.5\tpath\ttwo\nsite.test\tFALSE\t/\tTRUE\t0\tsafe\t3\n\
                site.test\tFALSE\t/\tFALSE\t1\told\t4\n.test\tTRUE\t/\tFALSE\t0\twide\t5\nsite.test\tFALSE\t/\tFALSE\t0\tbare";
    std::fs::write(bench.path("cookies.txt"), file).unwrap();
    let seed = ["http://site.test/", "--proxy", &proxy.url("")];
    let more = ["--cookies", "cookies.txt", "--header", "Cookie: mine=1; bare=2"];
    let output = crawl(&bench, &[&seed[..], &more].concat()).await;
    let expected = ["site.test /: mine=1; bare=2; sid=one", "site.test /x: mine=1; bare=2; path=two; sid=one"];
    assert_eq!(sent(&proxy, "cookie"), expected, "{}", stderr(&output));

    for line in [
        "site.test planted",
        "site.test\tFALSE\t/\tFALSE\t0",
        "site.test\tplanted\t/\tFALSE\t0\ta\tplanted",
        "site.test\tFALSE\tx\tFALSE\t0\ta\tplanted",
        "site.test\tFALSE\t/\tmaybe\t0\ta\tplanted",
        "site.test\tFALSE\t/\tFALSE\tplanted\ta\tplanted",
        "a b\tFALSE\t/\tFALSE\t0\ta\tplanted",
        "site.test\tFALSE\t/\tFALSE\t0\ta\tplanted\u{7}",
    ] {
        std::fs::write(bench.path("bad.txt"), format!("# one\n\n{line}\n")).unwrap();
        let output = crawl(&bench, &[&seed[..], &["--cookies", "bad.txt"]].concat()).await;
        let said = stdout(&output) + &stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("bad.txt, line 3") && !said.contains("planted"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_cookies_for_other_sites_alone_is_told() {
    let proxy = Server::start(|_| Reply::html("")).await.unwrap();
    let bench = Bench::new();
    let address = proxy.url("");
    let said = async |domain: &str, options: &[&str]| {
        let file = format!("{domain}\tTRUE\t/\tFALSE\t0\tsid\tplanted\n");
        std::fs::write(bench.path("mine.txt"), file).unwrap();
        let seed = ["crawl", "http://www.site.test/", "--rate", "0", "--proxy", &address, "--cookies", "mine.txt"];
        stderr(&bench.run(&[&seed[..], options].concat()).await)
    };
    let warned = said("example.com", &[]).await;
    let told = "warning: `mine.txt` holds no cookie for site.test, but for example.com\n";
    assert!(warned.contains(told) && !warned.contains("planted"), "{warned}");
    for (domain, options) in
        [(".site.test", &[][..]), ("shop.site.test", &["--scope", "domain"]), ("example.com", &["--scope", "any"])]
    {
        assert!(!said(domain, options).await.contains("holds no cookie"), "{domain}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_go_to_the_hosts_of_the_seeds_alone_on_every_hop() {
    let proxy = Server::start_with_request(|hit| match (host(hit), hit.path.as_str()) {
        ("site.test", "/robots.txt") => Reply::text("Sitemap: http://canary.test/map.xml"),
        ("site.test", "/") => Reply::html(
            "<a href=/in>x</a><a href=/out>x</a><a href=http://site.test:81/>x</a><a href=http://a:b@linked.test/>x</a>",
        ),
        ("site.test", "/out") => Reply::redirect(302, "http://canary.test/"),
        ("canary.test", "/") => Reply::redirect(302, "http://you:own@site.test/back"),
        ("canary.test", "/map.xml") => Reply::text("http://site.test/mapped\nhttp://mapped.canary.test/"),
        _ => Reply::html(""),
    });
    let proxy = proxy.await.unwrap();
    let bench = Bench::new();
    std::fs::write(bench.path("netrc"), "machine other.test login net password rc\ndefault login de password fault")
        .unwrap();
    std::fs::write(bench.path("seeds"), "http://me:pass@site.test/\nhttp://you:two@site.test/2\nhttp://other.test/")
        .unwrap();
    let url = proxy.url("");
    let args = ["seeds", "http://third.test/", "--netrc", "netrc", "--sitemaps", "--proxy", &url];
    let output = crawl(&bench, &args).await;
    assert!(stderr(&output).contains("http://site.test") && stderr(&output).contains("first"), "{}", stderr(&output));
    let by_host =
        [("site.test", "Basic bWU6cGFzcw=="), ("other.test", "Basic bmV0OnJj"), ("third.test", "Basic ZGU6ZmF1bHQ=")];
    let hits = proxy.hits();
    for path in ["/", "/2", "/in", "/out", "/back", "/mapped", "/robots.txt"] {
        assert!(hits.iter().any(|hit| host(hit) == "site.test" && hit.path == path), "{path}");
    }
    for name in ["canary.test", "mapped.canary.test", "site.test:81", "linked.test", "other.test", "third.test"] {
        assert!(hits.iter().any(|hit| host(hit) == name), "{name}");
    }
    for hit in hits {
        let expected = by_host.iter().find(|(name, _)| *name == host(&hit)).map(|(_, value)| *value);
        assert_eq!(hit.header("authorization"), expected, "{} {}", host(&hit), hit.path);
    }
    let args = ["http://me:pass@site.test/", "--proxy", &url, "--header", "Authorization: mine"];
    crawl(&Bench::new(), &args).await;
    let last = proxy.hits().into_iter().rfind(|hit| host(hit) == "site.test").unwrap();
    assert_eq!(last.header("authorization"), Some("mine"), "--header goes before a seed's own");
}

#[tokio::test]
async fn a_netrc_that_cannot_be_read_is_told_without_what_it_holds() {
    let bench = Bench::new();
    std::fs::write(bench.path("netrc"), "machine a.test\nlogin me password \"planted").unwrap();
    for (file, words) in [("netrc", "netrc, line 2"), ("none", "cannot read `none`")] {
        let output = crawl(&bench, &["http://127.0.0.1:9/", "--netrc", file]).await;
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains(words) && !stderr(&output).contains("planted"), "{}", stderr(&output));
    }
    let output = crawl(&bench, &["http://127.0.0.1:9/", "--cookies", "none", "--no-cookies"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_itself_that_sets_a_cookie_is_asked_again_and_one_that_never_ends_is_a_failure() {
    let server = Server::start_with_request(|hit| match (hit.path.as_str(), hit.header("cookie")) {
        ("/robots.txt", _) => Reply::text(""),
        ("/endless", _) => Reply::redirect(302, "/endless"),
        (_, None) => Reply::redirect(302, "/").with_header("Set-Cookie", "seen=1"),
        _ => Reply::html("<title>in</title><a href=/endless>x</a>"),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/"), "--max-redirects", "3"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(bench.rows("select status, title from pages").await, ["200|in"]);
    assert_eq!(bench.rows("select kind, attempts from failures").await, ["redirect|4"]);
    let paths: Vec<_> = server.hits().into_iter().map(|hit| hit.path).collect();
    assert_eq!(paths, ["/robots.txt", "/", "/", "/endless", "/endless", "/endless", "/endless"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_asks_with_the_credentials_of_the_url() {
    let server = Server::start(|_| Reply::text("User-agent: *\nDisallow: /x")).await.unwrap();
    let url = server.url("/robots.txt").replace("http://", "http://me:pass@");
    let output = Bench::new().run(&["robots", &url, "http://a.test/x"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(server.hits()[0].header("authorization"), Some("Basic bWU6cGFzcw=="));
}
