//! A web of any size: interlinked pages that depend on their number alone.

use std::fmt::Write as _;

use super::markup::not_found;
use super::server::Reply;

/// Sentences for the pages of the graph.
const SENTENCES: [&str; 12] = [
    "The harvestman walks on seven legs as well as on eight, and tells nobody which one it left behind. ",
    "Every thread of the old barn was counted twice, once in the morning and once by lamplight. ",
    "A good map shows the paths; a better one shows who has walked them and when they meant to return. ",
    "Nothing in the ledger was missing, though three pages had been bound in upside down. ",
    "When the wind turned, the orchard gave up its apples all at once and without ceremony. ",
    "The second lantern is for the visitor, and the third one is for the road behind the visitor. ",
    "Whoever arrives early is asked to wait, and whoever arrives late is asked to explain the weather. ",
    "It took a summer to draw the boundary and a single evening to forget where it ran. ",
    "Careful readers will notice that the bridge is older than the river it crosses. ",
    "The archive keeps its doors open at night, since most of its readers have no use for the sun. ",
    "Of all the tools on the wall, only the smallest shows any sign of having been used. ",
    "They agreed to meet where the two roads part, which is of course where they had met before. ",
];

/// Page `/p/I` of a graph of `pages` interlinked pages, about `bytes` long each (but never shorter than its links).
/// It depends on its arguments alone. `/` is `/p/0`; any other path, and a number out of range, answers 404.
pub fn graph_page(pages: usize, bytes: usize, path: &str) -> Reply {
    match graph_index(path) {
        Some(index) if index < pages => Reply::html(graph_html(index, pages, bytes)),
        _ => not_found(),
    }
}

fn graph_index(path: &str) -> Option<usize> {
    let digits = if path == "/" { "0" } else { path.strip_prefix("/p/")? };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    plain.then(|| digits.parse().ok()).flatten()
}

fn graph_html(index: usize, pages: usize, bytes: usize) -> String {
    let mut rng = fastrand::Rng::with_seed(index as u64);
    let (prev, next, last) = (index.saturating_sub(1), (index + 1).min(pages - 1), pages - 1);
    let mut html = String::with_capacity(bytes.max(2048) + 256);
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Page {index}</title>\n\
         <meta name=\"description\" content=\"Page {index} of a generated web of {pages} pages.\">\n</head>\n<body>\n\
         <nav><a href=\"/p/0\">Home</a> <a href=\"/p/{prev}\" rel=\"prev\">Previous</a> \
         <a href=\"/p/{next}\" rel=\"next\">Next</a> <a href=\"/p/{last}\">Last</a></nav>\n\
         <h1>Page {index}</h1>\n<ul>\n"
    );
    let children = [2 * index + 1, 2 * index + 2].into_iter().filter(|child| *child < pages);
    let others: [usize; 20] = std::array::from_fn(|_| rng.usize(..pages));
    for target in children.chain(others) {
        let _ = writeln!(html, "<li><a href=\"/p/{target}\">Page {target}</a></li>");
    }
    html.push_str("</ul>\n");
    while html.len() < bytes {
        html.push_str("<p>");
        for _ in 0..5 {
            html.push_str(SENTENCES[rng.usize(..SENTENCES.len())]);
        }
        html.push_str("</p>\n");
    }
    html.push_str("</body>\n</html>\n");
    html
}
