//! (base, sitemap) → the URLs it names: XML by [sitemaps.org](https://www.sitemaps.org/protocol.html), RSS, Atom, JSON
//! Feed, plain lines, each packed or not. Pure.

mod entries;
mod json;
mod lastmod;
mod lines;
mod packed;
#[cfg(test)]
mod tests;
mod xml;

use url::Url;

pub use entries::{Entry, MAX_ENTRIES, Sitemap};
use json::parse_json;
use lines::parse_lines;
use packed::unpack;
pub use packed::{MAX_BYTES, UnpackError, is_packed};
use xml::parse_xml;

use super::charset::{self, Declares};

/// How far from robots.txt a sitemap may lie. sitemaps.org allows an index to name sitemaps (2), no further indexes.
pub const MAX_LEVEL: u32 = 3;
/// Sitemaps taken of one robots.txt.
pub const MAX_NAMED: usize = 500;

/// Reads a body that may be a sitemap; gives its character encoding too. None if it is something else: lines of plain
/// text are taken for a sitemap only where one is `expected`. `charset`: what its Content-Type names.
pub fn read(
    base: &Url,
    body: &[u8],
    charset: Option<&str>,
    expected: bool,
) -> Result<Option<(Sitemap, String)>, UnpackError> {
    let unpacked = unpack(body)?;
    let (text, encoding) = charset::decode(&unpacked.bytes, charset, Declares::Xml);
    let text = text.trim_ascii_start();
    let sitemap = match text {
        markup if markup.starts_with('<') => parse_xml(base, markup),
        _ => None,
    };
    let sitemap = sitemap.or_else(|| match text {
        _ if !expected => None,
        // A program's warning may stand before it.
        noise if noise.contains("<?xml") => parse_xml(base, &noise[noise.find("<?xml")?..]),
        markup if markup.starts_with('<') => None,
        feed if feed.starts_with('{') => parse_json(base, feed),
        // Where the file was cut off, half a line may still be a URL.
        _ if unpacked.cut_short.is_some() => parse_lines(&text[..text.rfind(['\n', '\r']).unwrap_or(0)]),
        _ => parse_lines(text),
    });
    let sitemap = sitemap.map(|mut sitemap| {
        sitemap.cut_short = unpacked.cut_short.or(sitemap.cut_short);
        sitemap
    });
    Ok(sitemap.map(|sitemap| (sitemap, encoding.name().to_ascii_lowercase())))
}
