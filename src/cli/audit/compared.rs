//! What is new and what is fixed since the audit of the run before.

use std::collections::HashSet;

use crate::store::audit::AuditRow;

use super::finding::Found;

pub const NEW: &str = "new";
pub const OPEN: &str = "open";
pub const FIXED: &str = "fixed";

/// What tells findings of one kind apart.
type Key = (String, Option<String>);

/// The findings of one kind, each with its state: first those that there are, then those of `before` that are gone.
pub fn compare(finding: &'static str, found: Vec<Found>, before: &HashSet<Key>) -> Vec<AuditRow> {
    let mut gone: Vec<_> = before.iter().collect();
    let keys: HashSet<Key> = found.iter().map(|found| (found.url.clone(), found.other_url.clone())).collect();
    gone.retain(|key| !keys.contains(key));
    gone.sort();
    let present = found.into_iter().map(|Found { url, other_url, detail }| {
        let state = if before.contains(&(url.clone(), other_url.clone())) { OPEN } else { NEW };
        AuditRow { finding, url, other_url, detail, state }
    });
    let present: Vec<_> = present.collect();
    let fixed = gone.into_iter().cloned().map(|(url, other_url)| AuditRow {
        finding,
        url,
        other_url,
        detail: None,
        state: FIXED,
    });
    present.into_iter().chain(fixed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_there_is_new_and_what_is_gone_is_fixed() {
        let key = |url: &str, other: Option<&str>| (url.to_owned(), other.map(str::to_owned));
        let before = HashSet::from([key("/a", None), key("/b", Some("/x")), key("/c", None)]);
        let found = vec![Found::new("/a", "changed"), Found::new("/b", "404").with("/y")];
        let rows = compare("thin", found, &before);
        let told: Vec<_> = rows.iter().map(|row| (row.url.as_str(), row.other_url.as_deref(), row.state)).collect();
        let expected = [("/a", None, OPEN), ("/b", Some("/y"), NEW), ("/b", Some("/x"), FIXED), ("/c", None, FIXED)];
        assert_eq!(told, expected);
    }
}
