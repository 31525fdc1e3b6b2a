//! Patterns whose pages name each other freely, time and again: they are parts of one thing.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// URLs that pages of each of two patterns may name of the other freely.
const MUTUAL: u32 = 64;
/// Pairs for which they are counted.
const PAIRS: usize = 16_384;

/// By the hashes of two patterns, URLs of the second that pages of the first named freely.
#[derive(Debug, Default)]
pub(super) struct Pairs(HashMap<(u64, u64), u32, RandomState>);

impl Pairs {
    /// Takes note that a page of one pattern that brought something names one of another. Whether both are parts of one
    /// thing, as it turns out.
    pub(super) fn note(&mut self, here: u64, there: u64) -> bool {
        if self.0.len() >= PAIRS {
            self.0.clear();
        }
        let is_mutual = self.0.get(&(there, here)).is_some_and(|count| *count >= MUTUAL);
        let count = self.0.entry((here, there)).or_default();
        *count = count.saturating_add(1);
        is_mutual && *count >= MUTUAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_one_once_pages_of_each_named_many_of_the_other() {
        let mut pairs = Pairs::default();
        assert!((0..10 * MUTUAL).all(|_| !pairs.note(1, 2)), "an index and what it lists");
        assert!((1..MUTUAL).all(|_| !pairs.note(2, 1)));
        assert!(pairs.note(2, 1) && pairs.note(1, 2));
    }
}
