//! Redirects: without end, in a circle, into nothing, and cookies that decide them.

use crate::case::{Case, READ, case, flood, html, moved, ok, silence, then};
use crate::raw::{Act, answer, say};

fn redirect(status: u16, lines: &[&str]) -> Vec<Act> {
    say(answer(status, &[&["Location: /read"], lines].concat(), ""))
}

pub fn cases() -> Vec<Case> {
    let leads = |name, location: &str| case(name, moved(location), "302").and("/read", "200 title=read");
    let dead = |name, location: &str| case(name, moved(location), "failed redirect");
    vec![
        case("301", redirect(301, &[]), "301").and("/read", "200 title=read"),
        case("303", redirect(303, &[]), "303").and("/read", "200 title=read"),
        case("307", redirect(307, &[]), "307").and("/read", "200 title=read"),
        case("308", redirect(308, &[]), "308").and("/read", "200 title=read"),
        case(
            "300 with a location is a page",
            say(answer(300, &["Content-Type: text/html", "Location: /read"], "<title>choose</title>")),
            "300 title=choose",
        ),
        case(
            "306 with a location is a page",
            say(answer(306, &["Content-Type: text/html", "Location: /read"], "<title>unused</title>")),
            "306 title=unused",
        ),
        case("a redirect without a location", say(answer(302, &["Content-Type: text/html"], READ)), "302 title=read"),
        case(
            "a redirect with an empty location",
            say(answer(302, &["Content-Type: text/html", "Location:"], READ)),
            "302 title=read",
        ),
        leads("a location of a relative path", "./x/../read"),
        leads("a location without a slash", "read"),
        leads("a location of a whole URL", "ORIGIN/read"),
        leads("a location with a fragment", "/read#part"),
        leads("a location with spaces around it", "   /read   "),
        leads("a location with a backslash", "\\read"),
        case("two locations", redirect(302, &["Location: /other"]), "302").and("/read", "200 title=read"),
        case("a location in raw UTF-8", moved("/größe"), "302")
            .at("/gr%C3%B6%C3%9Fe", html(READ))
            .and("/gr%C3%B6%C3%9Fe", "200 title=read"),
        case("a location of a query alone", moved("?q"), "302").at("/?q", html(READ)).and("/?q", "200 title=read"),
        dead("a redirect to a script", "javascript:alert(1)"),
        dead("a redirect to a mailbox", "mailto:a@b.c"),
        dead("a redirect to data", "data:text/html,<title>no</title>"),
        dead("a redirect to a file", "file:///etc/passwd"),
        dead("a redirect to FTP", "ftp://127.0.0.1/"),
        dead("a redirect to no URL", "http://["),
        dead("a redirect to a port that does not exist", "http://127.0.0.1:99999/"),
        dead("a redirect to itself", "/"),
        dead("a redirect to a part of itself", "#part"),
        case("a circle of two", moved("/b"), "302").at("/b", moved("/")).and("/b", "failed redirect"),
        case("a circle of three", moved("/b"), "302")
            .at("/b", moved("/c"))
            .at("/c", moved("/"))
            .and("/c", "failed redirect"),
        case("a redirect to another's loopback address", moved("http://127.99.99.99:1/"), "302"),
        case("a redirect to a URL that is too long", moved(&format!("/{}", "x".repeat(5_000))), "302"),
        case(
            "a redirect whose body never ends",
            then(redirect(302, &["Content-Type: text/html"]), [flood(b"moved ")]),
            "302",
        )
        .and("/read", "200 title=read"),
        case("a redirect whose body never comes", then(redirect(302, &["Content-Length: 500"]), [silence()]), "302")
            .and("/read", "200 title=read"),
        case(
            "a redirect in a broken coding",
            say(answer(302, &["Location: /read", "Content-Encoding: gzip"], "moved")),
            "302",
        )
        .and("/read", "200 title=read"),
        case(
            "a redirect in broken chunks",
            say(answer(302, &["Location: /read", "Transfer-Encoding: chunked"], "xyz\r\n")),
            "302",
        )
        .and("/read", "200 title=read"),
        case(
            "a redirect that sets a cookie and leads on",
            say(answer(302, &["Location: /read", "Set-Cookie: a=b"], "")),
            "302",
        )
        .and("/read", "200 title=read"),
        case("a redirect to an error", moved("/gone"), "302")
            .at("/gone", say(answer(410, &[], "")))
            .and("/gone", "410"),
        case("a redirect to what hangs", moved("/hangs"), "302")
            .at("/hangs", vec![silence()])
            .and("/hangs", "failed timeout"),
        case("a redirect to a picture", moved("/picture"), "302")
            .at("/picture", ok(&["Content-Type: image/png"], "x"))
            .and("/picture", "200 body=0"),
    ]
}
