//! The connections that requests may use: as many as the settings say, or fewer while the machine cannot make so many.

use tokio::sync::Semaphore;

use crate::visit::Millis;

/// How long no request is made after one that the machine could not make.
const PAUSE: Millis = 250;
/// Requests that must go well before a connection more is tried.
const PROOF: usize = 64;

/// A permit for each connection: a request holds one from when it is handed out until it is settled, and none is ever
/// waited for here.
#[derive(Debug)]
pub(super) struct Connections {
    permits: Semaphore,
    max: usize,
    /// Permits that the machine could not honour, and the requests that went well since.
    withheld: (usize, usize),
    paused_until: Millis,
}

impl Connections {
    pub(super) fn new(max: usize) -> Self {
        let max = max.min(Semaphore::MAX_PERMITS);
        Self { permits: Semaphore::new(max), max, withheld: (0, 0), paused_until: 0 }
    }

    /// Whether one is free for a request.
    pub(super) fn are_free(&self) -> bool {
        self.permits.available_permits() > 0
    }

    /// Before this time no request is made, free or not.
    pub(super) fn paused_until(&self) -> Millis {
        self.paused_until
    }

    /// A request is handed out.
    pub(super) fn take(&self) {
        if let Ok(permit) = self.permits.try_acquire() {
            // Given back once the request is settled.
            permit.forget();
        }
    }

    /// A request is settled.
    pub(super) fn give_back(&mut self) {
        let (withheld, proof) = &mut self.withheld;
        *proof = if *withheld == 0 { 0 } else { *proof + 1 };
        let again = usize::from(*proof == PROOF);
        (*withheld, *proof) = (*withheld - again, *proof % PROOF);
        self.permits.add_permits(1 + again);
    }

    /// A request is settled that the machine could not make: so many at once are too many.
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
    fn drain(connections: &Connections) -> usize {
        let mut taken = 0;
        while connections.are_free() {
            connections.take();
            taken += 1;
        }
        taken
    }

    #[test]
    fn as_many_are_used_as_the_machine_can_make_and_more_once_that_goes_well() {
        let mut connections = Connections::new(3);
        assert_eq!(drain(&connections), 3);
        connections.fall_short(1_000);
        assert_eq!((drain(&connections), connections.paused_until()), (0, 1_000 + PAUSE));
        connections.fall_short(1_100);
        connections.fall_short(1_200);
        assert_eq!(drain(&connections), 1, "one is always left");
        let mut taken = 1;
        for _ in 0..3 * PROOF {
            connections.give_back();
            taken += drain(&connections) - 1;
        }
        assert_eq!(taken, 3);
    }
}
