//! What must hold of any input, held to the inputs that were kept of fuzzing: each once took a way of its own.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod laws;

use std::panic::catch_unwind;
use std::path::Path;

use laws::{LAWS, Law};

/// The names of the inputs that break a law, and how many there are in all.
fn broken((name, law): (&str, Law)) -> (Vec<String>, usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let kept: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let breaks = |path: &&std::path::PathBuf| catch_unwind(|| law(&std::fs::read(path).unwrap())).is_err();
    (kept.iter().filter(breaks).map(|path| path.display().to_string()).collect(), kept.len())
}

#[test]
fn every_law_holds_of_the_inputs_that_were_kept() {
    let mut all = Vec::new();
    for law in LAWS {
        let (broken, kept) = broken(law);
        assert!(kept > 0, "{} has no inputs", law.0);
        all.extend(broken);
    }
    assert!(all.is_empty(), "these break their law: {all:#?}");
}
