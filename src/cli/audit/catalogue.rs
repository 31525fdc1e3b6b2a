//! Every kind of finding, the gravest first.

use std::sync::LazyLock;

use super::finding::Finding;
use super::{certificates, checks, content, headers, indexing, jsonld, languages, links, markup, params, titles};

/// All of them, in the order in which they are told.
pub static CATALOGUE: LazyLock<Vec<Finding>> = LazyLock::new(|| {
    let mut all = Vec::new();
    all.extend(links::FINDINGS);
    all.extend(checks::FINDINGS);
    all.extend(indexing::FINDINGS);
    all.extend(titles::FINDINGS);
    all.extend(content::FINDINGS);
    all.extend(markup::FINDINGS);
    all.extend(jsonld::FINDINGS);
    all.extend(languages::FINDINGS);
    all.extend(params::FINDINGS);
    all.extend(headers::FINDINGS);
    all.extend(certificates::FINDINGS);
    all.sort_by_key(|finding| finding.severity);
    all
});

/// The names of all.
pub fn names() -> Vec<&'static str> {
    CATALOGUE.iter().map(|finding| finding.name).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;

    use super::*;
    use crate::cli::audit::finding::Need;

    /// What must be stored, for the documentation.
    fn needed(needs: &[Need]) -> String {
        let words = needs.iter().map(|need| match need {
            Need::Links => "links",
            Need::Bodies => "bodies",
            Need::Texts => "text",
            Need::Sitemaps => "`--sitemaps`",
            Need::Fragments => "`--check fragments`",
            Need::ExternalChecks => "`--check external`",
            Need::ResourceChecks => "`--check resources`",
            Need::Whole => "a crawl to the end",
            Need::Metadata => "`extract metadata`",
            Need::Articles => "`extract articles`",
        });
        words.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn audit_md_lists_every_finding_as_it_is_declared() {
        let mut table =
            String::from("| finding | severity | what it is | what to do | needs |\n|---|---|---|---|---|\n");
        for finding in CATALOGUE.iter() {
            let (name, severity) = (finding.name, finding.severity.name());
            let needs = needed(finding.needs);
            table.push_str(&format!("| `{name}` | {severity} | {} | {} | {needs} |\n", finding.about, finding.advice));
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/audit.md");
        let document = std::fs::read_to_string(&path).unwrap();
        let (start, end) =
            ("<!-- catalogue: made by BLESS=1 cargo test --lib audit_md -->\n", "<!-- end of catalogue -->");
        let (before, rest) = document.split_once(start).unwrap();
        let (_, after) = rest.split_once(end).unwrap();
        let fresh = format!("{before}{start}{table}{end}{after}");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, fresh).unwrap();
        } else {
            assert!(document == fresh, "docs/audit.md is out of date: BLESS=1 writes it anew");
        }
    }

    #[test]
    fn names_differ_and_texts_are_sentences() {
        let different: HashSet<_> = names().into_iter().collect();
        assert_eq!(different.len(), CATALOGUE.len());
        for finding in CATALOGUE.iter() {
            assert!(finding.name.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric()), "{}", finding.name);
            for text in [finding.about, finding.advice] {
                assert!(text.ends_with('.') && !text.contains("  ") && !text.contains('|'), "{}", finding.name);
            }
        }
    }
}
