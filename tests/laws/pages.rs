//! Pages: reading is total, the same twice, and gives no more than the input has in it.

use std::time::Duration;

use encoding_rs::Encoding;
use harvestman::internals::canonical::CanonicalUrl;
use harvestman::internals::parse::kind::Format;
use harvestman::internals::parse::{
    Deadline, decoded, missing, parse_page, repeated_ids, resources_of_page, resources_of_style_sheet,
};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use super::line;
use super::urls::is_canonical;

/// Bytes that a page takes in UTF-8 for each of its own, at most: each may be a character of three.
const GROWTH: usize = 3;
/// Bytes of links kept of a page.
const MAX_LINK_BYTES: usize = 32 << 20;

/// A Content-Type, and a body.
pub fn page(input: &[u8]) {
    let (content_type, body) = line(input);
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(content_type) {
        headers.insert(CONTENT_TYPE, value);
    }
    let format = Format::of(&headers, body);
    let encoding = text(&format, body);
    let base = CanonicalUrl::parse("http://host.test/folder/page?query").unwrap();
    let read = |time| parse_page(base.url(), &format, body, "harvestman", true, Deadline::after(time, Duration::ZERO));
    let far = Duration::from_secs(3600);
    let (name, parsed) = read(far);
    let again = read(far);
    assert_eq!(format!("{name} {parsed:?}"), format!("{} {:?}", again.0, again.1), "reading twice is the same");
    assert!(Encoding::for_label(name.as_bytes()).is_some() || name == "replacement", "{name}");
    assert!(encoding.as_ref().is_none_or(|encoding| *encoding == name), "{encoding:?} is stated, {name} was read");
    assert!(parsed.text.len() <= GROWTH * body.len(), "{} bytes of text", parsed.text.len());
    assert!(parsed.links.len() <= body.len(), "{} links", parsed.links.len());
    let bytes: usize = parsed.links.iter().map(|link| link.url.as_str().len()).sum();
    assert!(bytes <= MAX_LINK_BYTES, "{bytes} bytes of links");
    parsed.links.iter().take(32).for_each(|link| is_canonical(&link.url));
    let text = decoded(body, Some(&name));
    let repeated = repeated_ids(&text);
    assert!(repeated.iter().map(String::len).sum::<usize>() <= GROWTH * body.len(), "{} ids", repeated.len());
    let named: Vec<_> = parsed.links.iter().flat_map(|link| link.fragments.clone()).collect();
    assert!(missing(&text, &named).len() <= named.len());
    let parts = || resources_of_page(base.url(), body, &name, Deadline::after(far, Duration::ZERO));
    assert_eq!(parts(), parts(), "reading twice is the same");
    for parts in [parts().0, resources_of_style_sheet(base.url(), body, &headers)] {
        assert!(parts.len() <= body.len(), "{} parts", parts.len());
        parts.iter().take(32).for_each(|part| is_canonical(&part.url));
    }
    // However little time there is.
    let _ = read(Duration::ZERO);
}

/// Decodes a body; gives the encoding that its byte order mark or its Content-Type states.
fn text(format: &Format, body: &[u8]) -> Option<String> {
    let (text, encoding) = format.decode(body);
    assert_eq!((&text, &encoding), (&format.decode(body).0, &format.decode(body).1), "decoding twice is the same");
    assert!(text.len() <= GROWTH * body.len(), "{} bytes of text", text.len());
    let marked = Encoding::for_bom(body).map(|(encoding, _)| encoding);
    let stated = marked.or_else(|| Encoding::for_label(format.charset.as_deref()?.as_bytes()));
    let stated = stated.map(|encoding| encoding.name().to_ascii_lowercase());
    assert!(stated.as_ref().is_none_or(|stated| *stated == encoding), "{stated:?} is stated, {encoding} was read");
    stated
}
