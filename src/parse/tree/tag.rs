//! The tag at hand, put together from the pieces that the tokenizer hands over.

use std::borrow::Cow;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tag, TagKind};
use html5ever::{Attribute, LocalName, QualName, ns};

use super::interests::Interests;

/// A tag as far as it was read. Its buffers are used for all tags of a document.
#[derive(Debug)]
pub(super) struct TagParts<'a> {
    interests: &'a Interests,
    pub kind: TagKind,
    pub name: Vec<u8>,
    pub self_closing: bool,
    /// Its name, interned at its first attribute.
    interned: Option<LocalName>,
    /// The names of the attributes to be kept.
    wanted: Vec<&'a LocalName>,
    attributes: Vec<Attribute>,
    /// Name and value of the attribute at hand, as far as they are of use.
    attribute: Vec<u8>,
    value: Vec<u8>,
    /// Its name, interned, if it has a value that is to be kept.
    valued: Option<&'a LocalName>,
}

impl<'a> TagParts<'a> {
    pub fn new(interests: &'a Interests) -> Self {
        Self {
            interests,
            kind: TagKind::StartTag,
            name: Vec::new(),
            self_closing: false,
            interned: None,
            wanted: Vec::new(),
            attributes: Vec::new(),
            attribute: Vec::new(),
            value: Vec::new(),
            valued: None,
        }
    }

    pub fn begin(&mut self, kind: TagKind) {
        self.kind = kind;
        self.name.clear();
        self.self_closing = false;
        self.interned = None;
        self.wanted.clear();
        self.attributes.clear();
        self.attribute.clear();
    }

    pub fn begin_attribute(&mut self) {
        if self.kind == TagKind::EndTag {
            return;
        }
        if self.interned.is_some() {
            return self.end_attribute();
        }
        let name = intern(&self.name);
        for attributes in self.interests.of(&name) {
            self.wanted.extend(attributes);
        }
        self.interned = Some(name);
    }

    pub fn push_attribute(&mut self, part: &[u8]) {
        // Of most tags no attribute is kept, and their names need not be copied.
        if !self.wanted.is_empty() {
            self.attribute.extend_from_slice(part);
        }
    }

    pub fn begin_value(&mut self) {
        self.valued = self.wanted_attribute();
    }

    pub fn push_value(&mut self, part: &[u8]) {
        if self.valued.is_some() {
            self.value.extend_from_slice(part);
        }
    }

    /// The tag as the tree builder takes it. Name and kind stay.
    pub fn end(&mut self) -> Tag {
        self.end_attribute();
        Tag {
            kind: self.kind,
            name: self.interned.take().unwrap_or_else(|| intern(&self.name)),
            self_closing: self.self_closing,
            attrs: std::mem::take(&mut self.attributes),
            had_duplicate_attributes: false,
        }
    }

    fn end_attribute(&mut self) {
        if self.wanted.is_empty() {
            return;
        }
        // The first attribute of a name counts.
        if let Some(name) = self.valued.take().or_else(|| self.wanted_attribute())
            && self.attributes.iter().all(|attribute| attribute.name.local != *name)
        {
            let name = QualName::new(None, ns!(), name.clone());
            self.attributes.push(Attribute { name, value: tendril(&self.value) });
        }
        self.attribute.clear();
        self.value.clear();
    }

    fn wanted_attribute(&self) -> Option<&'a LocalName> {
        self.wanted.iter().copied().find(|name| name.as_bytes() == self.attribute)
    }
}

fn intern(name: &[u8]) -> LocalName {
    LocalName::from(text(name))
}

/// The document is text, and the tokenizer cuts at ASCII only.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

pub(super) fn tendril(bytes: &[u8]) -> StrTendril {
    StrTendril::from(&*text(bytes))
}
