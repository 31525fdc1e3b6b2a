//! What a page says, as far as it can be compared: its lines without what its URL says and without what is drawn by lot.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use url::Position;

use super::pattern::is_token;
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
    /// Of each word.
    pub words: Vec<u64>,
}

/// A page's text, to be compared with that of others. Hashes of one [`Sketcher`] can be.
#[derive(Debug, Clone, Default)]
pub(super) struct Sketch {
    pub pieces: Vec<Piece>,
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
    /// Numbers of the URLs beside it.
    listed: Vec<u64>,
    /// Its digits: a date may be written as one number.
    digits: Vec<&'a str>,
}

impl Sketcher {
    /// Reads what a page of this URL says, but for what the URL says itself and the `names` of those beside it.
    pub(super) fn sketch<'a>(&self, url: &'a CanonicalUrl, names: impl Iterator<Item = &'a str>, text: &str) -> Sketch {
        let mut said = self.said(url);
        for name in names {
            said.words.extend(self.words(name));
            said.listed.extend(digits(name).filter_map(|run| run.parse::<u64>().ok()));
        }
        said.words.sort_unstable();
        let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or(text);
        let mut sketch = Sketch::default();
        for line in text.lines() {
            let mut piece = Piece { hash: 0, weight: 0, words: Vec::new() };
            let so_far = sketch.pieces.len();
            for word in line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))) {
                self.word(word, &said, &mut piece, &mut sketch);
                if piece.words.len() >= MAX_WORDS
                    || piece.words.len() > 1 && piece.words.last().is_some_and(|word| word.is_multiple_of(CUT))
                {
                    sketch.pieces.push(std::mem::replace(&mut piece, Piece { hash: 0, weight: 0, words: Vec::new() }));
                }
            }
            if !piece.words.is_empty() {
                sketch.pieces.push(piece);
            }
            let words: Vec<u64> =
                sketch.pieces[so_far..].iter().flat_map(|piece| piece.words.iter().copied()).collect();
            if words.len() >= LONG_LINE {
                sketch.long_lines.push(hash_of(&words));
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
    fn word(&self, word: &str, said: &Said<'_>, piece: &mut Piece, sketch: &mut Sketch) {
        if word.is_empty() || word.len() >= 8 && is_token(word) {
            return;
        }
        if word.bytes().any(|byte| byte.is_ascii_digit()) {
            let is_said = |run: &str| said.digits.iter().any(|digits| digits.contains(run));
            let others = digits(word).filter(|run| !is_said(run)).filter_map(|run| run.parse().ok());
            for number in others.filter(|number: &u64| !said.numbers.contains(number)) {
                if said.listed.contains(&number) {
                    sketch.listed = self.hasher.hash_one((sketch.listed, number));
                    sketch.listed_count += 1;
                } else {
                    sketch.whole = self.hasher.hash_one((sketch.whole, number));
                    sketch.numbers += 1;
                }
            }
            let letters: String = word.chars().filter(|c| c.is_alphabetic()).collect();
            if letters.is_empty() {
                return;
            }
            return self.letters(&letters, said, piece, sketch);
        }
        self.letters(word, said, piece, sketch);
    }

    fn letters(&self, word: &str, said: &Said<'_>, piece: &mut Piece, sketch: &mut Sketch) {
        let hash = self.word_hash(word);
        if word.bytes().any(|byte| byte.is_ascii_alphabetic() || byte >= 0x80)
            && said.words.binary_search(&hash).is_err()
        {
            sketch.whole = self.hasher.hash_one((sketch.whole, hash));
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
        // What a page counts from it: the page before, the page after.
        let near = |number: u64| [number.saturating_sub(1), number, number.saturating_add(1)];
        let numbers = digits(text).filter_map(|run| run.parse().ok()).flat_map(near).collect();
        Said { words: self.words(text).collect(), numbers, listed: Vec::new(), digits: digits(text).collect() }
    }

    /// The words of a URL, joined by hyphens and not.
    fn words(&self, text: &str) -> impl Iterator<Item = u64> {
        let joined = text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_')));
        let single = text.split(|c: char| !c.is_alphanumeric());
        joined.chain(single).filter(|word| !word.is_empty()).map(|word| self.word_hash(word))
    }
}

fn digits(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty())
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
