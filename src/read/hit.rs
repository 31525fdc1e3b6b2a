//! What a search finds.

/// A page that holds the words.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The canonical URL.
    pub url: String,
    /// Scheme, host and port.
    pub host: String,
    /// The title.
    pub title: Option<String>,
    /// One line around the words, each of which stands between the two characters of [`Hit::MARKS`].
    pub snippet: String,
    /// How well it fits: the higher, the better.
    pub score: f64,
}

impl Hit {
    /// What stands before and after each word that was found in a snippet. Where a page itself has these characters, they
    /// are taken out.
    pub const MARKS: [char; 2] = ['\u{2}', '\u{3}'];
}
