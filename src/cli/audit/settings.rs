//! The table `[audit]` of the settings file: what counts as too long, slow or thin, and what is to be left out.

use std::time::Duration;

use regex::Regex;
use serde::Deserialize;

use crate::cli::suggest::nearest;
use crate::config::kinds::{Kind as _, Size, Span};

/// What an audit goes by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Characters of a title, at least and at most.
    pub title: Bounds,
    /// Characters of a description.
    pub description: Bounds,
    /// A response that takes longer is slow.
    #[serde(deserialize_with = "Span::read")]
    pub slow: Duration,
    /// A body of more bytes is heavy.
    #[serde(deserialize_with = "Size::read")]
    pub heavy: u64,
    /// A page that takes more clicks is deep.
    pub depth: u32,
    /// A page of fewer words is thin.
    pub thin: u64,
    ignore: Vec<toml::Spanned<String>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            title: Bounds { least: 10, most: 60 },
            description: Bounds { least: 50, most: 160 },
            slow: Duration::from_secs(2),
            heavy: 2 << 20,
            depth: 5,
            thin: 100,
            ignore: Vec::new(),
        }
    }
}

/// `[least, most]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "[u32; 2]")]
pub struct Bounds {
    pub least: u32,
    pub most: u32,
}

impl TryFrom<[u32; 2]> for Bounds {
    type Error = &'static str;

    fn try_from([least, most]: [u32; 2]) -> Result<Self, Self::Error> {
        if least <= most { Ok(Self { least, most }) } else { Err("write the smaller number first, such as [10, 60]") }
    }
}

/// Findings of a name that are left out: all, or those of URLs like this.
#[derive(Debug)]
pub struct Ignored {
    name: String,
    urls: Option<Regex>,
}

impl Ignored {
    /// Whether a finding is ignored wherever it is.
    pub fn is_all_of(&self, finding: &str) -> bool {
        self.name == finding && self.urls.is_none()
    }

    pub fn is_about(&self, finding: &str, url: &str) -> bool {
        self.name == finding && self.urls.as_ref().is_none_or(|urls| urls.is_match(url))
    }
}

/// What is wrong with the table, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    pub line: usize,
    pub problem: String,
}

/// The settings file, as far as an audit reads it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    audit: Settings,
}

/// What the TOML reader says, with what was probably meant by a key that there is not.
fn in_words(message: &str) -> String {
    let names: Vec<_> = message.split('`').skip(1).step_by(2).collect();
    match names.as_slice() {
        [unknown, known @ ..] if message.starts_with("unknown field ") => {
            let near = nearest(unknown, known.iter().copied());
            let near = near.map_or_else(|| ".".to_owned(), |near| format!(": did you mean `{near}`?"));
            format!("[audit] has no key `{unknown}`{near} There are {}", known.join(", "))
        }
        _ => message.replace('\n', " "),
    }
}

/// Reads the table; `names` are the findings that there are.
pub fn read(text: &str, names: &[&str]) -> Result<(Settings, Vec<Ignored>), Wrong> {
    let line = |at: usize| text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1;
    let file: File = toml::from_str(text)
        .map_err(|e| Wrong { line: line(e.span().map_or(0, |span| span.start)), problem: in_words(e.message()) })?;
    let mut ignored = Vec::new();
    for entry in &file.audit.ignore {
        let (name, urls) = match entry.get_ref().trim().split_once(char::is_whitespace) {
            Some((name, urls)) => (name, Some(urls.trim())),
            None => (entry.get_ref().trim(), None),
        };
        if !names.contains(&name) {
            let problem = format!("ignore: there is no finding `{name}`; there are {}", names.join(", "));
            return Err(Wrong { line: line(entry.span().start), problem });
        }
        let pattern = urls.map(|urls| format!("^(?s:{})$", regex::escape(urls).replace(r"\*", ".*")));
        let urls = pattern.map(|pattern| Regex::new(&pattern)).transpose();
        let too_long = |_| Wrong { line: line(entry.span().start), problem: "ignore: the URL is too long".to_owned() };
        let urls = urls.map_err(too_long)?;
        ignored.push(Ignored { name: name.to_owned(), urls });
    }
    Ok((file.audit, ignored))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_has_its_default_and_other_settings_do_not_matter() {
        let (settings, ignored) =
            read("rate = 2\n[audit]\nslow = '500ms'\nheavy = '1MiB'\ntitle = [1, 70]", &[]).unwrap();
        let expected = Settings {
            slow: Duration::from_millis(500),
            heavy: 1 << 20,
            title: Bounds { least: 1, most: 70 },
            ..Settings::default()
        };
        assert_eq!((settings, ignored.len()), (expected, 0));
        assert_eq!(read("rate = 2", &[]).unwrap().0, Settings::default());
    }

    #[test]
    fn what_cannot_be_is_told_with_its_line() {
        for (text, line, words) in [
            ("[audit]\ntitel = [1, 2]", 2, "[audit] has no key `titel`: did you mean `title`?"),
            ("[audit]\nxyz = 1", 2, "[audit] has no key `xyz`. There are title, "),
            ("[audit]\n\ntitle = [60, 10]", 3, "the smaller number first"),
            ("[audit]\ntitle = 60", 2, "expected an array"),
            ("[audit]\nslow = 'soon'", 2, "such as 90s"),
            ("[audit]\nheavy = '2 apples'", 2, "unknown unit"),
            ("[audit]\ndepth = -1", 2, "u32"),
            ("[audit]\nignore = [\n  'slow',\n  'fat']", 4, "no finding `fat`"),
            ("[audit", 1, "]"),
        ] {
            let wrong = read(text, &["slow"]).unwrap_err();
            assert!(wrong.line == line && wrong.problem.contains(words), "{text}: {wrong:?}");
        }
    }

    #[test]
    fn findings_are_ignored_by_name_or_by_name_and_url() {
        let text = "[audit]\nignore = ['thin', 'slow https://example.com/big/*']";
        let (_, ignored) = read(text, &["thin", "slow"]).unwrap();
        let is_ignored = |name, url| ignored.iter().any(|ignored| ignored.is_about(name, url));
        assert!(is_ignored("thin", "https://example.com/"));
        assert!(is_ignored("slow", "https://example.com/big/one?a=1"));
        assert!(!is_ignored("slow", "https://example.com/small"));
        assert!(!is_ignored("slow", "https://example.com/x/https://example.com/big/"));
        assert!(!is_ignored("heavy", "https://example.com/big/one"));
    }
}
