//! WARC/1.1 records (ISO 28500:2017), each in a gzip member of its own: what web archives are made of.

pub mod surt;

use std::fmt;
use std::io::{self, Write};

use aws_lc_rs::digest::{Context, SHA256, digest};
use flate2::Compression;
use flate2::write::GzEncoder;

/// The media type of a block of [`fields`].
pub const FIELDS: &str = "application/warc-fields";

/// The globally unique name of a record: a UUID of version 8 (RFC 9562, section 5.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// The same for the same arguments, so that a record can be named before or after it is written and nothing has
    /// to be remembered. `archive` is random, and the same for all records of one archive; of these, no two of a kind have
    /// the same number and moment.
    pub fn new(archive: &[u8; 16], kind: &str, number: i64, moment: i64) -> Self {
        let name = [archive, &number.to_be_bytes()[..], &moment.to_be_bytes(), kind.as_bytes()].concat();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest(&SHA256, &name).as_ref()[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<urn:uuid:")?;
        for (index, byte) in self.0.iter().enumerate() {
            let dash = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        f.write_str(">")
    }
}

/// What a record says. Its length and the digest of its block are added when it is written.
#[derive(Debug)]
pub struct Record<'a> {
    /// `warcinfo`, `response`, `request`, `revisit`, `metadata` …
    pub kind: &'a str,
    pub id: RecordId,
    /// When the capture began: ISO 8601, UTC.
    pub date: &'a str,
    /// The named fields besides those that every record has.
    pub fields: Vec<(&'static str, String)>,
    pub content_type: &'a str,
    /// The block, in two pieces: an HTTP head and its payload, or whatever is at hand.
    pub block: [&'a [u8]; 2],
}

impl Record<'_> {
    /// Writes the record as one gzip member.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let mut block = Context::new(&SHA256);
        self.block.iter().for_each(|piece| block.update(piece));
        let mut head = vec![
            ("WARC-Type", self.kind.to_owned()),
            ("WARC-Record-ID", self.id.to_string()),
            ("WARC-Date", self.date.to_owned()),
        ];
        head.extend(self.fields.iter().map(|(name, value)| (*name, value.clone())));
        head.push(("WARC-Block-Digest", sha256(block.finish().as_ref())));
        head.push(("Content-Type", self.content_type.to_owned()));
        head.push(("Content-Length", self.block.iter().map(|piece| piece.len()).sum::<usize>().to_string()));

        let mut out = GzEncoder::new(out, Compression::default());
        out.write_all(b"WARC/1.1\r\n")?;
        out.write_all(fields(&head).as_bytes())?;
        out.write_all(b"\r\n")?;
        self.block.iter().try_for_each(|piece| out.write_all(piece))?;
        out.write_all(b"\r\n\r\n")?;
        out.finish().map(drop)
    }
}

/// A SHA-256 as a labelled digest, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    bytes.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// Named fields, one a line. A value keeps to its line.
pub fn fields(fields: &[(&'static str, String)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}: {}\r\n", one_line(value))).collect()
}

/// The text with a space for each control character.
pub fn one_line(text: &str) -> String {
    text.replace(|c: char| c.is_ascii_control(), " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_id_is_a_uuid_that_depends_on_its_archive_kind_number_and_moment() {
        let id = RecordId::new(&[7; 16], "response", 1, 2).to_string();
        assert_eq!(id, RecordId::new(&[7; 16], "response", 1, 2).to_string());
        let hex: Vec<_> = id.trim_start_matches("<urn:uuid:").trim_end_matches('>').split('-').collect();
        assert_eq!(hex.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(hex[2].starts_with('8') && hex[3].starts_with(['8', '9', 'a', 'b']), "{id}");
        for (archive, kind, number, moment) in [
            ([8; 16], "response", 1, 2),
            ([7; 16], "request", 1, 2),
            ([7; 16], "response", 2, 2),
            ([7; 16], "response", 1, 1),
        ] {
            assert_ne!(RecordId::new(&archive, kind, number, moment).to_string(), id);
        }
    }

    #[test]
    fn no_value_breaks_out_of_its_line() {
        let text = fields(&[("via", "http://a.test/\r\nWARC-Type: response\r\n\r\n".into())]);
        assert_eq!(text, "via: http://a.test/  WARC-Type: response    \r\n");
    }
}
