//! Deriving data from stored pages: bodies are read, derived from on all cores, and what was derived is kept, batch by batch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::extract::derive::{Derived, Stored, derive, failed};
use crate::extract::items::{Rules, Tally};
use crate::extract::{Kind, Wanted, near};
use crate::store::derived::{DerivedError, Derives, Lacking};
use crate::visit::UrlId;

/// Pages of a batch, and bytes of their bodies. A body that is larger is a batch by itself.
const PAGES: i64 = 128;
const BYTES: u64 = 8 << 20;
/// What a thread that derives has of stack: documents are walked recursively by what turns them into Markdown.
const STACK: usize = 16 << 20;
/// Pairs of near articles that are kept.
pub const MAX_NEAR: usize = 10_000_000;

/// What became of the pages.
#[derive(Debug, Default)]
pub struct Extracted {
    pub pages: u64,
    /// Pages that said more than is kept, or took longer than a page may.
    pub cut_short: Vec<String>,
    /// Pages that could not be read.
    pub failed: Vec<String>,
    pub tally: Tally,
    /// There are more pairs of near articles than are kept.
    pub too_many_near: bool,
}

/// Where in the pages the next batch is looked for.
#[derive(Debug)]
struct Place {
    after: UrlId,
    /// Nothing before it is left out.
    from_start: bool,
}

impl Place {
    /// Where others work on the same pages, each begins elsewhere.
    fn new(last: Option<UrlId>) -> Self {
        let after = last.map(|last| fastrand::i64(0..=last.max(0)));
        Self { after: after.unwrap_or(UrlId::MIN), from_start: after.is_none() }
    }

    /// Goes back to the first page. False if that is where it began.
    fn wrap(&mut self) -> bool {
        self.after = UrlId::MIN;
        !std::mem::replace(&mut self.from_start, true)
    }
}

/// Derives what is wanted and lacks, page by page in the order of their rows, and `tell`s of how many pages that is
/// done. If it is killed, what was kept stays.
///
/// `shares`: others may do the same at the same time.
pub async fn extract<D: Derives + Send>(
    database: &mut D,
    wanted: &Wanted,
    rules: Option<Arc<Rules>>,
    shares: bool,
    mut tell: impl FnMut(u64),
) -> Result<Extracted, DerivedError> {
    let mut extracted = Extracted::default();
    database.drop_gone().await?;
    let last = if shares { Some(database.last_page().await?) } else { None };
    let mut place = Place::new(last);
    let mut done: Vec<Derived> = Vec::new();
    loop {
        let mut batch = database.lacking(wanted, place.after, PAGES).await?;
        if batch.is_empty() {
            database.keep(&std::mem::take(&mut done), wanted).await?;
            if place.wrap() {
                continue;
            }
            break;
        }
        tell(extracted.pages);
        cut_to_fit(&mut batch);
        place.after = batch.last().map_or(place.after, |page| page.id);
        let (pages, rules) = (database.load(&batch).await?, rules.clone());
        let work = tokio::task::spawn_blocking(move || derive_all(&pages, rules.as_deref()));
        // What was derived last is written while the next is derived.
        let twice = database.keep(&std::mem::take(&mut done), wanted).await?;
        if twice > 0 {
            place = Place::new(last);
        }
        let (derived, tally) = work.await.map_err(|e| DerivedError(e.to_string()))?;
        extracted.take(&derived, tally);
        done = derived;
    }
    database.keep(&done, wanted).await?;
    if wanted.has(Kind::Articles) && !database.is_near_current().await? {
        let near = near::near(&database.simhashes().await?, MAX_NEAR);
        extracted.too_many_near = near.cut_short;
        database.keep_near(&near.pairs).await?;
    }
    Ok(extracted)
}

/// Leaves as many pages of a batch as may be in memory at once, at least one.
fn cut_to_fit(batch: &mut Vec<Lacking>) {
    let mut bytes = 0;
    let fits = |page: &&Lacking| {
        bytes += page.size;
        bytes <= BYTES
    };
    let fitting = batch.iter().take_while(fits).count();
    batch.truncate(fitting.max(1));
}

/// Derives from pages on all cores. One that panics costs that page alone.
fn derive_all(pages: &[Stored], rules: Option<&Rules>) -> (Vec<Derived>, Tally) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let next = AtomicUsize::new(0);
    let derived = Mutex::new(Vec::with_capacity(pages.len()));
    let tally = Mutex::new(Tally::default());
    let work = || {
        let mut own = Tally::default();
        while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
            let made = catch_unwind(AssertUnwindSafe(|| derive(page, rules, &mut own)));
            let made = made.unwrap_or_else(|_| failed(page));
            derived.lock().unwrap_or_else(PoisonError::into_inner).push(made);
        }
        tally.lock().unwrap_or_else(PoisonError::into_inner).merge(own);
    };
    std::thread::scope(|threads| {
        for _ in 0..cores.min(pages.len()) {
            // Without a thread, those that there are do it all.
            let _ = std::thread::Builder::new().stack_size(STACK).spawn_scoped(threads, work);
        }
    });
    // Where there is not even one.
    work();
    let mut derived = derived.into_inner().unwrap_or_else(PoisonError::into_inner);
    derived.sort_unstable_by_key(|page: &Derived| page.id);
    (derived, tally.into_inner().unwrap_or_else(PoisonError::into_inner))
}

impl Extracted {
    fn take(&mut self, derived: &[Derived], tally: Tally) {
        self.pages += derived.len() as u64;
        self.cut_short.extend(derived.iter().filter(|page| page.cut_short).map(|page| page.url.clone()));
        self.failed.extend(derived.iter().filter(|page| page.failed).map(|page| page.url.clone()));
        self.tally.merge(tally);
    }
}
