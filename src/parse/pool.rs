//! Parsing within bounds: so many bytes at once, on a thread that may block, and for so long.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// Bytes of documents being parsed at once: a tree takes up to 28 times its input.
const BUDGET: usize = 4 << 20;
/// Larger documents are parsed on a blocking thread, so that they hold up no other task of the runtime's thread.
const INLINE_COST: usize = 256 << 10;
/// Smaller ones that take longer than this are begun anew on a blocking thread.
const INLINE_TIME: Duration = Duration::from_millis(50);
/// How long a document is parsed there.
const THREAD_TIME: Duration = Duration::from_secs(2);

/// How far a job came with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt<T> {
    /// To the end of the document.
    Whole(T),
    /// To its deadline.
    CutShort(T),
}

/// The job panicked, which is a defect of the parser: nothing is known of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the document could not be parsed")]
pub struct JobPanicked;

/// Lets documents be parsed as long as threads, memory and time allow it. Shared by all who parse.
#[derive(Debug)]
pub struct ParsePool {
    /// Bytes of documents.
    budget: Semaphore,
    /// Blocking threads.
    threads: Semaphore,
}

impl Default for ParsePool {
    /// Half of the cores parse large documents, so that no document holds up the other hosts.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Self { budget: Semaphore::new(BUDGET), threads: Semaphore::new((cores / 2).max(1)) }
    }
}

impl ParsePool {
    /// Has `job` parse `document` until the deadline it is given, and gives the document back. `cost`: bytes that the
    /// document has once it is unpacked, as far as known. The job is called again if it does not come to the end in the
    /// little time that a small document gets at first.
    pub async fn run<T: Send + 'static>(
        &self,
        document: Vec<u8>,
        cost: usize,
        job: impl Fn(&[u8], Instant) -> Attempt<T> + Send + 'static,
    ) -> Result<(Vec<u8>, T), JobPanicked> {
        let bytes = u32::try_from(cost.clamp(1, BUDGET)).unwrap_or(u32::MAX);
        if cost <= INLINE_COST {
            let _bytes = self.budget.acquire_many(bytes).await;
            let attempt = AssertUnwindSafe(|| job(&document, Instant::now() + INLINE_TIME));
            if let Attempt::Whole(found) = std::panic::catch_unwind(attempt).map_err(|_| JobPanicked)? {
                return Ok((document, found));
            }
        }
        // The thread first: whoever waits for one must not hold bytes that small documents need.
        let _thread = self.threads.acquire().await;
        let _bytes = self.budget.acquire_many(bytes).await;
        let task = tokio::task::spawn_blocking(move || {
            let attempt = job(&document, Instant::now() + THREAD_TIME);
            (document, attempt)
        });
        let (document, Attempt::Whole(found) | Attempt::CutShort(found)) = task.await.map_err(|_| JobPanicked)?;
        Ok((document, found))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use futures_util::FutureExt as _;

    use super::*;

    const SMALL: usize = INLINE_COST;
    const LARGE: usize = INLINE_COST + 1;

    #[tokio::test]
    async fn a_small_document_stays_on_its_thread_and_a_large_one_goes_to_another() {
        let pool = ParsePool::default();
        let job = |document: &[u8], _| Attempt::Whole((document.len(), thread::current().id()));
        let here = thread::current().id();
        assert_eq!(pool.run(vec![1, 2], SMALL, job).await, Ok((vec![1, 2], (2, here))));
        let (document, (length, there)) = pool.run(vec![1, 2], LARGE, job).await.unwrap();
        assert_eq!((document, length), (vec![1, 2], 2));
        assert_ne!(here, there);
    }

    #[tokio::test]
    async fn a_small_document_that_takes_too_long_is_begun_anew_with_more_time() {
        let pool = ParsePool::default();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let job = move |_: &[u8], deadline: Instant| {
            counted.fetch_add(1, Ordering::Relaxed);
            Attempt::CutShort((deadline.saturating_duration_since(Instant::now()), thread::current().id()))
        };
        let (_, (time, there)) = pool.run(Vec::new(), SMALL, job).await.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        assert!(time > INLINE_TIME && there != thread::current().id());
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_takes_nothing_from_the_pool() {
        let pool = ParsePool::default();
        for cost in [SMALL, LARGE, usize::MAX].repeat(3) {
            let ended: Result<(_, ()), _> = pool.run(Vec::new(), cost, |_, _| panic!("a test")).await;
            assert_eq!(ended, Err(JobPanicked));
        }
        assert!(pool.run(Vec::new(), usize::MAX, |_, _| Attempt::Whole(())).await.is_ok());
    }

    #[tokio::test]
    async fn a_document_waits_for_bytes_and_a_small_one_for_no_thread() {
        let pool = ParsePool::default();
        let job = |_: &[u8], _| Attempt::Whole(());
        let all_bytes = pool.budget.acquire_many(u32::try_from(BUDGET).unwrap()).await.unwrap();
        let mut waiting = Box::pin(pool.run(Vec::new(), 1, job));
        assert_eq!((&mut waiting).now_or_never(), None);
        drop(all_bytes);
        assert!(waiting.await.is_ok());
        let threads = u32::try_from(pool.threads.available_permits()).unwrap();
        let _all_threads = pool.threads.acquire_many(threads).await.unwrap();
        let mut large = Box::pin(pool.run(Vec::new(), usize::MAX, job));
        assert_eq!((&mut large).now_or_never(), None);
        assert!(pool.run(Vec::new(), SMALL, job).now_or_never().is_some());
    }
}
