//! Media types: missing, wrong, contradicting.

use crate::case::{Case, READ, case, ok, text};
use crate::raw::Act;

fn typed(value: &str, body: impl AsRef<[u8]>) -> Vec<Act> {
    ok(&[&format!("Content-Type: {value}")], body)
}

const XHTML: &str = "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>read</title></head><body/></html>";

pub fn cases() -> Vec<Case> {
    let page = format!("<!doctype html>{READ}");
    vec![
        case("no type, and a page", ok(&[], &page), "200 title=read"),
        case("no type, and a page behind a comment", ok(&[], format!("<!-- x -->{READ}")), "200 title=read"),
        case("no type, and a page behind a mark", ok(&[], format!("\u{feff}{page}")), "200 title=read charset=utf-8"),
        case("no type, and plain words", ok(&[], "just words"), "200 title=null text=just_words"),
        case("no type, and a picture", ok(&[], b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "200 title=null text=null"),
        case("no type, and a PDF", ok(&[], "%PDF-1.7 <title>no</title>"), "200 title=null text=null"),
        case("no type, and a ZIP", ok(&[], b"PK\x03\x04<title>no</title>"), "200 title=null text=null"),
        case("no type, and a script", ok(&[], "#!/bin/sh\nrm -rf /"), "200 title=null"),
        case("an empty type", ok(&["Content-Type:"], &page), "200 title=read"),
        case("a type that is any", typed("*/*", &page), "200 title=read"),
        case("a type that is a word", typed("html", &page), "200 title=read"),
        case("a type that is a sentence", typed("this is a page", &page), "200 title=read"),
        case("an unknown type that says so", typed("unknown/unknown", &page), "200 title=read"),
        case("a type in capitals", typed("TEXT/HTML", READ), "200 title=read"),
        case("a type with spaces around it", typed("   text/html   ;  ", READ), "200 title=read"),
        case("a type twice in one line", typed("text/html, text/html", READ), "200 title=read"),
        case(
            "two types, the page last",
            ok(&["Content-Type: text/plain", "Content-Type: text/html"], READ),
            "200 title=read",
        ),
        case("two types, nonsense last", ok(&["Content-Type: text/html", "Content-Type: x"], READ), "200 title=read"),
        case("a type of 50 KB", typed(&format!("text/html; x={}", "x".repeat(50_000)), READ), "200 title=read"),
        case("a quote that is not closed", typed("text/html; charset=\"utf-8", READ), "200 title=read charset=utf-8"),
        case("a charset that does not exist", typed("text/html; charset=klingon", READ), "200 title=read"),
        case(
            "a charset twice",
            typed("text/html; charset=koi8-r; charset=utf-8", b"<title>\xf0\xd2\xc9</title>"),
            "200 title=При charset=koi8-r",
        ),
        case("a picture that is called a page", typed("text/html", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "200 title=null"),
        case(
            "a PDF that is called a page",
            typed("text/html", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj"),
            "200 title=null",
        ),
        case("a page that is called a picture", typed("image/jpeg", READ), "200 title=null body=0"),
        case(
            "a page that is called a stream of bytes",
            typed("application/octet-stream", READ),
            "200 title=null body=0",
        ),
        case("a page that is called JSON", typed("application/json", READ), "200 title=null body=1"),
        case("a page that is called plain", text(READ), "200 title=null text=<title>read</title>"),
        case("binary that is called plain", text(b"MZ\x90\0\x03\0\0\0"), "200 text=null"),
        case("a page with nosniff and no type", ok(&["X-Content-Type-Options: nosniff"], &page), "200 title=null"),
        case(
            "a page with nosniff and its type",
            ok(&["X-Content-Type-Options: nosniff", "Content-Type: text/html"], READ),
            "200 title=read",
        ),
        case("markdown", typed("text/markdown", "# words"), "200 text=#_words"),
        case("XHTML", typed("application/xhtml+xml", XHTML), "200 title=read"),
        case("XHTML that is not well formed", typed("application/xhtml+xml", "<html><title>read<p>&nbsp;<br>"), "200"),
        case(
            "XHTML with empty elements",
            typed(
                "application/xhtml+xml",
                XHTML.replace("<body/>", "<body><script/><style/><iframe/><a href='/read'>x</a></body>"),
            ),
            "200 title=read links=1",
        )
        .and("/read", "200 title=read"),
        case("XML that is no page", typed("text/xml", "<catalog><title>no</title></catalog>"), "200 title=null body=1"),
        case(
            "a picture in SVG",
            typed("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'><title>no</title></svg>"),
            "200 title=null",
        ),
        case(
            "a page in parts",
            typed(
                "multipart/x-mixed-replace; boundary=x",
                format!("--x\r\nContent-Type: text/html\r\n\r\n{READ}\r\n--x--"),
            ),
            "200 title=null",
        ),
        case("a style sheet", typed("text/css", "a { color: red }"), "200 title=null body=1"),
    ]
}
