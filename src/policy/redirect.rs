//! What a redirect is, and what it does: whether it closes a loop.

use http::HeaderMap;
use http::header::{HeaderValue, LOCATION};

use crate::visit::{Millis, UrlId};

/// Redirects in a row that are followed in search of a loop, at most.
pub const MAX_HOPS: u32 = 100;

/// Where a response redirects to: one with a redirect status (Fetch standard, section 3.1) and a `Location` that says
/// something. Its body then says nothing. Without a `Location` it is a page like any, as in browsers, which show its body.
pub fn location(status: u16, headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut locations = headers.get_all(LOCATION).into_iter();
    locations.find(|value| !value.is_empty()).filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308))
}

/// A stored redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    pub to: UrlId,
    pub fetched_at: Millis,
}

/// Whether a redirect from `from` to `to` closes a loop. `chain` holds the stored redirects that lead on from `to`, in
/// their order; what was seen before `since`, the beginning of the run, need not hold any more.
pub fn closes_loop(from: UrlId, to: UrlId, chain: &[Hop], since: Millis) -> bool {
    from == to || chain.iter().take_while(|hop| hop.fetched_at >= since).any(|hop| hop.to == from)
}

#[cfg(test)]
mod tests {
    use super::*;

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
