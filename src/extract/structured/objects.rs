//! Objects in the shape of JSON-LD.

use serde_json::{Map, Value};

use super::super::work::Work;

pub type Object = Map<String, Value>;

/// Objects within each other, at most: it takes stack to go through them.
pub const MAX_DEPTH: usize = 32;

/// Adds a value to a property, unless there is no more `work`.
pub fn add(object: &mut Object, name: &str, value: Value, work: &Work) {
    let bytes = name.len() + value.as_str().map_or(0, str::len);
    if !work.take(bytes) {
        return;
    }
    match object.get_mut(name) {
        None => {
            object.insert(name.to_owned(), value);
        }
        Some(Value::Array(values)) => values.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

/// An object of types, as they are named with their vocabulary.
pub fn typed<'a>(names: impl Iterator<Item = &'a str>, id: Option<String>, work: &Work) -> Object {
    let mut object = Object::new();
    names.for_each(|name| add(&mut object, "@type", short(name).into(), work));
    if let Some(id) = id {
        add(&mut object, "@id", id.into(), work);
    }
    object
}

/// The name of a type or property without that of its vocabulary if it is one of schema.org.
pub fn short(name: &str) -> &str {
    let vocabularies =
        ["https://schema.org/", "http://schema.org/", "https://www.schema.org/", "http://www.schema.org/"];
    let rest = vocabularies.iter().chain(&["schema:"]).find_map(|vocabulary| name.strip_prefix(vocabulary));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(name)
}

/// The types of an object, those of schema.org by their short names.
pub fn types(object: &Object) -> impl Iterator<Item = &str> {
    let named = object.get("@type").map_or(&[][..], |named| match named {
        Value::Array(several) => several,
        one => std::slice::from_ref(one),
    });
    named.iter().filter_map(|name| name.as_str().map(|name| short(name.trim())))
}

/// The objects that values consist of: what lists and `@graph`s hold is taken out of them.
pub fn all(values: &[Value]) -> Vec<&Object> {
    let mut open: Vec<_> = values.iter().rev().collect();
    let mut objects = Vec::new();
    while let Some(value) = open.pop() {
        match value {
            Value::Array(values) => open.extend(values.iter().rev()),
            Value::Object(object) => {
                // A graph of its own right has a name, or says more than which vocabulary it is in.
                if object.keys().any(|key| key != "@graph" && key != "@context") {
                    objects.push(object);
                }
                open.extend(object.get("@graph"));
            }
            _ => {}
        }
    }
    objects
}
