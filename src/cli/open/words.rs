//! Full-text search, twenty hits at a time.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use crate::cli::failure::Failure;
use crate::cli::output::printable;
use crate::cli::questions::words::{Found, search};
use crate::cli::words::counted;
use crate::read::{Database, Hit};

use super::frame::{Frame, render};
use super::site::Shared;
use super::table::{address, page_at};

/// Hits of a page, and how far they can be gone through.
const HITS: u32 = 20;
const MAX_SKIP: u32 = 1_000;

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Asked {
    words: String,
    host: String,
    skip: u32,
}

#[derive(Template)]
#[template(path = "open/search.html", whitespace = "minimize")]
struct Search {
    frame: Frame,
    asked: Asked,
    hits: Vec<Shown>,
    /// What is to be known of the answer.
    note: Option<String>,
    next: Option<String>,
}

struct Shown {
    href: String,
    url: String,
    title: String,
    /// Pieces of the snippet, and whether each is a word that was looked for.
    snippet: Vec<(String, bool)>,
}

pub async fn show(State(site): Shared, Query(asked): Query<Asked>) -> Response {
    site.show(move |db, frame| found(db, frame, asked), "/search").await
}

fn found(db: &Database, frame: Frame, asked: Asked) -> Result<String, Failure> {
    if asked.words.trim().is_empty() {
        return render(&Search { frame, asked, hits: vec![], note: None, next: None });
    }
    let skip = asked.skip.min(MAX_SKIP);
    let host = Some(asked.host.trim()).filter(|host| !host.is_empty());
    let Found { hits, unindexed } = search(db, &asked.words, host, skip + HITS + 1)?;
    let has_more = hits.len() > (skip + HITS) as usize && skip < MAX_SKIP;
    let hits: Vec<_> = hits.into_iter().skip(skip as usize).take(HITS as usize).map(shown).collect();
    let next = (skip + HITS).to_string();
    let next = has_more.then(|| address("/search", &[("words", &asked.words), ("host", &asked.host), ("skip", &next)]));
    let note = note(hits.is_empty() && skip == 0, unindexed);
    render(&Search { frame, asked, hits, note, next })
}

fn note(is_empty: bool, unindexed: i64) -> Option<String> {
    let unindexed = (unindexed > 0).then(|| {
        format!(
            "{} not in the full-text index yet, and looked through for the words as they stand, in no order; \
             `harvestman search` or `crawl --index` brings the index up to date.",
            counted(unindexed, "page") + if unindexed == 1 { " is" } else { " are" }
        )
    });
    match (is_empty, unindexed) {
        (true, Some(unindexed)) => Some(format!("No page holds these words. {unindexed}")),
        (true, None) => Some("No page holds these words.".to_owned()),
        (false, unindexed) => unindexed,
    }
}

fn shown(hit: Hit) -> Shown {
    let title = hit.title.as_deref().filter(|title| !title.is_empty()).map_or("(no title)".into(), printable);
    Shown { href: page_at(&hit.url), url: printable(&hit.url), title, snippet: pieces(&hit.snippet) }
}

/// The snippet without its marks.
fn pieces(snippet: &str) -> Vec<(String, bool)> {
    let mut is_word = false;
    let pieces = snippet.split_inclusive(Hit::MARKS).map(|piece| {
        let text = printable(piece.trim_end_matches(Hit::MARKS));
        (text, std::mem::replace(&mut is_word, piece.ends_with(Hit::MARKS[0])))
    });
    pieces.collect()
}
