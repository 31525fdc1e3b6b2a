//! Findings about headers that a host leaves out: once a host, for one setting of its server mends them all.

use std::collections::BTreeMap;

use crate::read::ReadError;

use super::finding::Need::Bodies;
use super::finding::{Finding, Found, How, Severity, Site};
use super::sql::pages;
use crate::cli::words::counted;

pub const FINDINGS: [Finding; 3] = [
    Finding {
        name: "hsts-missing",
        severity: Severity::Warning,
        about: "A host of https some of whose pages come without Strict-Transport-Security.",
        advice: "Send Strict-Transport-Security, so that browsers never ask this host by http.",
        needs: &[],
        how: How::Rust(|site| {
            lacking(site, |url, headers| url.starts_with("https:") && !has(headers, "strict-transport-security"))
        }),
    },
    Finding {
        name: "csp-missing",
        severity: Severity::Notice,
        about: "A host some of whose pages come without a Content-Security-Policy, in the header or in the document.",
        advice: "Send a Content-Security-Policy that names where scripts may come from.",
        needs: &[Bodies],
        how: How::Rust(|site| {
            let policies = &site.heads()?.policies;
            lacking(site, |url, headers| !has(headers, "content-security-policy") && !policies.contains(url))
        }),
    },
    Finding {
        name: "nosniff-missing",
        severity: Severity::Notice,
        about: "A host some of whose pages come without X-Content-Type-Options: nosniff.",
        advice: "Send X-Content-Type-Options: nosniff, so that browsers take a file only for what it is sent as.",
        needs: &[],
        how: How::Rust(|site| lacking(site, |_, headers| !has(headers, "x-content-type-options"))),
    },
];

/// Whether a header is among those that are stored: a JSON array of names, in lower case, with their values.
fn has(headers: &str, name: &str) -> bool {
    headers.contains(&format!("[\"{name}\",\""))
}

/// Of each host that has pages which lack something the first of these.
fn lacking(site: &Site<'_>, lacks: impl Fn(&str, &str) -> bool) -> Result<Vec<Found>, ReadError> {
    let sql = concat!("select u.url, u.host_id, p.headers from ", pages!(), " order by u.depth, u.url");
    let mut hosts: BTreeMap<i64, (String, u64, u64)> = BTreeMap::new();
    for row in site.db.query(sql, [])? {
        let row = row?;
        let (url, headers): (&str, &str) = (row.at(0)?, row.at(2)?);
        let (first, lacking, pages) = hosts.entry(row.at(1)?).or_default();
        *pages += 1;
        if lacks(url, headers) {
            *lacking += 1;
            if first.is_empty() {
                url.clone_into(first);
            }
        }
    }
    let hosts = hosts.into_values().filter(|(_, lacking, _)| *lacking > 0);
    Ok(hosts.map(|(url, lacking, pages)| Found::new(url, format!("{lacking} of {}", counted(pages, "page")))).collect())
}
