//! How long the pairs of near hashes take to find among 1,000,000, half of them drawn by lot, half around 1,000 centres, as
//! those of pages of one template are; `cargo bench --bench near -- 100000` among so many.

use std::time::Instant;

use harvestman::internals::extract::near::near;

/// The hashes, unless others are asked for.
const HASHES: usize = 1_000_000;
/// Pairs asked for at most.
const PAIRS: usize = 10_000_000;
const CENTRES: usize = 1_000;
/// Bits in which a hash differs from its centre.
const APART: std::ops::Range<usize> = 4..14;

fn main() {
    let count = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(HASHES);
    let mut random = fastrand::Rng::with_seed(7);
    let centres: Vec<u64> = (0..CENTRES).map(|_| random.u64(..)).collect();
    let mut hash = |id| {
        if random.bool() {
            return (id, random.u64(..));
        }
        let bits = random.usize(APART);
        (id, (0..bits).fold(centres[random.usize(..CENTRES)], |hash, _| hash ^ (1 << random.u32(..64))))
    };
    let hashes: Vec<(i64, u64)> = (0..count as i64).map(&mut hash).collect();
    let began = Instant::now();
    let found = near(&hashes, PAIRS);
    println!("{count} hashes: {} pairs in {:.2?}, cut short: {}", found.pairs.len(), began.elapsed(), found.cut_short);
}
