//! Whatever stops a crawl, the same command goes on where it was.
#![cfg(feature = "cli")]

mod common;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Bench, stderr};
use harvestman::demo::{Server, graph_page};

const PAGES: usize = 1500;

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_at_any_moment_loses_nothing_and_repeats_nothing_that_was_committed() {
    const KILLS: usize = 20;
    let asked = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
    let server = Server::start({
        let asked = asked.clone();
        move |path| {
            *asked.lock().unwrap().entry(path.into()).or_default() += 1;
            graph_page(PAGES, 2000, path).delayed(Duration::from_millis(2))
        }
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let (origin, seed) = (server.url(""), server.url("/p/0"));
    let args = ["crawl", &seed, "--rate", "0", "--concurrency", "8", "--max-connections-per-host", "8"];
    let mut random = fastrand::Rng::with_seed(7);
    // How often each stored page was asked for when it was found to be stored.
    let mut stored = HashMap::new();
    for _ in 0..KILLS {
        let before = server.hit_count();
        let mut child = bench.start(&args);
        // Killed in the middle of work, wherever that is.
        let wanted = before + random.usize(1..80);
        while server.hit_count() < wanted && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bench.kill(&mut child).await;
        for url in bench.rows("select url from pages").await {
            let times = asked.lock().unwrap()[url.strip_prefix(&origin).unwrap()];
            assert_eq!(times, *stored.entry(url).or_insert(times), "a page that was stored before");
        }
        // The counters that the crawl kept, against what is there.
        let all = "discovered, fetched, failed, skipped, pending";
        let kept = format!("select {all} from runs where id = (select max(id) from runs)");
        let there = "select * from accounting where discovered = fetched + failed + skipped + pending";
        // As of one moment: a server may still be storing what it was sent.
        let same = format!("select count(*) from ({kept} intersect {there}) b");
        assert_eq!(bench.rows(&same).await, ["1"]);
        bench.must_be_sound().await;
    }
    let output = bench.run(&args).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(bench.rows("select count(*) from pages where status = 200").await, [PAGES.to_string()]);
    assert_eq!(bench.rows("select count(*) from bodies").await, [PAGES.to_string()]);
    bench.must_be_sound().await;
    assert!(stored.iter().all(|(url, times)| asked.lock().unwrap()[url.strip_prefix(&origin).unwrap()] == *times));

    let undisturbed = Bench::new();
    undisturbed.run(&args).await;
    for all in [
        "select url, status, title, content_hash, depth from pages order by url",
        "select url, body from bodies order by url",
        "select from_url, to_url, text, rel, element, part from links order by 1, 2, 3",
    ] {
        assert!(bench.rows(all).await == undisturbed.rows(all).await, "not the same: {all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_crawl_on_a_database_in_use_exits_4_and_says_by_whom() {
    let server = Server::start(|path| graph_page(PAGES, 500, path)).await.unwrap();
    // On PostgreSQL, the second takes part in the crawl.
    let bench = Bench::on_sqlite();
    let seed = server.url("/p/0");
    let mut first = bench.start(&["crawl", &seed]);
    while server.hit_count() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let second = bench.run(&["crawl", &seed]).await;
    assert_eq!(second.status.code(), Some(4));
    assert!(stderr(&second).contains(&format!("process {}", first.id())), "{}", stderr(&second));
    first.kill().unwrap();
    first.wait().unwrap();
}
