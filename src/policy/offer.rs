//! What a link offers its target: the depth it takes, whether it is fetched, whether it is read as a sitemap.

use crate::canonical::{CanonicalUrl, Host};
use crate::visit::{Candidate, Element, SkipReason, State, TrapId, UrlId};

/// Where a link was found: a page, or robots.txt, which has no row.
#[derive(Debug, Clone, Copy, Default)]
pub struct Source {
    pub id: Option<UrlId>,
    pub depth: u32,
    pub hops: u32,
}

/// The best that the links of a batch say of one URL.
#[derive(Debug, Clone)]
pub struct Offer<'a> {
    pub url: &'a CanonicalUrl,
    pub host: Host,
    pub depth: u32,
    pub hops: u32,
    pub skip: Option<&'a SkipReason>,
    pub follow: bool,
    /// None for what robots.txt names.
    pub referrer: Option<UrlId>,
    /// Its level, if it is named as a sitemap.
    pub sitemap: Option<u32>,
    /// What pays for it; none if one of the followed links names it freely.
    pub trap: Option<TrapId>,
    /// robots.txt or a sitemap index names it as a sitemap; it is more than the target of a sitemap's redirect.
    listed: bool,
}

/// A URL as it is stored.
#[derive(Debug, Clone)]
pub struct Standing {
    pub id: UrlId,
    pub state: State,
    pub depth: u32,
    pub hops: u32,
    pub reason: Option<SkipReason>,
    /// A followed link leads there.
    pub followed: bool,
    pub is_sitemap: bool,
    pub trap: Option<TrapId>,
}

impl Standing {
    /// Whether it is skipped for the links that lead to it, as one that nobody knew may be: a better one opens it.
    pub fn is_left_to_links(&self) -> bool {
        self.state == State::Skipped && is_decided_by_link(self.reason.as_ref())
    }
}

/// What becomes of a stored URL by an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub depth: u32,
    pub hops: u32,
    pub state: State,
    pub reason: Option<SkipReason>,
    pub followed: bool,
    /// The source of the offer is the URL's referrer from now on.
    pub nearer: bool,
    /// The level by which it becomes a sitemap.
    pub sitemap: Option<u32>,
    pub trap: Option<TrapId>,
    /// The URL becomes pending, or it is pending as a page and becomes a sitemap.
    pub opens: bool,
    /// Anything differs from what is stored.
    pub is_news: bool,
    /// No better link can change its state any more.
    pub settled: bool,
}

/// Whether a response of this status is an error page: its links are stored and not followed.
pub fn is_error(status: u16) -> bool {
    status >= 400
}

/// How deep and how many redirects on a link found at `source` leads.
pub fn depth_and_hops(source: Source, candidate: &Candidate) -> (u32, u32) {
    let hops = if candidate.element == Element::Redirect { source.hops + 1 } else { 0 };
    (candidate.way().depth_below(source.depth), hops)
}

impl<'a> Offer<'a> {
    pub fn new(source: Source, candidate: &'a Candidate) -> Self {
        let (depth, hops) = depth_and_hops(source, candidate);
        Self {
            url: &candidate.url,
            host: candidate.url.host(),
            depth,
            hops,
            skip: candidate.skip.as_ref(),
            follow: candidate.follow,
            referrer: source.id,
            sitemap: candidate.sitemap,
            trap: None,
            listed: candidate.sitemap.is_some() && candidate.element == Element::Sitemap,
        }
    }

    /// Keeps the better of two offers to one URL.
    pub fn merge(&mut self, other: &Self) {
        let rank = |offer: &Self| (!offer.follow, offer.skip.is_some(), offer.depth);
        self.hops = self.hops.min(other.hops);
        self.sitemap = self.sitemap.or(other.sitemap);
        self.listed |= other.listed;
        self.trap = match (self.follow, other.follow) {
            (true, true) => self.trap.and(other.trap),
            (true, false) => self.trap,
            (false, _) => other.trap,
        };
        if rank(other) < rank(self) {
            self.depth = other.depth;
            self.skip = other.skip;
            self.follow = other.follow;
            self.referrer = other.referrer;
        }
    }

    /// The state of a URL that nobody knew before.
    pub fn first_state(&self) -> State {
        if self.skip.is_some() { State::Skipped } else { State::Pending }
    }

    /// Whether no better link can change the state of a URL that nobody knew before.
    pub fn is_settled(&self) -> bool {
        self.follow && !is_decided_by_link(self.skip)
    }

    /// What becomes of a URL that is known already.
    pub fn improve(&self, old: &Standing) -> Outcome {
        let depth = match (self.follow, old.followed) {
            (true, true) => self.depth.min(old.depth),
            // So far only links led there that lend no depth.
            (true, false) => self.depth,
            (false, _) => old.depth,
        };
        let first_followed = self.follow && !old.followed;
        let hops = self.hops.min(old.hops);
        let becomes_sitemap = self.makes_sitemap(old);
        let reopens = becomes_sitemap || self.changes_skip(old);
        let opens = reopens && self.skip.is_none();
        let is_trap = self.skip == Some(&SkipReason::Trap);
        let trap = if opens || reopens && is_trap { self.trap } else { old.trap.filter(|_| !self.frees(old)) };
        Outcome {
            depth,
            hops,
            state: if opens { State::Pending } else { old.state },
            reason: if reopens { self.skip } else { old.reason.as_ref() }.cloned(),
            followed: old.followed || self.follow,
            nearer: depth < old.depth || first_followed,
            sitemap: self.sitemap.filter(|_| becomes_sitemap),
            trap,
            opens,
            is_news: depth != old.depth || hops < old.hops || reopens || first_followed || trap != old.trap,
            settled: (old.followed || self.follow) && (opens || !old.is_left_to_links()),
        }
    }

    /// Whether a URL for which an account would have to pay is named freely.
    fn frees(&self, old: &Standing) -> bool {
        old.state == State::Pending && self.follow && self.skip.is_none() && self.trap.is_none()
    }

    /// Whether this link is better than those that got the URL skipped.
    fn changes_skip(&self, old: &Standing) -> bool {
        old.is_left_to_links()
            && self.skip != old.reason.as_ref()
            && match old.reason {
                Some(SkipReason::Trap) => self.follow && self.skip.is_none() && self.trap != old.trap,
                _ => !matches!(self.skip, Some(SkipReason::Nofollow | SkipReason::ErrorPage)),
            }
    }

    /// Whether a URL that was read as a page, or left alone as one, is to be read as a sitemap.
    fn makes_sitemap(&self, old: &Standing) -> bool {
        let can_be_asked = match old.state {
            State::Skipped => {
                matches!(old.reason, Some(SkipReason::Scope | SkipReason::Excluded))
                    || is_decided_by_link(old.reason.as_ref())
            }
            // Where a redirect leads may well be the front page.
            State::Fetched | State::Failed => self.listed,
            State::Pending => true,
        };
        self.sitemap.is_some() && !old.is_sitemap && self.skip.is_none() && can_be_asked
    }
}

/// Whether a better link can change this.
fn is_decided_by_link(reason: Option<&SkipReason>) -> bool {
    matches!(reason, Some(SkipReason::Depth | SkipReason::Nofollow | SkipReason::ErrorPage | SkipReason::Trap))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(element: Element, skip: Option<SkipReason>, follow: bool) -> Candidate {
        let url = CanonicalUrl::parse("http://a.test/x").unwrap();
        Candidate { follow, skip, ..Candidate::new(url, element) }
    }

    fn at(depth: u32) -> Source {
        Source { id: Some(i64::from(depth)), depth, hops: 0 }
    }

    fn standing(state: State, depth: u32, reason: Option<SkipReason>) -> Standing {
        let followed = reason != Some(SkipReason::Nofollow);
        Standing { id: 1, state, depth, hops: 0, reason, followed, is_sitemap: false, trap: None }
    }

    #[test]
    fn a_shorter_path_takes_the_url_up_and_a_longer_one_changes_nothing() {
        let plain = link(Element::A, None, true);
        let nearer = Offer::new(at(1), &plain).improve(&standing(State::Fetched, 5, None));
        assert_eq!((nearer.depth, nearer.nearer, nearer.state, nearer.opens), (2, true, State::Fetched, false));
        let farther = Offer::new(at(7), &plain).improve(&standing(State::Fetched, 5, None));
        assert!(!farther.is_news && farther.depth == 5 && farther.settled);
    }

    #[test]
    fn the_better_of_two_links_in_a_batch_counts() {
        let (nofollow, deep) = (link(Element::A, Some(SkipReason::Nofollow), false), link(Element::A, None, true));
        let mut offer = Offer::new(at(0), &nofollow);
        offer.merge(&Offer::new(at(4), &deep));
        assert_eq!((offer.depth, offer.skip, offer.follow, offer.referrer), (5, None, true, Some(4)));
        offer.merge(&Offer::new(at(2), &deep));
        assert_eq!((offer.depth, offer.referrer), (3, Some(2)));
    }

    #[test]
    fn a_better_link_opens_what_depth_or_nofollow_held_back_and_nothing_else() {
        let plain = link(Element::A, None, true);
        let opens = |reason| Offer::new(at(0), &plain).improve(&standing(State::Skipped, 9, Some(reason))).opens;
        assert!(opens(SkipReason::Depth) && opens(SkipReason::Nofollow));
        assert!(!opens(SkipReason::Scope) && !opens(SkipReason::Robots) && !opens(SkipReason::Excluded));
        let nofollow = link(Element::A, Some(SkipReason::Nofollow), false);
        let same = Offer::new(at(0), &nofollow).improve(&standing(State::Skipped, 9, Some(SkipReason::Depth)));
        assert!(!same.is_news && !same.settled && same.depth == 9);
    }

    #[test]
    fn a_link_that_is_not_followed_lends_no_depth_until_one_is() {
        let plain = link(Element::A, None, true);
        let old = Standing { followed: false, ..standing(State::Skipped, 1, Some(SkipReason::Nofollow)) };
        let outcome = Offer::new(at(3), &plain).improve(&old);
        assert_eq!((outcome.depth, outcome.followed, outcome.nearer, outcome.opens), (4, true, true, true));
    }

    #[test]
    fn a_url_read_as_a_page_becomes_a_sitemap_once_it_is_listed_as_one() {
        let listed = Candidate { sitemap: Some(1), ..link(Element::Sitemap, None, true) };
        let redirected = Candidate { sitemap: Some(1), ..link(Element::Redirect, None, true) };
        let becomes = |candidate: &Candidate, old: &Standing| Offer::new(at(0), candidate).improve(old).sitemap;
        assert_eq!(becomes(&listed, &standing(State::Fetched, 1, None)), Some(1));
        assert_eq!(becomes(&redirected, &standing(State::Fetched, 1, None)), None, "it may be the front page");
        assert_eq!(becomes(&redirected, &standing(State::Pending, 1, None)), Some(1));
        assert_eq!(becomes(&listed, &standing(State::Skipped, 1, Some(SkipReason::Scope))), Some(1));
        assert_eq!(becomes(&listed, &standing(State::Skipped, 1, Some(SkipReason::Robots))), None);
        let known = Standing { is_sitemap: true, ..standing(State::Fetched, 1, None) };
        assert_eq!(becomes(&listed, &known), None);
    }

    #[test]
    fn redirects_are_counted_in_a_row() {
        let source = Source { hops: 2, ..at(1) };
        assert_eq!(depth_and_hops(source, &link(Element::Redirect, None, true)), (1, 3), "a redirect is no step");
        assert_eq!(depth_and_hops(source, &link(Element::A, None, true)), (2, 0));
    }

    #[test]
    fn a_link_on_an_error_page_changes_nothing_and_a_good_one_opens_what_it_named() {
        let on_error_page = link(Element::A, Some(SkipReason::ErrorPage), false);
        for reason in [SkipReason::Depth, SkipReason::Nofollow] {
            let outcome = Offer::new(at(0), &on_error_page).improve(&standing(State::Skipped, 9, Some(reason)));
            assert!(!outcome.is_news && !outcome.settled);
        }
        let old = Standing { followed: false, ..standing(State::Skipped, 1, Some(SkipReason::ErrorPage)) };
        let opened = Offer::new(at(3), &link(Element::A, None, true)).improve(&old);
        assert_eq!((opened.opens, opened.depth, opened.reason), (true, 4, None));
    }
}
