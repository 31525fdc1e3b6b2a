//! Threads for jobs that take long or much memory. They are few and always the same ones: an allocator keeps for each thread
//! what that thread once needed at most, so that many threads would keep it many times.

use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// The job panicked, which is a defect of the parser: nothing is known of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the document could not be parsed")]
pub struct JobPanicked;

type Job = Box<dyn FnOnce() + Send>;

/// So many threads, begun with the first job. They end when this is dropped.
#[derive(Debug)]
pub(super) struct Threads {
    count: usize,
    jobs: OnceLock<Sender<Job>>,
}

impl Threads {
    pub(super) fn new(count: usize) -> Self {
        Self { count, jobs: OnceLock::new() }
    }

    /// Has one of the threads do a job, once it is free.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JobPanicked> {
        let (tell, told) = oneshot::channel();
        let job = move || {
            let done = std::panic::catch_unwind(AssertUnwindSafe(job));
            // Whoever waited may be gone.
            let _ = tell.send(done);
        };
        // A job that finds no thread is dropped, which ends the wait.
        let _ = self.jobs.get_or_init(|| start(self.count)).send(Box::new(job));
        told.await.map_err(|_| JobPanicked)?.map_err(|_| JobPanicked)
    }
}

fn start(count: usize) -> Sender<Job> {
    let (jobs, queue) = channel();
    let queue = Arc::new(Mutex::new(queue));
    for _ in 0..count {
        let queue = Arc::clone(&queue);
        // Without any thread the queue is closed.
        let _ = thread::Builder::new().name("documents".into()).spawn(move || work(&queue));
    }
    jobs
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        job();
    }
}
