//! The one budget of bytes that bodies share with what is read out of them, from the wire to their commit.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes in all.
const TOTAL: usize = 48 << 20;

/// Bytes from which on a body, or a text, is a large one. It goes to a file until it is read, since what an allocator was
/// once asked for it keeps for the thread that asked: large bodies on every thread that reads from the wire would count many
/// times.
pub(super) const LARGE: usize = 256 << 10;
/// What the C library of Linux always maps for one buffer alone, and gives back when that is freed. No more of it is used
/// than is written.
const MAPPED: usize = 33 << 20;

/// The capacity for a buffer of so many bytes.
pub(super) fn room(length: usize) -> usize {
    if length > LARGE { length.max(MAPPED) } else { length }
}

/// The budget of one crawl. Whoever waits for bytes holds none, so all who hold some come to their end. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Semaphore>);

impl Default for Memory {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(TOTAL)))
    }
}

/// Bytes that were taken, until it is dropped.
#[derive(Debug, Default)]
pub struct Held(Option<OwnedSemaphorePermit>);

impl Memory {
    /// Takes more bytes if they are there; never more than there are in all.
    pub fn grow(&self, held: &mut Held, to: usize) -> bool {
        let more = to.min(TOTAL).saturating_sub(held.bytes());
        let Ok(permit) = self.0.clone().try_acquire_many_owned(permits(more)) else { return false };
        match &mut held.0 {
            Some(held) => held.merge(permit),
            none => *none = Some(permit),
        }
        true
    }

    /// Waits for so many bytes, or for all there are.
    pub async fn hold(&self, bytes: usize) -> Held {
        Held(self.0.clone().acquire_many_owned(permits(bytes.min(TOTAL))).await.ok())
    }
}

impl Held {
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Gives back what is more than this.
    pub fn shrink(&mut self, to: usize) {
        let excess = self.bytes().saturating_sub(to);
        drop(self.0.as_mut().and_then(|permit| permit.split(excess)));
    }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_held_is_given_back_and_nobody_asks_for_more_than_all() {
        let memory = Memory::default();
        let mut held = Held::default();
        assert!(memory.grow(&mut held, 1_000) && memory.grow(&mut held, 3_000));
        assert_eq!(held.bytes(), 3_000);
        assert_eq!(memory.hold(usize::MAX).now_or_never().map(|held| held.bytes()), None);
        held.shrink(10);
        assert!(memory.grow(&mut Held::default(), TOTAL - 10));
        drop(held);
        let mut all = memory.hold(usize::MAX).await;
        assert!(!memory.grow(&mut Held::default(), 1) && memory.grow(&mut all, usize::MAX));
        assert_eq!(all.bytes(), TOTAL);
    }
}
