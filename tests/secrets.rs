//! Secrets stay home: they are shown by nothing, and sent to the hosts alone that they were given for.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::io::Read as _;
use std::process::{Output, Stdio};

use common::{Bench, stderr, stdout};
use futures_util::stream::{self, StreamExt as _};
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
        for (output, named) in [
            (run(&bench, &["crawl", seed, option, &value], &[]).await, option),
            (run(&bench, &["crawl", seed], &[(&variable, &value)]).await, &*variable),
        ] {
            assert_eq!(output.status.code(), Some(2), "{value}: {}", said(&output));
            assert!(said(&output).contains(named) && !said(&output).contains(SECRET), "{}", said(&output));
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

/// Addresses of databases with a password, as they are and as they are mistyped.
const DATABASES: [&str; 8] = [
    "POSTGRES://me:SECRET@127.0.0.1:1/crawl",
    "PostgreSQL://me@127.0.0.1:1/crawl?password=SECRET",
    "postgres://me:a/SECRET@127.0.0.1:1/crawl",
    "postgres:/me:SECRET@127.0.0.1:1/crawl",
    "me:SECRET@127.0.0.1:1/crawl",
    "sqlite://me:SECRET@127.0.0.1:1/crawl",
    "mysql://me:SECRET@127.0.0.1:1/crawl",
    "host=127.0.0.1 port=1 user=me password=SECRET",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_password_of_a_database_is_told_by_no_message_however_it_is_written_and_wherever() {
    let bench = Bench::on_sqlite();
    let mut calls = Vec::new();
    for database in DATABASES {
        for call in [
            "crawl http://127.0.0.1:1/ -d DB",
            "status -d DB",
            "check -d DB",
            "open -d DB",
            "mcp -d DB",
            "demo -d DB",
            "copy DB a.db",
            "query DB",
            "crawl DB",
            "DB",
            "report --output DB -d DB",
            "crawl http://127.0.0.1:1/ --cookies DB",
            "crawl http://127.0.0.1:1/ --rate DB",
            "crawl http://127.0.0.1:1/ --check DB",
        ] {
            let word = |word: &str| word.replace("DB", database).replace("SECRET", SECRET);
            calls.push((call.split(' ').map(word).collect::<Vec<_>>(), String::new()));
        }
        let variable = database.replace("SECRET", SECRET);
        calls.push((vec!["status".to_owned()], variable));
    }
    let told = stream::iter(calls).for_each_concurrent(8, async |(args, variable)| {
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let environment = [("HARVESTMAN_DATABASE", &*variable)];
        let output = run(&bench, &args, if variable.is_empty() { &[] } else { &environment }).await;
        assert!(!output.status.success() && !said(&output).contains(SECRET), "{args:?}: {}", said(&output));
    });
    told.await;
    for (key, database) in [("database", DATABASES[0]), ("rate", DATABASES[3])] {
        let line = format!("{key} = '{}'", database.replace("SECRET", SECRET));
        std::fs::write(bench.path("harvestman.toml"), line).unwrap();
        let output = run(&bench, &["crawl", "http://127.0.0.1:1/"], &[]).await;
        assert!(output.status.code() == Some(1) && !said(&output).contains(SECRET), "{}", said(&output));
    }
    let files = std::fs::read_dir(bench.dir.path()).unwrap().map(|file| file.unwrap().file_name());
    assert_eq!(files.collect::<Vec<_>>(), ["harvestman.toml"]);
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

/// Plants secrets wherever one can be given, crawls as loudly as can be, and searches everything that was written.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_secret_is_found_in_nothing_that_is_written() {
    // The base64 of me:planted-in-9f3c.
    const ENCODED: &str = "bWU6cGxhbnRlZC1pbi05ZjNj";
    let proxy = Server::start_with_request(|hit| match (host(hit), hit.path.as_str()) {
        (_, "/robots.txt") => Reply::text(""),
        ("site.test", "/") => Reply::html("<a href=/a>x</a><a href=/gone>x</a><a href=http://canary.test/>x</a>")
            .with_header("Set-Cookie", &format!("set={SECRET}; Path=/; extra={SECRET}"))
            .with_header("Set-Cookie2", &format!("old={SECRET}")),
        ("site.test", "/a") => Reply::redirect(302, "http://canary.test/").with_header("Set-Cookie", SECRET),
        ("site.test", "/gone") => Reply::status(503),
        _ => Reply::html("<p>words</p>"),
    });
    let proxy = proxy.await.unwrap();
    let bench = Bench::new();
    let write = |name: &str, text: &str| std::fs::write(bench.path(name), text.replace("SECRET", SECRET)).unwrap();
    write(
        "seeds.txt",
        "http://me:SECRET@site.test/\nhttp://me:SECRET@127.0.0.1:1/\nftp://me:SECRET@site.test/\nme:SECRET@x\n",
    );
    write("cookies.txt", "site.test\tFALSE\t/\tFALSE\t0\tfile\tSECRET\n");
    write("netrc", "machine site.test login me password SECRET\n");
    write(
        "harvestman.toml",
        "header = ['Authorization: Bearer SECRET', 'X-Api-Key: SECRET', 'Cookie: given=SECRET']\n",
    );
    let address = format!("http://me:{SECRET}@{}", proxy.address());
    let environment = [("HARVESTMAN_PROXY", &*address), ("http_proxy", &address), ("NO_PROXY", "127.0.0.1")];
    let mut all = String::new();
    for format in ["text", "json"] {
        let args = "crawl seeds.txt -vv --log-file log --netrc netrc --cookies cookies.txt --scope any --rate 0 --retries 1 \
                    --sitemaps --index --keep-versions 2 --json --fresh --log-format";
        let args: Vec<_> = args.split_whitespace().chain([format]).collect();
        all += &said(&run(&bench, &args, &environment).await);
    }
    let hits = proxy.hits();
    assert!(hits.iter().any(|hit| host(hit) == "canary.test"));
    for hit in &hits {
        let for_the_host = hit.headers.iter().filter(|(name, _)| name != "proxy-authorization");
        let shown = format!("{:?}", for_the_host.collect::<Vec<_>>());
        let is_given = shown.contains(SECRET) || shown.contains(ENCODED);
        assert_eq!(is_given, host(hit) == "site.test", "{} {}", host(hit), hit.path);
    }
    for args in [
        "show http://site.test/",
        "show http://site.test/ --headers",
        "explain http://site.test/",
        "explain http://me:SECRET@site.test/a --json",
        "explain http://me:SECRET@site.test/",
        "show http://me:SECRET@x.test/",
        "explain http://site.test/gone",
        "status",
        "changes",
        "search words",
        "search words --host me:SECRET@site.test",
        "report --output report.html",
        "export --format warc --output pages.warc",
        "export --format jsonl --output -",
        "export --format csv --output pages.csv",
        "robots http://me:SECRET@127.0.0.1:1/ http://me:SECRET@a.test/",
        "crawl seeds.txt --header SECRET",
        "crawl seeds.txt --proxy a://SECRET",
        "crawl SECRET@none",
        "crawl --help",
    ] {
        let args = args.replace("SECRET", SECRET);
        all += &said(&run(&bench, &args.split(' ').collect::<Vec<_>>(), &environment).await);
    }
    for view in ["seeds", "headers", "pages", "failures", "fetches", "skipped", "queue", "runs", "hosts"] {
        all +=
            &said(&run(&bench, &["query", &format!("select * from {view}"), "--format", "jsonl"], &environment).await);
    }
    let packed = std::fs::File::open(bench.path("pages.warc")).unwrap();
    let mut warc = Vec::new();
    flate2::read::MultiGzDecoder::new(packed).read_to_end(&mut warc).unwrap();
    let warc = String::from_utf8_lossy(&warc);
    for text in [&*all, &*warc] {
        assert!(text.contains("set=…; Path=/; …"), "{text}");
    }
    all += &warc;
    for found in [SECRET, ENCODED] {
        let at = all.find(found).map(|at| &all[at.saturating_sub(200)..at + 20]);
        assert_eq!(at, None, "said");
        for file in std::fs::read_dir(bench.dir.path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let is_given = ["seeds.txt", "cookies.txt", "netrc", "harvestman.toml"].contains(&name);
            let bytes = std::fs::read(&path).unwrap();
            let holds = bytes.windows(found.len()).any(|window| window == found.as_bytes());
            assert!(is_given || !holds, "{name} holds {found}");
        }
    }
}
