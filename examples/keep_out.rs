//! Keep some URLs out by code, and see responses before they are stored:
//! `cargo run --example keep_out -- https://books.toscrape.com/`.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use harvestman::read::Database;
use harvestman::{Crawl, Hook, Page};
use url::Url;

/// Leaves print versions alone and counts the bytes of what is fetched.
#[derive(Clone, Default)]
struct NoPrintVersions {
    bytes: Arc<AtomicUsize>,
}

impl Hook for NoPrintVersions {
    fn skip(&self, url: &Url) -> Option<String> {
        let is_print = url.query_pairs().any(|(name, _)| name == "print");
        is_print.then(|| "a print version".to_owned())
    }

    fn response(&self, page: &Page) {
        self.bytes.fetch_add(page.body().map_or(0, <[u8]>::len), Ordering::Relaxed);
    }
}

/// Returns how many bytes came, and what was kept out: the reason is a row of the view `skipped`.
pub async fn run(seed: &str, database: &Path) -> Result<(usize, Vec<String>), Box<dyn Error>> {
    let hook = NoPrintVersions::default();
    let crawl = Crawl::new([seed])?.hook(hook.clone()).max_pages(100).database(database);
    crawl.start().await?.finish().await?;
    let db = Database::open(database)?;
    let skipped = db.query("select url || ': ' || reason from skipped where reason like 'hook:%' order by url", [])?;
    let skipped = skipped.map(|row| row?.at(0)).collect::<Result<_, _>>()?;
    Ok((hook.bytes.load(Ordering::Relaxed), skipped))
}

#[tokio::main]
#[allow(dead_code, reason = "the tests call `run`")]
async fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).ok_or("name a URL to begin with")?;
    let (bytes, skipped) = run(&seed, Path::new("keep_out.db")).await?;
    println!("{bytes} bytes");
    skipped.iter().for_each(|line| println!("kept out {line}"));
    Ok(())
}
