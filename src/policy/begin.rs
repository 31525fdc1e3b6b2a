//! How an invocation begins: which run it belongs to, and what its seeds are.

use crate::visit::State;

/// Links away from the seeds that a seed is.
pub const SEED_DEPTH: u32 = 0;

/// Whether a URL that is known already is asked for after all because it is a seed now.
pub fn seed_opens(state: State) -> bool {
    match state {
        State::Skipped => true,
        State::Pending | State::Fetched | State::Failed => false,
    }
}

/// Whether what a URL of this depth redirects to may count for a seed: only a seed, and what its redirects lead to, has
/// depth 0.
pub fn may_hand_on(depth: u32) -> bool {
    depth == SEED_DEPTH
}

/// The last run, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastRun {
    /// Nothing was pending any more.
    pub is_finished: bool,
    /// Its last invocation came to an end; otherwise it crashed.
    pub has_ended: bool,
}

/// Which run an invocation belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// To the last, which is not finished.
    Continued,
    /// To a new one, which asks again for what is known ([`super::sweep::at_new_run`]).
    Another,
    /// To the first.
    First,
}

impl Entry {
    /// `fresh` gives an unfinished run up.
    pub fn after(last: Option<LastRun>, fresh: bool) -> Self {
        match last {
            None => Self::First,
            Some(last) if last.is_finished || fresh => Self::Another,
            Some(_) => Self::Continued,
        }
    }
}

impl LastRun {
    /// Whether every host counts as just asked: which hosts a crashed invocation had just asked is not known.
    pub fn leaves_hosts_as_asked(self) -> bool {
        !self.has_ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_run_is_continued_unless_it_is_given_up() {
        let last = |is_finished, has_ended| Some(LastRun { is_finished, has_ended });
        assert_eq!(Entry::after(None, false), Entry::First);
        assert_eq!(Entry::after(None, true), Entry::First);
        for has_ended in [true, false] {
            assert_eq!(Entry::after(last(false, has_ended), false), Entry::Continued);
            assert_eq!(Entry::after(last(false, has_ended), true), Entry::Another);
        }
        assert_eq!(Entry::after(last(true, true), false), Entry::Another);
    }

    #[test]
    fn only_after_a_crash_hosts_count_as_just_asked() {
        let last = |has_ended| LastRun { is_finished: false, has_ended };
        assert!(last(false).leaves_hosts_as_asked() && !last(true).leaves_hosts_as_asked());
    }

    #[test]
    fn a_seed_is_asked_for_though_it_was_skipped_and_not_twice_in_a_run() {
        assert_eq!(State::ALL.map(seed_opens), [false, false, false, true]);
    }
}
