//! What the rules of a file are, once they are understood.

use regex::Regex;
use serde_json::Value;

use super::locale::Locale;
use super::selector::Css;

/// How the items of one name are found on a page, and what is taken of them.
#[derive(Debug)]
pub struct ItemRule {
    pub name: String,
    /// Which URLs it is for.
    pub urls: Option<Regex>,
    pub source: Source,
    pub locale: Option<Locale>,
    pub fields: Vec<Field>,
}

/// What an item is.
#[derive(Debug)]
pub enum Source {
    /// The page.
    Page,
    /// Each element that matches.
    Each(Css),
    /// Each thing of one of these types that the page states for machines.
    Things(Vec<String>),
}

#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub place: Place,
    pub pattern: Option<Regex>,
    pub kind: Kind,
    pub required: bool,
    pub many: bool,
    pub default: Option<Value>,
    /// If it has any, its values are objects of them.
    pub fields: Vec<Field>,
}

/// Where the values of a field are.
#[derive(Debug)]
pub enum Place {
    /// In elements below that of the item, or in that one, and what of them.
    Element(Option<Css>, Get),
    /// In a thing, by paths of properties: the first that leads to a value counts.
    Property(Vec<Vec<String>>),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Get {
    Text,
    Html,
    OuterHtml,
    Attribute(String),
}

/// What a value is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Integer,
    Boolean,
    Date,
    Url,
}

impl Kind {
    pub const NAMES: [(&str, Self); 6] = [
        ("text", Self::Text),
        ("number", Self::Number),
        ("integer", Self::Integer),
        ("boolean", Self::Boolean),
        ("date", Self::Date),
        ("url", Self::Url),
    ];
}

/// What the column of a field holds in the view of its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Text,
    Number,
    Integer,
    Boolean,
    /// A list or an object.
    Json,
}

impl Field {
    pub fn column(&self) -> Column {
        match self.kind {
            _ if self.many || !self.fields.is_empty() => Column::Json,
            Kind::Text | Kind::Date | Kind::Url => Column::Text,
            Kind::Number => Column::Number,
            Kind::Integer => Column::Integer,
            Kind::Boolean => Column::Boolean,
        }
    }
}
