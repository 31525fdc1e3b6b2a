//! The readable text of a page: no scripts, styles or markup; a line for each block.

use html5ever::{LocalName, local_name};
use scraper::node::Element as Tag;

use super::reader::{Base, Context, Interest, Reader};
use super::words::push_words;

/// Bytes of ordinary HTML to a byte of its text.
const BYTES_PER_TEXT: usize = 4;

/// Collects the text that is for reading.
#[derive(Debug)]
pub(super) struct TextReader {
    text: String,
    /// Open elements whose text is not for reading.
    hidden: usize,
}

impl<'a> Reader<'a> for TextReader {
    type Found = String;

    const INTERESTS: &'static [Interest] = &[];

    fn new(context: &Context<'a>) -> Self {
        Self { text: String::with_capacity(context.length / BYTES_PER_TEXT), hidden: 0 }
    }

    #[inline]
    fn open(&mut self, tag: &'a Tag) {
        match Role::of(&tag.name.local) {
            Role::Hidden => self.hidden += 1,
            Role::Block => self.new_line(),
            Role::Inline => {}
        }
    }

    #[inline]
    fn close(&mut self, tag: &'a Tag) {
        match Role::of(&tag.name.local) {
            Role::Hidden => self.hidden -= 1,
            Role::Block => self.new_line(),
            Role::Inline => {}
        }
    }

    #[inline]
    fn text(&mut self, text: &'a str) {
        if self.hidden == 0 {
            push_words(&mut self.text, text);
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
        while text.ends_with(' ') {
            text.pop();
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
    }
}

/// What an element does to the text within. Names are interned, so that these are comparisons of integers.
enum Role {
    /// Its text is not for reading.
    Hidden,
    /// It begins a line of its own, and so does what follows.
    Block,
    Inline,
}

impl Role {
    fn of(name: &LocalName) -> Self {
        match *name {
            local_name!("script")
            | local_name!("style")
            | local_name!("template")
            | local_name!("svg")
            | local_name!("canvas")
            | local_name!("iframe")
            | local_name!("object")
            | local_name!("head")
            | local_name!("textarea")
            | local_name!("select") => Self::Hidden,
            local_name!("address")
            | local_name!("article")
            | local_name!("aside")
            | local_name!("blockquote")
            | local_name!("br")
            | local_name!("dd")
            | local_name!("details")
            | local_name!("dialog")
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
            | local_name!("hr")
            | local_name!("li")
            | local_name!("main")
            | local_name!("nav")
            | local_name!("ol")
            | local_name!("option")
            | local_name!("p")
            | local_name!("pre")
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
