//! The media type of a body that comes without one, by how it begins (WHATWG MIME Sniffing).

use std::borrow::Cow;

use encoding_rs::Encoding;

/// Bytes that are looked at (section 5.2, "resource header").
const HEADER: usize = 1445;

/// Marks of HTML (section 7.1). Each ends at a `>` or at white space: the standard has the space alone, Firefox any.
const HTML: [&[u8]; 17] = [
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<B",
    b"<BODY",
    b"<BR",
    b"<P",
    b"<!--",
];
const WHITE_SPACE: &[u8] = b"\t\n\x0c\r ";

/// How images (section 6.1), sound and films (section 6.2) and archives (section 6.4) begin; a `?` stands for any byte.
///
/// The algorithms for MP4, WebM and MP3 are left out: bytes that they recognise are binary data anyhow, which is read no
/// more than a film is.
const SIGNATURES: [(&[u8], &str); 17] = [
    (b"\0\0\x01\0", "image/x-icon"),
    (b"\0\0\x02\0", "image/x-icon"),
    (b"BM", "image/bmp"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"RIFF????WEBPVP", "image/webp"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"FORM????AIFF", "audio/aiff"),
    (b"ID3", "audio/mpeg"),
    (b"OggS\0", "application/ogg"),
    (b"MThd\0\0\0\x06", "audio/midi"),
    (b"RIFF????AVI ", "video/avi"),
    (b"RIFF????WAVE", "audio/wave"),
    (b"\x1f\x8b\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar \x1a\x07\0", "application/x-rar-compressed"),
];

/// "Identifying a resource with an unknown MIME type" (section 7.1). Unless it is `scriptable`, it is neither HTML, XML
/// nor PDF.
///
/// What follows a byte order mark is looked at too, in UTF-16 as in UTF-8: the standard calls it plain text, browsers
/// show a page.
pub(super) fn unknown(body: &[u8], scriptable: bool) -> &'static str {
    let header = &body[..body.len().min(HEADER)];
    let (marked, text) = unmarked(header);
    if scriptable && let Some(found) = scriptable_type(&text) {
        return found;
    }
    if marked { "text/plain" } else { text_or_binary(header) }
}

/// "Distinguishing if a resource is text or binary" (section 7.2).
pub(super) fn text_or_binary(body: &[u8]) -> &'static str {
    let header = &body[..body.len().min(HEADER)];
    if Encoding::for_bom(header).is_some() {
        return "text/plain";
    }
    let signature = SIGNATURES.iter().find(|(signature, _)| begins(header, signature));
    match signature {
        Some((_, found)) => found,
        None if header.iter().copied().any(is_binary) => "application/octet-stream",
        None => "text/plain",
    }
}

/// Whether there is a byte order mark, and what follows it, in UTF-8.
fn unmarked(header: &[u8]) -> (bool, Cow<'_, [u8]>) {
    match Encoding::for_bom(header) {
        Some((encoding, length)) => {
            let (text, _) = encoding.decode_without_bom_handling(&header[length..]);
            (true, text.into_owned().into_bytes().into())
        }
        None => (false, header.into()),
    }
}

fn scriptable_type(text: &[u8]) -> Option<&'static str> {
    let start = text.iter().position(|byte| !WHITE_SPACE.contains(byte)).unwrap_or(text.len());
    let markup = &text[start..];
    let is_html = |mark: &&[u8]| {
        let (begin, end) = (markup.get(..mark.len()), markup.get(mark.len()));
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(mark))
            && end.is_some_and(|end| *end == b'>' || WHITE_SPACE.contains(end))
    };
    if HTML.iter().any(is_html) {
        Some("text/html")
    } else if markup.starts_with(b"<?xml") {
        Some("text/xml")
    } else {
        text.starts_with(b"%PDF-").then_some("application/pdf")
    }
}

fn begins(header: &[u8], signature: &[u8]) -> bool {
    let begin = header.get(..signature.len()).unwrap_or_default();
    begin.len() == signature.len()
        && begin.iter().zip(signature).all(|(byte, wanted)| *wanted == b'?' || byte == wanted)
}

/// A "binary data byte" (section 3).
fn is_binary(byte: u8) -> bool {
    matches!(byte, 0x00..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 7.1, the first table.
    #[test]
    fn every_mark_of_html_counts_behind_white_space_and_in_either_case() {
        for mark in HTML.map(|mark| std::str::from_utf8(mark).unwrap()) {
            for body in
                [format!("{mark} "), format!("\t\n\x0c\r {mark}>"), format!(" {}\n>", mark.to_ascii_lowercase())]
            {
                assert_eq!(unknown(body.as_bytes(), true), "text/html", "{body}");
                assert_eq!(unknown(body.as_bytes(), false), "text/plain", "{body}");
            }
            for body in
                [mark.into(), format!("{mark}?"), format!("{mark}/"), format!("x{mark}>"), format!("\u{a0}{mark}>")]
            {
                assert_eq!(unknown(body.as_bytes(), true), "text/plain", "{body}");
            }
        }
        for body in ["<ul>", "<", "", "html"] {
            assert_eq!(unknown(body.as_bytes(), true), "text/plain", "{body}");
        }
    }

    /// Section 7.1, the rest of the tables, and sections 6.1, 6.2 and 6.4.
    #[test]
    fn every_signature_gives_its_type() {
        let scriptable: [(&[u8], &str); 4] = [
            (b"<?xml version='1.0'?>", "text/xml"),
            (b"\r\n <?xml", "text/xml"),
            (b"%PDF-1.7", "application/pdf"),
            (b" %PDF-1.7", "text/plain"),
        ];
        for (body, found) in scriptable {
            assert_eq!(unknown(body, true), found, "{body:?}");
            assert_eq!(unknown(body, false), "text/plain", "{body:?}");
        }
        let table: [(&[u8], &str); 22] = [
            (b"\xfe\xff\x04\x1f", "text/plain"),
            (b"\xff\xfe\x1f\x04", "text/plain"),
            (b"\xef\xbb\xbf\0", "text/plain"),
            (b"\0\0\x01\0\x01", "image/x-icon"),
            (b"\0\0\x02\0\x01", "image/x-icon"),
            (b"BM\x36", "image/bmp"),
            (b"GIF87a...", "image/gif"),
            (b"GIF89a...", "image/gif"),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "image/webp"),
            (b"\x89PNG\r\n\x1a\n\0", "image/png"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            (b"FORM\x01\x02\x03\x04AIFF", "audio/aiff"),
            (b"ID3\x04", "audio/mpeg"),
            (b"OggS\0\x02", "application/ogg"),
            (b"MThd\0\0\0\x06\0", "audio/midi"),
            (b"RIFF\x01\x02\x03\x04AVI LIST", "video/avi"),
            (b"RIFF\x01\x02\x03\x04WAVEfmt ", "audio/wave"),
            (b"\x1f\x8b\x08\0", "application/x-gzip"),
            (b"PK\x03\x04\x14", "application/zip"),
            (b"Rar \x1a\x07\0", "application/x-rar-compressed"),
            // MP4 (section 6.2.1) and WebM (section 6.2.2): binary at least.
            (b"\0\0\0\x18ftypmp42\0\0\0\0", "application/octet-stream"),
            (b"\x1aE\xdf\xa3\x01\x42\x82\x84webm", "application/octet-stream"),
        ];
        for (body, found) in table {
            for read in [unknown(body, true), unknown(body, false), text_or_binary(body)] {
                assert_eq!(read, found, "{body:?}");
            }
        }
    }

    /// Sections 3 and 7.2.
    #[test]
    fn a_binary_byte_among_the_first_makes_it_no_text() {
        let binary = [0..=0x08, 0x0b..=0x0b, 0x0e..=0x1a, 0x1c..=0x1f].map(Iterator::collect::<Vec<u8>>).concat();
        for byte in 0..=u8::MAX {
            let found = if binary.contains(&byte) { "application/octet-stream" } else { "text/plain" };
            assert_eq!(text_or_binary(&[b'a', byte, b'b']), found, "{byte:#x}");
            let late = [vec![b'a'; HEADER], vec![byte]].concat();
            assert_eq!(text_or_binary(&late), "text/plain", "{byte:#x}");
        }
        assert_eq!(text_or_binary(b"<html>"), "text/plain", "never anything that may hold scripts");
        assert_eq!(text_or_binary(b"%PDF-1.7"), "text/plain");
    }

    #[test]
    fn behind_a_byte_order_mark_there_may_be_a_page() {
        let utf_16 = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        for (text, found) in
            [("\u{feff}\n<!doctype html>", "text/html"), ("\u{feff}<?xml", "text/xml"), ("\u{feff}a", "text/plain")]
        {
            let bodies = [text.as_bytes().to_vec(), utf_16(text, u16::to_le_bytes), utf_16(text, u16::to_be_bytes)];
            for body in bodies {
                assert_eq!(unknown(&body, true), found, "{text:?} {body:?}");
                assert_eq!(unknown(&body, false), "text/plain");
            }
        }
    }
}
