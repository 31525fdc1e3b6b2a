//! An audit as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), which code hosts and editors show.

use serde_json::{Value, json};

use super::audited::Audited;
use super::catalogue::CATALOGUE;
use super::compared::{FIXED, NEW};
use super::finding::Severity;

/// Section 3.27.10.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "note",
    }
}

pub fn document(audited: &Audited) -> Value {
    let rules: Vec<_> = CATALOGUE
        .iter()
        .map(|finding| {
            json!({
                "id": finding.name,
                "shortDescription": { "text": finding.about },
                "help": { "text": finding.advice },
                "defaultConfiguration": { "level": level(finding.severity) },
            })
        })
        .collect();
    let place = |url: &str| json!({ "physicalLocation": { "artifactLocation": { "uri": url } } });
    let results = audited.rows.iter().filter_map(|row| {
        let index = CATALOGUE.iter().position(|finding| finding.name == row.finding)?;
        let finding = &CATALOGUE[index];
        let mut message = finding.about.trim_end_matches('.').to_owned();
        for part in [&row.other_url, &row.detail].into_iter().flatten() {
            message.push_str(": ");
            message.push_str(part);
        }
        let baseline = match row.state {
            NEW => "new",
            FIXED => "absent",
            _ => "unchanged",
        };
        let mut result = json!({
            "ruleId": row.finding,
            "ruleIndex": index,
            "level": level(finding.severity),
            "message": { "text": message },
            "locations": [place(&row.url)],
            "baselineState": baseline,
        });
        if let Some(other) = &row.other_url {
            result["relatedLocations"] = json!([place(other)]);
        }
        Some(result)
    });
    let notifications: Vec<_> = audited
        .unchecked
        .iter()
        .map(|gap| json!({ "level": "note", "message": { "text": format!("Not checked: {}: {}", gap.what, gap.why) } }))
        .collect();
    let results: Vec<_> = results.collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "harvestman", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": notifications }],
            "results": results,
        }],
    })
}
