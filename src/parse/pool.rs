//! Parsing within bounds: so many bytes at once, on a thread that may block, and for so long.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::Body;
use super::deadline::Deadline;
use super::memory::{Held, Memory};
pub use super::threads::JobPanicked;
use super::threads::Threads;

/// Bytes that the tree of a document takes at most, and those of a small one for each of its bytes.
const TREE: usize = 12 << 20;
const TREE_TIMES: usize = 28;
/// Bytes of a document, of its text and of what is read out of it, for each of its bytes.
const TEXT_TIMES: usize = 3;
/// Larger documents are parsed on a blocking thread, so that they hold up no other task of the runtime's thread.
const INLINE_COST: usize = 256 << 10;
/// Smaller ones that take longer than this are begun anew on a blocking thread.
const INLINE_TIME: Duration = Duration::from_millis(50);
/// How long a document is parsed there.
const THREAD_TIME: Duration = Duration::from_secs(2);
/// How long it is skimmed after that, which takes no more than its length is worth.
const SKIM_TIME: Duration = Duration::from_secs(30);

/// How far a job came with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt<T> {
    /// To the end of the document.
    Whole(T),
    /// To its deadline.
    CutShort(T),
}

/// Lets documents be parsed as long as threads, memory and time allow it. Shared by all who parse.
#[derive(Debug)]
pub struct ParsePool {
    memory: Memory,
    large: Threads,
    /// Those of `large` that are free.
    threads: Arc<Semaphore>,
}

impl Default for ParsePool {
    /// Half of the cores parse large documents, so that no document holds up the other hosts.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let threads = (cores / 2).max(1);
        Self { memory: Memory::default(), large: Threads::new(threads), threads: Arc::new(Semaphore::new(threads)) }
    }
}

/// A document in memory, with what it takes of the budget.
#[derive(Debug)]
pub struct Admitted {
    pub document: Vec<u8>,
    price: usize,
    held: Held,
    /// A large document has a thread before it has memory: whoever waits for one must not hold bytes that small documents
    /// need.
    thread: Option<OwnedSemaphorePermit>,
}

impl Admitted {
    /// The document, and what it takes of the budget until it is stored.
    pub fn finish(self) -> (Vec<u8>, Held) {
        (self.document, self.held)
    }
}

impl ParsePool {
    /// The budget of bodies and of what is read out of them.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Brings a body into memory once there is room for it and for what is read out of it. One that `unpacks` may hold any
    /// amount.
    pub async fn admit(&self, mut body: Body, unpacks: bool) -> io::Result<Admitted> {
        let length = body.len();
        let price = if unpacks { usize::MAX } else { length * TEXT_TIMES + TREE.min(length * TREE_TIMES) };
        let thread = if length > INLINE_COST || unpacks { self.thread(&mut body).await } else { None };
        let mut held = body.take_held();
        if !self.memory.grow(&mut held, price) {
            // Whoever waits holds nothing; what no budget was asked for may stay where it is.
            if held.bytes() > 0 {
                drop(held);
                body.spill();
            }
            held = self.memory.hold(price).await;
        }
        Ok(Admitted { document: body.load()?, price, held, thread })
    }

    /// A thread for a large document, which leaves the memory to others while it waits.
    async fn thread(&self, body: &mut Body) -> Option<OwnedSemaphorePermit> {
        if let Ok(thread) = self.threads.clone().try_acquire_owned() {
            return Some(thread);
        }
        body.spill();
        self.threads.clone().acquire_owned().await.ok()
    }

    /// Has `job` parse a document until the deadline it is given. The job is called again if it does not come to the end
    /// in the little time that a small document gets at first.
    pub async fn run<T: Send + 'static>(
        &self,
        admitted: &mut Admitted,
        job: impl Fn(&[u8], Deadline) -> Attempt<T> + Send + 'static,
    ) -> Result<T, JobPanicked> {
        if admitted.thread.is_none() {
            let attempt = AssertUnwindSafe(|| job(&admitted.document, Deadline::after(INLINE_TIME, Duration::ZERO)));
            if let Attempt::Whole(found) = std::panic::catch_unwind(attempt).map_err(|_| JobPanicked)? {
                return Ok(found);
            }
            admitted.held = Held::default();
            admitted.thread = self.threads.clone().acquire_owned().await.ok();
            admitted.held = self.memory.hold(admitted.price).await;
        }
        let document = std::mem::take(&mut admitted.document);
        let task = self.large.run(move || {
            let attempt = job(&document, Deadline::after(THREAD_TIME, SKIM_TIME));
            (document, attempt)
        });
        let (document, Attempt::Whole(found) | Attempt::CutShort(found)) = task.await?;
        (admitted.document, admitted.thread) = (document, None);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Instant;

    use futures_util::FutureExt as _;

    use super::super::deadline::PATIENCE;
    use super::*;

    const SMALL: usize = 1_000;
    const LARGE: usize = INLINE_COST + 1;

    async fn admit(pool: &ParsePool, length: usize) -> Admitted {
        pool.admit(vec![7; length].into(), false).await.unwrap()
    }

    #[tokio::test]
    async fn a_small_document_stays_on_its_thread_and_a_large_one_goes_to_another() {
        let pool = ParsePool::default();
        let job = |document: &[u8], _| Attempt::Whole((document.len(), thread::current().id()));
        let here = thread::current().id();
        assert_eq!(pool.run(&mut admit(&pool, SMALL).await, job).await, Ok((SMALL, here)));
        let mut large = admit(&pool, LARGE).await;
        let (length, there) = pool.run(&mut large, job).await.unwrap();
        assert_eq!((length, large.finish().0.len()), (LARGE, LARGE));
        assert_ne!(here, there);
    }

    #[tokio::test]
    async fn a_small_document_that_takes_too_long_is_begun_anew_with_more_time() {
        let pool = ParsePool::default();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let job = move |_: &[u8], deadline: Deadline| {
            counted.fetch_add(1, Ordering::Relaxed);
            let left = deadline.at.saturating_duration_since(Instant::now());
            Attempt::CutShort((left, deadline.skim, thread::current().id()))
        };
        let mut small = admit(&pool, SMALL).await;
        let (time, skim, there) = pool.run(&mut small, job).await.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        assert!(time > INLINE_TIME * PATIENCE && skim > Duration::ZERO && there != thread::current().id());
        assert_eq!(small.finish().1.bytes(), SMALL * (TEXT_TIMES + TREE_TIMES));
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_takes_nothing_from_the_pool() {
        let pool = ParsePool::default();
        for length in [SMALL, LARGE].repeat(5) {
            let ended: Result<(), _> = pool.run(&mut admit(&pool, length).await, |_, _| panic!("a test")).await;
            assert_eq!(ended, Err(JobPanicked));
        }
        assert!(pool.memory.hold(usize::MAX).now_or_never().is_some());
        assert!(pool.run(&mut admit(&pool, LARGE).await, |_, _| Attempt::Whole(())).await.is_ok());
    }

    #[tokio::test]
    async fn a_document_waits_for_bytes_and_a_small_one_for_no_thread() {
        let pool = ParsePool::default();
        let all = pool.memory.hold(usize::MAX).await;
        let mut waiting = Box::pin(admit(&pool, SMALL));
        assert!((&mut waiting).now_or_never().is_none());
        drop(all);
        drop(waiting.await);
        let threads = u32::try_from(pool.threads.available_permits()).unwrap();
        let all_threads = pool.threads.acquire_many(threads).await.unwrap();
        let mut body = Body::default();
        body.push(&vec![7; LARGE], &pool.memory).unwrap();
        let mut large = Box::pin(pool.admit(body, false));
        assert!((&mut large).now_or_never().is_none());
        assert!(pool.memory.hold(usize::MAX).now_or_never().is_some(), "whoever waits holds nothing");
        assert!(pool.run(&mut admit(&pool, SMALL).await, |_, _| Attempt::Whole(())).now_or_never().is_some());
        drop(all_threads);
        assert_eq!(large.await.unwrap().document.len(), LARGE);
    }
}
