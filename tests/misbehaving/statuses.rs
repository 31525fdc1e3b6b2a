//! Statuses: rare ones, and bodies where there should be none.

use crate::case::{Case, LINK, READ, case, flood, html, ok, then};
use crate::raw::{answer, say};

const HTML: &str = "Content-Type: text/html";

pub fn cases() -> Vec<Case> {
    let status = |status: u16| say(answer(status, &[HTML], READ));
    vec![
        case("203 is a page", status(203), "203 title=read"),
        case("204 with a body", status(204), "204 size=0"),
        case("205 with a body", status(205), "205"),
        case(
            "206 that nobody asked for",
            say(answer(206, &[HTML, "Content-Range: bytes 0-18/500"], READ)),
            "206 title=read",
        ),
        case("226 is a page", status(226), "226 title=read"),
        case("299 is a page", status(299), "299 title=read"),
        case("300 without a choice", status(300), "300 title=read"),
        case("304 that nobody asked for", status(304), "304 size=0"),
        case("304 with a length and no body", say(answer(304, &["Content-Length: 500"], "")), "304"),
        case("305 with a proxy", say(answer(305, &[HTML, "Location: http://127.0.0.1:1/"], READ)), "305 title=read"),
        case("399 is a page", status(399), "399 title=read"),
        case("400 with a page", status(400), "400 title=read"),
        case("401 without a challenge", status(401), "401 title=read"),
        case(
            "401 with challenges of nonsense",
            say(answer(401, &["WWW-Authenticate: =,,Basic realm=\"", "WWW-Authenticate: Digest"], "")),
            "401",
        ),
        case("403 with a page", status(403), "403 title=read"),
        case("404 whose links are dead", say(answer(404, &[HTML], LINK)), "404 links=1")
            .and("/read", "skipped error_page"),
        case("404 without end", then(say(answer(404, &[HTML], "")), [flood(b"<p>not found ")]), "404 size=0"),
        case("404 with a redirect's header", say(answer(404, &[HTML, "Location: /read"], READ)), "404 title=read"),
        case("405 to a GET", status(405), "405 title=read"),
        case("407 from what is no proxy", status(407), "407 title=read"),
        case("408 at once", status(408), "408 title=read"),
        case("410 for good", status(410), "410 title=read"),
        case("418, a teapot", status(418), "418 title=read"),
        case("421 misdirected", status(421), "421 title=read"),
        case("425 too early", status(425), "425 title=read"),
        case("429 without a time", status(429), "429 title=read"),
        case(
            "429 with a time in the past",
            say(answer(429, &[HTML, "Retry-After: Thu, 01 Jan 1970 00:00:00 GMT"], READ)),
            "429 title=read",
        ),
        case("429 with a time that is none", say(answer(429, &[HTML, "Retry-After: soon"], READ)), "429 title=read"),
        case("451 for legal reasons", status(451), "451 title=read"),
        case("499 of a proxy", status(499), "499 title=read"),
        case("500 with a page", status(500), "500 title=read"),
        case("501 to a GET", status(501), "501 title=read"),
        case("502 of a gateway", status(502), "502 title=read"),
        case("503 without a time", status(503), "503 title=read"),
        case("504 of a gateway", status(504), "504 title=read"),
        case("505 to HTTP/1.1", status(505), "505 title=read"),
        case("511 of a captive portal", status(511), "511 title=read"),
        case("599 of nobody", status(599), "599 title=read"),
        case("600, which is no status", status(600), "600 title=read"),
        case("999 of a wall", status(999), "999 title=read"),
        case(
            "100, then the page",
            say([&b"HTTP/1.1 100 Continue\r\n\r\n"[..], &answer(200, &[HTML], READ)].concat()),
            "200 title=read",
        ),
        case(
            "103 with links, then the page",
            say([&b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"[..], &answer(200, &[HTML], READ)]
                .concat()),
            "200 title=read",
        ),
        case(
            "101 that nobody asked for",
            say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"),
            "101",
        ),
        case("a page of no bytes", html(""), "200 size=0 links=0"),
        case("a page of white space", html(" \r\n\t\x0c "), "200 size=6 title=null"),
        case("a page of NULs", html([0; 5_000]), "200 size=5000"),
        case("nothing but a byte order mark", ok(&[], "\u{feff}"), "200 size=3"),
    ]
}
