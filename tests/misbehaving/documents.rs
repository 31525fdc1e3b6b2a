//! Documents: huge, deep, wide, broken, and those that ask the parser for more than they hold.

use crate::case::{Case, LINK, READ, case, html, ok};
use crate::raw::Act;

fn xhtml(body: &str) -> Vec<Act> {
    ok(&["Content-Type: application/xhtml+xml"], body)
}

/// Entities each of which is ten of the one before.
fn laughs() -> String {
    let entities: String =
        (1..=9).map(|n| format!("<!ENTITY e{n} \"{}\">", format!("&e{};", n - 1).repeat(10))).collect();
    format!(
        "<!DOCTYPE html [<!ENTITY e0 \"ha\">{entities}]><html xmlns='http://www.w3.org/1999/xhtml'><head><title>read</title></head><body>&e9;</body></html>"
    )
}

pub fn cases() -> Vec<Case> {
    let page = |body: &str| html(format!("{READ}{body}"));
    let with_link = |body: &str| html(format!("{READ}{LINK}{body}"));
    let read = "200 title=read";
    let and_link = "200 title=read links=1";
    vec![
        case("a hundred thousand open elements", with_link(&"<div>".repeat(100_000)), and_link),
        case("ten thousand open inline elements", with_link(&"<b><i>".repeat(5_000)), and_link),
        case("elements that are closed crosswise", with_link(&"<b><i></b></i>".repeat(5_000)), and_link),
        case("anchors in anchors", page(&"<a href=/read>".repeat(5_000)), read).and("/read", "200 title=read"),
        case("fonts without end", with_link(&"<p><font>".repeat(3_000)), and_link),
        case("tables in tables", with_link(&"<table><tr><td>".repeat(3_000)), and_link),
        case("text where a table has no place for it", with_link(&"<table>x<tr>y".repeat(3_000)), and_link),
        case("lists that are never closed", with_link(&"<ul><li>".repeat(20_000)), and_link),
        case("options that are never closed", with_link(&format!("<select>{}", "<option>x".repeat(20_000))), and_link),
        case("templates in templates", with_link(&"<template>".repeat(5_000)), and_link),
        case("drawings in drawings", with_link(&"<svg><g>".repeat(5_000)), and_link),
        case("formulas in formulas", with_link(&"<math><mi>".repeat(5_000)), and_link),
        case(
            "frames in a page of frames",
            html(format!("{READ}<frameset>{}</frameset>", "<frame src=/read>".repeat(500))),
            read,
        )
        .and("/read", "200 title=read"),
        case("two hundred thousand empty elements", with_link(&"<br>".repeat(200_000)), and_link),
        case("closing tags of nothing", with_link(&"</p></b></x>".repeat(20_000)), and_link),
        case(
            "thirty thousand links",
            html(format!("{READ}{}", (0..30_000).map(|n| format!("<a href=#{n}>x</a>")).collect::<String>())),
            read,
        ),
        case("an attribute of 3 MB", with_link(&format!("<p title='{}'>", "x".repeat(3 << 20))), and_link),
        case(
            "an attribute that is never closed",
            html(format!("{READ}{LINK}<a href=\"{}", "x".repeat(500_000))),
            and_link,
        ),
        case(
            "twenty thousand attributes",
            with_link(&format!("<p {}>", (0..20_000).map(|n| format!("a{n} ")).collect::<String>())),
            and_link,
        ),
        case("the same attribute ten thousand times", with_link(&format!("<p {}>", "a=1 ".repeat(10_000))), and_link),
        case("a tag name of 1 MB", with_link(&format!("<{}>", "x".repeat(1 << 20))), and_link),
        case("a comment that is never closed", with_link("<!-- <a href=/no>"), and_link),
        case("a comment of 2 MB of hyphens", with_link(&format!("<!--{}", "-".repeat(2 << 20))), and_link),
        case("a title that is never closed", html(format!("{LINK}<title>read {LINK}")), "200 links=1"),
        case("a script that is never closed", with_link("<script>document.write('<a href=/no>')"), and_link),
        case("a text area that is never closed", with_link("<textarea><a href=/no>"), and_link),
        case("plaintext", with_link("<plaintext><a href=/no>"), and_link),
        case("a doctype of 1 MB", html(format!("<!DOCTYPE html \"{}\">{READ}{LINK}", "x".repeat(1 << 20))), and_link),
        case(
            "a hundred thousand entities",
            with_link(&"&amp;&notin;&nosuch;&#x0;&#xd800;&#99999999;".repeat(16_000)),
            and_link,
        ),
        case("an entity of a million digits", with_link(&format!("&#{};", "9".repeat(1_000_000))), and_link),
        case("a million smaller-thans", with_link(&"<".repeat(1_000_000)), and_link),
        case("a word of 3 MB", with_link(&"x".repeat(3 << 20)), and_link),
        case("NULs between all letters", html("<\0title>no</title><title>r\0e\0a\0d</title>"), "200"),
        case("a title of 1 MB", html(format!("<title>{}</title>{LINK}", "x".repeat(1 << 20))), "200 links=1")
            .and("/read", "200 title=read"),
        case(
            "a description of 1 MB",
            with_link(&format!("<meta name=description content='{}'>", "x".repeat(1 << 20))),
            and_link,
        ),
        case("a thousand titles", page(&"<title>no</title>".repeat(1_000)), read),
        case(
            "a base of 100 KB and many links",
            page(&format!("<base href='/{}/'>{}", "b".repeat(100_000), "<a href=x>x</a>".repeat(400))),
            read,
        ),
        case("a base that is no place for links", page(&format!("<base href='data:text/html,x'>{LINK}")), and_link),
        case("a base that points into nothing", page(&format!("<base href='http://['>{LINK}")), and_link),
        case("a link of 1 MB", page(&format!("<a href='/{}'>x</a>", "x".repeat(1 << 20))), "200 title=read"),
        case(
            "links that lead nowhere",
            page(
                "<a href=javascript:x()>x</a><a href=mailto:a@b>x</a><a href=tel:1>x</a><a href=data:,x>x</a><a href=file:///etc/passwd>x</a><a href=about:blank>x</a><a href=blob:x>x</a>",
            ),
            "200 links=0",
        ),
        case(
            "links that are no URLs",
            page(
                "<a href=http://>x</a><a href='http://['>x</a><a href=http://127.0.0.1:99999/>x</a><a href='http://a b/'>x</a><a href=http://%00/>x</a><a href=//>x</a>",
            ),
            "200 links=0",
        ),
        case("a link with a line break in it", page("<a href='/re\nad'>x</a>"), and_link)
            .and("/read", "200 title=read"),
        case("a link with a backslash", page("<a href='\\read'>x</a>"), and_link).and("/read", "200 title=read"),
        case("a link that climbs too high", page("<a href='../../../../read'>x</a>"), and_link)
            .and("/read", "200 title=read"),
        case("a link to another host's loopback address", page("<a href='http://127.99.99.99:1/'>x</a>"), and_link),
        case(
            "a page that refreshes to itself",
            page("<meta http-equiv=refresh content='0'>"),
            "200 title=read requests=1",
        ),
        case("a page that forbids to follow", with_link("<meta name=robots content='noindex, nofollow'>"), and_link)
            .and("/read", "skipped nofollow"),
        case(
            "a canonical URL that is a script",
            page("<link rel=canonical href='javascript:x()'>"),
            "200 title=read links=0",
        ),
        case(
            "a page within a page",
            page(&format!("<iframe srcdoc=\"{}\"></iframe>", "<iframe srcdoc='".repeat(500))),
            read,
        ),
        case("a conditional comment", with_link("<!--[if IE]><a href=/no>x</a><![endif]-->"), and_link),
        case("CDATA in HTML", with_link("<![CDATA[<a href=/no>x</a>]]>"), "200 title=read"),
        case("a processing instruction in HTML", with_link("<?php echo '<a href=/no>'; ?>"), "200 title=read"),
        case("a billion laughs", xhtml(&laughs()), "200"),
        case(
            "an entity of another file",
            xhtml(
                "<!DOCTYPE html [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><html xmlns='http://www.w3.org/1999/xhtml'><head><title>read</title></head><body>&x;</body></html>",
            ),
            "200",
        ),
        case(
            "an entity that holds itself",
            xhtml(
                "<!DOCTYPE html [<!ENTITY x '&x;'>]><html xmlns='http://www.w3.org/1999/xhtml'><head><title>read</title></head><body>&x;</body></html>",
            ),
            "200",
        ),
        case(
            "fifty thousand open elements in XHTML",
            xhtml(&format!(
                "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>read</title></head><body>{}",
                "<div>".repeat(50_000)
            )),
            read,
        ),
        case(
            "names that claim too much in XHTML",
            xhtml(&format!(
                "<html xmlns='http://www.w3.org/1999/xhtml' {}><head><title>read</title></head><body/></html>",
                (0..5_000).map(|n| format!("xmlns:a{n}='urn:{n}' ")).collect::<String>()
            )),
            read,
        ),
        case(
            "JSON of a hundred thousand brackets",
            ok(&["Content-Type: application/json"], "[".repeat(100_000)),
            "200 size=100000",
        ),
    ]
}
