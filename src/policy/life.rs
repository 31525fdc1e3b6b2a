//! The life of a page from answer to answer: new, changed, gone, restored, and what is remembered of it.

use crate::policy::due::Rules;
use crate::policy::kept::Kept;
use crate::visit::{Millis, UrlId};

/// What became of a page between two answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It answers for the first time, with 2xx or 3xx.
    New,
    /// Other bytes, or another redirect target, than when it answered last.
    Changed,
    /// It answers 404 or 410. No other status and no failure makes a page gone.
    Gone,
    /// It answers again after it was gone.
    Restored,
}

impl Change {
    /// The word used in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::Restored => "restored",
        }
    }
}

/// What is remembered of a page from answer to answer, whatever statuses lie between.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Life {
    /// What it was when it answered last with 2xx or 3xx; none if it never did.
    pub fingerprint: Option<String>,
    pub gone: bool,
}

impl Life {
    /// Takes in the next answer and says what it changes.
    pub fn advance(&mut self, status: u16, fingerprint: String) -> Option<Change> {
        match status {
            404 | 410 => {
                let is_news = self.fingerprint.is_some() && !self.gone;
                self.gone |= is_news;
                is_news.then_some(Change::Gone)
            }
            // A 304 to a request without conditions: it refers to no stored answer, so nothing follows from it.
            304 => None,
            200..=399 => {
                let change = match &self.fingerprint {
                    None => Some(Change::New),
                    Some(_) if self.gone => Some(Change::Restored),
                    Some(old) => differ(old, &fingerprint).then_some(Change::Changed),
                };
                *self = Self { fingerprint: Some(fingerprint), gone: false };
                change
            }
            _ => None,
        }
    }
}

/// What a page is told by from answer to answer: its redirect target, else its bytes, else what the server says of them.
pub fn fingerprint(target: Option<UrlId>, hash: Option<&str>, etag: Option<&str>, modified: Option<&str>) -> String {
    let told = [("sha256", hash), ("etag", etag.map(strong)), ("modified", modified)];
    let by = |(kind, value): (&str, Option<&str>)| value.map(|value| format!("{kind} {value}"));
    target.map(|id| format!("to {id}")).or_else(|| told.into_iter().find_map(by)).unwrap_or_default()
}

/// The opaque part of an ETag: weak comparison leaves out the mark of weakness (RFC 9110, section 8.8.3.2).
fn strong(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag)
}

/// Whether two fingerprints tell of a change: bytes and redirects do; that more or less is known of a page does not.
fn differ(old: &str, new: &str) -> bool {
    let kind = |fingerprint: &str| fingerprint.split_once(' ').map_or(String::new(), |(kind, _)| kind.to_owned());
    let is_sure = |fingerprint: &str| matches!(kind(fingerprint).as_str(), "to" | "sha256");
    old != new && (kind(old) == kind(new) || (is_sure(old) && is_sure(new)))
}

/// A page as it stood before the answer at hand.
#[derive(Debug, Clone, Default)]
pub struct Past {
    pub status: u16,
    pub content_hash: Option<String>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub fetched_at: Millis,
    pub changed_at: Millis,
    pub fresh_until: Option<Millis>,
    pub interval: Option<Millis>,
    pub life: Life,
    /// Run and time of its first good answer.
    pub new: Option<(i64, Millis)>,
    pub kept: Kept,
}

/// The answer at hand, as far as it is compared with the one before.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    pub status: u16,
    pub fetched_at: Millis,
    pub content_hash: Option<&'a str>,
    pub etag: Option<&'a str>,
    pub last_modified: Option<&'a str>,
    pub redirect_to: Option<UrlId>,
    /// Until when the answer says that it is fresh.
    pub fresh_until: Option<Millis>,
}

/// What is remembered of a page besides its latest response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    pub life: Life,
    /// Run and time of its first good answer.
    pub new: Option<(i64, Millis)>,
    pub interval: Option<Millis>,
    pub changed_at: Millis,
    pub change: Option<Change>,
    /// The same status and content as before.
    pub unchanged: bool,
}

impl Memory {
    /// What an answer in the given run makes of what was known of the page.
    pub fn after(answer: &Answer<'_>, past: Option<&Past>, run: i64, rules: &Rules) -> Self {
        let fingerprint = fingerprint(answer.redirect_to, answer.content_hash, answer.etag, answer.last_modified);
        let unchanged = past.is_some_and(|past| past.is_still(answer, &fingerprint));
        let mut life = past.map(|past| past.life.clone()).unwrap_or_default();
        let change = life.advance(answer.status, fingerprint);
        let new = match change {
            Some(Change::New) => Some((run, answer.fetched_at)),
            _ => past.and_then(|past| past.new),
        };
        // A server in trouble says nothing of how often its pages change.
        let interval = match past {
            Some(past) if answer.status < 500 => Some(rules.next_interval(past.interval, change.is_some())),
            Some(past) => past.interval,
            None => None,
        };
        let changed_at = match past {
            Some(past) if change.is_none() => past.changed_at,
            _ => answer.fetched_at,
        };
        Self { life, new, interval, changed_at, change, unchanged }
    }
}

/// What a 304 makes of the page that it says is still as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    pub interval: Millis,
    pub fresh_until: Option<Millis>,
    pub kept: Kept,
}

impl Past {
    /// What the answer renews, if it is a 304: the page stays the latest response. Where nothing but a 304 is stored, there
    /// is no page that it could renew, and it is stored as it came.
    pub fn renewed_by(&self, answer: &Answer<'_>, rules: &Rules) -> Option<Renewal> {
        let renews = answer.status == 304 && self.status != 304;
        renews.then(|| Renewal {
            interval: rules.next_interval(self.interval, false),
            fresh_until: self.fresh_after(answer.fetched_at, answer.fresh_until),
            kept: self.kept_after(answer.etag, answer.last_modified),
        })
    }

    /// Whether the answer has the same status and, by its redirect target, its bytes or else its validators, the same
    /// content.
    fn is_still(&self, answer: &Answer<'_>, fingerprint: &str) -> bool {
        if self.status != answer.status {
            return false;
        }
        let is_redirect = answer.redirect_to.is_some();
        if !is_redirect && answer.content_hash.is_some() {
            return self.content_hash.as_deref() == answer.content_hash;
        }
        let told = !fingerprint.is_empty() && self.life.fingerprint.as_deref() == Some(fingerprint);
        told && (is_redirect || self.content_hash.is_none())
    }

    /// Whether it is a page with content that the next answer replaces by another. What goes with errors is not kept.
    pub fn is_worth_keeping(&self, next_hash: Option<&str>) -> bool {
        matches!(self.status, 200..=299) && self.content_hash.is_some() && self.content_hash.as_deref() != next_hash
    }

    /// Until when the page is fresh after a 304: one that says nothing of it leaves it as long as it was.
    fn fresh_after(&self, at: Millis, told: Option<Millis>) -> Option<Millis> {
        told.or_else(|| Some(at + (self.fresh_until? - self.fetched_at)))
    }

    /// What counts as kept after a 304: nothing if it tells of another version than the stored one, so that the next
    /// request is made without condition.
    fn kept_after(&self, etag: Option<&str>, last_modified: Option<&str>) -> Kept {
        let differs = |old: Option<&str>, new: Option<&str>| old.zip(new).is_some_and(|(old, new)| old != new);
        let is_another = differs(self.etag.as_deref().map(strong), etag.map(strong))
            || differs(self.last_modified.as_deref(), last_modified);
        if is_another { Kept::NOTHING } else { self.kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Recrawl};

    fn changes(answers: &[(u16, &str)]) -> Vec<&'static str> {
        let mut life = Life::default();
        let change = |(status, body): &(u16, &str)| life.advance(*status, (*body).to_owned());
        answers.iter().map(change).map(|change| change.map_or("", Change::as_str)).collect()
    }

    #[test]
    fn a_page_is_new_then_changed_gone_and_restored() {
        let answers = [(200, "a"), (200, "a"), (200, "b"), (404, "x"), (410, "y"), (200, "b"), (301, "c")];
        assert_eq!(changes(&answers), ["new", "", "changed", "gone", "", "restored", "changed"]);
    }

    #[test]
    fn no_other_status_changes_anything() {
        assert_eq!(changes(&[(200, "a"), (503, "x"), (403, "x"), (500, "y"), (200, "a")]), ["new", "", "", "", ""]);
        assert_eq!(changes(&[(404, "x"), (503, "x"), (304, ""), (200, "a")]), ["", "", "", "new"]);
        assert_eq!(changes(&[(200, "a"), (404, "x"), (503, "y"), (404, "x")]), ["new", "gone", "", ""]);
    }

    #[test]
    fn other_settings_are_no_change_but_another_redirect_is() {
        let told = |hash, etag| fingerprint(None, hash, etag, None);
        let (bytes, tag) = (told(Some("1"), Some("\"a\"")), told(None, Some("\"a\"")));
        let changes = |answers: [String; 2]| {
            let mut life = Life::default();
            answers.map(|answer| life.advance(200, answer)).map(|change| change.map_or("", Change::as_str))
        };
        assert_eq!(changes([bytes.clone(), tag.clone()]), ["new", ""]);
        assert_eq!(changes([tag, told(None, Some("W/\"a\""))]), ["new", ""]);
        assert_eq!(changes([told(None, Some("\"a\"")), told(None, Some("\"b\""))]), ["new", "changed"]);
        assert_eq!(changes([bytes, fingerprint(Some(7), Some("1"), None, None)]), ["new", "changed"]);
    }

    fn after(answer: Answer<'_>, past: Option<&Past>) -> Memory {
        Memory::after(&answer, past, 3, &Rules::of(&Config::default()))
    }

    fn answer(status: u16, content_hash: Option<&str>) -> Answer<'_> {
        let (etag, last_modified, redirect_to, fresh_until) = Default::default();
        Answer { status, fetched_at: 50, content_hash, etag, last_modified, redirect_to, fresh_until }
    }

    fn past(hash: &str) -> Past {
        let life = Life { fingerprint: Some(format!("sha256 {hash}")), gone: false };
        Past {
            status: 200,
            content_hash: Some(hash.to_owned()),
            changed_at: 10,
            life,
            new: Some((1, 10)),
            ..Past::default()
        }
    }

    #[test]
    fn a_first_answer_is_new_and_the_same_bytes_are_unchanged() {
        let first = after(answer(200, Some("a")), None);
        assert_eq!(
            (first.change, first.new, first.interval, first.changed_at),
            (Some(Change::New), Some((3, 50)), None, 50)
        );
        let same = after(answer(200, Some("a")), Some(&past("a")));
        assert_eq!((same.change, same.new, same.changed_at, same.unchanged), (None, Some((1, 10)), 10, true));
        let other = after(answer(200, Some("b")), Some(&past("a")));
        assert_eq!((other.change, other.changed_at, other.unchanged), (Some(Change::Changed), 50, false));
        assert!(other.interval < same.interval);
    }

    #[test]
    fn a_server_in_trouble_changes_no_interval() {
        let old = Past { interval: Some(7), ..past("a") };
        assert_eq!(after(answer(503, Some("x")), Some(&old)).interval, Some(7));
    }

    #[test]
    fn validators_alone_tell_that_a_page_without_a_body_is_unchanged() {
        let told = |etag| Answer { etag: Some(etag), ..answer(200, None) };
        let life = Life { fingerprint: Some("etag \"1\"".to_owned()), gone: false };
        let old = Past { status: 200, life, ..Past::default() };
        assert!(after(told("W/\"1\""), Some(&old)).unchanged && !after(told("\"2\""), Some(&old)).unchanged);
        assert!(!after(answer(200, None), Some(&old)).unchanged, "nothing is told of it");
    }

    #[test]
    fn content_is_kept_only_of_good_pages_that_change() {
        assert!(past("a").is_worth_keeping(Some("b")) && past("a").is_worth_keeping(None));
        assert!(!past("a").is_worth_keeping(Some("a")));
        assert!(!Past { status: 404, ..past("a") }.is_worth_keeping(Some("b")));
    }

    #[test]
    fn a_304_renews_the_page_that_is_stored_and_nothing_else() {
        let rules = Rules::of(&Config { recrawl_after: Recrawl::Auto, ..Config::default() });
        let hour = 3_600_000;
        let old = Past { interval: Some(10 * hour), ..past("a") };
        let renewal = old.renewed_by(&answer(304, None), &rules).unwrap();
        assert_eq!(renewal, Renewal { interval: 14 * hour, fresh_until: None, kept: old.kept });
        assert_eq!(old.renewed_by(&answer(200, Some("a")), &rules), None);
        assert_eq!(Past { status: 304, ..old }.renewed_by(&answer(304, None), &rules), None, "there is no page");
    }

    #[test]
    fn a_304_leaves_freshness_as_long_as_it_was_and_may_tell_of_another_version() {
        let old = Past {
            fetched_at: 100,
            fresh_until: Some(160),
            etag: Some("\"1\"".to_owned()),
            kept: Kept::of(&Config::default()),
            ..past("a")
        };
        assert_eq!((old.fresh_after(500, None), old.fresh_after(500, Some(501))), (Some(560), Some(501)));
        assert_eq!((old.kept_after(None, None), old.kept_after(Some("W/\"1\""), Some("x"))), (old.kept, old.kept));
        assert_eq!(old.kept_after(Some("\"2\""), None), Kept::NOTHING);
    }
}
