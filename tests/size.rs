//! Files and functions stay small enough to be read at once, and what reads a crawl asks views alone.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/source.rs"]
mod source;

use std::path::Path;

use regex::Regex;

/// Lines of a file, its tests included.
const FILE: usize = 450;
/// Lines of a function, from its name to its end.
const FUNCTION: usize = 75;

#[test]
fn no_file_is_longer_than_its_bound() {
    let long = source::files().into_iter().filter(|(_, text)| text.lines().count() > FILE);
    assert_eq!(long.map(|(name, _)| name).collect::<Vec<_>>(), [] as [String; 0]);
}

/// The functions of formatted code, each with its number of lines.
fn functions(text: &str) -> Vec<(String, usize)> {
    let head = Regex::new(r"^(\s*)(?:pub(?:\([a-z]+\))? )?(?:default |const |async |unsafe )*fn (\w+)").unwrap();
    let lines: Vec<_> = source::code(text).collect();
    let mut functions = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(found) = head.captures(line) else { continue };
        let is_end = |line: &&&str| {
            let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
            indent == &found[1] && rest.ends_with(['}', ';'])
        };
        let length = lines[start..].iter().position(|line| is_end(&line)).map_or(0, |end| end + 1);
        functions.push((found[2].to_owned(), length));
    }
    functions
}

#[test]
fn no_function_is_longer_than_its_bound() {
    let mut long = Vec::new();
    for (name, text) in source::files() {
        let of_file = functions(&text).into_iter().filter(|(_, length)| *length > FUNCTION);
        long.extend(of_file.map(|(function, _)| (name.clone(), function)));
    }
    assert_eq!(long, []);
    let text =
        "impl A {\n    pub(super) async fn one(\n        a: u8,\n    ) {\n        f();\n    }\n\n    fn two();\n}\n";
    assert_eq!(functions(text), [("one".to_owned(), 5), ("two".to_owned(), 1)]);
}

/// Every table that a migration creates.
fn tables() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let created = Regex::new(r"(?im)^\s*create (?:virtual )?table (\w+)").unwrap();
    let mut tables = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let sql = std::fs::read_to_string(file.unwrap().path()).unwrap();
        tables.extend(created.captures_iter(&sql).map(|found| found[1].to_owned()));
    }
    tables
}

#[test]
fn what_reads_a_crawl_asks_views_and_no_table() {
    let tables = tables();
    assert!(tables.iter().any(|table| table == "page"), "{tables:?}");
    let asks = Regex::new(&format!(r"(?i)\b(?:from|join)\s+(?:main\.)?({})\b", tables.join("|"))).unwrap();
    let mut files = 0;
    for (name, text) in source::files() {
        if ["read", "cli"].contains(&name.split('/').next().unwrap()) {
            let code: String = source::code(&text).flat_map(|line| [line, "\n"]).collect();
            let found = asks.find(&code).map(|found| found.as_str());
            assert_eq!(found, None, "{name} asks a table");
            files += 1;
        }
    }
    assert!(files > 30, "the test reads the files: {files}");
}
