//! The way to standard error. Who reads it may be slow, or may have stopped reading: then a write lasts for ever. So a thread of
//! its own writes, and nobody else waits for that longer than a moment.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a write waits for what is written, so that a reader that is merely slow gets all of it.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long the end of the process waits for a reader that takes nothing meanwhile.
const LAST_PATIENCE: Duration = Duration::from_secs(5);
/// Bytes that a pipe takes as one (POSIX, `PIPE_BUF`).
const PART: usize = 4096;
/// Bytes that wait for a reader that does not read; what comes on top is left out.
const MAX_WAITING: usize = 1 << 20;
/// The thread does nothing but write.
const STACK: usize = 128 << 10;

/// Writes in order, and leaves out what finds no room. Clones share what waits.
#[derive(Debug, Clone)]
pub struct Outlet(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Something came to be written.
    came: Condvar,
    /// Something was written.
    went: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<u8>,
    /// Bytes that the thread is writing.
    leaving: usize,
    /// Bytes that were written, from the first on.
    written: u64,
    /// A write waited in vain, and nothing was written since.
    is_stuck: bool,
    /// Writes that found no room since the last that did.
    left_out: u64,
    /// There is no thread, so each write is done by who asks for it.
    is_alone: bool,
}

impl Outlet {
    /// To standard error.
    pub fn stderr() -> Self {
        // Not by the runtime's handle, whose lock whoever else writes there would wait for.
        match io::stderr().as_fd().try_clone_to_owned() {
            Ok(file) => Self::to(File::from(file)),
            Err(_) => Self::to(io::stderr()),
        }
    }

    fn to(mut out: impl Write + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new().name("stderr".into()).stack_size(STACK);
        let of_thread = shared.clone();
        let thread = thread.spawn(move || {
            loop {
                let bytes = of_thread.next();
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let (part, after) = rest.split_at(part_of(rest));
                    // That it cannot be written is ignored: the crawl goes on.
                    let _ = out.write_all(part).and_then(|()| out.flush());
                    of_thread.wrote(part.len());
                    rest = after;
                }
            }
        });
        shared.lock().is_alone = thread.is_err();
        Self(shared)
    }

    /// Whether what is written waits for a reader that does not read.
    pub fn is_stuck(&self) -> bool {
        self.0.lock().is_stuck
    }

    /// Waits until all is written, or until nothing was for a while.
    pub fn drain(&self) {
        let mut queue = self.0.lock();
        while queue.bytes() > 0 {
            let before = queue.written;
            queue = self.0.wait(queue, LAST_PATIENCE);
            if queue.written == before {
                break;
            }
        }
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut queue = self.0.lock();
        if queue.is_alone {
            return io::stderr().write(bytes);
        }
        if !queue.take(bytes) {
            return Ok(bytes.len());
        }
        self.0.came.notify_one();
        let end = queue.written + queue.bytes() as u64;
        let deadline = Instant::now() + PATIENCE;
        while !queue.is_stuck && queue.written < end {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                queue.is_stuck = true;
                break;
            }
            queue = self.0.wait(queue, left);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue>, patience: Duration) -> MutexGuard<'a, Queue> {
        self.went.wait_timeout(queue, patience).unwrap_or_else(PoisonError::into_inner).0
    }

    /// What the thread is to write next.
    fn next(&self) -> Vec<u8> {
        let mut queue = self.lock();
        while queue.waiting.is_empty() {
            queue = self.came.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let bytes = std::mem::take(&mut queue.waiting);
        queue.leaving = bytes.len();
        bytes
    }

    fn wrote(&self, bytes: usize) {
        let mut queue = self.lock();
        queue.leaving -= bytes;
        queue.written += bytes as u64;
        queue.is_stuck = false;
        self.went.notify_all();
    }
}

impl Queue {
    /// Bytes that are not written yet.
    fn bytes(&self) -> usize {
        self.waiting.len() + self.leaving
    }

    /// Whether there was room. What was left out before is told first.
    fn take(&mut self, bytes: &[u8]) -> bool {
        let has_room = self.bytes() + bytes.len() <= MAX_WAITING || self.bytes() == 0;
        if !has_room {
            self.left_out += 1;
            return false;
        }
        if self.left_out > 0 {
            let told = format!("[{} of harvestman's lines left out: nobody read them]\n", self.left_out);
            self.waiting.extend_from_slice(told.as_bytes());
            self.left_out = 0;
        }
        self.waiting.extend_from_slice(bytes);
        true
    }
}

/// How much is written at once: whole lines, so that those of several processes do not mix.
fn part_of(bytes: &[u8]) -> usize {
    let is_end = |byte: &u8| *byte == b'\n';
    let last = bytes.iter().take(PART).rposition(is_end).filter(|_| bytes.len() > PART);
    last.or_else(|| bytes.iter().skip(PART).position(is_end).map(|at| PART + at)).map_or(bytes.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_stops_holds_nobody_up_and_hears_what_was_left_out_when_it_goes_on() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut outlet = Outlet::to(writer);
        outlet.write_all(b"first\n").unwrap();
        assert!(!outlet.is_stuck());
        let line = [b"x".repeat(99_999), b"\n".to_vec()].concat();
        let started = Instant::now();
        for _ in 0..40 {
            outlet.write_all(&line).unwrap();
        }
        outlet.drain();
        assert!(outlet.is_stuck());
        assert!(started.elapsed() < Duration::from_secs(10), "only the first waits: {:?}", started.elapsed());
        let (told, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in io::BufRead::lines(io::BufReader::new(&mut reader)) {
                told.send(line.unwrap()).unwrap();
            }
        });
        assert_eq!(heard.recv().unwrap(), "first");
        outlet.drain();
        outlet.write_all(b"last\n").unwrap();
        let rest: Vec<_> = std::iter::from_fn(|| heard.recv().ok()).take_while(|line| line != "last").collect();
        let (whole, told): (Vec<_>, Vec<_>) = rest.into_iter().partition(|line| line.len() == 99_999);
        let left_out = 40 - whole.len();
        assert!((1..40).contains(&left_out), "{left_out}");
        assert_eq!(told, [format!("[{left_out} of harvestman's lines left out: nobody read them]")]);
    }
}
