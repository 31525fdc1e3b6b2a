//! Captures, put into as many archive files as a size asks for, each with a line of an index.

use serde_json::json;

use crate::cli::failure::Failure;
use crate::warc::surt::surt;
use crate::warc::{self, FIELDS, Record, RecordId};

use super::capture::{Capture, Content};

const CONFORMS_TO: &str = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/";

/// Where archive files are put.
pub trait Shelf {
    /// The file before is whole, and what follows is one of this name.
    fn begin(&mut self, name: Option<&str>) -> Result<(), Failure>;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure>;

    /// Takes the line of an index for what was put.
    fn note(&mut self, line: impl FnOnce() -> String) -> Result<(), Failure>;

    /// Tells of a page that people may want to begin with.
    fn list(&mut self, page: &Listed<'_>) -> Result<(), Failure> {
        let _ = page;
        Ok(())
    }
}

/// A page in a list for people.
#[derive(Debug)]
pub struct Listed<'a> {
    pub id: i64,
    pub url: &'a str,
    pub date: String,
    pub title: Option<&'a str>,
    pub size: usize,
    pub is_seed: bool,
}

/// How the files of an archive are called.
#[derive(Debug, Clone)]
pub struct Naming {
    /// None of standard output.
    pub name: Option<String>,
    /// The most bytes of a file, which then has a number, as far as it holds more than one capture.
    pub split: Option<u64>,
}

impl Naming {
    /// `crawl.warc.gz` is `crawl-00001.warc.gz` if it is split.
    pub fn of(&self, number: i64) -> Option<String> {
        let name = self.name.as_deref()?;
        if self.split.is_none() {
            return Some(name.to_owned());
        }
        let (stem, ending) = stem(name);
        Some(format!("{stem}-{number:05}{ending}"))
    }
}

/// A name without what archive files end with, and that.
pub fn stem(name: &str) -> (&str, &str) {
    let ending = [".warc.gz", ".warc"].into_iter().find(|ending| name.len() > ending.len() && name.ends_with(ending));
    name.split_at(name.len() - ending.map_or(0, str::len))
}

/// What is said of an archive as a whole.
#[derive(Debug, Clone)]
pub struct About {
    /// When it is made.
    pub now: String,
    /// Which crawl it is of.
    pub part_of: Option<String>,
}

/// An archive that is being written.
pub struct Archive<S> {
    shelf: S,
    naming: Naming,
    about: About,
    salt: [u8; 16],
    /// Of the file at hand: its number, its warcinfo, its bytes, and whether there is a capture in it.
    number: i64,
    info: RecordId,
    size: u64,
    is_begun: bool,
    buffer: Vec<u8>,
}

impl<S: Shelf> Archive<S> {
    pub fn begin(naming: Naming, about: About, shelf: S) -> Result<Self, Failure> {
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt).map_err(|e| Failure::new("no random numbers").cause(&e))?;
        let info = RecordId::new(&salt, "warcinfo", 1, 0);
        let (number, size, is_begun, buffer) = (0, 0, false, Vec::new());
        let mut archive = Self { shelf, naming, about, salt, number, info, size, is_begun, buffer };
        archive.next_file()?;
        Ok(archive)
    }

    fn next_file(&mut self) -> Result<(), Failure> {
        self.number += 1;
        self.info = RecordId::new(&self.salt, "warcinfo", self.number, 0);
        let mut fields = vec![
            ("software", concat!("harvestman/", env!("CARGO_PKG_VERSION")).to_owned()),
            ("format", "WARC File Format 1.1".to_owned()),
            ("conformsTo", CONFORMS_TO.to_owned()),
        ];
        fields.extend(self.about.part_of.clone().map(|crawl| ("isPartOf", crawl)));
        let block = warc::fields(&fields);
        let name = self.naming.of(self.number);
        let fields = name.iter().map(|name| ("WARC-Filename", name.clone())).collect();
        let block = [block.as_bytes(), &[]];
        let date = &self.about.now;
        let record = Record { kind: "warcinfo", id: self.info, date, fields, content_type: FIELDS, block };
        self.buffer.clear();
        record.write(&mut self.buffer)?;
        self.shelf.begin(name.as_deref())?;
        self.shelf.put(&self.buffer)?;
        (self.size, self.is_begun) = (self.buffer.len() as u64, false);
        Ok(())
    }

    /// Adds a capture, whose records lie in one file.
    pub fn add(&mut self, capture: &Capture<'_>) -> Result<(), Failure> {
        let mut main = self.pack(capture)?;
        let is_full = self.naming.split.is_some_and(|most| self.size + self.buffer.len() as u64 > most);
        if is_full && self.is_begun {
            self.next_file()?;
            main = self.pack(capture)?;
        }
        let (offset, name) = (self.size, self.naming.of(self.number));
        self.shelf.put(&self.buffer)?;
        self.size += self.buffer.len() as u64;
        self.is_begun = true;
        self.shelf.note(|| line(capture, offset, main, name.as_deref().unwrap_or_default()))
    }

    /// Tells of a page that people may want to begin with.
    pub fn list(&mut self, page: &Listed<'_>) -> Result<(), Failure> {
        self.shelf.list(page)
    }

    /// No more captures follow.
    pub fn end(self) -> S {
        self.shelf
    }

    /// Fills the buffer with the records of a capture; answers with the length of the main one.
    fn pack(&mut self, capture: &Capture<'_>) -> Result<usize, Failure> {
        self.buffer.clear();
        Ok(capture.write(&self.salt, self.info, &mut self.buffer)?)
    }
}

/// A line of CDXJ: key, time, and where the record is.
fn line(capture: &Capture<'_>, offset: u64, length: usize, file: &str) -> String {
    let is_revisit = matches!(capture.content, Content::Elsewhere { .. });
    // Of a payload that is not there, programs expect the digest of nothing.
    let digest = capture
        .digest()
        .unwrap_or_else(|| warc::sha256(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &[]).as_ref()));
    let moment: String = capture.date().chars().filter(char::is_ascii_digit).take(14).collect();
    let told = json!({
        "url": capture.page.url,
        "mime": if is_revisit { "warc/revisit".to_owned() } else { capture.mime() },
        "status": capture.status.to_string(),
        "digest": digest,
        "length": length.to_string(),
        "offset": offset.to_string(),
        "filename": file,
    });
    format!("{} {moment} {told}\n", surt(capture.page.url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_before_the_ending_of_a_split_archive() {
        let of = |name: &str, split| Naming { name: Some(name.to_owned()), split }.of(12).unwrap_or_default();
        assert_eq!(of("my.crawl.warc.gz", Some(1)), "my.crawl-00012.warc.gz");
        assert_eq!(of("crawl.warc", Some(1)), "crawl-00012.warc");
        assert_eq!(of(".warc.gz", Some(1)), ".warc.gz-00012");
        assert_eq!(of("crawl", Some(1)), "crawl-00012");
        assert_eq!(of("crawl.warc.gz", None), "crawl.warc.gz");
    }
}
