//! From XHTML to a tree, by the rules of XML (XML 1.0, Namespaces in XML 1.0): an empty element ends where it begins,
//! whatever its name, and what is no well-formed document is none.

use ego_tree::NodeId;
use html5ever::data::NAMED_ENTITIES;
use html5ever::{Attribute, LocalName, QualName, local_name, ns};
use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use scraper::node::{Element, Text};
use scraper::{Html, Node};

use super::super::deadline::{Deadline, Left};
use super::interests::Interests;
use super::run::tendril;
use super::tag::hides;
use super::trees::{MAX_NODES, Take};

/// Events read between two looks at the clock.
const STEP: usize = 1024;
/// Elements in each other, at most; a deeper document is read as HTML.
const MAX_DEPTH: usize = 10_000;

const XHTML: &str = "http://www.w3.org/1999/xhtml";
const SVG: &str = "http://www.w3.org/2000/svg";
const MATHML: &str = "http://www.w3.org/1998/Math/MathML";
const XLINK: &str = "http://www.w3.org/1999/xlink";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Hands over the trees as far as `deadline` allows, and says whether that was the end. None: it is not well-formed.
pub(super) fn build(xml: &str, interests: &Interests, deadline: Deadline, take: Take<'_>) -> Option<bool> {
    let mut reader = NsReader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut document = Html::new_document();
    let mut open = vec![document.tree.root().id()];
    let mut has_root = false;
    for read in 0_usize.. {
        if read.is_multiple_of(STEP) && deadline.left() != Left::All {
            take(&document);
            return Some(false);
        }
        if document.tree.values().len() > MAX_NODES && !interests.is_whole {
            take(&document);
            document = within(&document, &mut open)?;
        }
        let parent = *open.last()?;
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                if open.len() == 1 && std::mem::replace(&mut has_root, true) || open.len() > MAX_DEPTH {
                    return None;
                }
                let element = Node::Element(element(&reader, &tag, interests)?);
                open.push(document.tree.get_mut(parent)?.append(element).id());
            }
            Event::End(_) => _ = open.pop(),
            Event::Text(text) => add(&mut document, parent, &text.xml10_content(), interests)?,
            Event::CData(text) => add(&mut document, parent, &text.xml10_content(), interests)?,
            Event::GeneralRef(name) => add(&mut document, parent, &referred(&name)?, interests)?,
            Event::Eof => {
                let is_document = has_root && open.len() == 1;
                return is_document.then(|| take(&document)).map(|()| true);
            }
            _ => {}
        }
    }
    None
}

/// A tree of the open elements alone, in which the next part of the document stands.
fn within(document: &Html, open: &mut [NodeId]) -> Option<Html> {
    let mut next = Html::new_document();
    let mut parent = next.tree.root().id();
    if let Some(root) = open.first_mut() {
        *root = parent;
    }
    for id in open.iter_mut().skip(1) {
        let mut element = document.tree.get(*id)?.value().as_element()?.clone();
        if element.name.local == local_name!("a") {
            // Its link was read.
            element.attrs.clear();
        }
        parent = next.tree.get_mut(parent)?.append(Node::Element(element)).id();
        *id = parent;
    }
    Some(next)
}

pub(super) fn is_xhtml(xml: &str) -> bool {
    let mut reader = NsReader::from_str(xml);
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) => {
                let (namespace, local) = reader.resolver().resolve_element(tag.name());
                return namespace == ResolveResult::Bound(Namespace(XHTML)) && local.into_inner() == "html";
            }
            Ok(Event::Eof) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

/// Adds a text, unless nobody reads it. None: there is none outside of the root element.
fn add(document: &mut Html, parent: NodeId, text: &str, interests: &Interests) -> Option<()> {
    let mut parent = document.tree.get_mut(parent)?;
    let Node::Element(element) = parent.value() else { return text.trim_ascii().is_empty().then_some(()) };
    let name = &element.name.local;
    let is_code = matches!(*name, local_name!("script") | local_name!("style"));
    if !is_code || interests.name(name) {
        parent.append(Node::Text(Text { text: tendril(text.as_bytes()) }));
    }
    Some(())
}

fn element(reader: &NsReader<&[u8]>, tag: &BytesStart<'_>, interests: &Interests) -> Option<Element> {
    let (namespace, local) = reader.resolver().resolve_element(tag.name());
    let ns = match namespace {
        ResolveResult::Unbound | ResolveResult::Bound(Namespace(XHTML)) => ns!(html),
        ResolveResult::Bound(Namespace(SVG)) => ns!(svg),
        ResolveResult::Bound(Namespace(MATHML)) => ns!(mathml),
        ResolveResult::Bound(_) => ns!(),
        ResolveResult::Unknown(_) => return None,
    };
    // Elements of other vocabularies are called like no element of HTML, and no more than what is in them.
    let local = if ns == ns!() { local_name!("") } else { LocalName::from(local.into_inner()) };
    let mut attributes: Vec<Attribute> = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.ok()?;
        if attribute.value.contains('<') {
            return None;
        }
        let value = unescaped(&attribute.value)?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (namespace, name) = reader.resolver().resolve_attribute(attribute.key);
        let name = LocalName::from(name.into_inner());
        let is_language = name == local_name!("lang");
        let (ns, name) = match namespace {
            ResolveResult::Unbound if name == local_name!("style") && hides(&value) => (ns!(), local_name!("hidden")),
            ResolveResult::Unbound => (ns!(), name),
            ResolveResult::Bound(Namespace(XLINK)) => (ns!(xlink), name),
            // It counts before `lang` (WHATWG HTML, 3.2.6.2).
            ResolveResult::Bound(Namespace(XML)) if is_language => {
                attributes.retain(|attribute| attribute.name.local != name);
                (ns!(), name)
            }
            ResolveResult::Bound(_) => continue,
            ResolveResult::Unknown(_) => return None,
        };
        let is_read = ns == ns!(xlink)
            || matches!(name, local_name!("hidden") | local_name!("role"))
            || interests.keep(&local, &name);
        if is_read && attributes.iter().all(|attribute| attribute.name.local != name || attribute.name.ns != ns) {
            let name = QualName::new(None, ns, name);
            attributes.push(Attribute { name, value: tendril(value.as_bytes()) });
        }
    }
    Some(Element::new(QualName::new(None, ns, local), attributes))
}

/// The value of an attribute (XML 1.0, 3.3.3 "attribute-value normalization").
fn unescaped(raw: &str) -> Option<String> {
    let raw = raw.replace("\r\n", " ").replace(['\t', '\r', '\n'], " ");
    let mut parts = raw.split('&');
    let mut value = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';')?;
        value += &referred(name)?;
        value += rest;
    }
    Some(value)
}

/// What stands for `&name;`: the entities of XHTML are among those of HTML. One that the document defines itself is never
/// looked at, and left as it is written. None: it cannot be.
fn referred(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = number.strip_prefix('x').map_or_else(|| number.parse(), |hex| u32::from_str_radix(hex, 16));
        return code.ok().and_then(char::from_u32).filter(|&c| c != '\0').map(String::from);
    }
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || "<&'\"=/".contains(c)) {
        return None;
    }
    let known = NAMED_ENTITIES.get(&*format!("{name};")).filter(|(first, _)| *first != 0);
    Some(known.map_or_else(
        || format!("&{name};"),
        |(first, second)| [*first, *second].into_iter().filter(|&c| c != 0).filter_map(char::from_u32).collect(),
    ))
}
