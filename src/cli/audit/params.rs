//! Query parameters that make no difference to what a page holds.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use url::form_urlencoded;

use crate::cli::words::counted;
use crate::read::ReadError;

use super::finding::Need::Bodies;
use super::finding::{Finding, Found, How, Severity, Site};
use super::sql::pages;

pub const FINDINGS: [Finding; 1] = [Finding {
    name: "parameter-without-effect",
    severity: Severity::Notice,
    about: "A query parameter that makes no difference: at least three times pages of one path are the same byte for byte whose \
            URLs differ in it alone, or of which one goes without it, and never did it make one.",
    advice: "Link to the URLs without it, and crawl with the option that the detail has.",
    needs: &[Bodies],
    how: How::Rust(without_effect),
}];

/// Pairs of pages that show that a parameter has no effect, at least.
const PAIRS: u64 = 3;
/// A URL of more parameters is not compared.
const MOST_PARAMS: usize = 16;
/// Notes on the URLs of one path at most. Those beyond are compared with the ones that are noted.
const MOST_NOTES: usize = 1_000_000;

/// What is known of a parameter of a host.
#[derive(Debug, Clone, Copy)]
struct Evidence {
    pairs: u64,
    /// The first pair, by the ids of its URLs.
    pair: (i64, i64),
}

/// The evidence on all parameters, gathered path by path.
#[derive(Debug, Default)]
struct Comparison {
    hasher: RandomState,
    /// Parameters that made a difference somewhere. The option takes a name for all hosts.
    effective: HashSet<String>,
    evidence: HashMap<(i64, String), Evidence>,
    path: String,
    /// Of the URLs of the path, by the hash of their query without a parameter, with the name of that, and by that of the whole
    /// query, without: the hash of the content, and the URL.
    notes: HashMap<u64, (u64, i64)>,
}

impl Comparison {
    /// Takes a page; those of one path come one after the other, the shorter URLs first.
    fn take(&mut self, host: i64, id: i64, url: &str, content: &str) {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        if self.path != path {
            path.clone_into(&mut self.path);
            self.notes.clear();
        }
        let content = self.hasher.hash_one(content);
        let whole = self.hasher.hash_one((None::<&str>, query));
        self.note(whole, content, id);
        let pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        if pairs.len() > MOST_PARAMS {
            return;
        }
        let named: Vec<_> = pairs.iter().map(|pair| (name(pair), *pair)).collect();
        let names: HashSet<&str> = named.iter().filter_map(|(name, _)| name.as_deref()).collect();
        for name in names.into_iter().filter(|name| is_plain(name)) {
            if self.effective.contains(name) {
                continue;
            }
            let rest = named.iter().filter(|(other, _)| other.as_deref() != Some(name)).map(|(_, pair)| *pair);
            let rest = rest.collect::<Vec<_>>().join("&");
            let [without, others] = [None, Some(name)].map(|name| self.hasher.hash_one((name, &rest)));
            let known = self.notes.get(&without).or_else(|| self.notes.get(&others)).copied();
            self.note(others, content, id);
            match known {
                Some((same, other)) if same == content => {
                    let first = Evidence { pairs: 0, pair: (other, id) };
                    self.evidence.entry((host, name.to_owned())).or_insert(first).pairs += 1;
                }
                Some(_) => drop(self.effective.insert(name.to_owned())),
                None => {}
            }
        }
    }

    /// What is noted first stays.
    fn note(&mut self, query: u64, content: u64, id: i64) {
        if self.notes.len() < MOST_NOTES {
            self.notes.entry(query).or_insert((content, id));
        }
    }

    /// Parameters without effect, each with its evidence.
    fn without_effect(&self) -> impl Iterator<Item = (&str, Evidence)> {
        let known = self.evidence.iter().filter(|(_, evidence)| evidence.pairs >= PAIRS);
        known
            .map(|((_, name), evidence)| (name.as_str(), *evidence))
            .filter(|(name, _)| !self.effective.contains(*name))
    }
}

/// The name of a parameter, as `--drop-params` reads it.
fn name(pair: &str) -> Option<String> {
    form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.into_owned())
}

/// Whether a name can be pasted into a shell and means itself there and to the option.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:[]$".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
}

fn without_effect(site: &Site<'_>) -> Result<Vec<Found>, ReadError> {
    let sql = concat!(
        "select u.host_id, u.id, u.url, p.content_hash from ",
        pages!(),
        " where p.content_hash is not null and p.size > 0
         order by case when instr(u.url, '?') > 0 then substr(u.url, 1, instr(u.url, '?') - 1) else u.url end,
             length(u.url), u.url"
    );
    let mut comparison = Comparison::default();
    for row in site.db.query(sql, [])? {
        let row = row?;
        comparison.take(row.at(0)?, row.at(1)?, row.at(2)?, row.at(3)?);
    }
    let url_of = |id: i64| match site.db.first("select url from _url where id = ?1", [id.into()])? {
        Some(row) => row.at::<String>(0),
        None => Ok(String::new()),
    };
    let found = comparison.without_effect().map(|(name, Evidence { pairs, pair: (one, other) })| {
        let detail = format!("`{name}` makes no difference in {}: --drop-params '{name}'", counted(pairs, "pair"));
        Ok(Found::new(url_of(other)?, detail).with(url_of(one)?))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parameters without effect, of pages whose URLs and contents are these.
    fn found(pages: &[(&str, &str)]) -> Vec<(String, u64)> {
        let mut pages = pages.to_vec();
        pages.sort_by_key(|(url, _)| (url.split('?').next(), url.len(), *url));
        let mut comparison = Comparison::default();
        for (id, (url, content)) in (1..).zip(pages) {
            comparison.take(1, id, url, content);
        }
        let mut found: Vec<_> =
            comparison.without_effect().map(|(name, evidence)| (name.to_owned(), evidence.pairs)).collect();
        found.sort();
        found
    }

    #[test]
    fn a_parameter_whose_values_never_matter_is_found() {
        let one = [("/?sid=1", "a"), ("/?sid=2", "a"), ("/?sid=3", "a"), ("/?sid=4", "a")];
        assert_eq!(found(&one), [("sid".to_owned(), 3)]);
        let beside = [("/?p=1", "a"), ("/?p=1&sid=1", "a"), ("/?p=2&sid=2", "b"), ("/?sid=3&p=2", "b"), ("/?p=2", "b")];
        assert_eq!(found(&beside), [("sid".to_owned(), 3)], "with and without, wherever it stands");
        let paths = [("/a", "a"), ("/a?ref=x", "a"), ("/b", "b"), ("/b?ref=x", "b"), ("/c", "c"), ("/c?ref=x", "c")];
        assert_eq!(found(&paths), [("ref".to_owned(), 3)], "of several paths");
    }

    #[test]
    fn a_parameter_that_matters_once_or_that_was_seen_too_seldom_is_not() {
        for pages in [
            &[("/?sid=1", "a"), ("/?sid=2", "a"), ("/?sid=3", "a")][..],
            &[("/?p=1", "a"), ("/?p=2", "a"), ("/?p=3", "a"), ("/?p=4", "a"), ("/?p=5", "b")],
            &[("/a?p=1", "a"), ("/a?p=2", "a"), ("/a?p=3", "a"), ("/a?p=4", "a"), ("/b?p=1", "b"), ("/b?p=2", "c")],
            &[("/?a=1&b=1", "a"), ("/?a=2&b=2", "a"), ("/?a=3&b=3", "a"), ("/?a=4&b=4", "a")],
            &[("/a?p=1", "a"), ("/b?p=2", "a"), ("/c?p=3", "a"), ("/d?p=4", "a")],
            &[("/", "start"), ("/?p=1", "a"), ("/?p=2", "a"), ("/?p=3", "a"), ("/?p=4", "a")],
        ] {
            assert_eq!(found(pages), [], "{pages:?}");
        }
    }

    #[test]
    fn what_cannot_be_pasted_is_no_finding() {
        for name in ["a'b", "a%60b", "a*", "a%2Cb", "a?", "%0A", "", "a%20b"] {
            let pages: Vec<_> = (0..5).map(|value| format!("/?{name}={value}")).collect();
            let pages: Vec<_> = pages.iter().map(|url| (url.as_str(), "a")).collect();
            assert_eq!(found(&pages), [], "{name}");
        }
        let pages: Vec<_> = (0..5).map(|value| format!("/?f%5B%5D={value}")).collect();
        let pages: Vec<_> = pages.iter().map(|url| (url.as_str(), "a")).collect();
        assert_eq!(found(&pages), [("f[]".to_owned(), 4)]);
    }
}
