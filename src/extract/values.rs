//! The list that metadata is gathered in.

use serde_json::Value as Json;

use super::structured::Object;

/// Values of one page, and bytes of their names and texts, at most.
const MAX_VALUES: usize = 20_000;
const MAX_BYTES: usize = 4 << 20;
/// Objects in each other that are gone into.
const MAX_DEPTH: usize = 32;

/// Where on a page a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    JsonLd,
    OpenGraph,
    Twitter,
    Microdata,
    Rdfa,
    Meta,
    Hreflang,
    Heading,
    Image,
}

impl Source {
    const COUNT: usize = 9;

    /// As the view `metadata` says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JsonLd => "jsonld",
            Self::OpenGraph => "opengraph",
            Self::Twitter => "twitter",
            Self::Microdata => "microdata",
            Self::Rdfa => "rdfa",
            Self::Meta => "meta",
            Self::Hreflang => "hreflang",
            Self::Heading => "heading",
            Self::Image => "image",
        }
    }
}

/// One thing that a page says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    pub source: Source,
    /// A path such as `offers.price`, a property, a language, a level of heading, or the URL of an image.
    pub name: String,
    pub value: Option<String>,
    /// Which of its source it is on the page, from 1 on; what belongs to one node or item has the same.
    pub position: u32,
}

/// Values in the order of the page, within bounds.
#[derive(Debug, Default)]
pub struct Values {
    pub list: Vec<Value>,
    /// There were more than are kept.
    pub cut_short: bool,
    bytes: usize,
    last: [u32; Source::COUNT],
}

impl Values {
    /// Adds one that stands for itself.
    pub fn add(&mut self, source: Source, name: &str, value: Option<&str>) {
        let position = self.next(source);
        self.put(source, name, value, position);
    }

    /// Adds all that a node or item says, lists as values of one name.
    pub fn add_object(&mut self, source: Source, object: &Object) {
        let position = self.next(source);
        self.add_fields(source, &mut String::new(), object, position, 0);
    }

    fn add_fields(&mut self, source: Source, path: &mut String, object: &Object, position: u32, depth: usize) {
        // What a graph holds is added by itself.
        let is_said = |name: &str| name != "@context" && (depth > 0 || name != "@graph");
        for (name, value) in object.iter().filter(|(name, _)| is_said(name)) {
            let length = path.len();
            if length > 0 {
                path.push('.');
            }
            path.push_str(name);
            self.add_at(source, path, value, position, depth + 1);
            path.truncate(length);
        }
    }

    fn add_at(&mut self, source: Source, path: &mut String, node: &Json, position: u32, depth: usize) {
        if depth > MAX_DEPTH {
            self.cut_short = true;
            return;
        }
        match node {
            Json::Null => {}
            Json::Bool(value) => self.put(source, path, Some(if *value { "true" } else { "false" }), position),
            Json::Number(value) => self.put(source, path, Some(&value.to_string()), position),
            Json::String(value) => self.put(source, path, Some(value.trim()), position),
            Json::Array(values) => {
                values.iter().for_each(|value| self.add_at(source, path, value, position, depth + 1));
            }
            Json::Object(object) => self.add_fields(source, path, object, position, depth),
        }
    }

    fn next(&mut self, source: Source) -> u32 {
        let last = &mut self.last[source as usize];
        *last = last.saturating_add(1);
        *last
    }

    fn put(&mut self, source: Source, name: &str, value: Option<&str>, position: u32) {
        let bytes = name.len() + value.map_or(0, str::len);
        if self.list.len() >= MAX_VALUES || self.bytes + bytes > MAX_BYTES {
            self.cut_short = true;
            return;
        }
        self.bytes += bytes;
        self.list.push(Value { source, name: storable(name), value: value.map(storable), position });
    }
}

/// Text as every database can hold it: without U+0000.
pub fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
