//! The little HTML that the generated web is written in.

use super::server::Reply;

/// Where a link leads, and its text.
pub(super) type Link = (String, String);

pub(super) const UTF_8: &str = "<meta charset=\"utf-8\">\n";

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(super) fn slug(text: &str) -> String {
    text.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

pub(super) fn list<'a>(links: impl IntoIterator<Item = &'a Link>) -> String {
    let item = |(href, text): &Link| format!("<li><a href=\"{}\">{}</a></li>\n", escape(href), escape(text));
    format!("<ul>\n{}</ul>\n", links.into_iter().map(item).collect::<String>())
}

/// The list of links written as `href text|href text`.
pub(super) fn menu(links: &str) -> String {
    let links = links.split('|').filter_map(|link| link.split_once(' '));
    list(&links.map(|(href, text)| (href.to_owned(), text.to_owned())).collect::<Vec<_>>())
}

/// A whole page; `charset` is the markup that announces the encoding, or nothing.
pub(super) fn document(charset: &str, lang: &str, title: &str, head: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n{charset}<title>{}</title>\n{head}</head>\n\
         <body>\n{body}</body>\n</html>\n",
        escape(title)
    )
}

pub(super) fn not_found() -> Reply {
    let head = "<meta name=\"description\" content=\"There is no such page.\">\n";
    let main = "<h1>Not found</h1>\n<p>No page lives here. Try the <a href=\"/\">front page</a>.</p>\n";
    Reply { status: 404, ..Reply::html(document(UTF_8, "en", "Not found", head, main)) }
}
