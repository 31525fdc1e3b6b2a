//! What `extract` costs beside the crawl whose pages it reads: CPU time per page, pages per second, peak memory; and what it
//! costs again once ten pages have changed. The ratios say something; the seconds are the machine's.

mod common;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{Outcome, Role, ServerProcess, serve_until_told};
use harvestman::demo::{Reply, Server};
use wait4::{ResourceUsage, Wait4 as _};

const PAGES: usize = 3_000;
const CHANGED: usize = 10;

#[tokio::main]
async fn main() -> Outcome {
    match Role::of_this_process() {
        Role::Server(_) => serve().await,
        Role::Bench(_) => measure(),
        Role::Nothing => Ok(()),
    }
}

async fn serve() -> Outcome {
    let changed = AtomicBool::new(false);
    let server = Server::start(move |path| {
        if path == "/change" {
            changed.store(true, Ordering::SeqCst);
            return Reply::text("changed");
        }
        let number = path.trim_start_matches("/p/").parse::<usize>().ok().filter(|number| *number < PAGES);
        number.map_or(Reply::status(404), |number| {
            let is_new = changed.load(Ordering::SeqCst) && number < CHANGED;
            article(number, if is_new { "today" } else { "yesterday" }).with_header("etag", &format!("\"{is_new}\""))
        })
    });
    let server = server.await?;
    serve_until_told([&server.url("/p/0"), &server.url("/change")]).await
}

/// A page of about 12 kB as a newspaper has it.
fn article(number: usize, day: &str) -> Reply {
    let mut html = format!(
        "<!doctype html><html lang=en><head><title>Article {number} | The Gazette</title>
         <meta name=description content='What article {number} is about'><meta property=og:title content='Article {number}'>
         <meta property=og:type content=article><meta property=og:image content=/i/{number}.jpg>
         <script type=application/ld+json>{{\"@context\": \"https://schema.org\", \"@type\": \"NewsArticle\", \"headline\": \"Article {number}\",
             \"author\": {{\"@type\": \"Person\", \"name\": \"Ada {}\"}}, \"datePublished\": \"2026-01-02\"}}</script></head><body><nav><ul>",
        number % 17
    );
    for link in 1..=20 {
        let _ = write!(html, "<li><a href=/p/{0}>Article {0}</a>", (number * 20 + link) % PAGES);
    }
    let _ = write!(html, "</ul></nav><main><article><h1>Article {number}, {day}</h1>");
    for paragraph in 0..20 {
        let _ = write!(html, "<h2>Part {paragraph}</h2><p>");
        for word in 0..70 {
            let drawn = (number * 7919 + paragraph * 104_729 + word * 1_299_709) % 4_999;
            let _ = write!(html, "word{drawn} ");
        }
    }
    html.push_str("<img src=/i/1.jpg alt='A photo'></article></main><footer><p>All rights reserved</footer>");
    Reply::html(html)
}

/// Runs harvestman, and tells how long that took and what it used.
fn run(folder: &Path, args: &[&str]) -> Outcome<(Duration, ResourceUsage)> {
    let started = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_harvestman"));
    command.args(args).args(["--quiet"]).current_dir(folder).stdout(Stdio::null());
    let used = command.spawn()?.wait4()?;
    if !used.status.success() {
        return Err(format!("harvestman {} failed", args.join(" ")).into());
    }
    Ok((started.elapsed(), used.rusage))
}

fn measure() -> Outcome {
    let server = ServerProcess::start(&[])?;
    let folder = tempfile::tempdir()?;
    let crawl = ["crawl", &server.urls[0], "--rate", "0", "--max-connections-per-host", "64"];
    let crawled = run(folder.path(), &crawl)?;
    let first = run(folder.path(), &["extract"])?;
    let nothing = run(folder.path(), &["extract"])?;
    run(folder.path(), &["crawl", &server.urls[1], "--rate", "0", "-d", "change.db"])?;
    let again = run(folder.path(), &crawl)?;
    let changed = run(folder.path(), &["extract"])?;
    server.stop()?;
    println!("\n| {PAGES} pages | seconds | pages/s | CPU ms/page | peak MB |\n|---|--:|--:|--:|--:|");
    let cpu = |used: &ResourceUsage| (used.utime + used.stime).as_secs_f64();
    for (name, (wall, used)) in [
        ("crawl", &crawled),
        ("extract", &first),
        ("extract, nothing new", &nothing),
        ("crawl again", &again),
        ("extract, ten changed", &changed),
    ] {
        let seconds = wall.as_secs_f64();
        println!(
            "| {name} | {seconds:.2} | {:.0} | {:.3} | {} |",
            PAGES as f64 / seconds,
            cpu(used) * 1e3 / PAGES as f64,
            used.maxrss / 1_000_000
        );
    }
    println!("\nextract costs {:.2} of the CPU time of the crawl", cpu(&first.1) / cpu(&crawled.1));
    Ok(())
}
