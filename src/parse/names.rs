//! What elements and attributes mean to a reader. Names of elements are interned, so that these are comparisons of integers.

use html5ever::{LocalName, local_name};

/// The name of an attribute that is read, or that decides how the tree is built (WHATWG HTML, 13.2.6). None for all others.
pub(super) fn read_attribute(name: &[u8]) -> Option<LocalName> {
    Some(match name {
        b"href" => local_name!("href"),
        b"src" => local_name!("src"),
        b"rel" => local_name!("rel"),
        b"alt" => local_name!("alt"),
        b"name" => local_name!("name"),
        b"content" => local_name!("content"),
        b"http-equiv" => local_name!("http-equiv"),
        b"lang" => local_name!("lang"),
        b"type" => local_name!("type"),
        b"encoding" => local_name!("encoding"),
        b"color" => local_name!("color"),
        b"face" => local_name!("face"),
        b"size" => local_name!("size"),
        _ => return None,
    })
}

/// Elements whose text is not for reading.
pub(super) fn is_hidden(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("script")
            | local_name!("style")
            | local_name!("template")
            | local_name!("svg")
            | local_name!("canvas")
            | local_name!("iframe")
            | local_name!("object")
            | local_name!("head")
            | local_name!("textarea")
            | local_name!("select")
    )
}

/// Elements that begin a line of their own.
pub(super) fn is_block(name: &LocalName) -> bool {
    matches!(
        *name,
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
            | local_name!("ul")
    )
}
