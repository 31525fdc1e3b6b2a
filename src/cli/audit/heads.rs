//! What is read of all bodies, in one go: what pages say to search engines and of their encoding, and their ids.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use regex::bytes::Regex;
use scraper::Selector;
use url::Url;

use crate::extract::Page;
use crate::extract::page::Source;
use crate::parse;
use crate::read::{Database, ReadError, Row};

use super::sql::pages;

/// How long one document may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The robots that directives are read for besides all: those of the search engines that most visitors come from.
const ROBOTS: [&str; 2] = ["googlebot", "bingbot"];

/// What was found in all of them.
#[derive(Debug, Default)]
pub struct Heads {
    /// Pages with a directive that forbids something.
    pub robots: BTreeMap<String, Robots>,
    /// Pages whose document brings a content security policy.
    pub policies: HashSet<String>,
    /// Pages with ids that several elements have, and these ids.
    pub repeated_ids: Vec<(String, String)>,
    /// Pages whose header and document name different encodings, or that are not in the one they name; and what they are.
    pub charsets: Vec<(String, String)>,
}

impl Heads {
    pub fn is_noindex(&self, url: &str) -> bool {
        self.robots.get(url).is_some_and(|robots| robots.noindex.is_some())
    }
}

/// Where a page forbids search engines something; `None` if it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Robots {
    pub noindex: Option<&'static str>,
    pub nofollow: Option<&'static str>,
}

impl Robots {
    fn take(&mut self, directives: &str, place: &'static str) {
        for (what, told) in [("noindex", &mut self.noindex), ("nofollow", &mut self.nofollow)] {
            if parse::forbid(directives, what) {
                told.get_or_insert(place);
            }
        }
    }
}

/// What a document that tells something must hold, each of them.
static TELLS: LazyLock<[Option<Regex>; 2]> = LazyLock::new(|| {
    ["robots|googlebot|bingbot|content-security-policy", "noindex|nofollow|none|content-security-policy"]
        .map(|words| Regex::new(&format!("(?i){words}")).ok())
});
static META: LazyLock<Option<Selector>> = LazyLock::new(|| Selector::parse("meta[content]").ok());

/// Reads the heads of all pages. Only documents that hold the words in question are parsed.
pub fn read(db: &Database) -> Result<Heads, ReadError> {
    let mut heads = Heads::default();
    let sql = concat!(
        "select u.url, p.headers, p.content_type, c.body, p.charset from ",
        pages!(),
        " left join _content c on c.url_id = p.url_id"
    );
    for row in db.query(sql, [])? {
        read_page(&mut heads, &row?)?;
    }
    Ok(heads)
}

fn read_page(heads: &mut Heads, row: &Row) -> Result<(), ReadError> {
    let (url, headers, content_type): (&str, &str, &str) = (row.at(0)?, row.at(1)?, row.at(2)?);
    let body = row.at::<Option<&[u8]>>(3)?.unwrap_or_default();
    let mut robots = Robots::default();
    if headers.contains("x-robots-tag") {
        let headers: Vec<(String, String)> = serde_json::from_str(headers).unwrap_or_default();
        for (_, value) in headers.iter().filter(|(name, _)| name == "x-robots-tag") {
            robots.take(parse::robots_tag_for(value, &ROBOTS).unwrap_or_default(), "X-Robots-Tag");
        }
    }
    if TELLS.iter().all(|tells| tells.as_ref().is_some_and(|tells| tells.is_match(body)))
        && let Ok(address) = Url::parse(url)
    {
        let is_xml = parse::kind::Format::of_stored(Some(content_type), body).is_xml;
        let source = Source { url: &address, charset: None, is_xml, language: None, body };
        let page = Page::read(source, Instant::now() + PATIENCE);
        let metas = META.iter().flat_map(|meta| page.html.select(meta));
        for meta in metas.map(|meta| meta.value()) {
            let content = meta.attr("content").unwrap_or_default();
            let is = |attribute: &str, word: &str| {
                meta.attr(attribute).is_some_and(|value| value.trim().eq_ignore_ascii_case(word))
            };
            if is("name", "robots") || ROBOTS.iter().any(|robot| is("name", robot)) {
                robots.take(content, "meta robots");
            }
            if is("http-equiv", "content-security-policy") {
                heads.policies.insert(url.to_owned());
            }
        }
    }
    if robots != Robots::default() {
        heads.robots.insert(url.to_owned(), robots);
    }
    let charset: Option<&str> = row.at(4)?;
    let repeated = parse::repeated_ids(&parse::decoded(body, charset));
    if !repeated.is_empty() {
        heads.repeated_ids.push((url.to_owned(), told(&repeated)));
    }
    heads.charsets.extend(charset_fault(content_type, charset, body).map(|fault| (url.to_owned(), fault)));
    Ok(())
}

/// What is wrong with the encoding that a page names.
fn charset_fault(content_type: &str, charset: Option<&str>, body: &[u8]) -> Option<String> {
    if let Some([header, document]) = parse::contradicting_charsets(content_type, body) {
        return Some(format!("{header} in the header, {document} in the document"));
    }
    // What is not UTF-8 is read as such only if the page says so.
    let problem =
        std::str::from_utf8(body).err().filter(|_| charset.is_some_and(|name| name.eq_ignore_ascii_case("utf-8")))?;
    Some(format!("it says UTF-8, and its byte {} is none", problem.valid_up_to() + 1))
}

/// Ids that are told of one page, and characters of each.
const IDS: usize = 5;
const ID: usize = 50;

fn told(ids: &[String]) -> String {
    let shown: Vec<_> = ids.iter().take(IDS).map(|id| id.chars().take(ID).collect::<String>()).collect();
    let more = ids.len().saturating_sub(IDS);
    shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}
