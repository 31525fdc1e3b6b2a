//! All that is wanted of one page, from one parse of it.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::parse;
use crate::parse::kind::{Format, Kind as BodyKind};

use super::article::Article;
use super::items::{Item, Rules, Tally};
use super::page::{Page, Source as PageSource};
use super::page_data::{self, Known, PageData};
use super::structured::{self, Object};
use super::values::{Source, Value, Values};
use super::{language, metadata, simhash, words};

/// How long the document of one page is parsed, and how long its items are looked for.
const TIME: Duration = Duration::from_secs(10);
/// Articles of fewer words are not compared with others.
const COMPARED_WORDS: u64 = 50;
/// Raised when what is derived from the same body changes.
const METADATA_VERSION: &str = "2";
const ARTICLES_VERSION: &str = "1";

/// What is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Metadata,
    Articles,
    Items,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Metadata, Self::Articles, Self::Items];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Articles => "articles",
            Self::Items => "items",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What is wanted of pages, each with the version of what derives it: what was derived by another is derived anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted(Vec<(Kind, String)>);

impl Wanted {
    /// `rules`: the text of the rules that items are found by. Without rules there are no items.
    pub fn new(kinds: &[Kind], rules: Option<&str>) -> Self {
        let version = |kind: &Kind| match kind {
            Kind::Metadata => Some((Kind::Metadata, METADATA_VERSION.to_owned())),
            Kind::Articles => Some((Kind::Articles, ARTICLES_VERSION.to_owned())),
            Kind::Items => Some((Kind::Items, fingerprint(rules?))),
        };
        Self(kinds.iter().filter_map(version).collect())
    }

    pub fn has(&self, kind: Kind) -> bool {
        self.0.iter().any(|(wanted, _)| *wanted == kind)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Kind, &str)> {
        self.0.iter().map(|(kind, version)| (*kind, version.as_str()))
    }
}

/// Tells rules apart, and the versions of what reads them.
fn fingerprint(rules: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, rules.as_bytes());
    let hex: String = digest.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{hex}", super::items::VERSION)
}

/// A page as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: i64,
    pub url: String,
    pub charset: Option<String>,
    pub language: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    /// Its response's header lines.
    pub headers: Vec<(String, String)>,
    /// Its readable text, if that is kept.
    pub text: Option<String>,
    pub body: Vec<u8>,
    pub content_hash: String,
    /// What it lacks.
    pub lacks: Vec<Kind>,
}

/// What was derived from a page.
#[derive(Debug, Clone, Default)]
pub struct Derived {
    pub id: i64,
    pub url: String,
    pub content_hash: String,
    pub kinds: Vec<Kind>,
    pub metadata: Option<(Vec<Value>, PageData)>,
    pub article: Option<(Article, Option<u64>)>,
    pub items: Vec<Item>,
    /// It said more than is kept, or took longer than a page may.
    pub cut_short: bool,
    /// Reading it failed, and nothing was derived.
    pub failed: bool,
}

/// Derives what a page lacks. Of what is no HTML, nothing is.
pub fn derive(stored: &Stored, rules: Option<&Rules>, tally: &mut Tally) -> Derived {
    let mut derived = nothing(stored);
    let headers = header_map(&stored.headers);
    let Ok(url) = Url::parse(&stored.url) else { return derived };
    let format = Format::of(&headers, &stored.body);
    if format.kind != BodyKind::Html {
        return derived;
    }
    let (charset, declared) = (stored.charset.as_deref(), stored.language.as_deref());
    let source = PageSource { url: &url, charset, is_xml: format.is_xml, language: declared, body: &stored.body };
    let mut page = Page::read(source, Instant::now() + TIME);
    derived.cut_short = page.cut_short;
    let text = stored.text.clone().unwrap_or_else(|| readable(&url, stored));
    if page.language.is_none() {
        page.language = language::detect(&text);
    }
    for kind in &stored.lacks {
        match kind {
            Kind::Metadata => derived.read_metadata(&page, stored, &text),
            Kind::Articles => {
                derived.article = Article::of(&page).map(|article| {
                    let hash = (article.words >= COMPARED_WORDS).then(|| simhash::simhash(&article.text));
                    (article, hash)
                });
            }
            Kind::Items => {
                derived.items = rules.map(|rules| rules.items(&page, Instant::now() + TIME, tally)).unwrap_or_default();
            }
        }
    }
    derived
}

/// What is kept of a page that could not be read.
pub fn failed(stored: &Stored) -> Derived {
    Derived { failed: true, ..nothing(stored) }
}

fn nothing(stored: &Stored) -> Derived {
    let (kinds, content_hash) = (stored.lacks.clone(), stored.content_hash.clone());
    Derived { id: stored.id, url: stored.url.clone(), content_hash, kinds, ..Derived::default() }
}

impl Derived {
    fn read_metadata(&mut self, page: &Page, stored: &Stored, text: &str) {
        let (mut blocks, mut broken) = (Vec::new(), Vec::new());
        for block in structured::jsonld(&page.html) {
            match block {
                Ok(value) => blocks.push(value),
                Err(problem) => broken.push(problem.to_string()),
            }
        }
        let (microdata, rdfa) = (structured::microdata(page), structured::rdfa(page));
        let mut values = Values::default();
        let mut things: Vec<&Object> = Vec::new();
        for (source, stated) in [(Source::JsonLd, &blocks), (Source::Microdata, &microdata), (Source::Rdfa, &rdfa)] {
            let found = structured::all(stated);
            found.iter().for_each(|object| values.add_object(source, object));
            things.extend(found);
        }
        broken.iter().for_each(|problem| values.add(Source::JsonLd, "@error", Some(problem)));
        let is_link = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("link");
        let links: Vec<_> = stored.headers.iter().filter(is_link).map(|(_, value)| value.clone()).collect();
        metadata::read(page, &links, Instant::now() + TIME, &mut values);
        let (title, description) = (stored.title.as_deref(), stored.description.as_deref());
        let known = Known { title, description, words: words::count(text) };
        let data = page_data::answer(page, &things, &values.list, known);
        self.cut_short |= values.cut_short;
        self.metadata = Some((values.list, data));
    }
}

/// The readable text of a page of which it was not stored.
fn readable(url: &Url, stored: &Stored) -> String {
    let text = parse::decoded(&stored.body, stored.charset.as_deref());
    parse::parse_html(url, &text, "", TIME).text
}

fn header_map(lines: &[(String, String)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            headers.append(name, value);
        }
    }
    headers
}
