//! Findings about JSON-LD, as `extract` read it.

use std::collections::{BTreeMap, BTreeSet};

use crate::extract::structured::short;
use crate::read::ReadError;

use super::finding::Need::Metadata;
use super::finding::{Finding, Found, How, Severity, Site};
use super::rich_results::{self, Node};
use super::sql::extracted;

pub const FINDINGS: [Finding; 2] = [
    Finding {
        name: "jsonld-broken",
        severity: Severity::Error,
        about: "A page with a block of JSON-LD that cannot be read, even if what browsers overlook is overlooked.",
        advice: "Correct it where the detail says: search engines take nothing from such a block.",
        needs: &[Metadata],
        how: How::Sql(concat!(
            "select u.url, null as other_url, min(m.value) as detail from ",
            extracted!("metadata"),
            " join _meta_value m on m.url_id = p.url_id and m.source = 'jsonld' and m.name = '@error' group by u.url"
        )),
    },
    Finding {
        name: "jsonld-incomplete",
        severity: Severity::Warning,
        about: "A page whose JSON-LD describes a thing without what search engines require of its type to show it as a rich \
                result.",
        advice: "Add what the detail names, or take the description out.",
        needs: &[Metadata],
        how: How::Rust(incomplete),
    },
];

/// Faults of a page that are told.
const TOLD: usize = 5;

fn incomplete(site: &Site<'_>) -> Result<Vec<Found>, ReadError> {
    // What belongs to one node has one position.
    let sql = concat!(
        "select u.url, m.position, m.name, m.value from ",
        extracted!("metadata"),
        " join _meta_value m on m.url_id = p.url_id and m.source = 'jsonld' and m.name <> '@error'
         order by u.url, m.position"
    );
    let mut found = Vec::new();
    let mut page = Described::default();
    for row in site.db.query(sql, [])? {
        let row = row?;
        let url: &str = row.at(0)?;
        if page.url != url {
            found.extend(
                std::mem::replace(&mut page, Described { url: url.to_owned(), ..Described::default() }).judge(),
            );
        }
        page.add(row.at(1)?, row.at(2)?, row.at::<Option<&str>>(3)?.unwrap_or_default());
    }
    found.extend(page.judge());
    Ok(found)
}

/// The nodes of a page, each by its `@id` or else its position: several may say something of one thing (JSON-LD 1.1, 4.1).
#[derive(Debug, Default)]
struct Described {
    url: String,
    nodes: BTreeMap<i64, Node>,
}

impl Described {
    fn add(&mut self, position: i64, path: &str, value: &str) {
        let node = self.nodes.entry(position).or_default();
        let mut names = path.split('.');
        match (names.next().unwrap_or_default(), names.next()) {
            ("@id", None) => node.id = Some(value.to_owned()),
            ("@type", None) => drop(node.types.insert(short(value).to_owned())),
            (name, within) => {
                let within = within.filter(|within| !within.starts_with('@')).map(str::to_owned);
                node.properties.entry(name.to_owned()).or_default().extend(within);
            }
        }
    }

    fn judge(self) -> Option<Found> {
        let mut things: BTreeMap<(Option<String>, i64), Node> = BTreeMap::new();
        for (position, node) in self.nodes {
            let key = if node.id.is_some() { (node.id.clone(), 0) } else { (None, position) };
            things.entry(key).or_default().merge(node);
        }
        let faults: BTreeSet<String> = things.values().flat_map(rich_results::lacking).collect();
        let mut told: Vec<_> = faults.iter().take(TOLD).map(String::as_str).collect();
        let more = format!("and {} more", faults.len().saturating_sub(TOLD));
        if faults.len() > TOLD {
            told.push(&more);
        }
        (!told.is_empty()).then(|| Found::new(self.url, told.join("; ")))
    }
}
