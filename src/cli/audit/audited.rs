//! What an audit found.

use std::collections::HashMap;

use serde_json::Value;

use crate::store::audit::AuditRow;

use super::catalogue::CATALOGUE;
use super::compared::FIXED;
use super::stored::Unchecked;

/// The outcome of an audit.
#[derive(Debug)]
pub struct Audited {
    pub run: i64,
    /// The run that it is compared with.
    pub before: Option<i64>,
    pub rows: Vec<AuditRow>,
    pub unchecked: Vec<Unchecked>,
}

/// The columns of the view `findings`.
pub const COLUMNS: [&str; 8] = ["finding", "severity", "url", "other_url", "detail", "advice", "state", "run"];

impl Audited {
    /// The rows as the view `findings` has them.
    pub fn cells(&self) -> impl Iterator<Item = Vec<Value>> {
        let kinds: HashMap<_, _> = CATALOGUE.iter().map(|finding| (finding.name, finding)).collect();
        self.rows.iter().filter_map(move |row| {
            let kind = kinds.get(row.finding)?;
            let AuditRow { finding, url, other_url, detail, state } = row;
            let (severity, advice) = (kind.severity.name(), kind.advice);
            Some(vec![
                (*finding).into(),
                severity.into(),
                url.as_str().into(),
                other_url.as_deref().into(),
                detail.as_deref().into(),
                advice.into(),
                (*state).into(),
                self.run.into(),
            ])
        })
    }

    /// How many there are of each severity.
    pub fn counts(&self) -> [u64; 3] {
        let kinds: HashMap<_, _> = CATALOGUE.iter().map(|finding| (finding.name, finding.severity)).collect();
        let mut counts = [0; 3];
        for severity in self.rows.iter().filter(|row| row.state != FIXED).filter_map(|row| kinds.get(row.finding)) {
            counts[*severity as usize] += 1;
        }
        counts
    }
}
