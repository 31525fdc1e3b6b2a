//! Header lines: too many, too long, contradicting, or nothing of the kind.

use crate::case::{Case, LINK, READ, case, flood, html_with, ok, then};
use crate::raw::{answer, say};

const HTML: &str = "Content-Type: text/html";

fn raw(lines: impl AsRef<[u8]>) -> Vec<crate::raw::Act> {
    say([
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\n",
        lines.as_ref(),
        b"\r\n\r\n",
        READ.as_bytes(),
    ]
    .concat())
}

pub fn cases() -> Vec<Case> {
    let many = |count: usize| (0..count).map(|n| format!("X-{n}: {n}")).collect::<Vec<_>>().join("\r\n");
    vec![
        case(
            "lines that end in LF alone",
            say(format!("HTTP/1.1 200 OK\nContent-Type: text/html\nConnection: close\n\n{READ}")),
            "200 title=read type=text/html",
        ),
        case(
            "no reason in the status line",
            say(format!("HTTP/1.1 200\r\nContent-Type: text/html\r\n\r\n{READ}")),
            "200 title=read",
        ),
        case(
            "a reason in Latin-1",
            say([&b"HTTP/1.1 200 \xc7a va\r\nContent-Type: text/html\r\n\r\n"[..], READ.as_bytes()].concat()),
            "200 title=read",
        ),
        case("HTTP/1.0", say(format!("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n{READ}")), "200 title=read"),
        case("no headers at all", say(format!("HTTP/1.1 200 OK\r\n\r\n<!doctype html>{READ}")), "200 title=read"),
        case("a status of two digits", say("HTTP/1.1 20 OK\r\n\r\n"), "failed protocol"),
        case("a status of letters", say("HTTP/1.1 abc OK\r\n\r\n"), "failed protocol"),
        case("no status", say("HTTP/1.1 \r\n\r\n"), "failed protocol"),
        case("a version that does not exist", say("HTTP/9.9 200 OK\r\n\r\n"), "200 size=0"),
        case("a status line without end", then(say("HTTP/1.1 200 "), [flood(b"O")]), "failed protocol"),
        case("a hundred and fifty header lines", raw(many(150)), "200 title=read"),
        case("two thousand header lines", raw(many(2_000)), "200 title=read"),
        case("header lines without end", then(say("HTTP/1.1 200 OK\r\n"), [flood(b"X-A: b\r\n")]), "failed protocol"),
        case("a header value of 60 KB", raw(format!("X-Long: {}", "x".repeat(60_000))), "200 title=read"),
        case("a header value without end", then(say("HTTP/1.1 200 OK\r\nX-A: "), [flood(b"a")]), "failed protocol"),
        case("a header name of 30 KB", raw(format!("{}: x", "x".repeat(30_000))), "200 title=read"),
        case("a header name without end", then(say("HTTP/1.1 200 OK\r\n"), [flood(b"a")]), "failed protocol"),
        case("an empty value", raw("X-Empty:\r\nX-Blank:   \t "), "200 title=read"),
        case("NUL in a value", raw("X-A: a\0b"), "200 title=read"),
        case("NUL in a name", raw("X\0A: b"), "200 title=read"),
        case("an escape sequence in a value", raw("X-A: \x1b[31mred"), "200 title=read"),
        case(
            "every byte above 127 in a value",
            raw([&b"X-A: "[..], &(128..=255).collect::<Vec<u8>>()].concat()),
            "200 title=read",
        ),
        case("a name that is empty", raw(": x"), "200 title=read"),
        case("a line of spaces", raw("X-A: b\r\n   "), "200 title=read"),
        case("a fold before the first value", raw("X-A:\r\n b"), "200 title=read"),
        case("a status line among the headers", raw("HTTP/1.1 404 Not Found"), "200 title=read"),
        case(
            "a page of mark-up among the headers",
            raw("<b>Warning</b>: session_start(): headers already sent"),
            "200 title=read",
        ),
        case(
            "the same length twice",
            raw(format!("Content-Length: {0}\r\nContent-Length: {0}", READ.len())),
            "200 title=read",
        ),
        case("a length of zero and a body", raw("Content-Length: 0"), "200 size=0"),
        case("a length shorter than the body", raw("Content-Length: 9"), "200 size=9"),
        case("a length longer than the body", raw("Content-Length: 99"), "failed closed"),
        case("a length of exabytes", raw("Content-Length: 9223372036854775807"), "failed closed"),
        case(
            "a length beside chunks",
            ok(&[HTML, "Content-Length: 5", "Transfer-Encoding: chunked"], format!("13\r\n{READ}\r\n0\r\n\r\n")),
            "200 title=read size=19",
        ),
        case("Keep-Alive of a negative time", raw("Keep-Alive: timeout=-1, max=-5"), "200 title=read"),
        case("Connection that names itself", raw("Connection: connection, x, ,,,"), "200 title=read"),
        case(
            "Upgrade to what nobody asked for",
            raw("Upgrade: h2c, websocket\r\nConnection: upgrade"),
            "200 title=read",
        ),
        case("a Date that is none", raw("Date: yesterday\r\nAge: -1\r\nExpires: -1"), "200 title=read"),
        case(
            "a Date of the year 10000",
            raw("Date: Fri, 31 Dec 10000 23:59:59 GMT\r\nLast-Modified: Sat, 30 Feb 2026 25:61:61 GMT"),
            "200 title=read",
        ),
        case(
            "Cache-Control that is none",
            raw("Cache-Control: max-age=99999999999999999999, s-maxage=x, ,=,\"\r\nVary: *"),
            "200 title=read",
        ),
        case("an ETag without quotes", raw("ETag: W/abc\"def"), "200 title=read"),
        case("an ETag of 8 KB", raw(format!("ETag: \"{}\"", "e".repeat(8_000))), "200 title=read"),
        case("Retry-After on a page", raw("Retry-After: 99999999999"), "200 title=read"),
        case("a language that is none", raw("Content-Language: ,;=q, \x7f"), "200 title=read"),
        case("a download", raw("Content-Disposition: attachment; filename=\"../../../etc/passwd\""), "200 title=read"),
        case(
            "security headers of nonsense",
            raw("Strict-Transport-Security: max-age=\r\nContent-Security-Policy: ;;;'\r\nAlt-Svc: h3=\":0\""),
            "200 title=read",
        ),
        case("a location on a page", raw("Location: /elsewhere"), "200 title=read"),
        case(
            "a location on a created thing",
            say(answer(201, &[HTML, "Location: /elsewhere"], READ)),
            "201 title=read",
        ),
        case(
            "X-Robots-Tag: none",
            html_with(&["X-Robots-Tag: none"], format!("{READ}{LINK}")),
            "200 title=read links=1",
        )
        .and("/read", "skipped nofollow"),
        case(
            "X-Robots-Tag for another robot",
            html_with(&["X-Robots-Tag: otherbot: nofollow"], format!("{READ}{LINK}")),
            "200 links=1",
        )
        .and("/read", "200 title=read"),
        case("X-Robots-Tag that is none", html_with(&["X-Robots-Tag: :,: ,;unavailable_after:"], LINK), "200 links=1")
            .and("/read", "200 title=read"),
        case(
            "Refresh in a header",
            html_with(&["Refresh: 0;URL='/read'"], "<title>wait</title>"),
            "200 title=wait links=1",
        )
        .and("/read", "200 title=read"),
        case("Refresh to itself", html_with(&["Refresh: 0"], READ), "200 title=read links=0 requests=1"),
        case(
            "Refresh that is none",
            html_with(&["Refresh: x; url=/read", "Refresh: ;;;"], READ),
            "200 title=read links=0",
        ),
        case(
            "a thousand cookies",
            raw((0..200).map(|n| format!("Set-Cookie: c{n}=v")).collect::<Vec<_>>().join("\r\n")),
            "200 title=read",
        ),
        case("a cookie of 50 KB", raw(format!("Set-Cookie: a={}", "b".repeat(50_000))), "200 title=read"),
        case(
            "cookies that are none",
            raw(
                "Set-Cookie: =\r\nSet-Cookie: ;;;\r\nSet-Cookie: a=b; Domain=com; Max-Age=x; Expires=x; Path\r\nSet-Cookie: \x01",
            ),
            "200 title=read",
        ),
    ]
}
