//! Findings about headings, images and main contents, as `extract` found them.

use crate::read::ReadError;

use super::finding::Need::{Articles, Metadata};
use super::finding::{Finding, Found, How, Severity, Site};
use super::sql::{canonical, extracted};

pub const FINDINGS: [Finding; 4] = [
    Finding {
        name: "h1-missing",
        severity: Severity::Warning,
        about: "A page that search engines may show, without an h1 that says anything.",
        advice: "Give the page one heading of the first level that says what it is about.",
        needs: &[Metadata],
        how: How::Rust(|site| {
            let sql = concat!(
                "select u.url, null as other_url, null as detail from ",
                extracted!("metadata"),
                " where ",
                canonical!(),
                " and not exists (select 1 from _meta_value m
                     where m.url_id = p.url_id and m.source = 'heading' and m.name = 'h1' and m.value <> '')"
            );
            shown(site, sql)
        }),
    },
    Finding {
        name: "h1-several",
        severity: Severity::Notice,
        about: "A page that search engines may show, with more than one h1.",
        advice: "Keep the one that says what the page is about, and make the others h2.",
        needs: &[Metadata],
        how: How::Rust(|site| {
            let sql = concat!(
                "select u.url, null as other_url, count(*) || ' of them' as detail from ",
                extracted!("metadata"),
                " join _meta_value m on m.url_id = p.url_id and m.source = 'heading' and m.name = 'h1' and m.value <> ''
                 where ",
                canonical!(),
                " group by u.url having count(*) > 1"
            );
            shown(site, sql)
        }),
    },
    Finding {
        name: "image-alt-missing",
        severity: Severity::Warning,
        about: "A page with images that have no alternative text. An empty one (`alt=\"\"`) says that the image is decoration, \
                and is fine.",
        advice: "Say in `alt` what the image shows, or write `alt=\"\"` where it is decoration.",
        needs: &[Metadata],
        how: How::Sql(concat!(
            "select u.url, null as other_url, count(distinct m.name) || case when count(distinct m.name) = 1
                 then ' image: ' else ' images, such as ' end || min(m.name) as detail from ",
            extracted!("metadata"),
            " join _meta_value m on m.url_id = p.url_id and m.source = 'image' and m.value is null group by u.url"
        )),
    },
    Finding {
        name: "near-duplicate",
        severity: Severity::Warning,
        about: "A page whose main content is almost that of another, neither of which names another URL as the canonical one.",
        advice: "Join the pages, or name one of them as the canonical one in both.",
        needs: &[Articles],
        how: How::Rust(|site| {
            // Of many pages that are like each other, each is told once, with the first of those that it is like.
            let sql = concat!(
                "select pair.url, pair.other_url, pair.distance || ' of 64 bits of their simhashes differ' as detail
                 from (select case when a.url < b.url then b.url else a.url end as url,
                         case when a.url < b.url then a.url else b.url end as other_url, n.distance,
                         row_number() over (partition by case when a.url < b.url then b.url else a.url end
                             order by case when a.url < b.url then a.url else b.url end) as place
                     from _near n
                     join (select p.url_id, u.url from ",
                extracted!("articles"),
                " where ",
                canonical!(),
                ") a on a.url_id = n.url_id
                     join (select p.url_id, u.url from ",
                extracted!("articles"),
                " where ",
                canonical!(),
                ") b on b.url_id = n.other_id) pair
                 where pair.place = 1"
            );
            shown(site, sql)
        }),
    },
];

/// What is found on pages that do not keep search engines away, nor the other page of a pair.
fn shown(site: &Site<'_>, sql: &str) -> Result<Vec<Found>, ReadError> {
    let heads = site.heads()?;
    let mut found = site.ask(sql)?;
    found.retain(|found| {
        ![Some(&found.url), found.other_url.as_ref()].into_iter().flatten().any(|url| heads.is_noindex(url))
    });
    Ok(found)
}
