//! Pages per second and CPU time per page of the whole pipeline, beside a bare loop that fetches the same URLs and
//! keeps nothing. Machines differ, and so do their days: it is the ratio of the two that says something.

mod common;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{Outcome, Role, ServerProcess, crawl, serve_until_told};
use cpu_time::ProcessTime;
use harvestman::Config;
use harvestman::demo::{DemoWeb, Server, graph_page};
use harvestman::read::Database;
use tokio::task::JoinSet;

const PAGES: usize = 5_000;
const BYTES: usize = 20_000;
const CONNECTIONS: usize = 64;
/// Of each measurement the one with the least CPU time counts: others are the machine's doing.
const ROUNDS: usize = 5;
const WEBS: [(&str, &str); 2] = [("graph", "5,000 pages of 20 kB"), ("demo", "the demo web")];

#[tokio::main]
async fn main() -> Outcome {
    match Role::of_this_process() {
        Role::Server(web) if web.concat() == "demo" => serve_until_told(&DemoWeb::start().await?.seeds).await,
        Role::Server(_) => serve_graph().await,
        Role::Bench(_) => measure().await,
        Role::Nothing => Ok(()),
    }
}

/// Pages are written beforehand: making them would take the crawler's share of the machine.
async fn serve_graph() -> Outcome {
    let paths = (0..PAGES).map(|page| format!("/p/{page}"));
    let pages: HashMap<_, _> = paths.map(|path| (path.clone(), graph_page(PAGES, BYTES, &path))).collect();
    let other = graph_page(PAGES, BYTES, "/robots.txt");
    let server = Server::without_log(move |path| pages.get(path).unwrap_or(&other).clone()).await?;
    serve_until_told([&server.url("/p/0")]).await
}

/// What a job took.
#[derive(Clone, Copy)]
struct Cost {
    pages: usize,
    wall: Duration,
    cpu: Duration,
}

impl Cost {
    async fn of(job: impl Future<Output = Outcome<usize>>) -> Outcome<Self> {
        let (started, cpu) = (Instant::now(), ProcessTime::now());
        let pages = job.await?;
        Ok(Self { pages, wall: started.elapsed(), cpu: cpu.elapsed() })
    }

    fn pages_per_second(&self) -> f64 {
        self.pages as f64 / self.wall.as_secs_f64()
    }

    fn cpu_ms_per_page(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e3 / self.pages as f64
    }

    fn print(&self, web: &str, what: &str) {
        let (wall, speed, cpu) = (self.wall.as_secs_f64(), self.pages_per_second(), self.cpu_ms_per_page());
        println!("| {web} | {what} | {} | {wall:.2} | {speed:.0} | {cpu:.3} |", self.pages);
    }
}

async fn measure() -> Outcome {
    println!("\n| web | | pages | seconds | pages/s | CPU ms/page |\n|---|---|--:|--:|--:|--:|");
    let mut ratios = String::new();
    for (web, title) in WEBS {
        let server = ServerProcess::start(&[web.to_owned()])?;
        let (mut crawls, mut loops) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let folder = tempfile::tempdir()?;
            let database = folder.path().join("crawl.db");
            crawls.push(Cost::of(whole_pipeline(&server.urls, &database)).await?);
            let urls = fetched_urls(&database)?;
            loops.push(Cost::of(fetch_only(urls)).await?);
        }
        server.stop()?;
        let least = |costs: Vec<Cost>| costs.into_iter().min_by_key(|cost| cost.cpu).ok_or("no round");
        let (crawl, bare) = (least(crawls)?, least(loops)?);
        crawl.print(title, "harvestman");
        bare.print(title, "fetch only");
        let cpu = crawl.cpu_ms_per_page() / bare.cpu_ms_per_page();
        let speed = crawl.pages_per_second() / bare.pages_per_second();
        ratios += &format!("{title}: {cpu:.1} times the CPU time of fetching alone, {speed:.2} of its pages/s\n");
    }
    println!(
        "\n{ratios}\nOn the demo web a slow page and a Crawl-delay decide about the seconds: look at its CPU time."
    );
    Ok(())
}

async fn whole_pipeline(seeds: &[String], database: &Path) -> Outcome<usize> {
    let config =
        Config { rate: 0.0, concurrency: CONNECTIONS, max_connections_per_host: CONNECTIONS, ..Config::default() };
    Ok(usize::try_from(crawl(config, seeds, database).await?.accounting.fetched)?)
}

fn fetched_urls(database: &Path) -> Outcome<Vec<String>> {
    let db = Database::open(database)?;
    let urls = db.query("select url from pages", [])?.map(|row| Ok(row?.at(0)?));
    urls.collect()
}

async fn fetch_only(urls: Vec<String>) -> Outcome<usize> {
    let (urls, next) = (Arc::new(urls), Arc::new(AtomicUsize::new(0)));
    let client =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).tcp_nodelay(true).no_proxy().build()?;
    let mut loops = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (client, urls, next) = (client.clone(), urls.clone(), next.clone());
        loops.spawn(async move {
            while let Some(url) = urls.get(next.fetch_add(1, Ordering::Relaxed)) {
                client.get(url).send().await?.bytes().await?;
            }
            Ok::<_, reqwest::Error>(())
        });
    }
    while let Some(ended) = loops.join_next().await {
        ended??;
    }
    Ok(urls.len())
}
