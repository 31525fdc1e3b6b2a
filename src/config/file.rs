//! Settings read from TOML, whose keys are the long options of the command line.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::declare::Keys;
use super::options::Config;

/// Keys of a settings file that concern how the command line runs a crawl: a library has no use for them.
const OF_THE_COMMAND_LINE: [&str; 10] =
    ["database", "index", "extract", "rules", "json", "fail-on", "wait-lock", "success-file", "log-file", "metrics"];

/// Tables of a settings file that another command than `crawl` reads.
const OF_OTHER_COMMANDS: [&str; 1] = ["audit"];

/// A text that is no settings file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TomlError {
    /// It is no TOML.
    #[error("line {line}: {problem}")]
    Syntax {
        /// From 1 on.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// No option has this name.
    #[error("line {line}: unknown key `{key}`")]
    UnknownKey {
        /// From 1 on.
        line: usize,
        /// As it is written.
        key: String,
    },
    /// A value that the option cannot have.
    #[error("line {line}: {key}: {problem}")]
    Value {
        /// From 1 on.
        line: usize,
        /// The name of the option.
        key: String,
        /// What is wrong with the value.
        problem: String,
    },
}

impl Config {
    /// Settings from TOML, the same as that of the command line: its keys are the long options without the hyphens.
    /// What concerns the command line alone, such as `json`, is left out. What is missing is the default.
    ///
    /// ```
    /// use harvestman::{Config, TomlError};
    ///
    /// let config = Config::from_toml("rate = 0.5\nmax-duration = '5h'")?;
    /// assert_eq!(config.rate, 0.5);
    /// let error = Config::from_toml("rate = 0.5\nmax-depht = 3").unwrap_err();
    /// assert_eq!(error, TomlError::UnknownKey { line: 2, key: "max-depht".into() });
    /// # Ok::<(), TomlError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first key or value that no option can have, with its line.
    pub fn from_toml(text: &str) -> Result<Self, TomlError> {
        let mut config = Self::default();
        read_toml(text, &mut config, &mut CommandLine)?;
        Ok(config)
    }
}

/// Settings that the command line alone makes use of.
struct CommandLine;

impl Keys for CommandLine {
    fn knows(&self, key: &str) -> bool {
        OF_THE_COMMAND_LINE.contains(&key)
    }

    fn is_secret(&self, _: &str) -> bool {
        false
    }

    fn read<'de, A: MapAccess<'de>>(&mut self, _: &str, map: &mut A) -> Result<(), A::Error> {
        map.next_value::<IgnoredAny>().map(|_| ())
    }
}

/// Reads settings of two kinds from one text. A key that neither of them knows is an error.
pub(crate) fn read_toml<A: Keys, B: Keys>(text: &str, crawl: &mut A, other: &mut B) -> Result<(), TomlError> {
    let place = Place::default();
    let settings = Settings { crawl: &mut *crawl, other: &mut *other, place: &place };
    let read = toml::Deserializer::parse(text).and_then(|toml| settings.deserialize(toml));
    let is_secret = |key: &str| crawl.is_secret(key) || other.is_secret(key);
    read.map_err(|e| {
        let line = e.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        match place.into_inner() {
            Some((key, false)) => TomlError::UnknownKey { line, key },
            Some((key, true)) => {
                let message = if is_secret(&key) { without_value(e.message()) } else { e.message() };
                TomlError::Value { line, problem: in_words(message), key }
            }
            None => TomlError::Syntax { line, problem: e.message().replace('\n', " ") },
        }
    })
}

/// What is expected of a value of another type, which the reader repeats.
fn without_value(message: &str) -> &str {
    message.rfind("expected ").filter(|_| message.starts_with("invalid ")).map_or(message, |at| &message[at..])
}

/// What the TOML reader says, for someone who does not know its types.
fn in_words(message: &str) -> String {
    let theirs_and_ours = [
        ("expected f64", "expected a number"),
        ("expected u32", "expected a whole number"),
        ("expected u64", "expected a whole number"),
        ("expected usize", "expected a whole number"),
        ("expected a boolean", "expected true or false"),
        ("expected a string", "expected a text in quotes"),
        ("expected a sequence", "expected a list, such as [\"...\"]"),
    ];
    let message = message.replace('\n', " ");
    theirs_and_ours.iter().fold(message, |message, (theirs, ours)| message.replace(theirs, ours))
}

/// The key that is being read, and whether it is known.
type Place = RefCell<Option<(String, bool)>>;

struct Settings<'a, A, B> {
    crawl: &'a mut A,
    other: &'a mut B,
    place: &'a Place,
}

impl<'de, A: Keys, B: Keys> DeserializeSeed<'de> for Settings<'_, A, B> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, A: Keys, B: Keys> Visitor<'de> for Settings<'_, A, B> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        loop {
            let is_of_another = |key: &str| OF_OTHER_COMMANDS.contains(&key);
            let knows = |key: &str| self.crawl.knows(key) || self.other.knows(key) || is_of_another(key);
            let Some(key) = map.next_key_seed(Key { knows: &knows, place: self.place })? else { return Ok(()) };
            if is_of_another(&key) {
                map.next_value::<IgnoredAny>()?;
            } else if self.crawl.knows(&key) {
                self.crawl.read(&key, &mut map)?;
            } else {
                self.other.read(&key, &mut map)?;
            }
        }
    }
}

/// A key is judged while it is read, so that the error has its place.
struct Key<'a, F> {
    knows: &'a F,
    place: &'a Place,
}

impl<'de, F: Fn(&str) -> bool> DeserializeSeed<'de> for Key<'_, F> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<String, D::Error> {
        let key = <String as serde::Deserialize>::deserialize(from)?;
        let is_known = (self.knows)(&key);
        self.place.replace(Some((key.clone(), is_known)));
        if is_known { Ok(key) } else { Err(D::Error::custom("unknown key")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_as_the_command_line_reads_it() {
        let text =
            "rate = 5\nmax-depth = 2\nno-bodies = true\nrecrawl-after = 'auto'\ninclude = ['a', 'b']\njson = true
                    [audit]\nthin = 50";
        let config = Config::from_toml(text).unwrap();
        assert_eq!((config.rate, config.max_depth, config.store_bodies), (5.0, Some(2), false));
        assert_eq!(config.include.len(), 2);
    }

    #[test]
    fn an_error_names_line_and_key() {
        let error = |text| Config::from_toml(text).unwrap_err();
        assert_eq!(error("rate = 1\nspeed = 2\n"), TomlError::UnknownKey { line: 2, key: "speed".into() });
        assert_eq!(error("no-proxy = true"), TomlError::UnknownKey { line: 1, key: "no-proxy".into() });
        assert_eq!(error("max_depth = 1"), TomlError::UnknownKey { line: 1, key: "max_depth".into() });
        let wrong = error("# one\n\nretries = 'many'");
        assert_eq!(wrong.to_string(), "line 3: retries: invalid type: string \"many\", expected a whole number");
        let secret = error("header = 'Authorization: Bearer expected'");
        assert_eq!(secret.to_string(), "line 1: header: expected a list, such as [\"...\"]");
        assert!(matches!(error("a = 1\nrate = = 3"), TomlError::Syntax { line: 2, .. }));
        assert!(matches!(error("include = ['(']"), TomlError::Value { line: 1, .. }));
    }
}
