//! What an element shows, as one line.

use ego_tree::iter::Edge;
use scraper::{ElementRef, Node};

use super::work::Work;
use crate::parse::{end_word, is_inert, is_never_shown, push_words, sets_apart};

/// The text of an element as a browser's `innerText` has it, on one line: what is never shown within it (scripts, style
/// sheets, templates, `hidden`) is left out, and so is the rest once there is no more `work`. The element itself is not
/// asked whether it is shown.
pub fn line(element: ElementRef<'_>, work: &Work) -> String {
    let mut text = String::new();
    // Open elements that are not shown.
    let mut hidden = 0_usize;
    for edge in element.traverse() {
        let (Edge::Open(node) | Edge::Close(node)) = edge;
        let is_open = matches!(edge, Edge::Open(_));
        match node.value() {
            Node::Element(_) if node.id() == element.id() => {}
            Node::Element(tag) if hidden > 0 || is_never_shown(tag) || is_inert(tag) => {
                hidden = if is_open { hidden + 1 } else { hidden - 1 };
            }
            Node::Element(tag) if sets_apart(tag) => end_word(&mut text),
            Node::Text(part) if is_open && hidden == 0 => {
                if !work.take(part.len()) {
                    break;
                }
                push_words(&mut text, part);
            }
            _ => {}
        }
        if !work.take(1) {
            break;
        }
    }
    text.truncate(text.trim_end().len());
    text.drain(..text.len() - text.trim_start().len());
    text
}
