//! `--fail-on`: how many findings of a severity make an audit count as failed.

use crate::cli::threshold::Condition;

use super::finding::Severity;

/// When an audit counts as failed.
#[derive(Debug, Clone)]
pub struct AuditThreshold(usize, Condition);

impl std::str::FromStr for AuditThreshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (severity, condition) = Condition::parse(text, "error>0", &Severity::NAMES)?;
        if condition.is_percent {
            return Err("findings are counted: write a number, such as 0".to_owned());
        }
        Ok(Self(severity, condition))
    }
}

impl AuditThreshold {
    /// If it holds, the condition and the number in words.
    pub fn judge(&self, counts: [u64; 3]) -> Option<String> {
        let counted = counts.get(self.0).copied().unwrap_or_default() as f64;
        self.1.judge(counted, counted)
    }
}
