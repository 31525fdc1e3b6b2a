//! Tables of the pages: heads, cells, and where the rest is.

use serde_json::Value;
use url::form_urlencoded::Serializer;

use crate::cli::output::{Answer, printable};
use crate::cli::words::count;

/// Characters of a URL or a text that a cell shows.
const SHOWN: usize = 300;

/// What the template of a table needs.
#[derive(Debug)]
pub struct Table {
    /// By which its heading is known.
    pub id: &'static str,
    pub caption: String,
    /// Names, and whether the column holds numbers.
    pub heads: Vec<(String, bool)>,
    pub rows: Vec<Vec<Field>>,
    /// What is not shown, in words.
    pub rest: Option<String>,
    /// Where the rows go on.
    pub next: Option<String>,
    /// What is said if there are no rows.
    pub none: &'static str,
}

#[derive(Debug)]
pub enum Field {
    Text(String),
    Number(String),
    /// A URL of the crawl, with its page here.
    Url {
        href: String,
        text: String,
    },
}

impl Table {
    /// Heads that begin with `#` are those of numbers.
    pub fn new(id: &'static str, caption: impl Into<String>, heads: &[&str], rows: Vec<Vec<Field>>) -> Self {
        let head = |name: &&str| (name.trim_start_matches('#').to_owned(), name.starts_with('#'));
        let heads = heads.iter().map(head).collect();
        Self { id, caption: caption.into(), heads, rows, rest: None, next: None, none: "None." }
    }

    /// The answer to any question.
    pub fn of(id: &'static str, caption: impl Into<String>, answer: Answer) -> Self {
        let numbers = (0..answer.columns.len()).map(|column| {
            let mut cells = answer.rows.iter().map(|row| &row[column]);
            !answer.rows.is_empty() && cells.all(|cell| cell.is_number() || cell.is_null())
        });
        let heads = answer.columns.iter().map(|name| printable(name)).zip(numbers).collect();
        let rows = answer.rows.into_iter().map(|row| row.into_iter().map(Field::of).collect()).collect();
        Self { heads, rows, ..Self::new(id, caption, &[], vec![]) }
    }
}

impl Field {
    pub fn text(text: &str) -> Self {
        Self::Text(short(text))
    }

    pub fn maybe(text: Option<&str>) -> Self {
        Self::text(text.unwrap_or_default())
    }

    pub fn count(number: i64) -> Self {
        Self::Number(count(number))
    }

    pub fn url(url: &str) -> Self {
        Self::Url { href: page_at(url), text: short(url) }
    }

    fn of(value: Value) -> Self {
        match value {
            Value::Null => Self::Text(String::new()),
            Value::String(text) if is_url(&text) => Self::url(&text),
            // White space is kept, so that what has several lines can be read.
            Value::String(text) => Self::Text(text.split('\n').map(printable).collect::<Vec<_>>().join("\n")),
            number => Self::Number(number.to_string()),
        }
    }
}

fn short(text: &str) -> String {
    printable(&crate::cli::report::parts::shorten(text, SHOWN))
}

fn is_url(text: &str) -> bool {
    (text.starts_with("http://") || text.starts_with("https://")) && !text.contains(char::is_whitespace)
}

/// The address of a URL's page here.
pub fn page_at(url: &str) -> String {
    address("/page", &[("url", url)])
}

/// A path with its query; parameters without a value are left out.
pub fn address(path: &str, query: &[(&str, &str)]) -> String {
    let query = query.iter().filter(|(_, value)| !value.is_empty());
    let query = Serializer::new(String::new()).extend_pairs(query).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
