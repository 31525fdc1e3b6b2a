//! What is read of a page, and that any tag soup is read.

use std::time::Duration;

use html5ever::tendril::TendrilSink as _;
use html5ever::tokenizer::TokenizerOpts;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{local_name, ns};
use proptest::prelude::*;
use scraper::{HtmlTreeSink, Selector};

use super::head::MAX_TITLE;
use super::*;
use crate::visit::Element;

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
fn nofollow_is_read_from_rel_and_meta() {
    let parsed = parse("<a rel='UGC noopener' href=a>a</a><a rel=author href=b>b</a>");
    assert_eq!(parsed.links.iter().map(|link| link.nofollow).collect::<Vec<_>>(), [true, false]);
    assert!(parse("<meta name=ROBOTS content='noindex, NoFollow'>").head.nofollow);
    assert!(parse("<meta name=harvestman content=none>").head.nofollow);
    assert!(!parse("<meta name=otherbot content=nofollow>").head.nofollow);
}

#[test]
fn title_language_description_and_text_are_what_a_reader_sees() {
    let parsed = parse(
        "<html lang=' en-GB '><head><title> A &lt;b&gt;\n title</title><meta name=Description content=' Short.  Text '>
         <style>x{}</style></head><body><svg><title>no</title></svg><h1>Head</h1><p>One  <b>two</b>\nthree</p>
         <script>no()</script><ul><li>a<li>b</ul><a href=x>  go <i>there</i> </a></body>",
    );
    assert_eq!(parsed.head.title.as_deref(), Some("A <b> title"));
    assert_eq!(parsed.head.language.as_deref(), Some("en-GB"));
    assert_eq!(parsed.head.description.as_deref(), Some("Short. Text"));
    assert_eq!(parsed.text, "Head\nOne two three\na\nb\ngo there");
    assert_eq!(parsed.links[0].text, "go there");
    let long = parse(&format!("<title>{0}</title><meta name=description content='{0}'>", "é".repeat(9_000)));
    assert_eq!(long.head.title.map(|title| title.chars().count()), Some(MAX_TITLE));
    assert_eq!(long.head.description.map(|text| text.chars().count()), Some(MAX_TITLE));
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

/// What the tree holds of each element that has attributes or is a script.
fn held(html: &str, interests: &[&[Interest]]) -> Vec<String> {
    let (document, _) = tree::build(html, interests, Instant::now() + Duration::from_secs(60));
    let tags = document.tree.nodes().filter_map(|node| Some((node.value().as_element()?, node)));
    let held = tags.map(|(tag, node)| {
        let attributes: String = tag.attrs().map(|(name, value)| format!(" {name}={value}")).collect();
        let text = node.first_child().filter(|_| tag.name() == "script").and_then(|child| child.value().as_text());
        format!("{}{attributes}{}", tag.name(), text.map_or(String::new(), |text| format!(": {}", &**text)))
    });
    held.filter(|held| held.contains([' ', ':'])).collect()
}

#[test]
fn the_tree_holds_what_a_reader_names_and_what_shapes_it() {
    let html = "<div href=a class=b><a class=c href=d title=e>f</a><image alt=g src=h><input type=hidden name=i>
        <script type=j>k</script>";
    assert_eq!(held(html, Readers::INTERESTS), ["a href=d", "img alt=g", "input type=hidden"]);
    const SCRIPTS: &[Interest] = &[(local_name!("script"), &[local_name!("type")]), (local_name!("a"), &[])];
    assert_eq!(held(html, &[SCRIPTS]), ["input type=hidden", "script type=j: k"]);
    const TITLES: &[Interest] = &[(local_name!("a"), &[local_name!("href"), local_name!("title")])];
    assert_eq!(held(html, &[TITLES, TITLES]), ["a href=d title=e", "input type=hidden"]);
}

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
        let context = Context { length: 0, product_token: "harvestman" };
        let expected = read(&document, &base, &context, false);
        let parsed = parse_html(&base, &html, "harvestman", Instant::now() + Duration::from_secs(60));
        prop_assert_eq!(format!("{parsed:#?}"), format!("{expected:#?}"));
    }
}

/// WHATWG HTML, "shared declarative refresh steps".
#[test]
fn a_refresh_is_a_time_and_a_url() {
    let target = |content: &str| {
        let base = Url::parse("http://h.test/dir/page").unwrap();
        refresh_link(&base, content).map(|link| link.url.as_str()["http://h.test".len()..].to_owned())
    };
    let table = [
        ("0; url=/next", Some("/next")),
        ("5;URL = next", Some("/dir/next")),
        ("0,url='/a b'tail", Some("/a%20b")),
        ("0 url=/next", Some("/next")),
        (" 0.5 ; /next", Some("/next")),
        (".5;\"/next", Some("/next")),
        ("0;;/next", Some("/dir/;/next")),
        ("1; urls", Some("/dir/urls")),
        ("1; url /x", Some("/dir/url%20/x")),
        ("0", None),
        ("0;", None),
        ("0; url=", None),
        ("; url=/next", None),
        ("url=/next", None),
        ("-1; url=/next", None),
        ("1x; url=/next", None),
        ("0; url=javascript:x", None),
    ];
    for (content, expected) in table {
        assert_eq!(target(content).as_deref(), expected, "{content}");
    }
}
