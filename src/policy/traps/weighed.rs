//! What a page is to the URLs that it names, and what is known of the host that it is on.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;

use super::content::Sketch;
use super::memory::{Signs, Verdict};
use super::pattern::{PatternAt, Shape, Variety};
use super::together::Said;
use crate::visit::{Page, Target, TrapId};

/// What a page is to the URLs that it names.
#[derive(Debug)]
pub struct Weighed<'a> {
    pub(super) target: &'a Target,
    pub(super) page: &'a Page,
    /// Where its pattern holds: its host, or all hosts of its site.
    pub(super) ground: u64,
    pub(super) shape: Shape,
    /// What paid for it.
    pub account: Option<TrapId>,
    pub(super) kind: Kind,
    /// Its text was looked at, or it was not its turn. Most pages of a site name none but known URLs, and nobody asks what
    /// they bring.
    pub(super) is_judged: bool,
    /// Only words that were never seen count.
    pub(super) is_strict: bool,
    /// None if it was not its turn to be looked at.
    pub(super) verdict: Option<Verdict>,
    pub(super) stands_for: u32,
    /// Where a page of another pattern, or of another host, says nearly the same.
    pub(super) like: Option<PatternAt>,
    /// It led to URLs that nobody knew and that its own account pays for.
    pub leads_on: bool,
    /// URLs that nobody knew that it led to, whatever account pays for them.
    pub led_to: u32,
    pub(super) links: Links,
    pub(super) signs: Signs,
}

/// Links of a page of a large account to others of it.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// To URLs that nobody knew.
    pub(super) new: u32,
    /// To URLs that were found long before or after it and that not each page names.
    pub(super) far: u32,
    /// Of these, those that are named for the second time.
    pub(super) again: u32,
    /// To URLs that not each page names, wherever they were found.
    pub(super) met: u32,
}

/// Pages of other patterns of a host that led on without anything that was never seen, from which on what the host says is
/// remembered, and from which on only that counts which it never said: they may be parts of one trap.
const WATCHED_BESIDE: i64 = 300;
pub(super) const STRICT_BESIDE: i64 = 1_500;
/// Links that tell a web whose end is far from one without an end.
const WOVEN: u32 = 3;

impl Links {
    /// Whether they are those of a web that closes. There links meet all over the site: first many of the URLs that were
    /// named once, and at last hardly any that nobody knew. Where names are drawn by lot all are new, or those that every
    /// page may name.
    pub(super) fn are_woven(&self) -> bool {
        self.again >= WOVEN && self.again * 3 >= self.new || self.far >= WOVEN && self.far >= self.new * 8
    }
}

impl<'a> Weighed<'a> {
    pub(super) fn new(target: &'a Target, page: &'a Page, ground: u64, shape: Shape) -> Self {
        let kind = match page {
            _ if target.sitemap.is_some() => Kind::Sitemap,
            page if page.redirect.is_some() => Kind::Redirect,
            _ if target.known => Kind::Known,
            _ => Kind::Page,
        };
        let (account, stands_for) = (target.trap, 1);
        let (is_judged, is_strict, verdict, like, leads_on, led_to, links, signs) = Default::default();
        Self {
            target,
            page,
            ground,
            shape,
            account,
            kind,
            is_judged,
            is_strict,
            verdict,
            stands_for,
            like,
            leads_on,
            led_to,
            links,
            signs,
        }
    }

    /// Whether it says anything that another page does not, as far as is known.
    pub(super) fn says_something(&self) -> bool {
        !matches!(self.verdict, Some(Verdict::Nothing | Verdict::Identical))
    }

    /// What the page brings, which brings `verdict` to its own pattern, in view of what others of its host `said`.
    pub(super) fn beside_others(
        &mut self,
        said: &mut Said,
        sketch: &Sketch,
        verdict: Verdict,
        is_first: bool,
        beside: i64,
    ) -> Verdict {
        let images = &self.page.images;
        // What pages of its own pattern say was looked at before.
        let is_repeat = said.has_text(sketch) && !self.signs.is_repeat;
        let says_nothing_new = (is_first || beside >= WATCHED_BESIDE) && said.repeats(sketch, images);
        let is_new = verdict == Verdict::New;
        let has_new_images = is_new && !images.is_empty();
        if is_new && self.like.is_some() || is_repeat && !has_new_images {
            self.signs = Signs { is_proof: false, is_repeat: self.signs.is_repeat || is_repeat, ..self.signs };
            return Verdict::Nothing;
        }
        if is_new && says_nothing_new && (is_first || beside >= STRICT_BESIDE) {
            (self.signs.is_proof, self.is_strict) = (false, true);
            return Verdict::Mixed;
        }
        verdict
    }
}

/// A page that an earlier invocation stored.
#[derive(Debug, Clone)]
pub struct Recalled {
    pub url: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Page,
    /// It passes on what paid for it.
    Redirect,
    /// It was fetched before, in another run.
    Known,
    Sitemap,
}

/// What is known of one host, or of a site of many.
#[derive(Debug, Default)]
pub(super) struct Ground {
    pub(super) variety: Variety,
    pub(super) said: Said,
    pub(super) without_tokens: HashMap<u64, First, RandomState>,
    /// Pages that brought something.
    pub(super) fruits: i64,
    /// The last of them, of whatever pattern.
    pub(super) pages: VecDeque<(String, Vec<u64>)>,
}

/// The first URL of those that are one without their tokens.
#[derive(Debug, Default)]
pub(super) struct First {
    pub(super) url: u64,
    /// What pays for it, as far as is known.
    pub(super) payer: Option<TrapId>,
    /// What the first of their pages that was compared says.
    pub(super) text: Option<u64>,
}
