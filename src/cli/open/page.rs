//! One URL: what became of it, where it came from, what it says, its links in and out, its headers and older versions; and its
//! body, as text.

use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use crate::canonical::CanonicalUrl;
use crate::cli::explain::{self, Explanation};
use crate::cli::failure::Failure;
use crate::cli::output::printable;
use crate::cli::questions::{bound, cut};
use crate::cli::words::{count, size};
use crate::read::{Database, ReadError, Row, Value};

use super::frame::{Frame, render};
use super::site::Shared;
use super::table::{Field, Table, address};

/// Links of a page, in and out, that are shown at once.
const LINKS: i64 = 100;
/// How long links to the page are looked for unasked. No index leads to them, which would cost every page of a crawl.
const PATIENCE: Duration = Duration::from_millis(250);
/// Characters of a text, and bytes of a body, that are shown.
const TEXT: usize = 50_000;
const BODY: i64 = 256 << 10;

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Asked {
    url: String,
    /// Links out and in that are passed over.
    out: i64,
    /// If it is given, links in are looked for however long that takes.
    inward: Option<i64>,
}

#[derive(Template)]
#[template(path = "open/page.html", whitespace = "minimize")]
struct Page {
    frame: Frame,
    url: String,
    href: String,
    state: String,
    meaning: String,
    facts: Vec<(&'static str, String)>,
    /// How and from where it was found, from the seed on.
    found: Vec<(String, Field)>,
    texts: Vec<Text>,
    /// Where its body is shown, if it is stored.
    body: Option<String>,
    tables: Vec<Table>,
}

/// A text of the page, or its beginning.
struct Text {
    id: &'static str,
    name: &'static str,
    text: String,
    is_cut: bool,
}

pub async fn show(State(site): Shared, Query(asked): Query<Asked>) -> Response {
    site.show(move |db, frame| page(db, frame, &asked), "/pages").await
}

fn page(db: &Database, frame: Frame, asked: &Asked) -> Result<String, Failure> {
    let url = explain::url_of(&asked.url)?;
    let _moment = db.snapshot()?;
    let explanation = explain::explained(db, &url)?;
    let row = db.first("select * from pages where url = ?1", [url.as_str().into()])?;
    let title = row.as_ref().map(|row| row.get::<Option<&str>>("title")).transpose()?.flatten();
    let frame = frame.titled(title.filter(|title| !title.is_empty()).unwrap_or(url.as_str()));
    let body = db.first("select 1 from bodies where url = ?1 and body is not null", [url.as_str().into()])?;
    render(&Page {
        state: explanation.reason.as_ref().map_or_else(
            || explanation.state.to_owned(),
            |reason| format!("{}: {}", explanation.state, printable(reason)),
        ),
        meaning: meaning(&explanation),
        facts: row.as_ref().map(facts).transpose()?.unwrap_or_default(),
        found: explanation.found.iter().map(|hop| (how(&hop.how, hop.text.as_deref()), Field::url(&hop.url))).collect(),
        texts: texts(db, &url)?,
        body: body.map(|_| address("/body", &[("url", url.as_str())])),
        tables: tables(db, &url, asked, &explanation)?,
        url: printable(url.as_str()),
        href: url.to_string(),
        frame,
    })
}

fn meaning(explanation: &Explanation) -> String {
    let message = explanation.message.as_deref().map_or_else(String::new, |message| format!(" {}", printable(message)));
    explanation.meaning.clone() + &message
}

fn how(how: &str, text: Option<&str>) -> String {
    let text = text.filter(|text| !text.is_empty()).map_or_else(String::new, |text| format!(" “{}”", printable(text)));
    match how {
        "seed" => "seed".to_owned(),
        "robots.txt" => "named by robots.txt, or looked for at its usual place".to_owned(),
        "redirect" => "by a redirect to".to_owned(),
        "link" => "by a link to".to_owned(),
        element => format!("by <{element}>{text} to"),
    }
}

fn facts(row: &Row) -> Result<Vec<(&'static str, String)>, ReadError> {
    const TEXTS: [(&str, &str); 14] = [
        ("Content-Type", "content_type"),
        ("Read as", "charset"),
        ("Language", "language"),
        ("Description", "description"),
        ("Redirects to", "redirect_to"),
        ("Names as canonical", "canonical_url"),
        ("Host", "host"),
        ("First seen", "first_seen_at"),
        ("Fetched", "fetched_at"),
        ("Last changed", "changed_at"),
        ("ETag", "etag"),
        ("Last-Modified", "last_modified"),
        ("SHA-256 of the body", "content_hash"),
        ("Found on", "referrer"),
    ];
    let mut facts = vec![
        ("Status", row.get::<i64>("status")?.to_string()),
        ("Size", size(row.get("size")?)),
        ("Depth", count(row.get::<i64>("depth")?)),
        ("Took", format!("{} ms", count(row.get::<i64>("elapsed_ms")?))),
    ];
    for (name, column) in TEXTS {
        if let Some(text) = row.get::<Option<&str>>(column)?.filter(|text| !text.is_empty()) {
            facts.push((name, printable(text)));
        }
    }
    Ok(facts)
}

fn texts(db: &Database, url: &CanonicalUrl) -> Result<Vec<Text>, Failure> {
    let sources = [
        ("article", "Main content", "select markdown from articles where url = ?1"),
        ("text", "Readable text", "select text from pages where url = ?1"),
    ];
    let mut texts = Vec::new();
    for (id, name, sql) in sources {
        if id == "article" && !db.has_view("articles")? {
            continue;
        }
        let row = db.first(sql, [url.as_str().into()])?;
        let text = row.map_or(Ok(None), |row| row.at::<Option<String>>(0))?;
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            let start = cut(&text, TEXT);
            texts.push(Text { id, name, is_cut: start.is_some(), text: visible(start.unwrap_or(&text)) });
        }
    }
    Ok(texts)
}

/// With control characters escaped, but for those that lay text out.
fn visible(text: &str) -> String {
    let line = |line: &str| line.split('\t').map(printable).collect::<Vec<_>>().join("\t");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn tables(db: &Database, url: &CanonicalUrl, asked: &Asked, explanation: &Explanation) -> Result<Vec<Table>, Failure> {
    let out = links(db, url, Direction::Out, asked.out)?;
    let mut tables = vec![out, headers(db, url)?, versions(db, url)?];
    let requests = explanation.requests.iter().rev().map(|request| {
        let status = request.status.map(|status| status.to_string());
        let answer = status.or_else(|| request.failure.clone()).unwrap_or_default();
        let unchanged = if request.unchanged { ", unchanged" } else { "" };
        vec![
            Field::text(&request.at),
            Field::count(request.run),
            Field::text(&(answer + unchanged)),
            Field::count(request.elapsed_ms),
            Field::Number(size(request.bytes)),
        ]
    });
    let heads = ["At", "#Run", "Answer", "#ms", "#Received"];
    tables.push(Table::new("requests", "Requests", &heads, requests.collect()));
    // Asked last, so that what takes too long does not take the rest along.
    tables.insert(1, inward(db, url, asked.inward));
    Ok(tables)
}

/// The links to the page, or how to have them looked for.
fn inward(db: &Database, url: &CanonicalUrl, skip: Option<i64>) -> Table {
    if skip.is_none() && bound(db, PATIENCE).is_err() {
        return Table::new("in", "Links to this page", &[], vec![]);
    }
    links(db, url, Direction::In, skip.unwrap_or(0)).unwrap_or_else(|_| {
        let table = Table::new("in", "Links to this page", &[], vec![]);
        match skip {
            Some(_) => Table { none: "To look for them takes too long: harvestman query has no limit.", ..table },
            None => {
                let more = address("/page", &[("url", url.as_str()), ("inward", "0")]) + "#in";
                Table {
                    none: "All links have to be gone through for them, which takes a while.",
                    next: Some(more),
                    ..table
                }
            }
        }
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Out,
    In,
}

fn links(db: &Database, url: &CanonicalUrl, direction: Direction, skip: i64) -> Result<Table, Failure> {
    let skip = skip.max(0);
    let (end, other, id, caption, head, name) = match direction {
        Direction::Out => ("f", "t", "out", "Links on this page", "To", "out"),
        Direction::In => ("t", "f", "in", "Links to this page", "From", "inward"),
    };
    let sql = format!(
        "select {other}.url, l.text, l.rel, l.element, l.part from _url {end}
         join _link l on l.{} = {end}.id join _url {other} on {other}.id = l.{}
         where {end}.url = ?1 order by l.from_id, l.position limit ?2 offset ?3",
        if direction == Direction::Out { "from_id" } else { "to_id" },
        if direction == Direction::Out { "to_id" } else { "from_id" },
    );
    let values: [Value; 3] = [url.as_str().into(), (LINKS + 1).into(), skip.into()];
    let mut rows = Vec::new();
    for row in db.query(&sql, values)? {
        let row = row?;
        let mut cells = vec![Field::url(row.at(0)?)];
        for column in 1..5 {
            cells.push(Field::maybe(row.at(column)?));
        }
        rows.push(cells);
    }
    let has_more = rows.len() as i64 > LINKS;
    rows.truncate(LINKS as usize);
    let next = (skip + LINKS).to_string();
    let next = address("/page", &[("url", url.as_str()), (name, &next)]) + "#" + id;
    let table = Table::new(id, caption, &[head, "Text", "rel", "Element", "Part"], rows);
    Ok(Table { next: has_more.then_some(next), none: if skip > 0 { "No more." } else { "None." }, ..table })
}

fn headers(db: &Database, url: &CanonicalUrl) -> Result<Table, Failure> {
    let rows = db.query("select name, value from headers where url = ?1", [url.as_str().into()])?;
    let rows = rows.map(|row| row.and_then(|row| Ok(vec![Field::text(row.at(0)?), Field::text(row.at(1)?)])));
    Ok(Table::new("headers", "Response headers", &["Name", "Value"], rows.collect::<Result<_, _>>()?))
}

fn versions(db: &Database, url: &CanonicalUrl) -> Result<Table, Failure> {
    let heads = ["Fetched at", "#Status", "Type", "#Size", "SHA-256"];
    let mut table = Table::new("versions", "Older versions", &heads, vec![]);
    table.none = "None is kept: crawl --keep-versions keeps them.";
    if db.has_view("versions")? {
        let sql = "select fetched_at, status, content_type, size, content_hash from versions where url = ?1
            order by fetched_at desc limit 100";
        for row in db.query(sql, [url.as_str().into()])? {
            let row = row?;
            table.rows.push(vec![
                Field::text(row.at(0)?),
                Field::Number(row.at::<i64>(1)?.to_string()),
                Field::maybe(row.at(2)?),
                Field::Number(size(row.at(3)?)),
                Field::maybe(row.at(4)?),
            ]);
        }
    }
    Ok(table)
}

#[derive(Template)]
#[template(path = "open/body.html", whitespace = "minimize")]
struct Body {
    frame: Frame,
    url: Field,
    note: String,
    text: String,
}

pub async fn body(State(site): Shared, Query(asked): Query<Asked>) -> Response {
    site.show(move |db, frame| body_of(db, frame, &asked.url), "/pages").await
}

fn body_of(db: &Database, frame: Frame, url: &str) -> Result<String, Failure> {
    let url = explain::url_of(url)?;
    let sql =
        "select p.content_type, p.charset, p.size, substr(b.body, 1, ?2) from bodies b join pages p on p.url = b.url
        where b.url = ?1 and b.body is not null";
    let row = db.first(sql, [url.as_str().into(), BODY.into()])?;
    let row = row.ok_or_else(|| {
        let failure = Failure::new(format!("no body of `{}` is stored", printable(url.as_str())));
        failure.hint("crawl without --no-bodies, and with its media type in --body-types")
    })?;
    let (kind, charset, whole): (Option<&str>, Option<&str>, i64) = (row.at(0)?, row.at(1)?, row.at(2)?);
    let kind = kind.unwrap_or("of no type");
    let bytes: &[u8] = row.at(3)?;
    let is_text = ["text/", "xml", "json", "javascript"].iter().any(|word| kind.to_ascii_lowercase().contains(word));
    let mut note = format!("{}, {}.", printable(kind), size(whole));
    let mut text = String::new();
    if is_text {
        let encoding = charset.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
        text = visible(&encoding.unwrap_or(encoding_rs::UTF_8).decode(bytes).0);
        if whole > BODY {
            note.push_str(&format!(" Its first {} are shown; harvestman show --body has all of it.", size(BODY)));
        }
    } else {
        note.push_str(" It is no text: harvestman show --body writes it to a file.");
    }
    let frame = frame.titled("Body as received");
    render(&Body { frame, url: Field::url(url.as_str()), note, text })
}
