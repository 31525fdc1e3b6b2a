//! What a browser shows is read, and what it does not show is no text.

use super::*;

fn texts(html: &str) -> Vec<String> {
    parse(html).links.into_iter().map(|link| link.text).collect()
}

/// WHATWG HTML, 15.3.1 "hidden elements" and 6.1 "the hidden attribute".
#[test]
fn what_is_hidden_in_a_link_is_no_part_of_its_text() {
    for (html, text) in [
        ("<a href=x>a<span hidden>b</span>c</a>", "ac"),
        ("<a href=x>a <b style='display: none'>b<i>c</i><img alt=d></b> e</a>", "a e"),
        ("<a href=x><img hidden alt=a><img alt=b></a>", "b"),
        ("<a href=x><datalist>a</datalist>b<script>c</script><style>d</style></a>", "b"),
        ("<a href=x><ruby>a<rp>(</rp><rt>b</rt><rp>)</rp></ruby></a>", "ab"),
        ("<a href=x><noframes>a</noframes><noembed>b</noembed>c</a>", "c"),
        ("<a href=x><svg><title>a</title></svg></a>", "a"),
        ("<div hidden><a href=x>a</a></div>", "a"),
        ("<a href=x hidden>a</a>", "a"),
        ("<a href=x>a<div hidden>b</div>c<div>d</div></a>", "ac d"),
    ] {
        assert_eq!(texts(html), [text], "{html}");
    }
    let nested = "<a href=x>a<svg hidden><a href=y>b</a>c</svg>d</a><a href=z>e</a>";
    assert_eq!(texts(nested).last().map(String::as_str), Some("e"), "{nested}");
}

/// WHATWG HTML, 4.8.7 "the object element", 4.10.13 and 4.10.14.
#[test]
fn what_stands_in_for_something_is_text_where_it_may_be_shown() {
    for (html, text) in [
        ("a<object classid=x><param name=movie value=y>b<a href=z>c</a></object>d", "a bc d"),
        ("a<object data=x.swf type=application/x-shockwave-flash>b</object>", "a b"),
        ("<video>a</video><audio>b</audio><canvas>c</canvas><meter>d</meter><progress>e</progress>f", "f"),
        ("<desc>a</desc><text>b</text><annotation>c</annotation>d", "abcd"),
        ("<select><optgroup>a<option>b</select>c<option>d</option><optgroup>e</optgroup>f", "c\nd\ne\nf"),
    ] {
        assert_eq!(parse(html).text, text, "{html}");
    }
    assert_eq!(texts("<a href=x>a<math><mi>b</mi><annotation>c</annotation></math></a>"), ["ab"]);
}

/// WHATWG HTML, 4.8.5 "the iframe element".
#[test]
fn a_document_in_srcdoc_is_read_as_part_of_its_page() {
    let html =
        "<base href=/b/><p>one</p><iframe srcdoc=\"<p>two <a href='in?q=é'>x</a><title>t</title>\"></iframe><p>three";
    let parsed = parse(html);
    assert_eq!(parsed.text, "one\nthree\ntwo x");
    let links: Vec<_> = parsed.links.iter().map(|link| (link.url.path_and_query(), link.text.as_str())).collect();
    assert_eq!(links, [("/b/in?q=%C3%A9", "x")]);
    assert_eq!(parsed.head.title, None);
    let table: [(&str, &[&str]); 7] = [
        ("<iframe srcdoc='<base href=/c/><a href=x>'></iframe><a href=y>", &["/dir/y", "/c/x"]),
        ("<iframe srcdoc='<base href=e/><a href=x>'></iframe><base href=/d/>", &["/d/e/x"]),
        ("<iframe srcdoc='<a href=x>' src=s></iframe>", &["/dir/s", "/dir/x"]),
        ("<a href=x></a><iframe srcdoc='<a href=x></a>'></iframe>", &["/dir/x"]),
        ("<iframe srcdoc='<iframe srcdoc=\"&lt;a href=x>\">'></iframe>", &["/dir/x"]),
        ("<iframe srcdoc='<template><a href=x></template>'></iframe>", &[]),
        ("<iframe srcdoc></iframe><iframe srcdoc='&amp;lt;a href=x>'></iframe>", &[]),
    ];
    for (html, expected) in table {
        let found: Vec<_> = parse(html).links.iter().map(|link| link.url.path_and_query().to_owned()).collect();
        assert_eq!(found, expected, "{html}");
    }
    assert_eq!(parse("<iframe hidden srcdoc='<p>a'></iframe>").text, "");
    assert!(parse("<iframe srcdoc='<meta name=robots content=nofollow><a href=x>'></iframe>").links[0].nofollow);
    assert!(!parse("<iframe srcdoc='<meta name=robots content=nofollow>'></iframe>").head.nofollow);
}

#[test]
fn frames_within_frames_end() {
    let mut html = "<a href=x>".to_owned();
    for _ in 0..12 {
        html = format!("<iframe srcdoc=\"{}\"></iframe>", html.replace('&', "&amp;").replace('"', "&quot;"));
    }
    assert_eq!(parse(&html).links, []);
    let (_, parsed) =
        page("application/xhtml+xml", b"<html xmlns='http://www.w3.org/1999/xhtml'><iframe srcdoc='&lt;br>a'/></html>");
    assert_eq!(parsed.text, "a", "by the rules of HTML");
}

#[test]
fn what_svg_and_mathml_call_by_names_of_html_is_something_else() {
    let html = "<svg><iframe src=a srcdoc='<a href=b>'></iframe><link rel=next href=c><area href=d></svg>
        <math><a href=e>x</a><iframe src=f></iframe></math>";
    assert_eq!(urls(html), [""; 0]);
    assert_eq!(parse("<svg><link rel=canonical href=x></svg>").head.canonical_url, None);
}

/// WHATWG HTML, 4.2.3 "the base element" and 2.5.1 "document base URL".
#[test]
fn the_first_base_with_an_href_counts_wherever_it_stands() {
    for (html, url) in [
        ("<base href=/b/><a href=g>", "http://example.com/b/g"),
        ("<base href=/b><a href=g>", "http://example.com/g"),
        ("<base href=b/><a href=g>", "http://example.com/dir/b/g"),
        ("<base href=../b/><a href=g>", "http://example.com/b/g"),
        ("<base href='?b'><a href=g>", "http://example.com/dir/g"),
        ("<base href='?b'><a href='#g'>", "http://example.com/dir/page?b"),
        ("<base href=''><a href=''>", "http://example.com/dir/page?q"),
        ("<base href='  //b.example/c/\n'><a href=g>", "http://b.example/c/g"),
        ("<base href=https://b.example><a href=/g>", "https://b.example/g"),
        ("<base href=https://b.example><a href=//g>", "https://g/"),
        (r"<base href=\b\><a href=g>", "http://example.com/b/g"),
        ("<base href=/b/><a href='?g'>", "http://example.com/b/?g"),
        ("<base href=/b/#f><a href=''>", "http://example.com/b/"),
        ("<base href=/b/><base href=/c/><a href=g>", "http://example.com/b/g"),
        ("<base target=x><base href=/c/><a href=g>", "http://example.com/c/g"),
        ("<base href><base href=/c/><a href=g>", "http://example.com/dir/g"),
        ("<a href=g></a><base href=/b/>", "http://example.com/b/g"),
        ("<body><p><base href=/b/><a href=g>", "http://example.com/b/g"),
        ("<div hidden><base href=/b/></div><a href=g>", "http://example.com/b/g"),
        ("<template><base href=/b/></template><a href=g>", "http://example.com/dir/g"),
        ("<svg><base href=/b/></svg><a href=g>", "http://example.com/dir/g"),
        ("<svg><base href=/b/ /><desc><base href=/c/></desc></svg><a href=g>", "http://example.com/c/g"),
        ("<!-- <base href=/b/> --><a href=g>", "http://example.com/dir/g"),
        ("<script>'<base href=/b/>'</script><a href=g>", "http://example.com/dir/g"),
        ("<base href=http://[/><a href=g>", "http://example.com/dir/g"),
        ("<base href=http://[/><base href=/c/><a href=g>", "http://example.com/dir/g"),
        ("<base href=data:,><a href=g>", "http://example.com/dir/g"),
        ("<base href=javascript:x><a href=g>", "http://example.com/dir/g"),
        ("<base href=ftp://b.example/><a href=http://g>", "http://g/"),
        ("<base href=/b/><link rel=next href=g>", "http://example.com/b/g"),
        ("<base href=/b/><meta http-equiv=refresh content='0;url=g'>", "http://example.com/b/g"),
        ("<base href=/b/><iframe src=g></iframe>", "http://example.com/b/g"),
        ("<base href=/b/><svg><a href=g></a></svg>", "http://example.com/b/g"),
    ] {
        assert_eq!(urls(html), [url], "{html}");
    }
    for scheme in ["ftp://b.example/", "mailto:b@b.example", "about:blank", "file:///b/", "urn:b"] {
        assert_eq!(urls(&format!("<base href={scheme}><a href=g>")), [""; 0], "{scheme}");
    }
}
