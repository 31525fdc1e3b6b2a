//! Where the first pages of a pattern say what those of others do: a pattern of its own is no news.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::content::Sketch;
use super::memory::push;
use super::pattern::PatternAt;
use super::weighed::{Ground, Weighed};

/// Pages that they are compared with, and how many of a hundred parts of their text make them the same.
const NEIGHBOURS: usize = 16;
const SAME: u64 = 90;
/// First pages of patterns whose text is looked for on other hosts.
const TEXTS: usize = 4_096;

/// Where the texts of the first pages of patterns were met first.
#[derive(Debug, Default)]
pub(super) struct Alike(HashMap<u64, PatternAt, RandomState>);

impl Alike {
    /// Where a page says nearly the same as this one, one of the first of its pattern: on the same host, or, unless a seed
    /// leads to this one, word for word on another. Copies have a budget of their own: the pages that they are copies of may
    /// bring something each.
    pub(super) fn find(&mut self, weighed: &Weighed<'_>, sketch: &Sketch, here: &mut Ground) -> Option<PatternAt> {
        let (ground, host) = (weighed.ground, weighed.target.host);
        let has_images = !weighed.page.images.is_empty();
        let alike = here.pages.iter().find(|(_, other)| sketch.common(other) >= SAME).filter(|_| !has_images);
        if let Some((pattern, _)) = alike {
            return Some(PatternAt { ground, host, pattern: format!("{pattern} (copies)") });
        }
        let place = PatternAt { ground, host, pattern: weighed.shape.pattern.clone() };
        let pieces = sketch.pieces.iter().map(|piece| piece.hash).collect();
        push(&mut here.pages, (place.pattern.clone(), pieces), NEIGHBOURS);
        if has_images || sketch.pieces.is_empty() {
            return None;
        }
        if self.0.len() >= TEXTS {
            self.0.clear();
        }
        let first = self.0.entry(sketch.whole).or_insert(place);
        (first.ground != ground && weighed.target.depth > 0).then(|| first.clone())
    }
}
