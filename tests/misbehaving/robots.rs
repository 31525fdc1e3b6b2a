//! robots.txt: missing, broken, endless, contradicting.

use crate::case::{Case, READ, flood, html_with, moved, ok, robots, silence, text, then, trickle};
use crate::codings::gzip;
use crate::raw::{Act, answer, say};

const FORBID: &str = "User-agent: *\nDisallow: /\n";

pub fn cases() -> Vec<Case> {
    let allowed = "200 title=read";
    let status = |status: u16| say(answer(status, &["Content-Type: text/plain"], FORBID));
    let hops = |name, count: usize, expected| {
        const AT: [&str; 8] = ["/robots.txt", "/1", "/2", "/3", "/4", "/5", "/6", "/7"];
        let start = robots(name, moved(AT[1]), expected);
        (1..count).fold(start, |case, hop| case.at(AT[hop], moved(AT[hop + 1]))).at(AT[count], text(FORBID))
    };
    vec![
        robots("robots.txt forbids", text(FORBID), "skipped robots"),
        robots("robots.txt of no bytes", text(""), allowed),
        robots(
            "robots.txt that is a page",
            html_with(&[], "<!doctype html><title>User-agent</title><p>Disallow: /"),
            allowed,
        ),
        robots(
            "robots.txt that is a picture",
            ok(&["Content-Type: image/png"], b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
            allowed,
        ),
        robots("rules that are called a picture", ok(&["Content-Type: image/png"], FORBID), "skipped robots"),
        robots("robots.txt 204", status(204), allowed),
        robots("robots.txt 401", status(401), allowed),
        robots("robots.txt 403", status(403), allowed),
        robots("robots.txt 410", status(410), allowed),
        robots("robots.txt 418", status(418), allowed),
        robots("robots.txt 500", status(500), "skipped robots_unreachable"),
        robots("robots.txt 503", status(503), "skipped robots_unreachable"),
        robots("robots.txt 599", status(599), "skipped robots_unreachable"),
        robots("robots.txt is silent", vec![silence()], "skipped robots_unreachable"),
        robots("robots.txt is closed", say(""), "skipped robots_unreachable"),
        robots("robots.txt is reset", vec![Act::Reset], "skipped robots_unreachable"),
        robots("robots.txt is noise", say([0xff; 500]), "skipped robots_unreachable"),
        robots("robots.txt is cut off", ok(&["Content-Length: 999"], FORBID), "skipped robots_unreachable"),
        robots("robots.txt is no gzip", ok(&["Content-Encoding: gzip"], FORBID), "skipped robots_unreachable"),
        robots("robots.txt trickles for ever", then(text(FORBID), [trickle("#")]), "skipped robots_unreachable"),
        robots(
            "robots.txt without end, which forbids at its beginning",
            then(text(FORBID), [flood(b"# and so on\n")]),
            "skipped robots",
        ),
        robots("robots.txt of one endless line", then(text("User-agent: *\nDisallow: /x"), [flood(b"x")]), allowed),
        robots(
            "robots.txt that forbids behind 600 KB",
            text(format!("{}{FORBID}", "# words\n".repeat(75_000))),
            allowed,
        ),
        robots(
            "robots.txt of fifty thousand rules",
            text(format!("User-agent: *\n{}", (0..20_000).map(|n| format!("Disallow: /a{n}\n")).collect::<String>())),
            allowed,
        ),
        robots(
            "robots.txt of ten thousand groups",
            text(format!(
                "{}{FORBID}",
                (0..10_000).map(|n| format!("User-agent: bot{n}\nDisallow: /\n")).collect::<String>()
            )),
            "skipped robots",
        ),
        robots(
            "a pattern of a thousand stars",
            text(format!("User-agent: *\nDisallow: /{}b$\n", "*a".repeat(1_000))),
            allowed,
        ),
        robots("robots.txt in gzip", ok(&["Content-Encoding: gzip"], gzip(FORBID)), "skipped robots"),
        robots("robots.txt as a bomb", ok(&["Content-Encoding: gzip"], gzip("#".repeat(20 << 20))), allowed),
        robots("robots.txt with a mark", text(format!("\u{feff}{FORBID}")), "skipped robots"),
        robots("robots.txt with CR alone", text(FORBID.replace('\n', "\r")), "skipped robots"),
        robots("robots.txt in Latin-1", text([&b"# \xe4\xf6\xfc\n"[..], FORBID.as_bytes()].concat()), "skipped robots"),
        robots("robots.txt with NULs", text(format!("\0\0\n{FORBID}")), "skipped robots"),
        robots("robots.txt in odd case", text("USER-AGENT:*\nDISALLOW:/"), "skipped robots"),
        robots(
            "robots.txt with comments everywhere",
            text("User-agent: * # all\nDisallow: / # everything"),
            "skipped robots",
        ),
        robots("robots.txt without a group", text("Disallow: /"), allowed),
        robots("robots.txt with an empty rule", text("User-agent: *\nDisallow:\nAllow:\n"), allowed),
        robots("robots.txt that allows and forbids the same", text("User-agent: *\nDisallow: /\nAllow: /\n"), allowed),
        robots("robots.txt that forbids all but the root", text("User-agent: *\nDisallow: /\nAllow: /$\n"), allowed),
        robots(
            "robots.txt for this crawler alone",
            text("User-agent: harvestman\nDisallow: /\n\nUser-agent: *\nAllow: /\n"),
            "skipped robots",
        ),
        robots("robots.txt for another crawler alone", text("User-agent: otherbot\nDisallow: /\n"), allowed),
        robots(
            "a delay of nonsense",
            text("User-agent: *\nCrawl-delay: -1\nCrawl-delay: soon\nCrawl-delay: NaN\n"),
            allowed,
        ),
        robots(
            "lines that are no rules",
            text("User-agent: *\nHost: x\nClean-param: a\nNoindex: /\n:::\n=\n"),
            allowed,
        ),
        robots("sitemaps that are no URLs", text("Sitemap: http://[\nSitemap:\nSitemap: javascript:x\n"), allowed),
        hops("robots.txt behind one redirect", 1, "skipped robots"),
        hops("robots.txt behind five redirects", 5, "skipped robots"),
        hops("robots.txt behind six redirects", 6, allowed),
        robots("robots.txt leads to itself", moved("/robots.txt"), allowed),
        robots("robots.txt leads to no URL", moved("http://["), allowed),
        robots("robots.txt leads to the page", moved("/"), allowed),
        robots(
            "robots.txt leads to another's loopback address",
            moved("http://127.99.99.99:1/robots.txt"),
            "skipped robots_unreachable",
        ),
        robots("robots.txt is moved without a location", say(answer(301, &[], READ)), allowed),
    ]
}
