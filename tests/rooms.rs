//! The arrows among the files of `src`: between rooms they point down only, and nowhere do they form a circle.
//!
//! A file uses another if it names it in a path, in a `use` or elsewhere, or declares it as a private module: what is
//! private to a file is there to be used by it. `pub mod` alone is only a place. What is under `#[cfg(test)]` does not count, nor
//! do files called `tests`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

/// A room uses those of a lower rank. Those of one rank do not know each other from the third on.
const RANKS: [(&str, u8); 16] = [
    ("canonical", 0),
    ("warc", 0),
    ("demo", 0),
    ("visit", 1),
    ("config", 1),
    ("scope", 2),
    ("policy", 2),
    ("parse", 2),
    ("frontier", 3),
    ("fetch", 3),
    ("extract", 3),
    ("store", 3),
    ("engine", 4),
    ("read", 4),
    ("cli", 5),
    ("lib", 6),
];
const APART: u8 = 3;

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

static MODULE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?m)^\s*(pub )?(?:pub\([a-z]+\) )?mod (\w+);"));
static USE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?m)^\s*(?:pub(?:\([a-z]+\))? )?use\s+([\w:{}*,\s]+);"));
static PATH: LazyLock<Regex> = LazyLock::new(|| regex(r"(?:^|[^\w:.])(\w+(?:::\w+)+)"));

/// Which files each file uses.
type Graph = BTreeMap<String, BTreeSet<String>>;

fn graph() -> Graph {
    let mut files = source::files();
    files.remove("main");
    files.retain(|name, _| name.split('/').all(|part| part != "tests"));
    let names: BTreeSet<_> = files.keys().cloned().collect();
    files.iter().map(|(name, text)| (name.clone(), used(name, &without_tests(text), &names))).collect()
}

/// A file's code without its comments and what is under `#[cfg(test)]`.
fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut skipped: Option<usize> = None;
    for line in source::code(text) {
        let indent = line.len() - line.trim_start().len();
        match skipped {
            Some(end) if indent == end && line.trim_end().ends_with(['}', ';']) => skipped = None,
            Some(_) => {}
            None if line.trim() == "#[cfg(test)]" => skipped = Some(indent),
            None => {
                kept.push_str(line);
                kept.push('\n');
            }
        }
    }
    kept
}

fn used(name: &str, code: &str, names: &BTreeSet<String>) -> BTreeSet<String> {
    let own: Vec<&str> = if name == "lib" { vec![] } else { name.split('/').collect() };
    let mut used = BTreeSet::new();
    let mut children = Vec::new();
    for found in MODULE.captures_iter(code) {
        let child = [&own[..], &[found.get(2).unwrap().as_str()]].concat().join("/");
        children.push(found[2].to_owned());
        if found.get(1).is_none() {
            used.insert(child);
        }
    }
    for path in paths(code, &children) {
        used.insert(resolved(&own, &path, names));
    }
    used.remove(name);
    used
}

/// The paths that begin in this crate: of `use` declarations, and in the code.
fn paths(code: &str, children: &[String]) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let split = |path: &str| path.split("::").map(str::to_owned).collect::<Vec<_>>();
    let begins_here = |path: &[String]| {
        ["crate", "super", "self"].contains(&path[0].as_str()) || children.iter().any(|child| *child == path[0])
    };
    for found in USE.captures_iter(code) {
        let tree: String = found[1].replace(" as ", "@").chars().filter(|c| !c.is_whitespace()).collect();
        let whole = leaves("", &tree);
        paths.extend(whole.iter().map(|path| split(path.split('@').next().unwrap())).filter(|path| begins_here(path)));
    }
    let rest = USE.replace_all(code, "");
    paths.extend(PATH.captures_iter(&rest).map(|found| split(&found[1])).filter(|path| begins_here(path)));
    paths
}

/// The paths of a tree such as `a::{b, c::{d, e}}`.
fn leaves(prefix: &str, tree: &str) -> Vec<String> {
    let Some((head, rest)) = tree.split_once('{') else { return vec![format!("{prefix}{tree}")] };
    let inner = rest.strip_suffix('}').unwrap();
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let prefix = format!("{prefix}{head}");
    parts.iter().filter(|part| !part.is_empty()).flat_map(|part| leaves(&prefix, part)).collect()
}

/// The file that a path leads to: the last of its modules.
fn resolved(own: &[&str], path: &[String], names: &BTreeSet<String>) -> String {
    let mut at: Vec<&str> = own.to_vec();
    for segment in path {
        match segment.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                at.pop();
            }
            segment => {
                at.push(segment);
                if !names.contains(&at.join("/")) {
                    at.pop();
                    break;
                }
            }
        }
    }
    if at.is_empty() { "lib".to_owned() } else { at.join("/") }
}

/// The files of a circle in their order, if there is one.
fn circle(graph: &Graph) -> Option<Vec<String>> {
    fn visit<'g>(graph: &'g Graph, at: &'g str, way: &mut Vec<&'g str>, done: &mut BTreeSet<&'g str>) -> bool {
        if way.contains(&at) {
            way.push(at);
            return true;
        }
        if !done.insert(at) {
            return false;
        }
        way.push(at);
        if graph.get(at).is_some_and(|used| used.iter().any(|next| visit(graph, next, way, done))) {
            return true;
        }
        way.pop();
        false
    }
    let (mut way, mut done) = (Vec::new(), BTreeSet::new());
    graph.keys().any(|file| visit(graph, file, &mut way, &mut done)).then(|| {
        let start = way.iter().position(|file| Some(file) == way.last()).unwrap();
        way[start..].iter().map(|file| (*file).to_owned()).collect()
    })
}

#[test]
fn no_room_uses_one_above_it_or_beside_it_in_the_middle() {
    let rank = |file: &str| {
        let room = file.split('/').next().unwrap();
        let found = RANKS.iter().find(|(name, _)| *name == room);
        (room.to_owned(), found.unwrap_or_else(|| panic!("the room {room} has no rank")).1)
    };
    let mut arrows = 0;
    for (file, used) in graph() {
        let (from_room, from) = rank(&file);
        for target in used {
            let (to_room, to) = rank(&target);
            let is_fine = to_room == from_room || to < from || (to == from && from < APART);
            assert!(is_fine, "{file} uses {target}");
            arrows += 1;
        }
    }
    assert!(arrows > 200, "the test reads the paths of the code: {arrows}");
}

#[test]
fn no_file_is_used_by_what_it_uses() {
    if let Some(circle) = circle(&graph()) {
        panic!("a circle: {}", circle.join(" -> "));
    }
}

#[test]
fn a_circle_is_found_whichever_way_its_arrows_are_written() {
    let names = ["a", "a/b", "a/c", "d"].map(str::to_owned).into();
    let arrows = |file: &str, text: &str| used(file, &without_tests(text), &names).into_iter().collect::<Vec<_>>();
    assert_eq!(arrows("a", "mod b;\npub mod c;\n"), ["a/b"]);
    assert_eq!(arrows("a", "pub mod b;\nfn f() { b::g() }\n"), ["a/b"]);
    assert_eq!(arrows("a/b", "use super::{X, c::{self, Y}};\n"), ["a", "a/c"]);
    assert_eq!(arrows("a/b", "fn f() -> crate::a::c::Z { crate::d::g(\"crate\") }\n"), ["a/c", "d"]);
    assert_eq!(arrows("a/b", "// use super::X;\n#[cfg(test)]\nmod tests {\n    use crate::d::X;\n}\n"), [""; 0]);
    let graph: Graph = [("a", "b"), ("b", "c"), ("c", "b")].map(|(from, to)| (from.into(), [to.into()].into())).into();
    assert_eq!(circle(&graph).unwrap(), ["b", "c", "b"]);
}
