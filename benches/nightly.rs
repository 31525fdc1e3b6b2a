//! A year of nightly runs on a site of which 2 % of the pages change each day: size and time of a run stay flat.
//!
//! `cargo bench --bench nightly` runs 365 nights over 1,000 pages; `cargo bench --bench nightly -- 60 300` 60 over 300.

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{Outcome, Role, ServerProcess, crawl, serve_until_told};
use cpu_time::ProcessTime;
use harvestman::Config;
use harvestman::demo::{Hit, Reply, Server, graph_page};
use harvestman::internals::store::sqlite::disk_size;
use harvestman::read::Database;

/// Nights and pages, unless others are asked for.
const NIGHTS: usize = 365;
const PAGES: usize = 1_000;
/// About the length of a page.
const BYTES: usize = 10_000;
/// A page changes every so many days: of fifty pages one each day, which is 2 %.
const DAYS: usize = 50;
/// The nights of which the table tells; of the time the median of so many nights up to them.
const TOLD: [usize; 6] = [1, 10, 30, 90, 180, 365];
const MEDIAN_OF: usize = 10;

#[tokio::main]
async fn main() -> Outcome {
    match Role::of_this_process() {
        Role::Server(pages) => serve(pages.concat().parse()?).await,
        Role::Bench(numbers) => {
            let mut numbers = numbers.iter().map(|number| number.parse());
            simulate(numbers.next().unwrap_or(Ok(NIGHTS))?, numbers.next().unwrap_or(Ok(PAGES))?).await
        }
        Role::Nothing => Ok(()),
    }
}

/// The site; a request for `/day/N` turns the calendar.
async fn serve(pages: usize) -> Outcome {
    let today = AtomicUsize::new(0);
    let server = Server::without_log_with_request(move |hit| match hit.path.strip_prefix("/day/") {
        Some(day) => {
            today.store(day.parse().unwrap_or(0), Ordering::SeqCst);
            Reply::text(day)
        }
        None => answer(pages, today.load(Ordering::SeqCst), hit),
    })
    .await?;
    serve_until_told([&server.url("/p/0")]).await
}

/// A page of the day, or 304 to whoever knows it.
fn answer(pages: usize, day: usize, hit: &Hit) -> Reply {
    let Some(number) = hit.path.strip_prefix("/p/").and_then(|number| number.parse::<usize>().ok()) else {
        return Reply::status(404);
    };
    let edition = (number * 7_919 + day) / DAYS - number * 7_919 / DAYS;
    let etag = format!("\"{number}-{edition}\"");
    if hit.header("if-none-match") == Some(&etag) {
        return Reply::status(304).with_header("etag", &etag);
    }
    let mut page = graph_page(pages, BYTES, &hit.path);
    page.body.extend_from_slice(format!("<p>Edition {edition}</p>").as_bytes());
    page.with_header("etag", &etag)
}

async fn simulate(nights: usize, pages: usize) -> Outcome {
    let server = ServerProcess::start(&[pages.to_string()])?;
    let calendar = server.urls[0].replace("/p/0", "/day/");
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("crawl.db");
    let mut costs = Vec::new();
    println!("\n| run | file MB | seconds | CPU seconds | answered 304 | fetch rows | versions |");
    println!("|--:|--:|--:|--:|--:|--:|--:|");
    for night in 1..=nights {
        reqwest::get(format!("{calendar}{night}")).await?.error_for_status()?;
        let (started, cpu) = (Instant::now(), ProcessTime::now());
        let summary = crawl(config(), &server.urls, &database).await?;
        costs.push((started.elapsed(), cpu.elapsed()));
        if usize::try_from(summary.accounting.fetched)? != pages {
            return Err(format!("{pages} pages were served, but this was crawled: {summary:?}").into());
        }
        if TOLD.contains(&night) || night == nights {
            tell(night, &costs, summary.tally.unchanged, &database)?;
        }
    }
    server.stop()?;
    Ok(())
}

fn config() -> Config {
    Config {
        rate: 0.0,
        max_connections_per_host: 16,
        no_proxy: true,
        keep_runs: Some(30),
        keep_versions: 3,
        ..Config::default()
    }
}

fn tell(night: usize, costs: &[(Duration, Duration)], unchanged: i64, database: &Path) -> Outcome {
    let last = &costs[costs.len().saturating_sub(MEDIAN_OF)..];
    let median = |of: fn(&(Duration, Duration)) -> Duration| {
        let mut times: Vec<_> = last.iter().map(of).collect();
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64()
    };
    let db = Database::open(database)?;
    let count = |view: &str| -> Outcome<i64> {
        let row = db.first(&format!("select count(*) from {view}"), [])?;
        Ok(row.map_or(Ok(0), |row| row.at(0))?)
    };
    println!(
        "| {night} | {:.1} | {:.2} | {:.2} | {unchanged} | {} | {} |",
        disk_size(database) as f64 / 1e6,
        median(|cost| cost.0),
        median(|cost| cost.1),
        count("fetches")?,
        count("versions")?,
    );
    Ok(())
}
