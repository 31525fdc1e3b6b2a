//! What a page says of itself in its mark-up: every value with its source and place, nothing merged away.

#[cfg(test)]
mod tests;

use std::time::Instant;

use ego_tree::iter::Edge;
use scraper::node::Element;
use scraper::{ElementRef, Node};

use super::page::Page;
use super::text::line;
use super::values::{Source, Values};
use super::work::Work;

/// Properties that begin so are Open Graph's: its own, its object types, and what Facebook added.
const OPEN_GRAPH: [&str; 9] = ["og", "article", "book", "profile", "music", "video", "product", "fb", "place"];

/// Gathers `meta`, `hreflang`, headings and images, in the order of the page.
pub fn read(page: &Page, link_headers: &[String], deadline: Instant, values: &mut Values) {
    let work = &Work::new(Some(deadline));
    for header in link_headers {
        hreflang_of_header(page, header, values);
    }
    // What is in a template is not on the page until a script puts it there.
    let mut templates = 0_usize;
    for edge in page.html.tree.root().traverse() {
        let (Edge::Open(node) | Edge::Close(node)) = edge;
        let Node::Element(element) = node.value() else { continue };
        let is_template = element.name() == "template";
        match edge {
            Edge::Open(_) if is_template => templates += 1,
            Edge::Close(_) if is_template => templates -= 1,
            Edge::Open(node) if templates == 0 => {
                if let Some(found) = ElementRef::wrap(node) {
                    read_element(page, element, found, work, values);
                }
            }
            _ => {}
        }
    }
}

fn read_element(page: &Page, element: &Element, found: ElementRef<'_>, work: &Work, values: &mut Values) {
    match element.name() {
        "meta" => read_meta(element, values),
        "link" => read_link(page, element, values),
        name @ ("h1" | "h2" | "h3" | "h4" | "h5" | "h6") => {
            values.add(Source::Heading, name, Some(&heading(found, work)));
        }
        "img" => {
            let alt = element.attr("alt").map(str::trim);
            if let Some(reference) = image_of(element) {
                values.add(Source::Image, &page.absolute(reference), alt);
            }
        }
        _ => {}
    }
}

/// The text of a heading; if it shows nothing but images, what stands for them.
fn heading(found: ElementRef<'_>, work: &Work) -> String {
    let text = line(found, work);
    if !text.is_empty() {
        return text;
    }
    let elements = found.descendent_elements().take_while(|_| work.take(1));
    let alts = elements.filter(|element| element.value().name() == "img").filter_map(|image| image.attr("alt"));
    alts.map(str::trim).filter(|alt| !alt.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A page's `meta` with a name or a property. Both are used for Open Graph and Twitter cards, rightly or not.
fn read_meta(element: &Element, values: &mut Values) {
    let Some(content) = element.attr("content").map(str::trim) else { return };
    let named = [element.attr("property"), element.attr("name")];
    for (place, name) in named.into_iter().enumerate() {
        let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else { continue };
        let name = name.to_ascii_lowercase();
        let prefix = name.split_once(':').map(|(prefix, _)| prefix);
        let source = match prefix {
            Some("twitter") => Source::Twitter,
            Some(prefix) if OPEN_GRAPH.contains(&prefix) => Source::OpenGraph,
            // Any other property is RDFa, which is read as such.
            _ if place == 0 => continue,
            _ => Source::Meta,
        };
        values.add(source, &name, Some(content));
    }
}

/// `<link rel=alternate hreflang=… href=…>` (WHATWG HTML, 4.6.7.1).
fn read_link(page: &Page, element: &Element, values: &mut Values) {
    let is_alternate = |rel: &str| rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("alternate"));
    let (Some(language), Some(href)) = (element.attr("hreflang"), element.attr("href")) else { return };
    if element.attr("rel").is_some_and(is_alternate) {
        values.add(Source::Hreflang, language.trim(), Some(&page.absolute(href)));
    }
}

/// The links of a `Link` header that are alternates in a language (RFC 8288, section 3; `hreflang` in 3.4.1).
fn hreflang_of_header(page: &Page, header: &str, values: &mut Values) {
    for link in split(header, ',') {
        let Some((target, parameters)) = link.trim().strip_prefix('<').and_then(|link| link.split_once('>')) else {
            continue;
        };
        let value_of = |wanted: &str| {
            split(parameters, ';').find_map(|parameter| {
                let (name, value) = parameter.split_once('=')?;
                name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        let is_alternate = value_of("rel")
            .is_some_and(|rel| rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("alternate")));
        if let (true, Some(language), Ok(url)) = (is_alternate, value_of("hreflang"), page.url.join(target.trim())) {
            values.add(Source::Hreflang, &language, Some(url.as_str()));
        }
    }
}

/// Parts of a header between separators that stand outside of quotation marks and angle brackets.
fn split(header: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut bracketed) = (false, false);
    header.split(move |c| {
        match c {
            '"' if !bracketed => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            _ => {}
        }
        c == separator && !quoted && !bracketed
    })
}

/// Where an image is: `src`, or what scripts that load images late or the browser's choice among several put there.
fn image_of(element: &Element) -> Option<&str> {
    let is_place = |text: &&str| !text.is_empty() && !text.starts_with("data:");
    let source = ["src", "data-src", "data-lazy-src", "data-original"];
    let stated = source.into_iter().find_map(|name| element.attr(name).map(str::trim).filter(is_place));
    let first = |set: &'_ str| set.split_ascii_whitespace().next().map(str::len);
    stated.or_else(|| {
        let set = element.attr("srcset").or_else(|| element.attr("data-srcset"))?.trim();
        let length = first(set)?;
        Some(set[..length].trim_end_matches(',')).filter(is_place)
    })
}
