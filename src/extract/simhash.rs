//! A hash of a text that changes little where the text changes little.

use crate::parse::unspaced::{SEPARATOR, cut};

/// Words that follow upon each other and count as one feature.
const SHINGLE: usize = 3;

/// The simhash of a text (Charikar 2002, "Similarity estimation techniques from rounding algorithms"): 64 bits, each the
/// majority's among the hashes of all runs of three words, in lower case and without punctuation. Of scripts without spaces
/// between words, each character counts as one. The same on every machine, for it is stored.
pub fn simhash(text: &str) -> u64 {
    let lower = text.to_lowercase();
    let cut = cut(&lower);
    let text = cut.as_deref().unwrap_or(&lower);
    let is_between = |c: char| c.is_whitespace() || c == SEPARATOR;
    let words = text.split(is_between).map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let mut votes = [0_i64; 64];
    let mut last = [0; SHINGLE];
    let mut count = 0;
    for word in words.filter(|word| !word.is_empty()) {
        last.rotate_left(1);
        last[SHINGLE - 1] = fnv(word);
        count += 1;
        if count >= SHINGLE {
            vote(&mut votes, last);
        }
    }
    if count < SHINGLE {
        vote(&mut votes, last);
    }
    votes.iter().enumerate().fold(0, |hash, (bit, votes)| hash | (u64::from(*votes > 0) << bit))
}

fn vote(votes: &mut [i64; 64], words: [u64; SHINGLE]) {
    let hash = words.into_iter().fold(0, |hash: u64, word| mixed(hash.rotate_left(23) ^ word));
    for (bit, votes) in votes.iter_mut().enumerate() {
        *votes += if hash >> bit & 1 == 1 { 1 } else { -1 };
    }
}

/// FNV-1a of 64 bits.
fn fnv(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// The finalizer of MurmurHash3, after which each bit depends on all.
fn mixed(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::simhash;

    fn text(from: usize, to: usize) -> String {
        (from..to).map(|number| format!("word{} ", number * number % 997)).collect()
    }

    fn distance(one: &str, other: &str) -> u32 {
        (simhash(one) ^ simhash(other)).count_ones()
    }

    /// What is stored was hashed by an earlier version.
    #[test]
    fn the_hash_of_a_text_never_changes() {
        let texts = ["The quick brown fox jumps over the lazy dog", "蜘蛛の糸", ""];
        assert_eq!(texts.map(simhash), [0xda6c_6478_150c_f133, 0x47d0_4820_a020_1116, 0]);
    }

    #[test]
    fn spelling_and_punctuation_do_not_count() {
        assert_eq!(distance("One, two; THREE – four!", "one two three\nfour"), 0);
        assert_eq!(distance("東京タワーへ。行く", "東京タワーへ行く"), 0);
    }

    #[test]
    fn a_text_with_a_word_more_is_near_and_another_text_is_far() {
        let long = text(0, 600);
        assert!(distance(&long, &format!("{long} more")) <= 3);
        assert!(distance(&long, &text(600, 1200)) > 10);
        let japanese: String =
            "今年の桜が例年より早く咲き、朝から多くの人が川沿いを歩いていた。この計画には約三億円かかる。".repeat(4);
        assert!(distance(&japanese, &format!("{japanese}春")) <= 3);
    }
}
