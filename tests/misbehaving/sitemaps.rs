//! Sitemaps: broken, endless, mislabelled, and those that name themselves.

use crate::case::{Case, READ, case, flood, html, moved, ok, silence, text, then};
use crate::codings::gzip;
use crate::raw::{Act, answer, say};

/// A host whose robots.txt names `/map`, which answers so.
fn map(name: &'static str, acts: Vec<Act>, expected: &'static str) -> Case {
    let host =
        case(name, html("<title>home</title>"), "200 title=home").at("/robots.txt", text("Sitemap: ORIGIN/map\n"));
    host.at("/map", acts).and("/map", expected)
}

fn xml(body: impl AsRef<[u8]>) -> Vec<Act> {
    ok(&["Content-Type: application/xml"], body)
}

pub fn cases() -> Vec<Case> {
    let entry = "<url><loc>ORIGIN/read</loc></url>";
    let set = format!("<urlset>{entry}</urlset>");
    let named = |case: Case| case.and("/read", "200 title=read");
    vec![
        named(map("a sitemap", xml(&set), "200 links=1")),
        named(map("a sitemap that breaks off", xml(format!("<urlset>{entry}<url><loc>ORIGIN/ot")), "200")),
        named(map("a sitemap behind words", xml(format!("\n\n  {set}")), "200 links=1")),
        named(map("a sitemap with words behind it", xml(format!("{set}<!-- made by hand -->\nbye")), "200 links=1")),
        named(map("a sitemap that is called a page", html(&set), "200 links=1")),
        named(map("a sitemap in gzip, which its name does not say", ok(&["Content-Type: application/octet-stream"], gzip(set.replace("ORIGIN", ""))), "200 links=1")),
        named(map("a sitemap with relative entries", xml("<urlset><url><loc>/read</loc></url></urlset>"), "200 links=1")),
        named(map("a sitemap with a prefix", xml(format!("<s:urlset xmlns:s='x'>{}</s:urlset>", entry.replace("<url>", "<s:url>").replace("</url>", "</s:url>").replace("<loc>", "<s:loc>").replace("</loc>", "</s:loc>"))), "200 links=1")),
        named(map("a list of URLs", text("ORIGIN/read\n\nno URL\n"), "200 links=1")),
        named(map("an index that names itself", xml("<sitemapindex><sitemap><loc>ORIGIN/map</loc></sitemap><sitemap><loc>ORIGIN/second</loc></sitemap></sitemapindex>"), "200 requests=1").at("/second", xml(&set))),
        map("entries without URLs", xml(format!("<urlset>{}</urlset>", "<url><loc>javascript:x</loc></url><url/>".repeat(1_000))), "200 links=0"),
        map("a sitemap of nothing", xml(""), "200 links=0"),
        map("a sitemap that is a page", html(READ), "200 title=read"),
        map("a sitemap that is noise", ok(&["Content-Type: application/xml"], [0xff; 5_000]), "200 links=0"),
        map("a sitemap that is gone", say(answer(410, &[], "")), "410"),
        map("a sitemap that is silent", vec![silence()], "failed timeout"),
        map("a sitemap that leads to itself", moved("/map"), "failed redirect"),
        map("a sitemap without end", then(xml("<urlset>"), [flood(b"<url><loc>ftp://x</loc></url>")]), "failed too_large"),
        map("a sitemap as a bomb", ok(&["Content-Type: application/gzip"], gzip(vec![b' '; 60 << 20])), "failed too_large"),
        map("a sitemap of laughs", xml("<!DOCTYPE urlset [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><urlset><url><loc>ORIGIN/&c;</loc></url></urlset>"), "200"),
        map("a sitemap of fifty thousand open elements", xml("<urlset>".repeat(50_000)), "200 links=0"),
    ]
}
