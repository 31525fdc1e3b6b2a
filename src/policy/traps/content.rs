//! What a page says, as far as it can be compared: its lines without what its URL says and without what is drawn by lot.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::pattern::is_token;
use crate::canonical::CanonicalUrl;

/// Bytes of text that are compared.
const MAX_TEXT: usize = 32 << 10;
/// Words in a piece of a line.
const MAX_WORDS: usize = 12;
/// Pieces of one page that are compared: those with the smallest hashes.
const MAX_PIECES: usize = 128;

/// A line of a page, or a piece of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Of its words.
    pub hash: u64,
    /// How much it says: the bytes of its words.
    pub weight: u32,
    /// Of each word.
    pub words: Vec<u64>,
}

/// A page's text, to be compared with that of others. Hashes of one [`Sketcher`] can be.
#[derive(Debug, Clone, Default)]
pub(super) struct Sketch {
    pub pieces: Vec<Piece>,
    /// Of all words and numbers that do not come out of the URL.
    pub whole: u64,
}

/// One hash of several.
pub(super) fn hash_of(words: &[u64]) -> u64 {
    foldhash::fast::FixedState::default().hash_one(words)
}

impl Sketch {
    /// Of a hundred parts of what it says, how many the other says too.
    pub(super) fn common(&self, other: &[u64]) -> u64 {
        let weigh = |pieces: &mut dyn Iterator<Item = &Piece>| pieces.map(|piece| u64::from(piece.weight)).sum::<u64>();
        let shared = weigh(&mut self.pieces.iter().filter(|piece| other.contains(&piece.hash)));
        (shared * 100).checked_div(weigh(&mut self.pieces.iter())).unwrap_or(100)
    }
}

/// Reads texts. Its hashes are its own, so that nobody can choose what collides.
#[derive(Debug, Default)]
pub(super) struct Sketcher {
    hasher: RandomState,
}

/// What a URL says: its words and numbers are no content of its page.
struct Said<'a> {
    words: Vec<u64>,
    numbers: Vec<u64>,
    /// Its digits: a date may be written as one number.
    digits: Vec<&'a str>,
}

impl Sketcher {
    /// Reads what a page of this URL says.
    pub(super) fn sketch(&self, url: &CanonicalUrl, text: &str) -> Sketch {
        let said = self.said(url);
        let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or(text);
        let mut sketch = Sketch::default();
        for line in text.lines() {
            let mut piece = Piece { hash: 0, weight: 0, words: Vec::new() };
            for word in line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))) {
                self.word(word, &said, &mut piece, &mut sketch.whole);
                if piece.words.len() >= MAX_WORDS {
                    sketch.pieces.push(std::mem::replace(&mut piece, Piece { hash: 0, weight: 0, words: Vec::new() }));
                }
            }
            if !piece.words.is_empty() {
                sketch.pieces.push(piece);
            }
        }
        for piece in &mut sketch.pieces {
            piece.hash = hash_of(&piece.words);
        }
        sketch.pieces.sort_unstable_by_key(|piece| piece.hash);
        sketch.pieces.dedup_by_key(|piece| piece.hash);
        sketch.pieces.truncate(MAX_PIECES);
        sketch
    }

    /// Takes a word up, unless it is out of the URL or drawn by lot. Numbers count for the whole alone.
    fn word(&self, word: &str, said: &Said<'_>, piece: &mut Piece, whole: &mut u64) {
        if word.is_empty() || word.len() >= 8 && is_token(word) {
            return;
        }
        if word.bytes().any(|byte| byte.is_ascii_digit()) {
            let is_said = |run: &str| said.digits.iter().any(|digits| digits.contains(run));
            let others = digits(word).filter(|run| !is_said(run)).filter_map(|run| run.parse().ok());
            for number in others.filter(|number: &u64| !said.numbers.contains(number)) {
                *whole = self.hasher.hash_one((*whole, number));
            }
            let letters: String = word.chars().filter(|c| c.is_alphabetic()).collect();
            if letters.is_empty() {
                return;
            }
            return self.letters(&letters, said, piece, whole);
        }
        self.letters(word, said, piece, whole);
    }

    fn letters(&self, word: &str, said: &Said<'_>, piece: &mut Piece, whole: &mut u64) {
        let hash = self.word_hash(word);
        if word.bytes().any(|byte| byte.is_ascii_alphabetic() || byte >= 0x80) && !said.words.contains(&hash) {
            *whole = self.hasher.hash_one((*whole, hash));
            piece.weight += u32::try_from(word.len()).unwrap_or(u32::MAX);
            piece.words.push(hash);
        }
    }

    /// ASCII case does not count.
    fn word_hash(&self, word: &str) -> u64 {
        if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.hasher.hash_one(word.to_ascii_lowercase())
        } else {
            self.hasher.hash_one(word)
        }
    }

    fn said<'a>(&self, url: &'a CanonicalUrl) -> Said<'a> {
        let text = url.as_str();
        let parts = text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_')));
        let finer = text.split(|c: char| !c.is_alphanumeric());
        let mut words: Vec<_> =
            parts.chain(finer).filter(|word| !word.is_empty()).map(|word| self.word_hash(word)).collect();
        words.sort_unstable();
        words.dedup();
        // What a page counts from it: the page before, the page after.
        let near = |number: u64| [number.saturating_sub(1), number, number.saturating_add(1)];
        let numbers = digits(text).filter_map(|run| run.parse().ok()).flat_map(near).collect();
        Said { words, numbers, digits: digits(text).collect() }
    }
}

fn digits(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(sketcher: &Sketcher, path: &str, text: &str) -> (u64, Vec<u64>) {
        let sketch = sketcher.sketch(&CanonicalUrl::parse(&format!("http://a.test{path}")).unwrap(), text);
        (sketch.whole, sketch.pieces.iter().map(|piece| piece.hash).collect())
    }

    #[test]
    fn what_the_url_says_and_what_is_drawn_by_lot_is_no_content() {
        let sketcher = Sketcher::default();
        let one = sketch(&sketcher, "/day/2024/05/17", "Day 17 of 5 in 2024\nno events\nnext: 18");
        assert_eq!(one, sketch(&sketcher, "/day/2031/11/02", "Day 02 of 11 in 2031\nno events\nnext: 3"));
        let found = |path: &str, what: &str| sketch(&sketcher, path, &format!("Nothing called {what} was found"));
        assert_eq!(found("/red/shoe", "/red/shoe"), found("/blue", "blue"));
        let nonce = |nonce: &str| sketch(&sketcher, "/x", &format!("Welcome\nrequest {nonce}"));
        assert_eq!(nonce("3f2a9c41d7"), nonce("550e8400-e29b-41d4-a716-446655440000"));
        assert_ne!(nonce("refused"), nonce("granted"));
    }

    #[test]
    fn other_numbers_tell_pages_apart_and_not_their_lines() {
        let sketcher = Sketcher::default();
        let (cheap, dear) =
            (sketch(&sketcher, "/p/1", "Chair\n9.99 EUR"), sketch(&sketcher, "/p/2", "Chair\n17.50 EUR"));
        assert_ne!(cheap.0, dear.0);
        assert_eq!(cheap.1, dear.1);
    }
}
