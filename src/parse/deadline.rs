//! How long a document may take.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A thread that computes for less than one part in so many of the time is not waited for any longer.
pub(super) const PATIENCE: u32 = 20;

/// Until when a document is read, and what becomes of the rest. It counts what the thread that made it computes: a machine
/// that is busy with other things reads no less of a document, only later.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    computed: Duration,
    /// When it is over at the latest, whatever was computed.
    pub(super) at: Instant,
    /// For how long its links and words are read after that, without its structure.
    pub(super) skim: Duration,
}

/// What is left to do with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    All,
    /// To read its links and words.
    Skim,
    Nothing,
}

impl Deadline {
    /// For a document that this thread reads from now on.
    pub fn after(time: Duration, skim: Duration) -> Self {
        Self { computed: computed() + time, at: Instant::now() + time * PATIENCE, skim }
    }

    /// On the thread that reads.
    pub(super) fn left(&self) -> Left {
        self.left_at(computed(), Instant::now())
    }

    fn left_at(&self, computed: Duration, now: Instant) -> Left {
        let waited = now.checked_duration_since(self.at);
        match (computed.checked_sub(self.computed), waited) {
            (Some(late), _) if late >= self.skim => Left::Nothing,
            (_, Some(late)) if late >= self.skim * PATIENCE => Left::Nothing,
            (None, None) => Left::All,
            _ => Left::Skim,
        }
    }
}

/// What this thread has computed since it began.
fn computed() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let [seconds, nanoseconds] = [time.tv_sec, time.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_waits_loses_nothing_and_one_that_computes_comes_to_its_deadline() {
        let deadline = Deadline::after(Duration::from_millis(20), Duration::from_millis(20));
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(deadline.left(), Left::All);
        let mut seen = vec![Left::All];
        while seen.last() != Some(&Left::Nothing) {
            let left = deadline.left();
            if seen.last() != Some(&left) {
                seen.push(left);
            }
        }
        assert_eq!(seen, [Left::All, Left::Skim, Left::Nothing]);
    }

    #[test]
    fn a_thread_that_hardly_gets_to_compute_ends_all_the_same() {
        const TIME: Duration = Duration::from_secs(2);
        let (deadline, begin) = (Deadline::after(TIME, TIME), Instant::now());
        let left = |times: u32| deadline.left_at(deadline.computed - TIME, begin + TIME * times);
        assert_eq!([1, PATIENCE - 1, PATIENCE + 1].map(left), [Left::All, Left::All, Left::Skim]);
        assert_eq!(left(2 * PATIENCE + 1), Left::Nothing);
    }
}
