//! (base, sitemap) → the URLs it names: XML by [sitemaps.org](https://www.sitemaps.org/protocol.html), RSS 2.0, Atom,
//! plain lines, each packed or not. Pure.

mod entries;
mod lastmod;
mod lines;
mod packed;
#[cfg(test)]
mod tests;
mod xml;

use url::Url;

pub use entries::{Entry, MAX_ENTRIES, Sitemap};
use lines::parse_lines;
use packed::unpack;
pub use packed::{MAX_BYTES, UnpackError, is_packed};
use xml::parse_xml;

use super::charset;

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
    let (text, encoding) = charset::decode(&unpacked, charset, true);
    let markup = text.trim_ascii_start();
    let sitemap = if markup.starts_with('<') {
        parse_xml(base, markup)
    } else if expected {
        parse_lines(&text)
    } else {
        None
    };
    Ok(sitemap.map(|sitemap| (sitemap, encoding.name().to_ascii_lowercase())))
}
