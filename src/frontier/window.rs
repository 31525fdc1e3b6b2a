//! The part of a host's queue that is in memory.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use foldhash::fast::RandomState;

use crate::policy::turn::turn;
use crate::visit::{Millis, Target, UrlId};

/// A window on the URLs of one host that are pending on disk.
///
/// Invariant: every queued target is held; a held one that is not queued is handed out. What is held is never queued a
/// second time, and what is pending without being held lies on disk, which `overflow` says.
#[derive(Debug, Default)]
pub(super) struct Window {
    queue: BinaryHeap<Reverse<Queued>>,
    /// Targets that are to be tried again at a time to come.
    later: BinaryHeap<Reverse<(Millis, Queued)>>,
    held: HashSet<UrlId, RandomState>,
    /// Held targets that turned out to be sitemaps, and their level.
    listed: HashMap<UrlId, u32, RandomState>,
    /// More is pending on disk than the window holds.
    overflow: bool,
}

/// A queued target, in the order of [`crate::policy::turn`].
#[derive(Debug, PartialEq, Eq)]
struct Queued(Target);

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        turn(&self.0).cmp(&turn(&other.0))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Window {
    /// Queues a target, unless it is held already or `cap` targets are queued; then it stays on disk.
    pub(super) fn push(&mut self, target: Target, now: Millis, cap: usize) {
        if self.held.contains(&target.id) {
            if let Some(level) = target.sitemap {
                self.listed.insert(target.id, level);
            }
            return;
        }
        if self.queued() >= cap {
            self.overflow = true;
            return;
        }
        self.held.insert(target.id);
        self.requeue(target, now);
    }

    /// Queues a held target once more.
    pub(super) fn requeue(&mut self, target: Target, now: Millis) {
        match target.due_at {
            Some(due) if due > now => self.later.push(Reverse((due, Queued(target)))),
            _ => self.queue.push(Reverse(Queued(target))),
        }
    }

    /// The next target of those that are due.
    pub(super) fn first(&mut self, now: Millis) -> Option<&Target> {
        while self.later.peek().is_some_and(|Reverse((due, _))| *due <= now) {
            if let Some(Reverse((_, queued))) = self.later.pop() {
                self.queue.push(Reverse(queued));
            }
        }
        self.queue.peek().map(|Reverse(Queued(target))| target)
    }

    /// When the earliest of the targets for later is due.
    pub(super) fn next_due(&self) -> Option<Millis> {
        self.later.peek().map(|Reverse((due, _))| *due)
    }

    /// Whether all that is queued is to be tried again at a time to come.
    pub(super) fn is_all_later(&self) -> bool {
        self.queue.is_empty()
    }

    /// Hands out the next target.
    pub(super) fn pop(&mut self) -> Option<Target> {
        let Reverse(Queued(mut target)) = self.queue.pop()?;
        target.sitemap = target.sitemap.or(self.listed.remove(&target.id));
        Some(target)
    }

    /// A target that was handed out has ended.
    pub(super) fn let_go(&mut self, id: UrlId) {
        self.held.remove(&id);
        self.listed.remove(&id);
    }

    /// What is to be pushed now is all that is pending on disk (`complete`), or the first part of it.
    pub(super) fn refill(&mut self, complete: bool) {
        self.overflow = !complete;
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.len() + self.later.len()
    }

    /// Targets queued or handed out.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    pub(super) fn handed_out(&self) -> usize {
        self.held() - self.queued()
    }

    /// Whether more is pending on disk.
    pub(super) fn has_more(&self) -> bool {
        self.overflow
    }

    /// Nothing of this host is queued, handed out, or left on disk.
    pub(super) fn is_done(&self) -> bool {
        self.held.is_empty() && !self.overflow
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::CanonicalUrl;

    fn target(id: UrlId, depth: u32) -> Target {
        Target::new(id, 1, CanonicalUrl::parse(&format!("http://h.test/{id}")).unwrap(), depth)
    }

    fn pop(window: &mut Window, now: Millis) -> Option<UrlId> {
        window.first(now)?;
        window.pop().map(|target| target.id)
    }

    #[test]
    fn what_is_new_comes_first_then_the_shortest_path_then_the_order_of_discovery() {
        let mut window = Window::default();
        window.push(Target { known: true, ..target(1, 0) }, 0, 9);
        for (id, depth) in [(4, 2), (3, 1), (2, 2)] {
            window.push(target(id, depth), 0, 9);
        }
        let order: Vec<_> = std::iter::from_fn(|| pop(&mut window, 0)).collect();
        assert_eq!(order, [3, 2, 4, 1]);
    }

    #[test]
    fn a_target_for_later_waits_for_its_time() {
        let mut window = Window::default();
        window.push(Target { due_at: Some(500), ..target(1, 0) }, 100, 9);
        assert_eq!((window.queued(), window.next_due()), (1, Some(500)));
        assert_eq!(pop(&mut window, 499), None);
        assert_eq!(pop(&mut window, 500), Some(1));
    }

    #[test]
    fn a_held_target_is_not_queued_twice_but_may_turn_out_to_be_a_sitemap() {
        let mut window = Window::default();
        window.push(target(1, 0), 0, 9);
        window.push(Target { sitemap: Some(2), ..target(1, 0) }, 0, 9);
        assert_eq!(window.queued(), 1);
        assert_eq!(window.pop().and_then(|target| target.sitemap), Some(2));
        window.push(target(1, 0), 0, 9);
        assert_eq!(window.queued(), 0, "it is handed out");
        window.let_go(1);
        window.push(target(1, 0), 0, 9);
        assert_eq!(window.queued(), 1);
    }

    #[test]
    fn what_finds_no_room_stays_on_disk_until_a_refill_brings_all_of_it() {
        let mut window = Window::default();
        (1..=3).for_each(|id| window.push(target(id, 0), 0, 2));
        assert!(window.has_more());
        for id in 1..=2 {
            assert_eq!(pop(&mut window, 0), Some(id));
            window.let_go(id);
        }
        assert!(!window.is_done());
        window.refill(true);
        window.push(target(3, 0), 0, 2);
        assert_eq!(pop(&mut window, 0), Some(3));
        assert!(!window.is_done(), "it is handed out");
        window.let_go(3);
        assert!(window.is_done());
    }
}
