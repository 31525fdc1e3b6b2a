//! Follow the pages of a crawl as they come: `cargo run --example follow -- https://books.toscrape.com/`.

use std::error::Error;
use std::path::Path;

use harvestman::{Crawl, Summary};

/// Crawls at most a hundred pages and prints each once it is stored.
pub async fn run(seed: &str, database: &Path) -> Result<Summary, Box<dyn Error>> {
    let mut crawl = Crawl::new([seed])?.rate(5.0).max_pages(100).database(database).start().await?;
    while let Some(page) = crawl.next().await {
        println!("{} {} {}", page.status(), page.url(), page.title().unwrap_or_default());
    }
    Ok(crawl.finish().await?)
}

#[allow(dead_code, reason = "the tests call `run`")]
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).ok_or("name a URL to begin with")?;
    let summary = run(&seed, Path::new("follow.db")).await?;
    println!("{} pages in {:.1} s", summary.accounting.fetched, summary.elapsed_seconds);
    Ok(())
}
