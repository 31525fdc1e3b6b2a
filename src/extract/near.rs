//! Pairs of simhashes that differ in few bits, without comparing all with all.

/// The bits in which two hashes may differ.
pub const DISTANCE: u32 = 3;
/// Blocks that a hash is cut into: one more than the bits, so that two near hashes have one in common.
const BLOCKS: u32 = DISTANCE + 1;
const BITS: u32 = u64::BITS / BLOCKS;
/// Comparisons made at most: texts can be made so that all their hashes have a block in common.
const MAX_COMPARISONS: usize = 10_000_000_000;

/// Pairs of near hashes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Near {
    /// The smaller id, the greater one, and the bits in which their hashes differ.
    pub pairs: Vec<(i64, i64, u32)>,
    /// There are, or may be, more.
    pub cut_short: bool,
}

/// All pairs of hashes that differ in three bits or fewer, each once, and `at_most` so many (Manku, Jain and Das Sarma 2007,
/// "Detecting near-duplicates for web crawling", section 3). Of 1,000,000 hashes drawn by lot, each is compared with 60.
pub fn near(hashes: &[(i64, u64)], at_most: usize) -> Near {
    let mut hashes = hashes.to_vec();
    let mut near = Near::default();
    let mut left = MAX_COMPARISONS;
    for block in 0..BLOCKS {
        hashes.sort_unstable_by_key(|(id, hash)| (hash.rotate_left(block * BITS), *id));
        for alike in hashes.chunk_by(|(_, one), (_, other)| has_in_common(one ^ other, block)) {
            for (at, &(id, hash)) in alike.iter().enumerate() {
                let others = &alike[at + 1..];
                let Some(rest) = left.checked_sub(others.len()) else {
                    near.cut_short = true;
                    return near;
                };
                left = rest;
                for &(other, other_hash) in others {
                    let difference = hash ^ other_hash;
                    let distance = difference.count_ones();
                    // A pair with several blocks in common was found by the first of them.
                    if distance > DISTANCE || (0..block).any(|block| has_in_common(difference, block)) {
                        continue;
                    }
                    if near.pairs.len() == at_most {
                        near.cut_short = true;
                        return near;
                    }
                    near.pairs.push((id.min(other), id.max(other), distance));
                }
            }
        }
    }
    near
}

/// Whether two hashes with this difference have a block in common.
fn has_in_common(difference: u64, block: u32) -> bool {
    difference.rotate_left(block * BITS) >> (u64::BITS - BITS) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Near, near};

    fn of_all(hashes: &[(i64, u64)]) -> Vec<(i64, i64, u32)> {
        let mut pairs = Vec::new();
        for (at, one) in hashes.iter().enumerate() {
            for other in &hashes[at + 1..] {
                let distance = (one.1 ^ other.1).count_ones();
                if distance <= 3 {
                    pairs.push((one.0.min(other.0), one.0.max(other.0), distance));
                }
            }
        }
        pairs.sort_unstable();
        pairs
    }

    /// Hashes of which some differ from one before in a few bits.
    fn hashes() -> impl Strategy<Value = Vec<(i64, u64)>> {
        let planted =
            (any::<u64>(), any::<prop::sample::Index>(), prop::collection::vec(0..64_u32, 0..5), any::<bool>());
        prop::collection::vec(planted, 0..120).prop_map(|drawn| {
            let mut hashes: Vec<(i64, u64)> = Vec::new();
            for (number, (own, before, bits, is_near)) in drawn.into_iter().enumerate() {
                let beside = (is_near && !hashes.is_empty()).then(|| hashes[before.index(hashes.len())].1);
                let hash = beside.map_or(own, |hash| bits.iter().fold(hash, |hash, bit| hash ^ (1 << bit)));
                hashes.push((1000 - number as i64, hash));
            }
            hashes
        })
    }

    proptest! {
        #[test]
        fn near_hashes_are_those_that_comparing_all_with_all_finds_each_once(hashes in hashes()) {
            let mut found = near(&hashes, usize::MAX);
            found.pairs.sort_unstable();
            prop_assert_eq!(found, Near { pairs: of_all(&hashes), cut_short: false });
        }
    }

    #[test]
    fn no_more_pairs_than_asked_for_are_told_and_that_there_are_more() {
        let same: Vec<_> = (0..100).map(|id| (id, 7)).collect();
        let found = near(&same, 10);
        assert_eq!((found.pairs.len(), found.cut_short), (10, true));
        let found = near(&same, 4950);
        assert_eq!((found.pairs.len(), found.cut_short), (4950, false));
    }
}
