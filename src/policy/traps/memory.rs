//! What was seen on the pages of one pattern, and whether another page of it has anything else.

use std::collections::{HashMap, HashSet, VecDeque};

use foldhash::fast::RandomState;

use super::content::{self, Sketch};
use super::pattern::PatternAt;
use crate::visit::UrlId;

/// Earlier pages that a page is compared with one by one.
const PAGES: usize = 16;
/// Earlier texts that a text is looked for among.
const TEXTS: usize = 16;
const MAX_TEXTS: usize = 8_192;
const MAX_PIECES: usize = 4_096;
/// Pairs of words, and words that were seen once.
const MAX_PAIRS: usize = 16_384;
/// More than a maze draws its words from: one that was forgotten would be new again.
const MAX_WORDS: usize = 131_072;
const MAX_IMAGES: usize = 4_096;
/// New words, or pairs of words, that make a page new. One is what a page says of itself: a name drawn by lot, a greeting.
pub(super) const NEW_WORDS: usize = 2;
/// Of a hundred parts of a page's text, those that it may have in common with one other page and be another mix.
const COMMON: u64 = 60;
/// Bytes of a page's words beyond those in common that make it another mix as well: a paragraph of a long page.
const PARAGRAPH: u64 = 250;
/// Paragraphs that no other page had, which make one another mix. One is a list in a row.
const NEW_LINES: usize = 2;
/// Numbers of a page that says little else, from which on they are another mix.
const TABLE: u32 = 10;
/// Numbers of a page, but for those of its URL, from which on it may differ from others in them to the purpose.
const ROW: u32 = 3;
/// Pages after which one of so many new words must have come back on another page for new words to count: those that are
/// drawn by lot never do.
const TRIED: u32 = 16;
const COMES_BACK: u64 = 8;
/// URLs that pages named lately. Those that each page names are among them.
const MAX_NAMED: usize = 512;
/// URLs that were named again after they were known.
const MAX_NAMED_AGAIN: usize = 16_384;
/// Pages in a row that bring something, after which fewer are looked at.
const PATIENCE: u32 = 8;
/// Of so many pages one is looked at, at the least.
const MAX_STRIDE: u32 = 16;

/// What a page brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Words or images that no other page of the pattern had.
    New,
    /// What others had too, in another mix: at most 60 % of it is on any one of them.
    Mixed,
    /// One word that no other page had, and nothing else.
    Word,
    /// Hardly anything but numbers that others did not have.
    Distinct,
    /// Nothing.
    Nothing,
    /// Nothing: it is the same byte for byte as another page.
    Identical,
}

/// A page that was compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared {
    pub verdict: Verdict,
    /// For so many pages that were not looked at, itself included.
    pub stands_for: u32,
    pub signs: Signs,
}

/// What a page has, whatever it brings.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Signs {
    /// Words, or images, that were never seen.
    pub is_proof: bool,
    /// Images that were never seen.
    pub is_pictured: bool,
    /// Numbers that are not out of its URL, or no text at all.
    pub is_told_apart: bool,
    /// A row of numbers, in a text that no other page of its pattern has.
    pub is_row: bool,
    /// A text that another page of its pattern has, but for numbers of the URL and tokens.
    pub is_repeat: bool,
}

/// A set that forgets what was put in long ago, and not seen since.
#[derive(Debug, Default)]
pub(super) struct Recent {
    young: HashSet<u64, RandomState>,
    old: HashSet<u64, RandomState>,
}

impl Recent {
    /// Puts it in; whether it is new.
    pub(super) fn insert(&mut self, item: u64, cap: usize) -> bool {
        if !self.young.insert(item) {
            return false;
        }
        let is_new = !self.old.contains(&item);
        if self.young.len() >= cap / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        is_new
    }

    fn has(&self, item: u64) -> bool {
        self.young.contains(&item) || self.old.contains(&item)
    }

    /// Whether it was there.
    fn remove(&mut self, item: u64) -> bool {
        self.young.remove(&item) | self.old.remove(&item)
    }
}

/// How a page is compared.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct How {
    /// With words that were never seen alone: pairs of words come by chance.
    pub strict: bool,
    /// Its pattern lists one thing in many ways: another mix is nothing.
    pub combines: bool,
    /// It looks like a page that was not compared.
    pub looks_known: bool,
    /// Pages of the pattern were seen that are not remembered, by an earlier invocation for one.
    pub is_resumed: bool,
}

/// The pieces of a page, without words that nobody had before, and how much each says.
pub(super) type Kept = HashMap<u64, u32, RandomState>;

/// The pages of one pattern as far as they are remembered.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The pieces of pages that brought something.
    pages: VecDeque<Kept>,
    /// Hashes of the last texts, of more texts, and of the last bodies.
    texts: VecDeque<u64>,
    wholes: Recent,
    bodies: VecDeque<u64>,
    pieces: Recent,
    lines: Recent,
    /// Pairs of words that follow each other.
    pairs: Recent,
    words: Recent,
    /// Words that were new once, those that came back since, and how many both are.
    once: Recent,
    met: u64,
    back: u64,
    /// What pages that were not compared look like.
    glances: Recent,
    images: Recent,
    /// URLs that its pages name, and those that were known before.
    named: Recent,
    named_again: Recent,
    /// Where a page of another host says the same as one of its first.
    pub(super) like: Option<PatternAt>,
    /// A pattern of which this one is a part, and the other way round.
    pub(super) ally: Option<u64>,
    /// Pages that brought something.
    brought: i64,
    /// Pages that were compared.
    pub(super) compared: u32,
    /// Pages that came by since the last that was compared, and how many may.
    passed: u32,
    stride: u32,
    /// Pages in a row that brought something.
    streak: u32,
}

impl Memory {
    /// Whether it is this page's turn to be compared, and whether one that was not looked the same: of a pattern that brings
    /// something with each page it is not each, but for those that look like another, unless it is `tried`.
    pub(super) fn is_due(&mut self, tried: bool, glance: impl FnOnce() -> u64) -> (bool, bool) {
        self.passed += 1;
        // Those that are compared have a look, too.
        let looks_known = !self.glances.insert(glance(), MAX_TEXTS);
        if tried || self.stride <= 1 {
            return (true, false);
        }
        (looks_known || self.passed >= self.stride, looks_known)
    }

    /// Whether so many pages brought something.
    pub(super) fn has_brought(&self, many: i64) -> bool {
        self.brought >= many
    }

    /// Compares a page. Answers for how many pages it stands, too.
    pub(super) fn compare(&mut self, sketch: &Sketch, images: &[u64], body: Option<u64>, how: How) -> Compared {
        let is_repeat = self.wholes.has(sketch.whole);
        let (mut verdict, [is_proof, is_pictured], page) = self.judge(sketch, images, body, how);
        if how.looks_known && images.is_empty() && matches!(verdict, Verdict::New | Verdict::Mixed) {
            verdict = Verdict::Distinct;
        }
        if how.is_resumed && self.compared == 0 && images.is_empty() && verdict == Verdict::New {
            // It may say what all others do.
            verdict = Verdict::Mixed;
        }
        self.compared += 1;
        let stands_for = std::mem::take(&mut self.passed).max(1);
        if matches!(verdict, Verdict::New | Verdict::Mixed) {
            self.streak += 1;
            self.brought += i64::from(stands_for);
            if self.streak.is_multiple_of(PATIENCE) {
                self.stride = (self.stride.max(1) * 2).min(MAX_STRIDE);
            }
            push(&mut self.pages, page, PAGES);
        } else {
            (self.streak, self.stride) = (0, 1);
        }
        let (is_row, is_told_apart) = (sketch.numbers >= ROW && !is_repeat, sketch.numbers > 0);
        Compared { verdict, stands_for, signs: Signs { is_proof, is_pictured, is_told_apart, is_row, is_repeat } }
    }

    /// Takes in a page that was seen by an earlier invocation.
    pub(super) fn recall(&mut self, sketch: &Sketch) {
        self.wholes.insert(sketch.whole, MAX_TEXTS);
        for line in &sketch.long_lines {
            self.lines.insert(*line, MAX_PIECES);
        }
        self.take_in(sketch);
        self.compared += 1;
    }

    /// Compares nothing but bodies, of what has no text.
    pub(super) fn compare_body(&mut self, body: Option<u64>) -> Verdict {
        self.compared += 1;
        if body.is_some_and(|body| remember(&mut self.bodies, body)) { Verdict::Identical } else { Verdict::Distinct }
    }

    fn judge(&mut self, sketch: &Sketch, images: &[u64], body: Option<u64>, how: How) -> (Verdict, [bool; 2], Kept) {
        let is_first = self.compared == 0;
        let is_identical = body.is_some_and(|body| remember(&mut self.bodies, body));
        let is_text_of_late = remember(&mut self.texts, sketch.whole);
        let is_text_of_another = !self.wholes.insert(sketch.whole, MAX_TEXTS);
        let new_images = images.iter().filter(|image| self.images.insert(**image, MAX_IMAGES)).count();
        let (new_words, new_pairs, page) = self.take_in(sketch);
        let new_lines = sketch.long_lines.iter().filter(|line| self.lines.insert(**line, MAX_PIECES)).count();
        // Words of a text that was there are but forgotten.
        let counts = !is_text_of_another && self.words_come_back();
        let says_new = |new: usize| new >= NEW_WORDS && counts;
        let is_pictured = new_images > 0;
        let is_proof = is_pictured || says_new(new_words);
        let lists = sketch.listed_count >= TABLE && self.lines.insert(sketch.listed, MAX_PIECES);
        let is_mix = || is_table(sketch) || new_lines >= NEW_LINES || self.is_mix(&page);
        let verdict = if is_identical {
            Verdict::Identical
        } else if is_first || is_pictured || says_new(if how.strict { new_words } else { new_words + new_pairs }) {
            Verdict::New
        } else if !how.combines && (lists || !is_text_of_another && is_mix()) {
            Verdict::Mixed
        } else if !how.combines && new_words == 1 && !is_text_of_another {
            Verdict::Word
        } else if is_text_of_late {
            Verdict::Nothing
        } else {
            Verdict::Distinct
        };
        (verdict, [is_proof, is_pictured], page)
    }

    /// How much it holds.
    pub(super) fn weight(&self) -> usize {
        let sets = [
            &self.wholes,
            &self.pieces,
            &self.lines,
            &self.pairs,
            &self.words,
            &self.once,
            &self.glances,
            &self.images,
            &self.named_again,
        ];
        sets.iter().map(|set| set.young.len() + set.old.len()).sum()
    }

    /// Takes note of a link to a known URL: whether no page named it of late, and whether it is named for the second time.
    pub(super) fn meet(&mut self, url: UrlId) -> (bool, bool) {
        let url = url.unsigned_abs();
        (self.named.insert(url, MAX_NAMED), self.named_again.insert(url, MAX_NAMED_AGAIN))
    }

    fn words_come_back(&self) -> bool {
        self.compared < TRIED || self.back * COMES_BACK >= self.met
    }

    /// New words, new pairs of words that are not, and what is left of the page's pieces without new words.
    fn take_in(&mut self, sketch: &Sketch) -> (usize, usize, Kept) {
        let (mut new_words, mut new_pairs, mut old) = (Vec::new(), 0, Vec::new());
        let mut page = Kept::with_capacity_and_hasher(sketch.pieces.len(), RandomState::default());
        for piece in &sketch.pieces {
            if !self.pieces.insert(piece.hash, MAX_PIECES) {
                page.insert(piece.hash, piece.weight);
                continue;
            }
            let (mut before, words) = (None, sketch.words(piece));
            old.clear();
            for &word in words {
                let is_new = self.words.insert(word, MAX_WORDS);
                match is_new {
                    true => new_words.push(word),
                    false => self.back += u64::from(self.once.remove(word)),
                }
                if let Some(before) = before.filter(|_| !is_new) {
                    new_pairs += usize::from(self.pairs.insert(word ^ u64::rotate_left(before, 17), MAX_PAIRS));
                }
                before = (!is_new).then_some(word);
                old.extend(before);
            }
            let weight =
                piece.weight * u32::try_from(old.len()).unwrap_or(0) / u32::try_from(words.len().max(1)).unwrap_or(1);
            // Others may have it whole.
            page.insert(piece.hash, 0);
            page.insert(content::hash_of(&old), weight);
        }
        // A page that says a word twice says nothing of others.
        self.met += new_words.len() as u64;
        for word in &new_words {
            self.once.insert(*word, MAX_PAIRS);
        }
        (new_words.len(), new_pairs, page)
    }

    /// Whether none of the pages that are remembered says most of it.
    fn is_mix(&self, page: &Kept) -> bool {
        let all: u64 = page.values().map(|weight| u64::from(*weight)).sum();
        let shared = |other: &Kept| {
            page.iter().filter(|(hash, _)| other.contains_key(hash)).map(|(_, weight)| u64::from(*weight)).sum::<u64>()
        };
        let Some(most) = self.pages.iter().map(shared).max() else { return true };
        most * 100 < all * COMMON || all - most >= PARAGRAPH
    }
}

/// Whether it says more in numbers than in words.
fn is_table(sketch: &Sketch) -> bool {
    let words: u32 = sketch.pieces.iter().map(|piece| piece.weight).sum();
    sketch.numbers >= TABLE && sketch.numbers * 2 > words
}

/// Puts it among the last few; whether it was there.
fn remember(seen: &mut VecDeque<u64>, item: u64) -> bool {
    if seen.contains(&item) {
        return true;
    }
    push(seen, item, TEXTS);
    false
}

/// Puts it behind the others, of which the first goes if there are as many as `cap`.
pub(super) fn push<T>(queue: &mut VecDeque<T>, item: T, cap: usize) {
    if queue.len() >= cap {
        queue.pop_front();
    }
    queue.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::CanonicalUrl;
    use crate::policy::traps::content::Sketcher;

    struct Pages {
        sketcher: Sketcher,
        memory: Memory,
    }

    impl Pages {
        fn new() -> Self {
            Self { sketcher: Sketcher::default(), memory: Memory::default() }
        }

        fn see(&mut self, path: &str, text: &str) -> Verdict {
            let sketch = self.sketcher.sketch(
                &CanonicalUrl::parse(&format!("http://a.test{path}")).unwrap(),
                std::iter::empty(),
                text,
            );
            self.memory.compare(&sketch, &[], None, How::default()).verdict
        }
    }

    #[test]
    fn words_and_images_are_new_and_numbers_only_distinct() {
        let mut pages = Pages::new();
        assert_eq!(pages.see("/1", "Page 1\nchairs and tables"), Verdict::New);
        assert_eq!(pages.see("/2", "Page 2\nchairs and tables"), Verdict::Nothing);
        assert_eq!(pages.see("/3", "Page 3\nchairs and tables and two more for 99"), Verdict::New, "three words");
        assert_eq!(pages.see("/4", "Page 4\nchairs and tables and two more for 98"), Verdict::Distinct);
        assert_eq!(pages.see("/5", "Page 5\nlamps and mirrors"), Verdict::New);
        let sketch = Sketch::default();
        let mut photos = Memory::default();
        let mut see = |image| photos.compare(&sketch, &[image], None, How::default()).verdict;
        assert_eq!([see(1), see(2), see(2)], [Verdict::New, Verdict::New, Verdict::Nothing]);
    }

    #[test]
    fn a_mix_of_what_was_seen_is_told_from_a_page_with_a_line_less() {
        let mut pages = Pages::new();
        let letter = |n: u8| char::from(b'a' + n);
        let lines: Vec<_> = (0..40_u8).map(|n| format!("about {}{}", letter(n / 10), letter(n % 10))).collect();
        let page = |from: usize, count: usize| {
            lines.iter().cycle().skip(from).step_by(3).take(count).cloned().collect::<Vec<_>>().join("\n")
        };
        for start in 0..40 {
            pages.see("/1", &page(start, 8));
        }
        assert_eq!(pages.see("/1", &lines[..8].join("\n")), Verdict::Mixed);
        assert_eq!(pages.see("/1", &lines[..7].join("\n")), Verdict::Distinct);
    }

    #[test]
    fn a_pattern_that_brings_something_each_time_is_looked_at_now_and_then() {
        let (mut memory, mut looks) = (Memory::default(), 0);
        for photo in 0..400 {
            if memory.is_due(false, || photo).0 {
                looks += 1;
                memory.compare(&Sketch::default(), &[photo], None, How::default());
            }
        }
        assert!((30..80).contains(&looks), "{looks}");
    }

    #[test]
    fn what_is_seen_again_is_not_forgotten_and_the_set_stays_small() {
        let mut set = Recent::default();
        assert!(set.insert(7, 10) && !set.insert(7, 10));
        for item in 100..1_000 {
            set.insert(item, 10);
            assert!(!set.insert(7, 10), "{item}");
        }
        assert!(set.young.len() + set.old.len() <= 10);
    }
}
