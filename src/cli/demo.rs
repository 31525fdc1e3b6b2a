//! `demo`: the bundled web, crawled by the same path as any other, and a few questions to the result.

use std::io::Write as _;

use crate::canonical::CanonicalUrl;
use crate::config::Config;
use crate::demo::DemoWeb;
use crate::read::Database;
use crate::store::postgres::is_postgres;

use super::bare;
use super::console::Console;
use super::crawl::crawl;
use super::failure::Failure;
use super::job::Job;
use super::query::ask;
use super::seeds::Seeds;
use super::table::{Room, draw};

const QUESTIONS: [(&str, &str); 3] = [
    ("What came back", "select status, count(*) as pages from pages group by status order by 2 desc"),
    (
        "Broken links",
        "select to_url, status, failure, count(*) as links from broken_links group by 1, 2, 3 order by 4 desc limit 5",
    ),
    ("What was skipped, and why", "select reason, count(*) as urls from skipped group by reason order by 2 desc"),
];

pub async fn run(database: &str, console: &Console) -> Result<u8, Failure> {
    let web = DemoWeb::start().await.map_err(|e| Failure::new("cannot serve the demo on loopback").cause(&e))?;
    let urls: Vec<_> = web.seeds.iter().filter_map(|seed| CanonicalUrl::parse(seed).ok()).collect();
    let named = if is_postgres(database) { "PostgreSQL" } else { &bare::shown(database) };
    console.say(&format!("Crawling {} demo hosts on loopback into {named} ...", urls.len()));
    let config = Config { rate: 100.0, max_connections_per_host: 8, no_proxy: true, ..Config::default() };
    let job = Job { database: database.to_owned(), ..Job::default() };
    let code = crawl(config, Seeds { urls, ..Seeds::default() }, console, &job).await?;
    let db = Database::open(database)?;
    for (title, sql) in QUESTIONS {
        let answer = ask(&db, sql, [])?;
        writeln!(std::io::stdout(), "\n{title}\n  {sql}\n\n{}", draw(&answer, Room::of_stdout(false)).text)?;
    }
    Ok(code)
}
