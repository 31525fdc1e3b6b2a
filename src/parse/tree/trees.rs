//! The trees of one document: what is large or deep is read in parts, so that no document takes more memory than one tree
//! may, or more time than its bytes are worth.

use std::cell::{Cell, RefCell};

use ego_tree::{NodeId, Tree};
use html5ever::interface::{Tracer, TreeSink};
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{Attribute, LocalName, QualName, local_name};
use indexmap::IndexSet;
use scraper::node::Element;
use scraper::{Html, HtmlTreeSink, Node, StrTendril};

/// Bytes of ordinary HTML to a node of its tree.
const BYTES_PER_NODE: usize = 16;

/// Nodes of one tree, which is 8 to 15 MB; a larger document is read in parts, each a tree of its own.
pub(super) const MAX_NODES: usize = 50_000;
/// Open elements, after which a tree ends: what is within them takes longer and longer to build.
const MAX_DEPTH: usize = 512;
/// Open elements, from the outermost on, that the next part begins within.
pub(super) const CONTEXT: usize = 64;

pub(super) type Builder = TreeBuilder<NodeId, HtmlTreeSink>;

/// Only a tag changes how the tokenizer goes on.
pub(super) fn send(builder: &Builder, token: Token) {
    let _ = builder.process_token(token, NO_LINE);
}

/// Nobody asks where a token stands.
pub(super) const NO_LINE: u64 = 1;

/// Takes the trees of a document, one after the other.
pub(super) type Take<'a> = &'a mut dyn FnMut(&Html);

/// The trees of a document: the one that is being built, and who takes it.
pub(super) struct Trees<'a> {
    pub builder: RefCell<Builder>,
    take: RefCell<Take<'a>>,
    /// Nodes that a tree of the document may have, as far as its length tells.
    nodes: usize,
    /// Only links and words are read on.
    pub skims: Cell<bool>,
}

impl<'a> Trees<'a> {
    pub fn new(length: usize, take: Take<'a>) -> Self {
        let nodes = (length / BYTES_PER_NODE).min(MAX_NODES);
        Self { builder: RefCell::new(builder(nodes)), take: RefCell::new(take), nodes, skims: Cell::new(false) }
    }

    pub fn is_full(&self) -> bool {
        self.builder.borrow().sink.0.borrow().tree.values().len() > MAX_NODES
    }

    /// Whether so many elements are open that what is within takes longer and longer to build.
    pub fn is_deep(&self) -> bool {
        self.open().len() > MAX_DEPTH
    }

    /// The open elements from the outermost on, and others that the builder holds.
    fn open(&self) -> Vec<NodeId> {
        let open = Open::default();
        self.builder.borrow().trace_handles(&open);
        open.0.into_inner()
    }

    /// Hands the tree over and begins another within the outermost `context` elements that are open.
    pub fn turn(&self, context: usize) {
        let open: Vec<_> = {
            let builder = self.builder.borrow();
            let document = builder.sink.0.borrow();
            let open: IndexSet<_> = self.open().into_iter().collect();
            let open = open.into_iter().filter_map(|id| document.tree.get(id)?.value().as_element());
            open.filter(|element| !is_apart(&element.name.local)).take(context).map(start_tag).collect()
        };
        self.hand_over(builder(self.nodes));
        let builder = self.builder.borrow();
        open.into_iter().for_each(|tag| send(&builder, Token::TagToken(tag)));
    }

    pub fn end(&self) {
        self.hand_over(builder(0));
    }

    fn hand_over(&self, next: Builder) {
        let builder = self.builder.replace(next);
        send(&builder, Token::EOFToken);
        builder.end();
        (self.take.borrow_mut())(&builder.sink.finish());
    }
}

fn builder(nodes: usize) -> Builder {
    let mut document = Html::new_document();
    // Growing a large tree by doubling would hold it twice.
    document.tree = Tree::with_capacity(Node::Document, nodes);
    // No script runs here, so what stands in <noscript> is what a reader gets.
    let opts = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    TreeBuilder::new(HtmlTreeSink::new(document), opts)
}

/// What a tree builder holds: its document, the open elements from the outermost on, and others.
#[derive(Default)]
struct Open(RefCell<Vec<NodeId>>);

impl Tracer for Open {
    type Handle = NodeId;

    fn trace_handle(&self, node: &NodeId) {
        self.0.borrow_mut().push(*node);
    }
}

/// Whether an element is not opened anew in the next part: it has those of its own, or says again what it said.
fn is_apart(name: &LocalName) -> bool {
    matches!(*name, local_name!("html") | local_name!("head") | local_name!("body") | local_name!("a"))
}

fn start_tag(element: &Element) -> Tag {
    let attribute = |(name, value): &(QualName, StrTendril)| Attribute { name: name.clone(), value: value.clone() };
    Tag {
        kind: TagKind::StartTag,
        name: element.name.local.clone(),
        self_closing: false,
        attrs: element.attrs.iter().map(attribute).collect(),
        had_duplicate_attributes: false,
    }
}
