//! Bodies and how they are cut into chunks.

use crate::case::{Case, READ, case, flood, html, ok, silence, stream, then, trickle};
use crate::raw::{Act, say};

fn chunked(body: impl AsRef<[u8]>) -> Vec<Act> {
    ok(&["Content-Type: text/html", "Transfer-Encoding: chunked"], body)
}

pub fn cases() -> Vec<Case> {
    let one = |size: &str| chunked(format!("{size}\r\n{READ}\r\n0\r\n\r\n"));
    let bytes: String = READ.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    vec![
        case("chunks of one byte", chunked(format!("{bytes}0\r\n\r\n")), "200 title=read size=19"),
        case(
            "three thousand chunks of one byte",
            chunked(format!("{bytes}{}0\r\n\r\n", "1\r\n.\r\n".repeat(3_000))),
            "200 title=read size=3019",
        ),
        case("a size with leading zeros", one("00000013"), "200 title=read size=19"),
        case("a size with an extension", one("13;name=\"value\""), "200 title=read size=19"),
        case("a size with a space behind it", one("13  "), "200 title=read size=19"),
        case("a size in capitals", chunked(format!("1A\r\n{READ}.......\r\n0\r\n\r\n")), "200 title=read size=26"),
        case("no chunks at all", chunked("0\r\n\r\n"), "200 size=0"),
        case(
            "a trailer behind the chunks",
            chunked(format!("13\r\n{READ}\r\n0\r\nX-Trailer: a\r\n\r\n")),
            "200 title=read",
        ),
        case(
            "bytes behind the last chunk",
            chunked(format!("13\r\n{READ}\r\n0\r\n\r\n<title>no</title>")),
            "200 title=read size=19",
        ),
        case("closed before the last chunk", chunked(format!("13\r\n{READ}\r\n")), "failed closed"),
        case("closed within a chunk", chunked("50\r\nshort"), "failed closed"),
        case("closed within a size", chunked(format!("13\r\n{READ}\r\n1")), "failed closed"),
        case("silence within a chunk", then(chunked("50\r\nshort"), [silence()]), "failed timeout"),
        case("a size that is none", chunked("xyz\r\nbody"), "failed closed"),
        case("a size below zero", chunked("-13\r\nbody"), "failed closed"),
        case("a size beyond all numbers", chunked(format!("{}\r\nbody", "f".repeat(17))), "failed closed"),
        case("a chunk longer than its size", chunked(format!("5\r\n{READ}\r\n0\r\n\r\n")), "failed closed"),
        case("a size without end", then(chunked(""), [stream("0")]), "failed closed"),
        case("an extension without end", then(chunked("13;"), [stream("a")]), "failed closed"),
        case(
            "a trailer without end",
            then(chunked(format!("13\r\n{READ}\r\n0\r\n")), [flood(b"X-A: b\r\n")]),
            "200 title=read",
        ),
        case(
            "chunks without end",
            then(chunked(""), [flood(format!("400\r\n{}\r\n", "<p>x".repeat(256)).as_bytes())]),
            "failed too_large",
        ),
        case("empty lines instead of chunks, for ever", then(chunked(""), [trickle("\r\n")]), "failed closed"),
        case("a body without end", then(html(READ), [flood(b"<p>and so on")]), "failed too_large"),
        case("a line without end", then(html(READ), [flood(b"a")]), "failed too_large"),
        case("text without end", then(ok(&["Content-Type: text/plain"], ""), [flood(b"word ")]), "failed too_large"),
        case(
            "a film that is called a page, without end",
            then(html(*b"\0\0\0\x18ftypmp42"), [flood(b"\0\xff\x80")]),
            "failed too_large",
        ),
        case(
            "a picture without end is left alone",
            then(ok(&["Content-Type: image/png"], ""), [flood(b"\x89PNG")]),
            "200 body=0",
        ),
        case(
            "a length of a terabyte, and the bytes come",
            then(ok(&["Content-Type: text/html", "Content-Length: 1099511627776"], ""), [flood(b"<p>x")]),
            "failed too_large",
        ),
        case(
            "a picture of a terabyte is left alone",
            ok(&["Content-Type: image/png", "Content-Length: 1099511627776"], "x"),
            "200 body=0",
        ),
        case("one byte more than is taken", html(vec![b'x'; (10 << 20) + 1]), "failed too_large"),
        case("as much as is taken", ok(&["Content-Type: application/json"], vec![b' '; 10 << 20]), "200 size=10485760"),
        case(
            "both lengths are right and it ends in mid word",
            say(format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 17\r\n\r\n{}", &READ[..17])),
            "200 size=17 title=read</titl",
        ),
    ]
}
