//! The tag at hand, put together from the pieces that the tokenizer hands over.

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tag, TagKind};
use html5ever::{Attribute, LocalName, QualName, local_name, ns};

use super::interests::Interests;
use super::names::{Names, text};
use super::run::{Run, Source};

/// Attributes that scripts take an image's address from once it is seen. HTML knows none of them, and the tree has them as
/// `data`.
const LAZY: [&[u8]; 6] =
    [b"data-src", b"data-srcset", b"data-original", b"data-lazy-src", b"data-lazy", b"data-lazy-srcset"];

/// A tag as far as it was read. Its buffers are used for all tags of a document.
#[derive(Debug)]
pub(super) struct TagParts<'a> {
    source: &'a Source<'a>,
    /// `hidden`, `style`, `background` and `role`.
    of_any: &'a [LocalName; 4],
    names: Names<'a>,
    pub kind: TagKind,
    pub name: Vec<u8>,
    pub self_closing: bool,
    /// Where its name is found, at the latest from its first attribute on.
    known: Option<usize>,
    attributes: Vec<Attribute>,
    /// Name and value of the attribute at hand, as far as they are of use.
    attribute: Vec<u8>,
    value: Run,
    /// The attribute's name, interned, if it has a value that is to be kept.
    valued: Option<&'a LocalName>,
    /// The attribute is none of those to be kept.
    is_other: bool,
    /// There was a `style` before.
    is_styled: bool,
}

impl<'a> TagParts<'a> {
    pub fn new(source: &'a Source<'a>, interests: &'a Interests) -> Self {
        Self {
            source,
            of_any: &interests.of_any,
            names: Names::new(interests),
            kind: TagKind::StartTag,
            name: Vec::new(),
            self_closing: false,
            known: None,
            attributes: Vec::new(),
            attribute: Vec::new(),
            value: Run::default(),
            valued: None,
            is_other: false,
            is_styled: false,
        }
    }

    pub fn begin(&mut self, kind: TagKind) {
        self.kind = kind;
        self.name.clear();
        self.self_closing = false;
        self.known = None;
        self.attributes.clear();
        self.attribute.clear();
        self.is_other = false;
        self.is_styled = false;
    }

    pub fn begin_attribute(&mut self) {
        if self.kind == TagKind::EndTag {
            return;
        }
        if self.known.is_some() {
            self.end_attribute();
            self.is_other = false;
        } else {
            self.known = Some(self.names.find(&self.name));
        }
    }

    pub fn push_attribute(&mut self, part: &[u8]) {
        // Of most tags no attribute is kept but what hides them and `role`, and most names need not be copied.
        if self.wanted().is_empty() && self.attribute.is_empty() && !matches!(part, [b'h' | b's' | b'r', ..] | []) {
            self.is_other = true;
        }
        if !self.is_other {
            self.attribute.extend_from_slice(part);
        }
    }

    pub fn begin_value(&mut self) {
        self.valued = if self.attribute.is_empty() { None } else { self.wanted_attribute() };
        if self.valued.is_none() {
            self.attribute.clear();
        }
    }

    pub fn push_value(&mut self, part: &[u8]) {
        if self.valued.is_some() {
            self.value.push(self.source, part);
        }
    }

    /// The tag as the tree builder takes it. Name and kind stay.
    pub fn end(&mut self) -> Tag {
        self.end_attribute();
        let place = self.known.take().unwrap_or_else(|| self.names.find(&self.name));
        Tag {
            kind: self.kind,
            name: self.names.at(place).interned.clone(),
            self_closing: self.self_closing,
            attrs: std::mem::take(&mut self.attributes),
            had_duplicate_attributes: false,
        }
    }

    fn end_attribute(&mut self) {
        if self.attribute.is_empty() {
            return;
        }
        if let Some(name) = self.valued.take().or_else(|| self.wanted_attribute()) {
            if *name == local_name!("style") {
                if !std::mem::replace(&mut self.is_styled, true) {
                    self.style();
                }
            } else {
                self.keep(name, self.value.tendril(self.source));
            }
        }
        self.attribute.clear();
        self.value.clear();
    }

    fn style(&mut self) {
        let style = text(self.value.bytes(self.source));
        let found = if hides(&style) {
            Some((0, StrTendril::new()))
        } else {
            image(&style).map(|address| (2, StrTendril::from(address)))
        };
        if let Some((name, value)) = found {
            self.keep(&self.of_any[name], value);
        }
    }

    /// The first attribute of a name counts.
    fn keep(&mut self, name: &LocalName, value: StrTendril) {
        if self.attributes.iter().all(|attribute| attribute.name.local != *name) {
            let name = QualName::new(None, ns!(), name.clone());
            if self.attributes.is_empty() {
                // Most elements keep one, and the tree holds what is reserved here.
                self.attributes.reserve_exact(1);
            }
            self.attributes.push(Attribute { name, value });
        }
    }

    fn wanted(&self) -> &[&'static LocalName] {
        self.known.map_or(&[], |place| &self.names.at(place).wanted)
    }

    fn wanted_attribute(&self) -> Option<&'a LocalName> {
        match &self.attribute[..] {
            b"hidden" => Some(&self.of_any[0]),
            b"style" => Some(&self.of_any[1]),
            b"role" => Some(&self.of_any[3]),
            [b'd', b'a', b't', b'a', b'-', ..] => {
                let is_lazy = LAZY.contains(&&*self.attribute);
                self.wanted().iter().copied().find(|wanted| is_lazy && **wanted == local_name!("data"))
            }
            name => self.wanted().iter().copied().find(|wanted| wanted.as_bytes() == name),
        }
    }
}

/// The address of the first image of an inline style.
fn image(style: &str) -> Option<&str> {
    let (_, rest) = style.split_once("url(")?;
    let (address, _) = rest.split_once(')')?;
    Some(address.trim().trim_matches(['"', '\'']).trim())
}

/// Whether an inline style hides its element: the last `display` counts, an important one before others.
pub(super) fn hides(style: &str) -> bool {
    let (mut is_hidden, mut is_decided) = (false, false);
    for (property, value) in style.split(';').filter_map(|declaration| declaration.split_once(':')) {
        let value = value.trim().to_ascii_lowercase();
        let (value, is_important) = match value.split_once('!') {
            Some((value, important)) => (value.trim_end(), important.trim_start() == "important"),
            None => (&*value, false),
        };
        if property.trim().eq_ignore_ascii_case("display") && (is_important || !is_decided) {
            (is_hidden, is_decided) = (value == "none", is_important);
        }
    }
    is_hidden
}
