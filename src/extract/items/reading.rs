//! Rules tried on one page.

use scraper::ElementRef;
use serde_json::{Map, Value};

use super::super::page::Page;
use super::super::structured::Object;
use super::super::text;
use super::super::work::Work;
use super::element::{cut, path, start_tag};
use super::locale::Locale;
use super::rules::{Field, Get, ItemRule, Kind, Place, Source};
use super::selector::Matcher;
use super::tally::{Bound, FieldTally, RuleTally, Tally};
use super::things::{self, Things};
use super::value;

/// Items of a page.
const MAX_ITEMS: usize = 10_000;
/// Bytes that a value takes besides its own.
const OVERHEAD: usize = 16;
/// Attributes that state by being there that something holds (WHATWG HTML, "boolean attributes").
const BOOLEAN_ATTRIBUTES: [&str; 12] = [
    "allowfullscreen",
    "autoplay",
    "checked",
    "controls",
    "default",
    "disabled",
    "hidden",
    "itemscope",
    "multiple",
    "open",
    "required",
    "selected",
];

/// A thing that a page is about, as a rule asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The name of its rule.
    pub item: String,
    /// Among those of its rule on the page, from 1 on.
    pub position: u32,
    pub data: Map<String, Value>,
}

/// What was taken for a field, or for an item, whose field is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its name; one within another as `author.name`.
    pub field: String,
    /// The start tag of the element, or how a thing is stated.
    pub tag: String,
    /// The way to it from the item's element, or the path of properties.
    pub path: String,
    /// What it held before it was read as asked; empty for an object.
    pub given: String,
}

/// Where the fields of an item or of a field are looked for.
#[derive(Clone, Copy)]
enum At<'a> {
    Element(ElementRef<'a>),
    Thing(&'a Things<'a>, &'a Object),
}

/// What a field has on a page.
enum Outcome {
    Value(Value),
    Absent,
    Unreadable,
}

/// Tries rules on a page.
pub struct Reading<'p> {
    page: &'p Page,
    work: &'p Work,
    matcher: &'p Matcher<'p>,
    locale: Option<Locale>,
    pub items: Vec<Item>,
    /// What was taken for each item, if that is asked for.
    pub taken: Option<Vec<Vec<Taken>>>,
    is_full: bool,
    rule: RuleTally,
    /// Of the item that is being read.
    trace: Vec<Taken>,
}

impl<'p> Reading<'p> {
    pub fn new(page: &'p Page, work: &'p Work, matcher: &'p Matcher<'p>) -> Self {
        Self {
            page,
            work,
            matcher,
            locale: None,
            items: Vec::new(),
            taken: None,
            is_full: false,
            rule: RuleTally::default(),
            trace: Vec::new(),
        }
    }

    /// Adds the items of a rule.
    pub fn read(&mut self, rule: &'p ItemRule, stated: &[Things<'_>], tally: &mut Tally) {
        self.rule = RuleTally { tried: 1, ..RuleTally::default() };
        let root = self.page.html.root_element();
        let of_page = || self.page.language.as_deref().and_then(Locale::parse);
        self.locale = match (&rule.locale, &rule.source) {
            (Some(locale), _) => Some(locale.clone()),
            // What is stated for machines is in no language.
            (None, Source::Things(_)) => None,
            (None, _) => of_page(),
        };
        let before = self.items.len();
        match &rule.source {
            Source::Page => {
                self.item(rule, At::Element(root), before);
            }
            Source::Each(css) => {
                for element in self.matcher.matches(css, root) {
                    if !self.item(rule, At::Element(element), before) {
                        break;
                    }
                }
            }
            Source::Things(names) => self.things(rule, names, stated, before),
        }
        let mut one = Tally::default();
        one.rules.insert(rule.name.clone(), std::mem::take(&mut self.rule));
        tally.merge(one);
    }

    fn things(&mut self, rule: &ItemRule, names: &[String], stated: &[Things<'_>], before: usize) {
        for things in stated {
            let typed = things.typed(names);
            for thing in &typed {
                if !self.item(rule, At::Thing(things, thing), before) {
                    break;
                }
            }
            if !typed.is_empty() {
                break;
            }
        }
    }

    /// Adds an item, if there is one. False if there can be no more.
    fn item(&mut self, rule: &ItemRule, at: At<'_>, before: usize) -> bool {
        if self.items.len() >= MAX_ITEMS {
            self.is_full = true;
            return false;
        }
        self.trace.clear();
        if let (Some(_), At::Element(element)) = (&self.taken, at) {
            self.note("", at, None, Some(element), "");
        }
        let (data, found) = self.object(&rule.fields, at, "");
        // What was read after the end of the time, or cut off, is no item.
        if self.is_over() {
            return false;
        }
        if !found && matches!(rule.source, Source::Page) {
            // The page is not about such a thing.
            self.rule.fields.clear();
            return true;
        }
        self.rule.matched = 1;
        match data {
            Some(data) => {
                let position = u32::try_from(self.items.len() - before + 1).unwrap_or(u32::MAX);
                self.items.push(Item { item: rule.name.clone(), position, data });
                self.rule.items += 1;
                if let Some(taken) = &mut self.taken {
                    taken.push(std::mem::take(&mut self.trace));
                }
            }
            None => self.rule.incomplete += 1,
        }
        true
    }

    fn is_over(&self) -> bool {
        self.work.is_late() || self.work.is_used_up()
    }

    /// The values of fields, unless a required one has none; and whether there is anything of them.
    fn object(&mut self, fields: &[Field], at: At<'_>, prefix: &str) -> (Option<Map<String, Value>>, bool) {
        let (mut data, mut found, mut is_complete) = (Map::new(), false, true);
        for field in fields {
            let value = match self.field(field, at, prefix) {
                Outcome::Value(value) => {
                    found = true;
                    value
                }
                missing => {
                    let unreadable = matches!(missing, Outcome::Unreadable);
                    found |= unreadable;
                    let tally = self.tally(&format!("{prefix}{}", field.name));
                    if unreadable {
                        tally.unreadable += 1
                    } else {
                        tally.absent += 1
                    }
                    is_complete &= !field.required;
                    self.work.take(field.default.as_ref().map_or(0, weight));
                    field.default.clone().unwrap_or_default()
                }
            };
            self.work.take(field.name.len() + OVERHEAD);
            data.insert(field.name.clone(), value);
            if self.is_over() {
                return (None, found);
            }
        }
        (is_complete.then_some(data), found)
    }

    fn tally(&mut self, name: &str) -> &mut FieldTally {
        self.rule.fields.entry(name.to_owned()).or_default()
    }

    fn field(&mut self, field: &Field, at: At<'_>, prefix: &str) -> Outcome {
        let mut values = Vec::new();
        let (mut is_there, mut unreadable) = (false, 0);
        let mut take = |outcome: Outcome| {
            match outcome {
                Outcome::Value(value) => values.push(value),
                Outcome::Unreadable => unreadable += 1,
                Outcome::Absent => return,
            }
            is_there = true;
        };
        let most = if field.many { usize::MAX } else { 1 };
        match (at, &field.place) {
            (At::Element(element), Place::Element(Some(css), get)) => {
                let matcher = self.matcher;
                for found in matcher.matches(css, element).take(most) {
                    take(self.element(field, get, found, element, prefix));
                }
            }
            (At::Element(element), Place::Element(None, get)) => {
                take(self.element(field, get, element, element, prefix));
            }
            (At::Thing(things, thing), Place::Property(paths)) => {
                let found = paths.iter().map(|path| (path, things.values(thing, path, self.work)));
                let first = found.into_iter().find(|(_, values)| !values.is_empty());
                for (path, value) in
                    first.iter().flat_map(|(path, values)| values.iter().map(move |value| (*path, *value))).take(most)
                {
                    take(self.property(field, path, value, at, prefix));
                }
            }
            // A rule's fields are all of the kind of its source.
            (At::Element(_), Place::Property(_)) | (At::Thing(..), Place::Element(..)) => {}
        }
        match (values.is_empty(), field.many) {
            (true, _) if is_there => Outcome::Unreadable,
            (true, _) => Outcome::Absent,
            (false, false) => Outcome::Value(values.swap_remove(0)),
            (false, true) => {
                if unreadable > 0 {
                    self.tally(&format!("{prefix}{}", field.name)).unreadable += unreadable;
                }
                Outcome::Value(Value::Array(values))
            }
        }
    }

    fn element(
        &mut self,
        field: &Field,
        get: &Get,
        found: ElementRef<'_>,
        within: ElementRef<'_>,
        prefix: &str,
    ) -> Outcome {
        let at = At::Element(within);
        if !field.fields.is_empty() {
            self.note(&format!("{prefix}{}", field.name), at, None, Some(found), "");
            let is_itself = found == within;
            return self.inner(field, At::Element(found), is_itself, prefix);
        }
        let given = match get {
            Get::Text => text::line(found, self.work),
            Get::Html => found.inner_html(),
            Get::OuterHtml => found.html(),
            Get::Attribute(name) => {
                let value =
                    found.value().attrs.iter().find(|(known, _)| *known.local == **name).map(|(_, value)| &**value);
                if field.kind == Kind::Boolean && BOOLEAN_ATTRIBUTES.contains(&name.as_str()) {
                    self.note(&format!("{prefix}{}", field.name), at, None, Some(found), value.unwrap_or_default());
                    return Outcome::Value(value.is_some().into());
                }
                match value {
                    Some(value) => value.to_owned(),
                    None => return Outcome::Absent,
                }
            }
        };
        self.note(&format!("{prefix}{}", field.name), at, None, Some(found), &given);
        self.value(field, &given)
    }

    fn property(&mut self, field: &Field, path: &[String], found: &Value, at: At<'_>, prefix: &str) -> Outcome {
        let name = format!("{prefix}{}", field.name);
        if !field.fields.is_empty() {
            self.note(&name, at, Some(path), None, "");
            return match (found.as_object(), at) {
                (Some(object), At::Thing(things, _)) => self.inner(field, At::Thing(things, object), false, prefix),
                _ => Outcome::Unreadable,
            };
        }
        let Some(given) = things::text(found, field.kind) else { return Outcome::Unreadable };
        self.note(&name, at, Some(path), None, &given);
        self.value(field, &given)
    }

    /// The object of a field that has fields. Of an item's own element it is there if any of them is.
    fn inner(&mut self, field: &Field, at: At<'_>, is_itself: bool, prefix: &str) -> Outcome {
        let (object, found) = self.object(&field.fields, at, &format!("{prefix}{}.", field.name));
        self.work.take(OVERHEAD);
        match object {
            _ if is_itself && !found => Outcome::Absent,
            Some(object) => Outcome::Value(object.into()),
            None => Outcome::Unreadable,
        }
    }

    fn value(&self, field: &Field, given: &str) -> Outcome {
        self.work.take(given.len() + OVERHEAD);
        if given.trim().is_empty() {
            return Outcome::Absent;
        }
        value::read(given, field, self.page, self.locale.as_ref()).map_or(Outcome::Unreadable, Outcome::Value)
    }

    /// Notes what was taken for a field, if that is asked for.
    fn note(
        &mut self,
        field: &str,
        at: At<'_>,
        properties: Option<&[String]>,
        element: Option<ElementRef<'_>>,
        given: &str,
    ) {
        if self.taken.is_none() {
            return;
        }
        let (tag, path) = match (at, element) {
            (At::Element(_), Some(element)) if field.is_empty() => (start_tag(element), path(element, None)),
            (At::Element(within), Some(element)) => (start_tag(element), path(element, Some(within))),
            (At::Thing(things, _), _) => (things.source.to_owned(), properties.unwrap_or_default().join(".")),
            (At::Element(_), None) => return,
        };
        self.trace.push(Taken { field: field.to_owned(), tag, path, given: cut(given, 500) });
    }

    /// Tells what was bounded.
    pub fn end(&self, tally: &mut Tally) {
        let bounds = [
            (Bound::Time, self.work.is_late() || self.page.cut_short),
            (Bound::Items, self.is_full),
            (Bound::Bytes, self.work.is_used_up()),
            (Bound::Depth, self.matcher.is_deep.get()),
        ];
        for (bound, _) in bounds.into_iter().filter(|(_, is_bounded)| *is_bounded) {
            *tally.bounded.entry(bound).or_default() += 1;
        }
    }
}

/// Bytes of a default.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(|value| OVERHEAD + weight(value)).sum(),
        _ => 0,
    }
}
