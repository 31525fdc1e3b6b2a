//! Bytes that pass through, and what can be wrong with them.

/// What came is no response that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the answer is not HTTP")]
    NotHttp,
    #[error("the head of the answer is too long")]
    TooLong,
    #[error("the head of the answer is cut off")]
    CutOff,
    #[error("a chunk of the body has no readable size or end")]
    Chunk,
}

/// Bytes on their way through. What is delivered is the first `kept` of them, and then `made`.
pub(super) struct Passage<'a> {
    pub(super) rest: &'a [u8],
    pub(super) kept: usize,
    pub(super) made: &'a mut Vec<u8>,
    pub(super) is_changed: bool,
}

impl Passage<'_> {
    /// Delivers bytes as they are.
    pub(super) fn keep(&mut self, count: usize) {
        let (now, later) = self.rest.split_at(count);
        if self.is_changed {
            self.made.extend_from_slice(now);
        } else {
            self.kept += count;
        }
        self.rest = later;
    }

    /// Delivers so many bytes, or all that there are; tells how many.
    pub(super) fn keep_up_to(&mut self, count: u64) -> u64 {
        let now = usize::try_from(count).unwrap_or(usize::MAX).min(self.rest.len());
        self.keep(now);
        now as u64
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.is_changed |= count > 0;
        self.rest = &self.rest[count..];
    }

    /// Delivers what did not come.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.is_changed = true;
        self.made.extend_from_slice(bytes);
    }
}
