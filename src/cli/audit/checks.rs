//! Findings about what was checked and not crawled: links that lead elsewhere, and what pages are put together from.

use super::finding::Need::{ExternalChecks, Links, ResourceChecks};
use super::finding::{Finding, How, Severity};
use super::sql::{links, resources};

pub const FINDINGS: [Finding; 4] = [
    Finding {
        name: "broken-resource",
        severity: Severity::Error,
        about: "An image, a script, a style sheet, a font or another part of a page that answers with a status of 400 or more, or \
                not at all. Of what a style sheet names, that is the place.",
        advice: "Correct the address, or bring the file back.",
        needs: &[ResourceChecks],
        how: How::Sql(concat!(
            "select n.url, n.resource as other_url, n.element || ': ' || coalesce(c.failure, cast(c.status as text))
                 || case when c.final_url = c.url then '' else ' at ' || c.final_url end as detail
             from ",
            resources!(),
            " join checks c on c.url = n.resource and c.verdict = 'broken'"
        )),
    },
    Finding {
        name: "insecure-resource",
        severity: Severity::Warning,
        about: "A part of a page of https that is fetched over http: browsers refuse it, or warn.",
        advice: "Name its https URL.",
        needs: &[ResourceChecks],
        how: How::Sql(concat!(
            "select n.url, n.resource as other_url, n.element as detail from ",
            resources!(),
            " where n.url like 'https:%' and n.resource like 'http:%'"
        )),
    },
    Finding {
        name: "redirected-resource",
        severity: Severity::Notice,
        about: "A part of a page that is reached through a redirect only.",
        advice: "Name the URL where the redirect ends.",
        needs: &[ResourceChecks],
        how: How::Sql(concat!(
            "select n.url, n.resource as other_url, c.final_url as detail from ",
            resources!(),
            " join checks c on c.url = n.resource and c.verdict = 'ok' and c.final_url <> c.url"
        )),
    },
    Finding {
        name: "unsure-link",
        severity: Severity::Notice,
        about: "A link out of the crawl whose target turns crawlers away, or may not be asked for.",
        advice: "Look at it with a browser.",
        needs: &[Links, ExternalChecks],
        how: How::Sql(concat!(
            "select f.url, t.url as other_url, coalesce(c.failure, cast(c.status as text)) as detail from ",
            links!(),
            " join checks c on c.url = t.url and t.state = 3 and c.verdict = 'unsure'
             where l.element in ('a', 'area', 'iframe', 'frame')"
        )),
    },
];
