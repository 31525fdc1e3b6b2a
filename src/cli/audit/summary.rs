//! An audit for people: how many of what, an example of each, how to mend it, and what was not checked.

use serde_json::Value;

use crate::canonical::CanonicalUrl;
use crate::cli::output::{Answer, CUT, printable};
use crate::cli::table::{Drawn, Room, draw};
use crate::cli::words::counted;
use crate::store::audit::AuditRow;

use super::audited::Audited;
use super::catalogue::CATALOGUE;
use super::compared::{FIXED, NEW};
use super::finding::{Finding, Severity};

/// How many findings there are of each severity.
pub fn totals(audited: &Audited) -> String {
    let counts = Severity::NAMES.iter().zip(audited.counts());
    counts.map(|(name, number)| counted(number, name)).collect::<Vec<_>>().join(", ")
}

/// The findings of one kind, counted.
#[derive(Debug, Default)]
pub struct Count<'a> {
    pub present: u64,
    pub new: u64,
    pub fixed: u64,
    example: Option<&'a AuditRow>,
}

/// Each kind that was found, or found before, in the order of the catalogue.
pub fn counts(audited: &Audited) -> Vec<(&'static Finding, Count<'_>)> {
    let mut counts = Vec::new();
    for finding in CATALOGUE.iter() {
        let mut count = Count::default();
        for row in audited.rows.iter().filter(|row| row.finding == finding.name) {
            match row.state {
                FIXED => count.fixed += 1,
                state => {
                    count.present += 1;
                    count.new += u64::from(state == NEW);
                    count.example = count.example.or(Some(row));
                }
            }
        }
        if count.present + count.fixed > 0 {
            counts.push((finding, count));
        }
    }
    counts
}

pub fn text(audited: &Audited, room: Room) -> String {
    let all = counts(audited);
    // What a column of zeros would take is the examples' room.
    let has =
        |number: fn(&Count<'_>) -> u64| audited.before.is_some() && all.iter().any(|(_, count)| number(count) > 0);
    let (has_new, has_fixed) = (has(|count| count.new), has(|count| count.fixed));
    let site = room.columns().and_then(|_| only_host(&all)).unwrap_or_default();
    let (mut rows, mut advice) = (Vec::new(), String::new());
    for (finding, count) in &all {
        let mut row: Vec<Value> = vec![finding.severity.name().into(), finding.name.into(), count.present.into()];
        row.extend(has_new.then(|| count.new.into()));
        row.extend(has_fixed.then(|| count.fixed.into()));
        row.push(count.example.map(|row| example(row, &site)).unwrap_or_default().into());
        rows.push(row);
        if count.present > 0 {
            advice.push_str(&format!("  {}: {}\n", finding.name, finding.advice));
        }
    }
    let since = audited.before.map_or(String::new(), |run| format!(", compared with run {run}"));
    let of = if site.is_empty() { String::new() } else { format!(" of {}", printable(&site)) };
    let mut text = format!("Run {}{of}{since}: {}\n", audited.run, totals(audited));
    if !rows.is_empty() {
        let mut columns = vec!["severity", "finding", "count"];
        columns.extend(has_new.then_some("new"));
        columns.extend(has_fixed.then_some("fixed"));
        columns.push("example");
        let columns = columns.into_iter().map(str::to_owned).collect();
        let Drawn { text: table, is_cut } = draw(&Answer { columns, rows }, room);
        text.push_str(&format!("\n{table}\n{}", if is_cut { format!("{CUT}\n") } else { String::new() }));
    }
    if !advice.is_empty() {
        text.push_str(&format!("\nHow to fix\n{advice}"));
    }
    text.push_str("\nNot checked\n");
    for gap in &audited.unchecked {
        text.push_str(&format!("  {}: {}\n", gap.what, printable(&gap.why)));
    }
    text
}

/// Characters of an example.
const EXAMPLE: usize = 200;

/// The host of all examples, if it is one.
fn only_host(counts: &[(&Finding, Count<'_>)]) -> Option<String> {
    let examples = counts.iter().filter_map(|(_, count)| count.example);
    let mut hosts = examples.map(|row| Some(CanonicalUrl::parse(&row.url).ok()?.host().as_str().to_owned()));
    let first = hosts.next()??;
    hosts.all(|host| host.as_ref() == Some(&first)).then_some(first)
}

/// Where something was found, in a line; of this site, the path alone.
fn example(row: &AuditRow, site: &str) -> String {
    let shown = |url: &str| match url.strip_prefix(site) {
        Some(path) if path.starts_with('/') => path.to_owned(),
        _ => url.to_owned(),
    };
    let mut text = shown(&row.url);
    for (sign, part) in [(" -> ", row.other_url.as_deref().map(shown)), (": ", row.detail.clone())] {
        if let Some(part) = part {
            text.push_str(sign);
            text.push_str(&part);
        }
    }
    if let Some((end, _)) = text.char_indices().nth(EXAMPLE) {
        text.truncate(end);
        text.push('…');
    }
    text
}
