//! What a redirect is, and where it leads: on, back with a cookie, or round in a loop.

use http::HeaderMap;
use http::header::{HeaderValue, LOCATION};

use crate::canonical::CanonicalUrl;
use crate::visit::{Failure, FailureKind, Millis, UrlId};

/// Redirects in a row that are followed in search of a loop, at most.
pub const MAX_HOPS: u32 = 100;

/// Where a response redirects to: one with a redirect status (Fetch standard, section 3.1) and a `Location` that says
/// something. Its body then says nothing. Without a `Location` it is a page like any, as in browsers, which show its body.
pub fn location(status: u16, headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut locations = headers.get_all(LOCATION).into_iter();
    locations.find(|value| !value.is_empty()).filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308))
}

/// Whether a response redirects to its own URL. Asked again, such a URL may answer: with a cookie that the response set, or
/// because something has come about meanwhile.
pub fn leads_to_itself(url: &CanonicalUrl, status: u16, headers: &HeaderMap) -> bool {
    let target = location(status, headers).map(|location| String::from_utf8_lossy(location.as_bytes()));
    target.is_some_and(|target| CanonicalUrl::join(url.url(), &target).as_ref() == Ok(url))
}

/// What the redirects in a row that led back to a URL in this run are multiplied with as they are stored. The rest of the
/// number are those by which it was found, which is what a new run goes by: a way back that was gone in one does not lengthen
/// those of the next.
const AGAIN: u32 = 1 << 16;

/// The redirects in a row by which a URL was found, of the stored number.
pub fn found_by(stored: u32) -> u32 {
    stored % AGAIN
}

/// The redirects in a row that led to a URL last, of the stored number.
pub fn led_by(stored: u32) -> u32 {
    if stored >= AGAIN { stored / AGAIN } else { stored }
}

/// A stored redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    pub to: UrlId,
    pub fetched_at: Millis,
    pub sets_cookie: bool,
}

/// Where a redirect leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    On,
    /// To a URL that led here. A cookie was set on the way, with which it may answer: it is asked again.
    Back,
    /// To a URL that led here, and would again.
    Round,
}

impl Way {
    /// Judges a redirect of the page `from`; `hop` is that redirect, and `chain` holds the stored ones that lead on from its
    /// target, in their order. What was seen before `since`, the beginning of the run, need not hold any more. The hops in a
    /// row bound how often a URL is asked again.
    pub fn of(from: UrlId, hop: Hop, chain: &[Hop], since: Millis, keeps_cookies: bool) -> Self {
        let current = chain.iter().take_while(|hop| hop.fetched_at >= since);
        let back = current.clone().position(|hop| hop.to == from);
        let is_round = hop.to == from || back.is_some();
        let sets_cookie = hop.sets_cookie || current.take(back.map_or(0, |at| at + 1)).any(|hop| hop.sets_cookie);
        match is_round {
            false => Self::On,
            true if keeps_cookies && sets_cookie && hop.to != from => Self::Back,
            true => Self::Round,
        }
    }
}

/// How the message of a failure begins and ends that closes a loop. Between them stands where its redirect leads.
const ROUND: [&str; 2] = ["redirects to ", ", which leads back here"];

/// What a redirect to `next` ends as that closes a loop.
pub fn round(next: &CanonicalUrl) -> Failure {
    Failure::new(FailureKind::Redirect, ROUND.join(next.as_str()))
}

/// Where the redirect of a failure leads that closed a loop, by its message; None of any other failure.
pub fn led_round(message: &str) -> Option<&str> {
    message.strip_prefix(ROUND[0])?.strip_suffix(ROUND[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_to_its_own_url_is_told_however_it_is_written() {
        let url = CanonicalUrl::parse("http://a.test/x?y").unwrap();
        let leads = |status, location: &'static str| {
            let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static(location))]);
            leads_to_itself(&url, status, &headers)
        };
        for location in ["http://a.test/x?y", "HTTP://A.test:80/x?y#z", "/x?y", "?y", "#z", "./x?y"] {
            assert!(leads(302, location), "{location}");
        }
        assert!(!leads(200, "/x?y") && !leads(302, "/x") && !leads(302, "https://a.test/x?y") && !leads(302, ""));
    }

    /// The way of a redirect from 1 in a run that began at 5.
    fn way(to: UrlId, chain: &[(UrlId, Millis)], cookie_of: Option<UrlId>, keeps_cookies: bool) -> Way {
        let hop = |&(to, fetched_at): &(UrlId, Millis)| Hop { to, fetched_at, sets_cookie: cookie_of == Some(to) };
        Way::of(1, hop(&(to, 5)), &chain.iter().map(hop).collect::<Vec<_>>(), 5, keeps_cookies)
    }

    #[test]
    fn a_redirect_closes_a_loop_if_the_way_leads_back() {
        let is_round = |to, chain: &[_]| matches!(way(to, chain, None, true), Way::Round);
        assert!(is_round(1, &[]), "to itself");
        assert!(is_round(2, &[(3, 5), (1, 5)]));
        assert!(!is_round(2, &[(3, 5), (4, 5)]));
        assert!(!is_round(2, &[]));
        assert!(!is_round(2, &[(3, 4), (1, 5)]), "what an earlier run saw ends the chain");
    }

    #[test]
    fn a_way_back_on_which_a_cookie_was_set_is_gone_once_more() {
        for to in [2, 3, 1] {
            assert_eq!(way(2, &[(3, 5), (1, 5), (2, 5)], Some(to), true), Way::Back, "by the redirect to {to}");
            assert!(matches!(way(2, &[(3, 5), (1, 5)], Some(to), false), Way::Round), "nobody keeps it");
        }
        assert!(matches!(way(2, &[(1, 5), (4, 5)], Some(4), true), Way::Round), "behind the loop");
        assert!(matches!(way(1, &[], Some(1), true), Way::Round), "what leads to itself was asked often enough");
        assert_eq!(way(2, &[(4, 5)], Some(2), true), Way::On);
    }

    #[test]
    fn a_failure_that_closed_a_loop_tells_where_its_redirect_leads() {
        let next = CanonicalUrl::parse("http://a.test/x?y, which").unwrap();
        assert_eq!(led_round(&round(&next).message), Some(next.as_str()));
        assert_eq!(led_round("more than 10 redirects in a row"), None);
    }

    #[test]
    fn a_redirect_is_told_by_its_status_and_its_first_location_that_says_something() {
        let of = |status, locations: &[&'static str]| {
            let values = locations.iter().map(|&value| (LOCATION, HeaderValue::from_static(value)));
            location(status, &values.collect()).map(|value| value.to_str().unwrap().to_owned())
        };
        for status in [301, 302, 303, 307, 308] {
            assert_eq!(of(status, &["/a"]).as_deref(), Some("/a"), "{status}");
        }
        for status in [200, 201, 300, 304, 305, 306, 404] {
            assert_eq!(of(status, &["/a"]), None, "{status}");
        }
        assert_eq!(of(301, &["", "/b", "/c"]).as_deref(), Some("/b"));
        assert_eq!(of(301, &[""]), None);
        assert_eq!(of(301, &[]), None);
    }
}
