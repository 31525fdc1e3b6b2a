//! The order in which sources answer.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::super::derive::{Derived, Kind, Stored, derive};
use super::super::items::Tally;
use super::super::values::Value;
use super::PageData;

fn data(html: &str) -> PageData {
    metadata(html).1
}

fn metadata(html: &str) -> (Vec<Value>, PageData) {
    let stored = Stored {
        id: 1,
        url: "https://example.com/a/b".into(),
        charset: Some("utf-8".into()),
        language: None,
        title: Some("Title of the head".into()),
        description: Some("Description of the head".into()),
        headers: vec![("content-type".into(), "text/html".into())],
        text: Some("One two three".into()),
        body: html.as_bytes().to_vec(),
        content_hash: "1".into(),
        lacks: vec![Kind::Metadata],
    };
    let Derived { metadata, .. } = derive(&stored, None, &mut Tally::default());
    metadata.unwrap()
}

const OPEN_GRAPH: &str = "<meta property=og:title content='Title of og'><meta property=og:description content='Description of og'>
    <meta property=og:type content=article><meta property=og:image content=/og.png><meta property=og:site_name content=Site>
    <meta property=article:published_time content=2026-01-02T03:04:05Z><meta name=author content='An author'>";
const JSON_LD: &str = r#"<script type=application/ld+json>{"@context": "https://schema.org", "@graph": [
    {"@type": "WebSite", "name": "Site of JSON-LD"}, {"@type": "WebPage", "name": "The page"},
    {"@type": ["NewsArticle", "Article"], "headline": "Headline", "description": "Description of JSON-LD",
     "image": [{"@type": "ImageObject", "url": "ld.png"}, "other.png"], "author": [{"@type": "Person", "name": "Ada"}],
     "datePublished": "2026-02-03", "dateModified": "2026-02-04"}]}</script>"#;

#[test]
fn without_metadata_the_head_answers() {
    let data = data("<h1>Heading</h1>");
    assert_eq!(data.title.as_deref(), Some("Title of the head"));
    assert_eq!(data.description.as_deref(), Some("Description of the head"));
    assert_eq!((data.words, data.kind, data.price), (3, None, None));
}

#[test]
fn open_graph_goes_before_the_head() {
    let data = data(OPEN_GRAPH);
    assert_eq!(data.title.as_deref(), Some("Title of og"));
    assert_eq!(data.description.as_deref(), Some("Description of og"));
    assert_eq!(data.kind.as_deref(), Some("article"));
    assert_eq!(data.image.as_deref(), Some("https://example.com/og.png"));
    assert_eq!(data.site_name.as_deref(), Some("Site"));
    assert_eq!(data.author.as_deref(), Some("An author"));
    assert_eq!(data.published_at.as_deref(), Some("2026-01-02T03:04:05Z"));
}

#[test]
fn json_ld_goes_before_open_graph_and_the_article_before_its_page_and_site() {
    let data = data(&format!("{OPEN_GRAPH}{JSON_LD}"));
    assert_eq!(data.kind.as_deref(), Some("NewsArticle"));
    assert_eq!(data.title.as_deref(), Some("Headline"));
    assert_eq!(data.description.as_deref(), Some("Description of JSON-LD"));
    assert_eq!(data.image.as_deref(), Some("https://example.com/a/ld.png"));
    assert_eq!(data.author.as_deref(), Some("Ada"));
    assert_eq!((data.published_at.as_deref(), data.modified_at.as_deref()), (Some("2026-02-03"), Some("2026-02-04")));
    // What a site calls itself for those who share it goes before.
    assert_eq!(data.site_name.as_deref(), Some("Site"));
}

#[test]
fn a_product_answers_with_its_offer() {
    for html in [
        r#"<script type="application/ld+json">{"@type": "Product", "name": "Leg", "offers": {"@type": "AggregateOffer",
            "lowPrice": "19.99", "priceCurrency": "EUR", "availability": "https://schema.org/InStock"}}</script>"#,
        "<div itemscope itemtype=https://schema.org/Product><b itemprop=name>Leg</b>
            <div itemprop=offers itemscope itemtype=https://schema.org/Offer><meta itemprop=price content=19.99>
            <meta itemprop=priceCurrency content=EUR><link itemprop=availability href=https://schema.org/InStock></div></div>",
        "<meta property=og:type content=Product><meta property=og:title content=Leg><meta property=product:price:amount content=19.99>
            <meta property=product:price:currency content=EUR><meta property=product:availability content=InStock>",
    ] {
        let data = data(html);
        assert_eq!((data.kind.as_deref(), data.title.as_deref()), (Some("Product"), Some("Leg")), "{html}");
        assert_eq!(data.price, Some(19.99), "{html}");
        assert_eq!((data.currency.as_deref(), data.availability.as_deref()), (Some("EUR"), Some("InStock")), "{html}");
    }
}

#[test]
fn a_page_that_says_only_what_it_is_part_of_is_told_by_its_head() {
    let data = data(r#"<script type="application/ld+json">{"@type": "Organization", "name": "Firm"}</script>"#);
    assert_eq!((data.kind, data.title.as_deref()), (None, Some("Title of the head")));
}

#[test]
fn a_block_of_json_ld_that_cannot_be_read_is_told_with_its_place() {
    let html = "<script type=application/ld+json>{\"@type\": \"Product\",\n \"name\": }</script>";
    let (values, data) = metadata(html);
    let told = values[0].value.clone().unwrap();
    assert!(values[0].name == "@error" && told.contains("line 2"), "{told}");
    assert_eq!(data.kind, None);
}
