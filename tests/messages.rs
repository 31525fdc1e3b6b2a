//! What a person is told: errors by name, hints after the run, the log, and the live display on a terminal.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Bench, stderr, stdout};
use harvestman::demo::{Reply, Server, graph_page};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

const FAST: [&str; 4] = ["--rate", "0", "--retries", "0"];
/// Never connected to: what is refused is refused before.
const NOWHERE: &str = "http://127.0.0.1:1/";

async fn crawl(bench: &Bench, args: &[&str]) -> Output {
    bench.run(&[&["crawl"], args, &FAST[..]].concat()).await
}

fn page(links: &[&str]) -> Reply {
    let links: String = links.iter().map(|link| format!("<a href='{link}'>{link}</a> ")).collect();
    Reply::html(format!("<!doctype html><title>\u{1b}[31mred\u{7}</title><body>{links}"))
}

/// One error line that holds `words`, the given exit code, and neither panic nor backtrace.
#[track_caller]
fn assert_refused(output: &Output, code: i32, words: &[&str]) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{said}");
    for unwanted in ["panicked", "backtrace", "RUST_", "\u{1b}"] {
        assert!(!said.contains(unwanted), "{said}");
    }
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in: {said}");
    }
}

#[tokio::test]
async fn a_bad_command_line_is_refused_by_option_with_exit_code_2() {
    let bench = Bench::new();
    for (option, value, words) in [
        ("--include", "(", "not a regular expression"),
        ("--exclude", "[a", "not a regular expression"),
        ("--rate", "abc", "requests per second"),
        ("--rate", "-1", "requests per second"),
        ("--rate", "NaN", "requests per second"),
        ("--global-rate", "inf", "requests per second"),
        ("--timeout", "0s", "longer than zero"),
        ("--timeout", "soon", "duration such as"),
        ("--concurrency", "0", "at least one worker"),
        ("--max-body-size", "10 parsecs", "size such as"),
        ("--max-database-size", "100KB", "at least 1MiB"),
        ("--header", "no colon", "Name: value"),
        ("--header", "X-A: b\nX-C: d", "no header can hold"),
        ("--proxy", "no proxy", "a URL such as"),
        ("--body-types", "html", "no media type"),
        ("--user-agent", "()", "product token"),
        ("--max-pages", "1.5", "invalid digit"),
        ("--speed", "9", "unexpected argument"),
    ] {
        assert_refused(&crawl_only(&bench, &[NOWHERE, option, value]).await, 2, &[option, words]);
    }
    assert_refused(&bench.run(&["crawl"]).await, 2, &["SEED"]);
    assert!(!bench.path("crawl.db").exists(), "no database is made for a crawl that cannot be");
}

async fn crawl_only(bench: &Bench, args: &[&str]) -> Output {
    bench.run(&[&["crawl"], args].concat()).await
}

#[tokio::test]
async fn a_bad_settings_file_is_refused_by_file_line_and_key() {
    let bench = Bench::new();
    for (text, words) in [
        ("rate = 1\nspeed = 2\n", &["bad.toml, line 2", "unknown key `speed`", "hint:"][..]),
        ("max-depth = 2\n\nrate = \"fast\"\n", &["bad.toml, line 3: rate: ", "expected a number"]),
        ("json = 1\n", &["bad.toml, line 1", "true or false"]),
        ("include = \"a\"\n", &["bad.toml, line 1", "a list"]),
        ("include = [\"a\", \"(\"]\n", &["bad.toml, line 1", "regular expression"]),
        ("\ntimeout = \"0s\"\n", &["bad.toml, line 2: timeout: ", "longer than zero"]),
        ("rate = -2\n", &["bad.toml, line 1: rate: ", "requests per second"]),
        ("max_depth = 2\n", &["bad.toml, line 1: unknown key `max_depth`", "did you mean `max-depth`?"]),
        ("rate = \n", &["bad.toml, line 1"]),
        ("rate = 1\nrate = 2\n", &["bad.toml, line 2: `rate` stands there for the second time"]),
        ("delay = 2\n", &["unknown key `delay`", "--rate is the pace"]),
        ("dept = 2\n", &["unknown key `dept`", "did you mean `max-depth`?"]),
        ("[crawl]\nrate = 2\n", &["bad.toml, line 1: unknown key `crawl`", "write them without `[crawl]`"]),
        ("\n[audti]\nthin = 2\n", &["bad.toml, line 2: unknown key `audti`", "did you mean `[audit]`?"]),
        ("zz.b = 1\n", &["bad.toml, line 1: unknown key `zz`", "hint: the keys are the long options"]),
        ("max-duration = 5\n", &["bad.toml, line 1: max-duration: ", "a text in quotes"]),
    ] {
        std::fs::write(bench.path("bad.toml"), text).unwrap();
        assert_refused(&crawl_only(&bench, &[NOWHERE, "--config", "bad.toml"]).await, 1, words);
    }
    let missing = crawl_only(&bench, &[NOWHERE, "--config", "none.toml"]).await;
    assert_refused(&missing, 1, &["settings file `none.toml`", "caused by: No such file"]);
    for (text, words) in [("rate = 1\ndatabase = 3\n", "line 2: database: "), ("\n= 3\n", "line 2: ")] {
        std::fs::write(bench.path("harvestman.toml"), text).unwrap();
        let output = bench.command(&["status"]).env_remove("HARVESTMAN_DATABASE").output().unwrap();
        assert_refused(&output, 1, &[&format!("harvestman.toml, {words}")]);
    }
}

#[tokio::test]
async fn a_bad_variable_is_named_and_not_an_option_that_nobody_typed() {
    let bench = Bench::on_sqlite();
    for (variable, value, words) in [
        ("HARVESTMAN_RATE", "fast", "requests per second"),
        ("HARVESTMAN_SCOPE", "near", "possible values: page"),
        ("HARVESTMAN_TIMEOUT", "0s", "longer than zero"),
        ("HARVESTMAN_MAX_PAGES", "many", "invalid digit"),
        ("HARVESTMAN_PROXY", "me:secret@", "a URL such as"),
        ("HARVESTMAN_FAIL_ON", "often", ""),
        ("HARVESTMAN_NO_BODIES", "maybe", ""),
    ] {
        let output = bench.command(&["crawl", NOWHERE]).env(variable, value).output().unwrap();
        assert_refused(&output, 2, &[variable, words]);
        let option = variable.replace("HARVESTMAN_", "--").replace('_', "-").to_lowercase();
        assert!(!stderr(&output).contains(&option) && !stderr(&output).contains("secret"), "{}", stderr(&output));
    }
    let typed = bench.command(&["crawl", NOWHERE, "--rate", "slow"]).env("HARVESTMAN_RATE", "1").output().unwrap();
    assert_refused(&typed, 2, &["--rate"]);
}

#[tokio::test]
async fn seeds_that_cannot_be_used_are_named() {
    let bench = Bench::new();
    std::fs::write(bench.path("empty.txt"), "# nothing\n\n").unwrap();
    std::fs::write(bench.path("wrong.txt"), "ftp://example.com/\nexample\u{1b}[2J\n").unwrap();
    std::fs::create_dir(bench.path("folder")).unwrap();
    let missing = crawl_only(&bench, &["missing.txt"]).await;
    assert_refused(&missing, 1, &["seeds file `missing.txt`", "caused by: No such file", "hint: a SEED is"]);
    assert_refused(&crawl_only(&bench, &["example.com"]).await, 1, &["write https://example.com/"]);
    assert_refused(&crawl_only(&bench, &["folder"]).await, 1, &["`folder`", "caused by: Is a directory"]);
    assert_refused(&crawl_only(&bench, &["empty.txt"]).await, 1, &["no seed in empty.txt", "one http(s) URL a line"]);
    let wrong = crawl_only(&bench, &["wrong.txt"]).await;
    let lines = [
        "warning: wrong.txt, line 1: `ftp://example.com/`",
        "line 2: `example\\u{1b}[2J` left out: it does not begin with http://",
        "no seed in wrong.txt",
    ];
    assert_refused(&wrong, 1, &lines);
    assert_refused(&crawl_only(&bench, &["ftp://example.com/"]).await, 1, &["scheme `ftp`", "no seed"]);
    assert_refused(&crawl_only(&bench, &["127.0.0.1:8000"]).await, 1, &["write http://127.0.0.1:8000/"]);
    assert_refused(&crawl_only(&bench, &["localhost:8000/docs"]).await, 1, &["write http://localhost:8000/docs"]);
    std::fs::write(bench.path("mail.txt"), "mailto:me@a.test\n").unwrap();
    assert_refused(&crawl_only(&bench, &["mail.txt"]).await, 1, &["`mailto:me@a.test` left out"]);
    std::fs::write(bench.path("list.csv"), "id,url,name\n1,http://a.test/,A\n2,http://b.test/,B\n").unwrap();
    let list = crawl_only(&bench, &["list.csv"]).await;
    assert_refused(&list, 1, &["no seed in list.csv", "the URLs of list.csv are its column 2", "cut -d, -f2"]);
    assert!(!stderr(&list).contains("is taken"), "{}", stderr(&list));
    for (text, words) in [
        ("id;url\n1;http://a.test/x,y\n", "column 2: give them alone, one a line, as cut -d';' -f2"),
        ("id\tname\turl\n1\tA, B\thttp://a.test/\n", "column 3: give them alone, one a line, as cut -f3"),
        ("id,url\n\"1,2\",http://a.test/\n", "one http(s) URL a line"),
        ("https:// example.com\n", "line 1: `https://` ends at white space"),
    ] {
        std::fs::write(bench.path("table.csv"), text).unwrap();
        assert_refused(&crawl_only(&bench, &["table.csv"]).await, 1, &["no seed in table.csv", words]);
    }
    let quiet = crawl_only(&bench, &["wrong.txt", "--quiet"]).await;
    assert_refused(&quiet, 1, &lines[..2]);
    std::fs::write(bench.path("bytes.db"), "SQLite format 3\0").unwrap();
    assert_refused(&crawl_only(&bench, &["bytes.db"]).await, 1, &["bytes.db is no text", "--database"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_thousands_of_wrong_lines_twenty_are_told_and_the_view_seeds_has_all() {
    let server = Server::start(|_| page(&[])).await.unwrap();
    let bench = Bench::new();
    let lines: String = (0..3_000).map(|n| format!("ftp://a.test/{n}\n")).collect();
    std::fs::write(bench.path("seeds.txt"), format!("{lines}{}\n", server.url("/"))).unwrap();
    let output = crawl(&bench, &["seeds.txt"]).await;
    let said = stderr(&output);
    let told: Vec<_> = said.lines().filter(|line| line.contains("left out")).collect();
    assert_eq!(told.len(), 21, "{said}");
    assert!(told[19].contains("seeds.txt, line 20: `ftp://a.test/19`"), "{}", told[19]);
    assert!(told[20].contains("2,980 more lines left out: the view seeds keeps all"), "{}", told[20]);
    assert_eq!(bench.rows("select count(*) from seeds where state = 'rejected'").await, ["3000"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_include_that_matches_nothing_is_told_at_the_end() {
    let server = Server::start(|path| if path == "/" { page(&["/docs/a", "/b"]) } else { page(&[]) }).await.unwrap();
    let (bench, seed) = (Bench::new(), server.url("/"));
    let matching = crawl(&bench, &[&seed, "--include", "/docs/"]).await;
    assert!(!stderr(&matching).contains("--include"), "{}", stderr(&matching));
    let half = crawl(&bench, &[&seed, "--include", "/docs/", "--include", "^/b$"]).await;
    assert_hint(&half, &["--include matches no URL that was seen, not even a seed: ^/b$;"]);
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_named_with_the_reason() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("dir.db")).unwrap();
    std::fs::write(bench.path("text.db"), "this is no database, but long enough to be looked at as one ".repeat(99))
        .unwrap();
    let on = |database: &'static str| {
        let bench = &bench;
        async move { crawl_only(bench, &[NOWHERE, "-d", database]).await }
    };
    assert_refused(&on("dir.db").await, 1, &["`dir.db`", "it is a directory", "hint:"]);
    assert_refused(&on("text.db").await, 1, &["text.db", "not a SQLite database", "hint:"]);
    assert_refused(&on("no/such/folder.db").await, 1, &["folder.db", "its folder does not exist"]);
    assert_refused(&on("postgres://me@127.0.0.1:1/y").await, 1, &["`postgres://127.0.0.1:1/y`", "refused"]);
    let read = bench.run(&["status", "-d", "postgres://me@127.0.0.1:1/y"]).await;
    assert_refused(&read, 1, &["`postgres://127.0.0.1:1/y`", "refused"]);
    assert_refused(&bench.run(&["status"]).await, 1, &["no database at `crawl.db`", "hint:"]);
    assert_refused(&bench.run(&["query", "select 1", "-d", "text.db"]).await, 1, &["not a SQLite database"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_left_alone() {
    let server = Server::start(|_| page(&[])).await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    let mut db =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(bench.path("crawl.db"))).await.unwrap();
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (99991231235959, 'from the future', true, x'00', 0)",
    )
    .execute(&mut db)
    .await
    .unwrap();
    db.close().await.unwrap();
    let output = crawl(&bench, &[&server.url("/")]).await;
    assert_refused(&output, 1, &["newer version of harvestman", "hint: install"]);
}

#[tokio::test]
async fn a_read_only_database_is_refused() {
    let bench = Bench::new();
    let path = bench.path("crawl.db");
    std::fs::write(&path, "").unwrap();
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    if std::fs::File::options().write(true).open(&path).is_ok() {
        println!("skipped: this user may write to read-only files");
        return;
    }
    assert_refused(&crawl(&bench, &[NOWHERE]).await, 1, &["crawl.db", "Permission denied", "hint:"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_crawl_with_a_sentence_and_loses_nothing_stored() {
    let server = Server::start(|path| graph_page(300, 20_000, path)).await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/p/0");
    // A limit on the size of files stands in for the end of the disk.
    let script = "ulimit -f 4096; exec \"$0\" crawl \"$1\" --rate 0 --max-connections-per-host 8";
    let mut command = Command::new("bash");
    command.args(["-c", script, env!("CARGO_BIN_EXE_harvestman"), &seed]).current_dir(bench.dir.path());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_refused(&output, 1, &["the database failed", "caused by:", "hint: make room"]);
    assert_eq!(bench.rows("pragma integrity_check").await, ["ok"]);
    assert_eq!(bench.rows("select discovered = fetched + failed + skipped + pending from accounting").await, ["1"]);
    let output = crawl(&bench, &[&seed, "--max-connections-per-host", "8"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(bench.rows("select count(*) from pages where status = 200").await, ["300"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pace_of_ages_is_no_reason_to_panic() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nCrawl-delay: 99999999999999\n"),
        _ => page(&["/next"]),
    });
    let server = server.await.unwrap();
    for slow in [&["--rate", "1e-300"][..], &["--global-rate", "1e-300", "--ignore-robots"], &[]] {
        let bench = Bench::new();
        let output = bench.run(&[&["crawl", &server.url("/"), "--max-duration", "1s"], slow].concat()).await;
        assert_eq!(output.status.code(), Some(0), "{slow:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    }
}

/// The hints of a crawl.
fn hints(output: &Output) -> Vec<String> {
    stderr(output).lines().filter_map(|line| line.strip_prefix("hint: ").map(str::to_owned)).collect()
}

#[track_caller]
fn assert_hint(output: &Output, words: &[&str]) {
    let hints = hints(output);
    assert!(hints.iter().any(|hint| words.iter().all(|word| hint.contains(word))), "{words:?} in {}", stderr(output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_without_trouble_has_no_hint_and_numbers_that_add_up() {
    let server = Server::start(|path| graph_page(30, 500, path)).await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/p/0")]).await;
    assert!(hints(&output).is_empty(), "{}", stderr(&output));
    let said = stderr(&output);
    let equation = said.lines().find(|line| line.contains(" discovered = ")).unwrap();
    let numbers: Vec<i64> = equation.split(' ').filter_map(|word| word.parse().ok()).collect();
    assert_eq!(numbers, [30, 30, 0, 0, 0], "{equation}");
    assert!(said.contains("31 requests"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_commands_work_as_they_are_printed() {
    let server = Server::start(|_| page(&[])).await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/"), "-d", "my crawl's $(id).db"]).await;
    let said = stderr(&output);
    let commands: Vec<_> = said.lines().skip_while(|line| !line.starts_with("Next: ")).map(|line| &line[6..]).collect();
    assert_eq!(commands.len(), 2, "{said}");
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_harvestman")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    for command in commands {
        let run = Command::new("sh").args(["-c", command]).env("PATH", &path).current_dir(bench.dir.path()).output();
        let run = run.unwrap();
        assert!(run.status.success() && !run.stdout.is_empty(), "{command}: {}", stderr(&run));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn seeds_that_robots_txt_forbids_end_in_exit_code_3_and_the_way_to_see_why() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nDisallow: /\n"),
        _ => page(&[]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/a"), &server.url("/b")]).await;
    assert_refused(&output, 3, &["not one seed could be fetched"]);
    let command = format!("`harvestman robots {} {}`", server.url("/robots.txt"), server.url("/a"));
    assert_hint(&output, &["robots.txt forbids all 2 seeds", &command, "--ignore-robots"]);
    let quiet = crawl(&bench, &[&server.url("/a"), "--quiet"]).await;
    assert_eq!(stderr(&quiet), "error: not one seed could be fetched\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_answer_429_are_named() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::status(404),
        _ => Reply::status(429),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/")]).await;
    assert_hint(&output, &["1 host answered 429", server.url("").as_str(), "--rate"]);
    assert_hint(&output, &["1 seed answered with an error", "(429)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_that_redirects_out_of_scope_is_named_with_the_way_to_follow_it() {
    let other = Server::start(|_| page(&[])).await.unwrap();
    let there = other.url("/there");
    let server = Server::start(move |path| match path {
        "/here" => Reply::redirect(301, "/moved"),
        "/private" => Reply::redirect(301, &there),
        "/away" => Reply::redirect(302, "/hop"),
        "/hop" => Reply::redirect(302, "http://elsewhere.example/x"),
        _ => page(&[]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/here"), "--scope", "page"]).await;
    assert!(!stderr(&output).contains("out of scope"), "the page counts for its seed: {}", stderr(&output));
    let output = crawl(&bench, &[&server.url("/private")]).await;
    assert_hint(&output, &[&server.url("/private"), &format!("redirects out of scope to {}", other.url("/there"))]);
    let output = crawl(&bench, &[&server.url("/away")]).await;
    assert_hint(&output, &[&server.url("/away"), "to http://elsewhere.example/x", "make that a seed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_that_was_reached_is_named_with_what_is_pending() {
    let server = Server::start(|path| graph_page(50, 300, path)).await.unwrap();
    let seed = server.url("/p/0");
    for limit in [["--max-pages", "3"], ["--max-pages-per-host", "4"]] {
        let bench = Bench::new();
        let output = crawl(&bench, &[&[seed.as_str()], &limit[..]].concat()).await;
        let pending = &bench.rows("select pending from accounting").await[0];
        assert_hint(&output, &[&limit.join(" "), &format!("{pending} URLs pending"), "the same command"]);
    }
    let bench = Bench::new();
    let output = bench.run(&["crawl", &seed, "--max-duration", "1s", "--rate", "3"]).await;
    assert_hint(&output, &["--max-duration 1s was reached", "URLs pending"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_cannot_be_reached_are_named_by_what_failed() {
    let plain = Server::start(|_| page(&[])).await.unwrap();
    let secure = plain.url("").replacen("http", "https", 1);
    // Longer than a label of a name may be: no resolver knows it.
    let unknown = format!("http://{}.test", "x".repeat(64));
    let bench = Bench::new();
    let output = crawl(&bench, &[&secure, &unknown, NOWHERE]).await;
    assert_refused(&output, 3, &["not one seed could be fetched"]);
    assert_hint(&output, &["1 host could not be reached securely", &secure, "kind = 'tls'"]);
    assert_hint(&output, &["1 host could not be found by name", &unknown]);
    assert_hint(&output, &["1 seed gave no usable response", "http://127.0.0.1:1/ (connect)"]);
    assert_eq!(bench.rows("select kind from failures order by 1").await, ["connect", "dns", "tls"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_seeds_tell_how_much_they_leave_out_and_how_to_have_both() {
    let server = Server::start(|path| graph_page(30, 100, path)).await.unwrap();
    let other = Server::start(|_| page(&[])).await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/p/0"), "--max-pages", "1"]).await;
    let pending = bench.rows("select pending from accounting").await.remove(0);
    let said = stderr(&crawl(&bench, &[&other.url("/")]).await);
    let words = format!(
        "the seeds are others than the last ones: pending URLs that these leave out, and that are skipped from now on: {pending}."
    );
    assert!(pending != "0" && said.contains(&words), "{said}");
    let both = format!("To crawl both, give the last ones too: {}. To keep them apart", server.url("/p/0"));
    assert!(said.contains(&both), "{said}");
    crawl(&bench, &[&other.url("/"), &server.url("/p/0")]).await;
    assert_eq!(bench.rows("select fetched, skipped from accounting").await, ["31|0"], "as it says");
    let said = stderr(&crawl(&bench, &[&other.url("/"), &server.url("/p/0"), "--exclude", "/p/.*"]).await);
    let words = "the settings differ from the last ones: pending URLs that these leave out, and that are skipped from now on: 29.";
    assert!(said.contains(words), "{said}");
}

#[tokio::test]
async fn no_log_and_no_export_is_written_over_a_database_or_the_seeds() {
    let bench = Bench::new();
    std::fs::write(bench.path("seeds.txt"), NOWHERE).unwrap();
    assert_eq!(crawl(&bench, &["seeds.txt", "-d", "other.db"]).await.status.code(), Some(3));
    let before = std::fs::read(bench.path("other.db")).unwrap();
    for log in ["other.db", "seeds.txt"] {
        let output = crawl(&bench, &["seeds.txt", "--log-file", log]).await;
        assert_refused(&output, 1, &[log, "read for something else"]);
    }
    crawl(&bench, &["seeds.txt"]).await;
    for command in [&["export", "--format", "csv", "-o", "other.db"][..], &["report", "-o", "other.db"]] {
        assert_refused(&bench.run(command).await, 1, &["cannot write `other.db`", "it is a SQLite database"]);
    }
    let nowhere = bench.run(&["export", "--format", "csv", "-o", "no/pages.csv"]).await;
    assert_refused(&nowhere, 1, &["cannot write `no/pages.csv`", "its folder does not exist"]);
    assert_eq!(std::fs::read(bench.path("other.db")).unwrap(), before);
    assert_eq!(std::fs::read_to_string(bench.path("seeds.txt")).unwrap(), NOWHERE);
}

#[tokio::test]
async fn every_command_asks_the_database_that_the_settings_file_names() {
    let bench = Bench::new();
    std::fs::write(bench.path("harvestman.toml"), "database = \"other.db\"\n").unwrap();
    crawl(&bench, &[NOWHERE]).await;
    assert!(bench.path("other.db").exists() && !bench.path("crawl.db").exists());
    let count = ["query", "select count(*) as n from failures", "--format", "csv"];
    assert_eq!(stdout(&bench.run(&count).await), "n\r\n1\r\n");
    assert_refused(&bench.run(&["status", "-d", "crawl.db"]).await, 1, &["no database at `crawl.db`"]);
    std::fs::write(bench.path("harvestman.toml"), "database = \n").unwrap();
    assert_refused(&bench.run(&["status"]).await, 1, &["harvestman.toml"]);
    let named = |args: &[&str], file| bench.command(args).env("HARVESTMAN_CONFIG", file).output().unwrap();
    std::fs::write(bench.path("mine.toml"), "database = \"other.db\"\n").unwrap();
    assert_eq!(stdout(&named(&count, "mine.toml")), "n\r\n1\r\n");
    for args in [&count[..], &["audit", "-d", "other.db"]] {
        assert_refused(&named(args, "none.toml"), 1, &["cannot read the settings file `none.toml`"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_robots_txt_without_an_answer_is_named() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::status(500),
        _ => page(&[]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/")]).await;
    assert_hint(&output, &["robots.txt of 1 host gave no usable answer", &server.url("")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_that_wait_are_counted_with_the_host_and_the_time() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::status(404),
        _ => Reply::status(503).with_header("Retry-After", "7200"),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let output = bench.run(&["crawl", &server.url("/"), "--rate", "0"]).await;
    let until = format!("{} until 20", server.url(""));
    assert_hint(&output, &["1 URL must wait", &until, "--max-wait"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_whose_links_all_lead_out_of_scope_is_told_so() {
    let server = Server::start(|_| page(&["http://a.example/", "http://b.example/"])).await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/")]).await;
    assert_hint(&output, &["nothing but the seeds is in the scope `host`", "2 URLs", "--scope"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_v_says_more_and_quiet_says_nothing() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nDisallow: /no\n"),
        "/" => page(&["/a", "/no"]),
        _ => page(&[]),
    });
    let server = server.await.unwrap();
    let (seed, robots, no) = (server.url("/"), server.url("/robots.txt"), server.url("/no"));
    let said = |args: &'static [&'static str]| {
        let seed = seed.clone();
        async move { stderr(&crawl(&Bench::new(), &[&[seed.as_str()], args].concat()).await) }
    };
    let line = |text: &str, words: &[&str]| text.lines().any(|line| words.iter().all(|word| line.contains(word)));
    let (quiet, plain, v, vv) = (said(&["-q"]).await, said(&[]).await, said(&["-v"]).await, said(&["-vv"]).await);
    assert_eq!(quiet, "");
    assert!(!line(&plain, &["fetched", &seed]), "{plain}");
    for text in [&v, &vv] {
        assert!(line(text, &["DEBUG", "fetched", "status=200", &seed]), "{text}");
        assert!(line(text, &["DEBUG", "skipped", "reason=robots", &no]), "{text}");
    }
    assert!(!line(&v, &[&robots]), "{v}");
    assert!(line(&vv, &["TRACE", "robots.txt read", &robots]), "{vv}");
    assert!([plain, v, vv].iter().all(|text| !text.contains('\u{1b}')), "no colours where no terminal is");
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_and_hosts_that_ask_for_time_are_told_at_vv() {
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |path| match path {
        "/robots.txt" => Reply::status(404),
        _ if tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 => {
            Reply::status(503).with_header("Retry-After", "1")
        }
        _ => page(&[]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let output = bench.run(&["crawl", &server.url("/"), "-vv"]).await;
    for words in ["to be tried again", "the host asks for time", "no robots.txt"] {
        assert!(stderr(&output).contains(words), "{words} in {}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_json_log_is_an_object_from_the_first_warning_to_the_last_hint() {
    let server = Server::start(|_| Reply::status(403)).await.unwrap();
    let bench = Bench::new();
    std::fs::write(bench.path("seeds.txt"), format!("nonsense\u{1b}\n{}\n", server.url("/\u{1b}[31m\"x"))).unwrap();
    let output = crawl(&bench, &["seeds.txt", "-vv", "--log-format", "json"]).await;
    let lines: Vec<serde_json::Value> = stderr(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let with = |key: &str| lines.iter().find(|line| !line[key].is_null()).unwrap_or_else(|| panic!("{key}: {lines:?}"));
    assert!(lines.iter().any(|line| line["level"] == "WARN"));
    let fetched = lines.iter().find(|line| line["message"] == "fetched").unwrap();
    assert_eq!(fetched["url"], server.url("/%1B[31m%22x"));
    assert_eq!(fetched["status"], 403);
    assert_eq!(with("outcome")["discovered"], 1);
    assert!(with("hint")["hint"].as_str().unwrap().contains("answered with an error"));
    let error = crawl(&bench, &["missing.txt", "--log-format", "json"]).await;
    let error: serde_json::Value = serde_json::from_str(&stderr(&error)).unwrap();
    assert_eq!(error["level"], "ERROR");
    assert!(error["cause"].as_str().unwrap().contains("No such file"));
}

#[tokio::test]
async fn completions_and_the_manual_name_every_command() {
    let bench = Bench::new();
    let commands = ["crawl", "query", "status", "show", "robots", "demo", "completions", "man"];
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(&bench.run(&["completions", shell]).await);
        assert!(commands.iter().all(|command| script.contains(command)), "{shell}");
        assert!(script.contains("max-pages-per-host"), "{shell}");
    }
    let manual = stdout(&bench.run(&["man"]).await);
    assert!(commands.iter().all(|command| manual.contains(command)), "{manual}");
    assert!(manual.contains("max\\-pages\\-per\\-host"), "options of the commands too");
    assert_refused(&bench.run(&["completions", "abacus"]).await, 2, &["abacus", "bash"]);
}

/// Runs on a pseudo-terminal of 80 × 24 – all that was written to it, and for how long –, or None where there is no `script`.
async fn on_a_terminal(bench: &Bench, args: &str, environment: &[(&str, &str)]) -> Option<(String, Duration)> {
    on_a_terminal_of(bench, (80, 24), args, environment).await
}

/// The same on one of so many columns and rows.
async fn on_a_terminal_of(
    bench: &Bench,
    (columns, rows): (u16, u16),
    args: &str,
    environment: &[(&str, &str)],
) -> Option<(String, Duration)> {
    let works = Command::new("script").args(["-qec", "true", "/dev/null"]).stdin(Stdio::null()).output();
    if !works.is_ok_and(|output| output.status.success()) {
        println!("skipped: `script` of util-linux is not there");
        return None;
    }
    let mut command = Command::new("script");
    let line = format!("stty cols {columns} rows {rows}; '{}' {args}", env!("CARGO_BIN_EXE_harvestman"));
    command.args(["-qec", &line, "/dev/null"]).current_dir(bench.dir.path()).stdin(Stdio::null());
    command.env("TERM", "xterm").env_remove("NO_COLOR").envs(environment.iter().copied());
    let started = Instant::now();
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    Some((stdout(&output), started.elapsed()))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_from_the_web_steers_a_terminal() {
    let title = "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}gpj.exe";
    let server = Server::start(move |_| harvestman::demo::Reply::html(format!("<title>{title}</title><p>{title}")));
    let server = server.await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/");
    bench.run(&["crawl", &seed]).await;
    for command in ["query 'select title from pages' --format csv", "query 'select title from pages' --format json"] {
        let Some((written, _)) = on_a_terminal(&bench, command, &[]).await else { return };
        assert!(written.contains("gpj.exe") && !written.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{written:?}");
    }
    for part in ["--text", "--body", ""] {
        let Some((written, _)) = on_a_terminal(&bench, &format!("show {seed} {part}"), &[]).await else { return };
        assert!(written.contains("gpj.exe") && !written.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{written:?}");
    }
    assert_eq!(stdout(&bench.run(&["show", &seed, "--text"]).await), title, "a pipe gets it as it is");
}

#[tokio::test]
async fn somebody_elses_sqlite_file_is_refused_and_left_alone() {
    let bench = Bench::new();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(bench.path("crawl.db")).create_if_missing(true);
    let mut db = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
    sqlx::query("create table recipe (name text)").execute(&mut db).await.unwrap();
    sqlx::Connection::close(db).await.unwrap();
    let before = std::fs::read(bench.path("crawl.db")).unwrap();
    assert_refused(&crawl_only(&bench, &[NOWHERE]).await, 1, &["crawl.db", "something else"]);
    assert_eq!(std::fs::read(bench.path("crawl.db")).unwrap(), before, "not a byte is changed");
    assert!(!bench.path("crawl.db-wal").exists());
}

#[tokio::test]
async fn a_variable_that_no_option_has_is_named() {
    let bench = Bench::new();
    let mut command = bench.command(&["crawl", NOWHERE, "--retries", "0"]);
    command.env("HARVESTMAN_MAXDEPTH", "3").env("HARVESTMAN_MAX_DEPTH", "3");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let warnings: Vec<_> = stderr(&output).lines().filter(|l| l.starts_with("warning: ")).map(str::to_owned).collect();
    assert!(warnings.len() == 1 && warnings[0].contains("HARVESTMAN_MAXDEPTH"), "{warnings:?}");
}

/// The rows that a person sees in the end.
fn screen(written: &str) -> Vec<String> {
    let mut terminal = vt100::Parser::new(24, 80, 100);
    terminal.process(written.as_bytes());
    terminal.screen().rows(0, 80).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_gets_a_calm_display_that_gives_way_to_the_summary() {
    let server = Server::start(|path| graph_page(60, 300, path)).await.unwrap();
    let bench = Bench::new();
    let args = format!("crawl {} --rate 25 --max-pages 50", server.url("/p/0"));
    let Some((written, elapsed)) = on_a_terminal(&bench, &args, &[]).await else { return };
    let frames = written.matches(" of 50 pages, ").count();
    assert!(frames >= 2, "{written:?}");
    assert!(frames as u128 <= elapsed.as_millis() / 250 + 2, "{frames} frames in {elapsed:?}");
    for words in ["queued", "failed", "pages/s", "requests", "busiest  http://127.0.0.1:", "slowest  http://127.0.0.1:"]
    {
        assert!(written.contains(words), "{words} in {written:?}");
    }
    let rows = screen(&written);
    let left: Vec<_> = rows.iter().map(|row| row.trim_end()).filter(|row| !row.is_empty()).collect();
    assert!(left[0].starts_with("Run 1 stopped at a limit after "), "{left:?}");
    assert!(left[1].contains(" discovered = 50 fetched + 0 failed + 0 skipped + "), "{left:?}");
    assert!(!left.iter().any(|row| row.contains("queued")), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_stand_whole_above_the_display() {
    let server = Server::start(|path| graph_page(20, 300, path)).await.unwrap();
    let bench = Bench::new();
    let args = format!("crawl {} --rate 25 -v", server.url("/p/0"));
    let Some((written, _)) = on_a_terminal(&bench, &args, &[("NO_COLOR", "1")]).await else { return };
    let colours = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    assert!(!colours.is_match(&written), "{written:?}");
    let mut terminal = vt100::Parser::new(200, 200, 0);
    terminal.process(written.as_bytes());
    let rows: Vec<_> = terminal.screen().rows(0, 200).collect();
    let fetched = rows.iter().filter(|row| row.contains(" DEBUG fetched status=200 ") && row.contains(" url=http://"));
    assert_eq!(fetched.count(), 20, "{rows:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dumb_terminal_gets_plain_lines() {
    let server = Server::start(|_| page(&[])).await.unwrap();
    let bench = Bench::new();
    let args = format!("crawl {} -v", server.url("/"));
    let Some((written, _)) = on_a_terminal(&bench, &args, &[("TERM", "dumb")]).await else { return };
    assert!(written.contains("fetched status=200") && !written.contains('\u{1b}'), "{written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrow_and_low_terminal_says_what_the_crawl_waits_on_and_what_failed() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nCrawl-delay: 1\n"),
        "/" => page(&["/broken", "/a"]),
        "/broken" => Reply::html("x").with_header("Content-Encoding", "gzip"),
        _ => page(&[]),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let args = format!("crawl {}", server.url("/"));
    let Some((written, _)) = on_a_terminal_of(&bench, (40, 12), &args, &[]).await else { return };
    let mut terminal = vt100::Parser::new(12, 40, 0);
    let mut seen = Vec::new();
    for frame in written.split_inclusive("\u{1b}[J") {
        terminal.process(frame.as_bytes());
        seen.extend(terminal.screen().rows(0, 40));
    }
    for words in ["waits on http://127.0.0.1:", "request in 1 s, by its robots.txt"] {
        assert!(seen.iter().any(|row| row.contains(words)), "{words} in {seen:#?}");
    }
    let mut terminal = vt100::Parser::new(200, 200, 0);
    terminal.process(written.as_bytes());
    let failed = format!("failed: {} (decode: ", server.url("/broken"));
    assert!(terminal.screen().rows(0, 200).any(|row| row.starts_with(&failed)), "it stays: {written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_says_what_happens_and_for_how_long_and_so_does_a_second() {
    let server = Server::start(|path| match path {
        "/" => page(&["/hang"]),
        "/hang" => page(&[]).delayed(Duration::MAX),
        _ => Reply::status(404),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let log = bench.path("said");
    let mut command = bench.command(&["crawl", &server.url("/"), "--rate", "0", "--timeout", "8s"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap());
    let mut child = command.spawn().unwrap();
    common::until("the request that hangs", || server.hit_count() == 3).await;
    let said = || std::fs::read_to_string(&log).unwrap();
    common::send("INT", &child);
    let stopping = "Stopping: 1 request in flight may take up to 8 s to end, and what is answered is stored; the next invocation goes on with the rest. \
                    Once more to stop at once.\n";
    common::until("the answer to ctrl-C", || said().contains(stopping)).await;
    common::send("INT", &child);
    assert_eq!(common::ended(&mut child).await.code(), Some(130));
    let stopped = "Stopped at once: what was committed stays. The same command goes on, and asks once more for what was in flight: 1 URL.\n";
    assert!(said().ends_with(stopped), "{}", said());
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_fit_their_terminal_and_a_pipe_gets_all() {
    let server =
        Server::start(|_| Reply::html("<title>A title that goes on and on, longer than there is room</title>"));
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let long = server.url("/a/path/that/is/longer/than/half/of/the/terminal/and/more/than/that/last-part.html");
    crawl(&bench, &[&long]).await;
    let query = "query 'select url, title, status from pages'";
    let on = |size, args| on_a_terminal_of(&bench, size, args, &[]);
    let Some((written, _)) = on((80, 24), query).await else { return };
    let lines: Vec<_> = written.lines().map(str::trim_end).collect();
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{written}");
    assert!(
        lines[1].starts_with(" http://127.0.0.1:") && lines[1].contains("st-part.html  A title that goes"),
        "{written}"
    );
    assert!(lines[1].matches('…').count() == 2 && lines[1].ends_with("    200"), "{written}");
    assert!(written.contains("--wide shows all"), "{written}");
    let (written, _) = on((30, 12), query).await.unwrap();
    let lines: Vec<_> = written.lines().map(str::trim_end).collect();
    assert!(lines[0].starts_with("url     http://127.…") && lines[1].starts_with("title   A title"), "{written}");
    assert_eq!(lines[2], "status  200");
    let piped = stdout(&bench.run(&["query", "select url, title, status from pages"]).await);
    assert!(piped.contains(&long) && piped.contains("than there is room") && !piped.contains('…'), "{piped}");
    let whole = format!("{query} --wide");
    let (wide, _) = on_a_terminal(&bench, &whole, &[]).await.unwrap();
    assert_eq!(wide.replace("\r\n", "\n"), piped);
    bench.run(&["audit", "--output", "a.csv"]).await;
    let (audited, _) = on((80, 40), "audit").await.unwrap();
    assert!(audited.starts_with(&format!("Run 1 of {}: ", server.url(""))), "{audited}");
    assert!(audited.contains("  /a/path/that/is/longer/than/half") && !audited.contains(" fixed "), "{audited}");
    for (args, words) in [
        ("status", "Hosts with most URLs"),
        ("changes", "…"),
        ("audit", "example"),
        ("search title", "longer than there is room"),
        ("query --schema pages", "canonical_url"),
        ("check", "accounting"),
    ] {
        let (written, _) = on((80, 40), args).await.unwrap();
        let table = written.split("How to fix").next().unwrap();
        let is_table = !args.starts_with("search") && args != "check";
        let too_wide =
            table.lines().skip(if args == "status" { 3 } else { 0 }).find(|line| line.trim_end().chars().count() > 80);
        assert!(written.contains(words) && (!is_table || too_wide.is_none()), "{args}: {too_wide:?} in {written}");
    }
}
