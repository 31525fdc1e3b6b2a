//! What a crawl has come to, in numbers.

/// The URLs that a database knows, by their present state: discovered = fetched + failed + skipped + pending, at every
/// commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Accounting {
    /// All of them.
    pub discovered: i64,
    /// Those whose last request got a response, of any status.
    pub fetched: i64,
    /// Those without a usable response after all tries.
    pub failed: i64,
    /// Those that are deliberately not requested.
    pub skipped: i64,
    /// Those that wait to be requested.
    pub pending: i64,
}

/// What an invocation did, besides the accounting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Tally {
    /// Responses that brought nothing new.
    pub unchanged: i64,
    /// Bytes of bodies received, content coding removed.
    pub bytes: i64,
    /// Requests made, robots.txt included.
    pub requests: i64,
    /// URLs checked that are not crawled.
    pub checked: i64,
}
