//! A page's main content: what it is there for, without navigation, advertisements and notices.

mod markdown;
mod tree;

use std::time::Duration;

use dom_smoothie::{CandidateSelectMode, Config, Readability};
use jiff::Timestamp;
use jiff::civil::Date;

use super::page::Page;
use super::values::storable;
use super::words;
use crate::parse;

/// How long the text of a main content is read.
const TIME: Duration = Duration::from_secs(5);

/// A main content with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    pub title: Option<String>,
    pub author: Option<String>,
    /// ISO 8601: in UTC, or a day.
    pub published_at: Option<String>,
    /// As the page has it.
    pub language: Option<String>,
    /// Of the text.
    pub words: u64,
    /// A line for each block.
    pub text: String,
    pub markdown: String,
}

impl Article {
    /// Finds the main content as Mozilla's Readability does, by how much text and how few links there are in an element and
    /// beside it. None where there is none.
    pub fn of(page: &Page) -> Option<Self> {
        let config = Config {
            // Several parts beside each other, such as answers, are one content more often than by Readability's own way.
            candidate_select_mode: CandidateSelectMode::DomSmoothie,
            ..Config::default()
        };
        // URLs are absolute in the copy.
        let mut reader = Readability::with_document(tree::copied(page), None, Some(config)).ok()?;
        let found = reader.parse().ok()?;
        let text = text_of(page, &found.content);
        let words = words::count(&text);
        let some = |text: String| Some(storable(text.trim())).filter(|text| !text.is_empty());
        (words > 0).then(|| Self {
            title: some(found.title),
            author: found.byline.and_then(some),
            published_at: found.published_time.and_then(|time| moment(time.trim())),
            language: page.language.clone(),
            words,
            text,
            markdown: markdown::of(found.content),
        })
    }
}

/// The readable text of HTML, as the text of pages is read.
fn text_of(page: &Page, html: &str) -> String {
    parse::parse_html(&page.url, html, "", TIME).text
}

/// A time as pages write it, in UTC; where no offset from UTC is told, the day.
fn moment(text: &str) -> Option<String> {
    let moment: Option<Timestamp> = text.parse().ok();
    let day = || Some(text.get(..10)?.parse::<Date>().ok()?.to_string());
    moment.map(|moment| format!("{moment:.0}")).or_else(day)
}

#[cfg(test)]
mod tests;
