//! A body on its way from the wire to its reader: in memory while it is small and the budget has room for it, else in a
//! file. So a large one that comes slowly takes nothing from the others.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};

use super::memory::{Held, LARGE, Memory, room};

/// Bytes of each body that no budget is asked for.
const FREE: usize = 64 << 10;
/// Bytes that are taken from the budget at once.
const STEP: usize = 256 << 10;

/// Bytes in memory, or in a file without a name.
#[derive(Debug, Default)]
pub struct Body {
    bytes: Vec<u8>,
    file: Option<File>,
    length: usize,
    held: Held,
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len(), bytes, ..Self::default() }
    }
}

impl Body {
    pub fn len(&self) -> usize {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Makes room for a length that was announced.
    pub fn reserve(&mut self, length: usize) {
        self.bytes.reserve(length.min(FREE));
    }

    /// Adds bytes. Fails if the file has no room for them.
    pub fn push(&mut self, chunk: &[u8], memory: &Memory) -> io::Result<()> {
        self.length += chunk.len();
        let counted = self.length.saturating_sub(FREE);
        let needs_more = self.file.is_none() && counted > self.held.bytes();
        if needs_more && (self.length > LARGE || !memory.grow(&mut self.held, counted.next_multiple_of(STEP))) {
            self.spill();
        }
        match &mut self.file {
            Some(file) => file.write_all(chunk)?,
            None => self.bytes.extend_from_slice(chunk),
        }
        Ok(())
    }

    /// Leaves the memory to others. Where no file can be had, the bytes stay.
    pub(super) fn spill(&mut self) {
        if self.file.is_none() {
            let written = tempfile::tempfile().and_then(|mut file| file.write_all(&self.bytes).map(|()| file));
            self.file = written.ok();
            if self.file.is_some() {
                self.bytes = Vec::new();
            }
        }
        self.held = Held::default();
    }

    /// What of the budget it holds.
    pub(super) fn take_held(&mut self) -> Held {
        std::mem::take(&mut self.held)
    }

    /// All of it, in memory.
    pub fn load(self) -> io::Result<Vec<u8>> {
        let Some(mut file) = self.file else {
            return Ok(self.bytes);
        };
        let mut bytes = Vec::with_capacity(room(self.length));
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_large_body_and_one_that_the_budget_has_no_room_for_go_to_a_file_and_come_back_whole() {
        let memory = Memory::default();
        let chunk: Vec<u8> = (0..=255).cycle().take(50_000).collect();
        let fill = |times| {
            let mut body = Body::default();
            (0..times).for_each(|_| body.push(&chunk, &memory).unwrap());
            body
        };
        let in_file = |body: &Body| body.file.is_some() && body.bytes.is_empty() && body.held.bytes() == 0;
        let in_memory = fill(5);
        assert!(in_memory.file.is_none() && in_memory.held.bytes() >= 250_000 - FREE);
        drop(in_memory);
        assert!(in_file(&fill(10)));
        let _all = memory.hold(usize::MAX).await;
        let small = fill(1);
        assert!(small.file.is_none(), "a small body asks for nothing");
        let waiting = fill(5);
        assert!(in_file(&waiting));
        assert_eq!((waiting.len(), waiting.load().unwrap() == chunk.repeat(5)), (250_000, true));
    }
}
