//! Nine tasks, each as a page has a person type it, and whether they have what they came for. The ninth, embedding, is in Rust:
//! its page shows an example, which tests/examples.rs runs.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::Value;

use crate::page::Page;
use crate::shell::Shell;

async fn done(page: &str) -> Shell {
    assert!(crate::TASKS.contains(&page), "{page} is run by nobody else");
    let mut shell = Shell::new().await;
    shell.run(&Page::read(page)).await.unwrap_or_else(|problem| panic!("{problem}"));
    shell
}

/// Rows of a database that the page left, cells joined by `|`.
fn rows(shell: &Shell, database: &str, sql: &str) -> Vec<String> {
    let db = Connection::open(shell.path(database)).unwrap();
    let mut statement = db.prepare(sql).unwrap();
    let columns = statement.column_count();
    let cell = |value| match value {
        rusqlite::types::Value::Null => "null".to_owned(),
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Real(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Blob(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
    };
    let row =
        |row: &rusqlite::Row<'_>| Ok((0..columns).map(|at| cell(row.get(at).unwrap())).collect::<Vec<_>>().join("|"));
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn analysis_ends_in_a_table_of_figures() {
    let shell = done("docs/notebook.md").await;
    let csv = std::fs::read_to_string(shell.path("items.csv")).unwrap();
    assert_eq!(csv.lines().count(), 61, "a head, and a line for each item");
    assert_eq!(rows(&shell, "demo.db", "select count(*), round(sum(price), 2) > 2000 from items_product"), ["60|1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn search_engine_work_ends_in_findings_with_their_places() {
    let shell = done("docs/audit.md").await;
    let found =
        rows(&shell, "crawl.db", "select finding, url from findings where severity = 'error' and state <> 'fixed'");
    assert!(found.contains(&"broken-link|https://example.com/".to_owned()), "{found:?}");
    let sarif: Value = serde_json::from_slice(&std::fs::read(shell.path("audit.sarif")).unwrap()).unwrap();
    assert!(sarif["runs"][0]["results"].as_array().unwrap().len() > 5);
    assert!(shell.path("audit.xlsx").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn retrieval_ends_in_chunks_that_answer_a_question() {
    let shell = done("docs/retrieval.md").await;
    let chunks = std::fs::read_to_string(shell.path("chunks.jsonl")).unwrap();
    let chunks: Vec<Value> = chunks.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(chunks.len() > 100 && chunks.iter().all(|chunk| chunk["words"].as_u64().unwrap() <= 200));
    assert!(chunks.iter().any(|chunk| chunk["markdown"].as_str().unwrap().contains("cider")));
}

#[tokio::test(flavor = "multi_thread")]
async fn archiving_ends_in_files_that_hold_each_version() {
    let shell = done("docs/archive.md").await;
    let index = std::fs::read_to_string(shell.path("example.cdxj")).unwrap();
    let news: Vec<_> = index.lines().filter(|line| line.starts_with("com,example)/news ")).collect();
    assert_eq!(news.len(), 2, "as it was on both days: {index}");
    let wacz = std::fs::File::open(shell.path("example.wacz")).unwrap();
    assert!(zip::ZipArchive::new(wacz).unwrap().by_name("datapackage.json").is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn nightly_operation_ends_in_a_line_a_night_and_what_changed() {
    let shell = done("docs/scheduling.md").await;
    let lines = std::fs::read_to_string(shell.path("crawl.jsonl")).unwrap();
    let nights: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> =
        nights.iter().map(|night| (night["outcome"].as_str().unwrap(), night["changed"].as_i64())).collect();
    assert_eq!(told[..2], [("finished", Some(0)), ("finished", Some(1))]);
    assert!(shell.path("last-success.prom").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_ends_in_rows_with_names_and_prices() {
    let shell = done("docs/items.md").await;
    let items = rows(&shell, "crawl.db", "select title, price, stock from items_book order by title");
    assert_eq!(
        items,
        ["Attic lamp|51.77|3", "Desk lamp|20.0|12", "Street lamp|null|1"].map(|row| row.replace(".0|", "|"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_ends_in_the_pages_behind_it() {
    let shell = done("docs/login.md").await;
    let titles = |database| rows(&shell, database, "select count(*) from pages where title = 'A report'");
    let reports: BTreeMap<_, _> =
        ["strangers.db", "crawl.db", "reports.db", "api.db"].into_iter().map(|name| (name, titles(name))).collect();
    assert_eq!(reports["strangers.db"], ["0"]);
    for name in ["crawl.db", "reports.db", "api.db"] {
        assert_eq!(reports[name], ["2"], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_seeds_end_with_the_fate_of_each() {
    let shell = done("docs/many-sites.md").await;
    let seeds = rows(&shell, "crawl.db", "select state, count(*) from seeds group by 1 order by 1");
    assert_eq!(seeds, ["fetched|300", "rejected|1"]);
    let lost = rows(&shell, "crawl.db", "select url, status from seeds where status >= 400");
    assert_eq!(lost, ["http://town-7.example/|410"]);
}

#[test]
fn embedding_is_a_program_that_is_compiled_and_run() {
    let page = Page::read("docs/embed.md");
    let rust = page.blocks().filter(|block| block.language == "rust").count();
    assert_eq!(rust, 3, "each is compared with the examples when the page is run");
}
