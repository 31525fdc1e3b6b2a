//! What an audit hands over to be stored.

use crate::visit::Millis;

/// The findings of a run, which take the place of those that an earlier audit of it had.
#[derive(Debug)]
pub struct Audit<'a> {
    pub run: i64,
    pub at: Millis,
    /// What can be found: name, severity, advice.
    pub kinds: Vec<[&'static str; 3]>,
    pub findings: &'a [AuditRow],
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    pub finding: &'static str,
    pub url: String,
    pub other_url: Option<String>,
    pub detail: Option<String>,
    pub state: &'static str,
}

impl Audit<'_> {
    /// So many are written by one statement.
    pub const ROWS: usize = 1_000;
}
