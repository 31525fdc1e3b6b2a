//! Decisions of the program that runs a crawl.

use std::panic::{AssertUnwindSafe, catch_unwind};

use url::Url;

use super::page::Page;

/// What a program that runs a crawl has to say in it. Every method has a default that changes nothing.
///
/// The methods are called by the crawl's workers, several at once, and before the crawl starts: one that takes long holds
/// up its worker. A panic ends neither: it skips the URL, or makes the page a failure.
pub trait Hook: Send + Sync + 'static {
    /// Whether a URL is kept from being fetched, and why: the view `skipped` shows the reason after `hook: `. Asked of
    /// every URL that nothing else keeps from being fetched, seeds included, when it is found, and of those that wait
    /// in the database when the crawl starts. The answer should depend on the URL alone: another crawl may ask again.
    fn skip(&self, url: &Url) -> Option<String> {
        let _ = url;
        None
    }

    /// Shows a response right before it is stored. It may still be lost to a crash, and then arrives once more.
    fn response(&self, page: &Page) {
        let _ = page;
    }
}

impl std::fmt::Debug for dyn Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

/// Asks a hook about a URL; one that panics has the URL skipped.
pub(super) fn ask(hook: &dyn Hook, url: &Url) -> Option<String> {
    catch_unwind(AssertUnwindSafe(|| hook.skip(url))).unwrap_or_else(|_| Some("it panicked".to_owned()))
}
