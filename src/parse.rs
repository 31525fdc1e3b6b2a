//! (base, HTML) → what a page says: bytes become a tree, and all readers go through it in one walk. Pure and synchronous;
//! [`pool`] decides when and on which thread.

mod charset;
pub mod cookie;
mod directives;
mod frames;
mod head;
mod images;
pub mod kind;
mod links;
pub mod message;
pub mod mime;
pub mod pool;
mod reader;
pub mod sitemap;
mod sniff;
#[cfg(test)]
mod tests;
mod text;
mod tree;
pub mod unspaced;
mod words;

use std::time::Instant;

use ego_tree::iter::Edge;
use encoding_rs::{Encoding, UTF_8};
use indexmap::IndexSet;
use scraper::node::Element as Tag;
use scraper::{Html, Node};
use url::Url;

use charset::Declares;
pub use directives::robots_tag_forbids_following;
pub use frames::Frame;
use frames::FrameReader;
pub use head::Head;
use head::HeadReader;
use images::ImageReader;
use kind::Format;
use links::{BaseReader, LinkReader};
pub use links::{FoundLink, refresh_link};
use reader::{Context, Interest, Reader, is_inert};
use text::TextReader;
use tree::Built;

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

            fn finish(self, document: &Url, encoding: &'static Encoding, mut cut_short: bool) -> Parsed {
                let base = self.base.finish(document, encoding);
                $(let $name = self.$name.finish(&base, &mut cut_short);)*
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
    /// Hashes of the addresses of its images, in their order.
    images: ImageReader => Vec<u64>,
}

/// Decodes a page and parses it as far as `deadline` allows; what was read until then counts. XHTML that is well-formed
/// is read as such, anything else as HTML. Gives the name of its
/// character encoding too, in lower case.
pub fn parse_page(
    base: &Url,
    format: &Format,
    body: &[u8],
    product_token: &str,
    deadline: Instant,
) -> (String, Parsed) {
    let finish = |tree: &Built, length, encoding: &'static Encoding| {
        let context = Context { length, product_token, encoding, deadline, depth: 0 };
        (encoding.name().to_ascii_lowercase(), read(&tree.document, base, &context, !tree.is_whole))
    };
    let label = format.charset.as_deref();
    if format.is_xml {
        let (text, encoding) = charset::decode(body, label, Declares::Xml);
        if let Some(tree) = tree::build_xml(&text, Readers::INTERESTS, deadline) {
            return finish(&tree, text.len(), encoding);
        }
    }
    let guess = charset::guess(body, label, Declares::Html);
    let (mut text, mut encoding, _) = guess.encoding.decode(body);
    let mut tree = tree::build(&text, Readers::INTERESTS, deadline, (!guess.is_certain).then_some(encoding));
    if let Some(declared) = tree.declared {
        encoding = declared;
        text = encoding.decode_without_bom_handling(body).0;
        tree = tree::build(&text, Readers::INTERESTS, deadline, None);
    }
    finish(&tree, text.len(), encoding)
}

/// Parses HTML that is text already.
pub fn parse_html(base: &Url, html: &str, product_token: &str, deadline: Instant) -> Parsed {
    parse_within(base, html, Context { length: html.len(), product_token, encoding: UTF_8, deadline, depth: 0 })
}

fn parse_within(base: &Url, html: &str, context: Context<'_>) -> Parsed {
    let tree = tree::build(html, Readers::INTERESTS, context.deadline, None);
    read(&tree.document, base, &context, !tree.is_whole)
}

/// Adds what the frames of a page say to what the page says.
fn take_in_frames(page: &mut Parsed, context: &Context<'_>) {
    if page.frames.is_empty() {
        return;
    }
    let mut links: IndexSet<_> = std::mem::take(&mut page.links).into_iter().collect();
    for Frame { html, base, is_hidden } in std::mem::take(&mut page.frames) {
        let length = html.len();
        let frame =
            parse_within(&base, &html, Context { length, encoding: UTF_8, depth: context.depth + 1, ..*context });
        page.cut_short |= frame.cut_short;
        if !is_hidden && !frame.text.is_empty() {
            let between = if page.text.is_empty() { "" } else { "\n" };
            page.text.extend([between, &frame.text]);
        }
        links.extend(frame.links.into_iter().map(|mut link| {
            link.nofollow |= frame.head.nofollow;
            link
        }));
    }
    page.links = links.into_iter().collect();
}

fn read(document: &Html, base: &Url, context: &Context<'_>, cut_short: bool) -> Parsed {
    let mut readers = Readers::new(context);
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
    let mut parsed = readers.finish(base, context.encoding, cut_short);
    take_in_frames(&mut parsed, context);
    parsed
}
