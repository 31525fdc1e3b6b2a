//! How a body is read, by what its Content-Type says and how it begins.

use std::borrow::Cow;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use super::charset::{self, Declares};
use super::{mime, sniff, tree};

/// Bytes that are looked at for the root element of an XML document.
const ROOT: usize = 16 << 10;

/// What a body is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A page with links and text.
    Html,
    /// Plain text without links.
    Text,
    /// Stored, not read.
    Other,
}

/// What is known of a body before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    pub kind: Kind,
    /// Its media type is one of XML, which says for itself how it is encoded.
    pub is_xml: bool,
    /// The character encoding that its Content-Type names.
    pub charset: Option<String>,
}

impl Format {
    /// The "MIME type sniffing algorithm" (WHATWG MIME Sniffing, section 7), as far as it tells what is read: pictures,
    /// sound and films are taken for what they are called.
    pub fn of(headers: &HeaderMap, body: &[u8]) -> Self {
        let supplied = mime::of(headers);
        let is_sniffed = !mime::forbids_sniffing(headers);
        let essence = match &supplied {
            None => sniff::unknown(body, is_sniffed),
            Some(_) if is_sniffed && mime::may_be_mistaken(headers) => sniff::text_or_binary(body),
            Some(supplied) => &supplied.essence,
        };
        let charset = supplied.as_ref().and_then(|supplied| supplied.charset.clone());
        let kind = match essence {
            "text/html" | "application/xhtml+xml" => Kind::Html,
            "text/xml" | "application/xml" if is_xhtml(body, charset.as_deref()) => Kind::Html,
            "text/plain" | "text/markdown" => Kind::Text,
            _ => Kind::Other,
        };
        Self { kind, is_xml: essence.ends_with("xml"), charset }
    }

    /// Of a stored page, by the Content-Type that it came with.
    pub fn of_stored(content_type: Option<&str>, body: &[u8]) -> Self {
        let value = content_type.and_then(|value| HeaderValue::from_str(value).ok());
        Self::of(&value.map(|value| (CONTENT_TYPE, value)).into_iter().collect(), body)
    }

    /// The body of plain text, and the name of its character encoding in lower case.
    pub fn decode<'a>(&self, body: &'a [u8]) -> (Cow<'a, str>, String) {
        let (text, encoding) = charset::decode(body, self.charset.as_deref(), Declares::Nothing);
        (text, encoding.name().to_ascii_lowercase())
    }
}

/// Whether a document that is only called XML is a page, as it is to browsers: by its root element (WHATWG HTML, 14.1;
/// what else is XML there, such as feeds and sitemaps, shows no links).
fn is_xhtml(body: &[u8], charset: Option<&str>) -> bool {
    let head = &body[..body.len().min(ROOT)];
    tree::is_xhtml(&charset::decode(head, charset, Declares::Xml).0)
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let line = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        lines.iter().map(line).collect()
    }

    fn typed(content_type: &'static str) -> HeaderMap {
        headers(&[("content-type", content_type)])
    }

    #[test]
    fn the_media_type_decides_and_the_first_bytes_only_without_one() {
        let kind = |content_type, body: &str| Format::of(&typed(content_type), body.as_bytes()).kind;
        assert_eq!(kind("Text/HTML; charset=utf-8", "no markup"), Kind::Html);
        assert_eq!(kind("application/xhtml+xml", ""), Kind::Html);
        assert_eq!(kind("text/plain", "<html>"), Kind::Text);
        assert_eq!(kind("text/markdown", ""), Kind::Text);
        assert_eq!(kind("image/png", "<html>"), Kind::Other);
        assert_eq!(kind("text/xml", "<html>"), Kind::Other);
        for unknown in ["nonsense", "", "*/*", "unknown/unknown", "application/unknown", "text/html charset=x"] {
            assert_eq!(kind(unknown, "<html>"), Kind::Html, "{unknown}");
        }
        let untyped = |body: &str| Format::of(&HeaderMap::new(), body.as_bytes()).kind;
        assert_eq!(untyped(" \n<p>"), Kind::Html);
        assert_eq!(untyped("plain words"), Kind::Text);
        assert_eq!(untyped("%PDF-1.7"), Kind::Other);
        assert!(Format::of(&HeaderMap::new(), b"<?xml version='1.0'?><urlset/>").is_xml);
    }

    /// WHATWG MIME Sniffing, sections 5.1 ("check-for-apache-bug") and 7.
    #[test]
    fn what_a_server_calls_plain_by_default_may_be_binary_and_nosniff_keeps_it_as_it_is_called() {
        for default in [
            "text/plain",
            "text/plain; charset=ISO-8859-1",
            "text/plain; charset=iso-8859-1",
            "text/plain; charset=UTF-8",
        ] {
            assert_eq!(Format::of(&typed(default), b"PK\x03\x04").kind, Kind::Other, "{default}");
            assert_eq!(Format::of(&typed(default), b"a\0").kind, Kind::Other, "{default}");
            assert_eq!(Format::of(&typed(default), b"<html>").kind, Kind::Text, "{default}");
        }
        assert_eq!(Format::of(&typed("text/plain; charset=utf-8"), b"a\0").kind, Kind::Text);
        for nosniff in ["nosniff", "NoSniff , x"] {
            let nosniff = ("x-content-type-options", nosniff);
            assert_eq!(Format::of(&headers(&[nosniff, ("content-type", "text/plain")]), b"a\0").kind, Kind::Text);
            assert_eq!(Format::of(&headers(&[nosniff]), b"<html>").kind, Kind::Text);
        }
    }

    /// WHATWG HTML, 14.1 "writing documents in the XML syntax": the namespace makes the page.
    #[test]
    fn xml_whose_root_is_html_is_a_page() {
        let root = "<html xmlns='http://www.w3.org/1999/xhtml'>";
        for (body, kind) in [
            (root.to_owned(), Kind::Html),
            (
                format!("\u{feff}<?xml version='1.0'?><?xml-stylesheet href='a'?><!DOCTYPE html><!-- <x> -->\n{root}"),
                Kind::Html,
            ),
            ("<h:html xmlns:h='http://www.w3.org/1999/xhtml'/>".into(), Kind::Html),
            ("<html>".into(), Kind::Other),
            ("<html xmlns='urn:x'>".into(), Kind::Other),
            ("<p xmlns='http://www.w3.org/1999/xhtml'>".into(), Kind::Other),
            ("<rss xmlns='http://www.w3.org/1999/xhtml'><html/></rss>".into(), Kind::Other),
            (format!("<!--{}-->{root}", "x".repeat(ROOT)), Kind::Other),
            ("<".into(), Kind::Other),
            (String::new(), Kind::Other),
        ] {
            for content_type in ["text/xml", "application/xml; charset=utf-8"] {
                assert_eq!(Format::of(&typed(content_type), body.as_bytes()).kind, kind, "{content_type} {body}");
            }
            assert_eq!(Format::of(&typed("application/rss+xml"), body.as_bytes()).kind, Kind::Other, "{body}");
        }
        let wide: Vec<u8> = format!("\u{feff}{root}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Format::of(&typed("text/xml"), &wide).kind, Kind::Html);
        let unlabelled = Format::of(&HeaderMap::new(), format!("<?xml version='1.0'?>{root}").as_bytes());
        assert_eq!((unlabelled.kind, unlabelled.is_xml), (Kind::Html, true));
    }

    #[test]
    fn what_looks_like_a_declaration_in_plain_text_is_text() {
        let name = |content_type, body: &[u8]| Format::of(&typed(content_type), body).decode(body).1;
        assert_eq!(name("text/plain", b"<meta charset=koi8-r> is how it is declared"), "utf-8");
        assert_eq!(name("text/plain", b"<?xml version='1.0' encoding='koi8-r'?>"), "utf-8");
        assert_eq!(name("text/plain; charset=latin1", b"a"), "windows-1252");
        assert_eq!(name("text/plain; charset=latin1", b"\xff\xfea\0"), "utf-16le");
    }
}
