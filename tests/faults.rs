//! Faults of the machine: each ends in a sentence with the way out, loses nothing that was committed, and the same command
//! goes on.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs::{self, File};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use common::{Bench, ended, page, stderr, stdout, until};
use harvestman::demo::{Reply, Server, graph_page};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

const FAST: [&str; 6] = ["--rate", "0", "--retries", "0", "--max-connections-per-host", "8"];

async fn crawl(bench: &Bench, args: &[&str]) -> Output {
    bench.run(&[&["crawl"], args, &FAST[..]].concat()).await
}

/// The binary behind a line of the shell, which sets a limit.
async fn limited(bench: &Bench, line: &str, args: &[&str]) -> Output {
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{line}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_harvestman")]).args(args);
    command.current_dir(bench.dir.path()).stdin(Stdio::null()).env("RUST_BACKTRACE", "0");
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// Ended with 1, one error and one hint that holds these words.
#[track_caller]
fn assert_told(output: &Output, error: &str, way_out: &str) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    let line = |start: &str| said.lines().rfind(|line| line.starts_with(start)).unwrap_or_default().to_owned();
    assert!(line("error: ").contains(error), "{said}");
    assert!(line("hint: ").contains(way_out), "{said}");
}

async fn assert_sound(bench: &Bench) {
    assert_eq!(bench.rows("pragma integrity_check").await, ["ok"]);
    let balance = "select discovered = fetched + failed + skipped + pending from accounting";
    assert_eq!(bench.rows(balance).await, ["1"]);
}

/// Another program's connection that holds the lock for writing.
async fn lock(bench: &Bench) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(bench.path("crawl.db"));
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("begin immediate").execute(&mut other).await.unwrap();
    other
}

/// Holds the lock of a crawl's database for so long, at least until the crawl says that it waits.
async fn hold_the_lock_for(time: Duration) {
    let server = Server::start(|path| graph_page(60, 300, path).delayed(Duration::from_millis(20))).await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/p/0");
    crawl(&bench, &[&seed, "--max-pages", "5"]).await;
    let other = lock(&bench).await;
    let log = File::create(bench.path("log")).unwrap();
    let mut command = bench.command(&[&["crawl", &seed], &FAST[..]].concat());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let said = || fs::read_to_string(bench.path("log")).unwrap();
    until("the crawl to say that it waits", || said().contains("another program may hold its lock")).await;
    tokio::time::sleep(time).await;
    other.close().await.unwrap();
    let status = ended(&mut child).await;
    assert!(status.success(), "{}", said());
    assert_eq!(bench.rows("select fetched, pending from accounting").await, ["60|0"]);
    assert_sound(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_another_program_holds_is_waited_for_and_said() {
    hold_the_lock_for(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes more than a minute; .ci/kills runs it"]
async fn a_lock_of_more_than_a_minute_is_waited_for() {
    hold_the_lock_for(Duration::from_secs(65)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_time_waits_no_longer_after_the_clock_was_set_back_by_a_day() {
    let server = Server::start(|path| match path {
        "/" => page(["/busy"]),
        "/busy" => Reply::status(503).with_header("Retry-After", "3600"),
        _ => Reply::status(404),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let seed = server.url("/");
    let args = ["crawl", &seed, "--rate", "0"];
    bench.run(&args).await;
    // As if the clock had been a day ahead until now.
    for sql in [
        "update fetch set at = at + 86400000",
        "update host set asked_at = asked_at + 86400000, robots_at = robots_at + 86400000,
             blocked_until = blocked_until + 86400000",
        "update url set due_at = due_at + 86400000 where due_at is not null",
    ] {
        bench.write(sql).await;
    }
    let waits = "select round((julianday(due_at) - julianday('now')) * 24) from queue";
    assert_eq!(bench.rows(waits).await, ["25.0"]);
    for said in [1, 0] {
        let output = bench.run(&args).await;
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(stderr(&output).matches("the clock was set back by").count(), said, "{}", stderr(&output));
        assert_eq!(bench.rows(waits).await, ["1.0"]);
    }
    let ahead = "select count(*) from host
                 where max(asked_at, robots_at) > unixepoch() * 1000 + 5000 or blocked_until > unixepoch() * 1000 + 3700000";
    assert_eq!(bench.rows(ahead).await, ["0"]);
}

/// Overwrites the root of a table or index, with its first cells; 1 is the schema.
fn damage(bench: &Bench, root: u64) {
    use std::os::unix::fs::FileExt as _;
    let file = File::options().write(true).open(bench.path("crawl.db")).unwrap();
    let header = if root == 1 { 100 } else { 0 };
    file.write_all_at(&[0xff; 64], (root - 1) * 16_384 + header).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_pages_end_a_command_with_the_way_to_save_the_rest() {
    let server = Server::start(|path| graph_page(40, 300, path)).await.unwrap();
    let (seed, whole) = (server.url("/p/0"), Bench::new());
    crawl(&whole, &[&seed, "--max-pages", "10"]).await;
    let roots = "select rootpage from sqlite_master where name in
                     ('url', 'host', 'page', 'run', 'meta', 'url_queue', 'sqlite_autoindex_url_1', 'link', 'failure')";
    let mut roots = whole.rows(roots).await;
    roots.push("1".to_owned());
    assert!(roots.len() > 8, "{roots:?}");
    for root in roots {
        let bench = Bench::new();
        fs::copy(whole.path("crawl.db"), bench.path("crawl.db")).unwrap();
        damage(&bench, root.parse().unwrap());
        let output = crawl(&bench, &[&seed]).await;
        assert_told(&output, "the database", "the file is damaged");
        let output = bench.run(&["report", "--output", "report.html"]).await;
        if !output.status.success() {
            assert_told(&output, "the database", "the file is damaged");
        }
        let checked = stdout(&bench.run(&["check"]).await);
        assert!(checked.matches("the file is damaged").count() <= 1, "one advice is given once: {checked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hint_saves_of_a_damaged_database_is_gone_on_with() {
    if Command::new("sqlite3").arg("--version").output().is_err() {
        println!("skipped: there is no sqlite3");
        return;
    }
    let server = Server::start(|path| graph_page(40, 300, path)).await.unwrap();
    let (seed, bench) = (server.url("/p/0"), Bench::new());
    crawl(&bench, &[&seed, "--max-pages", "10"]).await;
    let links = bench.rows("select rootpage from sqlite_master where name = 'link'").await.concat();
    damage(&bench, links.parse().unwrap());
    let said = stderr(&crawl(&bench, &[&seed]).await);
    let way_out = said.split('`').find(|part| part.contains(".dump")).unwrap_or_else(|| panic!("{said}"));
    let way_out = way_out.replace("FILE", "crawl.db").replace("NEW", "saved.db");
    Command::new("bash").args(["-c", &way_out]).current_dir(bench.dir.path()).output().unwrap();
    let output = crawl(&bench, &[&seed, "-d", "saved.db"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    fs::rename(bench.path("saved.db"), bench.path("crawl.db")).unwrap();
    assert_sound(&bench).await;
    assert_eq!(bench.rows("select fetched, pending from accounting").await, ["40|0"]);
    let once = "select count(*) from fetches where url like '%/p/0'";
    assert_eq!(bench.rows(once).await, ["1"], "what was saved is not fetched again");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_runs_out_ends_the_crawl_in_words_and_the_same_command_goes_on() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let server = Server::start(|path| match path {
        "/" => page((0..8).map(|n| format!("/{n}"))),
        "/robots.txt" => Reply::status(404),
        _ => Reply::html("<b>x</b><i>".repeat(200_000)),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let seed = server.url("/");
    let args = [&["crawl", &seed], &FAST[..]].concat();
    for kib in [230_000, 450_000] {
        let output = limited(&bench, &format!("ulimit -c 0; ulimit -v {kib}"), &args).await;
        if !output.status.success() {
            assert_told(&output, "memory runs out", "lower --concurrency");
        }
    }
    let output = crawl(&bench, &[&seed]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(bench.rows("select fetched, pending from accounting").await, ["9|0"]);
    assert_sound(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_taken_away_in_mid_crawl_is_told() {
    let server = Server::start(|path| graph_page(60, 300, path).delayed(Duration::from_millis(30))).await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/p/0");
    let log = File::create(bench.path("log")).unwrap();
    let mut command = bench.command(&[&["crawl", &seed], &FAST[..]].concat());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    until("some requests", || server.hit_count() > 10).await;
    fs::rename(bench.path("crawl.db"), bench.path("elsewhere.db")).unwrap();
    let status = ended(&mut child).await;
    let output = Output { status, stdout: Vec::new(), stderr: fs::read(bench.path("log")).unwrap() };
    assert_told(&output, "was moved or deleted", "move it back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_made_leaves_nothing_behind() {
    let server = Server::start(|path| graph_page(10, 300, path)).await.unwrap();
    let bench = Bench::on_sqlite();
    let seed = server.url("/p/0");
    let args = [&["crawl", &seed], &FAST[..]].concat();
    for kib in [20, 60, 120, 200] {
        let output = limited(&bench, &format!("ulimit -f {kib}"), &args).await;
        assert_told(&output, "cannot open the database", "make room on the disk");
        let left: Vec<_> = fs::read_dir(bench.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.is_empty(), "{kib} KiB leave {left:?}");
    }
    File::create(bench.path("crawl.db")).unwrap();
    limited(&bench, "ulimit -f 60", &args).await;
    assert_eq!(fs::metadata(bench.path("crawl.db")).unwrap().len(), 0, "a file that was there stays, as it was");
    assert_told(&bench.run(&["check"]).await, "it holds no crawl", "name another file with --database");
    assert_eq!(crawl(&bench, &[&seed]).await.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_ends_the_crawl_with_its_summary_and_the_run_says_why() {
    let server = Server::start(|path| graph_page(200, 20_000, path)).await.unwrap();
    let bench = Bench::on_sqlite();
    let seed = server.url("/p/0");
    crawl(&bench, &[&seed, "--max-pages", "5"]).await;
    let args = [&["crawl", &seed, "--json"], &FAST[..]].concat();
    let output = limited(&bench, "ulimit -f 2500", &args).await;
    assert_told(&output, "the database failed; what was committed is kept", "make room on the disk");
    let told = common::summary(&output);
    let stored = bench.rows("select fetched, pending from accounting").await.concat();
    assert_eq!(format!("{}|{}", told["fetched"], told["pending"]), stored, "{told}");
    assert!(
        told["run"] == 1 && told["outcome"].is_null() && told["error"].as_str().unwrap().contains("disk"),
        "{told}"
    );
    let said = common::stdout(&bench.run(&["status"]).await);
    assert!(said.contains("Run 1 could not go on: ") && said.contains("See to the disk"), "{said}");
    assert_eq!(crawl(&bench, &[&seed, "--max-pages", "1"]).await.status.code(), Some(0));
    let said = common::stdout(&bench.run(&["status"]).await);
    assert!(said.contains("stopped at a limit") && !said.contains("could not go on"), "{said}");
    assert_sound(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_finds_no_room_says_so() {
    let server = Server::start(|path| graph_page(10, 20_000, path)).await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/p/0")]).await;
    for args in [
        &["export", "--format", "csv", "--output", "pages.csv"],
        &["export", "--format", "jsonl", "--output", "pages.jsonl"],
    ] {
        let output = limited(&bench, "ulimit -f 40", args).await;
        assert_told(&output, "cannot write `", "make room");
        assert!(!bench.path(args[args.len() - 1]).exists(), "no half of a file is left");
    }
    if let Ok(full) = File::options().write(true).open("/dev/full") {
        for args in [&["query", "select url from pages"][..], &["status"], &["show", &server.url("/p/0")]] {
            let output = bench.command(args).stdout(full.try_clone().unwrap()).stderr(Stdio::piped()).output().unwrap();
            assert_told(&output, "cannot write to standard output", "make room");
        }
    }
}
