//! How a body is read, by what its Content-Type says and how it begins.

use std::borrow::Cow;

use super::{charset, mime};

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
    pub fn of(content_type: Option<&str>, body: &[u8]) -> Self {
        let essence = content_type.and_then(|value| mime::essence(value.as_bytes()));
        let kind = match essence.as_deref() {
            Some("text/html" | "application/xhtml+xml") => Kind::Html,
            Some("text/plain" | "text/markdown") => Kind::Text,
            // Without a label, a document that starts like markup is read as HTML (WHATWG MIME sniffing, section 7.1).
            None if body.trim_ascii_start().starts_with(b"<") => Kind::Html,
            _ => Kind::Other,
        };
        let is_xml = essence.is_some_and(|essence| essence.ends_with("xml"));
        Self { kind, is_xml, charset: content_type.and_then(mime::charset_label).map(str::to_owned) }
    }

    /// The body as text, and the name of its character encoding in lower case.
    pub fn decode<'a>(&self, body: &'a [u8]) -> (Cow<'a, str>, String) {
        let (text, encoding) = charset::decode(body, self.charset.as_deref(), self.is_xml);
        (text, encoding.name().to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_decides_and_the_first_bytes_only_without_one() {
        let kind = |content_type, body: &str| Format::of(content_type, body.as_bytes()).kind;
        assert_eq!(kind(Some("Text/HTML; charset=utf-8"), "no markup"), Kind::Html);
        assert_eq!(kind(Some("application/xhtml+xml"), ""), Kind::Html);
        assert_eq!(kind(Some("text/plain"), "<html>"), Kind::Text);
        assert_eq!(kind(Some("text/markdown"), ""), Kind::Text);
        assert_eq!(kind(Some("image/png"), "<html>"), Kind::Other);
        assert_eq!(kind(Some("text/xml"), "<html>"), Kind::Other);
        assert_eq!(kind(Some("nonsense"), "<html>"), Kind::Html);
        assert_eq!(kind(None, " \n<p>"), Kind::Html);
        assert_eq!(kind(None, "%PDF-1.7"), Kind::Other);
    }

    #[test]
    fn a_declaration_counts_in_xml_and_a_meta_element_elsewhere() {
        let name = |content_type, body: &str| Format::of(Some(content_type), body.as_bytes()).decode(body.as_bytes()).1;
        let meta = "<meta charset=koi8-r>";
        assert_eq!(name("text/html", meta), "koi8-r");
        assert_eq!(name("application/xhtml+xml", meta), "utf-8");
        assert_eq!(name("text/html; charset=latin1", meta), "windows-1252");
    }
}
