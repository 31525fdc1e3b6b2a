//! What a crawl was given as its seeds.

use crate::canonical::CanonicalUrl;

/// A seed as it was given, or a line that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedLine {
    /// The URL, or why the text is none.
    pub url: Result<CanonicalUrl, String>,
    /// The number of its line, if it stands in a file.
    pub line: Option<u64>,
    /// The text, without credentials.
    pub given: String,
}

impl From<CanonicalUrl> for SeedLine {
    fn from(url: CanonicalUrl) -> Self {
        Self { given: url.to_string(), url: Ok(url), line: None }
    }
}
