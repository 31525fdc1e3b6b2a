//! What a case is made of: what a host does, and what the crawl must record of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::raw::{Act, answer, say};

/// A page that is told by its title.
pub const READ: &str = "<title>read</title>";
/// A link to it, which each host serves at `/read`.
pub const LINK: &str = "<a href=/read>read</a>";
/// In what a host sends, this stands for its own URL without a path.
pub const ORIGIN: &str = "ORIGIN";

/// A host, its behaviour, and what becomes of its URLs.
pub struct Case {
    pub name: &'static str,
    /// What is asked for first: a path, or a URL in which `PORT` stands for the server's.
    pub seed: &'static str,
    pub is_tls: bool,
    /// Done before a request is read, which then never is.
    pub greeting: Option<Vec<Act>>,
    pub answers: BTreeMap<&'static str, Vec<Act>>,
    /// For each path the words that the record must hold: `200 title=read`, `failed closed`, `skipped robots`.
    pub expected: Vec<(&'static str, &'static str)>,
}

/// A host whose `/` answers so.
pub fn case(name: &'static str, root: Vec<Act>, expected: &'static str) -> Case {
    Case::new(name, expected).at("/", root)
}

/// A host that does so as soon as somebody connects.
pub fn greeting(name: &'static str, acts: Vec<Act>, expected: &'static str) -> Case {
    Case { greeting: Some(acts), ..Case::new(name, expected) }
}

/// A host that does so when it is asked for its robots.txt; `/` is a page.
pub fn robots(name: &'static str, acts: Vec<Act>, expected: &'static str) -> Case {
    case(name, html(READ), expected).at("/robots.txt", acts)
}

/// A host whose certificate or handshake is tried.
pub fn tls(name: &'static str, acts: Vec<Act>, expected: &'static str) -> Case {
    // The hello has no target.
    Case { is_tls: true, ..Case::new(name, expected).at("", acts) }
}

/// A URL that leads to no host of the table.
pub fn nowhere(name: &'static str, seed: &'static str, expected: &'static str) -> Case {
    Case { seed, ..Case::new(name, expected) }
}

impl Case {
    fn new(name: &'static str, expected: &'static str) -> Self {
        let (is_tls, greeting, answers) = Default::default();
        Self { name, seed: "/", is_tls, greeting, answers, expected: vec![("/", expected)] }
    }

    /// Answers another path too.
    pub fn at(mut self, path: &'static str, acts: Vec<Act>) -> Self {
        self.answers.insert(path, acts);
        self
    }

    /// Expects something of another path too.
    pub fn and(mut self, path: &'static str, expected: &'static str) -> Self {
        self.expected.push((path, expected));
        self
    }
}

/// 200 with these header lines and this body.
pub fn ok(lines: &[&str], body: impl AsRef<[u8]>) -> Vec<Act> {
    say(answer(200, lines, body))
}

/// 200 with HTML.
pub fn html(body: impl AsRef<[u8]>) -> Vec<Act> {
    ok(&["Content-Type: text/html"], body)
}

/// HTML with more header lines.
pub fn html_with(lines: &[&str], body: impl AsRef<[u8]>) -> Vec<Act> {
    ok(&[&["Content-Type: text/html"], lines].concat(), body)
}

/// 200 with plain text.
pub fn text(body: impl AsRef<[u8]>) -> Vec<Act> {
    ok(&["Content-Type: text/plain"], body)
}

/// 302 to there.
pub fn moved(location: &str) -> Vec<Act> {
    say(answer(302, &[&format!("Location: {location}")], ""))
}

/// Silence until the other side gives up.
pub fn silence() -> Act {
    Act::Wait(Duration::from_secs(3600))
}

/// The same bytes for ever, ten times a second.
pub fn trickle(bytes: &str) -> Act {
    Act::Forever(bytes.into(), Duration::from_millis(100))
}

/// The same bytes for ever, half a megabyte in a second.
pub fn stream(bytes: &str) -> Act {
    Act::Forever(bytes.repeat(32 << 10).into(), Duration::from_millis(60))
}

/// The same bytes for ever, as fast as they are read.
pub fn flood(bytes: &[u8]) -> Act {
    Act::Forever(bytes.repeat(1 + 65_536 / bytes.len()), Duration::ZERO)
}

/// An answer in pieces: these acts follow its beginning.
pub fn then(mut beginning: Vec<Act>, acts: impl IntoIterator<Item = Act>) -> Vec<Act> {
    beginning.extend(acts);
    beginning
}
