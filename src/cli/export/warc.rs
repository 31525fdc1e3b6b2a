//! WARC/1.1, the format of web archives, and WACZ: requests and responses, as far as they are kept.
//!
//! A response has its status and headers as received and its body with the content and transfer coding removed, so the
//! headers that describe those codings get another name. Requests are not kept: they are rebuilt.

mod archive;
mod capture;
mod history;
mod index;
mod request;
mod shelves;
mod wacz;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use jiff::Timestamp;

use crate::cli::args::{ExportArgs, ExportFormat};
use crate::cli::changes;
use crate::cli::failure::Failure;
use crate::cli::target::{Parts, Target};
use crate::read::{Database, ReadError, Row};
use crate::store::sqlite::timestamp;
use crate::visit::{self, Millis};

use super::pages::Pages;
use archive::{About, Archive, Listed, Naming, Shelf, stem};
use capture::{Capture, Content, Headers, Page, Response};
use history::{Answer, History, that_brought, that_found};
use index::Index;
use request::Requests;
use shelves::{Files, Stream};
use wacz::Package;

/// `answered`: of pages that were found to be as they are by "not modified", when they were sent last. `twin` is the first of
/// the pages with a body: SQLite sorts the hashes on disk, not in memory.
const SELECT: &str = "
answered (id, at) as materialized (
    select f.url_id, max(f.at) from _fetch f
    where f.url_id in (select url_id from _fetch where status = 304) and f.status <> 304 and f.failure is null
    group by 1),
twin (content_hash, id) as materialized (
    select p.content_hash, min(p.url_id)
    from chosen cross join _page p join _content c on c.url_id = p.url_id
    where p.url_id = chosen.id and p.status = 200 and p.size > 0 and c.body is not null
    group by 1 having count(*) > 1)
select p.url_id, u.url, h.host, coalesce(a.at, p.fetched_at - p.elapsed_ms),
    p.status, p.headers, c.body, p.size, p.content_hash, p.elapsed_ms, u.depth, r.url,
    t.id, tu.url, coalesce(ta.at, tp.fetched_at - tp.elapsed_ms),
    p.fetched_at, p.title, p.content_type
from _page p cross join _url u
join _host h on h.id = u.host_id
left join _content c on c.url_id = p.url_id
left join _url r on r.id = u.referrer_id
left join answered a on a.id = p.url_id
left join twin t on t.content_hash = p.content_hash and t.id < p.url_id and p.status = 200
left join _url tu on tu.id = t.id
left join _page tp on tp.url_id = t.id
left join answered ta on ta.id = t.id
where u.id = p.url_id and p.url_id in (select id from chosen) order by p.url_id";

const VERSIONS: &str = "select fetched_at, status, content_type, size, content_hash, body from versions where url = ?1
    order by fetched_at";

const OF_PAGE: &str = "the request is rebuilt; content and transfer coding are removed from the response";
const OF_VERSION: &str = "the request is rebuilt; of an older content the status, the media type and the body are kept";
const OF_REVISIT: &str = "the request is rebuilt; of an answer that brought nothing new the status is kept";

/// Writes the archive that the arguments ask for; returns the number of pages, and what it is called.
pub fn write(
    db: &Database,
    pages: &Pages<'_>,
    args: &ExportArgs,
    format: ExportFormat,
) -> Result<(i64, String), Failure> {
    let target = Target::new(&args.output, db.path())?;
    let export = Export::new(db, pages, args)?;
    let called = args.output.display().to_string();
    match format {
        ExportFormat::Wacz => Ok((export.package(&target, args.split)?, called)),
        _ if args.split.is_some() || args.cdxj => export.files(&target, args),
        _ => Ok((export.stream(&target)?, called)),
    }
}

/// The files that a larger archive of this name, of before, has after the last one of this one.
fn stale(path: &Path, naming: &Naming, files: usize) -> Vec<PathBuf> {
    let names = (1..).map_while(|number| naming.split.and(naming.of(number)));
    names.skip(files).map(|name| path.with_file_name(name)).take_while(|file| is_archive(file)).collect()
}

/// Whether a file begins as an archive does: what else has such a name is left where it is.
fn is_archive(path: &Path) -> bool {
    let begins = |reader: &mut dyn Read| {
        let mut start = [0; 5];
        reader.read_exact(&mut start).is_ok() && start == *b"WARC/"
    };
    let is_file = std::fs::symlink_metadata(path).is_ok_and(|there| there.is_file());
    let open = || is_file.then(|| File::open(path).ok()).flatten();
    open().is_some_and(|mut file| begins(&mut file)) || open().is_some_and(|file| begins(&mut GzDecoder::new(file)))
}

/// What is exported.
struct Export<'a> {
    db: &'a Database,
    pages: &'a Pages<'a>,
    requests: Requests,
    about: About,
    has_versions: bool,
    /// Older contents from before this time are left out.
    since: Millis,
}

impl<'a> Export<'a> {
    fn new(db: &'a Database, pages: &'a Pages<'a>, args: &ExportArgs) -> Result<Self, Failure> {
        let run = db.first("select id, started_at from runs order by id desc limit 1", [])?;
        let part_of = run.map(|row| {
            let (id, started_at): (i64, &str) = (row.at(0)?, row.at(1)?);
            Ok::<_, ReadError>(format!("run {id}, started at {started_at}"))
        });
        let has_versions = db.has_view("versions")? && db.first("select 1 from versions limit 1", [])?.is_some();
        let since = match args.since {
            Some(since) => changes::moment(db, since)?,
            None => Millis::MIN,
        };
        let about = About { now: timestamp(visit::now()), part_of: part_of.transpose()? };
        Ok(Self { db, pages, requests: Requests::of(db)?, about, has_versions, since })
    }

    /// One file.
    fn stream(&self, target: &Target) -> Result<i64, Failure> {
        let naming = Naming { name: target.name().map(str::to_owned), split: None };
        target.whole(|out| {
            let mut archive = Archive::begin(naming, self.about.clone(), Stream(&mut *out))?;
            self.fill(&mut archive)
        })
    }

    /// Files in a zip.
    fn package(&self, target: &Target, split: Option<u64>) -> Result<i64, Failure> {
        let title = target.name().map_or("crawl", |name| name.strip_suffix(".wacz").unwrap_or(name));
        let naming = Naming { name: Some("data.warc.gz".to_owned()), split };
        // Standard output and devices have no room beside them.
        let folder = target.folder().map_or_else(std::env::temp_dir, Path::to_owned);
        target.whole(|out| {
            let mut archive = Archive::begin(naming, self.about.clone(), Package::new(out, &folder)?)?;
            let written = self.fill(&mut archive)?;
            archive.end().finish(title, &self.about.now)?;
            Ok(written)
        })
    }

    /// Files beside each other.
    fn files(&self, target: &Target, args: &ExportArgs) -> Result<(i64, String), Failure> {
        let (Target::File(path, _), Some(name), Some(folder)) = (target, target.name(), target.folder()) else {
            let problem = Failure::new("several files can only be written beside each other");
            return Err(problem.hint("name a file with --output").code(2));
        };
        let naming = Naming { name: Some(name.to_owned()), split: args.split };
        let index = args.cdxj.then(|| Index::new(folder.to_owned()));
        let files = Files::new(Parts::beside(path)?, index);
        let mut archive = Archive::begin(naming.clone(), self.about.clone(), files)?;
        let written = self.fill(&mut archive)?;
        let files = archive.end();
        let stale = stale(path, &naming, files.count());
        let called = files.finish(&format!("{}.cdxj", stem(name).0), self.db.path())?;
        stale.iter().try_for_each(std::fs::remove_file)?;
        Ok((written, called))
    }

    fn fill<S: Shelf>(&self, archive: &mut Archive<S>) -> Result<i64, Failure> {
        let mut history = History::new(self.db, self.pages)?;
        let sql = format!("with chosen (id) as materialized (select p.url_id {}), {SELECT}", self.pages.from());
        self.pages.each(&sql, |row| {
            let stored = Stored::read(&row)?;
            let answers = history.of(stored.page.id)?;
            let before = if self.has_versions { self.versions(archive, &stored, &answers)? } else { Millis::MIN };
            self.content(archive, &stored.capture(), that_found(&answers, before, stored.until))?;
            stored.listed().map_or(Ok(()), |page| archive.list(&page))
        })
    }

    /// Adds the older contents of a page; answers with when the last of them was found for the last time.
    fn versions<S: Shelf>(
        &self,
        archive: &mut Archive<S>,
        stored: &Stored<'_>,
        answers: &[Answer],
    ) -> Result<Millis, Failure> {
        let mut before = Millis::MIN;
        for row in self.db.query(VERSIONS, [stored.page.url.into()])? {
            let row = row?;
            let until = row.at::<&str>(0)?.parse::<Timestamp>().map_or(before, Timestamp::as_millisecond);
            let found = that_found(answers, before, until);
            before = until;
            let brought = that_brought(found);
            let at = brought.map_or(until, |answer| answer.at);
            if at < self.since {
                continue;
            }
            let kind = row.at::<Option<&str>>(2)?.map(|kind| ("content-type".to_owned(), kind.to_owned()));
            let hash = row.at(4)?;
            let capture = Capture {
                page: &stored.page,
                at,
                elapsed_ms: brought.map(|answer| answer.elapsed_ms),
                status: row.at(1)?,
                headers: &Headers::from_iter(kind),
                content: here(row.at(5)?, row.at(3)?, hash),
                hash,
                asked_with: "",
                note: OF_VERSION,
            };
            self.content(archive, &capture, found)?;
        }
        Ok(before)
    }

    /// Adds a content, and the answers that said it is still so.
    fn content<S: Shelf>(
        &self,
        archive: &mut Archive<S>,
        capture: &Capture<'_>,
        found: &[Answer],
    ) -> Result<(), Failure> {
        let brought = found.iter().find(|answer| answer.at == capture.at);
        let elapsed_ms = brought.map(|answer| answer.elapsed_ms).or(capture.elapsed_ms);
        let asked_with = &*self.requests.lines(capture.at, None);
        archive.add(&Capture { asked_with, elapsed_ms, content: capture.content, ..*capture })?;
        let (response, size) = match capture.content {
            Content::Here(body) => {
                (Response { page: capture.page.id, url: capture.page.url, at: capture.at }, body.len())
            }
            Content::Elsewhere { response, size } => (response, size),
            Content::Missing => return Ok(()),
        };
        for answer in found.iter().filter(|answer| answer.at != capture.at) {
            let conditions = (answer.status == 304).then_some(capture.headers);
            let again = Capture {
                at: answer.at,
                elapsed_ms: Some(answer.elapsed_ms),
                status: answer.status,
                headers: &[],
                content: Content::Elsewhere { response, size },
                asked_with: &self.requests.lines(answer.at, conditions),
                note: OF_REVISIT,
                ..*capture
            };
            archive.add(&again)?;
        }
        Ok(())
    }
}

/// A stored body. An empty one is not stored.
fn here<'r>(body: Option<&'r [u8]>, size: i64, hash: Option<&str>) -> Content<'r> {
    body.or(hash.filter(|_| size == 0).map(|_| &[][..])).map_or(Content::Missing, Content::Here)
}

/// A page as it is stored.
struct Stored<'r> {
    page: Page<'r>,
    at: Millis,
    /// When it was found so for the last time.
    until: Millis,
    elapsed_ms: Option<i64>,
    status: u16,
    headers: Headers,
    content: Content<'r>,
    size: usize,
    hash: Option<&'r str>,
    title: Option<&'r str>,
    is_html: bool,
}

impl<'r> Stored<'r> {
    fn read(row: &'r Row) -> Result<Self, Failure> {
        let page = Page { id: row.at(0)?, url: row.at(1)?, host: row.at(2)?, depth: row.at(10)?, via: row.at(11)? };
        let headers = serde_json::from_str(row.at(5)?)
            .map_err(|e| Failure::new(format!("the headers of `{}` are damaged", page.url)).cause(&e))?;
        let (size, hash): (i64, Option<&str>) = (row.at(7)?, row.at(8)?);
        let (at, until, elapsed): (Millis, Millis, i64) = (row.at(3)?, row.at(15)?, row.at(9)?);
        let content = match row.at::<Option<i64>>(12)? {
            Some(id) => {
                let response = Response { page: id, url: row.at(13)?, at: row.at(14)? };
                Content::Elsewhere { response, size: size.try_into().unwrap_or_default() }
            }
            None => here(row.at(6)?, size, hash),
        };
        let kind: Option<&str> = row.at(17)?;
        let is_html =
            kind.is_some_and(|kind| ["text/html", "application/xhtml+xml"].iter().any(|html| kind.starts_with(html)));
        Ok(Self {
            page,
            at,
            until,
            elapsed_ms: (at + elapsed == until).then_some(elapsed),
            status: row.at(4)?,
            headers,
            content,
            size: size.try_into().unwrap_or_default(),
            hash,
            title: row.at(16)?,
            is_html,
        })
    }

    fn capture(&self) -> Capture<'_> {
        Capture {
            page: &self.page,
            at: self.at,
            elapsed_ms: self.elapsed_ms,
            status: self.status,
            headers: &self.headers,
            content: self.content,
            hash: self.hash,
            asked_with: "",
            note: OF_PAGE,
        }
    }

    /// What a list of pages says of it; none if it is nothing to look at.
    fn listed(&self) -> Option<Listed<'_>> {
        let is_page = self.is_html && self.status == 200 && !matches!(self.content, Content::Missing);
        let Page { id, url, depth, .. } = self.page;
        let (title, size, date) = (self.title, self.size, timestamp(self.at));
        is_page.then_some(Listed { id, url, date, title, size, is_seed: depth == 0 })
    }
}
