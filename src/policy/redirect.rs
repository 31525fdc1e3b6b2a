//! What a redirect does: whether it closes a loop.

use crate::visit::{Millis, UrlId};

/// Redirects in a row that are followed in search of a loop, at most.
pub const MAX_HOPS: u32 = 100;

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
    fn what_an_earlier_run_saw_ends_the_chain() {
        let hop = |to, fetched_at| Hop { to, fetched_at };
        assert!(!closes_loop(1, 2, &[hop(3, 4), hop(1, 5)], 5));
    }
}
