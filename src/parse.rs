//! (base, HTML) → what a page says: bytes become a tree, and all readers go through it in one walk. Pure and synchronous;
//! [`pool`] decides when and on which thread.

pub mod body;
mod charset;
pub mod cookie;
mod css;
mod deadline;
mod directives;
mod fragments;
mod frames;
mod head;
mod images;
pub mod kind;
mod landmarks;
mod links;
pub mod memory;
pub mod message;
pub mod mime;
pub mod pool;
mod reader;
mod resources;
pub mod sitemap;
mod sniff;
#[cfg(test)]
mod tests;
mod text;
mod threads;
mod tree;
pub mod unspaced;
mod words;

use std::borrow::Cow;
use std::time::Duration;

use ego_tree::iter::Edge;
use encoding_rs::{Encoding, UTF_8};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use scraper::node::Element as Tag;
use scraper::{Html, Node};
use url::Url;

use crate::visit::Resource;

use charset::Declares;
pub use deadline::Deadline;
pub use directives::{forbid, robots_tag_for, robots_tag_forbids_following};
pub use fragments::{missing, repeated_ids};
pub use frames::Frame;
use frames::FrameReader;
pub use head::Head;
use head::HeadReader;
use images::{ImageReader, Media};
use kind::Format;
use links::{BaseReader, LinkReader, add};
pub use links::{FoundLink, refresh_link};
pub use reader::is_inert;
use reader::{Base, Context, Interest, Reader};
use text::TextReader;
pub use text::{is_never_shown, sets_apart};
use tree::End;
pub use words::{end_word, push_words};

/// Lists the readers: the field of [`Parsed`], the reader, what it finds.
macro_rules! readers {
    ($($(#[$doc:meta])* $name:ident: $reader:ty => $found:ty,)*) => {
        /// What a page says.
        #[derive(Debug, Clone, Default)]
        pub struct Parsed {
            $($(#[$doc])* pub $name: $found,)*
            /// The deadline passed before the end of the document, or it says more than is held.
            pub cut_short: bool,
        }

        struct Readers<'a> {
            base: BaseReader<'a>,
            $($name: $reader,)*
        }

        impl<'a> Readers<'a> {
            const INTERESTS: &'static [&'static [Interest]] = &[BaseReader::INTERESTS, $(<$reader>::INTERESTS),*];

            fn new(context: &Context<'a>) -> Self {
                Self { base: BaseReader::default(), $($name: <$reader>::new(context),)* }
            }

            fn open(&mut self, tag: &'a Tag) {
                self.base.open(tag);
                $(self.$name.open(tag);)*
            }

            fn close(&mut self, tag: &'a Tag) {
                $(self.$name.close(tag);)*
            }

            fn text(&mut self, text: &'a str) {
                $(self.$name.text(text);)*
            }

            /// The first `<base>` counts for what follows too.
            fn finish(self, document: &Url, base: &mut Option<Base>, encoding: &'static Encoding) -> Parsed {
                let base = base.get_or_insert_with(|| self.base.finish(document, encoding));
                let mut cut_short = false;
                $(let $name = self.$name.finish(base, &mut cut_short);)*
                Parsed { $($name,)* cut_short }
            }
        }
    };
}

readers! {
    /// Links to other documents, each once.
    links: LinkReader<'a> => Vec<FoundLink>,
    /// Readable text: no scripts, styles or markup; a line for each block.
    text: TextReader => String,
    /// What the page says of itself.
    head: HeadReader<'a> => Head,
    /// Documents of its frames, until what they say is part of what the page says.
    frames: FrameReader<'a> => Vec<Frame>,
    /// What it says besides its text.
    media: ImageReader<'a> => Media,
}

/// The text of a body whose character encoding is known by its name, as of a page that was read before; UTF-8 if it is not.
pub fn decoded<'a>(body: &'a [u8], charset: Option<&str>) -> Cow<'a, str> {
    let encoding = charset.and_then(|name| Encoding::for_label(name.as_bytes())).unwrap_or(UTF_8);
    charset::text_of(encoding, body).0
}

/// The encodings that a Content-Type and a document's own mark-up name, if both name one and these differ.
pub fn contradicting_charsets(content_type: &str, body: &[u8]) -> Option<[&'static str; 2]> {
    let content_type = HeaderValue::from_str(content_type).ok()?;
    let media_type = mime::of(&HeaderMap::from_iter([(CONTENT_TYPE, content_type)]))?;
    let by_header = Encoding::for_label(media_type.charset?.as_bytes())?;
    let by_document = charset::declared_in(body)?;
    (by_header != by_document).then(|| [by_header.name(), by_document.name()])
}

/// Decodes a page and parses it as far as `deadline` allows; what was read until then counts. XHTML that is well-formed
/// is read as such, anything else as HTML. Gives the name of its
/// character encoding too, in lower case.
pub fn parse_page(
    base: &Url,
    format: &Format,
    body: &[u8],
    product_token: &str,
    fragments: bool,
    deadline: Deadline,
) -> (String, Parsed) {
    let label = format.charset.as_deref();
    let parts = |text: &str, encoding: &'static Encoding| {
        Parts::new(base, Context { length: text.len(), product_token, encoding, deadline, fragments, depth: 0 })
    };
    if format.is_xml {
        let (text, encoding) = charset::decode(body, label, Declares::Xml);
        let mut parts = parts(&text, encoding);
        if let Some(end) = tree::build_xml(&text, Readers::INTERESTS, deadline, &mut |part| parts.read(part)) {
            return (encoding.name().to_ascii_lowercase(), parts.end(&end));
        }
    }
    let guess = charset::guess(body, label, Declares::Html);
    let (mut text, mut encoding) = charset::text_of(guess.encoding, body);
    let mut found = parts(&text, encoding);
    let supposed = (!guess.is_certain).then_some(encoding);
    let mut end = tree::build(&text, Readers::INTERESTS, deadline, supposed, &mut |part| found.read(part));
    if let Some(declared) = end.declared {
        encoding = declared;
        text = charset::text_without_mark(encoding, body);
        found = parts(&text, encoding);
        end = tree::build(&text, Readers::INTERESTS, deadline, None, &mut |part| found.read(part));
    }
    (encoding.name().to_ascii_lowercase(), found.end(&end))
}

/// All of a document that was served as XML, read by its rules as far as `deadline` allows, and whether that was the end. None
/// if it is not well-formed, so that the rules of HTML hold for it.
pub fn xhtml(text: &str, deadline: Deadline) -> Option<(Html, bool)> {
    tree::whole_xml(text, deadline)
}

/// What a page is put together from, whose character encoding is known by its name. Reads as far as `deadline` allows.
pub fn resources_of_page(base: &Url, body: &[u8], charset: &str, deadline: Deadline) -> (Vec<Resource>, bool) {
    let encoding = Encoding::for_label(charset.as_bytes()).unwrap_or(UTF_8);
    resources::of_page(base, &charset::text_of(encoding, body).0, encoding, deadline)
}

/// What a style sheet names (CSS Syntax, section 3.2, of its encoding).
pub fn resources_of_style_sheet(base: &Url, body: &[u8], headers: &HeaderMap) -> Vec<Resource> {
    let charset = mime::of(headers).and_then(|media_type| media_type.charset);
    resources::of_style_sheet(base, &decoded(body, charset.as_deref()))
}

/// Parses HTML that is text already, for so long.
pub fn parse_html(base: &Url, html: &str, product_token: &str, time: Duration) -> Parsed {
    let deadline = Deadline::after(time, Duration::ZERO);
    let (length, encoding) = (html.len(), UTF_8);
    parse_within(base, html, Context { length, product_token, encoding, deadline, fragments: false, depth: 0 })
}

fn parse_within(base: &Url, html: &str, context: Context<'_>) -> Parsed {
    let mut parts = Parts::new(base, context);
    let end = tree::build(html, Readers::INTERESTS, context.deadline, None, &mut |part| parts.read(part));
    parts.end(&end)
}

/// What the parts of a document say, one after the other. Most documents have but one.
struct Parts<'a> {
    document: &'a Url,
    context: Context<'a>,
    base: Option<Base>,
    parsed: Option<Parsed>,
}

impl<'a> Parts<'a> {
    fn new(document: &'a Url, context: Context<'a>) -> Self {
        Self { document, context, base: None, parsed: None }
    }

    fn read(&mut self, part: &Html) {
        let mut readers = Readers::new(&self.context);
        walk(part, &mut readers);
        let more = readers.finish(self.document, &mut self.base, self.context.encoding);
        match &mut self.parsed {
            None => self.parsed = Some(more),
            Some(parsed) => parsed.append(more),
        }
    }

    fn end(self, end: &End) -> Parsed {
        let mut parsed = self.parsed.unwrap_or_default();
        parsed.cut_short |= !end.is_whole;
        parsed.take_in_frames(&self.context);
        parsed
    }
}

impl Parsed {
    /// Adds what the next part of the document says.
    fn append(&mut self, more: Self) {
        let is_bounded = add(&mut self.links, more.links);
        self.cut_short |= more.cut_short || !is_bounded;
        if !self.text.is_empty() && !more.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&more.text);
        let Head { title, description, language: _, canonical_url, nofollow } = more.head;
        let head = &mut self.head;
        head.title = head.title.take().or(title);
        head.description = head.description.take().or(description);
        head.canonical_url = head.canonical_url.take().or(canonical_url);
        head.nofollow |= nofollow;
        self.frames.extend(more.frames);
        self.media.addresses.extend(more.media.addresses);
        self.media.captions.push_str(&more.media.captions);
    }

    /// Adds what the frames of a page say to what the page says.
    fn take_in_frames(&mut self, context: &Context<'_>) {
        if self.frames.is_empty() {
            return;
        }
        let mut links = Vec::new();
        for Frame { html, base, is_hidden } in std::mem::take(&mut self.frames) {
            let length = html.len();
            let frame =
                parse_within(&base, &html, Context { length, encoding: UTF_8, depth: context.depth + 1, ..*context });
            self.cut_short |= frame.cut_short;
            if !is_hidden && !frame.text.is_empty() {
                let between = if self.text.is_empty() { "" } else { "\n" };
                self.text.extend([between, &frame.text]);
            }
            links.extend(frame.links.into_iter().map(|mut link| {
                link.nofollow |= frame.head.nofollow;
                link
            }));
        }
        self.cut_short |= !add(&mut self.links, links);
    }
}

fn walk<'a>(document: &'a Html, readers: &mut Readers<'a>) {
    // Open elements that are no part of the document.
    let mut inert = 0_usize;
    for edge in document.tree.root().traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Element(tag) if inert > 0 || is_inert(tag) => inert += 1,
                Node::Element(tag) => readers.open(tag),
                Node::Text(text) if inert == 0 => readers.text(text),
                _ => {}
            },
            Edge::Close(node) => match node.value() {
                Node::Element(_) if inert > 0 => inert -= 1,
                Node::Element(tag) => readers.close(tag),
                _ => {}
            },
        }
    }
}
