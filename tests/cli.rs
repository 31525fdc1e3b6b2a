//! What the command line answers to good and bad input.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Bench, stderr, stdout};
use harvestman::demo::{Reply, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_no_url_is_reported_with_its_place_and_the_others_are_crawled() {
    let server = Server::start(|_| Reply::html("<title>T</title>")).await.unwrap();
    let bench = Bench::new();
    let seeds = format!("# a comment\nftp://example.com/\n{}  # the one\nnonsense\n", server.url("/x"));
    std::fs::write(bench.path("seeds.txt"), seeds).unwrap();
    let output = bench.run(&["crawl", "seeds.txt", "--rate", "0"]).await;
    assert!(output.status.success());
    assert!(stderr(&output).contains("seeds.txt, line 2") && stderr(&output).contains("seeds.txt, line 4"));
    assert_eq!(bench.rows("select title from pages").await, ["T"]);
    let csv = bench.run(&["query", "select title, status, null as n from pages", "--format", "csv"]).await;
    assert_eq!(stdout(&csv), "title,status,n\r\nT,200,\r\n");
    let none = bench.run(&["query", "select title from pages where 0", "--format", "csv"]).await;
    assert_eq!(stdout(&none), "title\r\n");
    let body = bench.run(&["show", &server.url("/x"), "--body"]).await;
    assert_eq!(stdout(&body), "<title>T</title>");
    let unknown = bench.run(&["show", &server.url("/y")]).await;
    assert_eq!(unknown.status.code(), Some(1));
    let write = bench.run(&["query", "delete from page"]).await;
    assert_eq!(write.status.code(), Some(1), "{}", stdout(&write));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_that_a_spreadsheet_would_run_is_text_in_csv_and_numbers_stay_numbers() {
    let server = Server::start(|_| Reply::html("<title>=HYPERLINK(\"http://x.test\")</title>")).await.unwrap();
    let bench = Bench::new();
    bench.run(&["crawl", &server.url("/"), "--rate", "0"]).await;
    let sql = "select title, '@x' as a, '-1.5' as b, -2 as c, '-2+3' as d from pages";
    let csv = bench.run(&["query", sql, "--format", "csv"]).await;
    let title = "\"'=HYPERLINK(\"\"http://x.test\"\")\"";
    assert_eq!(stdout(&csv), format!("title,a,b,c,d\r\n{title},'@x,-1.5,-2,'-2+3\r\n"));
    let exported = bench.run(&["export", "--format", "csv", "--columns", "title", "--output", "-"]).await;
    assert_eq!(stdout(&exported), format!("title\r\n{title}\r\n"));
    let json = bench.run(&["query", "select title from pages", "--format", "jsonl"]).await;
    assert!(stdout(&json).starts_with(r#"{"title":"=HYPERLINK"#), "other formats are exact: {}", stdout(&json));
}

#[tokio::test]
async fn a_database_without_a_name_is_a_bad_command_line_that_says_so() {
    let bench = Bench::on_sqlite();
    for args in [&["crawl", "http://a.test/", "-d", ""][..], &["status", "-d", ""], &["demo", "-d", ""]] {
        let output = bench.run(args).await;
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains("a value is required for '--database"), "{}", stderr(&output));
    }
    let mut unset = bench.command(&["status"]);
    let unset = unset.env("HARVESTMAN_DATABASE", "").output().unwrap();
    assert_eq!(unset.status.code(), Some(2), "{}", stderr(&unset));
}

#[tokio::test]
async fn robots_prints_the_verdict_and_the_deciding_line() {
    let bench = Bench::new();
    std::fs::write(bench.path("robots.txt"), "User-agent: *\nDisallow: /p\nAllow: /p/q\n").unwrap();
    let output = bench.run(&["robots", "robots.txt", "http://h.test/p", "http://h.test/p/q", "http://h.test/"]).await;
    assert_eq!(output.status.code(), Some(3));
    let expected = "disallowed\thttp://h.test/p\tDisallow: /p\nallowed\thttp://h.test/p/q\tAllow: /p/q\nallowed\thttp://h.test/\t\n";
    assert_eq!(stdout(&output), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_url_alone_robots_asks_its_host_as_the_crawl_would() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nDisallow: /p\n\nUser-agent: mybot\nDisallow: /q\n"),
        _ => Reply::status(404),
    })
    .await
    .unwrap();
    let bench = Bench::on_sqlite();
    let ask = async |args: &[&str]| {
        let output = bench.run(&[&["robots"], args].concat()).await;
        (output.status.code(), stdout(&output) + &stderr(&output))
    };
    let (p, q) = (server.url("/p/x"), server.url("/q"));
    assert_eq!(ask(&[&p]).await, (Some(3), format!("disallowed\t{p}\tDisallow: /p\n")));
    assert_eq!(ask(&[&q]).await, (Some(0), format!("allowed\t{q}\t\n")));
    std::fs::write(bench.path("mine.toml"), "user-agent = 'mybot/2.0'").unwrap();
    let mut named = bench.command(&["robots", &q]);
    named.env("HARVESTMAN_CONFIG", "mine.toml");
    let named = tokio::task::spawn_blocking(move || named.output().unwrap()).await.unwrap();
    assert_eq!(named.status.code(), Some(3), "{}", stderr(&named));
    std::fs::rename(bench.path("mine.toml"), bench.path("harvestman.toml")).unwrap();
    assert_eq!(ask(&[&q]).await, (Some(3), format!("disallowed\t{q}\tDisallow: /q\n")));
    assert_eq!(ask(&[&q, "--user-agent", "other"]).await.0, Some(0));
    for nothing in [server.url("/robots.txt"), "robots.txt".to_owned()] {
        let (code, said) = ask(&[&nothing]).await;
        assert!(code == Some(2) && said.contains("no URL that the robots.txt is asked about"), "{said}");
    }
    let (_, said) = ask(&[&p, &q]).await;
    assert!(said.contains(&format!("{p} is read as a robots.txt")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_asks_as_the_crawl_would_call_itself_whatever_the_other_settings_are() {
    let server = Server::start(|_| Reply::text("User-agent: mine\nDisallow: /\n")).await.unwrap();
    let bench = Bench::on_sqlite();
    let url = server.url("/x");
    let ask = async |variable: Option<&str>| {
        let mut command = bench.command(&["robots", &url]);
        command.envs(variable.map(|agent| ("HARVESTMAN_USER_AGENT", agent)));
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    };
    std::fs::write(bench.path("harvestman.toml"), "rate = -1\nnone = 2\nuser-agent = 'yours/1'\nretries = 'x'")
        .unwrap();
    assert_eq!(ask(None).await.status.code(), Some(0));
    assert_eq!(ask(Some("mine/2")).await.status.code(), Some(3));
    let agents = server.hits().into_iter().map(|hit| hit.header("user-agent").unwrap().to_owned());
    assert_eq!(agents.collect::<Vec<_>>(), ["yours/1", "mine/2"]);
    for (variable, place) in
        [(None, "harvestman.toml, line 2: user-agent: must start"), (Some(" "), "HARVESTMAN_USER_AGENT: must")]
    {
        std::fs::write(bench.path("harvestman.toml"), "# mine\nuser-agent = ' '").unwrap();
        let refused = ask(variable).await;
        assert!(refused.status.code() == Some(1) && stderr(&refused).contains(place), "{}", stderr(&refused));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_works_without_a_network() {
    let bench = Bench::new();
    let output = bench.run(&["demo", "--database", "crawl.db"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let rows = bench.rows("select charset from pages where url like '%/lang/%' order by 1").await;
    assert!(["windows-1251", "shift_jis"].iter().all(|name| rows.contains(&(*name).to_owned())), "{rows:?}");
    assert_eq!(bench.rows("select count(*) > 10 from duplicates").await, ["1"]);
    assert_eq!(bench.rows("select pending from accounting").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_asks_no_proxy_whatever_the_environment_says() {
    let bench = Bench::new();
    let mut command = bench.command(&["demo", "--database", "crawl.db"]);
    command.env("HTTP_PROXY", "http://127.0.0.1:9").env("http_proxy", "http://127.0.0.1:9").env_remove("NO_PROXY");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(bench.rows("select count(*) > 100 from pages where status = 200").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn help_is_a_command_too_and_says_the_same() {
    let bench = Bench::new();
    for command in [&[][..], &["crawl"], &["export"]] {
        let help = bench.run(&[&["help"], command].concat()).await;
        let option = bench.run(&[command, &["--help"]].concat()).await;
        assert!(help.status.success() && help.stdout == option.stdout, "{command:?}");
        assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: harvestman"), "{command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_follows_a_redirect_but_not_to_a_private_address_that_nobody_typed() {
    let other = Server::start(|_| Reply::text("User-agent: *\nDisallow: /\n")).await.unwrap();
    let elsewhere = other.url("/robots.txt");
    let server = Server::start(move |path| match path {
        "/robots.txt" => Reply::redirect(301, "/moved.txt"),
        "/moved.txt" => Reply::text("User-agent: *\nDisallow: /p\n"),
        _ => Reply::redirect(302, &elsewhere),
    })
    .await
    .unwrap();
    let bench = Bench::new();
    let output = bench.run(&["robots", &server.url("/robots.txt"), "http://h.test/p/q"]).await;
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(3), "disallowed\thttp://h.test/p/q\tDisallow: /p\n")
    );
    let output = bench.run(&["robots", &server.url("/trap.txt"), "http://h.test/"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stderr(&output).contains("not a public one"), "{}", stderr(&output));
    assert_eq!(other.hit_count(), 0);
}

#[tokio::test]
async fn each_option_that_is_named_to_those_who_come_from_another_crawler_is_there() {
    let bench = Bench::on_sqlite();
    let mut helps = String::new();
    for command in ["crawl", "extract", "export", "query", "audit", "changes", "show"] {
        helps += &stdout(&bench.run(&[command, "--help"]).await);
    }
    let options = regex::Regex::new("--[a-z][a-z-]+").expect("it is one");
    let known: std::collections::HashSet<_> = options.find_iter(&helps).map(|found| found.as_str()).collect();
    let document = include_str!("../docs/coming-from.md");
    let ours = document.lines().filter_map(|line| line.strip_suffix(" |")?.rsplit(" | ").next());
    let named: Vec<_> = ours.flat_map(|ours| options.find_iter(ours).map(|found| found.as_str())).collect();
    assert!(named.len() > 60, "{}", named.len());
    assert_eq!(named.iter().filter(|option| !known.contains(*option)).collect::<Vec<_>>(), [&""; 0]);
}

#[tokio::test]
async fn an_option_that_does_not_exist_brings_the_one_that_is_meant_to_mind() {
    let bench = Bench::on_sqlite();
    for (typed, meant) in [
        (&["crawl", "--cookie", "x"][..], "--cookies"),
        (&["crawl", "--depth", "3"], "--max-depth"),
        (&["crawl", "--max-dpeth", "3"], "--max-depth"),
        (&["crawl", "--delay=1s", "http://a.test/"], "--rate"),
        (&["crawl", "--threads", "9"], "--concurrency"),
        (&["crawl", "--output", "x.db"], "--database"),
        (&["crawl", "-o", "x.db"], "--database"),
        (&["crawl", "-O", "x.html"], "harvestman export"),
        (&["crawl", "-r", "-l", "2", "http://a.test/"], "followed without it"),
        (&["crawl", "-l", "2", "http://a.test/"], "--max-depth"),
        (&["crawl", "-np", "http://a.test/"], "--scope prefix"),
        (&["crawl", "-A", "mybot/1.0", "http://a.test/"], "--user-agent"),
        (&["crawl", "-U", "mybot/1.0", "http://a.test/"], "--user-agent"),
        (&["crawl", "-H", "X-A: b", "http://a.test/"], "--header"),
        (&["crawl", "-k", "https://a.test/"], "SSL_CERT_FILE"),
        (&["crawl", "--no-check-certificate", "https://a.test/"], "SSL_CERT_FILE"),
        (&["crawl", "-n", "100", "http://a.test/"], "--max-pages"),
        (&["crawl", "-w", "1", "http://a.test/"], "--rate 0.5"),
        (&["crawl", "-b", "a=b", "http://a.test/"], "--cookies"),
        (&["crawl", "-x", "http://p.test/", "http://a.test/"], "--proxy"),
        (&["crawl", "-i", "seeds.txt"], "harvestman crawl seeds.txt"),
        (&["crawl", "--recursive", "http://a.test/"], "followed without it"),
        (&["crawl", "--span-hosts", "http://a.test/"], "--scope domain"),
        (&["crawl", "--domains=a.test", "http://a.test/"], "--scope domain"),
        (&["crawl", "--user", "me", "http://a.test/"], "--netrc"),
        (&["crawl", "--data", "a=b", "http://a.test/"], "GET alone"),
        (&["query", "-f", "json"], "--format"),
        (&["query", "-f", "json", "select 1"], "--format"),
        (&["query", "--csv", "select 1"], "--format"),
        (&["query", "select 1", "-o", "x.csv"], "> FILE"),
        (&["search", "-n", "5", "word"], "--limit"),
        (&["status", "--json"], "--format"),
        (&["explain", "--format", "json", "http://a.test/"], "--json"),
        (&["export", "--filter", "status = 200"], "--where"),
        (&["report", "--out", "x.html"], "--output"),
        (&["query", "--tables"], "--schema"),
        (&["check", "--databse", "x.db"], "--database"),
        (&["vacuum", "--silent"], "--quiet"),
        (&["crawl", "http://a.test/", "--dept", "2"], "--max-depth"),
        (&["crawl", "http://a.test/", "-s", "DOWNLOAD_DELAY=2"], "--rate 0.5"),
        (&["crawl", "http://a.test/", "-sDEPTH_LIMIT=3"], "--max-depth"),
        (&["crawl", "http://a.test/", "-s", "COOKIES_ENABLED=1"], "cookies are kept and sent without it"),
        (&["crawl", "http://a.test/", "--limit-rate=20k"], "requests are bounded, not bytes"),
        (&["crawl", "http://a.test/", "-c", "jar.txt"], "a file of cookies is given by --cookies FILE"),
        (&["crawl", "http://a.test/", "-s", "MY_SETTING=1"], "settings are options here"),
        (&["crawl", "3.14"], "as in --max-pages 20"),
        (&["crawl", "12"], "as in --max-pages 20"),
        (&["crawl", "127.0.0.1"], "write http://127.0.0.1/"),
        (&["--versoin"], "--version"),
        (&["crawl", "--versoin"], "--version"),
        (&["query", "--hlep"], "--help"),
    ] {
        let said = stderr(&bench.run(typed).await);
        assert!(said.contains(meant), "{typed:?}: {said}");
        assert!(!said.contains("exists: '--no-"), "{typed:?}: {said}");
    }
    let said = stderr(&bench.run(&["crawl", "--zzzzzz", "-z"]).await);
    assert!(!said.contains("similar") && !said.contains("as a value"), "{said}");
    std::fs::write(bench.path("seeds.txt"), "http://a.test/").unwrap();
    for (typed, meant) in [
        ("doctor", "'check'"),
        ("resume", "'crawl'"),
        ("serach", "'search'"),
        ("mirror", "'crawl'"),
        ("archive", "harvestman export --output crawl.wacz"),
        ("https://a.test/", "harvestman crawl https://a.test/"),
        ("seeds.txt", "harvestman crawl seeds.txt"),
        ("crawl.db", "harvestman status -d crawl.db"),
        ("orphans", "harvestman query --recipe orphans"),
        ("recipes", "harvestman query --list"),
    ] {
        let output = bench.run(&[typed]).await;
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(meant), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_stands_alone_is_told_what_it_names_and_where_that_belongs() {
    let server = Server::start(|_| Reply::html("<title>T</title>")).await.unwrap();
    let bench = Bench::on_sqlite();
    bench.run(&["crawl", &server.url("/"), "--rate", "0"]).await;
    std::fs::write(bench.path("q.sql"), "select 1").unwrap();
    let database = "-d crawl.db";
    for (typed, code, words) in [
        (&["query", "orphans"][..], 2, "harvestman query --recipe orphans"),
        (&["query", "broken-links"], 2, "harvestman query --recipe broken-links"),
        (&["query", "brokenlinks"], 1, "--recipe broken-links?"),
        (&["query", "pages"], 1, "select * from pages limit 20"),
        (&["query", "pges"], 1, "did you mean \"select * from pages limit 20\"?"),
        (&["query", "q.sql"], 1, "harvestman query - < q.sql"),
        (&["query", ".tables"], 1, "--schema"),
        (&["query", "show tables"], 1, "--schema"),
        (&["status", "-d", "none.db"], 1, "-d crawl.db"),
        (&["query", "crawl.db"], 2, database),
        (&["query", "crawl.db", "select 1"], 2, database),
        (&["query", "select 1", "other.sqlite"], 2, "-d other.sqlite"),
        (&["query", "-d", "crawl.db", "select 1", "crawl.dbs"], 2, "unexpected argument 'crawl.dbs' found\n\nUsage"),
        (&["status", "crawl.db"], 2, database),
        (&["audit", "crawl.db"], 2, database),
        (&["check", "crawl.db"], 2, database),
        (&["changes", "crawl.db"], 2, database),
        (&["vacuum", "crawl.db"], 2, database),
        (&["extract", "crawl.db"], 2, database),
        (&["export", "crawl.db", "--output", "x.csv"], 2, database),
        (&["report", "crawl.db"], 2, database),
        (&["report", "x.html"], 2, "--output x.html"),
        (&["open", "crawl.db"], 2, database),
        (&["mcp", "crawl.db"], 2, database),
        (&["demo", "crawl.db"], 2, database),
        (&["show", "crawl.db"], 1, database),
        (&["explain", "crawl.db"], 1, database),
        (&["status", "postgres://me:secret@a.test/db"], 2, "postgres://…@a.test/db"),
    ] {
        let output = bench.run(typed).await;
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{typed:?}: {said}");
        assert!(said.contains(words) && !said.contains("secret"), "{typed:?}: {said}");
    }
    assert!(!bench.path("report.html").exists() && !bench.path("other.sqlite").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn query_reads_sql_from_standard_input_where_that_is_named() {
    let server = Server::start(|_| Reply::html("<title>T</title>")).await.unwrap();
    let bench = Bench::new();
    bench.run(&["crawl", &server.url("/"), "--rate", "0"]).await;
    let output = typed(&bench, &["query", "-", "--format", "csv"], "select title\nfrom pages -- one\n").await;
    assert_eq!(stdout(&output), "title\r\nT\r\n", "{}", stderr(&output));
    let output = typed(&bench, &["query", "-"], "").await;
    assert!(output.status.code() == Some(1) && stderr(&output).contains("no statement"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_that_finds_nothing_by_its_defaults_names_its_parameters() {
    let server = Server::start(|_| Reply::html("<title>T</title><p>webs")).await.unwrap();
    let bench = Bench::new();
    bench.run(&["crawl", &server.url("/"), "--rate", "0"]).await;
    let none = bench.run(&["query", "--recipe", "near-word"]).await;
    let said = stderr(&none);
    assert!(none.status.success() && said.contains("that have :word (scarecrow)"), "{said}");
    assert!(said.contains("--param word=VALUE"), "{said}");
    let some = bench.run(&["query", "--recipe", "near-word", "--param", "word=webs"]).await;
    assert!(stdout(&some).contains(&server.url("/")) && stderr(&some).is_empty(), "{}", stderr(&some));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_name_promises_what_a_command_cannot_write_is_refused_with_what_it_can() {
    let server = Server::start(|_| Reply::html("<title>T</title>")).await.unwrap();
    let bench = Bench::new();
    bench.run(&["crawl", &server.url("/"), "--rate", "0"]).await;
    for (args, words) in [
        (&["audit", "--output", "x.html"][..], ".xlsx"),
        (&["audit", "--output", "x.pdf"], ".sarif"),
        (&["report", "--output", "x.pdf"], ".html"),
        (&["report", "--output", "x.csv"], ".xlsx"),
        (&["export", "--output", "x.json"], "--format"),
        (&["export", "--output", "x"], "--output end in .jsonl"),
        (&["export", "--output", "-"], "--format"),
    ] {
        let output = bench.run(args).await;
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{args:?}: {}", stderr(&output));
        let left = ["x.html", "x.pdf", "x.csv", "x.json", "x"].map(|name| bench.path(name).exists());
        assert!(!left.contains(&true), "{args:?}");
    }
    let start = |name: &str| String::from_utf8_lossy(&std::fs::read(bench.path(name)).unwrap()[..6]).into_owned();
    for (command, name, begins) in [
        ("audit", "a.sarif.json", "{\"$sch"),
        ("audit", "a.txt", "Run 1"),
        ("audit", "site.example.com", "Run 1"),
        ("report", "r.2026-11-28", "<!doct"),
        ("report", "r.HTML", "<!doct"),
        ("export", "e.jsonl", "{\"url\""),
        ("export", "e.csv", "url,ho"),
        ("export", "e.warc.gz", "\u{1f}"),
        ("export", "e.wacz", "PK"),
        ("export", "e.xml", "<?xml "),
    ] {
        let output = bench.run(&[command, "--output", name]).await;
        assert!(output.status.success(), "{name}: {}", stderr(&output));
        assert!(start(name).starts_with(begins), "{name}: {}", start(name));
    }
}

/// What `init` says when it is answered with these lines.
async fn init(bench: &Bench, args: &[&str], answers: &'static str) -> std::process::Output {
    typed(bench, &[&["init"], args].concat(), answers).await
}

/// Runs with this on standard input.
async fn typed(bench: &Bench, args: &[&str], answers: &'static str) -> std::process::Output {
    use std::io::Write as _;
    let mut command = bench.command(args);
    let piped = std::process::Stdio::piped;
    command.stdin(piped()).stdout(piped()).stderr(piped());
    let talk = move || {
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that asks nothing may be gone by now.
            let _ = stdin.write_all(answers.as_bytes());
        }
        child.wait_with_output()
    };
    tokio::task::spawn_blocking(talk).await.map(|output| output.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn init_writes_what_a_crawl_reads() {
    let server = Server::start(|path| if path == "/" { Reply::html("<a href=/b>B</a>") } else { Reply::html("b") });
    let (server, bench) = (server.await.unwrap(), Bench::on_sqlite());
    let output = bench.run(&["init", &server.url("/"), "--yes"]).await;
    assert!(output.status.success() && output.stdout.is_empty(), "{}", stderr(&output));
    assert!(stderr(&output).contains("next: harvestman crawl seeds.txt"), "{}", stderr(&output));
    let crawl = bench.run(&["crawl", "seeds.txt"]).await;
    assert!(crawl.status.success(), "{}", stderr(&crawl));
    assert_eq!(bench.rows("select count(*) from pages").await, ["2"]);
    let again = bench.run(&["init", "--yes"]).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("`harvestman.toml` is there already"), "{}", stderr(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn init_asks_three_questions_and_again_where_an_answer_makes_no_sense() {
    let bench = Bench::on_sqlite();
    let answers = "ftp://a.test/\nexample.com https://b.test/x\nnear\ndomain\n\n";
    let output = init(&bench, &[], answers).await;
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    for words in ["[https://books.toscrape.com/]", "`ftp://a.test/` is no URL", "[host]", "`near` is none of", "[2]"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let read = |name: &str| std::fs::read_to_string(bench.path(name)).unwrap();
    assert!(read("seeds.txt").ends_with("\nhttps://example.com\nhttps://b.test/x\n"), "{}", read("seeds.txt"));
    assert!(read("harvestman.toml").contains("\nscope = \"domain\"\n"), "{}", read("harvestman.toml"));
    assert!(read("harvestman.toml").contains("\nrate = 2.0\n"), "{}", read("harvestman.toml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn init_without_all_answers_writes_nothing() {
    let bench = Bench::on_sqlite();
    let output = init(&bench, &["https://a.test/"], "host\n").await;
    assert!(output.status.code() == Some(1) && stderr(&output).contains("--yes"), "{}", stderr(&output));
    assert!(!bench.path("seeds.txt").exists() && !bench.path("harvestman.toml").exists());
    let output = bench.run(&["init", "--yes", "not a url"]).await;
    assert!(output.status.code() == Some(2) && stderr(&output).contains("`not a url`"), "{}", stderr(&output));
    std::fs::write(bench.path("seeds.txt"), "mine").unwrap();
    let output = bench.run(&["init", "--yes"]).await;
    assert!(output.status.code() == Some(1) && !bench.path("harvestman.toml").exists(), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(bench.path("seeds.txt")).unwrap(), "mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn init_keeps_a_password_in_a_seed_from_others_and_says_so() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |bench: &Bench| std::fs::metadata(bench.path("seeds.txt")).unwrap().permissions().mode() & 0o777;
    let bench = Bench::on_sqlite();
    let output = bench.run(&["init", "https://me:secret@a.test/", "--yes"]).await;
    let said = stderr(&output);
    assert!(
        output.status.success() && said.contains("nobody but you may read it") && !said.contains("secret"),
        "{said}"
    );
    assert_eq!(mode(&bench), 0o600);
    let bench = Bench::on_sqlite();
    let said = stderr(&bench.run(&["init", "https://a.test/", "--yes"]).await);
    assert!(mode(&bench) & 0o600 == 0o600 && !said.contains("nobody but you"), "{said}");
}
