//! A stored page, read again with all that its mark-up holds.

use std::time::{Duration, Instant};

use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::TendrilSink as _;
use html5ever::tree_builder::TreeBuilderOpts;
use scraper::{Html, HtmlTreeSink, Selector};
use url::Url;

use crate::parse::{self, Deadline};

/// Characters that are parsed between two looks at the clock.
const STEP: usize = 8 << 10;

/// What is stored of a page, as far as data is derived from it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub url: &'a Url,
    /// The name of its character encoding.
    pub charset: Option<&'a str>,
    /// It was served as XML.
    pub is_xml: bool,
    /// As its root element or its headers tell.
    pub language: Option<&'a str>,
    pub body: &'a [u8],
}

/// A page whose document is open for questions.
#[derive(Debug)]
pub struct Page {
    pub url: Url,
    /// What its relative URLs are relative to.
    pub base: Url,
    pub html: Html,
    /// As declared.
    pub language: Option<String>,
    /// The deadline passed before the end of the document.
    pub cut_short: bool,
}

impl Page {
    /// Parses a body as far as `deadline` allows: by the rules of XML if it was served as that and is well-formed, as the crawl
    /// did, and by those of HTML otherwise.
    pub fn read(source: Source<'_>, deadline: Instant) -> Self {
        let text = parse::decoded(source.body, source.charset);
        let left = deadline.saturating_duration_since(Instant::now());
        let xhtml = source.is_xml.then(|| parse::xhtml(&text, Deadline::after(left, Duration::ZERO))).flatten();
        let (html, is_whole) = xhtml.unwrap_or_else(|| html(&text, deadline));
        let base = base_of(&html, source.url);
        let language = source.language.map(str::to_owned);
        Self { url: source.url.clone(), base, html, language, cut_short: !is_whole }
    }

    /// A reference resolved by the rules of WHATWG URL; one that leads nowhere stays as it is written.
    pub fn absolute(&self, reference: &str) -> String {
        self.base.join(reference).map_or_else(|_| reference.trim().to_owned(), String::from)
    }
}

/// The document by the rules of HTML, and whether that was all of it.
fn html(text: &str, deadline: Instant) -> (Html, bool) {
    let sink = HtmlTreeSink::new(Html::new_document());
    // A `<noscript>` holds elements, as for the crawl, which runs no scripts.
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let mut parser = parse_document(sink, ParseOpts { tree_builder, ..ParseOpts::default() });
    let mut rest = text;
    while !rest.is_empty() && Instant::now() < deadline {
        let (part, left) = rest.split_at(rest.floor_char_boundary(STEP));
        parser.process(part.into());
        rest = left;
    }
    (parser.finish(), rest.is_empty())
}

/// The "document base URL" (WHATWG HTML, 2.4.3): by the first `<base>` that has an `href`.
fn base_of(html: &Html, url: &Url) -> Url {
    let named = Selector::parse("base[href]").ok().and_then(|base| html.select(&base).next()?.attr("href"));
    named.and_then(|href| url.join(href).ok()).unwrap_or_else(|| url.clone())
}
