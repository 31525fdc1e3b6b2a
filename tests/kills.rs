//! Kills and full disks at random instants under load: nothing is lost, nothing is done twice, and the accounting is right.
//! Not in the quick suite: `.ci/kills` says how often, and gives the seed again that a failure has printed.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Bench, stderr};
use harvestman::demo::{Reply, Server, graph_page};

const HOSTS: usize = 3;
const PAGES: usize = 700;
const CONNECTIONS: usize = 48;
/// Answers that may wait for their commit.
const WAITING: usize = 512;
/// Room of the file system, if the test may mount one, in MiB.
const ROOM: usize = 192;
const OPTIONS: [&str; 11] = [
    "--rate",
    "0",
    "--retries",
    "0",
    "--concurrency",
    "48",
    "--max-connections-per-host",
    "16",
    "--keep-versions",
    "2",
    "--index",
];

/// How the environment says it, or so.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// A site with redirects, errors and some large pages; a part of it is new in each edition.
fn site(path: &str, edition: usize) -> Reply {
    let number: usize = path.trim_start_matches("/p/").parse().unwrap_or(0);
    let bytes = if number % 50 == 9 { 300_000 } else { 3_000 };
    let reply = match number {
        _ if number % 23 == 5 => Reply::redirect(302, &format!("/p/{}", number + 1)),
        _ if number % 31 == 7 => Reply { status: 404, ..graph_page(PAGES, 500, path) },
        _ => graph_page(PAGES, bytes, path),
    };
    let news = if number.is_multiple_of(5) { format!("<p>edition {edition}") } else { String::new() };
    let body = if reply.body.is_empty() { reply.body } else { [reply.body, news.into()].concat() };
    Reply { body, ..reply }.delayed(Duration::from_millis(2))
}

/// A file system of its own, where the test may mount one: on it the disk can be full in earnest.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn mount(folder: &'a Path) -> Option<Self> {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={ROOM}m"), "tmpfs"]).arg(folder).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success()).then_some(Self(folder))
    }

    /// Leaves so many bytes of room until the answer is dropped.
    fn fill(&self, room: u64) -> Ballast {
        let path = self.0.join("ballast");
        let df = Command::new("df").args(["--output=avail", "-B1"]).arg(self.0).output().unwrap();
        let free: u64 = String::from_utf8(df.stdout).unwrap().lines().nth(1).unwrap().trim().parse().unwrap();
        let file = File::create(&path).unwrap();
        std::io::copy(&mut std::io::Read::take(std::io::repeat(0), free.saturating_sub(room)), &mut &file).unwrap();
        Ballast(path)
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

struct Ballast(std::path::PathBuf);

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// What is stored is sound, and goes on from what was stored before. Answers with that for the next time: of each page when
/// it was fetched, by its URL and run.
async fn check(bench: &Bench, before: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    if fs::metadata(bench.path("crawl.db")).map_or(0, |file| file.len()) == 0 {
        return BTreeMap::new();
    }
    // What was being written to a new file when it ended is rolled back by whoever may write.
    bench.write("select count(*) from sqlite_master").await;
    assert_eq!(bench.rows("pragma integrity_check").await, ["ok"]);
    if bench.rows("select 1 from sqlite_master where name = 'page_ranks'").await.is_empty() {
        return BTreeMap::new();
    }
    let kept = "select discovered, fetched, failed, skipped, pending from runs order by id desc limit 1";
    let there = "select * from accounting where discovered = fetched + failed + skipped + pending";
    if !bench.rows(kept).await.is_empty() {
        assert_eq!(bench.rows(kept).await, bench.rows(there).await, "the counters, and what there is");
    }
    let twice =
        "select run, url, count(*) from fetches where url not like '%/robots.txt' group by 1, 2 having count(*) > 1";
    assert_eq!(bench.rows(twice).await, [""; 0], "asked for twice in one run, and both were stored");
    let whole = "select count(*) from pages p left join bodies b using (url)
                 where p.status = 200 and (b.body is null or length(b.body) <> p.size)";
    assert_eq!(bench.rows(whole).await, ["0"], "pages without their bodies");
    let links = "select count(*) from pages where status = 200 and url not in (select from_url from links)";
    assert_eq!(bench.rows(links).await, ["0"], "pages without their links");
    let rows = bench.rows("select run || ' ' || url, at from fetches where url not like '%/robots.txt'").await;
    let split = |row: &String| row.split_once('|').map(|(key, at)| (key.to_owned(), at.to_owned())).unwrap();
    let now: BTreeMap<_, _> = rows.iter().map(split).collect();
    for (key, at) in before {
        assert_eq!(now.get(key), Some(at), "{key} was stored, and is lost or was asked for once more");
    }
    now
}

/// Lets a crawl work until the servers had so many more requests, or for so long.
async fn work(child: &mut Child, servers: &[Server], random: &mut fastrand::Rng) {
    let hits = || servers.iter().map(Server::hit_count).sum::<usize>();
    let (wanted, time) = match random.bool() {
        true => (hits() + random.usize(1..250), Duration::from_secs(20)),
        false => (usize::MAX, Duration::from_millis(random.u64(0..1_200))),
    };
    let end = std::time::Instant::now() + time;
    while hits() < wanted && std::time::Instant::now() < end && child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A crawl that finds no room any more: on a disk that is full, or behind a limit on the size of files.
async fn crawl_without_room(bench: &Bench, disk: Option<&Disk<'_>>, args: &[&str], random: &mut fastrand::Rng) -> i32 {
    let room = random.u64(0..6 << 20);
    let ballast = disk.map(|disk| disk.fill(room));
    let size = |name: &str| fs::metadata(bench.path(name)).map_or(0, |file| file.len());
    let limit = (size("crawl.db-wal").max(32 << 10) + room) >> 10;
    let limit = if ballast.is_some() { "unlimited".to_owned() } else { limit.to_string() };
    let mut command = Command::new("bash");
    let script = format!("ulimit -f {limit}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_harvestman")]).args(args).current_dir(bench.dir.path());
    let output = tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output().unwrap()).await.unwrap();
    let said = stderr(&output);
    let code = output.status.code().unwrap_or_else(|| panic!("{said}"));
    assert!(code == 0 || code == 1 && said.contains("\nhint: make room"), "{code}: {said}");
    assert!(!said.contains("panicked"), "{said}");
    code
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; .ci/kills runs it"]
async fn kills_and_full_disks_at_random_instants_lose_nothing_and_do_nothing_twice() {
    let (kills, full) = (setting("KILLS", 15), setting("FULL_DISKS", 4));
    let seed = setting("SEED", fastrand::u64(..1_000_000));
    println!("{kills} kills and {full} full disks: SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);

    let edition = Arc::new(AtomicUsize::new(1));
    let mut servers = Vec::new();
    for _ in 0..HOSTS {
        let edition = Arc::clone(&edition);
        servers.push(Server::start(move |path| site(path, edition.load(Ordering::Relaxed))).await.unwrap());
    }
    let seeds: Vec<_> = servers.iter().map(|server| server.url("/p/0")).collect();
    let args: Vec<_> = ["crawl"].into_iter().chain(seeds.iter().map(String::as_str)).chain(OPTIONS).collect();

    let bench = Bench::new();
    let disk = Disk::mount(bench.dir.path());
    if disk.is_none() {
        println!("no file system may be mounted: limits on the size of files stand in for all full disks");
    }
    let mut faults: Vec<bool> = (0..kills).map(|_| true).chain((0..full).map(|_| false)).collect();
    random.shuffle(&mut faults);
    let (mut stored, mut finished, mut were_full) = (BTreeMap::new(), 0, 0);
    for (number, is_kill) in faults.into_iter().enumerate() {
        let ended = if is_kill {
            let mut child = bench.start(&args);
            work(&mut child, &servers, &mut random).await;
            child.kill().unwrap();
            child.wait().unwrap().code() == Some(0)
        } else {
            let disk = disk.as_ref().filter(|_| random.bool());
            let code = crawl_without_room(&bench, disk, &args, &mut random).await;
            were_full += code;
            code == 0
        };
        if ended {
            finished += 1;
            edition.fetch_add(1, Ordering::Relaxed);
        }
        stored = check(&bench, &stored).await;
        println!("{number}: {}, {} requests stored", if is_kill { "killed" } else { "full" }, stored.len());
    }

    let output = bench.run(&args).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let stored = check(&bench, &stored).await;
    let hits: usize = servers.iter().map(Server::hit_count).sum();
    let count = async |sql: &str| bench.rows(sql).await.concat().parse::<usize>().unwrap();
    let (known, runs) = (count("select count(*) from fetches").await, count("select count(*) from runs").await);
    println!(
        "{} requests stored in {runs} runs; {were_full} of {full} found no room, {finished} crawls came to their end first; \
         {} requests had to be made again",
        stored.len(),
        hits - known
    );
    let faults = usize::try_from(kills + full).unwrap();
    assert!(hits - known <= faults * (CONNECTIONS + WAITING), "more than was in flight or waited for its commit");

    let undisturbed = Bench::new();
    undisturbed.run(&args).await;
    for all in [
        "select url, status, title, content_hash, depth from pages order by url",
        "select url, body from bodies order by url",
        "select from_url, to_url, text, rel, element, part from links order by 1, 2, 3",
        "select url, state, reason from urls order by url",
        "select count(*) from search where words match 'page'",
    ] {
        assert!(bench.rows(all).await == undisturbed.rows(all).await, "not the same: {all}");
    }
}
