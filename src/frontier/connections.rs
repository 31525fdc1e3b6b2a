//! The connections that requests may use: as many as the settings say, or fewer while the machine cannot make so many.

use tokio::sync::Semaphore;

use crate::visit::Millis;

/// How long no request is made after one that the machine could not make.
const PAUSE: Millis = 250;
/// Requests that must go well before a connection more is tried.
const PROOF: usize = 64;

/// A permit for each connection: a request holds one from when it is handed out until it is over, and none is ever waited
/// for here.
#[derive(Debug)]
pub(super) struct Connections {
    permits: Semaphore,
    max: usize,
    /// Requests that were handed out and are not committed, and how many there may be.
    uncommitted: (usize, usize),
    /// Permits that the machine could not honour, and the requests that went well since.
    withheld: (usize, usize),
    paused_until: Millis,
}

impl Connections {
    pub(super) fn new(max: usize, uncommitted: usize) -> Self {
        let max = max.min(Semaphore::MAX_PERMITS);
        Self { permits: Semaphore::new(max), max, uncommitted: (0, uncommitted), withheld: (0, 0), paused_until: 0 }
    }

    /// Whether one is free for a request, whose answer may wait for its commit.
    pub(super) fn are_free(&self) -> bool {
        self.free() > 0 && self.uncommitted.0 < self.uncommitted.1
    }

    /// How many are free.
    pub(super) fn free(&self) -> usize {
        self.permits.available_permits()
    }

    /// Requests in flight.
    pub(super) fn in_use(&self) -> usize {
        self.max.saturating_sub(self.withheld.0 + self.free())
    }

    /// Answers that wait for their commit.
    pub(super) fn unstored(&self) -> usize {
        self.uncommitted.0.saturating_sub(self.in_use())
    }

    /// Whether no request is made before some of these are committed.
    pub(super) fn await_commit(&self) -> bool {
        self.uncommitted.0 >= self.uncommitted.1
    }

    /// Whether the machine could not make as many as there may be.
    pub(super) fn are_short(&self) -> bool {
        self.withheld.0 > 0
    }

    /// Before this time no request is made, free or not.
    pub(super) fn paused_until(&self) -> Millis {
        self.paused_until
    }

    /// A request is handed out.
    pub(super) fn take(&mut self) {
        self.uncommitted.0 += 1;
        if let Ok(permit) = self.permits.try_acquire() {
            // Given back once the request is over.
            permit.forget();
        }
    }

    /// A request is committed.
    pub(super) fn settle(&mut self) {
        self.uncommitted.0 = self.uncommitted.0.saturating_sub(1);
    }

    /// A request is over.
    pub(super) fn give_back(&mut self) {
        let (withheld, proof) = &mut self.withheld;
        *proof = if *withheld == 0 { 0 } else { *proof + 1 };
        let again = usize::from(*proof == PROOF);
        (*withheld, *proof) = (*withheld - again, *proof % PROOF);
        self.permits.add_permits(1 + again);
    }

    /// A request is over that the machine could not make: so many at once are too many.
    pub(super) fn fall_short(&mut self, now: Millis) {
        self.paused_until = now + PAUSE;
        let (withheld, proof) = &mut self.withheld;
        *proof = 0;
        if *withheld + 1 < self.max {
            *withheld += 1;
        } else {
            self.permits.add_permits(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes all that are free.
    fn drain(connections: &mut Connections) -> usize {
        let mut taken = 0;
        while connections.are_free() {
            connections.take();
            taken += 1;
        }
        taken
    }

    #[test]
    fn as_many_are_used_as_the_machine_can_make_and_more_once_that_goes_well() {
        let mut connections = Connections::new(3, usize::MAX);
        assert_eq!(drain(&mut connections), 3);
        connections.fall_short(1_000);
        assert_eq!((drain(&mut connections), connections.paused_until()), (0, 1_000 + PAUSE));
        connections.fall_short(1_100);
        connections.fall_short(1_200);
        assert_eq!(drain(&mut connections), 1, "one is always left");
        let mut taken = 1;
        for _ in 0..3 * PROOF {
            connections.give_back();
            taken += drain(&mut connections) - 1;
        }
        assert_eq!(taken, 3);
    }

    #[test]
    fn a_connection_serves_again_once_its_request_is_over_as_long_as_not_too_many_answers_wait() {
        let mut connections = Connections::new(2, 3);
        assert_eq!(drain(&mut connections), 2);
        connections.give_back();
        connections.give_back();
        assert_eq!(drain(&mut connections), 1, "two answers wait");
        connections.settle();
        assert_eq!(drain(&mut connections), 1);
    }
}
