//! Records of a web archive read back as they were written.

use std::io::Read as _;

use flate2::bufread::GzDecoder;
use harvestman::internals::warc::{self, Record, RecordId};

use super::text_line;

/// A kind, a date, a media type, the values of two fields, and a payload.
pub fn archive(input: &[u8]) {
    let (kind, rest) = text_line(input);
    let (date, rest) = text_line(rest);
    let (content_type, rest) = text_line(rest);
    let (url, rest) = text_line(rest);
    let (other, payload) = text_line(rest);
    let fields = vec![("WARC-Target-URI", url), ("WARC-Filename", other)];
    let head = warc::fields(&fields);
    let block = [head.as_bytes(), payload];
    let mut written = Vec::new();
    let ids = [1, 2].map(|number| RecordId::new(&[7; 16], &kind, number, 0));
    for id in ids {
        let fields = fields.clone();
        let record = Record { kind: &kind, id, date: &date, fields, content_type: &content_type, block };
        record.write(&mut written).unwrap();
    }
    let mut packed = written.as_slice();
    for id in ids {
        let mut member = Vec::new();
        let mut decoder = GzDecoder::new(packed);
        decoder.read_to_end(&mut member).unwrap();
        packed = decoder.into_inner();
        let end = member.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(member[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        assert_eq!(lines.next(), Some("WARC/1.1"));
        let expected = [
            ("WARC-Type", warc::one_line(&kind)),
            ("WARC-Record-ID", id.to_string()),
            ("WARC-Date", warc::one_line(&date)),
            ("WARC-Target-URI", warc::one_line(&fields[0].1)),
            ("WARC-Filename", warc::one_line(&fields[1].1)),
        ];
        for (name, value) in expected {
            assert_eq!(lines.next(), Some(format!("{name}: {value}").as_str()));
        }
        assert!(lines.next().is_some_and(|line| line.starts_with("WARC-Block-Digest: sha256:")));
        assert_eq!(lines.next(), Some(format!("Content-Type: {}", warc::one_line(&content_type)).as_str()));
        let length: usize = lines.next().and_then(|line| line.strip_prefix("Content-Length: ")?.parse().ok()).unwrap();
        assert_eq!(lines.next(), None);
        assert_eq!(&member[end + 4..end + 4 + length], block.concat());
        assert_eq!(&member[end + 4 + length..], b"\r\n\r\n");
    }
    assert!(packed.is_empty());
}
