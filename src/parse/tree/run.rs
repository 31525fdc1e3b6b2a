//! Texts and values of attributes, put together from the pieces that the tokenizer hands over. Most stand in the document
//! as they are, and the tree shares the document's memory for them instead of holding copies.

use std::ops::Range;

use html5ever::tendril::StrTendril;

use super::names::text;

/// Bytes of a document whose memory the tree shares, at most. It is one more copy of the document, and of a larger one the
/// trees of its parts hold less than that at a time.
const MAX_SHARED: usize = 1 << 20;

/// The document that pieces are cut from.
#[derive(Debug)]
pub(super) struct Source<'a> {
    html: &'a str,
    shared: Option<StrTendril>,
}

impl<'a> Source<'a> {
    pub fn new(html: &'a str) -> Self {
        Self { html, shared: (html.len() <= MAX_SHARED).then(|| StrTendril::from_slice(html)) }
    }

    pub fn len(&self) -> usize {
        self.html.len()
    }

    /// Where a piece stands in the document. Character references and line ends are handed over from elsewhere.
    fn place(&self, piece: &[u8]) -> Option<Range<usize>> {
        let start = piece.as_ptr().addr().checked_sub(self.html.as_ptr().addr())?;
        let end = start + piece.len();
        (end <= self.html.len()).then_some(start..end)
    }

    fn tendril(&self, place: &Range<usize>) -> StrTendril {
        let [start, length] = [place.start, place.len()].map(u32::try_from);
        let shared = self.shared.as_ref().and_then(|all| all.try_subtendril(start.ok()?, length.ok()?).ok());
        shared.unwrap_or_else(|| tendril(&self.html.as_bytes()[place.clone()]))
    }
}

/// Characters that follow upon each other. Its buffer is used for all of a document.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Where they stand in the document, if they do.
    place: Range<usize>,
    /// Otherwise, themselves.
    copied: Vec<u8>,
}

impl Run {
    pub fn push(&mut self, source: &Source<'_>, piece: &[u8]) {
        if self.copied.is_empty()
            && let Some(place) = source.place(piece)
        {
            if self.place.is_empty() {
                self.place = place;
                return;
            }
            if self.place.end == place.start {
                self.place.end = place.end;
                return;
            }
        }
        self.copied.extend_from_slice(&source.html.as_bytes()[std::mem::take(&mut self.place)]);
        self.copied.extend_from_slice(piece);
    }

    pub fn bytes<'b>(&'b self, source: &Source<'b>) -> &'b [u8] {
        if self.place.is_empty() { &self.copied } else { &source.html.as_bytes()[self.place.clone()] }
    }

    pub fn tendril(&self, source: &Source<'_>) -> StrTendril {
        if self.place.is_empty() { tendril(&self.copied) } else { source.tendril(&self.place) }
    }

    pub fn len(&self) -> usize {
        self.place.len() + self.copied.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn clear(&mut self) {
        self.place = 0..0;
        self.copied.clear();
    }
}

pub(super) fn tendril(bytes: &[u8]) -> StrTendril {
    StrTendril::from(&*text(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_the_document_and_from_elsewhere_are_joined_in_their_order() {
        let small = "caffè & crème brûlée".to_owned();
        let large = small.clone() + &" ".repeat(MAX_SHARED);
        for html in [&small, &large] {
            let (source, mut run) = (Source::new(html), Run::default());
            let (before, after) = (&html.as_bytes()[..7], &html.as_bytes()[9..16]);
            [&before[..5], &before[5..]].iter().for_each(|piece| run.push(&source, piece));
            assert_eq!((run.bytes(&source), run.len()), ("caffè ".as_bytes(), 7));
            assert_eq!(&*run.tendril(&source), "caffè ");
            run.push(&source, b"et ");
            run.push(&source, after);
            assert_eq!(&*run.tendril(&source), "caffè et crème ");
            run.clear();
            assert!(run.is_empty());
            run.push(&source, after);
            run.push(&source, before);
            assert_eq!(&*run.tendril(&source), "crème caffè ", "out of order");
        }
    }
}
