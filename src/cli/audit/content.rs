//! Findings about what pages hold, and what it takes to load them.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::extract::words;
use crate::read::ReadError;

use super::finding::Need::{Bodies, Texts};
use super::finding::{Finding, Found, How, Severity, Site};
use super::sql::pages;
use crate::cli::words as shown;

pub const FINDINGS: [Finding; 7] = [
    Finding {
        name: "soft-404",
        severity: Severity::Warning,
        about: "A page that answers with 200 and says that there is none: its text is that of a page of its host that answers \
                with 404 or 410, or it has less than 150 words and a title that says so.",
        advice: "Answer with 404 or 410, so that search engines forget the URL.",
        needs: &[Texts],
        how: How::Rust(soft_404),
    },
    Finding {
        name: "duplicate",
        severity: Severity::Warning,
        about: "A page that is the same, byte for byte, as another, neither of which names the other as the canonical one.",
        advice: "Redirect one to the other, or name the one that search engines are to show as the canonical one in both.",
        needs: &[Bodies],
        how: How::Sql(concat!(
            "select d.url, m.first as other_url, m.copies || ' copies' as detail
             from (select u.url, p.content_hash, p.canonical_url from ",
            pages!(),
            " where p.size > 0) d
             join (select p.content_hash, min(u.url) as first, count(*) as copies from ",
            pages!(),
            " where p.canonical_url is null or p.canonical_url = u.url group by p.content_hash having count(*) > 1) m
                 on m.content_hash = d.content_hash
             where d.url <> m.first and (d.canonical_url is null or d.canonical_url = d.url)"
        )),
    },
    Finding {
        name: "slow",
        severity: Severity::Warning,
        about: "A response that took longer than `slow`.",
        advice: "See what the server does all the time, and keep the answer in a cache.",
        needs: &[],
        how: How::Rust(slow),
    },
    Finding {
        name: "heavy",
        severity: Severity::Notice,
        about: "A page whose HTML is larger than `heavy`.",
        advice: "Load what is not needed at once later, and take inlined data, styles and images out of the HTML.",
        needs: &[],
        how: How::Rust(heavy),
    },
    Finding {
        name: "thin",
        severity: Severity::Notice,
        about: "A page with fewer words than `thin`.",
        advice: "Say more, join it with another page, or keep it out of search results by noindex.",
        needs: &[Texts],
        how: How::Rust(thin),
    },
    Finding {
        name: "charset-conflict",
        severity: Severity::Warning,
        about: "A page whose Content-Type and document name different encodings, or that says it is UTF-8 and is not.",
        advice: "Name the same in both, and the one that the page is in: the header decides, and text may be shown garbled.",
        needs: &[Bodies],
        how: How::Rust(|site| Ok(site.heads()?.charsets.iter().map(|(url, fault)| Found::new(url, fault)).collect())),
    },
    Finding {
        name: "duplicate-id",
        severity: Severity::Notice,
        about: "A page on which several elements have the same id, so that links, labels and scripts reach only the first.",
        advice: "Give each element an id of its own.",
        needs: &[Bodies],
        how: How::Rust(|site| Ok(site.heads()?.repeated_ids.iter().map(|(url, ids)| Found::new(url, ids)).collect())),
    },
];

/// Goes through the pages with their readable text: URL, title, text.
fn each_text(site: &Site<'_>, mut take: impl FnMut(&str, i64, Option<&str>, &str)) -> Result<(), ReadError> {
    let sql = concat!(
        "select u.url, u.host_id, p.title, c.text from ",
        pages!(),
        " join _content c on c.url_id = p.url_id where c.text is not null"
    );
    for row in site.db.query(sql, [])? {
        let row = row?;
        take(row.at(0)?, row.at(1)?, row.at(2)?, row.at(3)?);
    }
    Ok(())
}

/// What titles of such pages say, in the languages of most of them. `404` alone may be a number of anything.
const SAYS: [&str; 14] = [
    "404 error",
    "error 404",
    "404 not found",
    "404 -",
    "404 |",
    "404:",
    "page not found",
    "not found",
    "nicht gefunden",
    "introuvable",
    "no encontrada",
    "non trovata",
    "não encontrada",
    "niet gevonden",
];

fn says_missing(title: &str) -> bool {
    let title = title.trim().to_lowercase();
    title == "404" || SAYS.iter().any(|words| title.contains(words))
}

/// A page of more words has something to say.
const FEW: u64 = 150;

/// Texts are compared by their hashes, for a site may have many of them.
fn hash(host: i64, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (host, text).hash(&mut hasher);
    hasher.finish()
}

fn soft_404(site: &Site<'_>) -> Result<Vec<Found>, ReadError> {
    let sql = "select u.host_id, c.text from _page p join _url u on u.id = p.url_id and u.state < 2
         join _content c on c.url_id = p.url_id where p.status in (404, 410) and c.text <> ''";
    let mut missing = HashSet::new();
    for row in site.db.query(sql, [])? {
        let row = row?;
        missing.insert(hash(row.at(0)?, row.at(1)?));
    }
    let mut found = Vec::new();
    each_text(site, |url, host, title, text| {
        if missing.contains(&hash(host, text)) {
            found.push(Found::new(url, "the text of a page that is missing"));
        } else if let Some(title) = title.filter(|title| says_missing(title) && words::count(text) < FEW) {
            found.push(Found::new(url, format!("its title: {title}")));
        }
    })?;
    Ok(found)
}

fn thin(site: &Site<'_>) -> Result<Vec<Found>, ReadError> {
    let mut found = Vec::new();
    each_text(site, |url, _, _, text| {
        let words = words::count(text);
        if words < site.settings.thin {
            found.push(Found::new(url, shown::counted(words, "word")));
        }
    })?;
    let heads = site.heads()?;
    found.retain(|found| !heads.is_noindex(&found.url));
    Ok(found)
}

fn slow(site: &Site<'_>) -> Result<Vec<Found>, ReadError> {
    let sql = concat!("select u.url, p.elapsed_ms from ", pages!(), " where p.elapsed_ms > ?1");
    let most = i64::try_from(site.settings.slow.as_millis()).unwrap_or(i64::MAX);
    let rows = site.db.query(sql, [most.into()])?.map(|row| {
        let row = row?;
        let elapsed = std::time::Duration::from_millis(row.at::<i64>(1)?.unsigned_abs());
        Ok(Found::new(row.at::<&str>(0)?, shown::time(elapsed)))
    });
    rows.collect()
}

fn heavy(site: &Site<'_>) -> Result<Vec<Found>, ReadError> {
    let sql = concat!("select u.url, p.size from ", pages!(), " where p.size > ?1");
    let most = i64::try_from(site.settings.heavy).unwrap_or(i64::MAX);
    let rows = site.db.query(sql, [most.into()])?.map(|row| {
        let row = row?;
        Ok(Found::new(row.at::<&str>(0)?, shown::size(row.at(1)?)))
    });
    rows.collect()
}
