//! (base, sitemap) → the URLs it names: XML by [sitemaps.org](https://www.sitemaps.org/protocol.html), RSS 2.0, Atom,
//! plain lines. Pure, in one pass, and no entity but XML's own five is ever resolved.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::bufread::MultiGzDecoder;
use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::QName;
use url::Url;

use crate::canonical::CanonicalUrl;
use crate::visit::Millis;

/// Bytes of one sitemap, unpacked (sitemaps.org: 50 MB).
pub const MAX_BYTES: u64 = 50 << 20;
/// Entries of one sitemap (sitemaps.org).
pub const MAX_ENTRIES: usize = 50_000;
/// How far from robots.txt a sitemap may lie. sitemaps.org allows an index to name sitemaps (2), no further indexes.
pub const MAX_LEVEL: u32 = 3;
/// Sitemaps taken of one robots.txt.
pub const MAX_NAMED: usize = 500;
/// Elements within each other; a sitemap has four.
const MAX_NESTING: usize = 64;
/// Bytes of one URL or date, as written.
const MAX_FIELD: usize = 64 << 10;

/// A URL that a sitemap names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub url: CanonicalUrl,
    /// When it changed last.
    pub lastmod: Option<Millis>,
}

/// What a sitemap says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sitemap {
    /// In the order of the file, at most [`MAX_ENTRIES`].
    pub entries: Vec<Entry>,
    /// The entries are sitemaps.
    pub is_index: bool,
    /// Entries without an http(s) URL.
    pub unusable: usize,
    /// Why the file was read in part only. May quote the file.
    pub cut_short: Option<String>,
}

/// Why a packed sitemap could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    #[error("sitemap is larger than {MAX_BYTES} bytes when unpacked")]
    TooLarge,
    #[error("the gzip file is broken: {0}")]
    Broken(#[from] std::io::Error),
}

/// Unpacks a gzip file, told by its first bytes (RFC 1952); anything else stays as it is.
pub fn unpack(body: &[u8]) -> Result<Cow<'_, [u8]>, UnpackError> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(body));
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(body).take(MAX_BYTES + 1).read_to_end(&mut unpacked)?;
    if unpacked.len() as u64 > MAX_BYTES { Err(UnpackError::TooLarge) } else { Ok(Cow::Owned(unpacked)) }
}

/// Reads the XML of a sitemap, a sitemap index, an RSS or an Atom feed, told by the root element; None if it is none of
/// them. URLs are resolved against `base`: some write them without their host, against the standard.
pub fn parse_xml(base: &Url, text: &str) -> Option<Sitemap> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    // Few sitemaps are so wrong so often as in their URLs' ampersands.
    config.allow_dangling_amp = true;
    let mut state = loop {
        match reader.read_event().ok()? {
            Event::Start(root) => break State::of_root(&root)?,
            Event::Eof => return None,
            _ => {}
        }
    };
    while state.depth > 0 && state.sitemap.cut_short.is_none() {
        match reader.read_event() {
            Ok(Event::Start(tag)) => state.start(&tag),
            Ok(Event::End(_)) => state.end(base),
            Ok(Event::Text(text)) => state.text(&text),
            Ok(Event::CData(text)) => state.text(&text),
            Ok(Event::GeneralRef(reference)) => state.reference(&reference),
            Ok(Event::Eof) => state.cut_short("it ends before its root element does"),
            Ok(_) => {}
            Err(error) => state.cut_short(&error.to_string()),
        }
    }
    Some(state.sitemap)
}

/// Reads a sitemap of one URL a line; None if no line is an absolute http(s) URL.
pub fn parse_lines(text: &str) -> Option<Sitemap> {
    let mut sitemap = Sitemap::default();
    for line in text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()) {
        if sitemap.cut_short.is_some() {
            break;
        }
        sitemap.push(CanonicalUrl::parse(line).ok(), None);
    }
    (!sitemap.entries.is_empty()).then_some(sitemap)
}

impl Sitemap {
    fn push(&mut self, url: Option<CanonicalUrl>, lastmod: Option<Millis>) {
        match url {
            None => self.unusable += 1,
            Some(_) if self.entries.len() == MAX_ENTRIES => {
                self.cut_short = Some(format!("it has more than {MAX_ENTRIES} entries"));
            }
            Some(url) => self.entries.push(Entry { url, lastmod }),
        }
    }
}

/// Where a format keeps its entries: the elements around one, and those within it.
struct Format {
    path: &'static [&'static str],
    url: &'static str,
    dates: &'static [&'static str],
}

const FORMATS: [Format; 4] = [
    Format { path: &["urlset", "url"], url: "loc", dates: &["lastmod"] },
    Format { path: &["sitemapindex", "sitemap"], url: "loc", dates: &["lastmod"] },
    Format { path: &["rss", "channel", "item"], url: "link", dates: &["pubDate"] },
    Format { path: &["feed", "entry"], url: "link", dates: &["updated", "modified"] },
];

/// What an element's text is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Url,
    Date,
}

/// Where the reader stands.
struct State {
    format: &'static Format,
    /// Other vocabularies (images, videos, media) have other prefixes than the root.
    prefix: Option<String>,
    /// Open elements, and how many of them are those of the format's path.
    depth: usize,
    matched: usize,
    field: Option<Field>,
    url: String,
    date: String,
    sitemap: Sitemap,
}

impl State {
    fn of_root(root: &BytesStart<'_>) -> Option<Self> {
        let format = FORMATS.iter().find(|format| format.path[0] == root.local_name().into_inner())?;
        Some(Self {
            format,
            prefix: prefix(root.name()).map(str::to_owned),
            depth: 1,
            matched: 1,
            field: None,
            url: String::new(),
            date: String::new(),
            sitemap: Sitemap { is_index: format.path[0] == "sitemapindex", ..Sitemap::default() },
        })
    }

    fn cut_short(&mut self, why: &str) {
        self.sitemap.cut_short = Some(why.to_owned());
    }

    fn start(&mut self, tag: &BytesStart<'_>) {
        let path = self.format.path;
        if self.matched == self.depth && prefix(tag.name()) == self.prefix.as_deref() {
            let name = tag.local_name().into_inner();
            if self.matched < path.len() {
                self.matched += usize::from(path[self.matched] == name);
            } else if name == self.format.url {
                self.field = Some(Field::Url);
                self.href(tag);
            } else if self.format.dates.contains(&name) {
                self.field = Some(Field::Date);
                self.date.clear();
            }
        }
        self.depth += 1;
        if self.depth > MAX_NESTING {
            self.cut_short("its elements are nested too deep");
        }
    }

    /// Atom writes an entry's page as `<link href>`, beside links to other things.
    fn href(&mut self, tag: &BytesStart<'_>) {
        if self.format.path[0] != "feed" {
            return self.url.clear();
        }
        let (mut href, mut is_page) = (None, true);
        for attribute in tag.attributes().with_checks(false).flatten() {
            match attribute.key.into_inner() {
                "href" => href = unescape(&attribute.value).ok().map(Cow::into_owned),
                "rel" => is_page = attribute.value == "alternate",
                _ => {}
            }
        }
        if let Some(href) = href.filter(|_| is_page && self.url.is_empty()) {
            self.url = href;
        }
    }

    fn end(&mut self, base: &Url) {
        self.depth -= 1;
        if self.depth == self.matched {
            self.field = None;
        }
        if self.depth >= self.matched {
            return;
        }
        if self.matched == self.format.path.len() {
            let written = Some(self.url.trim()).filter(|url| !url.is_empty() && url.len() <= MAX_FIELD);
            let url = written.and_then(|url| CanonicalUrl::join(base, url).ok());
            self.sitemap.push(url, time(self.date.trim()));
            self.url.clear();
            self.date.clear();
        }
        self.matched = self.depth;
    }

    fn text(&mut self, text: &str) {
        // Deeper text belongs to something that is not understood.
        if self.depth != self.matched + 1 {
            return;
        }
        let field = match self.field {
            Some(Field::Url) => &mut self.url,
            Some(Field::Date) => &mut self.date,
            None => return,
        };
        if field.len() <= MAX_FIELD {
            field.push_str(text);
        }
    }

    fn reference(&mut self, reference: &BytesRef<'_>) {
        let character = reference.resolve_char_ref().ok().flatten();
        if let Some(character) = character {
            self.text(character.encode_utf8(&mut [0; 4]));
        } else if let Some(text) = resolve_predefined_entity(reference) {
            self.text(text);
        } else if self.depth == self.matched + 1 {
            // A document's own entities are never looked at, so what is written with them is not known.
            match self.field.take() {
                Some(Field::Url) => self.url.clear(),
                Some(Field::Date) => self.date.clear(),
                None => {}
            }
        }
    }
}

fn prefix(name: QName<'_>) -> Option<&str> {
    name.prefix().map(|prefix| prefix.into_inner())
}

/// A time as sitemaps and Atom write it (W3C Date and Time Formats, from a year to a fraction of a second), or RSS (RFC
/// 2822).
fn time(text: &str) -> Option<Millis> {
    let day = match text.len() {
        4 => Cow::Owned(format!("{text}-01-01")),
        7 => Cow::Owned(format!("{text}-01")),
        _ => Cow::Borrowed(text),
    };
    let midnight = || day.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    let at = text.parse::<jiff::Timestamp>().ok();
    let at = at.or_else(|| Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp()));
    Some(at.or_else(|| Some(midnight()?.timestamp()))?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::io::Write as _;

    use super::*;

    fn xml(text: &str) -> Sitemap {
        parse_xml(&Url::parse("http://example.com/maps/s.xml").unwrap(), text).unwrap()
    }

    fn urls(sitemap: &Sitemap) -> Vec<&str> {
        sitemap.entries.iter().map(|entry| entry.url.as_str()).collect()
    }

    fn dates(sitemap: &Sitemap) -> Vec<Option<String>> {
        let date = |at| jiff::Timestamp::from_millisecond(at).unwrap().to_string();
        sitemap.entries.iter().map(|entry| entry.lastmod.map(date)).collect()
    }

    #[test]
    fn entries_are_read_however_their_text_is_written() {
        let sitemap = xml("<?xml version='1.0'?><!-- <url> --><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>
            <url><lastmod>2026-01-02</lastmod><loc>\n http://example.com/?a=1&amp;b=&#50;&#x33; </loc></url>
            <url><loc><![CDATA[http://example.com/c?d&e]]></loc><priority>0.5</priority></url>
            <url><loc>http://example.com/<!-- no -->f?g=1&h=2</loc></url>
            <url><loc>/relative#part</loc></url><url><loc>ftp://example.com/</loc></url><url><loc/></url><url/></urlset>");
        let expected = [
            "http://example.com/?a=1&b=23",
            "http://example.com/c?d&e",
            "http://example.com/f?g=1&h=2",
            "http://example.com/relative",
        ];
        assert_eq!(urls(&sitemap), expected);
        assert_eq!(dates(&sitemap)[..2], [Some("2026-01-02T00:00:00Z".into()), None]);
        assert_eq!((sitemap.unusable, sitemap.is_index, sitemap.cut_short), (3, false, None));
    }

    #[test]
    fn other_vocabularies_within_an_entry_are_none_of_its_pages() {
        let sitemap = xml("<s:urlset xmlns:s='x' xmlns:image='y'><s:url><image:loc>http://example.com/bare.png</image:loc>
            <image:image><image:loc>http://example.com/a.png</image:loc></image:image><s:loc>http://example.com/a</s:loc>
            <s:extra><s:loc>http://example.com/deep</s:loc></s:extra></s:url><loc>http://example.com/b</loc></s:urlset>");
        assert_eq!(urls(&sitemap), ["http://example.com/a"]);
    }

    #[test]
    fn an_index_names_sitemaps() {
        let sitemap = xml(
            "<sitemapindex><sitemap><loc>http://example.com/1.xml.gz</loc><lastmod>2026-01</lastmod></sitemap></sitemapindex>",
        );
        assert!(sitemap.is_index);
        assert_eq!(urls(&sitemap), ["http://example.com/1.xml.gz"]);
    }

    #[test]
    fn feeds_name_the_pages_of_their_items() {
        let rss = xml(
            "<rss version='2.0' xmlns:atom='a'><channel><link>http://example.com/home</link><atom:link href='/self'/>
            <item><title>A &nbsp; title</title><link>http://example.com/a</link><atom:link href='/no'/>
            <pubDate>Thu, 01 Jan 2026 10:00:00 +0100</pubDate></item><item><guid>x</guid></item></channel></rss>",
        );
        assert_eq!((urls(&rss), rss.unusable), (vec!["http://example.com/a"], 1));
        assert_eq!(dates(&rss), [Some("2026-01-01T09:00:00Z".into())]);
        let atom = xml("<feed xmlns='http://www.w3.org/2005/Atom'><link href='http://example.com/home'/>
            <entry><link rel='edit' href='/edit'/><link rel='alternate' href='../a?b=1&amp;c=2'/><link href='/second'/>
            <link rel=\"enclosure\" href=\"/e.mp3\"/><updated>2026-01-01T10:00:00.5Z</updated></entry></feed>");
        assert_eq!(urls(&atom), ["http://example.com/a?b=1&c=2"]);
        assert_eq!(dates(&atom), [Some("2026-01-01T10:00:00.5Z".into())]);
    }

    #[test]
    fn times_are_read_in_every_precision_and_nothing_else_is_a_time() {
        let day = 1_767_225_600_000;
        for text in
            ["2026", "2026-01", "2026-01-01", "2026-01-01T00:00Z", "2026-01-01T01:00+01:00", "2026-01-01T00:00:00.000Z"]
        {
            assert_eq!(time(text), Some(day), "{text}");
        }
        for text in ["", "soon", "2026-13-01", "9999999999-01-01", "01.01.2026", "éé", "2026-01-01T25:00Z"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn entities_of_the_document_are_never_resolved() {
        let mut laughs = "<!DOCTYPE urlset [<!ENTITY l0 'http://example.com/lol'>".to_owned();
        for n in 1..10 {
            let _ = write!(laughs, "<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10));
        }
        laughs += "<!ENTITY file SYSTEM 'file:///etc/passwd'>]><urlset><url><loc>&l9;</loc></url>
            <url><loc>http://example.com/&file;/x</loc></url><url><loc>http://example.com/a</loc></url></urlset>";
        let sitemap = xml(&laughs);
        assert_eq!((urls(&sitemap), sitemap.unusable), (vec!["http://example.com/a"], 2));
    }

    #[test]
    fn nesting_is_bounded_and_what_stood_before_counts() {
        let first = "<url><loc>http://example.com/a</loc></url>";
        let sitemap = xml(&format!("<urlset>{first}{}", "<url>".repeat(1 << 20)));
        assert_eq!(urls(&sitemap), ["http://example.com/a"]);
        assert!(sitemap.cut_short.unwrap().contains("nested"));
    }

    #[test]
    fn what_is_broken_is_read_as_far_as_it_goes() {
        let first = "<urlset><url><loc>http://example.com/a</loc></url>";
        for rest in ["", "<url><loc>http://example.com/b", "</url></urlset>", "<url <", "<![CDATA[", "<!-- "] {
            let sitemap = xml(&format!("{first}{rest}"));
            assert_eq!(urls(&sitemap), ["http://example.com/a"], "{rest}");
            assert!(sitemap.cut_short.is_some(), "{rest}");
        }
        let long = format!("<urlset><url><loc>http://example.com/{}</loc></url></urlset>", "x".repeat(1 << 20));
        assert_eq!(xml(&long).unusable, 1);
    }

    #[test]
    fn fifty_thousand_entries_are_taken_and_not_one_more() {
        let entries = |count| (0..count).map(|n| format!("<url><loc>/{n}</loc></url>")).collect::<String>();
        let whole = xml(&format!("<urlset>{}</urlset>", entries(MAX_ENTRIES)));
        assert_eq!((whole.entries.len(), whole.cut_short), (MAX_ENTRIES, None));
        let more = xml(&format!("<urlset>{}</urlset>", entries(MAX_ENTRIES + 1)));
        assert_eq!(more.entries.len(), MAX_ENTRIES);
        assert!(more.cut_short.unwrap().contains("50000"));
        let lines = (0..60_000).map(|n| format!("http://example.com/{n}\r\n")).collect::<String>();
        let lines = parse_lines(&lines).unwrap();
        assert_eq!((lines.entries.len(), lines.cut_short.is_some()), (MAX_ENTRIES, true));
    }

    #[test]
    fn other_documents_are_no_sitemaps() {
        let base = Url::parse("http://example.com/").unwrap();
        for text in ["", "<html><urlset>", "<!DOCTYPE html><p>x", "<", "<x:html xmlns:x='y'/>", "<?xml version='1.0'?>"]
        {
            assert_eq!(parse_xml(&base, text), None, "{text}");
        }
        assert_eq!(parse_lines("Not found\nwww.example.com/x\n/y"), None);
    }

    #[test]
    fn packed_files_are_told_by_their_first_bytes_and_bounded() {
        let gzip = |size: usize| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            (0..size >> 20).for_each(|_| encoder.write_all(&[0; 1 << 20]).unwrap());
            encoder.write_all(b"end").unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(unpack(b"<urlset/>").unwrap(), &b"<urlset/>"[..]);
        assert_eq!(unpack(&gzip(0)).unwrap(), &b"end"[..]);
        // 1 GiB of zeros, in a megabyte.
        assert!(matches!(unpack(&gzip(64 << 20).repeat(16)), Err(UnpackError::TooLarge)));
        assert!(matches!(unpack(&gzip(1 << 20)[..500]), Err(UnpackError::Broken(_))));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange(parts in proptest::collection::vec(proptest::sample::select(vec![
            "<urlset>", "</urlset>", "<url>", "</url>", "<loc>", "</loc>", "<feed>", "<entry>", "<link href='/a'/>", "&",
            "&amp;", "&x;", "&#0;", "&#x110000;", "<![CDATA[", "]]>", "<!--", "-->", "<!DOCTYPE a [", "]>", "<?", "?>",
            "http://h/", "\u{0}", "é", "<", ">", "'", "<a b=c b=c d>", "<:>", "<x:loc>",
        ]), 0..60)) {
            let base = Url::parse("http://example.com/").unwrap();
            let text = parts.concat();
            for root in ["", "<urlset>", "<rss><channel><item>", "<feed><entry>"] {
                let sitemap = parse_xml(&base, &format!("{root}{text}")).unwrap_or_default();
                assert!(sitemap.entries.len() <= parts.len());
            }
            let _ = parse_lines(&text);
        }
    }
}
