//! What is kept of a page by which settings, and what the next request for it may be conditional on.

use std::time::{Duration, SystemTime};

use crate::config::{Config, ToCheck};
use crate::visit::{Millis, Validators};

/// What was kept of a page when it was fetched, or is wanted of it: a set, stored as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept(pub u8);

impl Kept {
    pub const NOTHING: Self = Self(0);
    const BODY: u8 = 1;
    const LINKS: u8 = 2;
    const TEXT: u8 = 4;
    const SITEMAP: u8 = 8;
    pub const FRAGMENTS: u8 = 16;
    pub const RESOURCES: u8 = 32;

    /// What the settings keep of every page.
    pub fn of(config: &Config) -> Self {
        let bits = [
            (config.store_bodies, Self::BODY),
            (config.store_links, Self::LINKS),
            (config.store_text, Self::TEXT),
            (config.sitemaps, Self::SITEMAP),
            (config.checks_fragments(), Self::FRAGMENTS),
            (config.check.contains(&ToCheck::Resources), Self::RESOURCES),
        ];
        Self(bits.iter().filter(|(is_kept, _)| *is_kept).map(|(_, bit)| bit).sum())
    }

    fn covers(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

/// What is stored of the links of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    Whole,
    /// Between which URLs they are, along which depths are handed on; until the run ends.
    Edges,
    Nothing,
}

impl Links {
    pub fn of(config: &Config) -> Self {
        match config.max_depth {
            _ if config.store_links => Self::Whole,
            Some(_) => Self::Edges,
            None => Self::Nothing,
        }
    }
}

/// A stored page, as far as a request for it may be conditional on it.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    pub status: u16,
    pub kept: Kept,
    pub has_content: bool,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// The `Date` of the response.
    pub date: Option<String>,
    pub fetched_at: Millis,
}

impl Stored {
    /// What the next request may be conditional on: only if all that the settings want of the page is there.
    pub fn condition(self, config: &Config) -> Option<Validators> {
        // Edges are there no more.
        let reads_links = Links::of(config) == Links::Edges;
        let is_whole = self.status == 200 && self.has_content && self.kept.covers(Kept::of(config));
        if !is_whole || reads_links {
            return None;
        }
        validators(self.etag, self.last_modified, self.date.as_deref(), self.fetched_at)
    }
}

/// What the next request may be conditional on (RFC 9110, section 13.1). A date counts only if it is older than the
/// answer that named it, by the server's own clock where it told the time: within one second a page can change again
/// (section 8.8.2.2), and a date to come says nothing.
fn validators(
    etag: Option<String>,
    last_modified: Option<String>,
    date: Option<&str>,
    fetched_at: Millis,
) -> Option<Validators> {
    let ours = || SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(fetched_at).unwrap_or(0));
    let answered = date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(ours);
    let is_settled = |text: &String| {
        httpdate::parse_http_date(text).is_ok_and(|modified| modified + Duration::from_secs(1) <= answered)
    };
    let etag = etag.filter(|etag| etag.bytes().all(|byte| byte.is_ascii_graphic()) && !etag.is_empty());
    let last_modified = last_modified.filter(is_settled);
    (etag.is_some() || last_modified.is_some()).then_some(Validators { etag, last_modified })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_validator_only_if_it_was_past_when_the_server_named_it() {
        let since = |modified: &str, date: Option<&str>| {
            let at = 1_700_000_000_000; // Tue, 14 Nov 2023 22:13:20 GMT
            validators(None, Some(modified.to_owned()), date, at).and_then(|v| v.last_modified).is_some()
        };
        let noon = "Mon, 06 Nov 2023 12:00:00 GMT";
        assert!(since(noon, Some("Mon, 06 Nov 2023 12:00:01 GMT")));
        assert!(!since(noon, Some(noon)), "it may change again within the second");
        assert!(!since(noon, Some("Sun, 05 Nov 2023 12:00:00 GMT")), "a date to come");
        assert!(since(noon, None) && since(noon, Some("yesterday")));
        assert!(!since("Tue, 14 Nov 2023 22:13:20 GMT", None));
        assert!(!since("yesterday", Some(noon)));
    }

    #[test]
    fn an_etag_is_sent_back_as_it_came_unless_no_header_holds_it() {
        let etag = |text: &str| validators(Some(text.to_owned()), None, None, 0).and_then(|v| v.etag);
        assert_eq!(etag("W/\"a\"").as_deref(), Some("W/\"a\""));
        assert_eq!((etag(""), etag("\"ü\""), etag("\"a\nb\"")), (None, None, None));
    }

    #[test]
    fn a_request_is_conditional_only_if_all_that_is_wanted_of_the_page_is_kept() {
        let all = Config::default();
        let stored = |config: &Config| Stored {
            status: 200,
            kept: Kept::of(config),
            has_content: true,
            etag: Some("\"1\"".to_owned()),
            ..Stored::default()
        };
        let no_bodies = Config { store_bodies: false, ..Config::default() };
        assert!(stored(&all).condition(&all).is_some() && stored(&all).condition(&no_bodies).is_some());
        assert!(stored(&no_bodies).condition(&all).is_none(), "the body is wanted now");
        assert!(Stored { status: 404, ..stored(&all) }.condition(&all).is_none());
        assert!(Stored { has_content: false, ..stored(&all) }.condition(&all).is_none());
        let passes_depth_on = Config { store_links: false, max_depth: Some(3), ..Config::default() };
        assert!(stored(&all).condition(&passes_depth_on).is_none());
    }
}
