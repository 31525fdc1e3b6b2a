//! From bytes to text: which character encoding a body is in, by the order of the WHATWG standards.

mod prescan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

use super::memory::{LARGE, room};

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

/// What an HTML document says of its encoding in its first bytes.
pub(super) fn declared_in(body: &[u8]) -> Option<&'static Encoding> {
    prescan::html(&body[..body.len().min(PRESCAN)])
}

/// Decodes a body by its first bytes alone, as what is no HTML is decoded.
pub(super) fn decode<'a>(
    body: &'a [u8],
    http_label: Option<&str>,
    declares: Declares,
) -> (Cow<'a, str>, &'static Encoding) {
    text_of(guess(body, http_label, declares).encoding, body)
}

/// The text of a body, and the encoding that its byte order mark names, or else this one (Encoding standard, "decode").
pub(super) fn text_of<'a>(encoding: &'static Encoding, body: &'a [u8]) -> (Cow<'a, str>, &'static Encoding) {
    let (encoding, mark) = Encoding::for_bom(body).unwrap_or((encoding, 0));
    (text_without_mark(encoding, &body[mark..]), encoding)
}

/// The text of a body without a byte order mark.
pub(super) fn text_without_mark<'a>(encoding: &'static Encoding, body: &'a [u8]) -> Cow<'a, str> {
    let is_whole = |encoding| encoding == UTF_8 && std::str::from_utf8(body).is_ok();
    let mut decoder = encoding.new_decoder_without_bom_handling();
    match decoder.max_utf8_buffer_length(body.len()) {
        Some(length) if body.len() > LARGE && !is_whole(encoding) => {
            let mut text = String::with_capacity(room(length));
            // There is room for all of it, so it ends with the input.
            let _ = decoder.decode_to_string(body, &mut text, true);
            Cow::Owned(text)
        }
        _ => encoding.decode_without_bom_handling(body).0,
    }
}

fn detect(body: &[u8]) -> &'static Encoding {
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(&body[..body.len().min(DETECT)], body.len() <= DETECT);
    detector.guess(None, chardetng::Utf8Detection::Allow)
}
