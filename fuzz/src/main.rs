//! Has libFuzzer look for inputs that break the law which the variable `LAW` names.

#![no_main]

use std::sync::LazyLock;

#[path = "../../tests/laws/mod.rs"]
mod laws;

static LAW: LazyLock<laws::Law> = LazyLock::new(|| {
    let name = std::env::var("LAW").unwrap_or_default();
    let law = laws::LAWS.iter().find(|(known, _)| *known == name);
    law.unwrap_or_else(|| panic!("LAW is one of {:?}", laws::LAWS.map(|(known, _)| known))).1
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| LAW(input));
