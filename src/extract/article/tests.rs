use std::time::{Duration, Instant};

use url::Url;

use super::Article;
use crate::extract::page::{Page, Source};

fn article(html: &str) -> Option<Article> {
    let url = Url::parse("https://example.com/a/b").unwrap();
    let source =
        Source { url: &url, charset: Some("UTF-8"), is_xml: false, language: Some("en"), body: html.as_bytes() };
    Article::of(&Page::read(source, Instant::now() + Duration::from_secs(10)))
}

const NEWS: &str = r#"<!doctype html><html lang="en"><head><title>A bridge for the river – Daily</title>
<script type="application/ld+json">{"@context": "https://schema.org", "@type": "NewsArticle", "headline": "A bridge for the river",
"author": {"@type": "Person", "name": "Ada Example"}, "datePublished": "2026-03-04T06:07:08+01:00"}</script></head>
<body><nav><a href="/">Home</a> <a href="/world">World</a></nav>
<article><h1>A bridge for the river</h1>
<p>The town had waited many years for the bridge, and in the end it took only a few days to carry the last beam across the river.</p>
<h2>What it cost</h2>
<p>According to the council, the <a href="../plan?x=1#y">plan</a> costs about four million, and it leaves room for a second entrance on the other side.</p>
<img src="/bridge.jpg" alt="The bridge"> <p><a href="javascript:alert(1)">Nobody</a> expected the numbers to fall so quickly, least of all the people who had counted them for so long.</p>
</article><footer>All rights reserved</footer></body></html>"#;

#[test]
fn an_article_is_the_main_content_with_what_the_page_says_of_it() {
    let found = article(NEWS).unwrap();
    assert_eq!(found.title.as_deref(), Some("A bridge for the river"));
    assert_eq!(found.author.as_deref(), Some("Ada Example"));
    assert_eq!(found.published_at.as_deref(), Some("2026-03-04T05:07:08Z"));
    assert_eq!(found.language.as_deref(), Some("en"));
    assert_eq!(found.words, 72);
    let lines: Vec<_> = found.text.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(lines, ["The", "What", "According", "Nobody"]);
    let markdown = found.markdown.split("\n\n").collect::<Vec<_>>();
    assert_eq!(markdown[1], "## What it cost");
    assert!(markdown[2].contains("the [plan](https://example.com/plan?x=1#y) costs"), "{}", markdown[2]);
    assert_eq!(markdown[3], "![The bridge](https://example.com/bridge.jpg)");
    assert!(markdown[4].starts_with("Nobody expected"), "no link to a script: {}", markdown[4]);
}

#[test]
fn a_page_of_few_words_is_taken_without_its_navigation() {
    let found =
        article("<nav><a href=/>Home</a> <a href=/w>World</a></nav><div role=navigation>Up</div><p>Few words.</p>");
    assert_eq!(found.unwrap().markdown, "Few words.");
    assert_eq!(article("<nav><a href=/>Home</a> <a href=/w>World</a></nav>"), None);
}

#[test]
fn the_day_of_publication_is_in_utc_or_as_it_is_told() {
    let table = [
        ("2026-03-04T23:30:00-02:00", Some("2026-03-05T01:30:00Z")),
        ("2026-03-04T06:07:08.9Z", Some("2026-03-04T06:07:08Z")),
        ("2026-03-04T06:07", Some("2026-03-04")),
        ("2026-03-04", Some("2026-03-04")),
        ("2026-13-04", None),
        ("yesterday", None),
    ];
    for (text, expected) in table {
        assert_eq!(super::moment(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn a_page_without_text_has_no_main_content() {
    assert_eq!(article(""), None);
    assert_eq!(
        article("<body><script>var a = 'many words that nobody reads, for they are code'</script></body>"),
        None
    );
    assert_eq!(article("<body><img src=a.png></body>"), None);
}

/// The search looks up and down from many elements; none of these takes it a second in a release build, or much memory.
#[test]
fn pages_made_to_take_long_are_read_within_bounds() {
    let long = "many words, of which one follows upon the other, and the next one upon that. ";
    let table = [
        "<b><i>some words, and more ".repeat(5_000),
        "<table><tr><td>a, b".repeat(5_000),
        format!("<table><tr><td colspan=1000>{long}</td></tr></table>").repeat(5_000),
        format!("<p>{long}").repeat(10_000),
        format!("<div><p><a href=/x>{long}</a></p></div>").repeat(5_000),
        format!("<p class='{}'>{long}", "comment ".repeat(500)).repeat(500),
        format!("<script type=application/ld+json>{}</script>{}", "{\"@graph\":".repeat(20_000), long.repeat(50)),
        format!("<title>{}</title><p>{}", "a | b - ".repeat(20_000), long.repeat(50)),
        format!("<p>{}", "a".repeat(1_000_000)),
        "<pre><code>`````` a</code></pre>".repeat(8_000),
    ];
    for html in table {
        let found = article(&html).map_or(0, |found| found.text.len().max(found.markdown.len()));
        assert!(found < 2 << 20, "{found} bytes of {}", &html[..100]);
    }
}
