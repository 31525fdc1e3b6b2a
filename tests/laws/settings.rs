//! Settings: whatever is written is taken or refused with its line, and what is stored reads back.

use harvestman::cli::internals::Threshold;
use harvestman::{Config, TomlError};

/// A settings file; a stored document; a condition.
pub fn settings(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let lines = 1 + text.matches('\n').count();
    match Config::from_toml(&text) {
        Ok(config) => stored(&config),
        Err(TomlError::Syntax { line, .. } | TomlError::UnknownKey { line, .. } | TomlError::Value { line, .. }) => {
            assert!((1..=lines).contains(&line), "line {line}");
        }
        Err(_) => {}
    }
    if let Ok(config) = serde_json::from_str::<Config>(&text) {
        stored(&config);
    }
    if let Ok(condition) = text.parse::<Threshold>() {
        let again = condition.as_str().parse::<Threshold>();
        assert_eq!(again.map(|again| again.as_str().to_owned()).as_deref(), Ok(condition.as_str()));
    }
}

/// What is stored is what reads back, but for what is never stored.
fn stored(config: &Config) {
    let written = serde_json::to_string(config).unwrap();
    let again: Config = serde_json::from_str(&written).unwrap_or_else(|e| panic!("{e}: {written}"));
    assert_eq!(serde_json::to_string(&again).unwrap(), written);
}
