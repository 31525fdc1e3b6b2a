//! The media type of a body that comes without one, by how it begins (WHATWG MIME Sniffing, as of July 2026: what is called
//! HTML is HTML, feeds too since 2024, because browsers read no feed out of it).

mod media;

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

/// How images (section 6.1), sound and films (section 6.2), archives (section 6.4) and PostScript (section 7.1) begin; a
/// `?` stands for any byte. Fonts (section 6.3) are told by it where a style sheet asks for one, and nowhere else.
const SIGNATURES: [(&[u8], &str); 18] = [
    (b"%!PS-Adobe-", "application/postscript"),
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
    (b"Rar!\x1a\x07\0", "application/x-rar-compressed"),
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
    let signature = SIGNATURES.iter().find(|(signature, _)| begins(header, signature));
    match signature {
        _ if marked => "text/plain",
        Some((_, found)) => found,
        None if media::is_mp4(header) => "video/mp4",
        None if media::is_webm(header) => "video/webm",
        None if media::is_mp3(header) => "audio/mpeg",
        None => text_or_binary(header),
    }
}

/// "Distinguishing if a resource is text or binary" (section 7.2).
pub(super) fn text_or_binary(body: &[u8]) -> &'static str {
    let header = &body[..body.len().min(HEADER)];
    if Encoding::for_bom(header).is_some() {
        return "text/plain";
    }
    if header.iter().copied().any(is_binary) { "application/octet-stream" } else { "text/plain" }
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
        let table: [(&[u8], &str); 44] = [
            (b"%!PS-Adobe-3.0", "application/postscript"),
            (b" %!PS-Adobe-3.0", "text/plain"),
            (b"%!PS", "text/plain"),
            (b"\xfe\xff\x04\x1f", "text/plain"),
            (b"\xff\xfe\x1f\x04", "text/plain"),
            (b"\xef\xbb\xbf\0", "text/plain"),
            (b"\0\0\x01\0\x01", "image/x-icon"),
            (b"\0\0\x02\0\x01", "image/x-icon"),
            (b"\0\0\x03\0\x01", "application/octet-stream"),
            (b"BM\x36", "image/bmp"),
            (b"GIF87a...", "image/gif"),
            (b"GIF89a...", "image/gif"),
            (b"GIF88a...", "text/plain"),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "image/webp"),
            (b"RIFF1234WEBP", "text/plain"),
            (b"\x89PNG\r\n\x1a\n\0", "image/png"),
            (b"\x89PNG\n\x1a\n\0", "application/octet-stream"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            (b"FORM\x01\x02\x03\x04AIFF", "audio/aiff"),
            (b"ID3\x04", "audio/mpeg"),
            (b"OggS\0\x02", "application/ogg"),
            (b"OggS", "text/plain"),
            (b"MThd\0\0\0\x06\0", "audio/midi"),
            (b"RIFF\x01\x02\x03\x04AVI LIST", "video/avi"),
            (b"RIFF\x01\x02\x03\x04WAVEfmt ", "audio/wave"),
            (b".snd", "text/plain"),
            (b"\x1f\x8b\x08\0", "application/x-gzip"),
            (b"PK\x03\x04\x14", "application/zip"),
            (b"Rar!\x1a\x07\0", "application/x-rar-compressed"),
            (b"Rar \x1a\x07\0", "application/octet-stream"),
            // Section 6.2.1: the first brand, a later one, none, and boxes that are longer than what there is or no box.
            (b"\0\0\0\x10ftypmp42\0\0\0\0", "video/mp4"),
            (b"\0\0\0\x18ftypisom\0\0\0\x01isommp41", "video/mp4"),
            (b"\0\0\0\x18ftypisom\0\0\0\x01isomavc1", "application/octet-stream"),
            (b"\0\0\0\x10ftypisommp41", "application/octet-stream"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0", "application/octet-stream"),
            (b"\0\0\0\x0fftypmp42\0\0\0\0", "application/octet-stream"),
            (b"\0\0\0\x10moovmp42\0\0\0\0", "application/octet-stream"),
            // Section 6.2.2: at once, behind other elements, with a longer length and padding; another document type.
            (b"\x1aE\xdf\xa3\x87\x42\x82\x84webm", "video/webm"),
            (b"\x1aE\xdf\xa3\x93\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82\x40\x06\0\0webm", "video/webm"),
            (b"\x1aE\xdf\xa3\x8b\x42\x82\x88matroska", "application/octet-stream"),
            (b"\x1aE\xdf\xa4\x87\x42\x82\x84webm", "application/octet-stream"),
            (b"\x1aE\xdf\xa3\x42\x82", "application/octet-stream"),
            // Fonts (section 6.3) are asked for nowhere.
            (b"OTTO", "text/plain"),
            (b"wOFF", "text/plain"),
        ];
        for (body, found) in table {
            for read in [unknown(body, true), unknown(body, false)] {
                assert_eq!(read, found, "{body:?}");
            }
        }
    }

    /// Section 6.2.3: frames of layer III, in MPEG-1 at 128 kbit/s and 44.1 kHz, in MPEG-2 and in MPEG-2.5.
    #[test]
    fn two_frames_in_a_row_are_mp3() {
        let table: [([u8; 3], usize, bool); 12] = [
            ([0xff, 0xfb, 0x90], 417, true),
            ([0xff, 0xfb, 0x92], 418, true),
            ([0xff, 0xf3, 0x80], 208, true),
            ([0xff, 0xe3, 0x80], 417, true),
            ([0xff, 0xfb, 0x90], 416, false),
            ([0xff, 0xfd, 0x90], 417, false),
            ([0xff, 0xf9, 0x90], 417, false),
            ([0xff, 0xeb, 0x90], 417, false),
            ([0xff, 0xfb, 0x0d], 417, false),
            ([0xff, 0xfb, 0xf0], 417, false),
            ([0xff, 0xfb, 0x9c], 417, false),
            ([0xfe, 0xfb, 0x90], 417, false),
        ];
        for (head, size, is_mp3) in table {
            let frame: Vec<u8> = head.into_iter().chain(std::iter::repeat(b'.')).take(size).collect();
            let found = if is_mp3 { "audio/mpeg" } else { "text/plain" };
            assert_eq!(unknown(&[frame.clone(), frame.clone()].concat(), true), found, "{head:x?} {size}");
            assert_eq!(unknown(&frame, true), "text/plain", "one alone is none: {head:x?} {size}");
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
        for signature in SIGNATURES.iter().map(|(signature, _)| *signature).chain([&b"%PDF-1.7"[..]]) {
            let is_binary = signature.iter().copied().any(is_binary);
            let found = if is_binary { "application/octet-stream" } else { "text/plain" };
            assert_eq!(text_or_binary(signature), found, "{signature:?}: signatures count for nothing");
        }
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
