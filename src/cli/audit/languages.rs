//! Findings about languages: what pages say of their own, and of their translations.

use std::collections::HashMap;

use crate::extract::language;
use crate::read::ReadError;

use super::finding::Need::{Metadata, Texts};
use super::finding::{Finding, Found, How, Severity, Site};
use super::language_of_text::{are_alike, beyond_doubt};
use super::language_tag::{self, primary};
use super::sql::{bare, canonical, extracted, pages};

pub const FINDINGS: [Finding; 4] = [
    Finding {
        name: "hreflang-broken",
        severity: Severity::Error,
        about: "A translation that a page names by hreflang and that does not answer with 200, or that robots.txt forbids.",
        advice: "Name a URL that answers with a page.",
        needs: &[Metadata],
        how: How::Sql(concat!(
            "select a.url, t.url as other_url, min(a.name) || ': '
                 || min(coalesce(x.kind, t.reason, cast(q.status as text))) as detail
             from (select u.url, m.name, ",
            bare!("m.value"),
            " as target from ",
            extracted!("metadata"),
            " join _meta_value m on m.url_id = p.url_id and m.source = 'hreflang') a
             join _url t on t.url = a.target
             left join _page q on q.url_id = t.id and t.state < 2
             left join _failure x on x.url_id = t.id and t.state = 2
             where q.status <> 200 or x.kind is not null or (t.state = 3 and t.reason = 'robots')
             group by a.url, t.url"
        )),
    },
    Finding {
        name: "hreflang-unreturned",
        severity: Severity::Warning,
        about: "A translation that a page names by hreflang and that does not name the page in turn.",
        advice: "Name all translations on each of them: search engines ignore those that are named from one side alone.",
        needs: &[Metadata],
        how: How::Sql(concat!(
            // Pairs are looked up and not gone through, for a page may name thousands.
            "with pair as (select p.url_id as from_id, t.id as to_id, min(m.name) as name from ",
            extracted!("metadata"),
            " join _meta_value m on m.url_id = p.url_id and m.source = 'hreflang'
             join _url t on t.url = ",
            bare!("m.value"),
            " group by p.url_id, t.id)
             select u.url, b.url as other_url, pair.name as detail from ",
            pages!(),
            " join pair on pair.from_id = p.url_id
             join (select p.url_id, u.url from ",
            extracted!("metadata"),
            ") b on b.url_id = pair.to_id
             left join pair back on back.from_id = pair.to_id and back.to_id = pair.from_id
             where back.from_id is null and pair.from_id <> pair.to_id and ",
            canonical!()
        )),
    },
    Finding {
        name: "hreflang-code",
        severity: Severity::Warning,
        about: "An hreflang that is no language tag (BCP 47), or of a language or region that there is not.",
        advice: "Write a language such as `en`, with a region of ISO 3166-1 behind it or without, such as `en-GB`, or `x-default`.",
        needs: &[Metadata],
        how: How::Rust(codes),
    },
    Finding {
        name: "language-conflict",
        severity: Severity::Warning,
        about: "A page whose `lang` is another language than that of its text, as far as that is beyond doubt, or than its header \
                Content-Language.",
        advice: "Name the language of the text in the `lang` of `<html>`, and in the header or not at all there.",
        needs: &[Texts],
        how: How::Rust(conflicts),
    },
];

fn codes(site: &Site<'_>) -> Result<Vec<Found>, ReadError> {
    let sql = concat!(
        "select u.url, m.value, m.name from ",
        extracted!("metadata"),
        " join _meta_value m on m.url_id = p.url_id and m.source = 'hreflang'"
    );
    let mut judged: HashMap<String, Option<String>> = HashMap::new();
    let mut found = Vec::new();
    for row in site.db.query(sql, [])? {
        let row = row?;
        let tag: &str = row.at(2)?;
        if !judged.contains_key(tag) {
            // A site has a few languages. One that has many more makes them up.
            if judged.len() >= 1_000 {
                judged.clear();
            }
            judged.insert(tag.to_owned(), language_tag::fault(tag));
        }
        if let Some(Some(fault)) = judged.get(tag) {
            found.push(Found { other_url: row.at(1)?, ..Found::new(row.at::<&str>(0)?, fault) });
        }
    }
    Ok(found)
}

fn conflicts(site: &Site<'_>) -> Result<Vec<Found>, ReadError> {
    let sql = concat!(
        "select u.url, p.language, p.headers, c.text from ",
        pages!(),
        " join _content c on c.url_id = p.url_id where p.language is not null and c.text is not null"
    );
    let mut found = Vec::new();
    for row in site.db.query(sql, [])? {
        let row = row?;
        let (declared, headers, text): (&str, &str, &str) = (row.at(1)?, row.at(2)?, row.at(3)?);
        let Some(declared) = primary(declared) else { continue };
        let of_header = header(headers).filter(|of_header| !are_alike(of_header, &declared));
        // What the detector does not know it takes for its neighbour.
        let of_text = Some(text).filter(|_| language::can_tell(&declared)).and_then(beyond_doubt);
        let of_text = of_text.filter(|of_text| !are_alike(of_text, &declared));
        let detail = match (of_text, of_header) {
            (Some(text), _) => format!("`lang` is {declared}, the text is {text}"),
            (None, Some(header)) => format!("`lang` is {declared}, Content-Language is {header}"),
            (None, None) => continue,
        };
        found.push(Found::new(row.at::<&str>(0)?, detail));
    }
    Ok(found)
}

/// The language of Content-Language (RFC 9110, 8.5), unless it names several.
fn header(headers: &str) -> Option<String> {
    if !headers.contains("\"content-language\"") {
        return None;
    }
    let headers: Vec<(String, String)> = serde_json::from_str(headers).unwrap_or_default();
    let mut named = headers.iter().filter(|(name, _)| name == "content-language").map(|(_, value)| value);
    match (named.next(), named.next()) {
        (Some(value), None) if !value.contains(',') => primary(value),
        _ => None,
    }
}
