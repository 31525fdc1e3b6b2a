//! The peak of resident memory of the release binary on a large generated site, bodies not stored.
//!
//! `cargo bench --bench memory` crawls 200,000 pages; `cargo bench --bench memory -- 20000 200000` one site of each size.

mod common;

use std::io::Read as _;
use std::process::{Command, Stdio};

use common::{Outcome, Role, ServerProcess, serve_until_told};
use harvestman::demo::{Server, graph_page};
use wait4::Wait4 as _;

/// The sites crawled unless others are asked for, in pages.
const PAGES: &str = "200000";
/// About the length of a page.
const BYTES: usize = 5_000;
const OPTIONS: [&str; 7] = ["--no-bodies", "--rate", "0", "--max-connections-per-host", "64", "--quiet", "--json"];

#[tokio::main]
async fn main() -> Outcome {
    match Role::of_this_process() {
        Role::Server(pages) => serve(pages.concat().parse()?).await,
        Role::Bench(sizes) if sizes.is_empty() => measure(&[PAGES.to_owned()]),
        Role::Bench(sizes) => measure(&sizes),
        Role::Nothing => Ok(()),
    }
}

async fn serve(pages: usize) -> Outcome {
    let server = Server::without_log(move |path| graph_page(pages, BYTES, path)).await?;
    serve_until_told([&server.url("/")]).await
}

fn measure(sizes: &[String]) -> Outcome {
    println!("\n| pages | seconds | pages/s | CPU ms/page | peak memory |\n|--:|--:|--:|--:|--:|");
    for size in sizes {
        let server = ServerProcess::start(std::slice::from_ref(size))?;
        println!("{}", crawl(size.parse()?, &server.urls)?);
        server.stop()?;
    }
    Ok(())
}

/// Crawls the site with the binary, and returns its row of the table.
fn crawl(pages: u32, seeds: &[String]) -> Outcome<String> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_harvestman"));
    command.arg("crawl").args(seeds).args(OPTIONS).current_dir(&folder);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut json = String::new();
    child.stdout.take().ok_or("the crawl has no output")?.read_to_string(&mut json)?;
    let used = child.wait4()?;
    let summary: serde_json::Value = serde_json::from_str(&json)?;
    // The front page is `/` and `/p/0`.
    if summary["fetched"] != pages + 1 {
        return Err(format!("{pages} pages were served, but this was crawled: {summary}").into());
    }
    let seconds = summary["elapsed_seconds"].as_f64().ok_or("no duration")?;
    let cpu = used.rusage.utime + used.rusage.stime;
    Ok(format!(
        "| {pages} | {seconds:.0} | {:.0} | {:.2} | {:.0} MB |",
        f64::from(pages) / seconds,
        cpu.as_secs_f64() * 1e3 / f64::from(pages),
        used.rusage.maxrss as f64 / 1e6,
    ))
}
