//! Findings about links, redirects, and how pages are reached.

use crate::policy::redirect::{MAX_HOPS, led_round};
use crate::read::ReadError;

use super::depth;
use super::finding::Need::{Fragments, Links, Whole};
use super::finding::{Finding, Found, How, Severity, Site};
use super::sql::{ends, links};

pub const FINDINGS: [Finding; 9] = [
    Finding {
        name: "broken-link",
        severity: Severity::Error,
        about: "A link to a URL that answers with a status of 400 or more, or not at all, at once or after redirects.",
        advice: "Correct the link, take it away, or bring its target back.",
        needs: &[Links],
        how: How::Sql(concat!(
            ends!(),
            "select f.url, t.url as other_url, coalesce(x.kind, c.failure, cast(coalesce(p.status, c.status) as text))
                 || case when coalesce(c.final_url, e.url) = t.url then '' else ' at ' || coalesce(c.final_url, e.url) end
                 || coalesce(', in ' || l.part, '') as detail
             from ",
            links!(),
            " left join ends r on r.start = t.id
             join _url e on e.id = coalesce(r.id, t.id)
             left join _page p on p.url_id = e.id and e.state < 2
             left join _failure x on x.url_id = e.id and e.state = 2
             left join checks c on c.url = e.url and e.state = 3 and c.verdict = 'broken'
             where (p.status >= 400 or x.kind is not null or c.url is not null) and l.element not in ('sitemap', 'redirect')
                 and not (l.element = 'link' and ' ' || l.rel || ' ' like '% canonical %')"
        )),
    },
    Finding {
        name: "redirect-loop",
        severity: Severity::Error,
        about: "A redirect that leads back to where it came from, on and on, or nowhere.",
        advice: "Let it lead to a page, and to that directly.",
        needs: &[],
        how: How::Rust(loops),
    },
    Finding {
        name: "redirect-chain",
        severity: Severity::Warning,
        about: "Several redirects in a row.",
        advice: "Let the first redirect lead to the last URL directly.",
        needs: &[],
        how: How::Sql(concat!(
            ends!(),
            "select u.url, t.url as other_url, e.nth || ' redirects' as detail
             from ends e join _url u on u.id = e.start join _url t on t.id = e.id
             left join (select distinct redirect_to as id from _page where redirect_to is not null) q on q.id = e.start
             where q.id is null and e.nth between 2 and 19 and not (t.state = 2 and exists
                     (select 1 from _failure x where x.url_id = t.id and x.kind = 'redirect'))"
        )),
    },
    Finding {
        name: "redirected-link",
        severity: Severity::Notice,
        about: "A link to a URL that redirects.",
        advice: "Link to the URL where the redirect ends.",
        needs: &[Links],
        how: How::Sql(concat!(
            ends!(),
            "select f.url, t.url as other_url, e.url as detail
             from ",
            links!(),
            " join ends r on r.start = t.id and r.nth < 20
             join _url e on e.id = r.id and e.state < 2
             join _page p on p.url_id = e.id and p.status < 400
             where l.element in ('a', 'area', 'iframe', 'frame')
             union
             select f.url, t.url, c.final_url from ",
            links!(),
            " join checks c on c.url = t.url and t.state = 3 and c.verdict = 'ok' and c.final_url <> c.url
             where l.element in ('a', 'area', 'iframe', 'frame')"
        )),
    },
    Finding {
        name: "orphan",
        severity: Severity::Warning,
        about: "A page that a sitemap names or an earlier run knew, and that no page links to: one of the view `orphans`. A \
                sitemap or a redirect is no link.",
        advice: "Link to it from a page that visitors reach, or take it away.",
        needs: &[Links, Whole],
        how: How::Sql(
            "select u.url, null as other_url, case
                 when m.id is not null then 'only a sitemap names it'
                 when q.redirect_to = u.id then 'only a redirect leads there'
                 else 'only earlier runs knew it' end as detail
             from orphans o join _url u on u.url = o.url left join _page q on q.url_id = u.referrer_id
             left join (select distinct to_id as id from _link where element = 'sitemap') m on m.id = u.id
             where m.id is not null or u.first_seen_at < (select started_at from _run order by id desc limit 1)",
        ),
    },
    Finding {
        name: "broken-fragment",
        severity: Severity::Warning,
        about: "A link to a place of a page that the page does not have: no element has such an id, and no anchor such a name.",
        advice: "Correct what stands behind #, or give the element that is meant this id, unless a script does.",
        needs: &[Fragments],
        how: How::Sql(
            "select from_url as url, to_url || '#' || fragment as other_url, nullif(text, '') as detail from broken_fragments",
        ),
    },
    Finding {
        name: "deep",
        severity: Severity::Notice,
        about: "A page that takes more clicks from a seed than `depth`.",
        advice: "Link to it from a page nearer to the start, such as a category or an overview.",
        needs: &[Links, Whole],
        how: How::Rust(depth::deep),
    },
    Finding {
        name: "insecure-link",
        severity: Severity::Warning,
        about: "A link or a frame on a page of https that leads to http.",
        advice: "Link to the https URL.",
        needs: &[Links],
        how: How::Sql(concat!(
            "select f.url, t.url as other_url, l.element || coalesce(', in ' || l.part, '') as detail from ",
            links!(),
            " where f.url like 'https:%' and t.url like 'http:%' and l.element not in ('sitemap', 'redirect')"
        )),
    },
    Finding {
        name: "blocked-link",
        severity: Severity::Notice,
        about: "A URL that pages link to and robots.txt forbids to crawl.",
        advice: "Allow it in robots.txt if search engines are to know it; otherwise link to it with rel=nofollow.",
        needs: &[Links],
        how: How::Sql(concat!(
            "select t.url, min(f.url) as other_url, 'linked to by ' || count(distinct f.id)
                 || case when count(distinct f.id) = 1 then ' page' else ' pages' end as detail from ",
            links!(),
            " where t.state = 3 and t.reason = 'robots' and l.follow and l.element in ('a', 'area', 'iframe', 'frame')
             group by t.url"
        )),
    },
];

const ENDLESS: &str = concat!(
    ends!(),
    "select u.url, null as other_url, 'no end after 20 redirects' as detail
     from ends e join _url u on u.id = e.start where e.nth = 20
     union all
     select u.url, null, x.message from _url u join _failure x on x.url_id = u.id
     where u.state = 2 and x.kind = 'redirect'"
);

/// Which URL of a loop closed it is up to the order in which they were asked for: a loop is told by its least URL.
fn loops(site: &Site<'_>) -> Result<Vec<Found>, ReadError> {
    let mut found = site.ask(ENDLESS)?;
    for found in &mut found {
        let Some(next) = found.detail.as_deref().and_then(led_round).map(str::to_owned) else { continue };
        let Some(round) = round(site, &found.url, &next)? else { continue };
        let Some(least) = (0..round.len()).min_by_key(|at| &round[*at]) else { continue };
        let after = &round[(least + 1) % round.len()];
        found.detail = found.detail.as_ref().map(|detail| detail.replacen(&next, after, 1));
        found.url.clone_from(&round[least]);
    }
    Ok(found)
}

/// The URLs of a loop that a redirect of `last` to `next` closed; None if they are not stored any more.
fn round(site: &Site<'_>, last: &str, next: &str) -> Result<Option<Vec<String>>, ReadError> {
    let sql =
        "select t.url from _url u join _page p on p.url_id = u.id and u.state < 2 join _url t on t.id = p.redirect_to
        where u.url = ?1";
    let mut urls = vec![next.to_owned()];
    while let Some(url) = urls.last().filter(|url| *url != last) {
        let row = if urls.len() <= MAX_HOPS as usize { site.db.first(sql, [url.as_str().into()])? } else { None };
        let Some(row) = row else { return Ok(None) };
        urls.push(row.at(0)?);
    }
    Ok(Some(urls))
}
