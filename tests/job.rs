//! A scheduled job: exit codes, thresholds, the lock that is waited for, log files and the journal.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Bench, ended, page, send, stderr, summary, until};
use harvestman::demo::{Reply, Server, graph_page};

const FAST: [&str; 4] = ["--rate", "0", "--retries", "0"];

async fn crawl(bench: &Bench, args: &[&str]) -> Output {
    bench.run(&[&["crawl"], args, &FAST[..]].concat()).await
}

/// Nine pages linked from a tenth; three of them break off.
async fn site() -> Server {
    let start = Server::start(|path| match path {
        "/" => page((1..10).map(|n| format!("/{n}"))),
        "/robots.txt" => Reply::status(404),
        "/1" | "/2" | "/3" => Reply::html("x").with_header("Content-Encoding", "gzip"),
        _ => page([""; 0]),
    });
    start.await.unwrap()
}

/// A site whose pages answer once the gate is open.
async fn gated() -> (Server, Arc<AtomicBool>) {
    let open = Arc::new(AtomicBool::new(false));
    let gate = open.clone();
    let server = Server::start(move |path| {
        let is_open = gate.load(Ordering::SeqCst);
        let reply = graph_page(5, 300, path);
        if path == "/robots.txt" || is_open { reply } else { Reply::status(503).with_header("Retry-After", "1") }
    });
    (server.await.unwrap(), open)
}

/// Waits until a file holds `words`, and gives what it holds.
async fn written(path: &std::path::Path, words: &str) -> String {
    let mut text = String::new();
    until(words, || {
        text = std::fs::read_to_string(path).unwrap_or_default();
        text.contains(words)
    })
    .await;
    text
}

/// A crawl whose standard error goes to a file.
fn start_logged(bench: &Bench, args: &[&str], file: &str) -> Child {
    let mut command = bench.command(args);
    let log = File::create(bench.path(file)).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_exit_code_of_a_crawl_that_ends_by_itself_means_what_is_promised() {
    let server = site().await;
    let seed = server.url("/");
    let forbidden = Server::start(|_| Reply::text("User-agent: *\nDisallow: /\n")).await.unwrap();
    for (code, args) in [
        (0, &[seed.as_str()][..]),
        (0, &[&seed, "--max-pages", "2"]),
        (0, &[&seed, "--fail-on", "failed>30%"]),
        (1, &["missing.txt"]),
        (1, &[&seed, "--config", "missing.toml"]),
        (1, &[&seed, "-d", "no/such/folder.db"]),
        (1, &[&seed, "--log-file", "no/such/folder.log"]),
        (2, &[]),
        (2, &[&seed, "--speed", "9"]),
        (2, &[&seed, "--fail-on", "pages>9"]),
        (3, &["http://127.0.0.1:1/"]),
        (3, &[&forbidden.url("/")]),
        (5, &[&seed, "--fail-on", "failed>29%"]),
    ] {
        let output = crawl(&Bench::new(), args).await;
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        let errors = stderr(&output).lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, usize::from(code != 0), "{args:?}: {}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_crawls_at_once_one_works_and_the_other_exits_4_and_neither_harms() {
    let (server, open) = gated().await;
    // On PostgreSQL, the second takes part in the crawl of the first.
    let bench = Bench::on_sqlite();
    let args = ["crawl", &server.url("/p/0"), "--rate", "0"];
    let mut first = bench.start(&args);
    until("requests", || server.hit_count() > 1).await;
    let second = bench.run(&args).await;
    assert_eq!(second.status.code(), Some(4), "{}", stderr(&second));
    let holder = format!("in use by another crawl (process {}, since 20", first.id());
    assert!(stderr(&second).contains(&holder), "{}", stderr(&second));
    assert!(stderr(&second).contains("--wait-lock"), "{}", stderr(&second));
    open.store(true, Ordering::SeqCst);
    assert_eq!(ended(&mut first).await.code(), Some(0));
    assert_eq!(bench.rows("pragma integrity_check").await, ["ok"]);
    assert_eq!(bench.rows("select id, outcome, fetched from runs").await, ["1|finished|5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_that_waits_for_the_lock_works_when_the_other_has_ended() {
    let (server, open) = gated().await;
    let bench = Bench::new();
    let args = ["crawl", &server.url("/p/0"), "--rate", "0"];
    let mut first = bench.start(&args);
    until("requests", || server.hit_count() > 1).await;
    // With the same settings, on PostgreSQL, it would take part in the crawl of the first.
    let mut second =
        start_logged(&bench, &[&args[..], &["--max-depth", "9", "--wait-lock", "1m"]].concat(), "second.log");
    let said = written(&bench.path("second.log"), "Waiting up to 1m: ").await;
    let holder = format!("(process {}, since 20", first.id());
    assert!(said.contains(bench.either(&holder, "with other settings: --max-depth is `9` here")), "{said}");
    open.store(true, Ordering::SeqCst);
    assert_eq!(ended(&mut first).await.code(), Some(0));
    assert_eq!(ended(&mut second).await.code(), Some(0));
    assert_eq!(bench.rows("select id, outcome, fetched from runs").await, ["1|finished|5", "2|finished|5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_that_waited_in_vain_exits_4() {
    let bench = Bench::on_sqlite();
    let lock = File::create(bench.path("crawl.db")).unwrap();
    lock.lock().unwrap();
    let output = crawl(&bench, &["http://127.0.0.1:1/", "--wait-lock", "300ms"]).await;
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert_eq!(stderr(&output).matches("Waiting up to 300ms").count(), 1, "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_that_waits_for_the_lock_ends_with_the_code_of_the_signal() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let bench = Bench::on_sqlite();
        let lock = File::create(bench.path("crawl.db")).unwrap();
        lock.lock().unwrap();
        let mut child = start_logged(&bench, &["crawl", "http://127.0.0.1:1/", "--wait-lock", "1h"], "log");
        written(&bench.path("log"), "Waiting up to 1h").await;
        send(signal, &child);
        assert_eq!(ended(&mut child).await.code(), Some(code));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thresholds_that_hold_are_named_with_their_numbers_and_stand_in_the_summary() {
    let server = site().await;
    let bench = Bench::new();
    let thresholds = ["--fail-on", "failed > 12.5%", "--fail-on", "skipped>0", "--fail-on=fetched<8", "--json", "-q"];
    let output = crawl(&bench, &[&[server.url("/").as_str()], &thresholds[..]].concat()).await;
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(stderr(&output), "error: --fail-on: failed > 12.5% holds (3 of 10), fetched<8 holds (7)\n");
    assert_eq!(summary(&output)["failed_on"], serde_json::json!(["failed > 12.5%", "fetched<8"]));
    assert_eq!(summary(&output)["failed"], 3);
    let without = crawl(&bench, &[&server.url("/"), "--json"]).await;
    assert!(summary(&without).get("failed_on").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn thresholds_come_from_the_file_the_environment_or_the_command_line_in_this_order() {
    let server = site().await;
    let bench = Bench::new();
    std::fs::write(bench.path("harvestman.toml"), "fail-on = [\"failed>1\", \"requests<5\"]\n").unwrap();
    let seed = server.url("/");
    let held = |typed: &'static [&'static str], variable: Option<&'static str>| {
        let mut command = bench.command(&[&["crawl", &seed, "--json"], &FAST[..], typed].concat());
        command.envs(variable.map(|value| ("HARVESTMAN_FAIL_ON", value)));
        async move {
            let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
            (output.status.code(), summary(&output)["failed_on"].to_string())
        }
    };
    assert_eq!(held(&[], None).await, (Some(5), "[\"failed>1\"]".into()));
    assert_eq!(held(&[], Some("failed>2")).await, (Some(5), "[\"failed>2\"]".into()));
    assert_eq!(held(&["--fail-on", "failed>3"], Some("failed>2")).await, (Some(0), "[]".into()));
    std::fs::write(bench.path("harvestman.toml"), "\nfail-on = [\"failed>many\"]\n").unwrap();
    let output = crawl(&bench, &[&seed]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("harvestman.toml, line 2: fail-on: `many` is no number"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn that_no_seed_was_fetched_or_a_signal_came_says_more_than_a_threshold() {
    let bench = Bench::new();
    let output = crawl(&bench, &["http://127.0.0.1:1/", "--fail-on", "failed>0"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(!stderr(&output).contains("--fail-on"), "{}", stderr(&output));

    let server = Server::start(|path| graph_page(1_000, 300, path)).await.unwrap();
    let mut child = bench.start(&["crawl", &server.url("/p/0"), "--rate", "50", "--fail-on", "pending>0"]);
    until("requests", || server.hit_count() > 3).await;
    send("TERM", &child);
    assert_eq!(ended(&mut child).await.code(), Some(143));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_file_is_written_after_what_it_holds_and_quiet_is_not_for_it() {
    let server = site().await;
    let bench = Bench::new();
    let log = bench.path("crawl.log");
    std::fs::write(&log, "before\n").unwrap();
    let args = [&server.url("/"), "-q", "-v", "--log-file", "crawl.log", "--fail-on", "failed>0"];
    let output = crawl(&bench, &args).await;
    assert_eq!(stderr(&output), "error: --fail-on: failed>0 holds (3)\n");
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.starts_with("before\n20"), "{text}");
    let lines: Vec<_> = text.lines().collect();
    for words in [
        &[" DEBUG fetched status=200 ", "url=http://"][..],
        &[" INFO ", "the crawl has ended", "fetched=7", "failed=3"],
        &["ERROR --fail-on: failed>0 holds (3)"],
        &[" INFO Next: harvestman status"],
    ] {
        assert!(lines.iter().any(|line| words.iter().all(|word| line.contains(word))), "{words:?} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_json_log_file_holds_an_object_a_line_and_all_that_was_said() {
    let bench = Bench::new();
    std::fs::write(bench.path("seeds.txt"), "nonsense\u{1b}[31m\nhttp://127.0.0.1:1/\n").unwrap();
    for quiet in [&[][..], &["-q"]] {
        let log = ["seeds.txt", "--log-file", "crawl.jsonl", "--log-format", "json"];
        crawl(&bench, &[&log[..], quiet].concat()).await;
        let text = std::fs::read_to_string(bench.path("crawl.jsonl")).unwrap();
        std::fs::remove_file(bench.path("crawl.jsonl")).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let count = |level: &str| lines.iter().filter(|line| line["level"] == level).count();
        assert_eq!((count("WARN"), count("ERROR")), (1, 1), "{text}");
        assert_eq!(lines.iter().filter(|line| line["outcome"] == "finished").count(), 1, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_keeps_its_colours_and_display_and_the_log_file_has_none() {
    let server = Server::start(|path| graph_page(10, 300, path)).await.unwrap();
    let bench = Bench::new();
    let works = Command::new("script").args(["-qec", "true", "/dev/null"]).stdin(Stdio::null()).output();
    if !works.is_ok_and(|output| output.status.success()) {
        println!("skipped: `script` of util-linux is not there");
        return;
    }
    let seed = server.url("/p/0");
    let line = format!("'{}' crawl {seed} --rate 25 -v --log-file log", env!("CARGO_BIN_EXE_harvestman"));
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(bench.dir.path()).stdin(Stdio::null());
    command.env("TERM", "xterm").env_remove("NO_COLOR");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("\u{1b}[34mDEBUG\u{1b}[0m") && shown.contains("queued, 0 failed"), "{shown:?}");
    let text = std::fs::read_to_string(bench.path("log")).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains(" DEBUG fetched status=200 ")).count(), 10, "{text}");
    assert!(text.contains("INFO Run 1 finished after ") && !text.contains('\u{1b}'), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_opens_the_log_file_anew_and_ends_nothing() {
    let (server, open) = gated().await;
    let bench = Bench::new();
    let (log, moved) = (bench.path("log"), bench.path("log.1"));
    let args = ["crawl", &server.url("/p/0"), "--rate", "0", "-q", "--log-file", "log"];
    let mut child = bench.start(&args);
    until("requests", || server.hit_count() > 1).await;
    std::fs::rename(&log, &moved).unwrap();
    send("HUP", &child);
    written(&log, "SIGHUP: the log file is opened anew").await;
    open.store(true, Ordering::SeqCst);
    assert_eq!(ended(&mut child).await.code(), Some(0));
    assert!(std::fs::read_to_string(&log).unwrap().contains("the crawl has ended"));
    assert!(!std::fs::read_to_string(&moved).unwrap().contains("the crawl has ended"));
}

/// A pipe that claims to be the journal, and its name as systemd writes it.
fn journal() -> (PipeReader, PipeWriter, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    let file = File::from(OwnedFd::from(writer.try_clone().unwrap())).metadata().unwrap();
    (reader, writer, format!("{}:{}", file.dev(), file.ino()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_gets_levels_and_no_times_of_its_own() {
    let server = site().await;
    let bench = Bench::new();
    std::fs::write(bench.path("seeds.txt"), format!("nonsense\n{}\n", server.url("/"))).unwrap();
    let (mut reader, writer, name) = journal();
    let mut command = bench.command(&[&["crawl", "seeds.txt", "-v", "--fail-on", "failed>0"], &FAST[..]].concat());
    command.env("JOURNAL_STREAM", &name).stderr(writer);
    let run = tokio::task::spawn_blocking(move || {
        command.status().unwrap();
        drop(command);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    });
    let text = run.await.unwrap();
    for words in ["<4>warning: seeds.txt, line 1", "<7>fetched status=200", "<6>Run 1", "<3>error: --fail-on"] {
        assert!(text.lines().any(|line| line.starts_with(words)), "{words} in {text}");
    }
    assert!(text.lines().all(|line| line.starts_with('<')) && !text.contains('\u{1b}'), "{text}");

    let mut command = bench.command(&["crawl", "missing.txt"]);
    command.env("JOURNAL_STREAM", &name);
    let elsewhere = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(stderr(&elsewhere).starts_with("error: "), "standard error is not the journal here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_is_noted_in_a_file_and_a_failure_leaves_it_as_it_was() {
    let (server, bench) = (site().await, Bench::new());
    let note = bench.path("last-success.prom");
    let options = ["--success-file", "last-success.prom", "--fail-on", "failed>3"];
    let output = crawl(&bench, &[&[&*server.url("/")], &options[..]].concat()).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let text = std::fs::read_to_string(&note).unwrap();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {text}"));
        line.trim().parse::<f64>().unwrap()
    };
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    assert!((now - 600.0..now + 1.0).contains(&value("harvestman_last_success_timestamp_seconds ")), "{text}");
    assert!(value("harvestman_last_success_duration_seconds ") > 0.0);
    assert_eq!(value("harvestman_last_success_urls{state=\"fetched\"} "), 7.0);
    assert_eq!(value("harvestman_last_success_urls{state=\"failed\"} "), 3.0);
    let output =
        crawl(&bench, &[&*server.url("/"), "--success-file", "last-success.prom", "--fail-on", "failed>2"]).await;
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(&note).unwrap(), text);
    let left: Vec<_> = std::fs::read_dir(bench.dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains(".part")), "{left:?}");
    for (file, words) in [("none/x.prom", "its folder does not exist"), (".", "it is a directory")] {
        let before = server.hit_count();
        let output = crawl(&bench, &[&*server.url("/"), "--success-file", file]).await;
        assert!(output.status.code() == Some(1) && stderr(&output).contains(words), "{}", stderr(&output));
        assert_eq!(server.hit_count(), before, "it is found out before the crawl");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_file_is_nothing_else_that_the_crawl_reads_or_writes() {
    let (server, bench) = (site().await, Bench::on_sqlite());
    std::fs::write(bench.path("seeds.txt"), server.url("/")).unwrap();
    for file in ["crawl.db", "crawl.db-wal", "seeds.txt", "x.log", "harvestman.toml"] {
        let output = crawl(&bench, &["seeds.txt", "--log-file", "x.log", "--success-file", file]).await;
        assert_eq!(output.status.code(), Some(1), "{file}: {}", stderr(&output));
        assert!(stderr(&output).contains(&format!("`{file}`")), "{}", stderr(&output));
    }
    assert!(!bench.path("crawl.db").exists() && server.hit_count() == 0);
    std::os::unix::fs::symlink("real.prom", bench.path("link.prom")).unwrap();
    std::fs::write(bench.path("real.prom"), "old").unwrap();
    let output = crawl(&bench, &["seeds.txt", "--success-file", "link.prom"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(bench.path("link.prom").is_symlink());
    assert!(std::fs::read_to_string(bench.path("real.prom")).unwrap().contains("harvestman_last_success"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_that_a_full_database_stopped_at_once_is_no_success() {
    let server = Server::start(|_| Reply::html("x".repeat(2 << 20))).await.unwrap();
    let bench = Bench::on_sqlite();
    assert!(crawl(&bench, &[&server.url("/")]).await.status.success());
    let options = ["--max-database-size", "1MiB", "--success-file", "s.prom"];
    let output = crawl(&bench, &[&[&*server.url("/")], &options[..]].concat()).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!bench.path("s.prom").exists());
}
