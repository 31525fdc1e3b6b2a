//! The recipes, and what docs/queries.md says of them and docs/views.md of the views: each is run, so that none of it rots.
//! `BLESS=1 cargo test --test recipes` writes the documents' generated parts anew.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use common::{Bench, stderr, stdout};
use harvestman::internals::store::sqlite::described;
use harvestman::read::Database;
use serde_json::{Map, Value};

/// The demo's front pages, and the ports of their hosts in the document.
const SITES: [(&str, u16); 4] = [
    ("%Harvestman Gazette", 18_470),
    ("%Web Spinner''s Shop", 18_471),
    ("%Opilio Wiki", 18_472),
    ("%Quiet Corner", 18_473),
];

/// The demo, crawled. Its hosts have the document's ports, even if these were not free.
async fn demo() -> Bench {
    let bench = Bench::new();
    let output = bench.run(&["demo", "--database", &bench.database(), "--quiet"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    for (title, port) in SITES {
        let sql = format!("select host from pages where depth = 0 and title like '{title}'");
        let [host] = &bench.rows(&sql).await[..] else { panic!("one front page of {title}") };
        let usual = format!("http://127.0.0.1:{port}");
        if *host != usual {
            let columns = [("url", "url"), ("host", "host"), ("seed_line", "given")];
            let update = columns.map(|(t, c)| format!("update {t} set {c} = replace({c}, '{host}', '{usual}')"));
            bench.write(&update.join(";")).await;
        }
    }
    bench
}

async fn recipe(bench: &Bench, name: &str, params: &[&str]) -> Vec<Map<String, Value>> {
    let output = bench.run(&[&["query", "--recipe", name, "--format", "json"], params].concat()).await;
    assert!(output.status.success(), "{name}: {}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut files: Vec<_> = paths.map(|path| (name(&path), std::fs::read_to_string(path).unwrap())).collect();
    files.sort();
    files
}

async fn listed(bench: &Bench) -> Vec<(String, String)> {
    let output = bench.run(&["query", "--list", "--format", "json"]).await;
    let list: Vec<Map<String, Value>> = serde_json::from_str(&stdout(&output)).unwrap();
    list.iter().map(|row| ["recipe", "answers"].map(|key| row[key].as_str().unwrap().to_owned()).into()).collect()
}

/// Rows as a Markdown table. Times differ from crawl to crawl, and with them the order of the rows.
fn markdown(rows: &[Map<String, Value>]) -> String {
    let Some(first) = rows.first() else { return "No rows: the demo has none.\n".to_owned() };
    let is_time = |name: &str| name.ends_with("_ms") || name.ends_with("_at");
    let cell = |(name, value): (&String, &Value)| match value {
        _ if is_time(name) => "…".to_owned(),
        Value::Null => String::new(),
        Value::String(text) => text.replace('|', "\\|"),
        other => other.to_string(),
    };
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut lines: Vec<_> = rows.iter().map(|row| line(row.iter().map(cell).collect())).collect();
    if first.keys().any(|name| is_time(name)) {
        lines.sort();
    }
    line(first.keys().cloned().collect()) + &"|---".repeat(first.len()) + "|\n" + &lines.concat()
}

async fn recipes_part(bench: &Bench) -> String {
    let files = files();
    let mut part = String::new();
    for (name, about) in listed(bench).await {
        let sql = &files.iter().find(|(file, _)| *file == name).unwrap().1;
        let code: String = sql.lines().filter(|line| !line.starts_with("--")).map(|line| format!("{line}\n")).collect();
        let answer = markdown(&recipe(bench, &name, &[]).await);
        let _ = writeln!(part, "### {name}\n\n{about}\n\n```sql\n{code}```\n\n{answer}");
    }
    part
}

async fn rows_of(bench: &Bench, args: &[&str]) -> Vec<Map<String, Value>> {
    let output = bench.run(&[&["query", "--format", "json"], args].concat()).await;
    serde_json::from_str(&stdout(&output)).unwrap_or_else(|e| panic!("{e}: {}", stderr(&output)))
}

fn views_part() -> String {
    let mut part = String::new();
    for view in described::views().unwrap() {
        let _ = write!(part, "### `{}`\n\n{}\n\n| column | what it holds |\n|---|---|\n", view.name, view.about);
        for (column, holds) in view.columns {
            let _ = writeln!(part, "| `{column}` | {holds} |");
        }
        part.push('\n');
    }
    part
}

/// The document with what stands between the markers of `name` exchanged.
fn with_part(document: &str, name: &str, part: &str) -> String {
    let start = document.find(&format!("<!-- {name}: ")).unwrap();
    let start = start + document[start..].find('\n').unwrap() + 1;
    let end = document.find(&format!("<!-- end of {name} -->")).unwrap();
    format!("{}\n{part}{}", &document[..start], &document[end..])
}

/// Holds a document to its generated part, or writes it anew.
fn must_have(name: &str, part: (&str, &str)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let document = std::fs::read_to_string(&path).unwrap();
    let fresh = with_part(&document, part.0, part.1);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, fresh).unwrap();
        return;
    }
    let first = document.lines().zip(fresh.lines()).enumerate().find(|(_, (old, new))| old != new);
    assert!(document == fresh, "{name} is out of date (BLESS=1 writes it anew): {first:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_show_every_view_and_every_recipe_with_its_answer_and_lead_to_each() {
    must_have("docs/views.md", ("views", &views_part()));
    let bench = demo().await;
    must_have("docs/queries.md", ("recipes", &recipes_part(&bench).await));
    let document = |name| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    let (views, recipes) = (document("docs/views.md"), document("docs/queries.md"));
    let view_names = described::views().unwrap().into_iter().map(|view| view.name);
    assert_eq!(view_names.filter(|name| !views.contains(&format!("(#{name})"))).collect::<Vec<_>>(), [""; 0]);
    let lost = files().into_iter().filter(|(name, _)| !recipes.contains(&format!("(#{name})")));
    assert_eq!(lost.map(|(name, _)| name).collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_of_the_folder_is_a_recipe_and_says_what_it_answers() {
    let list = listed(&Bench::new()).await;
    let mut names: Vec<_> = list.iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    assert_eq!(names, files().into_iter().map(|(name, _)| name).collect::<Vec<_>>());
    assert!(names.len() >= 20);
    assert!(list.iter().all(|(_, about)| about.len() > 20 && about.ends_with('.')), "{list:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn recipes_find_what_the_demo_lacks() {
    let bench = demo().await;
    let moved = ["url", "host"]
        .map(|t| format!("update {t} set {t} = replace({t}, 'http://127.0.0.1:18471', 'https://shop.test')"));
    let loops = "update page set redirect_to = (select id from url where url like '%/loop/a')
                 where url_id = (select id from url where url like '%/promo/latest');
                 update page set redirect_to = (select id from url where url like '%/promo')
                 where url_id = (select id from url where url like '%/offers')";
    bench.write(&(moved.join(";") + ";" + loops)).await;
    let mixed = recipe(&bench, "mixed-content", &[]).await;
    assert_eq!(mixed.len(), 1, "{mixed:?}");
    assert_eq!(
        (&mixed[0]["from_url"], &mixed[0]["text"]),
        (&"https://shop.test/".into(), &"As seen in the Gazette".into())
    );
    let round = "update page set redirect_to = (select id from url where url like '%/promo')
                 where url_id = (select id from url where url like '%/promo/season')";
    bench.write(round).await;
    let chains = recipe(&bench, "redirect-chains", &[]).await;
    let of = |path: &str| chains.iter().find(|chain| chain["from_url"].as_str().unwrap().ends_with(path));
    assert!(of("/promo").is_none(), "a loop of two ends after one hop: {chains:?}");
    let chain = of("/promo/latest").unwrap();
    assert_eq!((&chain["hops"], &chain["status"]), (&2.into(), &Value::Null), "its end was never fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_take_the_place_of_the_defaults() {
    let bench = demo().await;
    assert_eq!(recipe(&bench, "most-linked", &["--param", "limit=3"]).await.len(), 3);
    let found = recipe(&bench, "near-word", &["--param", "word=Zapfen", "--param", "limit=3"]).await;
    assert!(found.is_empty(), "{found:?}");
    let found = recipe(&bench, "near-word", &["--param", "word=FÄDEN"]).await;
    assert!(found.is_empty(), "beyond ASCII the case counts: {found:?}");
    let found = recipe(&bench, "near-word", &["--param", "word=Fäden"]).await;
    assert!(found.len() == 1 && found[0]["around"].as_str().unwrap().contains("Fäden"), "{found:?}");
    let sql = "select count(*) as n from pages where status = :status and url like '%' || :end";
    let output = bench.run(&["query", sql, "--param", ":status=404", "--param", "end=lost", "--format", "csv"]).await;
    assert_eq!(stdout(&output), "n\r\n1\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_told_in_a_line_with_a_hint() {
    let bench = demo().await;
    for (args, code, words) in [
        (&["--recipe", "orphan"][..], 2, "`orphans`"),
        (&["--recipe", "redirects"], 2, "`redirect-chains`"),
        (&["--recipe", "depths", "--param", "word=x"], 2, "`:word`"),
        (&["--recipe", "depths", "select 1"], 2, "cannot be used with"),
        (&["--list", "--recipe", "depths"], 2, "cannot be used with"),
        (&[], 2, "--recipe"),
        (&["select 1", "--param", "word"], 2, "name=value"),
        (&["select status from pagess"], 1, "did you mean `pages`?"),
        (&["select * from titles"], 1, "select url, title from pages"),
        (&["titles"], 1, "--recipe repeated-titles"),
        (&["select p.titel from pages p"], 1, "did you mean `title`?"),
        (&["select url_hosts(url) from pages"], 1, "did you mean `url_host`?"),
        (&["select zzzz from pages"], 1, "--schema VIEW"),
        (&["--schema", "link"], 1, "did you mean `links`?"),
        (&["--recipe", "thin-pages", "--param", "character=9"], 2, "did you mean `:characters`?"),
        (&["select :word", "--param", "wrd=9"], 1, "`:word`"),
        (&["--datasette", "--format", "json"], 2, "cannot be used with"),
        (&["--fromat", "json", "select 1"], 2, "--format"),
        (&["select :word"], 1, "--param"),
        (&["select ?1"], 1, "--param"),
    ] {
        let output = bench.run(&[&["query"], args].concat()).await;
        let said = stderr(&output);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(code), ""), "{args:?}: {said}");
        assert!(said.contains(words) && said.starts_with("error:"), "{args:?}: {said}");
    }
    if bench.schema.is_some() {
        let datasette = bench.run(&["query", "--datasette"]).await;
        assert!(stderr(&datasette).contains("SQLite files") && datasette.status.code() == Some(1));
        let regexp = stderr(&bench.run(&["query", "select url from pages where url regexp 'a'"]).await);
        assert!(regexp.contains("hint: PostgreSQL writes it as url ~ "), "{regexp}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_tells_what_can_be_asked_before_there_is_anything_to_ask() {
    let bench = Bench::on_sqlite();
    let views = rows_of(&bench, &["--schema"]).await;
    let pages = views.iter().find(|view| view["view"] == "pages").unwrap();
    assert!(pages["columns"].as_str().unwrap().starts_with("url, host, status, "), "{pages:?}");
    assert!(pages["holds"].as_str().unwrap().starts_with("One row for each URL"), "{pages:?}");
    let csv = bench.run(&["query", "--schema", "accounting", "--format", "csv"]).await;
    assert!(stdout(&csv).starts_with("column,holds\r\ndiscovered,URLs known\r\n"), "{}", stdout(&csv));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_that_of_the_database() {
    let bench = Bench::new();
    let server =
        harvestman::demo::Server::start(|_| harvestman::demo::Reply::html("<h2>A</h2><h2>B</h2>")).await.unwrap();
    std::fs::write(bench.path("rules.toml"), "[item.head]\neach = \"h2\"\nfields.name = { get = \"text\" }\n").unwrap();
    let output =
        bench.run(&["crawl", &server.url("/"), "--rate", "0", "--extract", "items", "--rules", "rules.toml"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let columns = rows_of(&bench, &["--schema", "items_head"]).await;
    let names: Vec<_> = columns.iter().map(|row| row["column"].as_str().unwrap()).collect();
    assert_eq!(names, ["url", "position", "name"]);
    let views = rows_of(&bench, &["--schema"]).await;
    let db = Database::open(bench.database()).unwrap();
    assert_eq!(views.len(), db.views().unwrap().len());
    for view in views {
        let name = view["view"].as_str().unwrap();
        assert!(!name.starts_with('_') && !view["holds"].as_str().unwrap().is_empty(), "{view:?}");
        let columns = db.query(&format!("select * from {name} limit 0"), []).unwrap().columns().join(", ");
        assert_eq!(view["columns"], columns, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn datasette_is_told_of_views_and_recipes_and_sees_no_tables() {
    let bench = Bench::on_sqlite();
    let demo = bench.run(&["demo", "--database", "my crawl.db", "--quiet"]).await;
    assert!(demo.status.success(), "{}", stderr(&demo));
    let output = bench.run(&["query", "-d", "my crawl.db", "--datasette"]).await;
    let told = stdout(&output);
    for line in [
        "  \"my crawl\":",
        "      \"pages\":\n        description: \"One row for each URL that ever answered: its latest response.\"",
        "          \"status\": \"HTTP status\"",
        "      \"page\":\n        hidden: true",
        "      \"_sqlx_migrations\":\n        hidden: true",
        "      \"recipe-depths\":\n        title: \"depths\"",
        "limit coalesce(cast(nullif(:limit, '') as integer), 10)",
        "(nullif(:url, '') is null or to_url = nullif(:url, ''))",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let db = rusqlite::Connection::open(bench.path("my crawl.db")).unwrap();
    let sqls: Vec<_> = told.split("        sql: |2\n").skip(1).collect();
    assert_eq!(sqls.len(), files().len());
    for sql in sqls {
        let code: String = sql.lines().take_while(|line| line.starts_with("          ")).collect::<Vec<_>>().join("\n");
        let mut statement = db.prepare(&code).unwrap_or_else(|e| panic!("{e}: {code}"));
        for index in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(index, "").unwrap();
        }
        let mut rows = statement.raw_query();
        while rows.next().unwrap_or_else(|e| panic!("{e}: {code}")).is_some() {}
    }
}
