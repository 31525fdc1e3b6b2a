//! (base, HTML) → what a page says: bytes become a tree, and all readers go through it in one walk. Pure and synchronous;
//! [`pool`] decides when and on which thread.

mod charset;
mod directives;
mod head;
pub mod kind;
mod links;
pub mod mime;
pub mod pool;
mod reader;
pub mod sitemap;
mod sniff;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod words;

use std::time::Instant;

use ego_tree::iter::Edge;
use scraper::node::Element as Tag;
use scraper::{Html, Node};
use url::Url;

pub use directives::robots_tag_forbids_following;
pub use head::Head;
use head::HeadReader;
use links::{BaseReader, LinkReader};
pub use links::{FoundLink, refresh_link};
use reader::{Context, Interest, Reader};
use text::TextReader;

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

            fn finish(self, document: &Url, mut cut_short: bool) -> Parsed {
                let base = self.base.finish(document);
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
}

/// Parses as far as `deadline` allows; what was read until then counts.
pub fn parse_html(base: &Url, html: &str, product_token: &str, deadline: Instant) -> Parsed {
    let (document, complete) = tree::build(html, Readers::INTERESTS, deadline);
    read(&document, base, &Context { length: html.len(), product_token }, !complete)
}

fn read(document: &Html, base: &Url, context: &Context<'_>, cut_short: bool) -> Parsed {
    let mut readers = Readers::new(context);
    for edge in document.tree.root().traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Element(tag) => readers.open(tag),
                Node::Text(text) => readers.text(text),
                _ => {}
            },
            Edge::Close(node) => {
                if let Node::Element(tag) = node.value() {
                    readers.close(tag);
                }
            }
        }
    }
    readers.finish(base, cut_short)
}
