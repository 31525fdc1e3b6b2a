//! Checks: what pages name and the crawl does not fetch is asked for once, as politely as pages are.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{Bench, ended, page, stderr, summary, until};
use harvestman::demo::{Hit, Reply, Server};

const FAST: [&str; 8] =
    ["--rate", "0", "--retries", "1", "--allow-address", "127.0.0.0/8", "--max-connections-per-host", "8"];

async fn crawl(bench: &Bench, args: &[&str]) -> Output {
    bench.run(&[&["crawl"], args, &FAST[..], &["--json"]].concat()).await
}

/// How often each path was asked for by each method, robots.txt aside.
fn asked(server: &Server) -> Vec<String> {
    let mut asked: Vec<_> = server.hits().iter().map(|hit| format!("{} {}", hit.method, hit.path)).collect();
    asked.retain(|asked| !asked.ends_with("/robots.txt"));
    asked.sort();
    asked
}

/// Another site.
async fn elsewhere(other: String) -> Server {
    Server::start_with_request(move |hit| match (hit.method.as_str(), hit.path.as_str()) {
        (_, "/robots.txt") => Reply::text("User-agent: *\nDisallow: /private\n"),
        ("HEAD", "/nohead") => Reply::status(405),
        (_, "/gone") => Reply::status(404),
        (_, "/moved") => Reply::redirect(302, &other),
        (_, "/lost") => Reply::redirect(301, "/gone"),
        (_, "/round") => Reply::redirect(302, "/round"),
        (_, "/wall") => Reply::status(403),
        (_, "/odd") => Reply::status(999),
        _ => Reply::text("there"),
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn links_out_of_scope_are_asked_for_once_and_their_fate_is_told() {
    let third = Server::start(|_| Reply::text("at the end")).await.unwrap();
    let other = elsewhere(third.url("/end")).await;
    let paths = ["ok", "nohead", "gone", "moved", "lost", "round", "wall", "odd", "private", "excluded"];
    let mut links: Vec<_> = paths.iter().map(|path| other.url(&format!("/{path}"))).collect();
    links.extend(["http://nowhere.invalid/".to_owned(), "http://10.0.0.1/".to_owned(), "/second".to_owned()]);
    let site = Server::start(move |_| page(&links)).await.unwrap();
    let bench = Bench::new();
    let output =
        crawl(&bench, &[&site.url("/"), "--check", "external", "--exclude", "excluded", "--max-redirects", "3"]).await;
    let closing = summary(&output);
    assert_eq!((&closing["outcome"], &closing["fetched"]), (&"finished".into(), &2.into()), "{}", stderr(&output));

    let base = other.url("");
    let end = third.url("/end");
    let rows =
        bench.rows("select url, kind, method, status, failure, final_url, verdict from checks order by url").await;
    let rows: Vec<_> = rows.iter().map(|row| row.replace(&base, "").replace(&end, "END")).collect();
    assert_eq!(
        rows,
        [
            "http://10.0.0.1/|external|null|null|private_address|http://10.0.0.1/|unsure",
            "/gone|external|GET|404|null|/gone|broken",
            "/lost|external|GET|404|null|/gone|broken",
            "/moved|external|HEAD|200|null|END|ok",
            "/nohead|external|GET|200|null|/nohead|ok",
            "/odd|external|GET|999|null|/odd|unsure",
            "/ok|external|HEAD|200|null|/ok|ok",
            "/private|external|null|null|robots|/private|unsure",
            "/round|external|HEAD|null|redirect|/round|broken",
            "/wall|external|GET|403|null|/wall|unsure",
            "http://nowhere.invalid/|external|null|null|dns|http://nowhere.invalid/|broken",
        ]
    );
    let broken =
        "select to_url, status, failure, element, final_url from broken_links where from_url like '%/' order by 1";
    let broken: Vec<_> = bench.rows(broken).await.iter().map(|row| row.replace(&base, "")).collect();
    assert_eq!(
        broken,
        [
            "/gone|404|null|a|/gone",
            "/lost|404|null|a|/gone",
            "/round|null|redirect|a|/round",
            "http://nowhere.invalid/|null|dns|a|http://nowhere.invalid/"
        ]
    );
    bench.run(&["report", "--output", "report.html"]).await;
    let report = std::fs::read_to_string(bench.path("report.html")).unwrap();
    assert!(report.contains("8 links to 4 broken URLs"), "from two pages each");
    // The URLs stay what they were, and each is asked for once, though two pages name it.
    assert_eq!(bench.rows("select count(*) from skipped where reason = 'scope'").await, ["12"]);
    let gone = asked(&other).iter().filter(|asked| asked.ends_with("/gone")).count();
    assert_eq!(
        (gone, asked(&third)),
        (4, vec!["HEAD /end".to_owned()]),
        "HEAD and GET of /gone and of what leads there"
    );
    let logged = format!("select count(*) from fetches where url like '{base}%' and url not like '%/robots.txt'");
    assert_eq!(bench.rows(&logged).await, [asked(&other).len().to_string()], "every request is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_option_nothing_else_is_asked_for_and_with_it_what_was_met_before() {
    let other = elsewhere(String::new()).await;
    let link = other.url("/ok");
    let site = Server::start(move |_| page([&link])).await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&site.url("/")]).await;
    assert_eq!((other.hit_count(), bench.rows("select count(*) from checks").await), (0, vec!["0".to_owned()]));
    // A new run, in which the page is not due.
    let again = [site.url("/"), "--check".into(), "external".into(), "--recrawl-after".into(), "1h".into()];
    for times in 1..=2 {
        let output = crawl(&bench, &again.each_ref().map(String::as_str)).await;
        assert_eq!(summary(&output)["outcome"], "finished", "{}", stderr(&output));
        assert_eq!(asked(&other), vec!["HEAD /ok"; times], "a run checks anew");
    }
    let first = site.hits().iter().filter(|hit| hit.path == "/").count();
    assert_eq!(first, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_keep_to_the_pace_of_their_host_and_to_no_limit_of_pages() {
    let other = elsewhere(String::new()).await;
    let links: Vec<_> = (0..8).map(|n| other.url(&format!("/{n}"))).chain(["/a".into(), "/b".into()]).collect();
    let site = Server::start(move |_| page(&links)).await.unwrap();
    let bench = Bench::new();
    let args = [&site.url("/"), "--check", "external", "--max-pages", "1", "--rate", "20"];
    let output = bench.run(&[&["crawl"], &args[..], &["--allow-address", "127.0.0.0/8", "--json"]].concat()).await;
    let closing = summary(&output);
    assert_eq!((&closing["outcome"], &closing["fetched"]), (&"limit".into(), &1.into()), "{}", stderr(&output));
    assert_eq!(bench.rows("select verdict, count(*) from checks group by 1").await, ["ok|8"]);
    assert!(bench.closest_requests().await >= 49.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_hours_keeps_no_run_from_its_end() {
    let other = Server::start(|path| match path {
        "/robots.txt" => Reply::status(404),
        _ => Reply::status(429).with_header("retry-after", "7200"),
    });
    let other = other.await.unwrap();
    let links: Vec<_> = (0..5).map(|n| other.url(&format!("/{n}"))).collect();
    let site = Server::start(move |_| page(&links)).await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&site.url("/"), "--check", "external", "--max-connections", "1"]).await;
    assert_eq!(summary(&output)["outcome"], "finished", "{}", stderr(&output));
    let rows = bench.rows("select verdict, count(*), count(status), count(failure) from checks group by 1").await;
    assert_eq!(rows, ["unsure|5|1|4"]);
    assert_eq!(asked(&other).len(), 1);
}

/// How often each path was asked for.
fn counts(hits: &[Hit], of: &[String]) -> Vec<usize> {
    of.iter().map(|path| hits.iter().filter(|hit| hit.path == *path).count()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_killed_in_the_midst_goes_on_and_asks_nothing_twice_that_was_committed() {
    let other = Server::start(|_| Reply::text("there").delayed(Duration::from_millis(15))).await.unwrap();
    let other = Arc::new(other);
    let links: Vec<_> = (0..60).map(|n| other.url(&format!("/{n}"))).collect();
    let site = Server::start(move |_| page(&links)).await.unwrap();
    let bench = Bench::new();
    let seed = site.url("/");
    let args = [&["crawl", &seed, "--check", "external", "--max-connections", "2"], &FAST[..]].concat();
    let mut child = bench.start(&args);
    until("some checks", || other.hit_count() > 20).await;
    bench.kill(&mut child).await;
    let base = other.url("");
    let committed = bench.rows("select url from checks order by 1").await;
    let committed: Vec<_> = committed.iter().map(|url| url.replace(&base, "")).collect();
    let before = counts(&other.hits(), &committed);
    let output = bench.run(&[&args[..], &["--json"]].concat()).await;
    assert_eq!(summary(&output)["outcome"], "finished", "{}", stderr(&output));
    assert_eq!(counts(&other.hits(), &committed), before);
    assert_eq!(bench.rows("select verdict, count(*) from checks group by 1").await, ["ok|60"]);
    assert_eq!(bench.rows("select count(*) from runs").await, ["1"]);
}

/// A site with one of every part, and a style sheet that leads on.
async fn furnished(cdn: String) -> Server {
    Server::start(move |path| match path {
        "/" => Reply::html(format!(
            "<link rel=stylesheet href=/a.css><link rel=preload as=style href=/a.css><script src=/gone.js></script>
             <picture><source srcset='/1.webp 1x, /2.webp 2x'><img src=/moved.png></picture>
             <p style=\"background: url('{cdn}/back.png')\"><a href=/page>x</a><a href='{cdn}/link'>y</a>
             <img src='{cdn}/link'><img src='data:,x'>"
        )),
        "/page" => Reply::html("<img src=/2.webp><link rel=stylesheet href=/a.css>"),
        "/a.css" => css("@import 'b.css'; @font-face { src: url(f.woff2) }"),
        "/b.css" => css("a { background: url(missing.png) } @import 'a.css'; b { cursor: url(/a.css) }"),
        "/moved.png" => Reply::redirect(301, "/here.png"),
        "/robots.txt" | "/gone.js" | "/missing.png" => Reply::status(404),
        _ => Reply::text("there"),
    })
    .await
    .unwrap()
}

fn css(text: &str) -> Reply {
    Reply::text(text).with_header("content-type", "text/css")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pages_are_put_together_from_is_asked_for_once_and_style_sheets_are_read() {
    let cdn = Server::start(|path| Reply::status(if path == "/link" { 410 } else { 200 })).await.unwrap();
    let site = furnished(cdn.url("")).await;
    let bench = Bench::new();
    let output = crawl(&bench, &[&site.url("/"), "--check", "resources"]).await;
    let closing = summary(&output);
    let counts = ["outcome", "discovered", "fetched"].map(|key| closing[key].to_string());
    assert_eq!(counts, ["\"finished\"", "3", "2"], "{}", stderr(&output));
    let rows = bench.rows("select url, kind, method, status, final_url, verdict from checks order by url").await;
    let (own, other) = (site.url(""), cdn.url(""));
    let mut rows: Vec<_> = rows.iter().map(|row| row.replace(&own, "").replace(&other, "CDN")).collect();
    rows.sort();
    assert_eq!(
        rows,
        [
            "/1.webp|resource|HEAD|200|/1.webp|ok",
            "/2.webp|resource|HEAD|200|/2.webp|ok",
            "/a.css|resource|GET|200|/a.css|ok",
            "/b.css|resource|GET|200|/b.css|ok",
            "/f.woff2|resource|HEAD|200|/f.woff2|ok",
            "/gone.js|resource|GET|404|/gone.js|broken",
            "/missing.png|resource|GET|404|/missing.png|broken",
            "/moved.png|resource|HEAD|200|/here.png|ok",
            "CDN/back.png|resource|HEAD|200|CDN/back.png|ok",
            "CDN/link|resource|GET|410|CDN/link|broken",
        ]
    );
    let twice = asked(&site).iter().filter(|asked| asked.ends_with("/2.webp") || asked.ends_with("/a.css")).count();
    assert_eq!(twice, 2);
    let links = bench.rows("select to_url, status from broken_links").await;
    assert_eq!(links, [format!("{}|410", cdn.url("/link"))], "what is known of it holds for the link too");

    // What is a link too is one row, and an external one; a second run checks all of it anew.
    let output = crawl(&bench, &[&site.url("/"), "--check", "resources,external"]).await;
    assert_eq!(summary(&output)["outcome"], "finished", "{}", stderr(&output));
    let kinds = bench.rows("select kind, count(*) from checks group by 1 order by 1").await;
    assert_eq!(kinds, ["external|1", "resource|9"]);
    let broken: Vec<_> = bench.rows("select to_url, status from broken_links").await;
    assert_eq!(broken, [format!("{}|410", cdn.url("/link"))]);
    assert_eq!(asked(&site).iter().filter(|asked| asked.ends_with("/f.woff2")).count(), 2);

    // What is named no more is forgotten, and what is not to be checked any more waits for nothing.
    let output = crawl(&bench, &[&site.url("/"), "--check", "external"]).await;
    assert_eq!(summary(&output)["outcome"], "finished", "{}", stderr(&output));
    assert_eq!(asked(&site).iter().filter(|asked| asked.ends_with("/f.woff2")).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_style_sheet_is_read_in_part_and_no_more_imports_than_lead_anywhere() {
    let site = Server::start(|path| match path.strip_prefix("/s").and_then(|rest| rest.strip_suffix(".css")) {
        Some(n) => {
            let next = n.parse::<u32>().unwrap() + 1;
            css(&format!("@import '/s{next}.css'; {} b {{ background: url(/late{n}.png) }}", " ".repeat(2 << 20)))
        }
        None if path == "/" => Reply::html("<link rel=stylesheet href=/s0.css>"),
        None => Reply::status(404),
    });
    let site = site.await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&site.url("/"), "--check", "resources"]).await;
    assert_eq!(summary(&output)["outcome"], "finished", "{}", stderr(&output));
    let rows = bench.rows("select substr(url, length(url) - 6), method from checks order by 1").await;
    assert_eq!(rows, ["/s0.css|GET", "/s1.css|GET", "/s2.css|GET", "/s3.css|GET", "/s4.css|HEAD"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_that_can_be_checked_are_named_to_whoever_asks_for_another() {
    let bench = Bench::new();
    let output = bench.run(&["crawl", "http://a.test/", "--check", "external,fonts"]).await;
    let said = stderr(&output);
    assert!(output.status.code() == Some(2) && said.contains("fonts") && said.contains("`resources`"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_out_later_or_linked_no_more_is_not_asked_for_again() {
    let other = Server::start(|_| Reply::text("there")).await.unwrap();
    let links = ["/stays", "/tracker", "/goes"].map(|path| other.url(path));
    let is_later = Arc::<AtomicBool>::default();
    let later = is_later.clone();
    let site = Server::start(move |_| page(&links[..if later.load(Ordering::SeqCst) { 2 } else { 3 }])).await.unwrap();
    let bench = Bench::new();
    let seed = site.url("/");
    crawl(&bench, &[&seed, "--check", "external", "--ignore-robots"]).await;
    assert_eq!(asked(&other), ["HEAD /goes", "HEAD /stays", "HEAD /tracker"]);
    is_later.store(true, Ordering::SeqCst);
    // The run that finds that a link is gone begins with it.
    for _ in 0..2 {
        let output = crawl(&bench, &[&seed, "--check", "external", "--ignore-robots", "--exclude", "tracker"]).await;
        assert_eq!(summary(&output)["outcome"], "finished", "{}", stderr(&output));
    }
    let twice_and_thrice = ["HEAD /goes", "HEAD /goes", "HEAD /stays", "HEAD /stays", "HEAD /stays", "HEAD /tracker"];
    assert_eq!(asked(&other), twice_and_thrice);
    let goes = format!("select count(*) from checks where url = '{}'", other.url("/goes"));
    assert_eq!(bench.rows(&goes).await, ["0"], "nothing leads there any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_into_what_is_kept_out_is_not_followed() {
    let third = Server::start(|_| Reply::text("out")).await.unwrap();
    let other = elsewhere(third.url("/logout")).await;
    let links = ["/moved", "/lost"].map(|path| other.url(path));
    let site = Server::start(move |_| page(&links)).await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&site.url("/"), "--check", "external", "--exclude", "/(logout|gone)"]).await;
    assert_eq!(summary(&output)["outcome"], "finished", "{}", stderr(&output));
    assert_eq!(bench.rows("select verdict, failure from checks").await, ["unsure|excluded"; 2]);
    assert_eq!((third.hit_count(), asked(&other)), (0, vec!["HEAD /lost".to_owned(), "HEAD /moved".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_head_is_asked_with_get() {
    let other = Server::start_with_request(|hit| match hit.method.as_str() {
        "HEAD" => Reply::text("").delayed(Duration::from_secs(600)),
        _ => Reply::text("there"),
    });
    let other = other.await.unwrap();
    let link = other.url("/page");
    let site = Server::start(move |_| page([&link])).await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&site.url("/"), "--check", "external", "--timeout", "2s", "--ignore-robots"]).await;
    assert_eq!(bench.rows("select method, verdict from checks").await, ["GET|ok"]);
    assert_eq!(asked(&other), ["GET /page", "HEAD /page"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_tells_of_pages_that_were_fetched_before_anybody_asked_for_checks() {
    let site = Server::start(|_| Reply::html("<img src=/logo.png> <a href='#place'>here</a>")).await.unwrap();
    let bench = Bench::new();
    let seed = site.url("/");
    crawl(&bench, &[&seed]).await;
    crawl(&bench, &[&seed, "--recrawl-after", "1d", "--check", "resources,fragments"]).await;
    let output = bench.run(&["audit", "--output", "audit.json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let audit: serde_json::Value = serde_json::from_slice(&std::fs::read(bench.path("audit.json")).unwrap()).unwrap();
    let why = |what: &str| {
        let gap = audit["unchecked"].as_array().unwrap().iter().find(|gap| gap["what"] == what);
        gap.map(|gap| gap["why"].as_str().unwrap().to_owned())
    };
    for what in ["images, scripts, styles", "fragments"] {
        assert_eq!(why(what).as_deref(), Some("1 page fetched before they were asked for"), "{audit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_share_what_is_to_be_checked() {
    let bench = Bench::new();
    if bench.schema.is_none() {
        return;
    }
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(elsewhere(String::new()).await);
    }
    let links: Vec<_> = others.iter().flat_map(|other| (0..30).map(|n| other.url(&format!("/{n}")))).collect();
    let site = Server::start(move |_| page(&links)).await.unwrap();
    let seed = site.url("/");
    let args = ["crawl", &seed, "--check", "external", "--rate", "15", "--allow-address", "127.0.0.0/8"];
    let mut first = bench.start(&[&args[..], &["--node", "first"]].concat());
    let all = || others.iter().map(Server::hit_count).sum::<usize>();
    until("some checks", || all() > 12).await;
    let mut second = bench.start(&[&args[..], &["--node", "second", "--join"]].concat());
    assert!(ended(&mut first).await.success() && ended(&mut second).await.success());
    assert_eq!(bench.rows("select verdict, count(*) from checks group by 1").await, ["ok|120"]);
    assert_eq!(bench.rows("select outcome, count(*) from runs group by 1").await, ["finished|1"]);
    let mut once: Vec<_> = others.iter().flat_map(asked).collect();
    once.sort();
    assert_eq!(once.len(), 120, "each is asked for once, whichever node does");
    assert!(bench.closest_requests().await >= 65.0);
}
