//! What is written of one answer: its head and body, the request, and where the page was found.

use crate::store::sqlite::timestamp;
use crate::visit::Millis;
use crate::warc::{self, FIELDS, Record, RecordId};

const REQUEST: &str = "application/http;msgtype=request";
const RESPONSE: &str = "application/http;msgtype=response";
const IDENTICAL: &str = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";
const NOT_MODIFIED: &str = "http://netpreserve.org/warc/1.1/revisit/server-not-modified";

/// Headers that describe the bytes as sent, and perhaps not the stored body.
const OF_THE_WIRE: [&str; 3] = ["content-encoding", "content-length", "transfer-encoding"];

pub type Headers = Vec<(String, String)>;

/// The page that was asked for.
#[derive(Debug)]
pub struct Page<'a> {
    pub id: i64,
    pub url: &'a str,
    /// Scheme, host and port.
    pub host: &'a str,
    pub depth: i64,
    pub via: Option<&'a str>,
}

/// One answer.
#[derive(Debug)]
pub struct Capture<'a> {
    pub page: &'a Page<'a>,
    /// When it was asked for.
    pub at: Millis,
    pub elapsed_ms: Option<i64>,
    pub status: u16,
    /// As far as they are kept.
    pub headers: &'a [(String, String)],
    pub content: Content<'a>,
    /// Of the content, wherever it is.
    pub hash: Option<&'a str>,
    /// The header lines of the request, as far as they are known.
    pub asked_with: &'a str,
    /// What else there is to say of it.
    pub note: &'a str,
}

/// Where the body of an answer is.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    Here(&'a [u8]),
    /// It was not stored, or there was none.
    Missing,
    /// In the response to another request.
    Elsewhere {
        response: Response<'a>,
        size: usize,
    },
}

/// Another response of the archive.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    pub page: i64,
    pub url: &'a str,
    pub at: Millis,
}

impl Response<'_> {
    fn id(&self, archive: &[u8; 16]) -> RecordId {
        RecordId::new(archive, "response", self.page, self.at)
    }
}

impl Capture<'_> {
    /// The type of its main record, which is the first one.
    pub fn kind(&self) -> &'static str {
        if matches!(self.content, Content::Elsewhere { .. }) { "revisit" } else { "response" }
    }

    pub fn date(&self) -> String {
        timestamp(self.at)
    }

    /// The digest of the payload, as far as it is in the archive.
    pub fn digest(&self) -> Option<String> {
        let hash = self.hash.filter(|_| !matches!(self.content, Content::Missing))?;
        Some(format!("sha256:{hash}"))
    }

    /// The media type of the answer in an index.
    pub fn mime(&self) -> String {
        let named = self.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
        let bare = named.and_then(|value| value.split([';', ',', ' ']).next()).map(str::trim);
        bare.filter(|bare| !bare.is_empty()).unwrap_or("unk").to_ascii_lowercase()
    }

    /// Appends its records to `out`; answers with the length of the main one. `info` names the archive file.
    pub fn write(&self, archive: &[u8; 16], info: RecordId, out: &mut Vec<u8>) -> std::io::Result<usize> {
        let id = |kind| RecordId::new(archive, kind, self.page.id, self.at);
        let date = self.date();
        let mut record = |kind, mut fields: Vec<_>, content_type, block| {
            fields.push(("WARC-Target-URI", self.page.url.to_owned()));
            fields.push(("WARC-Warcinfo-ID", info.to_string()));
            let record = Record { kind, id: id(kind), date: &date, fields, content_type, block };
            record.write(&mut *out).map(|()| out.len())
        };
        let (length, body) = match self.content {
            Content::Here(body) => (body.len(), body),
            Content::Missing => (0, &[][..]),
            Content::Elsewhere { size, .. } => (size, &[][..]),
        };
        let (answer, request, metadata) = (self.response_head(length), self.request_head(), self.metadata());
        let end = record(self.kind(), self.fields(archive), RESPONSE, [&answer, body])?;
        let of_it = vec![("WARC-Concurrent-To", id(self.kind()).to_string())];
        record("request", of_it.clone(), REQUEST, [request.as_bytes(), &[]])?;
        record("metadata", of_it, FIELDS, [metadata.as_bytes(), &[]])?;
        Ok(end)
    }

    /// The fields of the main record.
    fn fields(&self, archive: &[u8; 16]) -> Vec<(&'static str, String)> {
        let mut fields: Vec<_> = self.digest().map(|digest| ("WARC-Payload-Digest", digest)).into_iter().collect();
        match &self.content {
            Content::Here(_) => {}
            Content::Missing if self.is_truncated() => fields.push(("WARC-Truncated", "unspecified".to_owned())),
            Content::Missing => {}
            Content::Elsewhere { response, .. } => {
                let profile = if self.status == 304 { NOT_MODIFIED } else { IDENTICAL };
                fields.push(("WARC-Profile", profile.to_owned()));
                fields.push(("WARC-Refers-To", response.id(archive).to_string()));
                fields.push(("WARC-Refers-To-Target-URI", response.url.to_owned()));
                fields.push(("WARC-Refers-To-Date", timestamp(response.at)));
                if self.status != 304 {
                    fields.push(("WARC-Truncated", "length".to_owned()));
                }
            }
        }
        fields
    }

    /// Whether there was a body that is not stored. If it was not downloaded, only the headers tell of it.
    fn is_truncated(&self) -> bool {
        let is_empty = |(name, value): &(String, String)| name == "content-length" && value == "0";
        !matches!(self.status, 204 | 304) && !self.headers.iter().any(is_empty)
    }

    fn request_head(&self) -> String {
        let Page { url, host, .. } = self.page;
        let target = url.strip_prefix(host).unwrap_or("/");
        let authority = host.split_once("://").map_or(*host, |(_, authority)| authority);
        let mut head = format!("GET {} HTTP/1.1\r\nHost: {}\r\n", warc::one_line(target), warc::one_line(authority));
        head.push_str(self.asked_with);
        head.push_str("\r\n");
        head
    }

    /// The head of the response, with headers that fit a body of `length` bytes. All values are written as UTF-8, because
    /// it is not kept which of them came in ISO 8859-1.
    fn response_head(&self, length: usize) -> Vec<u8> {
        let reason = http::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason.unwrap_or_default());
        let length = length.to_string();
        let mut has_length = false;
        let mut was_renamed = false;
        for (name, value) in self.headers {
            let is_true = name == "content-length" && *value == length && !has_length;
            let rename = OF_THE_WIRE.contains(&name.as_str()) && !is_true;
            has_length |= is_true;
            was_renamed |= rename;
            let prefix = if rename { "x-crawler-" } else { "" };
            head.push_str(&format!("{prefix}{}: {}\r\n", warc::one_line(name), warc::one_line(value)));
        }
        if !has_length && self.status != 304 && (was_renamed || length != "0") {
            head.push_str(&format!("content-length: {length}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    fn metadata(&self) -> String {
        let via = self.page.via.map(|via| ("via", via.to_owned()));
        let time = self.elapsed_ms.map(|elapsed| ("fetchTimeMs", elapsed.to_string()));
        let depth = ("depth", self.page.depth.to_string());
        let fields = via.into_iter().chain([depth]).chain(time).chain([("description", self.note.to_owned())]);
        warc::fields(&fields.collect::<Vec<_>>())
    }
}
