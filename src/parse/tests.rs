//! What is read of a page, and that any tag soup is read.

mod parts;
mod shown;
mod xhtml;

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
    parse_html(&base, html, "harvestman", Duration::from_secs(60))
}

fn within(seconds: u64) -> Deadline {
    Deadline::after(Duration::from_secs(seconds), Duration::ZERO)
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

/// The character encoding of a page and its text, as its Content-Type and its bytes have it.
fn page(content_type: &str, body: &[u8]) -> (String, Parsed) {
    let base = Url::parse("http://example.com/").unwrap();
    let headers = [(http::header::CONTENT_TYPE, content_type.parse().unwrap())].into_iter().collect();
    let format = Format::of(&headers, body);
    parse_page(&base, &format, body, "", false, within(60))
}

#[test]
fn a_declaration_that_comes_late_is_obeyed_unless_something_better_is_known() {
    // WHATWG HTML, 13.2.3.4 "changing the encoding while parsing".
    let late = |meta: &str, label: &str, text: &str| {
        let html = format!("<script>'<meta charset=koi8-u>';{}</script>{meta}<p>", "x();".repeat(9_000));
        [html.as_bytes(), &Encoding::for_label(label.as_bytes()).unwrap().encode(text).0].concat()
    };
    for label in ["shift_jis", "iso-2022-jp", "big5", "windows-874", "iso-8859-15", "koi8-r", "utf-8"] {
        let text = match label {
            "windows-874" => "ภาษาไทย",
            "iso-8859-15" => "Ÿ€",
            "koi8-r" => "привет",
            _ => "日本",
        };
        for meta in [
            format!("<meta charset={label}>"),
            format!("</head><body><meta http-equiv=content-type content='a/b;charset={label}'>"),
            format!("<meta charset=none><meta charset={label}><meta charset=koi8-u>"),
        ] {
            let (charset, parsed) = page("text/html", &late(&meta, label, text));
            assert_eq!((&*charset, &*parsed.text), (label, text), "{meta}");
        }
        let body = late("<meta charset=koi8-u>", label, text);
        assert_eq!(page(&format!("text/html;charset={label}"), &body).1.text, text);
    }
    let nowhere =
        ["<!--<meta charset=koi8-u>-->", "<style><meta charset=koi8-u></style>", "<title><meta charset=koi8-u>"];
    for html in nowhere.map(|html| [" ".repeat(2_000), html.to_owned()].concat()) {
        assert_eq!(page("text/html", html.as_bytes()).0, "utf-8", "{html}");
    }
    assert_eq!(page("text/html", &late("<meta charset=utf-16>", "utf-8", "é")).1.text, "é");
}

#[test]
fn queries_are_in_the_encoding_of_the_page() {
    let query = |html: &str| {
        let (body, _, _) = encoding_rs::WINDOWS_1251.encode(html);
        page("text/html", &body).1.links[0].url.as_str().to_owned()
    };
    let declared = "<meta charset=windows-1251>";
    assert_eq!(query(&format!("{declared}<a href='я?я'>x</a>")), "http://example.com/%D1%8F?%FF");
    assert_eq!(query(&format!("{declared}<base href='?я'><a href=''>x</a>")), "http://example.com/?%FF");
    assert_eq!(query(&format!("<a href='?&#1103;'>x</a>{declared}")), "http://example.com/?%FF");
    assert_eq!(urls("<a href='?я'>x</a>"), ["http://example.com/dir/page?%D1%8F"]);
    assert_eq!(urls("<a href='/p #a'>x</a><a href='/p'>x</a>"), ["http://example.com/p%20", "http://example.com/p"]);
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
    let parsed = parse_html(&base, &html, "", Duration::ZERO);
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
    "<p hidden>",
    "<a xlink:href=s>",
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
    let mut documents = Vec::new();
    tree::build(html, interests, within(60), None, &mut |document| documents.push(document.clone()));
    let tags = documents[0].tree.nodes().filter_map(|node| Some((node.value().as_element()?, node)));
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
    assert_eq!(held(html, Readers::INTERESTS), ["a href=d", "img alt=g src=h", "input type=hidden"]);
    let hiding = "<p hidden=x><p style='Display : NONE'><p style=color:red style=display:none><p data-hidden shidden>";
    assert_eq!(held(hiding, Readers::INTERESTS), ["p hidden=x", "p hidden="]);
    const SCRIPTS: &[Interest] = &[(local_name!("script"), &[local_name!("type")]), (local_name!("a"), &[])];
    assert_eq!(held(html, &[SCRIPTS]), ["input type=hidden", "script type=j: k"]);
    const TITLES: &[Interest] = &[(local_name!("a"), &[local_name!("href"), local_name!("title")])];
    assert_eq!(held(html, &[TITLES, TITLES]), ["a href=d title=e", "input type=hidden"]);
}

#[test]
fn what_is_never_shown_is_no_text() {
    // WHATWG HTML, 15.3.1 "hidden elements", 6.1 "the hidden attribute".
    for never in [
        "<script>x</script>",
        "<style>x</style>",
        "<title>x</title>",
        "<noframes><p>x</noframes>",
        "<noembed><p>x</noembed>",
        "<template><p>x</template>",
        "<datalist><option>x</datalist>",
        "<ruby><rp>x</rp></ruby>",
        "<b hidden><p>x<br>x</p>x</b>",
        "<b hidden=until-found>x</b>",
        "<B STYLE='color:red; DISPLAY: None !important'>x</B>",
        "<b style='display:block;display:none'>x</b>",
        "<b style='display:none!important;display:block'>x</b>",
    ] {
        assert_eq!(parse(&format!("a{never}b<p>c")).text, "ab\nc", "{never}");
    }
    for shown in ["<b style=display:none;display:block>x</b>", "<b style=nodisplay:none>x</b>", "<b class=hidden>x</b>"]
    {
        assert_eq!(parse(&format!("a{shown}b")).text, "axb", "{shown}");
    }
}

#[test]
fn a_template_is_no_part_of_the_document_but_where_it_is_shown_at_once() {
    let html =
        |mode: &str| format!("<p><template{mode}><a href=x>x</a><template><title>y</title></template></template>z");
    let parsed = parse(&html(""));
    assert_eq!((parsed.links.len(), &*parsed.text, parsed.head.title), (0, "z", None));
    let parsed = parse(&html(" shadowrootmode=open"));
    assert_eq!((parsed.links.len(), &*parsed.text, parsed.head.title), (1, "xz", None));
}

#[test]
fn words_that_mark_up_sets_apart_stay_apart_and_lines_that_it_keeps_are_kept() {
    let text = |html: &str| parse(html).text;
    assert_eq!(text("a<br>b<div>c</div>d<hr>e<center>f</center>g"), "a\nb\nc\nd\ne\nf\ng");
    assert_eq!(text("<table><caption>a</caption><tr><td>b<td>c<tr><th>d</table>e"), "a\nb\nc\nd\ne");
    assert_eq!(text("a<wbr>b<b>c</b>d&shy;e"), "abcd\u{ad}e");
    assert_eq!(
        text("a<img>b<svg></svg>c<select><option>x</select>d<button>e</button><button>f</button>"),
        "a b c d e f"
    );
    let drawing =
        "<svg><title>no</title><desc>no</desc><style>no</style><defs><text>no</text></defs><symbol><text>no</symbol>
        <g><text>two <a href=x>words</a></text><text><tspan>d</tspan><tspan>e</tspan></text></g>
        <foreignObject><div>f</div></foreignObject></svg>";
    assert_eq!(text(&format!("a{drawing}g")), "a two words d e\nf\ng");
    assert_eq!(text("<math><semantics><mi>x</mi><annotation>\\mathit{x}</annotation></semantics></math>"), "x");
    assert_eq!(text("x<pre>\n a  b\n\n  c\n</pre>y <i>z</i>"), "x\n a  b\n\n  c\ny z");
    assert_eq!(text("x<textarea>\na\n b</textarea>y"), "x\na\n b\ny");
    assert_eq!(parse("<a href=x>a<br>b<div>c</div>d</a>").links[0].text, "a b c d");
}

#[test]
fn an_image_that_a_style_shows_behind_an_element_is_one_of_the_page() {
    let media = |html: &str| parse(html).media.addresses;
    let image = media("<img src=/photos/17.jpg>");
    assert_eq!(image.len(), 1);
    for style in ["background:url(/photos/17.jpg)", "height:6em; background-image : url( '/photos/17.jpg' ) no-repeat"]
    {
        assert_eq!(media(&format!("<div style=\"{style}\">")), image, "{style}");
    }
    for style in ["color:red", "display:none;background:url(/photos/17.jpg)", "background:url(/photos/17.jpg"] {
        assert_eq!(media(&format!("<div style=\"{style}\">")), [0; 0], "{style}");
    }
}

#[test]
fn links_in_svg_are_links() {
    let html = "<svg><a xlink:href=x><text>a</text></a><a href=y xlink:href=no>b</a><use xlink:href=no /></svg>
        <a xlink:href=no>c</a>";
    assert_eq!(urls(html), ["http://example.com/dir/x", "http://example.com/dir/y"]);
    assert_eq!(parse(html).links[0].text, "a");
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
    let parsed = parse_html(&base, &text[..20_000], "", Duration::ZERO);
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
        let deadline = within(60);
        let context = Context { length: 0, product_token: "harvestman", encoding: UTF_8, deadline, fragments: false, depth: 0 };
        let mut expected = Parts::new(&base, context);
        expected.read(&document);
        let expected = expected.end(&End { is_whole: true, declared: None });
        let parsed = parse_html(&base, &html, "harvestman", Duration::from_secs(60));
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
