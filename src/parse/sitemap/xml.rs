//! Sitemaps, sitemap indexes, RSS (0.9 to 2.0) and Atom: XML in one pass, and no entity but XML's own five is ever resolved.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::QName;
use url::Url;

use super::entries::Sitemap;
use super::lastmod::time;
use crate::canonical::CanonicalUrl;

/// Elements within each other; a sitemap has four.
const MAX_NESTING: usize = 64;
/// Bytes of one URL or date, as written.
const MAX_FIELD: usize = 64 << 10;

/// Bytes of an `xml:base`; a longer one counts as none.
const MAX_BASE: usize = 4 << 10;

/// Reads the XML of a sitemap, a sitemap index, an RSS or an Atom feed, told by the root element; None if it is none of
/// them. URLs are resolved against `base`: some write them without their host, against the standard.
pub(super) fn parse_xml(base: &Url, text: &str) -> Option<Sitemap> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    // Few sitemaps are so wrong so often as in their URLs' ampersands.
    config.allow_dangling_amp = true;
    // Which element an end tag ends is decided here: one that is missing costs no entry after it.
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let mut state = loop {
        match reader.read_event().ok()? {
            Event::Start(root) => break State::of_root(&root)?,
            Event::Eof => return None,
            _ => {}
        }
    };
    while !state.open.is_empty() && state.sitemap.cut_short.is_none() {
        match reader.read_event() {
            Ok(Event::Start(tag)) => state.start(&tag, base),
            Ok(Event::End(tag)) => state.end_of(tag.name().into_inner(), base),
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

/// Where a vocabulary keeps its entries: the elements around one, and those within it. Their names are compared without
/// regard to case, which some get wrong.
struct Vocabulary {
    path: &'static [&'static str],
    url: &'static str,
    dates: &'static [&'static str],
}

/// The fourth is RSS 0.9 and [1.0](https://web.resource.org/rss/1.0/spec), whose items stand beside the channel.
const VOCABULARIES: [Vocabulary; 5] = [
    Vocabulary { path: &["urlset", "url"], url: "loc", dates: &["lastmod"] },
    Vocabulary { path: &["sitemapindex", "sitemap"], url: "loc", dates: &["lastmod"] },
    Vocabulary { path: &["rss", "channel", "item"], url: "link", dates: &["pubDate", "dc:date"] },
    Vocabulary { path: &["RDF", "item"], url: "link", dates: &["dc:date"] },
    Vocabulary { path: &["feed", "entry"], url: "link", dates: &["updated", "modified"] },
];

/// Namespaces of the RSS that is written in RDF.
const RSS_IN_RDF: [&str; 2] = ["http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/"];

/// What an element's text is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Url,
    Date,
}

/// Where the reader stands.
struct State {
    vocabulary: &'static Vocabulary,
    /// Other vocabularies (images, videos, media) have other prefixes than the root.
    prefix: Option<String>,
    /// The names of open elements, and how many of them are those of the vocabulary's path.
    open: Vec<String>,
    matched: usize,
    /// The `xml:base` of each of these, which Atom has (RFC 4287, section 2).
    bases: Vec<Option<String>>,
    field: Option<Field>,
    url: String,
    /// The URL is a `guid`, which is no relative one.
    is_guid: bool,
    date: String,
    sitemap: Sitemap,
}

impl State {
    fn of_root(root: &BytesStart<'_>) -> Option<Self> {
        let name = root.local_name().into_inner();
        let vocabulary = VOCABULARIES.iter().find(|vocabulary| vocabulary.path[0].eq_ignore_ascii_case(name))?;
        Some(Self {
            vocabulary,
            prefix: if vocabulary.path[0] == "RDF" { rss_prefix(root) } else { prefix(root.name()).map(str::to_owned) },
            open: vec![root.name().into_inner().to_owned()],
            matched: 1,
            bases: vec![xml_base(root)],
            field: None,
            url: String::new(),
            is_guid: false,
            date: String::new(),
            sitemap: Sitemap { is_index: vocabulary.path[0] == "sitemapindex", ..Sitemap::default() },
        })
    }

    fn cut_short(&mut self, why: &str) {
        self.sitemap.cut_short = Some(why.to_owned());
    }

    fn start(&mut self, tag: &BytesStart<'_>, base: &Url) {
        self.end_entry_before(tag, base);
        if self.matched == self.open.len() {
            let is_own = prefix(tag.name()) == self.prefix.as_deref();
            let name = if is_own { tag.local_name().into_inner() } else { tag.name().into_inner() };
            match self.vocabulary.path.get(self.matched) {
                Some(next) if is_own && next.eq_ignore_ascii_case(name) => {
                    self.matched += 1;
                    self.bases.push(xml_base(tag));
                }
                // Beside the entries instead of within one.
                Some(_) if is_own && self.vocabulary.url == "loc" && name.eq_ignore_ascii_case("loc") => {
                    self.start_field(name, is_own, tag);
                }
                Some(_) => {}
                None => self.start_field(name, is_own, tag),
            }
        }
        self.open.push(tag.name().into_inner().to_owned());
        if self.open.len() > MAX_NESTING {
            self.cut_short("its elements are nested too deep");
        }
    }

    fn start_field(&mut self, name: &str, is_own: bool, tag: &BytesStart<'_>) {
        if is_own && name.eq_ignore_ascii_case(self.vocabulary.url) {
            (self.field, self.is_guid) = (Some(Field::Url), false);
            self.href(tag);
        } else if is_own && name.eq_ignore_ascii_case("guid") && self.url.trim().is_empty() && is_permalink(tag) {
            (self.field, self.is_guid) = (Some(Field::Url), true);
        } else if self.vocabulary.dates.iter().any(|date| date.eq_ignore_ascii_case(name)) {
            self.field = Some(Field::Date);
            self.date.clear();
        }
    }

    /// Atom writes an entry's page as `<link href>`, beside links to other things.
    fn href(&mut self, tag: &BytesStart<'_>) {
        if self.vocabulary.path[0] != "feed" {
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

    /// An entry within another one of a sitemap follows it: the end tag between them is missing.
    fn end_entry_before(&mut self, tag: &BytesStart<'_>, base: &Url) {
        let path = self.vocabulary.path;
        let is_entry = path.last().is_some_and(|entry| entry.eq_ignore_ascii_case(tag.local_name().into_inner()));
        let is_own = is_entry && prefix(tag.name()) == self.prefix.as_deref();
        if is_own && self.vocabulary.url == "loc" && self.matched == path.len() {
            while self.open.len() >= path.len() {
                self.end(base);
            }
        }
    }

    /// Ends the element of this name and all within it. If none is open it is the end, misspelt, of a field of an entry, or
    /// nothing.
    fn end_of(&mut self, name: &str, base: &Url) {
        match self.open.iter().rposition(|open| open.eq_ignore_ascii_case(name)) {
            Some(at) => {
                while self.open.len() > at {
                    self.end(base);
                }
            }
            None if self.open.len() > self.matched => self.end(base),
            None => {}
        }
    }

    fn end(&mut self, base: &Url) {
        self.open.pop();
        let depth = self.open.len();
        let is_entry = self.matched == self.vocabulary.path.len();
        if depth == self.matched && self.field.take() == Some(Field::Url) && !is_entry {
            self.push(base);
        }
        if depth < self.matched {
            if is_entry {
                self.push(base);
            }
            self.matched = depth;
            self.bases.truncate(self.matched);
        }
    }

    /// Takes the entry that ends.
    fn push(&mut self, base: &Url) {
        let written = Some(self.url.trim()).filter(|url| !url.is_empty() && url.len() <= MAX_FIELD);
        let url = written.and_then(|url| self.resolve(base, url));
        self.sitemap.push(url, time(self.date.trim()));
        self.url.clear();
        self.date.clear();
    }

    fn resolve(&self, base: &Url, url: &str) -> Option<CanonicalUrl> {
        if self.is_guid {
            return CanonicalUrl::parse(url).ok();
        }
        let base = self.bases.iter().flatten().fold(Cow::Borrowed(base), |outer, own| match outer.join(own) {
            Ok(joined) => Cow::Owned(joined),
            Err(_) => outer,
        });
        CanonicalUrl::join(&base, url).ok()
    }

    fn text(&mut self, text: &str) {
        // Deeper text belongs to something that is not understood.
        if self.open.len() != self.matched + 1 {
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
        } else if self.open.len() == self.matched + 1 {
            // A document's own entities are never looked at, so what is written with them is not known.
            match self.field.take() {
                Some(Field::Url) => self.url.clear(),
                Some(Field::Date) => self.date.clear(),
                None => {}
            }
        }
    }
}

/// What the relative URLs within an element are resolved against ([XML Base](https://www.w3.org/TR/xmlbase/)).
fn xml_base(tag: &BytesStart<'_>) -> Option<String> {
    let is_base = |attribute: &Attribute<'_>| attribute.key.into_inner() == "xml:base";
    let base = tag.attributes().with_checks(false).flatten().find(is_base)?;
    let base = unescape(&base.value).ok()?;
    (base.len() <= MAX_BASE).then(|| base.into_owned())
}

/// Whether RSS 2.0's `guid` is the item's URL, which it is unless it says otherwise.
fn is_permalink(guid: &BytesStart<'_>) -> bool {
    let denies = |attribute: Attribute<'_>| attribute.key.into_inner() == "isPermaLink" && attribute.value == "false";
    !guid.attributes().with_checks(false).flatten().any(denies)
}

/// The prefix that the root of an RDF document gives to RSS.
fn rss_prefix(root: &BytesStart<'_>) -> Option<String> {
    let names_rss = |attribute: &Attribute<'_>| RSS_IN_RDF.contains(&&*attribute.value);
    let attribute = root.attributes().with_checks(false).flatten().find(names_rss)?;
    attribute.key.into_inner().strip_prefix("xmlns:").map(str::to_owned)
}

fn prefix(name: QName<'_>) -> Option<&str> {
    name.prefix().map(|prefix| prefix.into_inner())
}
