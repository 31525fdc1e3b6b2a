//! What a tree has to hold: the interests of all readers, and what decides how it is built.

use html5ever::{LocalName, local_name};

use crate::parse::reader::Interest;

/// Attributes that decide how the tree is built (WHATWG HTML, 13.2.6), and what is read into it.
const SHAPING: &[Interest] = &[
    (local_name!("input"), &[local_name!("type")]),
    (local_name!("font"), &[local_name!("color"), local_name!("face"), local_name!("size")]),
    (local_name!("annotation-xml"), &[local_name!("encoding")]),
    (local_name!("template"), &[local_name!("shadowrootmode")]),
    (local_name!("meta"), &[local_name!("charset"), local_name!("http-equiv"), local_name!("content")]),
];

/// The union of interests, made for one document. Every tag with attributes is looked up.
#[derive(Debug)]
pub(super) struct Interests {
    all: Vec<Interest>,
    /// All that there is, as if each element and attribute were named.
    pub is_whole: bool,
    /// The bits of all their elements, which tell of most others at once that they are not among them.
    bits: u64,
    /// Of any element: `hidden`, which stands in the tree for a `style` that hides it too; `background`, which stands
    /// for the image that a `style` shows behind it; and `role`.
    pub of_any: [LocalName; 4],
}

impl Interests {
    pub fn new(readers: &[&[Interest]]) -> Self {
        let all: Vec<_> = readers.iter().copied().chain([SHAPING]).flatten().cloned().collect();
        let bits = all.iter().fold(0, |bits, (element, _)| bits | bit(element));
        Self {
            all,
            is_whole: false,
            bits,
            of_any: [local_name!("hidden"), local_name!("style"), local_name!("background"), local_name!("role")],
        }
    }

    pub fn whole() -> Self {
        Self { is_whole: true, ..Self::new(&[]) }
    }

    /// Whether somebody reads the text of this element where it is a script or a style sheet.
    pub fn name(&self, element: &LocalName) -> bool {
        self.is_whole || self.of(element).next().is_some()
    }

    /// Whether this attribute of an element is to be kept.
    pub fn keep(&self, element: &LocalName, attribute: &LocalName) -> bool {
        self.is_whole || self.of(element).flatten().any(|wanted| wanted == attribute)
    }

    /// The attributes of an element that are to be kept, one slice for each interest in the element.
    pub fn of(&self, element: &LocalName) -> impl Iterator<Item = &'static [LocalName]> {
        // The tree builder makes `<image>` an `<img>`.
        let element = if *element == local_name!("image") { local_name!("img") } else { element.clone() };
        let all = if self.bits & bit(&element) == 0 { &[] } else { &self.all[..] };
        all.iter().filter(move |(of, _)| *of == element).map(|(_, attributes)| *attributes)
    }
}

fn bit(name: &LocalName) -> u64 {
    1 << (name.get_hash() % 64)
}
