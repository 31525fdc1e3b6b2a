//! Canonical URLs and hosts: what makes two spellings one row, and what politeness is counted by.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use encoding_rs::{EncoderResult, Encoding, UTF_8};
use url::Url;

#[cfg(test)]
mod tests;

/// An http(s) URL in the form the [WHATWG URL standard](https://url.spec.whatwg.org/) serialises it,
/// without its fragment and credentials. Two spellings of one URL are equal here, and one row in the database. Cheap to
/// clone: the links of a page share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CanonicalUrl(Arc<Url>);

/// Why a text is not a URL that can be crawled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("it does not begin with http:// or https://")]
    Relative,
    #[error("not a URL: {0}")]
    Syntax(url::ParseError),
    #[error("scheme `{0}` is not http or https")]
    Scheme(String),
    #[error("no host")]
    NoHost,
}

impl From<url::ParseError> for UrlError {
    fn from(error: url::ParseError) -> Self {
        match error {
            url::ParseError::RelativeUrlWithoutBase => Self::Relative,
            other => Self::Syntax(other),
        }
    }
}

impl CanonicalUrl {
    /// Parses an absolute URL.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Self::from_url(out_of_drives(Url::parse(text)?, None, text, UTF_8))
    }

    /// Resolves `reference` against `base`.
    pub fn join(base: &Url, reference: &str) -> Result<Self, UrlError> {
        Self::from_url(join(base, reference, UTF_8)?)
    }

    /// Resolves the `reference` of a document in `encoding`, which its query is written in too.
    pub fn join_in(base: &Url, reference: &str, encoding: &'static Encoding) -> Result<Self, UrlError> {
        Self::from_url(join(base, reference, encoding)?)
    }

    /// Resolves the value of a header such as `Location`: bytes beyond ASCII are taken as they are, in whatever encoding,
    /// which is what browsers do.
    pub fn join_header(base: &Url, value: &[u8]) -> Result<Self, UrlError> {
        let mut reference = String::with_capacity(value.len());
        for &byte in value {
            if byte.is_ascii() {
                reference.push(char::from(byte));
            } else {
                reference.push_str(&format!("%{byte:02X}"));
            }
        }
        Self::join(base, &reference)
    }

    fn from_url(mut url: Url) -> Result<Self, UrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme(url.scheme().to_owned()));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(UrlError::NoHost);
        }
        url.set_fragment(None);
        if url.path().contains('^') {
            // The path percent-encode set has it (URL standard, 1.3); the `url` crate's does not yet.
            url.set_path(&url.path().replace('^', "%5E"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            // Cannot fail for http(s) with a host, and credentials must never reach the database.
            let _ = url.set_username("");
            let _ = url.set_password(None);
        }
        Ok(Self(Arc::new(url)))
    }

    /// The serialisation, the key of the URL in the database.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The parsed form, for joining and requesting.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Scheme, host and port.
    pub fn host(&self) -> Host {
        Host(self.host_str().into())
    }

    /// The text of [`host`](Self::host), borrowed.
    pub fn host_str(&self) -> &str {
        &self.0[..url::Position::BeforePath]
    }

    /// What robots.txt rules are matched against: path and query.
    pub fn path_and_query(&self) -> &str {
        &self.0[url::Position::BeforePath..]
    }

    /// The address, if the host is written as one.
    pub fn literal_address(&self) -> Option<IpAddr> {
        match self.0.host()? {
            url::Host::Ipv4(ip) => Some(ip.into()),
            url::Host::Ipv6(ip) => Some(ip.into()),
            url::Host::Domain(_) => None,
        }
    }
}

/// Joins as the URL standard does, with the `encoding` of the document for the query.
#[inline]
pub fn join(base: &Url, reference: &str, encoding: &'static Encoding) -> Result<Url, url::ParseError> {
    let reference = &*without_extra_slashes(reference);
    let encoding = encoding.output_encoding();
    Ok(out_of_drives(parse(Some(base), reference, encoding)?, Some(base), reference, encoding))
}

#[inline]
fn parse(base: Option<&Url>, reference: &str, encoding: &'static Encoding) -> Result<Url, url::ParseError> {
    let options = Url::options().base_url(base);
    if encoding == UTF_8 || reference.is_ascii() {
        return options.parse(reference);
    }
    options.encoding_override(Some(&|query| encode_query(query, encoding))).parse(reference)
}

/// Stands behind the names of drives while a URL is parsed.
const MARK: &str = "~drive~";

/// Outside of `file:` URLs a folder that is called as Windows calls its drives, such as `/c:/`, is one like any other (URL
/// standard, 4.1, "shorten a URL's path"); the `url` crate never goes up from it. So it is parsed once more under another
/// name.
#[inline]
fn out_of_drives(parsed: Url, base: Option<&Url>, reference: &str, encoding: &'static Encoding) -> Url {
    let goes_up = reference.contains("..") || reference.contains("%2");
    if !goes_up || !(parsed.path().contains(":/") || parsed.path().contains("|/")) {
        return parsed;
    }
    let reference = reference.replace(['\t', '\n', '\r'], "");
    if reference.contains(MARK) || base.is_some_and(|base| base.as_str().contains(MARK)) {
        return parsed;
    }
    let base = base.map(|base| {
        let mut marked = base.clone();
        marked.set_path(&with_marks(base.path()));
        marked
    });
    match parse(base.as_ref(), &with_marks(&reference), encoding) {
        Ok(marked) if marked[..url::Position::BeforePath] == parsed[..url::Position::BeforePath] => {
            Url::parse(&marked.as_str().replace(MARK, "")).unwrap_or(parsed)
        }
        _ => parsed,
    }
}

/// Whether a name like a drive's ends before `at`, where a slash is. A reference may begin with one, behind a scheme too.
fn ends_drive(text: &[u8], at: usize) -> bool {
    let is_slash = |byte: u8| matches!(byte, b'/' | b'\\');
    match text.get(..=at) {
        Some([letter, b'|', slash]) => letter.is_ascii_alphabetic() && is_slash(*slash),
        Some([.., before, letter, b':' | b'|', slash]) => {
            (is_slash(*before) || *before == b':') && letter.is_ascii_alphabetic() && is_slash(*slash)
        }
        _ => false,
    }
}

/// With a mark in each name like a drive's.
fn with_marks(text: &str) -> String {
    let mut marked = String::with_capacity(text.len() + 16);
    for (at, character) in text.char_indices() {
        if ends_drive(text.as_bytes(), at) {
            marked.push_str(MARK);
        }
        marked.push(character);
    }
    marked
}

/// Slashes beyond the second make no difference before a host (URL standard, 4.4, "special authority ignore slashes
/// state"), which the `url` crate does only behind a scheme.
#[inline]
fn without_extra_slashes(reference: &str) -> Cow<'_, str> {
    let start = reference.trim_start_matches(|c| c <= ' ');
    if !start.starts_with(['/', '\\']) {
        return Cow::Borrowed(reference);
    }
    let rest = start.trim_start_matches(['/', '\\', '\t', '\n', '\r']);
    let slashes = start[..start.len() - rest.len()].bytes().filter(|byte| matches!(byte, b'/' | b'\\')).count();
    if slashes > 2 { Cow::Owned(format!("//{rest}")) } else { Cow::Borrowed(reference) }
}

/// URL standard, 1.3, "percent-encode after encoding", up to the percent-encoding itself.
fn encode_query<'a>(query: &'a str, encoding: &'static Encoding) -> Cow<'a, [u8]> {
    let (mut encoder, mut rest, mut bytes) = (encoding.new_encoder(), query, Vec::new());
    loop {
        let most = encoder.max_buffer_length_from_utf8_without_replacement(rest.len()).unwrap_or(rest.len() * 4);
        bytes.reserve(most);
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut bytes, true);
        rest = &rest[read..];
        match result {
            EncoderResult::InputEmpty => return Cow::Owned(bytes),
            EncoderResult::OutputFull => {}
            EncoderResult::Unmappable(character) => {
                bytes.extend_from_slice(format!("%26%23{}%3B", u32::from(character)).as_bytes());
            }
        }
    }
}

impl fmt::Display for CanonicalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that was given as a URL, for messages: without what may be credentials. Of a text that is no http(s) URL it cannot
/// be said where they end, so it is the last `@` that ends them; and its parameters may be some, as those of databases are.
pub fn without_userinfo(text: &str) -> String {
    // Its only `@` is that of an address.
    if text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:")) {
        return text.to_owned();
    }
    let own = authority(text).filter(|_| CanonicalUrl::parse(text).is_ok());
    let scheme_end = text.find("://").map(|at| at + 3);
    let (start, end) = match &own {
        Some(authority) => (authority.start, authority.end),
        None => (scheme_end.filter(|at| text.find('@').is_none_or(|sign| *at <= sign)).unwrap_or(0), text.len()),
    };
    let told = match text[start..end].rfind('@') {
        Some(at) => format!("{}…{}", &text[..start], &text[start + at..]),
        None => text.to_owned(),
    };
    match told.split_once('?') {
        Some((before, _)) if own.is_none() && scheme_end.is_some() => format!("{before}?…"),
        _ => told,
    }
}

/// Where in an absolute http(s) URL the authority stands, however many slashes come before it (URL standard, 4.4, "special
/// authority ignore slashes state").
fn authority(url: &str) -> Option<Range<usize>> {
    let (_, rest) = url.split_once(':')?;
    let authority = rest.trim_start_matches(['/', '\\', '\t', '\n', '\r']);
    let start = url.len() - authority.len();
    let length = authority.find(['/', '\\', '?', '#']).unwrap_or(authority.len());
    Some(start..start + length)
}

/// Scheme, host name and port, such as `https://example.com` or `http://127.0.0.1:8080`: the unit of politeness and
/// of robots.txt. A default port is left out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(Arc<str>);

impl Host {
    /// Reads a host back from the text it was stored as.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Ok(CanonicalUrl::parse(text)?.host())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the host keeps its robots.txt (RFC 9309, section 2.3).
    pub fn robots_url(&self) -> Result<CanonicalUrl, UrlError> {
        CanonicalUrl::parse(&format!("{}/robots.txt", self.0))
    }

    /// Where a host's sitemap is looked for if its robots.txt names none.
    pub fn sitemap_url(&self) -> Result<CanonicalUrl, UrlError> {
        CanonicalUrl::parse(&format!("{}/sitemap.xml", self.0))
    }
}

impl Borrow<str> for Host {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
