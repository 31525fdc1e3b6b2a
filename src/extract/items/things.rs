//! What a page states about things, as far as rules ask for it.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;

use super::super::structured::{Object, short, types};
use super::super::work::Work;
use super::rules::Kind;

/// The things that are stated in one way.
#[derive(Debug)]
pub struct Things<'a> {
    pub source: &'static str,
    values: &'a [Value],
    /// By these names they refer to each other.
    ids: HashMap<&'a str, &'a Value>,
}

impl<'a> Things<'a> {
    pub fn new(source: &'static str, values: &'a [Value]) -> Self {
        let mut ids = HashMap::new();
        for (value, object) in objects(values, |_| true) {
            if let Some(id) = object.get("@id").and_then(Value::as_str)
                && !is_reference(object)
            {
                ids.entry(id).or_insert(value);
            }
        }
        Self { source, values, ids }
    }

    /// The things of one of these types, in their order. What is part of one of them is none of its own.
    pub fn typed(&self, names: &[String]) -> Vec<&'a Object> {
        let is_typed = |object: &Object| {
            !is_reference(object) && types(object).any(|name| names.iter().any(|asked| short(asked) == name))
        };
        let found = objects(self.values, |object| !is_typed(object));
        found.into_iter().map(|(_, object)| object).filter(|object| is_typed(object)).collect()
    }

    /// The values to which a path of properties leads.
    pub fn values(&self, thing: &'a Object, path: &[String], work: &Work) -> Vec<&'a Value> {
        let mut path = path.iter();
        let mut found = path.next().map_or(Vec::new(), |name| self.flat(property(thing, name), work));
        for name in path {
            found = self.flat(found.into_iter().filter_map(|value| property(value.as_object()?, name)), work);
        }
        found
    }

    /// Values out of their lists, and the things in the place of their names.
    fn flat(&self, values: impl IntoIterator<Item = &'a Value>, work: &Work) -> Vec<&'a Value> {
        let mut flat = Vec::new();
        for value in values {
            let mut open = vec![value];
            while let Some(value) = open.pop().filter(|_| work.take(1)) {
                match value {
                    Value::Null => {}
                    Value::Array(values) => open.extend(values.iter().rev()),
                    Value::Object(object) => {
                        let named = object.get("@id").and_then(Value::as_str).filter(|_| is_reference(object));
                        match (object.get("@list"), named.and_then(|id| self.ids.get(id))) {
                            (Some(list), _) => open.push(list),
                            (None, named) => flat.push(named.copied().unwrap_or(value)),
                        }
                    }
                    value => flat.push(value),
                }
            }
        }
        flat
    }
}

/// All objects in values, with those in them if `enters` says so, in their order.
fn objects(values: &[Value], enters: impl Fn(&Object) -> bool) -> Vec<(&Value, &Object)> {
    let mut open: Vec<&Value> = values.iter().rev().collect();
    let mut found = Vec::new();
    while let Some(value) = open.pop() {
        match value {
            Value::Array(values) => open.extend(values.iter().rev()),
            Value::Object(object) => {
                found.push((value, object));
                if enters(object) {
                    open.extend(object.values().rev());
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether an object only names a thing.
fn is_reference(object: &Object) -> bool {
    object.contains_key("@id") && object.keys().all(|key| key == "@id" || key == "@type")
}

fn property<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| object.iter().find(|(key, _)| short(key) == name).map(|(_, value)| value))
}

/// A value as text; that of a thing is its name, or its address if that is asked for.
pub fn text(value: &Value, kind: Kind) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.into()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string().into()),
        Value::Object(object) => {
            let names = if kind == Kind::Url { ["url", "contentUrl", "@id"] } else { ["@value", "name", "value"] };
            let named = names.iter().find_map(|name| property(object, name).filter(|value| !value.is_object()))?;
            text(named.get(0).unwrap_or(named), kind).filter(|_| !named.is_object())
        }
        Value::Array(_) | Value::Null => None,
    }
}
