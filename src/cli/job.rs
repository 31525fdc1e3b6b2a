//! How `crawl` is run: what concerns the caller and not the crawl itself.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::ValueError;
use crate::config::declare::declare_options;
use crate::config::kinds::{File, Flag, Many, Maybe, Span, texts};
use crate::extract::Kind;

use super::threshold::Threshold;

declare_options! {
    /// Options of the command `crawl` that the library does not know.
    #[derive(Debug, Clone)]
    pub struct Job;

    /// The SQLite file, or the URL of a PostgreSQL database.
    database: [String] = "crawl.db".to_owned(), Unstored, Database,
        "SQLite file, created if absent, or a PostgreSQL database: postgres://USER@HOST/DATABASE";
    /// The settings file, if another is meant than the one in the folder.
    config: [Option<PathBuf>] = None, Typed, Maybe<File>,
        "TOML file whose keys are these options' names", "harvestman.toml if present";
    /// Brings the full-text index up to date at the end.
    index: [bool] = false, Unstored, Flag,
        "Index for full-text search at the end, which the first search does otherwise";
    /// What is derived from stored pages at the end.
    extract: [Option<Extraction>] = None, Unstored, Maybe<Extracts>,
        "At the end, derive data from the stored pages: all (if nothing is named), metadata, articles or items", "nothing";
    /// The rules by which items are found then.
    rules: [Option<String>] = None, Unstored, Maybe<RulesFile>,
        "With --extract: find items by this file of rules, or by one that comes with harvestman: product, article, event, job, recipe", "those given last";
    /// The summary as JSON on standard output.
    json: [bool] = false, Unstored, Flag, "Print the closing summary as one JSON object";
    /// The crawl counts as failed if one of them holds in the end.
    fail_on: [Vec<Threshold>] = Vec::new(), Unstored, Many<Thresholds>,
        "Exit with 5 if it holds in the end, e.g. 'failed>10%' (of what was discovered), 'status_5xx>0' or 'gone>=20'; repeatable";
    /// The longest to wait for a database that another crawl holds.
    wait_lock: [Duration] = Duration::ZERO, Unstored, Span, "Wait this long for a database that another crawl holds";
    /// Where the log is written too.
    log_file: [Option<PathBuf>] = None, Unstored, Maybe<File>,
        "Write the log to this file too, after what it holds; --quiet is not for it";
    /// Where it is noted that the crawl went well.
    success_file: [Option<PathBuf>] = None, Unstored, Maybe<File>,
        "If the exit code is 0, note time and figures in this file, in the text format of Prometheus", "none";
    /// Where figures are served.
    metrics: [Option<SocketAddr>] = None, Unstored, Maybe<Address>,
        "Serve figures for Prometheus at /metrics and /healthz there, e.g. 127.0.0.1:9464";
}

/// What `--extract` derives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extraction {
    All,
    One(Kind),
}

impl Extraction {
    /// As it is typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::One(kind) => kind.as_str(),
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        if word == Self::All.as_str() { Some(Self::All) } else { Kind::from_word(word).map(Self::One) }
    }

    pub fn kinds(self) -> Vec<Kind> {
        match self {
            Self::All => Kind::ALL.to_vec(),
            Self::One(kind) => vec![kind],
        }
    }
}

texts! {
    /// What is derived.
    Extracts: Extraction, "WHAT",
        |text| Extraction::from_word(text).ok_or_else(|| ValueError("is all, metadata, articles or items".into())),
        |what| what.as_str().to_owned();
    /// A file of rules, or the name of rules that come with the program.
    RulesFile: String, "FILE", |text| Ok(text.to_owned()), Clone::clone;
    /// The name of a database.
    Database: String, "DATABASE", |text| Ok(text.to_owned()), Clone::clone;
    /// When a crawl counts as failed.
    Thresholds: Threshold, "THRESHOLD", |text| text.parse().map_err(ValueError), |threshold| threshold.as_str().to_owned();
    /// An address to listen on.
    Address: SocketAddr, "ADDRESS", |text| text.parse().map_err(|_| ValueError("invalid socket address syntax".into())),
        SocketAddr::to_string;
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::config::declare::Memory;

    use super::*;

    #[test]
    fn a_settings_file_of_the_command_line_serves_the_library_too() {
        for option in Job::OPTIONS.iter().filter(|option| option.memory != Memory::Typed) {
            assert!(Config::from_toml(&format!("{} = true", option.name)).is_ok(), "{}", option.name);
        }
    }
}
