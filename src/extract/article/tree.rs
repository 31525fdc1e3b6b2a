//! A copy of a page's document to look for its main content in.

use dom_query::{Document, Element, NodeData, NodeId};
use ego_tree::iter::Edge;
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, local_name};
use scraper::Node;
use url::Url;

use crate::extract::page::Page;

/// What of a document is copied at most. An article of this size is a book; what a search for it costs grows with both.
const MAX_NODES: usize = 60_000;
const MAX_TEXT: usize = 4 << 20;
/// Elements in each other; what is deeper is copied without them. The search looks up and down from many elements.
const MAX_DEPTH: usize = 100;
/// Bytes of an attribute's value that is copied. Longer ones are images and scripts.
const MAX_VALUE: usize = 8 << 10;

/// The document without what nobody reads, within bounds, its URLs absolute.
pub(super) fn copied(page: &Page) -> Document {
    let copy = Document::default();
    let root = copy.tree.root().id;
    let mut open: Vec<NodeId> = vec![root];
    // Elements that were left out and are open: of the first, nothing is copied until it is closed.
    let (mut skipped, mut text) = (0_usize, 0_usize);
    let mut depths = Vec::new();
    let push_text = |open: &[NodeId], text: &str| {
        let contents = StrTendril::from(text);
        copy.tree.append_child_data_of(&open[open.len() - 1], NodeData::Text { contents });
    };
    for edge in page.html.tree.root().traverse() {
        let is_full = copy.tree.len() >= MAX_NODES || text >= MAX_TEXT;
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Element(_) if skipped > 0 => skipped += 1,
                Node::Element(element) if is_full || is_left_out(element) => skipped = 1,
                Node::Element(element) => {
                    depths.push(open.len());
                    if open.len() < MAX_DEPTH {
                        let parent = open[open.len() - 1];
                        let data = NodeData::Element(Element::new(
                            element.name.clone(),
                            attributes(page, element),
                            None,
                            false,
                        ));
                        let id = copy.tree.create_node(data);
                        copy.tree.append_child_of(&parent, &id);
                        open.push(id);
                    } else {
                        push_text(&open, " ");
                    }
                }
                Node::Text(content) if skipped == 0 && !is_full => {
                    text += content.len();
                    push_text(&open, content);
                }
                _ => {}
            },
            Edge::Close(node) if node.value().is_element() => {
                if skipped > 0 {
                    skipped -= 1;
                } else if let Some(depth) = depths.pop() {
                    open.truncate(depth);
                }
            }
            Edge::Close(_) => {}
        }
    }
    copy
}

/// Whether nothing of an element is content, whatever is in it. JSON-LD names author and date.
fn is_left_out(element: &scraper::node::Element) -> bool {
    match element.name.local {
        local_name!("script") => {
            element.attr("type").is_none_or(|kind| !kind.eq_ignore_ascii_case("application/ld+json"))
        }
        local_name!("style")
        | local_name!("template")
        | local_name!("noscript")
        | local_name!("iframe")
        | local_name!("svg")
        | local_name!("select")
        | local_name!("textarea")
        | local_name!("canvas") => true,
        _ => false,
    }
}

fn attributes(page: &Page, element: &scraper::node::Element) -> Vec<Attribute> {
    let short = element.attrs.iter().filter(|(_, value)| value.len() <= MAX_VALUE);
    let copied = short.filter_map(|(name, value)| {
        let value = if is_url(&name.local) { absolute(&page.base, value)?.as_str().into() } else { value.clone() };
        Some(Attribute { name: name.clone(), value })
    });
    copied.collect()
}

fn is_url(name: &LocalName) -> bool {
    matches!(*name, local_name!("href") | local_name!("src")) || &**name == "data-src"
}

/// The absolute URL, if it is one that may be followed from what is derived. Scripts and data are no links.
fn absolute(base: &Url, value: &str) -> Option<Url> {
    base.join(value).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "mailto" | "tel"))
}
