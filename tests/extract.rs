//! Data derived from stored pages: what is read, when it is read again, and how it is told.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::web::Web;
use common::{Bench, page, stderr};
use harvestman::demo::Reply;

async fn extract(web: &Web, options: &[&str]) -> (String, String) {
    web.run(&[&["extract"], options].concat()).await
}

/// Day 1: three pages and an image; day 2: /a is another, /b is gone.
fn news(day: usize, path: &str) -> Reply {
    match (path, day) {
        ("/", _) => page(["/a", "/b", "/plain.txt"]),
        ("/a", 1) => {
            Reply::html("<html lang=en><title>First</title><h1>One</h1><img src=i.png alt='An image'><p>one two")
        }
        ("/a", _) => Reply::html("<html lang=en><title>Second</title><h1>Two</h1><p>one two three"),
        ("/b", 1) => Reply::html("<title>B</title><meta property=og:title content='Og of b'>"),
        ("/plain.txt", _) => Reply::text("{}"),
        _ => Reply::status(404),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_read_from_stored_pages_and_asks_no_server() {
    let web = Web::new(news).await;
    web.crawl(&[]).await;
    let before = web.rows("select count(*) from fetches").await;
    assert!(web.rows("select * from metadata").await.is_empty());
    let (printed, told) = extract(&web, &["metadata"]).await;
    assert_eq!(printed, "");
    assert!(told.contains("Extracted from 4 pages"), "{told}");
    assert_eq!(
        web.rows("select url, source, name, value, position from metadata order by url, source").await,
        ["/a|heading|h1|One|1", "/a|image|/i.png|An image|1", "/b|opengraph|og:title|Og of b|1",]
    );
    assert_eq!(
        web.rows("select url, title, language, words from page_data where url not like '%/' order by url").await,
        ["/a|First|en|3", "/b|Og of b|null|0"]
    );
    assert_eq!(web.rows("select count(*) from fetches").await, before);
}

/// By the rules of HTML the script would have no end.
#[tokio::test(flavor = "multi_thread")]
async fn xhtml_is_read_by_the_rules_of_xml_where_it_is_well_formed_and_served_so() {
    const START: &str =
        "<html xmlns='http://www.w3.org/1999/xhtml'><head><script src='/s.js'/></head><body><h1>One</h1>";
    let web = Web::new(|_, path| {
        let end = if path == "/broken" { "<br>" } else { "</body></html>" };
        let body = format!("{START}<a href='/html'>h</a><a href='/broken'>b</a><p style='display:none'>n</p>{end}");
        let served = if path == "/html" { "text/html" } else { "application/xhtml+xml" };
        Reply::text(body).with_header("content-type", served)
    })
    .await;
    web.crawl(&[]).await;
    extract(&web, &["metadata"]).await;
    assert_eq!(web.rows("select url, value from metadata where source = 'heading'").await, ["/|One"]);
    std::fs::write(web.bench.path("rules.toml"), "[item.page]\neach = 'body'\nfields.heading = { css = 'h1' }\n")
        .unwrap();
    let (tried, _) = web.run(&["extract", "try", &web.server.url("/"), "--rules", "rules.toml"]).await;
    assert!(tried.contains("One"), "{tried}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_page_shows_its_metadata_once_it_was_read() {
    let web = Web::new(news).await;
    web.crawl(&[]).await;
    let url = web.server.url("/a");
    let output = web.bench.run(&["show", &url, "--metadata"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("harvestman extract metadata"), "{}", stderr(&output));
    extract(&web, &["metadata"]).await;
    let (printed, _) = web.run(&["show", &url, "--metadata"]).await;
    assert!(printed.contains("heading") && printed.contains("An image"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_is_read_again_and_what_is_gone_is_dropped() {
    let web = Web::new(news).await;
    web.crawl(&[]).await;
    extract(&web, &["metadata"]).await;
    let (_, told) = extract(&web, &["metadata"]).await;
    assert!(told.contains("Nothing is new"), "{told}");
    web.crawl(&[]).await;
    let (_, told) = extract(&web, &["metadata"]).await;
    assert!(told.contains("Extracted from 1 page."), "{told}");
    assert_eq!(
        web.rows("select url, source, name, value from metadata order by url").await,
        ["/a|heading|h1|Two"],
        "/b is a 404 now"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_derived_by_another_version_is_derived_anew() {
    let web = Web::new(news).await;
    web.crawl(&[]).await;
    extract(&web, &["metadata"]).await;
    web.bench.write("update derived set version = 'of long ago'; delete from meta_value").await;
    let (_, told) = extract(&web, &["metadata"]).await;
    assert!(told.contains("Extracted from 4 pages"), "{told}");
    assert_eq!(web.rows("select count(*) from metadata").await, ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_is_printed_or_what_changed_since_a_run() {
    let web = Web::new(news).await;
    web.crawl(&[]).await;
    let lines = |printed: &str| -> Vec<serde_json::Value> {
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (printed, _) = extract(&web, &["metadata", "--format", "jsonl"]).await;
    assert_eq!(lines(&printed).len(), 3);
    let first = &lines(&printed)[0];
    assert_eq!((&first["source"], &first["value"], &first["position"]), (&"heading".into(), &"One".into(), &1.into()));
    let (printed, _) = extract(&web, &["--format", "csv"]).await;
    assert!(printed.starts_with("url,type,title,"), "{printed}");
    web.crawl(&[]).await;
    let (printed, _) = extract(&web, &["--since", "2", "--format", "jsonl"]).await;
    let titles: Vec<_> = lines(&printed).iter().map(|line| line["title"].clone()).collect();
    assert_eq!(titles, ["Second"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_extracts_at_its_end_whether_what_is_named_or_not() {
    let web = Web::new(news).await;
    // The seed that follows is not what is to be extracted.
    let told = web.crawl(&["--extract"]).await;
    assert!(told.contains("Extracted from 4 pages"), "{told}");
    let told = web.crawl(&["--extract", "metadata"]).await;
    assert!(told.contains("Extracted from 1 page."), "{told}");
    assert_eq!(web.rows("select value from metadata").await, ["Two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn extracting_twice_at_once_derives_each_page_once() {
    let web = Web::new(|_, path| match path {
        "/" => page((0..300).map(|n| format!("/{n}"))),
        path => Reply::html(format!("<h1>{path}</h1><meta name=description content={path}>")),
    });
    let web = web.await;
    web.crawl(&["--max-connections-per-host", "16"]).await;
    let (one, other) = tokio::join!(extract(&web, &["metadata"]), extract(&web, &["metadata"]));
    for (_, told) in [one, other] {
        assert!(told.contains("xtracted"), "{told}");
    }
    assert_eq!(web.rows("select count(*), count(distinct value) from metadata where name = 'h1'").await, ["300|300"]);
    assert_eq!(web.rows("select count(*) from page_data").await, ["301"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_without_bodies_leaves_nothing_to_extract_from_and_is_told_so() {
    let web = Web::new(news).await;
    web.crawl(&["--no-bodies"]).await;
    let (_, told) = extract(&web, &[]).await;
    assert!(told.contains("no body"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_is_refused() {
    let bench = Bench::new();
    for (args, code, said) in [
        (&["extract", "metadata", "--rules", "product"][..], 2, "only items are found by rules"),
        (&["extract", "nothing"], 2, "nothing"),
        (&["extract", "--rules", "absent.toml"], 1, "absent.toml"),
        (&["extract", "-d", "absent.db"], 1, "absent.db"),
        (&["crawl", "http://127.0.0.1:9/", "--rules", "product"], 2, "--extract"),
        (&["crawl", "http://127.0.0.1:9/", "--extract", "--rules", "absent.toml"], 1, "absent.toml"),
        (&["crawl", "http://127.0.0.1:9/", "--extract=articles", "--rules", "product"], 2, "only items"),
        (&["crawl", "http://127.0.0.1:9/", "--extract=some"], 2, "all, metadata, articles or items"),
    ] {
        let output = bench.run(args).await;
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{args:?}: {}", stderr(&output));
    }
    assert!(!bench.path("crawl.db").exists());
}

/// A page with a long text beside navigation; `last` is its last word.
fn story(title: &str, last: &str) -> Reply {
    let sentences: String =
        (0..60).map(|n| format!("The harvestman number{n} walks over leaf{} at night. ", n * 7)).collect();
    Reply::html(format!(
        "<html lang=en><title>{title}</title><nav><a href=/one>One</a> <a href=/two>Two</a></nav>
         <main><article><h1>{title}</h1><p>{sentences}</p><h2>More</h2><ul><li><a href=/two>A <b>link</b></a></ul>
         <p>And so it ends with {last}.</article></main><footer>All rights reserved</footer>"
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn articles_are_the_main_content_as_text_and_markdown_and_near_ones_are_paired() {
    let web = Web::new(|_, path| match path {
        "/" => page(["/one", "/two", "/same", "/other"]),
        "/one" | "/same" => story("A story", "rain"),
        "/two" => story("A story", "snow"),
        "/other" => Reply::html(format!(
            "<title>Other</title><article><h1>Other</h1><p>{}</article>",
            "Quite another thing. ".repeat(80)
        )),
        _ => Reply::status(404),
    });
    let web = web.await;
    web.crawl(&[]).await;
    extract(&web, &["articles"]).await;
    let article =
        web.rows("select title, language, words > 400, text, markdown from articles where url like '%/one'").await;
    let parts: Vec<_> = article[0].split('|').collect();
    assert_eq!(parts[..2], ["A story", "en"]);
    assert!(parts[3].contains("leaf413") && !parts[3].contains("rights"), "{article:?}");
    assert!(parts[4].contains("## More") && parts[4].contains("/two)"), "{article:?}");
    // Of /one and /same, whose bodies are the same byte by byte, one stands for both.
    let near = web.rows("select url, other_url, distance <= 3 from near_duplicates").await;
    assert_eq!(near.len(), 1, "{near:?}");
    assert!(near[0].contains("/two") && !near[0].contains("/other"), "{near:?}");
}

const SHOP: &str = r#"
[item.product]
where = "/shop"
each = "li.product"
fields.name = { css = "h3", required = true }
fields.price = { css = ".price", as = "number" }
fields.stock = { css = ".stock", as = "integer", default = 0 }
fields.new = { css = ".new", as = "boolean", default = false }
fields.link = { css = "a", get = "href", as = "url" }
fields.tags = { css = ".tag", many = true }
"#;

fn shop(_: usize, path: &str) -> Reply {
    match path {
        "/" => page(["/shop", "/about"]),
        "/shop" => Reply::html(
            "<ul><li class=product><h3>Leg</h3><b class=price>19.50 EUR</b><i class=stock>3</i><a href=/leg>more</a>
             <u class=tag>long</u><u class=tag>thin</u><li class=product><b class=price>1</b>
             <li class=product><h3>Web's</h3><b class=price>on request</b></ul>",
        ),
        "/about" => Reply::html(
            r#"<script type="application/ld+json">{"@type": "Product", "name": "Silk", "offers": {"price": "7.5", "priceCurrency": "EUR"}}</script>"#,
        ),
        _ => Reply::status(404),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_found_by_rules_and_have_a_view_with_a_column_for_each_field() {
    let web = Web::new(shop).await;
    web.crawl(&[]).await;
    std::fs::write(web.bench.path("shop.toml"), SHOP).unwrap();
    let (printed, told) = extract(&web, &["items", "--rules", "shop.toml", "--format", "jsonl"]).await;
    let first: serde_json::Value = serde_json::from_str(printed.lines().next().unwrap()).unwrap();
    assert_eq!((&first["item"], &first["position"]), (&"product".into(), &1.into()));
    assert_eq!(first["data"]["tags"], serde_json::json!(["long", "thin"]));
    assert!(told.contains("product: 2 items on 1 of 1 page"), "{told}");
    let truth = web.bench.either("1", "true");
    let columns = format!("url, position, name, price, stock, new = {truth}, link");
    assert_eq!(
        web.rows(&format!("select {columns} from items_product order by position")).await,
        ["/shop|1|Leg|19.5|3|0|/leg", "/shop|2|Web's|null|0|0|null"]
    );
    // Only the item's own view tells numbers from texts.
    assert_eq!(web.rows("select name from items_product where price > 9").await, ["Leg"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_replace_those_before_and_are_used_again_until_then() {
    let web = Web::new(shop).await;
    web.crawl(&[]).await;
    let output = web.bench.run(&["extract", "items"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--rules"), "{}", stderr(&output));
    std::fs::write(web.bench.path("shop.toml"), SHOP).unwrap();
    extract(&web, &["items", "--rules", "shop.toml"]).await;
    let (_, told) = extract(&web, &["items"]).await;
    assert!(told.contains("Nothing is new"), "{told}");
    assert_eq!(web.rows("select count(*) from items").await, ["2"]);
    // Those that come with the program read what pages state for machines.
    extract(&web, &["items", "--rules", "product"]).await;
    assert_eq!(web.rows("select url, name, price from items_product").await, ["/about|Silk|7.5"]);
    let renamed = SHOP.replace("item.product", "item.thing");
    std::fs::write(web.bench.path("shop.toml"), renamed).unwrap();
    let (_, told) = extract(&web, &["--rules", "shop.toml"]).await;
    let gone =
        "the rules of shop.toml take the place of those of product, and the items go that only these find: product";
    assert!(told.contains(gone), "{told}");
    let (_, told) = extract(&web, &["--rules", "shop.toml"]).await;
    assert!(!told.contains("take the place"), "{told}");
    assert_eq!(web.rows("select distinct item from items").await, ["thing"]);
    assert_eq!(web.rows("select name from items_thing order by position").await, ["Leg", "Web's"]);
    assert_ne!(web.bench.run(&["query", "select * from items_product"]).await.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_refuses_rules_that_cannot_be_before_it_asks_for_anything() {
    let web = Web::new(shop).await;
    std::fs::write(web.bench.path("shop.toml"), SHOP.replace("required", "requried")).unwrap();
    let output = web.bench.run(&["crawl", &web.server.url("/"), "--extract", "--rules", "shop.toml"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("shop.toml:5:") && stderr(&output).contains("requried"), "{}", stderr(&output));
    assert_eq!(web.server.hit_count(), 0);
    std::fs::write(web.bench.path("shop.toml"), SHOP).unwrap();
    let told = web.crawl(&["--extract", "items", "--rules", "shop.toml"]).await;
    assert!(told.contains("product: 2 items"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_character_that_no_database_takes_costs_no_page() {
    let web = Web::new(|_, path| match path {
        "/" => Reply::html(
            r#"<title>A</title><script type="application/ld+json">{"@type": "Product", "name": "a\u0000b", "headline": "c\u0000d"}</script>
             <article><h1>A</h1><p>Words of a page that say a little more than nothing at all.</article>"#,
        ),
        _ => Reply::status(404),
    });
    let web = web.await;
    web.crawl(&["--extract", "--rules", "product"]).await;
    assert_eq!(web.rows("select name from items_product").await, ["a\u{fffd}b"]);
    assert_eq!(web.rows("select value from metadata where name = 'name'").await, ["a\u{fffd}b"]);
    assert_eq!(web.rows("select count(*) from page_data").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_metadata_is_kept_with_its_source_and_its_place() {
    let web = Web::new(|_, path| match path {
        "/" => Reply::html(
            r#"<html lang=en><title>T</title><meta name=keywords content=legs><meta property=og:title content=O>
             <meta name=twitter:card content=summary><link rel=alternate hreflang=de href=/de>
             <script type="application/ld+json">{"@type": "Product", "offers": {"price": 7}}</script>
             <script type="application/ld+json">{</script>
             <h1>One</h1><h2>Two</h2><img src=i.png alt=I><img src=j.png>
             <div itemscope itemtype="https://schema.org/Event"><b itemprop=name>E</b></div>
             <div vocab="https://schema.org/" typeof=Person><b property=name>P</b></div>"#,
        )
        .with_header("link", "</fr>; rel=alternate; hreflang=fr"),
        _ => Reply::status(404),
    });
    let web = web.await;
    web.crawl(&["--extract", "metadata"]).await;
    let rows =
        "select source, name, value, position from metadata where name <> '@error' order by source, position, name";
    assert_eq!(
        web.rows(rows).await,
        [
            "heading|h1|One|1",
            "heading|h2|Two|2",
            "hreflang|fr|/fr|1",
            "hreflang|de|/de|2",
            "image|/i.png|I|1",
            "image|/j.png|null|2",
            "jsonld|@type|Product|1",
            "jsonld|offers.price|7|1",
            "meta|keywords|legs|1",
            "microdata|@type|Event|1",
            "microdata|name|E|1",
            "opengraph|og:title|O|1",
            "rdfa|@type|Person|1",
            "rdfa|name|P|1",
            "twitter|twitter:card|summary|1",
        ]
    );
    let error = web.rows("select value from metadata where name = '@error' and source = 'jsonld'").await;
    assert!(error.len() == 1 && error[0].starts_with("JSON-LD block 2, line 1"), "{error:?}");
    assert_eq!(web.rows("select type from page_data where price = 7").await, ["Product"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_the_notebook_find_what_the_documentation_says() {
    let document = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/notebook.md");
    let document = std::fs::read_to_string(document).unwrap();
    let rules = document.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let bench = Bench::new();
    std::fs::write(bench.path("wares.toml"), rules).unwrap();
    let output = bench.run(&["demo", "--database", &bench.database(), "--quiet"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let told = stderr(&bench.run(&["extract", "items", "--rules", "wares.toml"]).await);
    assert!(
        told.contains("product: 60 items on 60 of 60 pages") && document.contains("60 items on 60 of 60"),
        "{told}"
    );
    let kinds = bench.rows("select kind, count(*), max(price) from items_product group by kind order by kind").await;
    for kind in kinds {
        let cells: Vec<_> = kind.split('|').collect();
        let line = document.lines().find(|line| line.starts_with(cells[0])).unwrap();
        let in_document: Vec<_> = line.split_whitespace().collect();
        assert_eq!((in_document[1], in_document[3].trim_end_matches('0')), (cells[1], cells[2].trim_end_matches('0')));
    }
}
