//! What a night without changes costs beside the first crawl: bytes, CPU time per page and seconds, once where the
//! server answers 304 and once where it sends every page again. The ratio says something; the seconds are the
//! machine's.

mod common;

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{Outcome, Role, ServerProcess, crawl, serve_until_told};
use cpu_time::ProcessTime;
use harvestman::demo::{Reply, Server, graph_page};
use harvestman::internals::config::Config;

const PAGES: usize = 3_000;
const BYTES: usize = 20_000;
const CONNECTIONS: usize = 64;
const ROUNDS: usize = 3;
const SITES: [(&str, &str); 2] = [("tagged", "with ETags"), ("plain", "without validators")];

#[tokio::main]
async fn main() -> Outcome {
    match Role::of_this_process() {
        Role::Server(site) => serve(site.concat() == "tagged").await,
        Role::Bench(_) => measure().await,
        Role::Nothing => Ok(()),
    }
}

async fn serve(tagged: bool) -> Outcome {
    let page = |path: String| {
        let page = graph_page(PAGES, BYTES, &path);
        let page = if tagged { page.with_header("etag", &format!("\"{path}\"")) } else { page };
        (path, page)
    };
    let pages: HashMap<_, _> = (0..PAGES).map(|number| page(format!("/p/{number}"))).collect();
    let server = Server::start_with_request(move |hit| match pages.get(&hit.path) {
        Some(_) if hit.header("if-none-match").is_some() => Reply::status(304),
        Some(page) => page.clone(),
        None => Reply::status(404),
    });
    serve_until_told([&server.await?.url("/p/0")]).await
}

/// What a night took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Duration,
    bytes: i64,
}

async fn night(seeds: &[String], database: &Path) -> Outcome<Cost> {
    let config =
        Config { rate: 0.0, concurrency: CONNECTIONS, max_connections_per_host: CONNECTIONS, ..Config::default() };
    let (started, cpu) = (Instant::now(), ProcessTime::now());
    let summary = crawl(config, seeds, database).await?;
    assert_eq!(summary.accounting.fetched, i64::try_from(PAGES)?);
    Ok(Cost { wall: started.elapsed(), cpu: cpu.elapsed(), bytes: summary.tally.bytes })
}

async fn measure() -> Outcome {
    println!("\n| site | night | seconds | CPU ms/page | bytes |\n|---|---|--:|--:|--:|");
    let mut ratios = String::new();
    for (site, title) in SITES {
        let server = ServerProcess::start(&[site.to_owned()])?;
        let mut nights = Vec::new();
        for _ in 0..ROUNDS {
            let folder = tempfile::tempdir()?;
            let database = folder.path().join("crawl.db");
            nights.push([night(&server.urls, &database).await?, night(&server.urls, &database).await?]);
        }
        server.stop()?;
        let least = |which: usize| nights.iter().map(|nights| nights[which]).min_by_key(|cost| cost.cpu).ok_or("none");
        let (first, second) = (least(0)?, least(1)?);
        for (night, cost) in [("first", first), ("unchanged", second)] {
            let cpu = cost.cpu.as_secs_f64() * 1e3 / PAGES as f64;
            println!("| {title} | {night} | {:.2} | {cpu:.3} | {} |", cost.wall.as_secs_f64(), cost.bytes);
        }
        let cpu = second.cpu.as_secs_f64() / first.cpu.as_secs_f64();
        let bytes = second.bytes as f64 / first.bytes as f64;
        ratios += &format!("{title}: {cpu:.2} of the first night's CPU time, {bytes:.3} of its bytes\n");
    }
    println!("\n{ratios}");
    Ok(())
}
