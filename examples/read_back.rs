//! Read what a crawl left behind, also while it runs: `cargo run --example read_back -- crawl.db`.

use std::error::Error;
use std::path::Path;

use harvestman::read::Database;

/// Pages that are missing, each with a page that links to it.
pub fn run(database: &Path) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let db = Database::open(database)?;
    for page in db.pages()? {
        let page = page?;
        let links = db.links_from(&page.url)?.count();
        println!("{} {} ({links} links)", page.status, page.url);
    }
    // Plain SQL on the views: docs/views.md has them column by column.
    let rows = db.query("select to_url, min(from_url) from broken_links where status = ?1 group by 1", [404.into()])?;
    let broken = rows.map(|row| {
        let row = row?;
        Ok((row.at(0)?, row.at(1)?))
    });
    broken.collect()
}

#[allow(dead_code, reason = "the tests call `run`")]
fn main() -> Result<(), Box<dyn Error>> {
    let database = std::env::args().nth(1).ok_or("name a database")?;
    for (missing, from) in run(Path::new(&database))? {
        println!("{missing} is missing; {from} links to it");
    }
    Ok(())
}
