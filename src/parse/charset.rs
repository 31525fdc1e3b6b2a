//! From bytes to text: which character encoding a body is in, by the order of the WHATWG standards.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Bytes searched for a `<meta>` (WHATWG HTML, "prescan a byte stream to determine its encoding").
const PRESCAN: usize = 1024;
/// Bytes the detector looks at.
const DETECT: usize = 64 << 10;

/// Decodes a body: byte order mark, HTTP label, `<meta>` or XML declaration, UTF-8 if it is valid, then detection.
pub fn decode<'a>(body: &'a [u8], http_label: Option<&str>, is_xml: bool) -> (Cow<'a, str>, &'static Encoding) {
    let encoding = Encoding::for_bom(body)
        .map(|(encoding, _)| encoding)
        .or_else(|| Encoding::for_label(http_label?.as_bytes()))
        .or_else(|| declared(&body[..body.len().min(PRESCAN)], is_xml))
        .or_else(|| std::str::from_utf8(body).is_ok().then_some(UTF_8))
        .unwrap_or_else(|| detect(body));
    let (text, used, _) = encoding.decode(body);
    (text, used)
}

fn detect(body: &[u8]) -> &'static Encoding {
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(&body[..body.len().min(DETECT)], body.len() <= DETECT);
    detector.guess(None, chardetng::Utf8Detection::Allow)
}

/// What the document says of itself in its first bytes.
fn declared(head: &[u8], is_xml: bool) -> Option<&'static Encoding> {
    let text = head.iter().map(|&byte| char::from(byte.to_ascii_lowercase())).collect::<String>();
    let declaration = text.starts_with("<?xml").then(|| text.split("?>").next()).flatten();
    let encoding = declaration
        .and_then(|declaration| known(&value_after(declaration, "encoding")?))
        .or_else(|| if is_xml { None } else { declared_by_meta(&text) })?;
    Some(if encoding == UTF_16BE || encoding == UTF_16LE {
        // The declaration was readable as ASCII, so it cannot be UTF-16.
        UTF_8
    } else if encoding.name() == "x-user-defined" {
        WINDOWS_1252
    } else {
        encoding
    })
}

fn known(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.as_bytes())
}

/// The charset of the first `<meta>` outside comments that names one there is.
fn declared_by_meta(text: &str) -> Option<&'static Encoding> {
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        rest = &rest[open..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = &comment[comment.find("-->")?..];
        } else if let Some(meta) = rest.strip_prefix("<meta") {
            let tag = &meta[..meta.find('>').unwrap_or(meta.len())];
            if let Some(encoding) = value_after(tag, "charset").and_then(|label| known(&label)) {
                return Some(encoding);
            }
            rest = meta;
        } else {
            rest = &rest[1..];
        }
    }
    None
}

/// The value behind `name =`, quoted or not.
fn value_after(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find(name)? + name.len()..];
        if let Some(value) = rest.trim_start().strip_prefix('=') {
            let value = value.trim_start().trim_start_matches(['"', '\'']);
            let end = value.find(|c: char| c.is_whitespace() || "\"';>".contains(c)).unwrap_or(value.len());
            return Some(value[..end].to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(body: &[u8], label: Option<&str>) -> &'static str {
        decode(body, label, false).1.name()
    }

    #[test]
    fn a_byte_order_mark_wins_over_every_label() {
        let (text, encoding) = decode(b"\xef\xbb\xbfh\xc3\xa9", Some("windows-1251"), false);
        assert_eq!((text.as_ref(), encoding.name()), ("h\u{e9}", "UTF-8"));
    }

    #[test]
    fn the_http_label_wins_over_meta_and_uses_whatwg_names() {
        assert_eq!(name(b"<meta charset=utf-8>", Some("latin1")), "windows-1252");
    }

    #[test]
    fn meta_is_found_quoted_unquoted_and_in_content_but_not_in_comments() {
        assert_eq!(name(b"<META CHARSET='Shift_JIS'>", None), "Shift_JIS");
        let equiv = b"<meta http-equiv=content-type content='text/html; charset=windows-1251'>";
        assert_eq!(name(equiv, None), "windows-1251");
        assert_eq!(name(b"<!-- <meta charset=koi8-r> --><meta charset=koi8-u>", None), "KOI8-U");
        assert_eq!(name(b"<meta charset=utf-16le>", None), "UTF-8");
        assert_eq!(name(b"<meta content='charset=none'><meta charset=koi8-u>", None), "KOI8-U");
    }

    #[test]
    fn an_xml_declaration_counts() {
        assert_eq!(decode(b"<?xml version='1.0' encoding='ISO-8859-2'?><a/>", None, true).1.name(), "ISO-8859-2");
    }

    #[test]
    fn without_a_label_the_bytes_decide() {
        assert_eq!(name("h\u{e9}llo".as_bytes(), None), "UTF-8");
        let (cyrillic, _, _) = encoding_rs::WINDOWS_1251.encode("Привет, это довольно длинный текст на русском языке");
        assert_eq!(name(&cyrillic, None), "windows-1251");
    }
}
