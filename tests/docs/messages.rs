//! Every message of the source stands in docs/messages.md, and that has none that is not in the source.

use std::collections::BTreeSet;
use std::path::Path;

use regex::Regex;

use crate::source;

/// A string literal, whose inside is captured.
const LITERAL: &str = r#""((?:[^"\\]|\\(?s:.))*)""#;

/// What stands between two gaps of a message, if it is more than a word.
fn parts(message: &str) -> impl Iterator<Item = &str> {
    let word = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count() > 1;
    let parts = message.split('…').map(|part| part.trim_matches([' ', ':', ';', ',', '`', '.']));
    parts.filter(move |part| part.split_whitespace().filter(word).count() > 1)
}

/// A literal as it is said: line breaks and escapes gone, `…` for what is filled in.
fn said(literal: &str) -> String {
    let broken = Regex::new(r"\\\n\s*").unwrap().replace_all(literal, "");
    let filled = Regex::new(r"\{[^{}]*\}").unwrap().replace_all(&broken, "…").into_owned();
    filled.replace("\\\"", "\"")
}

/// The code of a file without its tests and comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// What is told to people: by place, each message.
fn messages() -> BTreeSet<(String, String)> {
    let of = |before: &str| Regex::new(&format!("{before}{LITERAL}")).unwrap();
    let errors = of(r"#\[error\(\s*");
    let warnings = of(r"tracing::warn!\(\s*(?:[%?\w\s=.()]+,\s*)*");
    let failures = of(r"Failure::new\(\s*(?:FailureKind::\w+,\s*)?(?:format!\(\s*)?");
    let console = of(r"console\.(?:warn|warn_always|error)\(\s*&?(?:format!\(\s*)?");
    let hints = of(r"format!\(\s*");
    let mut messages = BTreeSet::new();
    for (name, text) in source::files() {
        let code = code(&text);
        let mut patterns = vec![&errors, &warnings, &failures, &console];
        if name == "cli/hints/words" {
            patterns.push(&hints);
        }
        for found in patterns.into_iter().flat_map(|pattern| pattern.captures_iter(&code)) {
            messages.insert((name.clone(), said(&found[1])));
        }
    }
    messages
}

/// The first cells of the document's tables of messages.
fn documented() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/messages.md");
    let text = std::fs::read_to_string(path).unwrap();
    let tables = text.split("| message | why, and what to do |\n|---|---|\n").skip(1);
    let rows = tables.flat_map(|table| table.lines().take_while(|line| line.starts_with("| ")));
    rows.map(|row| row[2..].split(" | ").next().unwrap().to_owned()).collect()
}

#[test]
fn every_message_is_documented_and_nothing_that_nobody_says() {
    let (messages, documented) = (messages(), documented());
    assert!(messages.len() > 150 && documented.len() > 100, "{} {}", messages.len(), documented.len());
    let all = documented.join("\n");
    let missing: Vec<_> = messages
        .iter()
        .filter(|(_, message)| !parts(message).all(|part| all.contains(part)))
        .map(|(place, message)| format!("src/{place}.rs: {message}"))
        .collect();
    assert!(missing.is_empty(), "docs/messages.md lacks\n{}", missing.join("\n"));
    let every = Regex::new(LITERAL).unwrap();
    let literals: Vec<_> = source::files()
        .values()
        .map(|text| code(text))
        .flat_map(|code| every.captures_iter(&code).map(|found| said(&found[1])).collect::<Vec<_>>())
        .collect();
    let literals = literals.join("\n");
    let pieces = documented.iter().flat_map(|row| row.split("; ")).flat_map(parts);
    let stale: Vec<_> = pieces.filter(|part| !literals.contains(part)).collect();
    assert!(stale.is_empty(), "docs/messages.md has what nobody says: {stale:?}");
}
