//! What a page says, as far as it can be compared: its lines without what its URL says and without what is drawn by lot.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;

use foldhash::fast::RandomState;
use percent_encoding::percent_decode_str;
use url::Position;

use super::pattern::is_token;
use super::words::{DIGIT, JOINT, LETTER, UPPER, WIDE, Word, Words, parts};
use crate::canonical::CanonicalUrl;
use crate::visit::Page;

/// Bytes of text that are compared.
const MAX_TEXT: usize = 32 << 10;
/// Words in a piece of a line, at most.
const MAX_WORDS: usize = 12;
/// A line is cut behind one word in so many, whichever that is: one more or less in a list changes one piece.
const CUT: u64 = 4;
/// Pieces of one page that are compared: those with the smallest hashes.
const MAX_PIECES: usize = 128;

/// Words of a long line.
const LONG_LINE: usize = 24;
/// Bytes of a text that says little: what else a page says counts as well.
const SHORT: usize = 400;
/// Bytes of a text that are glanced at in one place.
const GLANCE: usize = 48;
/// Links of a page whose names are no content of it.
const MAX_NAMES: usize = 200;

/// A line of a page, or a piece of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Of its words.
    pub hash: u64,
    /// How much it says: the bytes of its words.
    pub weight: u32,
    /// Where its words are among those of its sketch.
    words: Range<usize>,
}

/// A page's text, to be compared with that of others. Hashes of one [`Sketcher`] can be.
#[derive(Debug, Clone, Default)]
pub(super) struct Sketch {
    pub pieces: Vec<Piece>,
    /// Hashes of the words of all pieces.
    words: Vec<u64>,
    /// Of all words and numbers that do not come out of the URL.
    pub whole: u64,
    /// Lines of many words.
    pub long_lines: Vec<u64>,
    /// Of the numbers of the URLs beside it that it links to, and how many they are.
    pub listed: u64,
    pub listed_count: u32,
    /// How many these numbers are.
    pub numbers: u32,
}

/// One hash of several.
pub(super) fn hash_of(words: &[u64]) -> u64 {
    foldhash::fast::FixedState::default().hash_one(words)
}

impl Sketch {
    /// The hashes of all words, some of them again.
    pub(super) fn all_words(&self) -> &[u64] {
        &self.words
    }

    /// The hashes of a piece's words.
    pub(super) fn words(&self, piece: &Piece) -> &[u64] {
        &self.words[piece.words.clone()]
    }

    /// Of a hundred parts of what it says, how many the other says too, of which the pieces' hashes are given in order.
    pub(super) fn common(&self, other: &[u64]) -> u64 {
        let weigh = |pieces: &mut dyn Iterator<Item = &Piece>| pieces.map(|piece| u64::from(piece.weight)).sum::<u64>();
        let shared = weigh(&mut self.pieces.iter().filter(|piece| other.binary_search(&piece.hash).is_ok()));
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
    words: HashSet<u64, RandomState>,
    numbers: Vec<u64>,
    /// Numbers of the URLs beside it.
    listed: Vec<u64>,
    /// Its digits: a date may be written as one number.
    digits: Vec<&'a str>,
}

impl Sketcher {
    /// Reads what a page of this URL says, but for what the URL says itself and the `names` of those beside it.
    pub(super) fn sketch<'a>(&self, url: &'a CanonicalUrl, names: impl Iterator<Item = &'a str>, text: &str) -> Sketch {
        let said = self.said(url, names);
        let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or(text);
        let mut sketch = Sketch { words: Vec::with_capacity(text.len() / 8), ..Sketch::default() };
        let (mut line, mut piece) = (0, Piece { hash: 0, weight: 0, words: 0..0 });
        for word in Words::of(text) {
            if word.begins_line {
                sketch.end_piece(&mut piece);
                sketch.end_line(&mut line);
            }
            self.word(&word, &said, &mut piece, &mut sketch);
        }
        sketch.end_piece(&mut piece);
        sketch.end_line(&mut line);
        sketch.keep_some();
        sketch
    }

    /// Takes a word up, unless it is out of the URL or drawn by lot. Numbers count for the whole alone.
    fn word(&self, word: &Word<'_>, said: &Said<'_>, piece: &mut Piece, sketch: &mut Sketch) {
        if !word.has(DIGIT) {
            return self.letters(word, said, piece, sketch);
        }
        if is_token(word.text) {
            return;
        }
        let is_said = |run: &str| said.digits.iter().any(|digits| digits.contains(run));
        let others = digits(word.text).filter(|run| !is_said(run)).filter_map(|run| run.parse().ok());
        for number in others.filter(|number: &u64| !said.numbers.contains(number)) {
            if said.listed.contains(&number) {
                sketch.listed = self.hasher.hash_one((sketch.listed, number));
                sketch.listed_count += 1;
            } else {
                sketch.whole = self.hasher.hash_one((sketch.whole, number));
                sketch.numbers += 1;
            }
        }
        let letters: String = word.text.chars().filter(|c| c.is_alphabetic()).collect();
        self.letters(&Word { text: &letters, ..*word }, said, piece, sketch);
    }

    fn letters(&self, word: &Word<'_>, said: &Said<'_>, piece: &mut Piece, sketch: &mut Sketch) {
        if !word.has(LETTER | WIDE) || word.text.is_empty() {
            return;
        }
        if !word.has(WIDE) {
            return self.push(self.word_hash(word), word.text.len(), said, piece, sketch);
        }
        for (text, bytes) in parts(word.text) {
            self.push(self.word_hash(&Word { text, ..*word }), bytes, said, piece, sketch);
        }
    }

    #[inline]
    fn push(&self, hash: u64, bytes: usize, said: &Said<'_>, piece: &mut Piece, sketch: &mut Sketch) {
        if said.words.contains(&hash) {
            return;
        }
        sketch.whole = self.hasher.hash_one((sketch.whole, hash));
        piece.weight += u32::try_from(bytes).unwrap_or(u32::MAX);
        sketch.words.push(hash);
        if sketch.words.len() - piece.words.start >= MAX_WORDS
            || sketch.words.len() - piece.words.start > 1 && hash.is_multiple_of(CUT)
        {
            sketch.end_piece(piece);
        }
    }

    /// ASCII case does not count.
    fn word_hash(&self, word: &Word<'_>) -> u64 {
        let mut short = [0; 32];
        let bytes = word.text.as_bytes();
        match short.get_mut(..bytes.len()) {
            _ if !word.has(UPPER) => self.hash(bytes),
            Some(lower) => {
                lower.copy_from_slice(bytes);
                lower.make_ascii_lowercase();
                self.hash(lower)
            }
            None => self.hash(&bytes.to_ascii_lowercase()),
        }
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }

    fn said<'a>(&self, url: &'a CanonicalUrl, names: impl Iterator<Item = &'a str>) -> Said<'a> {
        let text = url.as_str();
        // What a page counts from it: the page before, the page after.
        let near = |number: u64| [number.saturating_sub(1), number, number.saturating_add(1)];
        let numbers = digits(text).filter_map(|run| run.parse().ok()).flat_map(near).collect();
        let mut said = Said { words: HashSet::default(), numbers, listed: Vec::new(), digits: digits(text).collect() };
        self.say(text, &mut said);
        for name in names {
            let has_digit = self.say(name, &mut said);
            if has_digit {
                said.listed.extend(digits(name).filter_map(|run| run.parse::<u64>().ok()));
            }
        }
        said
    }

    /// Takes up the words of a URL, joined by hyphens and not; whether it has a digit.
    fn say(&self, text: &str, said: &mut Said<'_>) -> bool {
        let mut has_digit = false;
        if text.contains('%') {
            let decoded = percent_decode_str(text).decode_utf8_lossy();
            for word in Words::of(&decoded).filter(|word| word.has(WIDE)) {
                said.words.extend(parts(word.text).map(|(text, _)| self.word_hash(&Word { text, ..word })));
            }
        }
        for word in Words::of(text) {
            has_digit |= word.has(DIGIT);
            said.words.insert(self.word_hash(&word));
            if word.has(JOINT) {
                let parts = word.text.split(['-', '_']).filter(|part| !part.is_empty());
                said.words.extend(parts.map(|text| self.word_hash(&Word { text, ..word })));
            }
        }
        has_digit
    }
}

impl Sketch {
    fn end_piece(&mut self, piece: &mut Piece) {
        let end = self.words.len();
        piece.words.end = end;
        if !piece.words.is_empty() {
            piece.hash = hash_of(self.words(piece));
            self.pieces.push(std::mem::replace(piece, Piece { hash: 0, weight: 0, words: end..end }));
        }
    }

    /// `line` is where its words begin, and then where those of the next do.
    fn end_line(&mut self, line: &mut usize) {
        let words = &self.words[*line..];
        if words.len() >= LONG_LINE {
            self.long_lines.push(hash_of(words));
        }
        *line = self.words.len();
    }

    fn keep_some(&mut self) {
        // Sorting all of a long page would take as long as reading it.
        if self.pieces.len() > 2 * MAX_PIECES {
            self.pieces.select_nth_unstable_by_key(2 * MAX_PIECES, |piece| piece.hash);
            self.pieces.truncate(2 * MAX_PIECES);
        }
        self.pieces.sort_unstable_by_key(|piece| piece.hash);
        self.pieces.dedup_by_key(|piece| piece.hash);
        self.pieces.truncate(MAX_PIECES);
    }
}

fn digits(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty())
}

/// The text of a page; of one of few words with what it says `besides`: its title, its description and what stands in place
/// of its images.
pub(super) fn text_of<'a>(besides: [Option<&'a str>; 3], text: &'a str) -> Cow<'a, str> {
    if text.len() >= SHORT {
        return text.into();
    }
    besides.into_iter().flatten().chain([text]).collect::<Vec<_>>().join("\n").into()
}

/// What tells most pages apart at little cost: title, length, and two places of the text.
pub(super) fn glance<'a>(page: &'a Page, text: &'a str) -> (Option<&'a str>, usize, [&'a [u8]; 2]) {
    let bytes = text.as_bytes();
    let place = |at: usize| &bytes[at..bytes.len().min(at + GLANCE)];
    (page.title.as_deref(), bytes.len(), [place(bytes.len() / 4), place(bytes.len() / 2)])
}

/// What the URLs beside a page's own, or below it, are called that it links to.
pub(super) fn names_beside<'a>(url: &'a CanonicalUrl, page: &'a Page) -> impl Iterator<Item = &'a str> {
    let path = |url: &'a CanonicalUrl| &url.url()[..Position::AfterPath];
    let folder = |path: &'a str| path.rsplit_once('/').map_or(path, |(folder, _)| folder);
    let (here, above) = (folder(path(url)), folder(path(url).trim_end_matches('/')));
    let beside = page.links.iter().filter(move |link| {
        let there = folder(path(&link.url).trim_end_matches('/'));
        there == here || there == above
    });
    beside.map(move |link| &link.url.as_str()[folder(path(&link.url).trim_end_matches('/')).len()..]).take(MAX_NAMES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(sketcher: &Sketcher, path: &str, text: &str) -> (u64, Vec<u64>) {
        let sketch =
            sketcher.sketch(&CanonicalUrl::parse(&format!("http://a.test{path}")).unwrap(), std::iter::empty(), text);
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
