//! Each kind of metadata, on pages made for it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use url::Url;

use super::super::page::Source as PageSource;
use super::super::values::{Source, Values};
use super::*;

fn page(html: &str) -> Page {
    let url = Url::parse("https://example.com/a/b").unwrap();
    let source = PageSource { url: &url, charset: None, is_xml: false, language: None, body: html.as_bytes() };
    Page::read(source, Instant::now() + Duration::from_secs(60))
}

/// Name, value and position of what a source says on a page with these headers.
fn read(html: &str, links: &[&str], source: Source) -> Vec<(String, Option<String>, u32)> {
    let mut values = Values::default();
    let links: Vec<_> = links.iter().map(|&link| link.to_owned()).collect();
    super::read(&page(html), &links, Instant::now() + Duration::from_secs(60), &mut values);
    let of_source = values.list.into_iter().filter(|value| value.source == source);
    of_source.map(|value| (value.name, value.value, value.position)).collect()
}

fn expected(rows: &[(&str, Option<&str>, u32)]) -> Vec<(String, Option<String>, u32)> {
    rows.iter().map(|(name, value, position)| ((*name).to_owned(), value.map(str::to_owned), *position)).collect()
}

#[test]
fn every_meta_with_a_name_is_kept_in_the_order_of_the_page() {
    let html = "<meta name=Description content=' One '><meta name=keywords content='a, b'>
        <meta name=description content=Two><meta charset=utf-8><meta name=empty content=''><meta name=none>
        <meta http-equiv=refresh content=5>";
    let rows = [
        ("description", Some("One"), 1),
        ("keywords", Some("a, b"), 2),
        ("description", Some("Two"), 3),
        ("empty", Some(""), 4),
    ];
    assert_eq!(read(html, &[], Source::Meta), expected(&rows));
}

#[test]
fn open_graph_is_read_from_property_and_from_name() {
    let html = "<meta property=og:title content=T><meta name=og:image content=/i.png>
        <meta property='OG:IMAGE' content=/j.png><meta property=article:author content=A>
        <meta property='schema:name' content=no>";
    let rows = [
        ("og:title", Some("T"), 1),
        ("og:image", Some("/i.png"), 2),
        ("og:image", Some("/j.png"), 3),
        ("article:author", Some("A"), 4),
    ];
    assert_eq!(read(html, &[], Source::OpenGraph), expected(&rows));
    assert_eq!(read(html, &[], Source::Meta), []);
}

#[test]
fn twitter_cards_are_read_from_name_and_from_property() {
    let html = "<meta name=twitter:card content=summary><meta property=twitter:title content=T>";
    let rows = [("twitter:card", Some("summary"), 1), ("twitter:title", Some("T"), 2)];
    assert_eq!(read(html, &[], Source::Twitter), expected(&rows));
}

#[test]
fn alternates_in_other_languages_come_from_headers_and_from_the_head() {
    let html = "<base href=/base/><link rel=alternate hreflang=de href=de><link rel='x ALTERNATE' hreflang=x-default href=//e.test/>
        <link rel=alternate type=application/rss+xml href=feed><link rel=stylesheet hreflang=fr href=no>";
    let headers = [
        "<../es,1>; rel=\"alternate\"; hreflang=\"es\", </it>; hreflang=it; rel=alternate",
        "</style.css>; rel=preload; hreflang=en, <nothing>, broken; rel=alternate; hreflang=no",
    ];
    let rows = [
        ("es", Some("https://example.com/es,1"), 1),
        ("it", Some("https://example.com/it"), 2),
        ("de", Some("https://example.com/base/de"), 3),
        ("x-default", Some("https://e.test/"), 4),
    ];
    assert_eq!(read(html, &headers, Source::Hreflang), expected(&rows));
}

#[test]
fn a_heading_of_images_says_what_stands_for_them() {
    let html = "<h1><a href=/><img alt=' Our logo '></a> <img alt=''><img alt=Shop></h1><h2><img src=i.png></h2><h3>T <img alt=I></h3>";
    let rows = [("h1", Some("Our logo Shop"), 1), ("h2", Some(""), 2), ("h3", Some("T"), 3)];
    assert_eq!(read(html, &[], Source::Heading), expected(&rows));
}

#[test]
fn headings_are_told_with_their_levels_and_on_one_line() {
    let html = "<h2>First</h2><h1> The\n<em>title</em><br>of it <script>no</script></h1><h4></h4>
        <template><h1>Not there</h1></template><h6>Last";
    let rows =
        [("h2", Some("First"), 1), ("h1", Some("The title of it"), 2), ("h4", Some(""), 3), ("h6", Some("Last"), 4)];
    assert_eq!(read(html, &[], Source::Heading), expected(&rows));
}

#[test]
fn images_are_told_by_their_url_with_their_alternative_text() {
    let html = "<img src=one.png alt=' An image '><img src=/two.png alt=''><img data-src=three.png src='data:image/gif;base64,R0'>
        <img srcset='four.png 1x, five.png 2x'><img alt=none><img src=''>";
    let rows = [
        ("https://example.com/a/one.png", Some("An image"), 1),
        ("https://example.com/two.png", Some(""), 2),
        ("https://example.com/a/three.png", None, 3),
        ("https://example.com/a/four.png", None, 4),
    ];
    assert_eq!(read(html, &[], Source::Image), expected(&rows));
}

#[test]
fn a_page_of_endless_metadata_is_cut_short_and_says_so() {
    let html = "<meta name=a content=b>".repeat(30_000);
    let mut values = Values::default();
    super::read(&page(&html), &[], Instant::now() + Duration::from_secs(60), &mut values);
    assert!(values.cut_short);
    assert_eq!(values.list.len(), 20_000);
}
