//! A file of rules in TOML, and what is wrong with it.

mod table;

use std::cell::Cell;

use regex::{Regex, RegexBuilder};
use serde_json::Value;
use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::dates;
use super::locale::Locale;
use super::rules::{Field, Get, ItemRule, Kind, Place, Source};
use super::selector::Css;
pub use table::RulesError;
use table::{Entry, Table, Text};

/// Bytes of a file.
const MAX_FILE: usize = 1 << 20;
/// Items of a file, and fields of an item or of a field: each is a column of a view.
const MAX_ITEMS: usize = 100;
const MAX_FIELDS: usize = 200;
/// Fields within fields.
const MAX_DEPTH: usize = 8;
/// Bytes of a name: PostgreSQL cuts those of views and columns that are longer than 63.
const MAX_ITEM_NAME: usize = 57;
const MAX_FIELD_NAME: usize = 63;
/// Bytes of memory that a regular expression may take once it is compiled, and how many a file may have.
const MAX_REGEX: usize = 512 << 10;
const MAX_REGEXES: usize = 200;

type Result<T> = std::result::Result<T, RulesError>;

pub fn read(text: &str) -> Result<Vec<ItemRule>> {
    let file = File { text: Text(text), regexes: &Cell::new(0) };
    if text.len() > MAX_FILE {
        return Err(file.text.error(0..0, format!("the file is larger than {} MiB", MAX_FILE >> 20)));
    }
    let toml = DeTable::parse(text);
    let toml = toml.map_err(|e| file.text.error(e.span().unwrap_or(0..0), e.message().replace('\n', " ")))?;
    let mut top = Table::new(toml.get_ref(), 0..0);
    let items = top.take("item");
    top.end(file.text, "a file of rules has tables such as [item.product]")?;
    let items = items
        .ok_or_else(|| file.text.error(0..0, "there are no rules: write a table such as [item.product]".to_owned()))?;
    let items = file.table(&items)?;
    if items.len() == 0 || items.len() > MAX_ITEMS {
        return Err(file.text.error(items.place(), format!("a file has from 1 to {MAX_ITEMS} items")));
    }
    items.entries().map(|item| file.item(&item)).collect()
}

#[derive(Clone, Copy)]
struct File<'t> {
    text: Text<'t>,
    regexes: &'t Cell<usize>,
}

impl<'t> File<'t> {
    fn item(self, item: &Entry<'t>) -> Result<ItemRule> {
        let mut bytes = item.name.bytes();
        let is_name = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !is_name || item.name.len() > MAX_ITEM_NAME {
            let problem = format!(
                "`{}` cannot be the name of an item, which is part of a view's name: a small letter, then small letters, digits and `_`, {MAX_ITEM_NAME} at most",
                item.name
            );
            return Err(self.text.error(item.key.clone(), problem));
        }
        let mut table = self.table(item)?;
        let urls = table.take("where").map(|entry| self.regex(&entry)).transpose()?;
        let each = table.take("each");
        let schema = table.take("schema");
        let locale = table.take("locale").map(|entry| self.locale(&entry)).transpose()?;
        let fields = table.take("fields");
        table.end(self.text, "an item has `where`, `each` or `schema`, `locale` and `fields`")?;
        let source = match (&each, &schema) {
            (Some(_), Some(schema)) => {
                return Err(self.text.error(
                    schema.key.clone(),
                    "`each` finds elements, `schema` finds things: an item has one of them".to_owned(),
                ));
            }
            (Some(each), None) => Source::Each(self.css(each)?),
            (None, Some(schema)) => Source::Things(self.strings(schema)?),
            (None, None) => Source::Page,
        };
        let fields = fields
            .ok_or_else(|| self.text.error(item.key.clone(), format!("the item `{}` has no fields", item.name)))?;
        if let Some(refused) = self.table(&fields)?.entries().find(|field| is_reserved(field.name)) {
            let problem =
                format!("a field cannot be named `{}`, which is a column of its own in the view", refused.name);
            return Err(self.text.error(refused.key, problem));
        }
        let fields = self.fields(&fields, schema.is_some(), 1)?;
        Ok(ItemRule { name: item.name.to_owned(), urls, source, locale, fields })
    }

    fn fields(self, of: &Entry<'t>, is_thing: bool, depth: usize) -> Result<Vec<Field>> {
        let table = self.table(of)?;
        if table.len() == 0 || table.len() > MAX_FIELDS {
            return Err(self.text.error(of.place(), format!("there are from 1 to {MAX_FIELDS} fields")));
        }
        if depth > MAX_DEPTH {
            return Err(self
                .text
                .error(of.key.clone(), format!("fields are within each other {MAX_DEPTH} deep at most")));
        }
        let mut known: Vec<String> = Vec::new();
        table
            .entries()
            .map(|field| {
                let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
                if field.name.is_empty() || field.name.len() > MAX_FIELD_NAME || !field.name.chars().all(is_name) {
                    let problem = format!("`{}` cannot be the name of a field: letters, digits, `_` and `-`, {MAX_FIELD_NAME} bytes at most", field.name);
                    return Err(self.text.error(field.key, problem));
                }
                // Names of columns are the same in any case.
                let name = field.name.to_lowercase();
                if known.contains(&name) {
                    return Err(self.text.error(field.key.clone(), format!("there is a field `{}` already, in other letters", field.name)));
                }
                known.push(name);
                self.field(&field, is_thing, depth)
            })
            .collect()
    }

    fn field(self, field: &Entry<'t>, is_thing: bool, depth: usize) -> Result<Field> {
        let mut table = self.table(field)?;
        let place = if is_thing { self.property(&mut table, field.name)? } else { self.element(&mut table)? };
        let pattern = table.take("match");
        let kind = table.take("as");
        let required = table.take("required").map_or(Ok(false), |entry| self.boolean(&entry))?;
        let many = table.take("many").map_or(Ok(false), |entry| self.boolean(&entry))?;
        let default = table.take("default");
        let inner = table.take("fields");
        let known = if is_thing { "`property`" } else { "`css`, `get`" };
        table.end(
            self.text,
            &format!("a field has {known}, `match`, `as`, `required`, `default`, `many` and `fields`"),
        )?;
        let of_values = [table.find("get"), pattern.clone(), kind.clone(), default.clone()];
        if let (Some(_), Some(entry)) = (&inner, of_values.into_iter().flatten().next()) {
            let problem = format!("a field with `fields` is an object, for which `{}` means nothing", entry.name);
            return Err(self.text.error(entry.key, problem));
        }
        if let (true, Some(default)) = (required, &default) {
            let problem = "a required field has no `default`: there is no item without it".to_owned();
            return Err(self.text.error(default.key.clone(), problem));
        }
        let kind = kind.map_or(Ok(Kind::Text), |entry| self.kind(&entry))?;
        Ok(Field {
            name: field.name.to_owned(),
            place,
            pattern: pattern.map(|entry| self.regex(&entry)).transpose()?,
            kind,
            required,
            many,
            default: default.map(|entry| self.default(&entry, kind, many)).transpose()?,
            fields: inner.map_or_else(|| Ok(Vec::new()), |inner| self.fields(&inner, is_thing, depth + 1))?,
        })
    }

    fn element(self, table: &mut Table<'t>) -> Result<Place> {
        let css = table.take("css").map(|entry| self.css(&entry)).transpose()?;
        let get = table.take("get").map(|entry| Ok((self.string(&entry)?, entry))).transpose()?;
        let get = match get.as_ref().map_or("text", |(name, _)| name) {
            "text" => Get::Text,
            "html" => Get::Html,
            "outer_html" => Get::OuterHtml,
            name if !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "\"'<>/=".contains(c)) => {
                Get::Attribute(name.to_ascii_lowercase())
            }
            _ => {
                let place = get.map_or(0..0, |(_, entry)| entry.place());
                let problem = "`get` is text, html, outer_html or the name of an attribute, such as href".to_owned();
                return Err(self.text.error(place, problem));
            }
        };
        Ok(Place::Element(css, get))
    }

    /// The paths of a field in a thing: that of its own name if it tells none.
    fn property(self, table: &mut Table<'t>, name: &str) -> Result<Place> {
        let paths = match table.take("property") {
            Some(entry) => self.strings(&entry)?,
            None => vec![name.to_owned()],
        };
        Ok(Place::Property(paths.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect()))
    }

    fn kind(self, entry: &Entry<'t>) -> Result<Kind> {
        let name = self.string(entry)?;
        let known = Kind::NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        let problem = || format!("`as` is text, number, integer, boolean, date or url, and not `{name}`");
        known.ok_or_else(|| self.text.error(entry.place(), problem()))
    }

    fn default(self, entry: &Entry<'t>, kind: Kind, many: bool) -> Result<Value> {
        let value = match (entry.value.get_ref(), many) {
            (DeValue::Array(values), true) => {
                values.iter().map(|value| fitting(value, kind)).collect::<Option<_>>().map(Value::Array)
            }
            (_, true) => None,
            (_, false) => fitting(entry.value, kind),
        };
        value.ok_or_else(|| {
            let name = Kind::NAMES.iter().find(|(_, known)| *known == kind).map_or("text", |(name, _)| name);
            let list = if many { "a list of values that are" } else { "a value that is" };
            let hint = match kind {
                Kind::Date => ", such as 2026-01-31",
                Kind::Url => ", such as \"https://example.com/\"",
                _ => "",
            };
            self.text.error(entry.place(), format!("`default` must be {list} `as = \"{name}\"`{hint}"))
        })
    }

    fn css(self, entry: &Entry<'t>) -> Result<Css> {
        Css::parse(self.string(entry)?).map_err(|problem| self.text.error(entry.place(), problem))
    }

    fn regex(self, entry: &Entry<'t>) -> Result<Regex> {
        self.regexes.set(self.regexes.get() + 1);
        if self.regexes.get() > MAX_REGEXES {
            let problem = format!("a file has {MAX_REGEXES} regular expressions at most");
            return Err(self.text.error(entry.key.clone(), problem));
        }
        let built = RegexBuilder::new(self.string(entry)?).size_limit(MAX_REGEX).build();
        built.map_err(|e| {
            let problem = match e {
                regex::Error::CompiledTooBig(_) => "it takes too much memory".to_owned(),
                // The last line says what is wrong, those before it repeat the expression.
                e => e.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
            };
            self.text.error(entry.place(), format!("it is not a regular expression that can be used: {problem}"))
        })
    }

    fn locale(self, entry: &Entry<'t>) -> Result<Locale> {
        let tag = self.string(entry)?;
        let problem = || format!("`{tag}` is no language: write one such as de or pt-BR");
        Locale::parse(tag).ok_or_else(|| self.text.error(entry.place(), problem()))
    }

    fn table(self, entry: &Entry<'t>) -> Result<Table<'t>> {
        match entry.value.get_ref() {
            DeValue::Table(table) => Ok(Table::new(table, entry.key.clone())),
            _ => Err(self.wrong(entry, "a table, such as { css = \"h1\" }")),
        }
    }

    fn string(self, entry: &Entry<'t>) -> Result<&'t str> {
        match entry.value.get_ref() {
            DeValue::String(text) => Ok(text),
            _ => Err(self.wrong(entry, "a text in quotation marks")),
        }
    }

    /// A text, or several.
    fn strings(self, entry: &Entry<'t>) -> Result<Vec<String>> {
        let text = |value: &'t Spanned<DeValue<'t>>| match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => Some(text.clone().into_owned()),
            _ => None,
        };
        let texts = match entry.value.get_ref() {
            DeValue::Array(values) if !values.is_empty() => values.iter().map(text).collect(),
            _ => text(entry.value).map(|text| vec![text]),
        };
        texts.ok_or_else(|| self.wrong(entry, "a text in quotation marks, or a list of them"))
    }

    fn boolean(self, entry: &Entry<'t>) -> Result<bool> {
        match entry.value.get_ref() {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.wrong(entry, "true or false")),
        }
    }

    fn wrong(self, entry: &Entry<'t>, expected: &str) -> RulesError {
        self.text.error(entry.place(), format!("`{}` must be {expected}", entry.name))
    }
}

/// A name that a view's own columns have.
fn is_reserved(name: &str) -> bool {
    ["url", "position"].contains(&name.to_lowercase().as_str())
}

/// A value as one of a kind, if it is that.
fn fitting(value: &Spanned<DeValue<'_>>, kind: Kind) -> Option<Value> {
    match (value.get_ref(), kind) {
        (DeValue::String(text), Kind::Text) => Some(text.as_ref().into()),
        (DeValue::Integer(number), Kind::Number | Kind::Integer) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::from)
        }
        (DeValue::Float(number), Kind::Number) => {
            number.as_str().parse().ok().and_then(serde_json::Number::from_f64).map(Value::Number)
        }
        (DeValue::Boolean(value), Kind::Boolean) => Some((*value).into()),
        (DeValue::String(text), Kind::Date) => dates::date(text, None).map(Value::from),
        (DeValue::Datetime(moment), Kind::Date) => dates::date(&moment.to_string(), None).map(Value::from),
        (DeValue::String(text), Kind::Url) => url::Url::parse(text).ok().map(|url| String::from(url).into()),
        _ => None,
    }
}
