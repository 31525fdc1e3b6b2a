//! What is remembered of the last of many things.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Words and the like in the values that are young, together.
const MAX_WEIGHT: usize = 1_500_000;

/// Values that are forgotten when others were used since.
#[derive(Debug)]
pub(super) struct Aging<V> {
    young: HashMap<u64, Box<V>, RandomState>,
    old: HashMap<u64, Box<V>, RandomState>,
    cap: usize,
    /// What the young hold, as far as they were weighed.
    weight: usize,
}

impl<V: Default> Aging<V> {
    pub(super) fn new(cap: usize) -> Self {
        Self { young: HashMap::default(), old: HashMap::default(), cap, weight: 0 }
    }

    /// The value, or a new one.
    pub(super) fn get(&mut self, key: u64) -> &mut V {
        let is_full = self.young.len() >= self.cap || self.weight >= MAX_WEIGHT;
        if is_full && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        let old = &mut self.old;
        self.young.entry(key).or_insert_with(|| old.remove(&key).unwrap_or_default())
    }

    /// One of them holds so much more.
    pub(super) fn grow(&mut self, more: usize) {
        self.weight += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_not_is_forgotten() {
        let mut aging: Aging<u32> = Aging::new(10);
        *aging.get(1) = 7;
        for key in 100..200 {
            *aging.get(key) = 9;
            assert_eq!(*aging.get(1), 7);
        }
        assert_eq!(*aging.get(100), 0);
        *aging.get(1_000) = 9;
        aging.grow(MAX_WEIGHT);
        aging.get(1_001);
        aging.grow(MAX_WEIGHT);
        aging.get(1_002);
        assert_eq!(*aging.get(1_000), 0, "the others became too heavy");
    }
}
