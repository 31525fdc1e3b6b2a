//! From bytes to text: which character encoding a body is in, by the order of the WHATWG standards.

mod prescan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

pub(super) use prescan::{declared, is_utf16};

/// Bytes searched for a declaration (WHATWG HTML, 13.2.3.2 "determining the character encoding").
const PRESCAN: usize = 1024;
/// Bytes the detector looks at.
const DETECT: usize = 64 << 10;

/// What a body is taken to be encoded in before it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guess {
    pub encoding: &'static Encoding,
    /// No `<meta>` of the document changes it: a byte order mark or its Content-Type says so (WHATWG HTML, 13.2.3.1).
    pub is_certain: bool,
}

/// Where a body says for itself how it is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declares {
    /// In its XML declaration.
    Xml,
    /// In a `<meta>` or an XML declaration.
    Html,
    /// Nowhere: what looks like mark-up in plain text is text.
    Nothing,
}

/// Byte order mark, HTTP label, the document's first bytes, UTF-8 if it is valid, then detection.
pub(super) fn guess(body: &[u8], http_label: Option<&str>, declares: Declares) -> Guess {
    let stated =
        Encoding::for_bom(body).map(|(encoding, _)| encoding).or_else(|| Encoding::for_label(http_label?.as_bytes()));
    let head = &body[..body.len().min(PRESCAN)];
    let encoding = stated
        .or_else(|| match declares {
            Declares::Xml => prescan::xml(head),
            Declares::Html => prescan::html(head),
            Declares::Nothing => None,
        })
        .or_else(|| std::str::from_utf8(body).is_ok().then_some(UTF_8))
        .unwrap_or_else(|| detect(body));
    Guess { encoding, is_certain: stated.is_some() }
}

/// Decodes a body by its first bytes alone, as what is no HTML is decoded.
pub(super) fn decode<'a>(
    body: &'a [u8],
    http_label: Option<&str>,
    declares: Declares,
) -> (Cow<'a, str>, &'static Encoding) {
    let (text, used, _) = guess(body, http_label, declares).encoding.decode(body);
    (text, used)
}

fn detect(body: &[u8]) -> &'static Encoding {
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(&body[..body.len().min(DETECT)], body.len() <= DETECT);
    detector.guess(None, chardetng::Utf8Detection::Allow)
}
