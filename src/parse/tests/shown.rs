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
