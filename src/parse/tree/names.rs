//! Names of elements, interned. A document has few of them and many tags, so each name that was met is remembered.

use std::borrow::Cow;

use html5ever::LocalName;

use super::interests::Interests;

/// Places for names. A name that falls upon another takes its place.
const PLACES: usize = 128;

#[derive(Debug)]
pub(super) struct Names<'a> {
    interests: &'a Interests,
    places: Vec<Name>,
}

/// An element's name, and the names of its attributes that are to be kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Name {
    key: u64,
    bytes: Vec<u8>,
    pub interned: LocalName,
    pub wanted: Vec<&'static LocalName>,
}

impl<'a> Names<'a> {
    pub fn new(interests: &'a Interests) -> Self {
        Self { interests, places: vec![Name::default(); PLACES] }
    }

    /// Where this name is found, by [`at`](Self::at), until another is looked for.
    pub fn find(&mut self, name: &[u8]) -> usize {
        let place = place(name);
        let key = key(name);
        let known = &mut self.places[place];
        if known.key != key || known.bytes.len() != name.len() || name.len() > size_of::<u64>() && known.bytes != name {
            known.key = key;
            known.bytes.clear();
            known.bytes.extend_from_slice(name);
            known.interned = LocalName::from(text(name));
            known.wanted = self.interests.of(&known.interned).flatten().collect();
        }
        place
    }

    pub fn at(&self, place: usize) -> &Name {
        &self.places[place]
    }
}

/// Of at most eight bytes it is all that a name of this length says.
fn key(name: &[u8]) -> u64 {
    let half = |four: &[u8; 4]| u64::from(u32::from_le_bytes(*four));
    match (name, name.first_chunk(), name.last_chunk()) {
        (_, Some(first), Some(last)) => half(first) << 32 | half(last),
        ([first, .., last], ..) => half(&[*first, name[name.len() / 2], *last, 0]),
        _ => name.first().map_or(0, |byte| u64::from(*byte)),
    }
}

/// Names differ in length, first and last character for the most part.
fn place(name: &[u8]) -> usize {
    let [first, last] = [name.first(), name.last()].map(|byte| usize::from(byte.copied().unwrap_or_default()));
    (name.len() * 45 + first * 13 + last) % PLACES
}

/// The document is text, and the tokenizer cuts at ASCII only.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}
