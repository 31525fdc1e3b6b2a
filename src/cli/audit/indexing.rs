//! Findings about what search engines are told: which pages to show, and under which URL.

use std::collections::{HashMap, HashSet};

use crate::read::ReadError;

use super::finding::Need::{Links, Sitemaps, Whole};
use super::finding::{Finding, Found, How, Severity, Site};
use super::sql::{canonical, canonicals, pages};

pub const FINDINGS: [Finding; 7] = [
    Finding {
        name: "canonical-broken",
        severity: Severity::Error,
        about: "A page that names a canonical URL that does not answer with 200, or that robots.txt forbids.",
        advice: "Name a URL that answers with a page.",
        needs: &[],
        how: How::Sql(concat!(
            "select c.url, c.named as other_url, coalesce(x.kind, t.reason, cast(p.status as text)) as detail from ",
            canonicals!(),
            "join _url t on t.url = c.named and t.id <> c.id
             left join _page p on p.url_id = t.id and t.state < 2
             left join _failure x on x.url_id = t.id and t.state = 2
             where p.status <> 200 or x.kind is not null or (t.state = 3 and t.reason = 'robots')"
        )),
    },
    Finding {
        name: "canonical-chain",
        severity: Severity::Warning,
        about: "A page that names a canonical URL whose page names yet another.",
        advice: "Name the last of them in all of them.",
        needs: &[],
        how: How::Sql(concat!(
            "select c.url, c.named as other_url, 'which names ' || o.canonical_url as detail from ",
            canonicals!(),
            "join (select u.url, p.canonical_url from ",
            pages!(),
            ") o on o.url = c.named and o.url <> c.url
             where o.canonical_url <> o.url and instr(o.canonical_url, o.url || '#') <> 1"
        )),
    },
    Finding {
        name: "canonical-elsewhere",
        severity: Severity::Notice,
        about: "A page that names another URL as the canonical one.",
        advice: "See that it is meant: search engines show the other URL instead of this.",
        needs: &[],
        how: How::Sql(concat!(
            "select c.url, c.named as other_url, null as detail from ",
            canonicals!(),
            "where c.named <> c.url"
        )),
    },
    Finding {
        name: "noindex",
        severity: Severity::Notice,
        about: "A page that tells search engines not to show it, by X-Robots-Tag or, where bodies are stored, by meta robots.",
        advice: "See that it is meant; if not, take `noindex` away.",
        needs: &[],
        how: How::Rust(|site| {
            let robots = &site.heads()?.robots;
            Ok(robots.iter().filter_map(|(url, robots)| Some(Found::new(url, robots.noindex?))).collect())
        }),
    },
    Finding {
        name: "nofollow",
        severity: Severity::Notice,
        about: "A page that tells search engines not to follow its links, by X-Robots-Tag or, where bodies are stored, by meta \
                robots.",
        advice: "See that it is meant; if not, take `nofollow` away.",
        needs: &[],
        how: How::Rust(|site| {
            let robots = &site.heads()?.robots;
            Ok(robots.iter().filter_map(|(url, robots)| Some(Found::new(url, robots.nofollow?))).collect())
        }),
    },
    Finding {
        name: "sitemap-unusable",
        severity: Severity::Warning,
        about: "A URL in a sitemap that search engines do not show: it redirects, fails, answers with an error, is forbidden by \
                robots.txt, says noindex, or names another URL as the canonical one.",
        advice: "Name only URLs in the sitemap that are to be found under just this URL.",
        needs: &[Links, Sitemaps],
        how: How::Rust(unusable),
    },
    Finding {
        name: "sitemap-missing",
        severity: Severity::Notice,
        about: "A page that search engines may show and no sitemap names, on a host whose pages sitemaps name.",
        advice: "Add it to the sitemap.",
        needs: &[Links, Sitemaps, Whole],
        how: How::Rust(unlisted),
    },
];

/// What sitemaps name, and what became of it. A sitemap that redirects to another names no page by that.
const LISTED: &str = "select t.url, min(f.url), t.state, t.reason, x.kind, p.status, r.url, p.canonical_url
     from _link l join _url f on f.id = l.from_id join _url t on t.id = l.to_id and t.sitemap is null
     left join _page p on p.url_id = t.id
     left join _url r on r.id = p.redirect_to
     left join _failure x on x.url_id = t.id and t.state = 2
     where l.element = 'sitemap'
     group by t.url, t.state, t.reason, x.kind, p.status, r.url, p.canonical_url";

fn unusable(site: &Site<'_>) -> Result<Vec<Found>, ReadError> {
    let heads = site.heads()?;
    let mut found = Vec::new();
    for row in site.db.query(LISTED, [])? {
        let row = row?;
        let (url, state): (&str, i64) = (row.at(0)?, row.at(2)?);
        let text = |at| row.at::<Option<&str>>(at);
        let status: Option<i64> = row.at(5)?;
        let canonical = text(7)?.filter(|canonical| canonical.split('#').next() != Some(url));
        let why = match state {
            2 => text(4)?.map(|kind| format!("fails: {kind}")),
            3 => text(3)?.filter(|reason| *reason == "robots").map(|_| "forbidden by robots.txt".to_owned()),
            _ => match (status, text(6)?, canonical) {
                (None, ..) => None,
                (_, Some(target), _) => Some(format!("redirects to {target}")),
                (Some(status), ..) if status != 200 => Some(format!("answers with {status}")),
                _ if heads.is_noindex(url) => Some("says noindex".to_owned()),
                (.., canonical) => canonical.map(|canonical| format!("names {canonical} as canonical")),
            },
        };
        found.extend(why.map(|why| Ok::<_, ReadError>(Found::new(url, why).with(row.at::<&str>(1)?))).transpose()?);
    }
    Ok(found)
}

fn unlisted(site: &Site<'_>) -> Result<Vec<Found>, ReadError> {
    let heads = site.heads()?;
    let listed = site.db.query(
        "select distinct t.id, t.host_id from _link l join _url t on t.id = l.to_id and t.sitemap is null
         where l.element = 'sitemap'",
        [],
    )?;
    let mut hosts: HashMap<i64, HashSet<i64>> = HashMap::new();
    for row in listed {
        let row = row?;
        hosts.entry(row.at(1)?).or_default().insert(row.at(0)?);
    }
    let sql = concat!("select u.id, u.host_id, u.url from ", pages!(), " where ", canonical!());
    let mut found = Vec::new();
    for row in site.db.query(sql, [])? {
        let row = row?;
        let (id, host, url): (i64, i64, &str) = (row.at(0)?, row.at(1)?, row.at(2)?);
        if hosts.get(&host).is_some_and(|listed| !listed.contains(&id)) && !heads.is_noindex(url) {
            found.push(Found { url: url.to_owned(), other_url: None, detail: None });
        }
    }
    Ok(found)
}
