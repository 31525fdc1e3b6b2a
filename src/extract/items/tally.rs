//! What became of rules on all the pages that they were tried on.

use std::collections::BTreeMap;

use indexmap::IndexMap;

/// Of each item rule by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub rules: IndexMap<String, RuleTally>,
    /// Pages on which something was bounded.
    pub bounded: BTreeMap<Bound, u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleTally {
    /// Pages whose URL its `where` matches.
    pub tried: u64,
    /// Pages on which it found an item, complete or not.
    pub matched: u64,
    pub items: u64,
    /// Items that were left out because a required field was not there or could not be read.
    pub incomplete: u64,
    /// Of each field by its name, one within another as `author.name`.
    pub fields: IndexMap<String, FieldTally>,
}

/// How often a field took its default, or null.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FieldTally {
    /// There was no value.
    pub absent: u64,
    /// There was one that could not be read as asked.
    pub unreadable: u64,
}

/// What of a page, or of what rules make of it, was more than is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// The time for a page ended.
    Time,
    /// Items of a page.
    Items,
    /// Bytes of a page's items, or of the text that was read for them.
    Bytes,
    /// Levels at which `:has()` looks.
    Depth,
}

impl Bound {
    /// What was bounded, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Time => "the time for a page ended before all rules were tried",
            Self::Items => "a page has more than 10,000 items; the others were left out",
            Self::Bytes => "a page's items are larger than 16 MiB; the rest was left out",
            Self::Depth => "`:has()` looked 200 levels deep, and not below",
        }
    }
}

impl RuleTally {
    /// What became of the rule of this name, in a line.
    pub fn told(&self, name: &str) -> String {
        match self {
            Self { tried: 0, .. } => return format!("{name}: its `where` matches no page's URL"),
            Self { matched: 0, tried, .. } => {
                return format!("{name}: never matched, tried on {}", pages_of(*tried));
            }
            _ => {}
        }
        let mut line =
            format!("{name}: {} on {} of {}", counted(self.items, "item"), self.matched, pages_of(self.tried));
        if self.incomplete > 0 {
            let left = counted(self.incomplete, "item");
            line.push_str(&format!("; left out for want of a required field: {left}"));
        }
        for (field, FieldTally { absent, unreadable }) in &self.fields {
            let parts = [(absent, "not there"), (unreadable, "not readable")];
            let parts = parts.iter().filter(|(times, _)| **times > 0);
            let parts: Vec<_> = parts.map(|(times, what)| format!("{what} {}", counted(**times, "time"))).collect();
            line.push_str(&format!("; {field}: {}", parts.join(", ")));
        }
        line
    }
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

pub fn pages_of(number: u64) -> String {
    counted(number, "page")
}

impl Tally {
    pub fn merge(&mut self, other: Self) {
        for (name, theirs) in other.rules {
            let ours = self.rules.entry(name).or_default();
            ours.tried += theirs.tried;
            ours.matched += theirs.matched;
            ours.items += theirs.items;
            ours.incomplete += theirs.incomplete;
            for (field, theirs) in theirs.fields {
                let ours = ours.fields.entry(field).or_default();
                ours.absent += theirs.absent;
                ours.unreadable += theirs.unreadable;
            }
        }
        for (bound, pages) in other.bounded {
            *self.bounded.entry(bound).or_default() += pages;
        }
    }
}
