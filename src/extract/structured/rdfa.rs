//! RDFa Lite 1.1 (W3C): `vocab`, `typeof`, `property`, `resource`, `prefix`.

use ego_tree::NodeId;
use ego_tree::iter::Edge;
use scraper::ElementRef;
use serde_json::Value;

use super::super::page::Page;
use super::super::text;
use super::super::work::Work;
use super::objects::{MAX_DEPTH, Object, add, short, typed};

/// Names of the prefixes of open elements, at most.
const MAX_PREFIXES: usize = 100;

/// The things that are no property of another one.
pub fn read(page: &Page, work: &Work) -> Vec<Value> {
    let mut reader = Reader { page, work, found: Vec::new(), open: Vec::new(), vocabularies: vec![], prefixes: vec![] };
    for edge in page.html.tree.root().traverse() {
        match edge {
            Edge::Open(node) => {
                if let Some(element) = ElementRef::wrap(node) {
                    reader.open(element);
                }
            }
            Edge::Close(node) => reader.close(node.id()),
        }
        if work.is_used_up() || !work.step() {
            break;
        }
    }
    while let Some(thing) = reader.open.pop() {
        reader.put(thing);
    }
    reader.found
}

/// A thing whose element is open.
struct Thing<'a> {
    element: NodeId,
    object: Object,
    /// What it is of the thing around it.
    properties: Vec<&'a str>,
}

struct Reader<'a> {
    page: &'a Page,
    work: &'a Work,
    found: Vec<Value>,
    open: Vec<Thing<'a>>,
    /// Of open elements, the outermost first.
    vocabularies: Vec<(NodeId, &'a str)>,
    prefixes: Vec<(NodeId, &'a str, &'a str)>,
}

impl<'a> Reader<'a> {
    fn open(&mut self, element: ElementRef<'a>) {
        let id = element.id();
        if let Some(vocabulary) = element.attr("vocab") {
            self.vocabularies.push((id, vocabulary.trim()));
        }
        let mut words = element.attr("prefix").unwrap_or_default().split_ascii_whitespace();
        while let (Some(name), Some(url)) = (words.next(), words.next()) {
            if let Some(name) = name.strip_suffix(':').filter(|_| self.prefixes.len() < MAX_PREFIXES) {
                self.prefixes.push((id, name, url));
            }
        }
        let properties = element.attr("property").unwrap_or_default().split_ascii_whitespace();
        let types = element.attr("typeof").unwrap_or_default();
        if !types.trim_ascii().is_empty() && self.open.len() < MAX_DEPTH {
            let names: Vec<_> = types.split_ascii_whitespace().map(|name| self.name(name)).collect();
            let named = ["resource", "about", "href", "src"].into_iter().find_map(|name| element.attr(name));
            let named = named.map(|url| self.page.absolute(url));
            let object = typed(names.iter().map(String::as_str), named, self.work);
            self.open.push(Thing { element: id, object, properties: properties.collect() });
        } else if !self.open.is_empty() {
            let names: Vec<_> = properties.map(|name| self.name(name)).collect();
            if !names.is_empty() {
                let value = self.value(element);
                if let Some(thing) = self.open.last_mut() {
                    names.iter().for_each(|name| add(&mut thing.object, name, value.as_str().into(), self.work));
                }
            }
        }
    }

    fn close(&mut self, element: NodeId) {
        if let Some(thing) = self.open.pop_if(|thing| thing.element == element) {
            self.put(thing);
        }
        self.vocabularies.pop_if(|(of, _)| *of == element);
        while self.prefixes.pop_if(|(of, ..)| *of == element).is_some() {}
    }

    /// Gives a thing to the one around it, or to the page.
    fn put(&mut self, thing: Thing<'a>) {
        let first = thing.properties.first().map(|name| self.name(name));
        match (first, self.open.last_mut()) {
            (Some(name), Some(around)) => add(&mut around.object, &name, thing.object.into(), self.work),
            _ => self.found.push(thing.object.into()),
        }
    }

    /// A name without its vocabulary if that is schema.org, else as it is written.
    fn name(&self, name: &'a str) -> String {
        let known = |prefix: &str| self.prefixes.iter().rev().find(|(_, name, _)| *name == prefix);
        let whole = match name.split_once(':') {
            Some((prefix, rest)) if !rest.starts_with("//") => known(prefix).map(|(.., url)| format!("{url}{rest}")),
            Some(_) => None,
            None => self.vocabularies.last().map(|(_, vocabulary)| format!("{vocabulary}{name}")),
        };
        let whole = whole.as_deref().unwrap_or(name);
        let without = short(whole);
        if without.len() < whole.len() { without.to_owned() } else { name.to_owned() }
    }

    fn value(&self, element: ElementRef<'_>) -> String {
        let attribute = |name| element.attr(name).map(str::to_owned);
        let url = || ["resource", "href", "src"].into_iter().find_map(|name| element.attr(name));
        let stated = attribute("content").or_else(|| attribute("datetime"));
        let stated = stated.or_else(|| url().map(|url| self.page.absolute(url)));
        stated.map_or_else(|| text::line(element, self.work), |stated| stated.trim().to_owned())
    }
}
