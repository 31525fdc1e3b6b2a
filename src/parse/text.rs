//! The readable text of a page: no scripts, styles or markup; a line for each block.

use html5ever::{LocalName, QualName, local_name, ns};
use scraper::node::Element as Tag;

use super::memory::room;
use super::reader::{Base, Context, Interest, Reader, is_hidden};
use super::words::{end_word, push_words};

/// Bytes of ordinary HTML to a byte of its text.
const BYTES_PER_TEXT: usize = 4;

/// Collects the text that is for reading.
#[derive(Debug)]
pub(super) struct TextReader {
    text: String,
    /// Open elements from the outermost on whose text is not for reading.
    hidden: usize,
    /// Open elements that keep their lines and spaces.
    kept: usize,
}

impl<'a> Reader<'a> for TextReader {
    type Found = String;

    const INTERESTS: &'static [Interest] = &[];

    fn new(context: &Context<'a>) -> Self {
        Self { text: String::with_capacity(room(context.length / BYTES_PER_TEXT)), hidden: 0, kept: 0 }
    }

    #[inline]
    fn open(&mut self, tag: &'a Tag) {
        if self.hidden > 0 || is_hidden(tag) {
            self.hidden += 1;
            return;
        }
        match Role::of(&tag.name) {
            Role::Hidden => self.hidden = 1,
            Role::Object => {
                end_word(&mut self.text);
                self.hidden = 1;
            }
            Role::Kept => {
                self.new_line();
                self.kept += 1;
            }
            Role::Block => self.new_line(),
            Role::Apart => end_word(&mut self.text),
            Role::Inline => {}
        }
    }

    #[inline]
    fn close(&mut self, tag: &'a Tag) {
        if self.hidden > 0 {
            self.hidden -= 1;
            return;
        }
        match Role::of(&tag.name) {
            Role::Kept => {
                self.kept -= 1;
                self.new_line();
            }
            Role::Block => self.new_line(),
            Role::Apart => end_word(&mut self.text),
            Role::Hidden | Role::Object | Role::Inline => {}
        }
    }

    #[inline]
    fn text(&mut self, text: &'a str) {
        match (self.hidden, self.kept) {
            (0, 0) => push_words(&mut self.text, text),
            (0, _) => self.text.push_str(text),
            _ => {}
        }
    }

    fn finish(mut self, _: &Base, _: &mut bool) -> String {
        self.text.truncate(self.text.trim_end().len());
        self.text
    }
}

impl TextReader {
    fn new_line(&mut self) {
        let text = &mut self.text;
        while let Some(b' ' | b'\t') = text.as_bytes().last() {
            text.pop();
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
    }
}

/// Whether the words before and within an element, or after it, are not one.
pub fn sets_apart(tag: &Tag) -> bool {
    matches!(Role::of(&tag.name), Role::Block | Role::Kept | Role::Apart | Role::Object)
}

/// Whether an element is never shown, nor what is in it; what SVG hides still names it (a `<title>`).
pub fn is_never_shown(tag: &Tag) -> bool {
    is_hidden(tag) || (tag.name.ns != ns!(svg) && matches!(Role::of(&tag.name), Role::Hidden))
}

/// What an element does to the text within. Names are interned, so that these are comparisons of integers.
enum Role {
    /// It is never shown (WHATWG HTML, 15.3.1 "hidden elements").
    Hidden,
    /// It is shown between words, and what is within is not for reading, or for browsers that do not know it.
    Object,
    /// It begins a line of its own, and so does what follows; lines and spaces within are kept.
    Kept,
    /// It begins a line of its own, and so does what follows.
    Block,
    /// It stands apart from the words around it.
    Apart,
    Inline,
}

impl Role {
    #[inline]
    fn of(name: &QualName) -> Self {
        if name.ns == ns!(html) { Self::in_html(&name.local) } else { Self::in_drawing(&name.local) }
    }

    /// SVG 2, section 5 and "text content elements", and MathML Core, section 4.
    fn in_drawing(name: &LocalName) -> Self {
        match *name {
            local_name!("svg") | local_name!("text") | local_name!("tspan") | local_name!("foreignObject") => {
                Self::Apart
            }
            local_name!("annotation")
            | local_name!("annotation-xml")
            | local_name!("clipPath")
            | local_name!("defs")
            | local_name!("desc")
            | local_name!("marker")
            | local_name!("mask")
            | local_name!("metadata")
            | local_name!("pattern")
            | local_name!("script")
            | local_name!("style")
            | local_name!("symbol")
            | local_name!("title") => Self::Hidden,
            _ => Self::Inline,
        }
    }

    fn in_html(name: &LocalName) -> Self {
        match *name {
            local_name!("datalist")
            | local_name!("head")
            | local_name!("noembed")
            | local_name!("noframes")
            | local_name!("rp")
            | local_name!("script")
            | local_name!("style")
            | local_name!("title") => Self::Hidden,
            local_name!("audio")
            | local_name!("canvas")
            | local_name!("iframe")
            | local_name!("meter")
            | local_name!("progress")
            | local_name!("select")
            | local_name!("video") => Self::Object,
            local_name!("listing")
            | local_name!("plaintext")
            | local_name!("pre")
            | local_name!("textarea")
            | local_name!("xmp") => Self::Kept,
            // What is in an `<object>` is shown unless its data can be, which only another document tells.
            local_name!("button") | local_name!("img") | local_name!("object") => Self::Apart,
            local_name!("address")
            | local_name!("article")
            | local_name!("aside")
            | local_name!("blockquote")
            | local_name!("br")
            | local_name!("caption")
            | local_name!("center")
            | local_name!("dd")
            | local_name!("details")
            | local_name!("dialog")
            | local_name!("dir")
            | local_name!("div")
            | local_name!("dl")
            | local_name!("dt")
            | local_name!("fieldset")
            | local_name!("figcaption")
            | local_name!("figure")
            | local_name!("footer")
            | local_name!("form")
            | local_name!("h1")
            | local_name!("h2")
            | local_name!("h3")
            | local_name!("h4")
            | local_name!("h5")
            | local_name!("h6")
            | local_name!("header")
            | local_name!("hgroup")
            | local_name!("hr")
            | local_name!("legend")
            | local_name!("li")
            | local_name!("main")
            | local_name!("menu")
            | local_name!("nav")
            | local_name!("ol")
            | local_name!("optgroup")
            | local_name!("option")
            | local_name!("p")
            | local_name!("search")
            | local_name!("section")
            | local_name!("summary")
            | local_name!("table")
            | local_name!("td")
            | local_name!("th")
            | local_name!("tr")
            | local_name!("ul") => Self::Block,
            _ => Self::Inline,
        }
    }
}
