//! An audit for people: how many of what, an example of each, how to mend it, and what was not checked.

use serde_json::Value;

use crate::cli::output::{Answer, CUT, printable};
use crate::cli::table::{Drawn, Room, draw};
use crate::cli::words::counted;
use crate::store::audit::AuditRow;

use super::audited::Audited;
use super::catalogue::CATALOGUE;
use super::compared::{FIXED, NEW};
use super::finding::{Finding, Severity};

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
    let (mut rows, mut advice) = (Vec::new(), String::new());
    for (finding, count) in counts(audited) {
        let numbers = [count.present, count.new, count.fixed].map(Value::from);
        let words = [finding.severity.name(), finding.name].map(Value::from);
        let example = count.example.map(example).unwrap_or_default();
        rows.push(words.into_iter().chain(numbers).chain([example.into()]).collect());
        if count.present > 0 {
            advice.push_str(&format!("  {}: {}\n", finding.name, finding.advice));
        }
    }
    let counts: Vec<_> =
        Severity::NAMES.iter().zip(audited.counts()).map(|(name, number)| counted(number, name)).collect();
    let since = audited.before.map_or(String::new(), |run| format!(", compared with run {run}"));
    let mut text = format!("Run {}{since}: {}\n", audited.run, counts.join(", "));
    if !rows.is_empty() {
        let columns = ["severity", "finding", "count", "new", "fixed", "example"].map(str::to_owned).into();
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

/// Where something was found, in a line.
fn example(row: &AuditRow) -> String {
    let mut text = row.url.clone();
    for (sign, part) in [(" -> ", &row.other_url), (": ", &row.detail)] {
        if let Some(part) = part {
            text.push_str(sign);
            text.push_str(part);
        }
    }
    if let Some((end, _)) = text.char_indices().nth(EXAMPLE) {
        text.truncate(end);
        text.push('…');
    }
    text
}
