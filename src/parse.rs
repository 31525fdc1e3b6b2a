//! (base, HTML) → links, title, text, directives, in one pass over the tree. Pure and synchronous.

pub mod charset;
mod kind;
mod names;
pub mod sitemap;
mod tree;

use std::collections::HashMap;
use std::time::Instant;

use html5ever::local_name;
use indexmap::IndexSet;
use scraper::node::Element as Tag;
use scraper::{Html, Node};
use url::Url;

use crate::canonical::CanonicalUrl;
use crate::visit::Element;
pub use kind::Kind;
use names::{is_block, is_hidden};

/// Bytes of ordinary HTML to a byte of its text.
const BYTES_PER_TEXT: usize = 4;
/// Bytes of the URLs of one page's links, together: a long `<base>` makes much of little.
const MAX_LINK_BYTES: usize = 32 << 20;
/// Characters of anchor text kept.
const MAX_LINK_TEXT: usize = 300;
/// Characters of title and description kept, each.
const MAX_TITLE: usize = 2_000;

/// A link as written in the page, resolved, not yet judged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FoundLink {
    pub url: CanonicalUrl,
    pub text: String,
    pub rel: String,
    pub element: Element,
    /// Its `rel` holds `nofollow`, `ugc` or `sponsored`.
    pub nofollow: bool,
}

/// What a page says.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    pub title: Option<String>,
    pub description: Option<String>,
    /// `lang` of the root element.
    pub language: Option<String>,
    pub canonical_url: Option<String>,
    /// Readable text: no scripts, styles or markup; a line for each block.
    pub text: String,
    pub links: Vec<FoundLink>,
    /// `<meta name=robots>` forbids to follow links.
    pub nofollow: bool,
    /// The deadline passed before the end of the document, or its links are too much to hold.
    pub cut_short: bool,
}

/// Parses as far as `deadline` allows; what was read until then counts.
pub fn parse_html(base: &Url, html: &str, product_token: &str, deadline: Instant) -> Parsed {
    let (document, complete) = tree::build(html, deadline);
    let mut parsed = read(&document, base, product_token, html.len() / BYTES_PER_TEXT);
    parsed.cut_short |= !complete;
    parsed
}

/// What the tree says. `capacity`: bytes of text expected.
fn read(document: &Html, base: &Url, product_token: &str, capacity: usize) -> Parsed {
    let mut reader = Reader { product_token, ..Reader::default() };
    reader.parsed.text.reserve(capacity);
    for edge in document.tree.root().traverse() {
        match edge {
            ego_tree::iter::Edge::Open(node) => reader.open(node.value()),
            ego_tree::iter::Edge::Close(node) => reader.close(node.value()),
        }
    }
    reader.finish(base)
}

/// A link before the base is known.
struct RawLink<'a> {
    href: &'a str,
    text: String,
    rel: String,
    element: Element,
}

/// What the walk has seen so far.
#[derive(Default)]
struct Reader<'a> {
    product_token: &'a str,
    parsed: Parsed,
    base: Option<&'a str>,
    canonical: Option<&'a str>,
    links: Vec<RawLink<'a>>,
    /// Index of the `<a>` whose text is being read, and that text.
    anchor: Option<usize>,
    anchor_text: String,
    /// Depth within elements whose text is not for reading.
    hidden: usize,
    in_title: bool,
    title_done: bool,
    in_svg: usize,
}

impl<'a> Reader<'a> {
    fn open(&mut self, node: &'a Node) {
        match node {
            Node::Text(text) => self.text(text),
            Node::Element(tag) => self.start(tag),
            _ => {}
        }
    }

    fn close(&mut self, node: &'a Node) {
        let Node::Element(tag) = node else { return };
        match tag.name.local {
            local_name!("a") => self.end_anchor(),
            local_name!("title") if self.in_title => {
                self.in_title = false;
                self.title_done = true;
            }
            local_name!("svg") => self.in_svg -= 1,
            _ => {}
        }
        if is_hidden(&tag.name.local) {
            self.hidden -= 1;
        }
        if is_block(&tag.name.local) {
            self.new_line();
        }
    }

    fn start(&mut self, tag: &'a Tag) {
        let name = &tag.name.local;
        match *name {
            local_name!("a") => {
                self.end_anchor();
                self.anchor = self.link(tag, "href", Element::A);
            }
            local_name!("area") => {
                if let Some(index) = self.link(tag, "href", Element::Area) {
                    push_words(&mut self.links[index].text, tag.attr("alt").unwrap_or_default());
                }
            }
            local_name!("iframe") => _ = self.link(tag, "src", Element::Iframe),
            local_name!("frame") => _ = self.link(tag, "src", Element::Frame),
            local_name!("link") => self.link_element(tag),
            local_name!("meta") => self.meta(tag),
            local_name!("base") => self.base = self.base.or(tag.attr("href")),
            local_name!("html") => {
                self.parsed.language = tag.attr("lang").map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned)
            }
            local_name!("title") => self.in_title = !self.title_done && self.in_svg == 0,
            local_name!("svg") => self.in_svg += 1,
            local_name!("img") => {
                if self.anchor.is_some() && self.anchor_text.is_empty() {
                    push_words(&mut self.anchor_text, tag.attr("alt").unwrap_or_default());
                }
            }
            _ => {}
        }
        if is_hidden(name) {
            self.hidden += 1;
        }
        if is_block(name) {
            self.new_line();
        }
    }

    /// Gathered apart, so that each link's text is allocated once.
    fn end_anchor(&mut self) {
        if let Some(index) = self.anchor.take() {
            self.links[index].text = self.anchor_text.as_str().into();
        }
        self.anchor_text.clear();
    }

    fn link(&mut self, tag: &'a Tag, attribute: &str, element: Element) -> Option<usize> {
        let href = tag.attr(attribute)?;
        let rel = tag.attr("rel").map(str::to_ascii_lowercase).unwrap_or_default();
        self.links.push(RawLink { href, text: String::new(), rel, element });
        Some(self.links.len() - 1)
    }

    fn link_element(&mut self, tag: &'a Tag) {
        let rel = tag.attr("rel").unwrap_or_default();
        let has = |wanted: &str| rel.split_ascii_whitespace().any(|token| token.eq_ignore_ascii_case(wanted));
        if has("canonical") {
            self.canonical = self.canonical.or(tag.attr("href"));
        }
        // An alternate style sheet is a style sheet.
        if ["canonical", "next", "prev"].iter().any(|wanted| has(wanted)) || has("alternate") && !has("stylesheet") {
            self.link(tag, "href", Element::Link);
        }
    }

    fn meta(&mut self, tag: &'a Tag) {
        let content = tag.attr("content").unwrap_or_default();
        if tag.attr("http-equiv").is_some_and(|value| value.trim().eq_ignore_ascii_case("refresh"))
            && let Some(href) = refresh_target(content)
        {
            self.links.push(RawLink { href, text: String::new(), rel: String::new(), element: Element::Meta });
        }
        let name = tag.attr("name").unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("description") && self.parsed.description.is_none() {
            let mut description = String::new();
            push_words(&mut description, content);
            self.parsed.description = Some(description);
        } else if name.eq_ignore_ascii_case("robots")
            || (!self.product_token.is_empty() && name.eq_ignore_ascii_case(self.product_token))
        {
            self.parsed.nofollow |= forbids_following(content);
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_title {
            push_words(self.parsed.title.get_or_insert_default(), text);
        }
        if self.anchor.is_some() && self.anchor_text.len() < MAX_LINK_TEXT {
            push_words(&mut self.anchor_text, text);
        }
        if self.hidden == 0 {
            push_words(&mut self.parsed.text, text);
        }
    }

    fn new_line(&mut self) {
        let text = &mut self.parsed.text;
        while text.ends_with(' ') {
            text.pop();
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
    }

    fn finish(mut self, document: &Url) -> Parsed {
        let base = self.base.and_then(|href| document.join(href).ok());
        let base = base.filter(|url| matches!(url.scheme(), "http" | "https"));
        let base = base.as_ref().unwrap_or(document);
        self.parsed.canonical_url =
            self.canonical.and_then(|href| CanonicalUrl::join(base, href).ok()).map(|url| url.to_string());
        let mut resolved: HashMap<&str, Option<CanonicalUrl>, foldhash::fast::RandomState> = HashMap::default();
        let mut links: IndexSet<FoundLink, foldhash::fast::RandomState> = IndexSet::default();
        let mut bytes = 0;
        for mut raw in self.links {
            if bytes > MAX_LINK_BYTES {
                self.parsed.cut_short = true;
                break;
            }
            // Fragments make no difference, and most links of a page differ in nothing else.
            let reference = raw.href.trim_ascii();
            let key = reference.split_once('#').map_or(reference, |(before, _)| before);
            let url = resolved.entry(key).or_insert_with(|| CanonicalUrl::join(base, key).ok());
            let Some(url) = url.clone() else { continue };
            bytes += url.as_str().len();
            cut(&mut raw.text, MAX_LINK_TEXT);
            let nofollow = raw.rel.split_ascii_whitespace().any(|t| matches!(t, "nofollow" | "ugc" | "sponsored"));
            links.insert(FoundLink { url, text: raw.text, rel: raw.rel, element: raw.element, nofollow });
        }
        self.parsed.links = links.into_iter().collect();
        for text in [&mut self.parsed.title, &mut self.parsed.description] {
            text.as_mut().into_iter().for_each(|text| cut(text, MAX_TITLE));
            *text = text.take().filter(|text| !text.is_empty());
        }
        self.parsed.text.truncate(self.parsed.text.trim_end().len());
        self.parsed
    }
}

/// Leaves the first `max` characters, without white space at the end.
fn cut(text: &mut String, max: usize) {
    if text.len() > max
        && let Some((end, _)) = text.char_indices().nth(max)
    {
        text.truncate(end);
    }
    text.truncate(text.trim_end().len());
    text.shrink_to_fit();
}

/// Appends text with its white space collapsed.
fn push_words(out: &mut String, text: &str) {
    let is_space = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    let separate = |out: &mut String| {
        if !matches!(out.as_bytes().last(), None | Some(b' ' | b'\n')) {
            out.push(' ');
        }
    };
    let mut between = is_space(text.as_bytes().first());
    for word in text.split_ascii_whitespace() {
        if between {
            separate(out);
        }
        out.push_str(word);
        between = true;
    }
    if is_space(text.as_bytes().last()) {
        separate(out);
    }
}

fn forbids_following(directives: &str) -> bool {
    directives.split(',').any(|d| matches!(d.trim().to_ascii_lowercase().as_str(), "nofollow" | "none"))
}

/// Whether an `X-Robots-Tag` value forbids `product_token` to follow links. A value may be for one agent only, as in
/// `otherbot: nofollow`.
pub fn robots_tag_forbids_following(value: &str, product_token: &str) -> bool {
    let has_value = |name: &str| {
        let name = name.trim().to_ascii_lowercase();
        ["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"].contains(&name.as_str())
    };
    match value.split_once(':') {
        Some((agent, directives)) if !agent.contains(',') && !has_value(agent) => {
            agent.trim().eq_ignore_ascii_case(product_token) && forbids_following(directives)
        }
        _ => forbids_following(value),
    }
}

/// The URL in the content of `<meta http-equiv=refresh>` (WHATWG HTML, "shared declarative refresh steps").
pub fn refresh_target(content: &str) -> Option<&str> {
    let after_time = content.trim_start().trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let rest = after_time.trim_start().strip_prefix([';', ','])?.trim_start();
    let is_url = rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("url"));
    let value = if is_url { rest[3..].trim_start().strip_prefix('=').unwrap_or(rest) } else { rest }.trim();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split(quote).next().unwrap_or_default(),
        _ => value,
    };
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use html5ever::ns;
    use html5ever::tendril::TendrilSink as _;
    use html5ever::tokenizer::TokenizerOpts;
    use html5ever::tree_builder::TreeBuilderOpts;
    use proptest::prelude::*;
    use scraper::{HtmlTreeSink, Selector};

    use super::*;

    fn parse(html: &str) -> Parsed {
        let base = Url::parse("http://example.com/dir/page?q#f").unwrap();
        parse_html(&base, html, "harvestman", Instant::now() + Duration::from_secs(60))
    }

    fn urls(html: &str) -> Vec<String> {
        parse(html).links.into_iter().map(|link| link.url.to_string()).collect()
    }

    #[test]
    fn links_are_resolved_against_the_document_or_its_base() {
        assert_eq!(urls("<a href=' x?a=1&amp;b=2#frag '>"), ["http://example.com/dir/x?a=1&b=2"]);
        assert_eq!(urls("<base href=/other/><a href=x>"), ["http://example.com/other/x"]);
        assert_eq!(urls("<a href='#top'>"), ["http://example.com/dir/page?q"]);
        assert_eq!(urls("<base href='data:,'><a href=x>"), ["http://example.com/dir/x"]);
    }

    #[test]
    fn every_followed_element_gives_a_link_and_no_other() {
        let html =
            "<link rel='NEXT' href=n><link rel='alternate stylesheet' href=s><meta http-equiv=Refresh content='3; URL=\"m\"'>
            <map><area href=r alt='to r'></map><iframe src=i></iframe><img src=p><script src=j></script>
            <form action=f></form><noscript><a href=no>x</a></noscript><a href='mailto:a@b.c'>m</a><a name=x>y</a>";
        let found: Vec<_> = parse(html).links.iter().map(|l| (l.element, l.url.path_and_query().to_owned())).collect();
        let expected = [
            (Element::Link, "/dir/n"),
            (Element::Meta, "/dir/m"),
            (Element::Area, "/dir/r"),
            (Element::Iframe, "/dir/i"),
            (Element::A, "/dir/no"),
        ];
        assert_eq!(found, expected.map(|(element, path)| (element, path.to_owned())));
    }

    #[test]
    fn nofollow_is_read_from_rel_meta_and_header() {
        let parsed = parse("<a rel='UGC noopener' href=a>a</a><a rel=author href=b>b</a>");
        assert_eq!(parsed.links.iter().map(|link| link.nofollow).collect::<Vec<_>>(), [true, false]);
        assert!(parse("<meta name=ROBOTS content='noindex, NoFollow'>").nofollow);
        assert!(parse("<meta name=harvestman content=none>").nofollow);
        assert!(!parse("<meta name=otherbot content=nofollow>").nofollow);
        assert!(robots_tag_forbids_following("noindex, nofollow", "harvestman"));
        assert!(robots_tag_forbids_following("Harvestman: none", "harvestman"));
        assert!(!robots_tag_forbids_following("otherbot: nofollow", "harvestman"));
        assert!(robots_tag_forbids_following("max-image-preview:large, nofollow", "harvestman"));
    }

    #[test]
    fn title_language_description_and_text_are_what_a_reader_sees() {
        let parsed = parse(
            "<html lang=' en-GB '><head><title> A &lt;b&gt;\n title</title><meta name=Description content=' Short.  Text '>
             <style>x{}</style></head><body><svg><title>no</title></svg><h1>Head</h1><p>One  <b>two</b>\nthree</p>
             <script>no()</script><ul><li>a<li>b</ul><a href=x>  go <i>there</i> </a></body>",
        );
        assert_eq!(parsed.title.as_deref(), Some("A <b> title"));
        assert_eq!(parsed.language.as_deref(), Some("en-GB"));
        assert_eq!(parsed.description.as_deref(), Some("Short. Text"));
        assert_eq!(parsed.text, "Head\nOne two three\na\nb\ngo there");
        assert_eq!(parsed.links[0].text, "go there");
        let long = parse(&format!("<title>{0}</title><meta name=description content='{0}'>", "é".repeat(9_000)));
        assert_eq!(long.title.map(|title| title.chars().count()), Some(MAX_TITLE));
        assert_eq!(long.description.map(|text| text.chars().count()), Some(MAX_TITLE));
    }

    #[test]
    fn links_that_a_long_base_blows_up_are_held_to_a_bound() {
        let html = format!(
            "<base href='/{}/'>{}",
            "b".repeat(1 << 20),
            (0..90).map(|i| format!("<a href={i}>x</a>")).collect::<String>()
        );
        let parsed = parse(&html);
        assert!(parsed.cut_short);
        assert!((30..=34).contains(&parsed.links.len()), "{}", parsed.links.len());
    }

    #[test]
    fn a_document_that_takes_too_long_is_read_as_far_as_it_got() {
        let html = format!("<a href=first>x</a>{}<a href=last>y</a>", "<div>".repeat(60_000));
        let base = Url::parse("http://example.com/").unwrap();
        let parsed = parse_html(&base, &html, "", Instant::now() + Duration::from_millis(50));
        assert!(parsed.cut_short);
        assert_eq!(parsed.links[0].url.as_str(), "http://example.com/first");
    }

    /// What a page can be made of, and what tokenizers stumble over.
    const PIECES: &[&str] = &[
        "<!DOCTYPE html>",
        "<!doctype html public \"-//W3C//DTD HTML 3.2//EN\">",
        "<html lang=de>",
        "<head>",
        "</head>",
        "<body>",
        "<title>",
        "</title>",
        "<base href=/b/>",
        "<meta name=description content='a&lt;b'>",
        "<meta name=robots content=nofollow>",
        "<a href=x>",
        "<A HREF='y?a&copy=1&amp;b'>",
        "<a href=\"z\" href=no rel=NEXT>",
        "</a>",
        "<a href=>",
        "<a\thref\n=\rq>",
        "<a href=\"a\0b\">",
        "<link rel=canonical href=c />",
        "<div>",
        "</div>",
        "<div class='x' id=y>",
        "<p>",
        "</p>",
        "<br/>",
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<font color=red>",
        "</font>",
        "<table>",
        "<tr>",
        "<td>",
        "</table>",
        "<select>",
        "<option>",
        "</select>",
        "<script>",
        "</script>",
        "</script x>",
        "<script><!--",
        "<style>",
        "</style>",
        "<textarea>",
        "</textarea>",
        "<pre>\n",
        "<noscript>",
        "</noscript>",
        "<template>",
        "</template>",
        "<iframe src=i>",
        "</iframe>",
        "<svg>",
        "</svg>",
        "<math>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "--!>",
        "<!x>",
        "<?xml?>",
        "</>",
        "</ x>",
        "<",
        "</",
        "=",
        "'",
        "\"",
        "/",
        ">",
        "&",
        "&amp",
        "&notin;",
        "&#x41;",
        "&#0;",
        "&#x110000;",
        "\0",
        "\r\n",
        "\r",
        "\n",
        " ",
        "\t",
        "\u{feff}",
        "\u{c}",
        "é",
        "\u{1f577}",
        "word",
        "<plaintext>",
        "<area href=r alt=t>",
        "<img alt=pic>",
        "<frameset>",
        "<frame src=f>",
        "<input type=hidden>",
    ];

    #[test]
    fn a_cdata_section_is_one_in_foreign_content_only() {
        let parsed = parse("<math><mi><p><b></p>x<![CDATA[y><a href=q>z</a><p>more");
        assert_eq!((parsed.text.as_str(), parsed.links.len()), ("xz\nmore", 1));
        assert_eq!(parse("<svg><![CDATA[<a href=q>]]></svg><p>more").links, []);
    }

    #[test]
    fn a_long_text_is_whole_however_late_it_is() {
        let base = Url::parse("http://example.com/").unwrap();
        let text = format!("{}é", "ü€\u{1f577}a".repeat(20_000));
        let parsed = parse_html(&base, &text[..20_000], "", Instant::now());
        assert!(!parsed.cut_short && parsed.text == text[..20_000]);
        assert_eq!(parse(&text).text, text);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_tag_soup_is_read_as_the_tokenizer_of_html5ever_reads_it(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)
        ) {
            let html = pieces.concat();
            let base = Url::parse("http://example.com/dir/page").unwrap();
            let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
            let tokenizer = TokenizerOpts { discard_bom: false, ..TokenizerOpts::default() };
            let opts = html5ever::ParseOpts { tokenizer, tree_builder };
            let mut document = html5ever::parse_document(HtmlTreeSink::new(Html::new_document()), opts).one(html.as_str());
            // Ours does not keep the text of scripts and style sheets.
            let code = Selector::parse("script, style").unwrap();
            let code = document.select(&code).filter(|element| element.value().name.ns == ns!(html));
            for id in code.flat_map(|element| element.children()).map(|text| text.id()).collect::<Vec<_>>() {
                document.tree.get_mut(id).unwrap().detach();
            }
            let expected = read(&document, &base, "harvestman", 0);
            let parsed = parse_html(&base, &html, "harvestman", Instant::now() + Duration::from_secs(60));
            prop_assert_eq!(format!("{parsed:#?}"), format!("{expected:#?}"));
        }
    }
}
