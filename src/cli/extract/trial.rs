//! `extract try`: what rules give of one page, and the elements that they take.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use url::Url;

use crate::canonical::{CanonicalUrl, without_userinfo};
use crate::cli::args::{DatabaseArg, Format};
use crate::cli::console::Console;
use crate::cli::failure::Failure;
use crate::cli::output::{Guarded, printable};
use crate::extract::Page;
use crate::extract::items::{Item, Rules, Taken, Tally};
use crate::extract::page::Source;
use crate::parse::{Deadline, kind, parse_page};
use crate::read::Database;

/// For the page.
const TIME: Duration = Duration::from_secs(10);
/// Items that are shown to people.
const SHOWN: usize = 20;

pub fn run(
    database: &DatabaseArg,
    target: &str,
    rules: &Rules,
    format: Format,
    console: &Console,
) -> Result<u8, Failure> {
    if format == Format::Csv {
        return Err(Failure::new("--format: `extract try` writes table, json or jsonl").code(2));
    }
    let deadline = Instant::now() + TIME;
    let url = CanonicalUrl::parse(target).ok();
    let page = match &url {
        Some(url) => stored(&database.path()?, url, deadline)?,
        None => local(target, deadline)?,
    };
    let mut tally = Tally::default();
    let found = rules.explain(&page, deadline, &mut tally, url.is_none());
    let mut out = std::io::BufWriter::new(Guarded::stdout());
    match format {
        Format::Table => out.write_all(for_people(&found).as_bytes())?,
        Format::Jsonl => found.iter().try_for_each(|(item, taken)| writeln!(out, "{}", for_programs(item, taken)))?,
        Format::Json | Format::Csv => {
            let items: Vec<_> = found.iter().map(|(item, taken)| for_programs(item, taken)).collect();
            writeln!(out, "{}", Value::from(items))?;
        }
    }
    out.flush()?;
    rules.told(&tally).iter().for_each(|line| console.say(&printable(line)));
    Ok(0)
}

/// A page of the database.
fn stored(database: &str, url: &CanonicalUrl, deadline: Instant) -> Result<Page, Failure> {
    let db = Database::open(database)?;
    let sql = "select b.body, p.charset, p.language, p.content_type from bodies b join pages p on p.url = b.url where b.url = ?1";
    let row = db.first(sql, [url.as_str().into()])?;
    let row = row.ok_or_else(|| {
        let failure = Failure::new(format!("no body of `{url}` is stored"));
        failure.hint("`harvestman show` tells what is known of it")
    })?;
    let body = row.at::<Option<&[u8]>>(0)?.unwrap_or_default();
    let is_xml = kind::Format::of_stored(row.at(3)?, body).is_xml;
    Ok(Page::read(Source { url: url.url(), charset: row.at(1)?, is_xml, language: row.at(2)?, body }, deadline))
}

/// A page that is a file.
fn local(path: &str, deadline: Instant) -> Result<Page, Failure> {
    let failure = || Failure::new(format!("cannot read `{}`", without_userinfo(path)));
    let body =
        std::fs::read(path).map_err(|e| failure().cause(&e).hint("write a URL of the database, or an HTML file"))?;
    let absolute = Path::new(path).canonicalize().map_err(|e| failure().cause(&e))?;
    let url = Url::from_file_path(absolute).map_err(|()| failure())?;
    let format = kind::Format { kind: kind::Kind::Html, is_xml: false, charset: None };
    let (charset, parsed) =
        parse_page(&url, &format, &body, "harvestman", false, Deadline::after(TIME, Duration::ZERO));
    let language = parsed.head.language.as_deref();
    Ok(Page::read(
        Source { url: &url, charset: Some(&charset), is_xml: format.is_xml, language, body: &body },
        deadline,
    ))
}

fn for_programs(item: &Item, taken: &[Taken]) -> Value {
    let place = |taken: &Taken| json!({ "path": taken.path, "tag": taken.tag, "given": taken.given });
    let mut fields = Map::new();
    let mut element = Value::Null;
    for taken in taken {
        if taken.field.is_empty() {
            element = json!({ "path": taken.path, "tag": taken.tag });
        } else if let Some(places) = fields.entry(taken.field.clone()).or_insert_with(|| json!([])).as_array_mut() {
            places.push(place(taken));
        }
    }
    json!({ "item": item.item, "position": item.position, "data": item.data, "element": element, "taken": fields })
}

fn for_people(found: &[(Item, Vec<Taken>)]) -> String {
    let mut text = String::new();
    for (item, taken) in found.iter().take(SHOWN) {
        let element = taken.iter().find(|taken| taken.field.is_empty());
        let element = element.map_or(String::new(), |element| format!("  {}  {}", element.path, element.tag));
        text.push_str(&format!("{} {}{}\n", item.item, item.position, printable(&element)));
        for (name, value) in &item.data {
            text.push_str(&format!("  {} = {}\n", printable(name), shortened(value)));
            let is_of_field = |taken: &&Taken| {
                taken.field.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let mut is_there = false;
            for taken in taken.iter().filter(is_of_field) {
                is_there = true;
                let inner = taken.field.get(name.len()..).unwrap_or_default();
                let inner = if inner.is_empty() { String::new() } else { format!("{inner}  ") };
                let given = if taken.given.is_empty() {
                    String::new()
                } else {
                    format!("  {}", shortened(&taken.given.as_str().into()))
                };
                text.push_str(&printable(&format!("      {inner}{}  {}{given}", taken.path, taken.tag)));
                text.push('\n');
            }
            if !is_there {
                text.push_str("      not there\n");
            }
        }
    }
    if found.len() > SHOWN {
        text.push_str(&format!("… and {} more: --format json shows all\n", found.len() - SHOWN));
    }
    text
}

/// A value as JSON in a line.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => printable(&text[..end]) + "…",
        None => printable(&text),
    }
}
