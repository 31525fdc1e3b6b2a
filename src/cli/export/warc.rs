//! WARC/1.1, the format of web archives: requests and responses, as far as they are kept.
//!
//! The response has its status and headers as received and its body with the content and transfer coding removed, so
//! the headers that describe those codings get another name. The request is not kept: it is rebuilt from the URL.

use std::io::Write;

use crate::store::sqlite::timestamp;
use crate::warc::{self, FIELDS, Record, RecordId};

use crate::cli::failure::Failure;
use crate::read::{ReadError, Row};

use super::pages::Pages;

const REQUEST: &str = "application/http;msgtype=request";
const RESPONSE: &str = "application/http;msgtype=response";
const CONFORMS_TO: &str = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/";
const IDENTICAL: &str = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";

/// Headers that describe the bytes as sent, and perhaps not the stored body.
const OF_THE_WIRE: [&str; 3] = ["content-encoding", "content-length", "transfer-encoding"];

/// `twin` is the first of the pages with a body: SQLite sorts the hashes on disk, not in memory.
const SELECT: &str = "
twin (content_hash, id) as materialized (
    select p.content_hash, min(p.url_id)
    from chosen cross join _page p join _content c on c.url_id = p.url_id
    where p.url_id = chosen.id and p.status = 200 and p.size > 0 and c.body is not null
    group by 1 having count(*) > 1)
select p.url_id, u.url, h.host, p.fetched_at - p.elapsed_ms,
    p.status, p.headers, c.body, p.size, p.content_hash, p.elapsed_ms, u.depth, r.url,
    t.id, tu.url, tp.fetched_at - tp.elapsed_ms
from _page p cross join _url u
join _host h on h.id = u.host_id
left join _content c on c.url_id = p.url_id
left join _url r on r.id = u.referrer_id
left join twin t on t.content_hash = p.content_hash and t.id < p.url_id and p.status = 200
left join _url tu on tu.id = t.id
left join _page tp on tp.url_id = t.id
where u.id = p.url_id and p.url_id in (select id from chosen) order by p.url_id";

/// The number, the start, and the present time.
pub type Run = (i64, String, String);

pub fn write(pages: &Pages<'_>, run: Option<&Run>, name: Option<&str>, out: &mut impl Write) -> Result<i64, Failure> {
    let mut archive = Archive::begin(run, name, out)?;
    let sql = format!("with chosen (id) as materialized (select p.url_id {}), {SELECT}", pages.from());
    let written = pages.each(&sql, |row| archive.page(&Page::read(&row)?))?;
    archive.out.flush()?;
    Ok(written)
}

/// A page, as far as it is written to the archive.
struct Page<'r> {
    id: i64,
    url: &'r str,
    host: &'r str,
    /// When the request began.
    date: String,
    status: u16,
    headers: Vec<(String, String)>,
    /// None if it was not stored.
    body: Option<&'r [u8]>,
    /// Of the body as received, also if it was not stored.
    size: usize,
    hash: Option<&'r str>,
    elapsed_ms: i64,
    depth: i64,
    via: Option<&'r str>,
    /// An earlier page with the same body: id, URL, date.
    twin: Option<(i64, &'r str, String)>,
}

impl<'r> Page<'r> {
    fn read(row: &'r Row) -> Result<Self, Failure> {
        let (url, size, hash) = (row.at(1)?, row.at::<i64>(7)?, row.at::<Option<&str>>(8)?);
        let headers = serde_json::from_str(row.at(5)?)
            .map_err(|e| Failure::new(format!("the headers of `{url}` are damaged")).cause(&e))?;
        let body: Option<&[u8]> = row.at(6)?;
        let twin: Option<i64> = row.at(12)?;
        Ok(Self {
            id: row.at(0)?,
            url,
            host: row.at(2)?,
            date: timestamp(row.at(3)?),
            status: row.at(4)?,
            headers,
            // An empty body is not stored.
            body: body.or(hash.filter(|_| size == 0).map(|_| &[][..])),
            size: size.try_into().unwrap_or_default(),
            hash,
            elapsed_ms: row.at(9)?,
            depth: row.at(10)?,
            via: row.at(11)?,
            twin: twin.map(|id| Ok::<_, ReadError>((id, row.at(13)?, timestamp(row.at(14)?)))).transpose()?,
        })
    }

    /// Whether there was a body that is not stored. If it was not downloaded, only the headers tell of it.
    fn is_truncated(&self) -> bool {
        let is_empty = |(name, value): &(String, String)| name == "content-length" && value == "0";
        self.body.is_none() && !matches!(self.status, 204 | 304) && !self.headers.iter().any(is_empty)
    }

    fn request_head(&self) -> String {
        let target = self.url.strip_prefix(self.host).unwrap_or("/");
        let authority = self.host.split_once("://").map_or(self.host, |(_, authority)| authority);
        format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", warc::one_line(target), warc::one_line(authority))
    }

    /// The head of the response, with headers that fit a body of `length` bytes. All values are written as UTF-8, because
    /// it is not kept which of them came in ISO 8859-1.
    fn response_head(&self, length: usize) -> Vec<u8> {
        let reason = http::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason.unwrap_or_default());
        let length = length.to_string();
        let mut has_length = false;
        let mut was_renamed = false;
        for (name, value) in &self.headers {
            let is_true = name == "content-length" && *value == length && !has_length;
            let rename = OF_THE_WIRE.contains(&name.as_str()) && !is_true;
            has_length |= is_true;
            was_renamed |= rename;
            let prefix = if rename { "x-crawler-" } else { "" };
            head.push_str(&format!("{prefix}{}: {}\r\n", warc::one_line(name), warc::one_line(value)));
        }
        if !has_length && (was_renamed || length != "0") {
            head.push_str(&format!("content-length: {length}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    fn metadata(&self) -> String {
        let mut fields = Vec::new();
        if let Some(via) = self.via {
            fields.push(("via", via.to_owned()));
        }
        fields.push(("depth", self.depth.to_string()));
        fields.push(("fetchTimeMs", self.elapsed_ms.to_string()));
        let note =
            "the request is reconstructed from the URL; content and transfer coding are removed from the response";
        fields.push(("description", note.to_owned()));
        warc::fields(&fields)
    }
}

/// The records that are written, and what names them.
struct Archive<W> {
    out: W,
    salt: [u8; 16],
    info: RecordId,
}

impl<W: Write> Archive<W> {
    fn begin(run: Option<&Run>, name: Option<&str>, out: W) -> Result<Self, Failure> {
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt).map_err(|e| Failure::new("no random numbers").cause(&e))?;
        let mut archive = Self { out, salt, info: RecordId::new(&salt, "warcinfo", 0) };
        let mut fields = vec![
            ("software", concat!("harvestman/", env!("CARGO_PKG_VERSION")).to_owned()),
            ("format", "WARC File Format 1.1".to_owned()),
            ("conformsTo", CONFORMS_TO.to_owned()),
        ];
        if let Some((id, started_at, _)) = run {
            fields.push(("isPartOf", format!("run {id}, started at {started_at}")));
        }
        let date = run.map_or("1970-01-01T00:00:00Z", |(_, _, now)| now);
        let block = warc::fields(&fields);
        let fields = name.map(|name| ("WARC-Filename", name.to_owned())).into_iter().collect();
        let block = [block.as_bytes(), &[]];
        let record = Record { kind: "warcinfo", id: archive.info, date, fields, content_type: FIELDS, block };
        record.write(&mut archive.out)?;
        Ok(archive)
    }

    fn page(&mut self, page: &Page<'_>) -> Result<(), Failure> {
        let mut fields = Vec::new();
        if let Some(hash) = page.hash.filter(|_| page.body.is_some() || page.twin.is_some()) {
            fields.push(("WARC-Payload-Digest", format!("sha256:{hash}")));
        }
        let (kind, head, body) = if let Some((id, url, date)) = &page.twin {
            fields.push(("WARC-Profile", IDENTICAL.to_owned()));
            fields.push(("WARC-Refers-To", self.id("response", *id).to_string()));
            fields.push(("WARC-Refers-To-Target-URI", (*url).to_owned()));
            fields.push(("WARC-Refers-To-Date", date.clone()));
            fields.push(("WARC-Truncated", "length".to_owned()));
            ("revisit", page.response_head(page.size), None)
        } else {
            if page.is_truncated() {
                fields.push(("WARC-Truncated", "unspecified".to_owned()));
            }
            ("response", page.response_head(page.body.map_or(0, <[u8]>::len)), page.body)
        };
        self.record(page, kind, fields, RESPONSE, [&head, body.unwrap_or_default()])?;
        let of_it = vec![("WARC-Concurrent-To", self.id(kind, page.id).to_string())];
        self.record(page, "request", of_it.clone(), REQUEST, [page.request_head().as_bytes(), &[]])?;
        self.record(page, "metadata", of_it, FIELDS, [page.metadata().as_bytes(), &[]])
    }

    fn record(
        &mut self,
        page: &Page<'_>,
        kind: &str,
        mut fields: Vec<(&'static str, String)>,
        content_type: &str,
        block: [&[u8]; 2],
    ) -> Result<(), Failure> {
        fields.push(("WARC-Target-URI", page.url.to_owned()));
        fields.push(("WARC-Warcinfo-ID", self.info.to_string()));
        let record = Record { kind, id: self.id(kind, page.id), date: &page.date, fields, content_type, block };
        Ok(record.write(&mut self.out)?)
    }

    fn id(&self, kind: &str, page: i64) -> RecordId {
        RecordId::new(&self.salt, kind, page)
    }
}
