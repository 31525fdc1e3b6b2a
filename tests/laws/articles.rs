//! Main contents: finding one is total, the same twice, and its Markdown can be cut into parts of any length.

use std::time::{Duration, Instant};

use harvestman::internals::extract::chunks::chunks;
use harvestman::internals::extract::page::Source;
use harvestman::internals::extract::simhash::simhash;
use harvestman::internals::extract::{Article, Page};
use url::Url;

/// Bytes of Markdown for each of a page, at most, and for its lists' indents.
const GROWTH: usize = 64;
const INDENTS: usize = 4096;

/// A body.
pub fn article(input: &[u8]) {
    let url = Url::parse("http://host.test/folder/page?query").unwrap();
    let source = Source { url: &url, charset: Some("UTF-8"), is_xml: false, language: None, body: input };
    let page = Page::read(source, Instant::now() + Duration::from_secs(3600));
    let Some(article) = Article::of(&page) else { return };
    assert_eq!(Some(&article), Article::of(&page).as_ref(), "reading twice is the same");
    assert!(article.words > 0 && !article.text.is_empty());
    let size = article.markdown.len();
    assert!(size <= GROWTH * input.len() + INDENTS, "{size} bytes of Markdown of {}", input.len());
    assert!(!article.markdown.to_ascii_lowercase().contains("](javascript:"), "{}", article.markdown);
    let _ = simhash(&article.text);
    let chunks = chunks(&article.markdown, 20);
    assert!(chunks.iter().all(|chunk| !chunk.text.trim().is_empty()), "{chunks:?}");
}
