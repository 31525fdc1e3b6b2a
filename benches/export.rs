//! Time and peak of resident memory of the release binary's exports of a large generated site.
//!
//! `cargo bench --bench export` exports 100,000 pages in every format; `cargo bench --bench export -- 20000` so many.

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use common::{Outcome, Role, ServerProcess, serve_until_told};
use harvestman::demo::{Server, graph_page};
use wait4::Wait4 as _;

/// The site's pages, unless others are asked for.
const PAGES: &str = "100000";
/// About the length of a page.
const BYTES: usize = 5_000;
const OPTIONS: [&str; 6] = ["--no-links", "--rate", "0", "--max-connections-per-host", "64", "--quiet"];

#[tokio::main]
async fn main() -> Outcome {
    match Role::of_this_process() {
        Role::Server(pages) => serve(pages.concat().parse()?).await,
        Role::Bench(pages) => measure(pages.first().map_or(PAGES, String::as_str)),
        Role::Nothing => Ok(()),
    }
}

async fn serve(pages: usize) -> Outcome {
    let server = Server::without_log(move |path| graph_page(pages, BYTES, path)).await?;
    serve_until_told([&server.url("/")]).await
}

fn measure(pages: &str) -> Outcome {
    let folder = tempfile::tempdir()?;
    let server = ServerProcess::start(&[pages.to_owned()])?;
    // By the binary too: what this process takes would count as theirs that it starts.
    let mut crawl = Command::new(env!("CARGO_BIN_EXE_harvestman"));
    crawl.arg("crawl").args(&server.urls).args(OPTIONS).current_dir(&folder);
    if !crawl.status()?.success() {
        return Err("the crawl failed".into());
    }
    server.stop()?;
    println!("\n| of {pages} pages | seconds | MB written | peak memory |\n|---|--:|--:|--:|");
    for format in ["jsonl", "csv", "warc", "sitemap"] {
        println!("{}", export(format, folder.path())?);
    }
    Ok(())
}

/// Exports with the binary, and returns the row of the table.
fn export(format: &str, folder: &Path) -> Outcome<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harvestman"));
    command.args(["export", "--quiet", "--format", format, "--output", format]).current_dir(folder);
    let began = Instant::now();
    let used = command.spawn()?.wait4()?;
    if !used.status.success() {
        return Err(format!("the export as {format} failed").into());
    }
    let file = folder.join(format);
    let written = std::fs::metadata(&file)?.len() as f64 / 1e6;
    std::fs::remove_file(file)?;
    let peak = used.rusage.maxrss as f64 / 1e6;
    Ok(format!("| {format} | {:.1} | {written:.0} | {peak:.0} MB |", began.elapsed().as_secs_f64()))
}
