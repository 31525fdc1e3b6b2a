//! What a redirect is, and what it does: whether it closes a loop.

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

/// A stored redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    pub to: UrlId,
    pub fetched_at: Millis,
}

/// How a page fails whose redirect closes a loop; none if it closes none.
pub fn closed_loop(from: UrlId, to: UrlId, chain: &[Hop], since: Millis) -> Option<Failure> {
    let failure = || Failure::new(FailureKind::Redirect, "the redirects lead back to this URL");
    closes_loop(from, to, chain, since).then(failure)
}

/// Whether a redirect from `from` to `to` closes a loop. `chain` holds the stored redirects that lead on from `to`, in
/// their order; what was seen before `since`, the beginning of the run, need not hold any more.
fn closes_loop(from: UrlId, to: UrlId, chain: &[Hop], since: Millis) -> bool {
    from == to || chain.iter().take_while(|hop| hop.fetched_at >= since).any(|hop| hop.to == from)
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

    #[test]
    fn a_redirect_closes_a_loop_if_the_way_leads_back() {
        let hop = |to, fetched_at| Hop { to, fetched_at };
        assert!(closes_loop(1, 1, &[], 0), "to itself");
        assert!(closes_loop(1, 2, &[hop(3, 5), hop(1, 5)], 5));
        assert!(!closes_loop(1, 2, &[hop(3, 5), hop(4, 5)], 5));
        assert!(!closes_loop(1, 2, &[], 5));
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

    #[test]
    fn what_an_earlier_run_saw_ends_the_chain() {
        let hop = |to, fetched_at| Hop { to, fetched_at };
        assert!(!closes_loop(1, 2, &[hop(3, 4), hop(1, 5)], 5));
    }
}
