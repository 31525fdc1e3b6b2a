//! The links of a page, and the base they are relative to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hash, Hasher};

use encoding_rs::Encoding;
use foldhash::fast::RandomState;
use html5ever::{LocalName, QualName, local_name, ns};
use indexmap::IndexSet;
use scraper::node::Element as Tag;
use url::Url;

use super::fragments::fragment;
use super::landmarks::Landmarks;
use super::reader::{Base, Context, Interest, Reader, attribute};
use super::text::{is_never_shown, sets_apart};
use super::words::{cut, end_word, push_words};
use crate::canonical::{self, CanonicalUrl};
use crate::visit::{Element, Fragment, Landmark};

/// Bytes that one page's links take, together: a long `<base>` makes much of little.
const MAX_LINK_BYTES: usize = 32 << 20;
/// Bytes that a link takes besides its URL and its text.
const LINK_BYTES: usize = 300;
/// Characters of anchor text kept.
const MAX_LINK_TEXT: usize = 300;

/// A link as written in the page, resolved, not yet judged. Where it stands makes no difference between two: of those that
/// differ in nothing else the first counts.
#[derive(Debug, Clone)]
pub struct FoundLink {
    pub url: CanonicalUrl,
    pub text: String,
    pub rel: String,
    pub element: Element,
    /// Its `rel` holds `nofollow`, `ugc` or `sponsored`.
    pub nofollow: bool,
    pub part: Option<Landmark>,
    /// The places of its target that are named by it, and by those that differ from it in nothing else.
    pub fragments: Vec<Fragment>,
}

impl PartialEq for FoundLink {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for FoundLink {}

impl Hash for FoundLink {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl FoundLink {
    fn identity(&self) -> (&CanonicalUrl, &str, &str, Element, bool) {
        (&self.url, &self.text, &self.rel, self.element, self.nofollow)
    }

    /// About how many bytes it takes.
    fn weight(&self) -> usize {
        let fragments = self.fragments.iter().map(Fragment::weight).sum::<usize>();
        self.url.as_str().len() + self.text.len() + self.rel.len() + fragments + LINK_BYTES
    }
}

/// Adds links that a page has too, as far as one page may have so many; whether that is all of them.
pub(super) fn add(links: &mut Vec<FoundLink>, more: Vec<FoundLink>) -> bool {
    let mut all: IndexSet<_, RandomState> = std::mem::take(links).into_iter().collect();
    let mut fragments = Vec::new();
    for mut link in more {
        let own = std::mem::take(&mut link.fragments);
        let (at, _) = all.insert_full(link);
        if !own.is_empty() {
            fragments.push((at, own));
        }
    }
    *links = all.into_iter().collect();
    fragments.into_iter().for_each(|(at, own)| links[at].fragments.extend(own));
    let mut bytes = 0;
    let end = links.iter().position(|link| {
        bytes += link.weight();
        bytes > MAX_LINK_BYTES
    });
    end.into_iter().for_each(|end| links.truncate(end));
    end.is_none()
}

/// Finds what the page's URLs are relative to: the first `<base>` with an `href`, or the page itself.
#[derive(Debug, Default)]
pub(super) struct BaseReader<'a> {
    href: Option<&'a str>,
}

impl<'a> BaseReader<'a> {
    pub const INTERESTS: &'static [Interest] = &[(local_name!("base"), &[local_name!("href")])];

    pub fn open(&mut self, tag: &'a Tag) {
        if tag.name.local == local_name!("base") && tag.name.ns == ns!(html) {
            self.href = self.href.or_else(|| attribute(tag, &local_name!("href")));
        }
    }

    pub fn finish(self, document: &Url, encoding: &'static Encoding) -> Base {
        let url = self.href.and_then(|href| canonical::join(document, href, encoding).ok());
        // WHATWG HTML, 4.2.3 "set the frozen base URL". Of any other scheme, what is relative to it is no http(s) URL.
        let url = url.filter(|url| !matches!(url.scheme(), "data" | "javascript")).unwrap_or_else(|| document.clone());
        Base { url, encoding }
    }
}

/// A link before the base is known.
#[derive(Debug)]
struct RawLink<'a> {
    href: &'a str,
    text: String,
    rel: String,
    element: Element,
    part: Option<Landmark>,
}

/// Collects the links to other documents, each with its text.
#[derive(Debug, Default)]
pub(super) struct LinkReader<'a> {
    links: Vec<RawLink<'a>>,
    /// Index of the `<a>` whose text is being read, and that text.
    anchor: Option<usize>,
    anchor_text: String,
    /// Open elements in it from the outermost on that are not shown.
    hidden: usize,
    landmarks: Landmarks<'a>,
    /// The places that links name are told, too.
    fragments: bool,
}

impl<'a> Reader<'a> for LinkReader<'a> {
    type Found = Vec<FoundLink>;

    const INTERESTS: &'static [Interest] = &[
        (local_name!("a"), &[local_name!("href"), local_name!("xlink:href"), local_name!("rel")]),
        (local_name!("area"), &[local_name!("href"), local_name!("rel"), local_name!("alt")]),
        (local_name!("iframe"), &[local_name!("src"), local_name!("rel")]),
        (local_name!("frame"), &[local_name!("src"), local_name!("rel")]),
        (local_name!("link"), &[local_name!("href"), local_name!("rel")]),
        (local_name!("meta"), &[local_name!("http-equiv"), local_name!("content")]),
        (local_name!("img"), &[local_name!("alt")]),
    ];

    fn new(context: &Context<'a>) -> Self {
        Self { fragments: context.fragments, ..Self::default() }
    }

    #[inline]
    fn open(&mut self, tag: &'a Tag) {
        if self.anchor.is_some() && (self.hidden > 0 || is_never_shown(tag)) {
            self.hidden += 1;
        }
        self.landmarks.open(tag);
        // What SVG and MathML call by the names of HTML is something else, but for links in SVG.
        let is_html = tag.name.ns == ns!(html);
        match tag.name.local {
            local_name!("a") if tag.name.ns != ns!(mathml) => {
                self.end_anchor();
                self.anchor = self.link(tag, &local_name!("href"), Element::A);
            }
            local_name!("area") if is_html => {
                if let Some(index) = self.link(tag, &local_name!("href"), Element::Area) {
                    push_words(&mut self.links[index].text, attribute(tag, &local_name!("alt")).unwrap_or_default());
                }
            }
            local_name!("iframe") if is_html => _ = self.link(tag, &local_name!("src"), Element::Iframe),
            local_name!("frame") if is_html => _ = self.link(tag, &local_name!("src"), Element::Frame),
            local_name!("link") if is_html => self.link_element(tag),
            local_name!("meta") if is_html => self.refresh(tag),
            _ if self.hidden > 0 => {}
            local_name!("img") if self.anchor.is_some() && self.anchor_text.is_empty() => {
                push_words(&mut self.anchor_text, attribute(tag, &local_name!("alt")).unwrap_or_default());
            }
            _ if self.anchor.is_some() && sets_apart(tag) => end_word(&mut self.anchor_text),
            _ => {}
        }
    }

    #[inline]
    fn close(&mut self, tag: &'a Tag) {
        self.landmarks.close(tag);
        if tag.name.local == local_name!("a") && tag.name.ns != ns!(mathml) {
            self.end_anchor();
        } else if self.hidden > 0 {
            self.hidden -= 1;
        } else if self.anchor.is_some() && sets_apart(tag) {
            end_word(&mut self.anchor_text);
        }
    }

    #[inline]
    fn text(&mut self, text: &'a str) {
        if self.anchor.is_some() && self.hidden == 0 && self.anchor_text.len() < MAX_LINK_TEXT {
            push_words(&mut self.anchor_text, text);
        }
    }

    fn finish(self, base: &Base, cut_short: &mut bool) -> Vec<FoundLink> {
        let hasher = RandomState::default();
        let mut resolved: HashMap<&str, Option<CanonicalUrl>, RandomState> =
            HashMap::with_capacity_and_hasher(self.links.len(), RandomState::default());
        // That two links of a page differ and share a hash of 64 bits under a key that nobody knows is out of the question,
        // and comparing them would fetch each from memory again.
        let mut seen: HashMap<u64, usize, RandomState> =
            HashMap::with_capacity_and_hasher(self.links.len(), RandomState::default());
        let mut links = Vec::with_capacity(self.links.len());
        let mut bytes = 0;
        for mut raw in self.links {
            if bytes > MAX_LINK_BYTES {
                *cut_short = true;
                break;
            }
            // Fragments make no difference, and most links of a page differ in nothing else. White space before one does:
            // it is part of the path.
            let reference = raw.href.trim_ascii();
            let (key, behind) = match reference.split_once('#') {
                Some((before, behind)) if before.ends_with(|c| c <= ' ') => (&reference[..=before.len()], behind),
                Some(parts) => parts,
                None => (reference, ""),
            };
            let url = resolved.entry(key).or_insert_with(|| base.join(key));
            let Some(url) = url.clone() else { continue };
            cut(&mut raw.text, MAX_LINK_TEXT);
            let nofollow = raw.rel.split_ascii_whitespace().any(|t| matches!(t, "nofollow" | "ugc" | "sponsored"));
            let RawLink { text, rel, element, part, .. } = raw;
            let names = self.fragments && matches!(element, Element::A | Element::Area);
            let fragments = if names { Vec::from_iter(fragment(behind)) } else { vec![] };
            let link = FoundLink { url, text, rel, element, nofollow, part, fragments };
            match seen.entry(hasher.hash_one(&link)) {
                Entry::Vacant(new) => {
                    new.insert(links.len());
                    bytes += link.weight();
                    links.push(link);
                }
                Entry::Occupied(known) => {
                    let known: &mut FoundLink = &mut links[*known.get()];
                    bytes += link.fragments.iter().map(Fragment::weight).sum::<usize>();
                    known.fragments.extend(link.fragments);
                }
            }
        }
        links
    }
}

impl<'a> LinkReader<'a> {
    /// Gathered apart, so that each link's text is allocated once.
    fn end_anchor(&mut self) {
        if let Some(index) = self.anchor.take() {
            self.links[index].text = self.anchor_text.as_str().into();
        }
        self.anchor_text.clear();
        self.hidden = 0;
    }

    fn link(&mut self, tag: &'a Tag, target: &LocalName, element: Element) -> Option<usize> {
        let href = attribute(tag, target).or_else(|| xlink(tag))?;
        let rel = attribute(tag, &local_name!("rel")).map(str::to_ascii_lowercase).unwrap_or_default();
        self.links.push(RawLink { href, text: String::new(), rel, element, part: self.landmarks.part() });
        Some(self.links.len() - 1)
    }

    fn link_element(&mut self, tag: &'a Tag) {
        let has = |wanted: &str| has_rel(tag, wanted);
        // An alternate style sheet is a style sheet.
        if ["canonical", "next", "prev"].iter().any(|wanted| has(wanted)) || has("alternate") && !has("stylesheet") {
            self.link(tag, &local_name!("href"), Element::Link);
        }
    }

    fn refresh(&mut self, tag: &'a Tag) {
        if attribute(tag, &local_name!("http-equiv")).is_some_and(|value| value.trim().eq_ignore_ascii_case("refresh"))
            && let Some(href) = attribute(tag, &local_name!("content")).and_then(refresh_target)
        {
            let (text, rel) = Default::default();
            self.links.push(RawLink { href, text, rel, element: Element::Meta, part: None });
        }
    }
}

/// What a link in SVG leads to if it has no `href` (SVG 2, 16.1.6 "deprecated XLink URL reference attributes").
fn xlink(tag: &Tag) -> Option<&str> {
    let is_xlink = |name: &QualName| name.ns == ns!(xlink) && name.local == local_name!("href");
    let attributes = if tag.name.ns == ns!(svg) { &tag.attrs[..] } else { &[] };
    attributes.iter().find(|(name, _)| is_xlink(name)).map(|(_, value)| &**value)
}

/// Whether a `<link>` states this relation.
pub(super) fn has_rel(tag: &Tag, wanted: &str) -> bool {
    let rel = attribute(tag, &local_name!("rel")).unwrap_or_default();
    rel.split_ascii_whitespace().any(|token| token.eq_ignore_ascii_case(wanted))
}

/// The link of a `Refresh` header, which does what `<meta http-equiv=refresh>` does.
pub fn refresh_link(base: &Url, header: &str) -> Option<FoundLink> {
    let url = CanonicalUrl::join(base, refresh_target(header)?).ok()?;
    let (text, rel) = Default::default();
    Some(FoundLink { url, text, rel, element: Element::Meta, nofollow: false, part: None, fragments: vec![] })
}

/// The URL that a refresh leads to (WHATWG HTML, "shared declarative refresh steps"): behind a time, and `;`, `,` or white
/// space.
fn refresh_target(content: &str) -> Option<&str> {
    let content = content.trim_ascii_start();
    let behind_time = content.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let rest = behind_time.trim_ascii_start();
    let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_ascii_start();
    if behind_time.len() == content.len() || rest.len() == behind_time.len() {
        return None;
    }
    let is_url = rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("url"));
    let value = if is_url { rest[3..].trim_start().strip_prefix('=').unwrap_or(rest) } else { rest }.trim();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split(quote).next().unwrap_or_default(),
        _ => value,
    };
    (!value.is_empty()).then_some(value)
}
