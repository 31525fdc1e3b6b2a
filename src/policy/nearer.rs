//! How a shorter path is handed on along what is stored, so that depth does not depend on the order of answers.

use std::collections::HashMap;

use serde::Serialize;

use crate::visit::{SkipReason, State, UrlId, Way};

/// A stored way from one URL to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub id: UrlId,
    pub depth: u32,
    pub source: UrlId,
    pub source_depth: u32,
    pub way: Way,
    /// The page lets crawlers follow it.
    pub follow: bool,
}

/// A URL to which a shorter path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Nearer {
    pub id: UrlId,
    pub depth: u32,
    /// Where the path comes from.
    pub referrer: UrlId,
}

/// The shortest of the paths by which the steps lead to a lesser depth than their target has. A link that is not followed
/// lends none.
pub fn nearer(steps: impl Iterator<Item = Step>) -> Vec<Nearer> {
    let mut nearest: HashMap<UrlId, Nearer> = HashMap::new();
    for Step { id, depth: old, source, source_depth, way, .. } in steps.filter(|step| step.follow) {
        let new = Nearer { id, depth: way.depth_below(source_depth), referrer: source };
        if new.depth < nearest.get(&id).map_or(old, |best| best.depth) {
            nearest.insert(id, new);
        }
    }
    nearest.into_values().collect()
}

/// Whether a URL that was too deep is so no more.
pub fn opens_nearer(state: State, reason: Option<&SkipReason>, depth: u32, max_depth: Option<u32>) -> bool {
    state == State::Skipped && reason == Some(&SkipReason::Depth) && max_depth.is_none_or(|max| depth <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_followed_path_counts_if_it_is_shorter_than_the_known_one() {
        let step = |source, source_depth, way| Step { id: 9, depth: 5, source, source_depth, way, follow: true };
        let found = |steps: &[Step]| nearer(steps.iter().copied());
        let by = |depth, referrer| vec![Nearer { id: 9, depth, referrer }];
        let (far, near) = (step(1, 3, Way::Link), step(2, 1, Way::Link));
        assert_eq!((found(&[far, near]), found(&[near, far])), (by(2, 2), by(2, 2)));
        assert_eq!(found(&[Step { follow: false, ..near }, far]), by(4, 1));
        assert_eq!(found(&[step(1, 4, Way::Link)]), []);
        assert_eq!(found(&[step(1, 4, Way::Redirect)]), by(4, 1), "a redirect is no step");
        assert_eq!(found(&[far, Step { id: 8, ..near }]).len(), 2);
    }

    #[test]
    fn what_was_too_deep_opens_on_a_shorter_way_and_sitemaps_and_redirects_are_no_step() {
        let below = |depth| [Way::Link, Way::Listing, Way::Redirect].map(|way| way.depth_below(depth));
        assert_eq!((below(0), below(3)), ([1, 1, 0], [4, 3, 3]));
        let opens = |reason, depth| opens_nearer(State::Skipped, Some(&reason), depth, Some(3));
        assert!(opens(SkipReason::Depth, 3) && !opens(SkipReason::Depth, 4) && !opens(SkipReason::Scope, 1));
        assert!(!opens_nearer(State::Pending, None, 1, None));
    }
}
