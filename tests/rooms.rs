//! The modules' arrows point down only.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

const RANKS: [(&str, u8); 11] = [
    ("canonical", 0),
    ("warc", 0),
    ("visit", 1),
    ("config", 1),
    ("scope", 2),
    ("policy", 2),
    ("parse", 2),
    ("frontier", 3),
    ("fetch", 3),
    ("store", 3),
    ("engine", 4),
];

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn no_module_uses_one_above_it_or_beside_it_in_the_middle() {
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rank = |room: &str| RANKS.iter().find(|(name, _)| *name == room).map(|(_, rank)| *rank);
    let mut arrows = 0;
    for file in files(&src) {
        let inner = file.strip_prefix(&src).unwrap().components().next().unwrap().as_os_str().to_owned();
        let room = inner.to_str().unwrap().trim_end_matches(".rs").to_owned();
        let Some(from) = rank(&room) else { continue };
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let Some(used) = line.strip_prefix("use crate::").map(|rest| rest.split([':', ';']).next().unwrap()) else {
                continue;
            };
            let to = rank(used).unwrap_or_else(|| panic!("{room} uses {used}, which has no rank"));
            assert!(used == room || to < from || (to == from && from != 3), "{room} uses {used}: {line}");
            arrows += 1;
        }
    }
    assert!(arrows > 20, "the test reads the use lines");
}
