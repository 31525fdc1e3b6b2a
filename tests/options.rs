//! What the options of `crawl` promise, and where they may stand: command line, environment, file.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "common/raw.rs"]
mod raw;

use std::io::Write as _;
use std::process::{Output, Stdio};

use common::{Bench, stderr, stdout};
use harvestman::demo::{Reply, Server, graph_page};
use raw::{Raw, say};

const FAST: [&str; 4] = ["--rate", "0", "--max-connections-per-host", "16"];

async fn crawl(bench: &Bench, args: &[&str]) -> Output {
    bench.run(&[&["crawl"], args, &FAST[..]].concat()).await
}

fn links(targets: impl IntoIterator<Item = impl AsRef<str>>) -> Reply {
    Reply::html(targets.into_iter().map(|target| format!("<a href='{}'>x</a>", target.as_ref())).collect::<String>())
}

/// The paths a server was asked for besides robots.txt, sorted.
fn asked(server: &Server) -> Vec<String> {
    let mut paths: Vec<_> =
        server.hits().into_iter().map(|hit| hit.path).filter(|path| path != "/robots.txt").collect();
    paths.sort();
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_and_the_user_agent_are_sent_with_every_request_and_robots_txt_knows_the_agent() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: mybot\nDisallow: /mine\n\nUser-agent: *\nDisallow: /others\n"),
        "/" => links(["/mine", "/others"]),
        _ => links([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let args = ["--user-agent", "MyBot/2.0 (me@example.org)", "--header", "X-One: a: b", "--header", "Cookie:  c=d "];
    crawl(&bench, &[&[server.url("/").as_str()], &args[..], &["--header", "X-One: again"]].concat()).await;
    assert_eq!(asked(&server), ["/", "/others"]);
    for hit in server.hits() {
        assert_eq!(hit.header("user-agent"), Some("MyBot/2.0 (me@example.org)"), "{}", hit.path);
        assert_eq!(hit.header("cookie"), Some("c=d"));
        let ones: Vec<_> = hit.headers.iter().filter(|(name, _)| name == "x-one").map(|(_, value)| value).collect();
        assert_eq!(ones, ["a: b", "again"]);
    }
}

#[tokio::test]
async fn bad_values_are_refused_with_the_option_and_what_is_wrong() {
    let bench = Bench::new();
    for (option, value, words) in [
        ("--header", "no colon", "Name: value"),
        ("--header", "b d: x", "header name"),
        ("--header", "X-Line: a\nb", "value"),
        ("--header", "User-Agent: other", "--user-agent"),
        ("--user-agent", "", "product token"),
        ("--user-agent", "bot\n", "user-agent"),
        ("--proxy", "::", "proxy"),
        ("--max-body-size", "10 parsecs", "parsecs"),
        ("--timeout", "soon", "duration"),
        ("--timeout", "0s", "zero"),
        ("--rate", "-1", "rate"),
        ("--concurrency", "0", "worker"),
        ("--concurrency", "18446744073709551615", "worker"),
        ("--body-types", "html", "media type"),
        ("--scope", "world", "domain"),
        ("--exclude", "[", "regular expression"),
    ] {
        let output = crawl(&bench, &["http://127.0.0.1:1/", &format!("{option}={value}")]).await;
        let said = stderr(&output);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{option} {value:?}: {said}");
        assert!(said.contains("error:") && !said.contains("panicked"), "{option} {value:?}: {said}");
        assert!(said.contains(words) && said.contains(option), "{option} {value:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_next_to_nothing_is_a_long_pause_and_no_panic() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nCrawl-delay: 99999999999999999\n"),
        _ => links([""; 0]),
    });
    let server = server.await.unwrap();
    for rate in ["0", "0.00000000000000000001"] {
        let bench = Bench::new();
        let output = bench.run(&["crawl", &server.url("/"), "--rate", rate, "--max-duration", "1s"]).await;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
        assert_eq!(bench.rows("select fetched, pending from accounting").await, ["0|1"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_gets_every_request_in_absolute_form_and_private_targets_stay_refused() {
    let other = Server::start(|_| links([""; 0])).await.unwrap();
    let forbidden = [other.url("/"), "http://localhost:9/".into(), "http://x.localhost:9/".into()];
    let proxy = Raw::start(move |target| match target {
        "http://site.test/robots.txt" => say("HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        _ => {
            let links = links(forbidden.iter().map(String::as_str).chain(["/next"])).body;
            say([&b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"[..], &links].concat())
        }
    })
    .await;
    for way in ["--proxy", "HARVESTMAN_PROXY", "http_proxy"] {
        let before = proxy.heads().len();
        let bench = Bench::new();
        let mut args = vec!["crawl", "http://site.test/", "--scope", "any", "--rate", "0"];
        let url = proxy.url("");
        if way == "--proxy" {
            args.extend([way, &url]);
        }
        let mut command = bench.command(&args);
        if way != "--proxy" {
            command.env(way, &url);
        }
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let heads = proxy.heads().split_off(before);
        let lines: Vec<_> = heads.iter().filter_map(|head| head.lines().next()).collect();
        let expected = ["http://site.test/robots.txt", "http://site.test/", "http://site.test/next"];
        assert_eq!(lines, expected.map(|url| format!("GET {url} HTTP/1.1")), "{way}: {}", stderr(&output));
        assert_eq!(bench.rows("select reason, count(*) from skipped group by 1").await, ["private_address|3"], "{way}");
    }
    assert_eq!(other.hit_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn include_and_exclude_choose_by_the_canonical_url_and_never_refuse_a_seed() {
    let server = Server::start(|path| match path {
        "/start" => links(["/a/1", "/a/2.PDF", "/%61/3", "/b/4", "/c/5"]),
        _ => links([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let patterns = ["--include", "/a/", "--include", "/c/", "--exclude", r"(?i)\.pdf$", "--exclude", "start|/c/"];
    crawl(&bench, &[&[server.url("/start").as_str()], &patterns[..]].concat()).await;
    assert_eq!(asked(&server), ["/a/1", "/start"]);
    assert_eq!(bench.rows("select reason, count(*) from skipped group by 1").await, ["excluded|4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_parameters_are_left_out_of_links_and_sitemaps_but_not_of_seeds_and_redirects() {
    let server = Server::start_with_request(|hit| {
        let of = |path: &str| format!("http://{}{path}", hit.header("host").unwrap_or_default());
        match hit.path.as_str() {
            "/robots.txt" => Reply::text(format!("Sitemap: {}", of("/map.xml?sid=1"))),
            "/?sid=seed" => links(["/a?utm_source=x", "/a?utm_medium=y&sid=2", "/a?SID=3", "/r?sid=4&p=5"]),
            "/r?p=5" => Reply::redirect(302, "/t?sid=6"),
            "/map.xml?sid=1" => Reply::text(format!("{}\n{}", of("/m?sid=7"), of("/m?gclid=8"))),
            "/t?sid=6" => links([""; 0]).with_header("refresh", "1; url=/late?sid=9"),
            _ => links([""; 0]),
        }
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let args = ["--sitemaps", "--drop-params", "utm_*, gclid", "--drop-params", "sid"];
    crawl(&bench, &[&[server.url("/?sid=seed").as_str()], &args[..]].concat()).await;
    let expected =
        ["/?sid=seed", "/a", "/a?SID=3", "/late", "/m", "/map.xml?sid=1", "/r?p=5", "/t?sid=6"].map(str::to_owned);
    assert_eq!(asked(&server), expected);
    let stored = "select count(*) from links where to_url like '%/a'";
    assert_eq!(bench.rows(stored).await, ["2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_over_the_length_is_skipped_unless_it_is_a_seed() {
    let server = Server::start(|path| match path {
        "/a-seed-is-wanted-however-long-it-is" => links(["/x", "/a-link-is-not-wanted-when-it-is-so-long"]),
        _ => links([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/a-seed-is-wanted-however-long-it-is");
    let length = (server.url("/x").len()).to_string();
    for more in [&[][..], &["--max-depth", "9"]] {
        crawl(&bench, &[&[seed.as_str(), "--max-url-length", &length], more].concat()).await;
        assert_eq!(bench.rows("select fetched, skipped from accounting").await, ["2|1"]);
        assert_eq!(bench.rows("select reason from skipped").await, ["url_too_long"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_count_up_to_the_limit_and_lead_somewhere_or_fail() {
    let server = Server::start(|path| match path {
        "/" => links(["/hop/3", "/hop/4", "/loop", "/self", "/none", "/ftp", "/bad", "/dir/relative", "/away"]),
        "/loop" => Reply::redirect(302, "/loop2"),
        "/loop2" => Reply::redirect(307, "/loop"),
        "/self" => Reply::redirect(301, "#part"),
        "/none" => Reply::status(301),
        "/ftp" => Reply::redirect(301, "ftp://example.com/file"),
        "/bad" => Reply::redirect(301, "http://[::/"),
        "/dir/relative" => Reply::redirect(308, "target?a=b"),
        "/away" => Reply::redirect(303, "http://elsewhere.test/"),
        path => match path.strip_prefix("/hop/").map(|n| n.parse::<u32>().unwrap()) {
            Some(left @ 1..) => Reply::redirect(302, &format!("/hop/{}", left - 1)),
            _ => links([""; 0]),
        },
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let args = ["--max-redirects", "3", "--max-connections-per-host", "1", "--rate", "0"];
    bench.run(&[&["crawl", server.url("/").as_str()], &args[..]].concat()).await;
    let path = |column: &str| format!("substr({column}, {})", server.url("").len() + 1);
    let failed = bench.rows(&format!("select {}, kind from failures order by 1", path("url"))).await;
    let loops = failed.iter().filter(|row| row.starts_with("/loop")).count();
    assert_eq!(loops, 1, "{failed:?}");
    let rest: Vec<_> = failed.iter().filter(|row| !row.starts_with("/loop")).collect();
    assert_eq!(rest, ["/bad|redirect", "/ftp|redirect", "/self|redirect"]);
    let page = format!("select status, redirect_to from pages where {} = '/none'", path("url"));
    assert_eq!(bench.rows(&page).await, ["301|null"], "without a Location it is a page like any");
    let told = format!("select status, {} from redirects where from_url like '%/dir/%'", path("to_url"));
    assert_eq!(bench.rows(&told).await, ["308|/dir/target?a=b"]);
    assert_eq!(bench.rows("select url, reason from skipped").await, ["http://elsewhere.test/|scope"]);
    // Four hops in a row are one too many, unless a link names the page they pass.
    assert_eq!(bench.rows("select max(status) from pages where url like '%/hop/0'").await, ["200"]);
    let bench = Bench::new();
    bench.run(&[&["crawl", server.url("/hop/4").as_str()], &args[..]].concat()).await;
    assert_eq!(bench.rows(&format!("select {}, kind from failures", path("url"))).await, ["/hop/1|redirect"]);
    assert_eq!(bench.rows("select count(*) from redirects").await, ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_scope_goes_as_far_as_its_name() {
    let proxy = Raw::start(|target| {
        let urls =
            ["http://www.example.co.uk/docs/a", "/other", "http://blog.example.co.uk/", "http://example2.co.uk/"];
        let body = if target.ends_with("/docs/") { links(urls).body } else { Vec::new() };
        say([&b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"[..], &body].concat())
    })
    .await;
    let proxy = proxy.url("");
    for (scope, reach) in [("page", 1), ("prefix", 2), ("host", 3), ("domain", 4), ("any", 5)] {
        let bench = Bench::new();
        let seed = "http://www.example.co.uk/docs/";
        crawl(&bench, &[seed, "--scope", scope, "--proxy", &proxy]).await;
        let rows = bench.rows("select fetched, skipped, (select max(reason) from skipped) from accounting").await;
        let left = 5 - reach;
        assert_eq!(rows, [format!("{reach}|{left}|{}", if left > 0 { "scope" } else { "null" })], "{scope}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn seeds_come_from_files_of_any_make_from_standard_input_and_from_the_command_line() {
    let server = Server::start(|_| links([""; 0])).await.unwrap();
    let bench = Bench::new();
    let file = format!(
        "\u{feff}{}\r\n\r\n  # a comment\r\n\t{}  \t# with a reason\r\n{}#kept\r\n{}",
        server.url("/1"),
        server.url("/2"),
        server.url("/3"),
        server.url("/1"),
    );
    std::fs::write(bench.path("seeds.txt"), file).unwrap();
    let seed = server.url("/4");
    let mut command = bench.command(&[&["crawl", "seeds.txt", "-", &seed], &FAST[..]].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{}\n#{}\n", server.url("/5"), server.url("/6")).as_bytes()).unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(asked(&server), ["/1", "/2", "/3", "/4", "/5"]);
    assert!(!stderr(&output).contains("left out"), "{}", stderr(&output));
}

/// Crawls with an environment and answers with what was fetched and with what went wrong.
async fn crawl_in(bench: &Bench, environment: &[(&str, &str)], args: &[&str]) -> (Option<i32>, String) {
    let mut command = bench.command(&[&["crawl"], args].concat());
    command.envs(environment.iter().copied()).env_remove("HARVESTMAN_DATABASE");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status.code(), format!("{}{}", stdout(&output), stderr(&output)))
}

/// Environment, flags, a question to the result, its answer.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a str, &'a str);

#[tokio::test(flavor = "multi_thread")]
async fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let server = Server::start(|path| graph_page(60, 300, path)).await.unwrap();
    let seed = server.url("/p/0");
    let file = "rate = 0\nmax-pages = 3\nexclude = ['/p/1$', '/p/2$']\nmax-duration = '0s'\nno-bodies = true\n";
    let number = "select count(*) from pages";
    let list = "select count(*) from skipped where reason = 'excluded'";
    let flag = "select count(*) > 0 from bodies";
    let cases: [Case<'_>; 9] = [
        (&[("HARVESTMAN_MAX_DURATION", "1h")], &[], number, "3"),
        (&[("HARVESTMAN_MAX_DURATION", "1h"), ("HARVESTMAN_MAX_PAGES", "5")], &[], number, "5"),
        (&[("HARVESTMAN_MAX_DURATION", "1h"), ("HARVESTMAN_MAX_PAGES", "5")], &["--max-pages=7"], number, "7"),
        (&[], &["--max-duration=1h", "--max-pages=99"], list, "2"),
        (&[("HARVESTMAN_EXCLUDE", "/p/[123]$")], &["--max-duration=1h", "--max-pages=99"], list, "3"),
        (
            &[("HARVESTMAN_EXCLUDE", "/p/[123]$")],
            &["--max-duration=1h", "--max-pages=99", "--exclude=/p/4$"],
            list,
            "1",
        ),
        (&[], &["--max-duration=1h"], flag, "0"),
        (&[("HARVESTMAN_NO_BODIES", "false")], &["--max-duration=1h"], flag, "1"),
        (&[("HARVESTMAN_NO_BODIES", "false")], &["--max-duration=1h", "--no-bodies"], flag, "0"),
    ];
    for (environment, args, sql, expected) in cases {
        let bench = Bench::new();
        std::fs::write(bench.path("harvestman.toml"), file).unwrap();
        let (_, said) = crawl_in(&bench, environment, &[&[seed.as_str()], args].concat()).await;
        assert_eq!(bench.rows(sql).await, [expected], "{environment:?} {args:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_file_stands_in_for_the_one_in_the_folder() {
    let server = Server::start(|path| graph_page(60, 300, path)).await.unwrap();
    let bench = Bench::new();
    std::fs::write(bench.path("harvestman.toml"), "no such = syntax").unwrap();
    std::fs::write(bench.path("mine.toml"), "rate = 0\nmax-pages = 4\ndatabase = 'mine.db'\njson = true\n").unwrap();
    let seed = server.url("/p/0");
    let (code, said) = crawl_in(&bench, &[], &[&seed, "--config", "mine.toml"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("\"fetched\":4") && bench.path("mine.db").exists(), "{said}");
    let (code, said) = crawl_in(&bench, &[("HARVESTMAN_CONFIG", "none.toml")], &[&seed]).await;
    assert!(code == Some(1) && said.contains("none.toml"), "{said}");
    let (code, said) = crawl_in(&bench, &[], &[&seed]).await;
    assert!(code == Some(1) && said.contains("harvestman.toml, line 1"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_option_of_crawl_is_a_key_of_the_file_and_a_wrong_type_names_file_and_line() {
    let server = Server::start(|_| links([""; 0])).await.unwrap();
    let bench = Bench::new();
    let help = stdout(&bench.run(&["crawl", "--help"]).await);
    let options = help.lines().filter_map(|line| {
        let line = line.trim_start();
        let long = line.strip_prefix("--").or_else(|| line.split_once(", --").map(|(_, rest)| rest))?;
        line.starts_with('-').then(|| long.split([' ', '=', '[', '.']).next().unwrap().to_owned())
    });
    // What says how to run rather than how to crawl stands on the command line alone.
    let only_typed = ["config", "quiet", "verbose", "log-format", "help", "version"];
    let options: Vec<_> = options.filter(|name| !only_typed.contains(&name.as_str())).collect();
    assert!(options.len() > 25 && options.contains(&"max-depth".to_owned()), "{options:?}");
    for name in options {
        let value = match name.as_str() {
            "scope" => "'host'",
            "include" | "exclude" | "drop-params" | "allow-trap" => "['.']",
            "header" => "['X-A: b']",
            "allow-address" => "['10.0.0.0/8']",
            // It contradicts the one before.
            "deny-private" => "false",
            "fail-on" => "['failed>10%']",
            "log-file" | "success-file" => "'x.log'",
            "netrc" | "cookies" => "'Cargo.toml'",
            "no-cookies" => "false",
            "metrics" => "'127.0.0.1:0'",
            "database" | "user-agent" | "node" | "rules" => "'x'",
            "extract" => "'all'",
            "check" => "['external', 'resources', 'fragments']",
            "proxy" => "'http://127.0.0.1:1'",
            "body-types" => "'*/*'",
            "max-body-size" | "max-database-size" => "'1MiB'",
            "timeout" | "connect-timeout" | "max-duration" | "max-wait" | "wait-lock" | "lease" => "'2s'",
            "recrawl-after" | "recrawl-min" | "recrawl-max" => "'2h'",
            "rate" | "global-rate" => "0.5",
            "ignore-robots" | "fresh" | "respect-cache" | "no-bodies" | "no-links" | "no-text" | "index" | "json"
            | "sitemaps" | "join" | "compress" => "true",
            _ => "7",
        };
        // The last line stops every crawl before it begins: only the keys are judged.
        std::fs::write(bench.path("x.toml"), format!("{name} = {value}\n")).unwrap();
        let (_, said) = crawl_in(&bench, &[], &["no-such-seeds.txt", "--config", "x.toml"]).await;
        assert!(said.contains("no-such-seeds.txt") && !said.contains("x.toml"), "{name}: {said}");
        std::fs::write(bench.path("x.toml"), format!("# one\n{name} = {{ a = 1 }}\n")).unwrap();
        let (code, said) = crawl_in(&bench, &[], &[&server.url("/"), "--config", "x.toml"]).await;
        assert!(code == Some(1) && said.contains("x.toml, line 2"), "{name}: {said}");
        let lines = said.lines().filter(|line| line.starts_with("error:")).count();
        assert_eq!((lines, said.contains("panicked")), (1, false), "{name}: {said}");
    }
    assert_eq!(server.hit_count(), 0);
}
