//! The parts of a report as the templates need them: measured, put into words and shortened.

use crate::cli::output::printable;
use crate::cli::words::count;

pub use super::plot::shorten;
use super::plot::{percent, round};

/// A number at the top of the page.
#[derive(Debug)]
pub struct Figure {
    pub name: &'static str,
    pub value: String,
    /// To the run before, with its sign.
    pub difference: Option<String>,
}

/// How much a number has grown, in words.
pub fn difference(now: i64, then: i64, words: impl Fn(i64) -> String) -> String {
    match now.saturating_sub(then) {
        0 => "as before".to_owned(),
        more @ 1.. => format!("+{}", words(more)),
        less => format!("−{}", words(less.saturating_neg())),
    }
}

/// A card of the page.
#[derive(Debug)]
pub struct Section {
    /// The anchor.
    pub id: &'static str,
    pub title: &'static str,
    /// The finding in a sentence, totals included.
    pub lead: String,
    pub is_wide: bool,
    pub blocks: Vec<Block>,
}

#[derive(Debug)]
pub enum Block {
    Stack(Stack),
    Bars(Bars),
    Columns(Columns),
    Boxes(Boxes),
    Listing(Listing),
}

/// One bar of several parts that make a whole.
#[derive(Debug)]
pub struct Stack {
    pub parts: Vec<Part>,
}

#[derive(Debug)]
pub struct Part {
    pub name: &'static str,
    pub class: &'static str,
    pub value: String,
    pub share: String,
    /// To the run before.
    pub difference: Option<String>,
    /// Left edge and width in percent.
    pub x: f64,
    pub width: f64,
}

impl Stack {
    /// One part for each name, class and value, in that order.
    pub fn new(values: &[(&'static str, &'static str, i64)]) -> Self {
        let total: i64 = values.iter().map(|(_, _, value)| value).sum();
        let mut before = 0;
        let part = |&(name, class, value): &(&'static str, &'static str, i64)| {
            let [x, width] = [before, value].map(|n| round(n as f64 * 100.0 / total.max(1) as f64));
            before += value;
            Part { name, class, value: count(value), share: percent(value, total), difference: None, x, width }
        };
        Self { parts: values.iter().map(part).collect() }
    }

    /// With the differences of its values to those of the run before, which are in the same order.
    pub fn compared(mut self, values: &[i64], before: &[i64]) -> Self {
        for ((part, now), then) in self.parts.iter_mut().zip(values).zip(before) {
            part.difference = Some(difference(*now, *then, count));
        }
        self
    }

    pub fn is_compared(&self) -> bool {
        self.parts.iter().any(|part| part.difference.is_some())
    }
}

/// A table whose rows are bars.
#[derive(Debug)]
pub struct Bars {
    pub caption: &'static str,
    pub label: &'static str,
    pub unit: &'static str,
    pub rows: Vec<Bar>,
    /// What is not in the rows, in words.
    pub rest: Option<String>,
}

#[derive(Debug)]
pub struct Bar {
    pub label: String,
    pub class: &'static str,
    pub width: f64,
    pub value: String,
    pub share: String,
}

/// Columns over an axis, with the same numbers as a table.
#[derive(Debug)]
pub struct Columns {
    pub id: &'static str,
    pub caption: &'static str,
    pub description: String,
    /// In pixels, without the axis.
    pub height: f64,
    pub columns: Vec<Column>,
    pub lines: Vec<(f64, String)>,
    pub ticks: Vec<Tick>,
    pub heads: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

/// Horizontal measures in percent, vertical ones in pixels.
#[derive(Debug)]
pub struct Column {
    /// The row of the table that it shows.
    pub row: usize,
    pub x: f64,
    pub width: f64,
    pub y: f64,
    pub height: f64,
    pub class: &'static str,
    pub tip: String,
}

#[derive(Debug)]
pub struct Tick {
    pub x: f64,
    pub anchor: &'static str,
    pub label: String,
}

impl Tick {
    /// A label that stays inside the plot at its edges.
    pub fn new(x: f64, label: String) -> Self {
        let anchor = match x {
            x if x < 6.0 => "start",
            x if x > 94.0 => "end",
            _ => "middle",
        };
        Self { x: round(x), anchor, label }
    }
}

/// Quantiles by name on one common axis.
#[derive(Debug)]
pub struct Boxes {
    pub caption: &'static str,
    pub description: String,
    pub ticks: Vec<Tick>,
    pub rows: Vec<BoxRow>,
}

#[derive(Debug)]
pub struct BoxRow {
    pub host: Link,
    pub pages: String,
    /// Places of the 5th, 25th, 50th, 75th and 95th percentile in percent of the axis.
    pub places: [f64; 5],
    pub texts: [String; 5],
}

impl BoxRow {
    pub fn width(&self) -> f64 {
        round(self.places[3] - self.places[1])
    }
}

/// A table that the reader can sort and filter.
#[derive(Debug)]
pub struct Listing {
    pub caption: &'static str,
    pub heads: Vec<Head>,
    pub rows: Vec<Vec<Cell>>,
    /// How many rows there are in all, if not all are shown.
    pub rest: Option<String>,
}

impl Listing {
    /// A table of the first rows, of `known` in all; no block if there are no rows.
    pub fn first(
        caption: &'static str,
        names: &[&'static str],
        rows: Vec<Vec<Cell>>,
        known: i64,
        noun: &str,
    ) -> Vec<Block> {
        let shown = rows.len() as i64;
        let rest = (known > shown).then(|| format!("{} of {} {noun} shown.", count(shown), count(known)));
        if rows.is_empty() { vec![] } else { vec![Block::Listing(Self { caption, heads: heads(names), rows, rest })] }
    }
}

#[derive(Debug)]
pub struct Head {
    pub name: &'static str,
    pub is_number: bool,
}

/// Heads of a listing; a name that starts with `#` is that of a column of numbers.
fn heads(names: &[&'static str]) -> Vec<Head> {
    let head = |name: &&'static str| match name.strip_prefix('#') {
        Some(name) => Head { name, is_number: true },
        None => Head { name, is_number: false },
    };
    names.iter().map(head).collect()
}

#[derive(Debug)]
pub enum Cell {
    Text(String),
    Number { sort: f64, text: String },
    Link(Link),
    Links { links: Vec<Link>, more: Option<String> },
    Chain(Vec<Hop>),
    Stack(Stack),
}

impl Cell {
    pub fn text(text: &str) -> Self {
        Self::Text(Self::words(text))
    }

    /// Text from the web, shortened and with control characters escaped.
    pub fn words(text: &str) -> String {
        printable(&shorten(text, 200))
    }

    pub fn count(number: i64) -> Self {
        Self::Number { sort: number as f64, text: count(number) }
    }
}

/// A step of a chain of redirects.
#[derive(Debug)]
pub enum Hop {
    To(Link),
    /// To an address that stands in the chain already.
    Back(Link),
    /// Steps that are left out.
    Others(usize),
}

/// Addresses of a chain that are shown at its beginning and at its end.
const ENDS: usize = 4;

impl Cell {
    /// A chain of addresses; the last of a loop is that to which it leads back.
    pub fn chain(urls: &[String], is_loop: bool) -> Self {
        let last = urls.len().saturating_sub(1);
        let hop = |(at, url): (usize, &String)| match is_loop && at == last {
            true => Hop::Back(Link::new(url)),
            false => Hop::To(Link::new(url)),
        };
        let mut hops: Vec<_> = urls.iter().enumerate().map(hop).collect();
        if hops.len() > 2 * ENDS + 1 {
            let others = hops.len() - 2 * ENDS;
            hops.splice(ENDS..ENDS + others, [Hop::Others(others)]);
        }
        Self::Chain(hops)
    }
}

/// An address from the web. It becomes a link only if its scheme is http or https.
#[derive(Debug)]
pub struct Link {
    pub href: Option<String>,
    pub text: String,
    /// The whole address where the text is a shortened one.
    pub full: Option<String>,
}

/// Characters of an address that are shown.
const SHOWN: usize = 100;
/// And where the mouse rests.
const TIP: usize = 500;

impl Link {
    pub fn new(url: &str) -> Self {
        let whole = printable(url);
        let text = shorten(&whole, SHOWN);
        let is_web = url.starts_with("http://") || url.starts_with("https://");
        Self { href: is_web.then(|| url.to_owned()), full: (text != whole).then_some(whole), text }
    }

    pub fn whole(&self) -> &str {
        self.full.as_deref().unwrap_or(&self.text)
    }

    /// Where it leads to, unless that takes more bytes.
    pub fn href_within(&self, most: &usize) -> Option<&str> {
        self.href.as_deref().filter(|href| href.len() <= *most)
    }

    /// What is shown of the whole address on its own.
    pub fn tip(&self) -> Option<String> {
        self.full.as_deref().map(|full| shorten(full, TIP))
    }
}
