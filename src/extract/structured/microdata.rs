//! Microdata (WHATWG HTML, 5).

use std::collections::HashMap;

use scraper::ElementRef;
use serde_json::Value;

use super::super::page::Page;
use super::super::text;
use super::super::work::Work;
use super::objects::{MAX_DEPTH, Object, add, short, typed};

/// The items that are no property of another one.
pub fn read(page: &Page, work: &Work) -> Vec<Value> {
    let elements = || page.html.tree.nodes().filter_map(ElementRef::wrap);
    let mut reader = Reader { page, work, ids: HashMap::new(), open: Vec::new() };
    if elements().any(|element| element.attr("itemref").is_some()) {
        for element in elements() {
            if let Some(id) = element.attr("id") {
                reader.ids.entry(id).or_insert(element);
            }
        }
    }
    let is_item = |element: &ElementRef<'_>| element.attr("itemscope").is_some() && element.attr("itemprop").is_none();
    elements().filter(is_item).map_while(|element| work.take(1).then(|| reader.item(element).into())).collect()
}

struct Reader<'a> {
    page: &'a Page,
    work: &'a Work,
    ids: HashMap<&'a str, ElementRef<'a>>,
    /// The items that the one being read is part of, which by `itemref` could be part of it.
    open: Vec<ElementRef<'a>>,
}

impl<'a> Reader<'a> {
    fn item(&mut self, item: ElementRef<'a>) -> Object {
        let id = item.attr("itemid").map(|id| self.page.absolute(id));
        let types = item.attr("itemtype").unwrap_or_default();
        let mut object = typed(types.split_ascii_whitespace(), id, self.work);
        self.open.push(item);
        // In the order of the document, and what is referred to after that. An element counts once.
        let mut pending: Vec<ElementRef<'_>> = Vec::new();
        let referred = item.attr("itemref").unwrap_or_default().split_ascii_whitespace();
        let mut referred: Vec<_> = referred.filter_map(|id| self.ids.get(id).copied()).collect();
        referred.dedup();
        pending.extend(referred.into_iter().rev().filter(|element| !self.open.contains(element)));
        pending.extend(children(item));
        while let Some(element) = pending.pop() {
            if !self.work.take(1) {
                break;
            }
            let is_item = element.attr("itemscope").is_some();
            if let Some(names) = element.attr("itemprop") {
                self.property(&mut object, names, element, is_item);
            }
            if !is_item {
                pending.extend(children(element));
            }
        }
        self.open.pop();
        object
    }

    fn property(&mut self, object: &mut Object, names: &str, element: ElementRef<'a>, is_item: bool) {
        let value = if is_item {
            if self.open.len() >= MAX_DEPTH || self.open.contains(&element) {
                return;
            }
            self.item(element).into()
        } else {
            Value::from(self.value(element))
        };
        let mut names = names.split_ascii_whitespace();
        if let Some(first) = names.next() {
            // A copy for each further name takes work of its own.
            for name in names.filter(|_| value.is_string()) {
                add(object, short(name), value.clone(), self.work);
            }
            add(object, short(first), value, self.work);
        }
    }

    /// The value of a property that is no item. A `content` counts on any element, as search engines have it.
    fn value(&self, element: ElementRef<'_>) -> String {
        let attribute = |name| element.attr(name);
        let url = |name| attribute(name).map(|url| self.page.absolute(url));
        let stated = attribute("content").map(str::to_owned).or_else(|| match element.value().name() {
            "meta" => Some(String::new()),
            "audio" | "embed" | "iframe" | "img" | "source" | "track" | "video" => url("src"),
            "a" | "area" | "link" => url("href"),
            "object" => url("data"),
            "data" | "meter" => attribute("value").map(str::to_owned),
            "time" => attribute("datetime").map(str::to_owned),
            _ => None,
        });
        stated.map_or_else(|| text::line(element, self.work), |stated| stated.trim().to_owned())
    }
}

/// The last first.
fn children(element: ElementRef<'_>) -> impl Iterator<Item = ElementRef<'_>> {
    element.children().rev().filter_map(ElementRef::wrap)
}
