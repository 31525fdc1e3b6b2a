//! Items by rules: what `extract try` shows.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, Instant};

use common::{Bench, stderr, stdout};
use harvestman::demo::{Reply, Server};
use harvestman::internals::extract::Page;
use harvestman::internals::extract::items::{Rules, Tally};
use harvestman::internals::extract::page::Source;
use serde_json::{Value, json};
use url::Url;

const RULES: &str = "[item.book]\nwhere = '/list$'\neach = '.book'\nfields.title = { css = 'h3 a', get = 'title' }
    fields.price = { css = '.price', as = 'number', default = 0 }\nfields.link = { css = 'a', get = 'href', as = 'url' }\n";
const LIST: &str =
    "<html lang=de><meta charset=windows-1252><main id=m><div class=book><h3><a title='Ä \u{1b}[31m' href=/a>a</a></h3>
    <p class=price>1.234 \u{20ac}</p></div><div class=book><h3><a title=B href=/b>b</a></h3></div>";

#[tokio::test(flavor = "multi_thread")]
async fn try_shows_what_rules_give_of_a_stored_page_and_the_elements_taken() {
    // In the encoding that it declares, which is no UTF-8.
    let byte = |c: char| match c {
        '\u{20ac}' => 0x80,
        c => u8::try_from(c).unwrap(),
    };
    let body: Vec<u8> = LIST.chars().map(byte).collect();
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    let server = Server::start(move |_| Reply { body: body.clone(), headers: headers.clone(), ..Reply::status(200) });
    let server = server.await.unwrap();
    let bench = Bench::new();
    std::fs::write(bench.path("rules.toml"), RULES).unwrap();
    let url = server.url("/list");
    assert!(bench.run(&["crawl", &url, "--rate", "0", "--max-pages", "1"]).await.status.success());
    let output = bench.run(&["extract", "try", &url, "--rules", "rules.toml"]).await;
    let expected = "book 1  main#m > div.book:nth-of-type(1)  <div class=\"book\">
  title = \"Ä \\u001b[31m\"
      h3 > a  <a href=\"/a\" title=\"Ä \\u{1b}[31m\">  \"Ä \\u001b[31m\"
  price = 1234.0
      p.price  <p class=\"price\">  \"1.234 €\"
  link = \"HOST/a\"
      h3 > a  <a href=\"/a\" title=\"Ä \\u{1b}[31m\">  \"/a\"
book 2  main#m > div.book:nth-of-type(2)  <div class=\"book\">
  title = \"B\"
      h3 > a  <a href=\"/b\" title=\"B\">  \"B\"
  price = 0
      not there
  link = \"HOST/b\"
      h3 > a  <a href=\"/b\" title=\"B\">  \"/b\"
";
    assert_eq!(stdout(&output), expected.replace("HOST", server.url("/").trim_end_matches('/')));
    assert!(stderr(&output).contains("book: 2 items on 1 of 1 page; price: not there 1 time"), "{}", stderr(&output));
    let lines = bench.run(&["extract", "try", &url, "--rules", "rules.toml", "--format", "jsonl"]).await;
    let second: Value = serde_json::from_str(stdout(&lines).lines().nth(1).unwrap()).unwrap();
    assert_eq!(second["data"], json!({"title": "B", "price": 0, "link": server.url("/b")}));
    assert_eq!((&second["position"], &second["element"]["tag"]), (&json!(2), &json!("<div class=\"book\">")));
    assert_eq!(
        second["taken"]["link"],
        json!([{"path": "h3 > a", "tag": "<a href=\"/b\" title=\"B\">", "given": "/b"}])
    );
    let unknown = bench.run(&["extract", "try", &server.url("/x"), "--rules", "rules.toml"]).await;
    assert!(unknown.status.code() == Some(1) && stderr(&unknown).contains("no body of"), "{}", stderr(&unknown));
}

#[tokio::test]
async fn try_of_a_file_needs_no_database_and_asks_no_where() {
    let bench = Bench::new();
    std::fs::write(bench.path("rules.toml"), RULES).unwrap();
    std::fs::write(bench.path("list.html"), LIST.replace("windows-1252", "utf-8")).unwrap();
    let output = bench.run(&["extract", "try", "list.html", "--rules", "rules.toml", "--format", "json"]).await;
    let items: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&items[0]["data"]["price"], items.as_array().unwrap().len()), (&json!(1234.0), 2));
    let product = bench.run(&["extract", "try", "list.html", "--rules", "product"]).await;
    assert_eq!((stdout(&product).as_str(), product.status.code()), ("", Some(0)));
    assert!(stderr(&product).contains("product: never matched, tried on 1 page"), "{}", stderr(&product));
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused_by_file_line_and_column() {
    let bench = Bench::on_sqlite();
    std::fs::write(bench.path("rules.toml"), "[item.a]\nfields.x = { css = 'p >' }\n").unwrap();
    std::fs::write(bench.path("a.html"), "<p>").unwrap();
    for (target, rules, code, words) in [
        ("a.html", "rules.toml", 1, "rules.toml:2:20: it is no CSS selector: it ends with a combinator"),
        ("a.html", "none.toml", 1, "cannot read the rules `none.toml`"),
        ("none.html", "product", 1, "cannot read `none.html`"),
        ("http://h.test/", "product", 1, "crawl.db"),
    ] {
        let output = bench.run(&["extract", "try", target, "--rules", rules]).await;
        assert!(output.status.code() == Some(code) && stderr(&output).contains(words), "{}", stderr(&output));
    }
    let csv = bench.run(&["extract", "try", "a.html", "--rules", "product", "--format", "csv"]).await;
    assert!(csv.status.code() == Some(2) && stderr(&csv).contains("--format"), "{}", stderr(&csv));
}

/// The blocks of the documentation with their languages.
fn blocks() -> Vec<(String, String)> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/items.md");
    let text = std::fs::read_to_string(path).unwrap();
    let parts = text.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap());
    parts.map(|(language, block)| (language.to_owned(), block.to_owned())).collect()
}

#[test]
fn the_examples_of_the_documentation_give_what_it_says() {
    let blocks: Vec<_> =
        blocks().into_iter().filter(|(language, _)| !["sh", "text"].contains(&language.as_str())).collect();
    let url = Url::parse("https://example.com/catalogue/1").unwrap();
    let mut examples = 0;
    for example in blocks.chunks(3) {
        let [(toml, rules), (html, body), (json, expected)] = example else { panic!("{example:?}") };
        assert_eq!([toml, html, json], ["toml", "html", "json"]);
        let rules = if rules.starts_with("[item.") { rules.clone() } else { format!("[item.example]\n{rules}") };
        let rules = Rules::parse(&rules).unwrap();
        let deadline = Instant::now() + Duration::from_secs(300);
        let source = Source { url: &url, charset: None, is_xml: false, language: None, body: body.as_bytes() };
        let items = rules.items(&Page::read(source, deadline), deadline, &mut Tally::default());
        let data: Value = items.into_iter().map(|item| Value::Object(item.data)).collect();
        assert_eq!(data, serde_json::from_str::<Value>(expected).unwrap());
        examples += 1;
    }
    assert_eq!(examples, 4);
}

#[test]
fn the_rules_that_come_along_can_be() {
    for name in ["product", "article", "event", "job", "recipe"] {
        let rules = Rules::parse(Rules::builtin(name).unwrap()).unwrap();
        assert_eq!(rules.names().collect::<Vec<_>>(), [name]);
    }
}
