//! Documents within a document: `<iframe srcdoc>`, which a browser shows as it shows the page around it.

use html5ever::{local_name, ns};
use scraper::node::Element as Tag;
use url::Url;

use super::reader::{Base, Context, Interest, Reader, attribute, is_hidden};

/// How deep frames within frames are read.
const DEEPEST: u8 = 3;

/// A document that is still to be read: HTML, in whatever document it is.
#[derive(Debug, Clone)]
pub struct Frame {
    pub html: String,
    /// What its URLs are relative to: what those of the document around it are (WHATWG HTML, 2.5.1 "fallback base URL").
    pub base: Url,
    pub is_hidden: bool,
}

/// Collects the documents of frames.
#[derive(Debug)]
pub(super) struct FrameReader<'a> {
    is_deep: bool,
    /// Each document, and whether its frame is hidden.
    documents: Vec<(&'a str, bool)>,
}

impl<'a> Reader<'a> for FrameReader<'a> {
    type Found = Vec<Frame>;

    const INTERESTS: &'static [Interest] = &[(local_name!("iframe"), &[local_name!("srcdoc")])];

    fn new(context: &Context<'a>) -> Self {
        Self { is_deep: context.depth >= DEEPEST, documents: Vec::new() }
    }

    #[inline]
    fn open(&mut self, tag: &'a Tag) {
        if tag.name.local == local_name!("iframe")
            && tag.name.ns == ns!(html)
            && !self.is_deep
            && let Some(document) = attribute(tag, &local_name!("srcdoc"))
        {
            self.documents.push((document, is_hidden(tag)));
        }
    }

    fn finish(self, base: &Base, _: &mut bool) -> Vec<Frame> {
        let frame =
            |(html, is_hidden): (&str, bool)| Frame { html: html.to_owned(), base: base.url.clone(), is_hidden };
        self.documents.into_iter().map(frame).collect()
    }
}
