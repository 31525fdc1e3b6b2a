//! What the patterns of one host come to together: a trap may have any number of them.

use super::account::{Account, Shares};
use super::content::Sketch;
use super::memory::{NEW_WORDS, Recent};

/// Pages of a host that bring nothing, of all patterns that are not fruitful, beyond which all of these are held back: they
/// may be parts of one trap.
const MAX_BARREN: i64 = 2_000;
/// Pages of patterns that say nothing any more that was never seen, beyond which these are held back.
const MAX_DOUBTFUL: i64 = 4_000;
/// The same of pages that bring nothing, of patterns of which more do not than do.
const MAX_WASTED: i64 = 3_000;
/// Words of a page, all of them said before, that tell that it has nothing to say.
const ENOUGH: usize = 8;
/// Words, images and texts of a host that are remembered.
const MAX_SAID: usize = 65_536;
const MAX_TEXTS: usize = 16_384;

/// Pages that were paid for on one host, whatever their patterns.
#[derive(Debug, Default)]
pub(super) struct Together {
    /// Of those that brought nothing, only those of patterns that are not fruitful.
    all: Shares,
    /// There were too many, once and for all.
    is_drained: bool,
    is_doubted: bool,
    is_wasteful: bool,
}

impl Together {
    /// Takes in an account, and tells it how its host fares.
    pub(super) fn take_in(&mut self, account: &mut Account) {
        self.count(Shares::default(), account);
        self.tell(account);
    }

    pub(super) fn tell(&self, account: &mut Account) {
        (account.is_drained, account.is_doubted, account.is_wasteful) = self.spent();
    }

    fn spent(&self) -> (bool, bool, bool) {
        (self.is_drained, self.is_doubted, self.is_wasteful)
    }

    /// Counts what was booked to an account since it had `before`; whether all there are to be [told](Self::tell).
    pub(super) fn count(&mut self, before: Shares, account: &Account) -> bool {
        let (now, was) = (account.shares(), self.spent());
        self.all.barren += if account.is_fruitful() { 0 } else { now.barren - before.barren };
        self.all.unproven += now.unproven - before.unproven;
        self.all.doubtful += now.doubtful - before.doubtful;
        self.all.wasted += now.wasted - before.wasted;
        self.is_drained |= self.all.barren >= MAX_BARREN;
        self.is_doubted |= self.all.doubtful >= MAX_DOUBTFUL;
        self.is_wasteful |= self.all.wasted >= MAX_WASTED;
        was != self.spent()
    }

    pub(super) fn unproven(&self) -> i64 {
        self.all.unproven
    }
}

/// What was said on the pages of one host, whatever their patterns.
#[derive(Debug, Default)]
pub(super) struct Said {
    words: Recent,
    texts: Recent,
}

impl Said {
    /// Takes in the words and images of a page; whether the host said all of them before, and as many words as it takes to
    /// tell.
    pub(super) fn repeats(&mut self, sketch: &Sketch, images: &[u64]) -> bool {
        let mut is_new = |said: u64| self.words.insert(said, MAX_SAID);
        let new_images = images.iter().filter(|image| is_new(**image)).count();
        let mut words = sketch.all_words().to_vec();
        words.sort_unstable();
        words.dedup();
        let new_words = words.iter().filter(|word| is_new(**word)).count();
        new_images == 0 && new_words < NEW_WORDS && words.len() >= new_words + ENOUGH
    }

    /// Takes in a text; whether the host said it before, word for word.
    pub(super) fn has_text(&mut self, sketch: &Sketch) -> bool {
        !sketch.pieces.is_empty() && !self.texts.insert(sketch.whole, MAX_TEXTS)
    }
}
