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
        about: "A host of https some of whose pages come without Strict-Transport-Security, or with one that says nothing \
                (`max-age=0`).",
        advice: "Send Strict-Transport-Security, so that browsers never ask this host by http.",
        needs: &[],
        how: How::Rust(|site| {
            lacking(site, |url, headers| {
                url.starts_with("https:")
                    && !first(headers, "strict-transport-security").is_some_and(|value| is_strict(&value))
            })
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
            lacking(site, |url, headers| first(headers, "content-security-policy").is_none() && !policies.contains(url))
        }),
    },
    Finding {
        name: "nosniff-missing",
        severity: Severity::Notice,
        about: "A host some of whose pages come without X-Content-Type-Options: nosniff.",
        advice: "Send X-Content-Type-Options: nosniff, so that browsers take a file only for what it is sent as.",
        needs: &[],
        how: How::Rust(|site| {
            lacking(site, |_, headers| {
                !first(headers, "x-content-type-options").is_some_and(|value| is_nosniff(&value))
            })
        }),
    },
];

/// The first value of a header among those that are stored: a JSON array of names, in lower case, with their values.
fn first(headers: &str, name: &str) -> Option<String> {
    if !headers.contains(&format!("[\"{name}\",\"")) {
        return None;
    }
    let headers: Vec<(String, String)> = serde_json::from_str(headers).unwrap_or_default();
    headers.into_iter().find(|(present, _)| present == name).map(|(_, value)| value)
}

/// Whether browsers keep to https for a time (RFC 6797, 6.1.1).
fn is_strict(value: &str) -> bool {
    let directives = value.split(';').filter_map(|directive| directive.split_once('='));
    let mut ages = directives.filter(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"));
    let age = ages.next().map(|(_, age)| age.trim().trim_matches('"'));
    age.is_some_and(|age| age.bytes().all(|byte| byte.is_ascii_digit()) && age.bytes().any(|byte| byte != b'0'))
}

/// Whether browsers take it for that (Fetch standard, "determine nosniff").
fn is_nosniff(value: &str) -> bool {
    value.split(',').next().is_some_and(|first| first.trim().eq_ignore_ascii_case("nosniff"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_counts_if_browsers_go_by_it() {
        for value in ["max-age=31536000", "includeSubDomains; Max-Age=1; preload", "max-age=\"10\""] {
            assert!(is_strict(value), "{value}");
        }
        for value in ["max-age=0", "", "includeSubDomains", "max-age=soon", "max-age=", "max-age=-1"] {
            assert!(!is_strict(value), "{value}");
        }
        for (value, counts) in
            [("nosniff", true), (" NoSniff , nosniff", true), ("none", false), ("", false), ("x, nosniff", false)]
        {
            assert_eq!(is_nosniff(value), counts, "{value}");
        }
    }

    #[test]
    fn the_first_of_several_lines_of_a_header_is_read() {
        let headers = r#"[["server","\"x-content-type-options\""],["x-content-type-options","a"],["x-content-type-options","b"]]"#;
        assert_eq!(first(headers, "x-content-type-options").as_deref(), Some("a"));
        assert_eq!(first(headers, "content-security-policy"), None);
        assert_eq!(first("[[\"server\",\"x\"]", "server"), None, "what is no JSON has no headers");
    }
}
