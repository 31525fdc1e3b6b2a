//! What a reader of pages is: it is told of each element and each text of the tree in document order, and keeps what it
//! is for.

use encoding_rs::Encoding;
use html5ever::{LocalName, local_name, ns};
use scraper::node::Element as Tag;
use url::Url;

use super::deadline::Deadline;
use crate::canonical::CanonicalUrl;

/// An element, and the attributes of it that are read.
///
/// Every element is in the tree, and so is all text but that of scripts and style sheets, because these decide how it is
/// built. Attributes are in it if an interest names them, or if they hide their element; so is the text of a script or
/// style sheet, if an interest names that element.
pub(super) type Interest = (LocalName, &'static [LocalName]);

/// What is known of a page before it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    /// Bytes of its HTML.
    pub length: usize,
    /// The crawler's name in `<meta name=NAME>` directives.
    pub product_token: &'a str,
    /// What it was decoded from.
    pub encoding: &'static Encoding,
    /// When reading is to end.
    pub deadline: Deadline,
    /// The places that links name are told, too.
    pub fragments: bool,
    /// Documents around it.
    pub depth: u8,
}

/// Reads one thing of a page, in the same walk as all others.
pub(super) trait Reader<'a>: Sized {
    /// What it gives.
    type Found;

    /// What it needs the tree to hold.
    const INTERESTS: &'static [Interest];

    fn new(context: &Context<'a>) -> Self;

    fn open(&mut self, tag: &'a Tag);

    fn close(&mut self, _tag: &'a Tag) {}

    fn text(&mut self, _text: &'a str) {}

    /// Sets `cut_short` if the page says more than is given.
    fn finish(self, base: &Base, cut_short: &mut bool) -> Self::Found;
}

/// What the page's URLs are relative to, and the character encoding of their queries.
#[derive(Debug)]
pub(super) struct Base {
    pub url: Url,
    pub encoding: &'static Encoding,
}

impl Base {
    pub fn join(&self, reference: &str) -> Option<CanonicalUrl> {
        CanonicalUrl::join_in(&self.url, reference, self.encoding).ok()
    }
}

/// The value of an attribute that an interest names. Compares interned names, thus integers.
pub(super) fn attribute<'a>(tag: &'a Tag, name: &LocalName) -> Option<&'a str> {
    tag.attrs.iter().find(|(found, _)| found.local == *name && found.ns == ns!()).map(|(_, value)| &**value)
}

/// Whether the element is never shown, by its attribute `hidden` or its inline style.
pub(super) fn is_hidden(tag: &Tag) -> bool {
    !tag.attrs.is_empty() && attribute(tag, &local_name!("hidden")).is_some()
}

/// Whether what is in the element is no part of the document: a template, but for one that is shown in its place (WHATWG
/// HTML, 4.12.3).
pub fn is_inert(tag: &Tag) -> bool {
    let is_shown = |mode: &str| mode.eq_ignore_ascii_case("open") || mode.eq_ignore_ascii_case("closed");
    tag.name.local == local_name!("template")
        && tag.name.ns == ns!(html)
        && !attribute(tag, &local_name!("shadowrootmode")).is_some_and(is_shown)
}
