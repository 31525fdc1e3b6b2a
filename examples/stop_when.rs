//! Stop a crawl at a condition: `cargo run --example stop_when -- https://books.toscrape.com/ travel`.

use std::error::Error;
use std::path::Path;

use harvestman::{Crawl, CrawlEnd, Page};

/// Crawls until a page's text holds `word`, and returns the URL of that page. What was fetched until then is kept, and
/// the same crawl can be continued later.
pub async fn run(seed: &str, word: &str, database: &Path) -> Result<Option<String>, Box<dyn Error>> {
    let mut crawl = Crawl::new([seed])?.database(database).start().await?;
    let mut found = None;
    while let Some(page) = crawl.next().await {
        if found.is_none() && holds(&page, word) {
            found = Some(page.url().to_owned());
            // Requests in flight end, and their pages still arrive here.
            crawl.token().cancel();
        }
    }
    let summary = crawl.finish().await?;
    if summary.outcome == CrawlEnd::Interrupted {
        println!("{} URLs are left for another time", summary.accounting.pending);
    }
    Ok(found)
}

fn holds(page: &Page, word: &str) -> bool {
    page.text().is_some_and(|text| text.to_lowercase().contains(&word.to_lowercase()))
}

#[tokio::main]
#[allow(dead_code, reason = "the tests call `run`")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(seed), Some(word)) = (args.next(), args.next()) else {
        return Err("name a URL to begin with and a word to look for".into());
    };
    match run(&seed, &word, Path::new("stop_when.db")).await? {
        Some(url) => println!("found on {url}"),
        None => println!("not found"),
    }
    Ok(())
}
