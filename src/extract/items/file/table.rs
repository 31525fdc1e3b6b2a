//! A table of TOML whose keys are taken out one by one, so that what is left is what nobody knows.

use std::ops::Range;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a file of rules, and where: line and column count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {problem}")]
pub struct RulesError {
    pub line: usize,
    pub column: usize,
    /// What is wrong there, as a sentence without its end.
    pub problem: String,
}

/// A file's text.
#[derive(Clone, Copy)]
pub struct Text<'t>(pub &'t str);

impl Text<'_> {
    pub fn error(self, place: Range<usize>, problem: String) -> RulesError {
        let before = &self.0[..self.0.floor_char_boundary(place.start)];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        RulesError { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1, problem }
    }
}

/// A key, and what it has.
#[derive(Clone)]
pub struct Entry<'t> {
    pub name: &'t str,
    pub key: Range<usize>,
    pub value: &'t Spanned<DeValue<'t>>,
}

impl Entry<'_> {
    /// Where the value is; that of a table is where its key is.
    pub fn place(&self) -> Range<usize> {
        if self.value.get_ref().is_table() { self.key.clone() } else { self.value.span() }
    }
}

pub struct Table<'t> {
    /// In the order of the file, each with whether it was taken.
    entries: Vec<(Entry<'t>, bool)>,
    place: Range<usize>,
}

impl<'t> Table<'t> {
    pub fn new(table: &'t DeTable<'t>, place: Range<usize>) -> Self {
        let entry = |(key, value): (&'t Spanned<std::borrow::Cow<'t, str>>, _)| {
            (Entry { name: key.get_ref(), key: key.span(), value }, false)
        };
        let mut entries: Vec<_> = table.iter().map(entry).collect();
        entries.sort_by_key(|(entry, _)| entry.key.start);
        Self { entries, place }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    pub fn entries(&self) -> impl Iterator<Item = Entry<'t>> {
        self.entries.iter().map(|(entry, _)| entry.clone())
    }

    pub fn find(&self, name: &str) -> Option<Entry<'t>> {
        self.entries.iter().find(|(entry, _)| entry.name == name).map(|(entry, _)| entry.clone())
    }

    pub fn take(&mut self, name: &str) -> Option<Entry<'t>> {
        let (entry, taken) = self.entries.iter_mut().find(|(entry, _)| entry.name == name)?;
        *taken = true;
        Some(entry.clone())
    }

    /// An error if there is a key that nobody took.
    pub fn end(&self, text: Text<'_>, known: &str) -> Result<(), RulesError> {
        match self.entries.iter().find(|(_, taken)| !taken) {
            Some((entry, _)) => Err(text.error(entry.key.clone(), format!("unknown key `{}`: {known}", entry.name))),
            None => Ok(()),
        }
    }
}
