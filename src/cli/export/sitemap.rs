//! The sitemap of one host (sitemaps.org), split where the protocol's limits ask for it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use quick_xml::escape::escape;
use url::Url;

use crate::cli::failure::Failure;
use crate::cli::target::{Output, Target};
use crate::read::{ReadError, Row};

use super::pages::Pages;

/// The protocol's limits for one file: URLs, and bytes.
const MAX_URLS: i64 = 50_000;
const MAX_BYTES: usize = 50 << 20;

const SITEMAP: Shape = Shape { root: "urlset", item: "url" };
const INDEX: Shape = Shape { root: "sitemapindex", item: "sitemap" };

/// HTML pages of status 200 that name no other URL as their canonical one.
const FIT: &str = "and v.status = 200 and (v.canonical_url is null or v.canonical_url = v.url)
    and (v.content_type like 'text/html%' or v.content_type like 'application/xhtml+xml%')";

pub fn write(pages: &Pages<'_>, target: &Target, base: Option<&Url>) -> Result<i64, Failure> {
    let host = only_host(pages)?;
    let Target::File(path, permissions) = target else {
        // Standard output takes one file, so whether all fits is found out before the first byte is written.
        split(pages, |part| if part == 1 { Ok(io::sink()) } else { Err(too_many()) })?;
        let (written, _) = split(pages, |_| target.open())?;
        return Ok(written);
    };
    let (written, mut parts) = split(pages, |part| Output::beside(&part_path(path, part), permissions.clone()))?;
    if parts.len() == 1 {
        parts.remove(0).close()?.take_its_name(Some(path))?;
        return Ok(written);
    }
    let base = base.cloned().or_else(|| Url::parse(&host).ok());
    let base = base.ok_or_else(|| Failure::new("a split sitemap needs --sitemap-base"))?;
    let mut index = File::begin(INDEX, Output::beside(path, permissions.clone())?)?;
    for (number, part) in parts.into_iter().enumerate() {
        let part_path = part_path(path, number + 1);
        part.close()?.take_its_name(Some(&part_path))?;
        index.add(&entry(INDEX, &location(&base, &part_path)?, None))?;
    }
    index.end()?.close()?.take_its_name(Some(path))?;
    Ok(written)
}

/// A sitemap lists the URLs of the host it lies on, and no others.
fn only_host(pages: &Pages<'_>) -> Result<String, Failure> {
    let (mut hosts, mut host) = (0, String::new());
    let sql = format!("select count(distinct v.host), coalesce(min(v.host), '') {} {FIT}", pages.from());
    pages.each(&sql, |row| {
        (hosts, host) = (row.at::<i64>(0)?, row.at(1)?);
        Ok(())
    })?;
    match hosts {
        0 | 1 => Ok(host),
        _ => Err(Failure::new(format!("the pages are of {hosts} hosts, and a sitemap holds the URLs of one"))
            .hint(format!("choose one, such as --where \"host = '{host}'\""))),
    }
}

/// Writes all pages into as many files as it takes.
fn split<W: Write>(
    pages: &Pages<'_>,
    mut open: impl FnMut(usize) -> Result<W, Failure>,
) -> Result<(i64, Vec<W>), Failure> {
    let mut whole = Vec::new();
    let mut file = File::begin(SITEMAP, open(1)?)?;
    let sql = format!("select v.url, v.last_modified, v.changed_at {} {FIT} order by p.url_id", pages.from());
    let written = pages.each(&sql, |row| {
        let entry = entry(SITEMAP, row.at(0)?, last_modified(&row)?);
        if !file.has_room_for(&entry) {
            let next = File::begin(SITEMAP, open(whole.len() + 2)?)?;
            whole.push(std::mem::replace(&mut file, next).end()?);
        }
        file.add(&entry)
    })?;
    whole.push(file.end()?);
    Ok((written, whole))
}

/// Last-Modified as the server says; but if that is later than the time since when the page is known as it is, that time.
fn last_modified(row: &Row) -> Result<Option<Timestamp>, ReadError> {
    let said: Option<&str> = row.at(1)?;
    let said = said.and_then(|said| Timestamp::try_from(httpdate::parse_http_date(said).ok()?).ok());
    let seen: Option<Timestamp> = row.at::<&str>(2)?.parse().ok();
    Ok(said.filter(|said| seen.is_none_or(|seen| *said <= seen)).or(seen))
}

fn entry(shape: Shape, url: &str, last_modified: Option<Timestamp>) -> String {
    let time = last_modified.map_or_else(String::new, |time| time.strftime("<lastmod>%FT%TZ</lastmod>").to_string());
    format!("<{0}><loc>{1}</loc>{time}</{0}>\n", shape.item, escape(url))
}

/// `sitemap.xml` has the parts `sitemap-1.xml`, `sitemap-2.xml` …
fn part_path(path: &Path, part: usize) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{part}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

fn location(base: &Url, path: &Path) -> Result<String, Failure> {
    let name = path.file_name().and_then(|name| name.to_str());
    let mut url = base.clone();
    match (url.path_segments_mut(), name) {
        (Ok(mut segments), Some(name)) => segments.pop_if_empty().push(name),
        _ => return Err(Failure::new(format!("`{}` cannot be named under {base}", path.display()))),
    };
    Ok(url.into())
}

fn too_many() -> Failure {
    Failure::new("a sitemap of more than 50,000 URLs, or 50 MB, needs several files")
        .hint("name a file with --output: it becomes their index")
}

#[derive(Clone, Copy)]
struct Shape {
    root: &'static str,
    item: &'static str,
}

/// A file that is being written.
struct File<W> {
    out: W,
    shape: Shape,
    urls: i64,
    bytes: usize,
}

impl<W: Write> File<W> {
    fn begin(shape: Shape, mut out: W) -> Result<Self, Failure> {
        let head = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{} xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
            shape.root
        );
        out.write_all(head.as_bytes())?;
        Ok(Self { out, shape, urls: 0, bytes: head.len() + shape.root.len() + "</>\n".len() })
    }

    fn has_room_for(&self, entry: &str) -> bool {
        self.urls < MAX_URLS && self.bytes + entry.len() <= MAX_BYTES
    }

    fn add(&mut self, entry: &str) -> Result<(), Failure> {
        self.out.write_all(entry.as_bytes())?;
        self.urls += 1;
        self.bytes += entry.len();
        Ok(())
    }

    fn end(mut self) -> Result<W, Failure> {
        writeln!(self.out, "</{}>", self.shape.root)?;
        self.out.flush()?;
        Ok(self.out)
    }
}
