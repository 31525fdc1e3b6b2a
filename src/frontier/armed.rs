//! Which hosts are to be looked at, and when.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;

use crate::visit::{HostId, Millis};

/// The hosts that have something to do, by the time they are due.
///
/// Invariant: a host is in at most one of the two sets, with the one time that `slots` names for it.
#[derive(Debug, Default)]
pub(super) struct Armed {
    due: BTreeSet<(Millis, HostId)>,
    /// Hosts whose time had come, but no request could be made for want of a connection. They keep their places for when
    /// there is one.
    held_up: BTreeSet<(Millis, HostId)>,
    /// The same for want of a page in the budget.
    unpaid: BTreeSet<(Millis, HostId)>,
    slots: HashMap<HostId, Slot, RandomState>,
}

#[derive(Debug, Clone, Copy)]
enum Slot {
    Due(Millis),
    HeldUp(Millis),
    Unpaid(Millis),
}

impl Armed {
    /// Has a host looked at no later than `at`. One that is held up is looked at again, in its old place.
    pub(super) fn arm(&mut self, id: HostId, at: Millis) {
        let at = match self.slots.get(&id) {
            Some(Slot::Due(due)) if *due <= at => return,
            Some(Slot::Due(_)) | None => at,
            Some(Slot::HeldUp(due) | Slot::Unpaid(due)) => at.min(*due),
        };
        self.disarm(id);
        self.due.insert((at, id));
        self.slots.insert(id, Slot::Due(at));
    }

    /// A host has nothing to do until it is armed again.
    pub(super) fn disarm(&mut self, id: HostId) {
        match self.slots.remove(&id) {
            Some(Slot::Due(at)) => self.due.remove(&(at, id)),
            Some(Slot::HeldUp(at)) => self.held_up.remove(&(at, id)),
            Some(Slot::Unpaid(at)) => self.unpaid.remove(&(at, id)),
            None => false,
        };
    }

    /// Moves the time of a host.
    pub(super) fn rearm(&mut self, id: HostId, at: Millis) {
        self.disarm(id);
        self.arm(id, at);
    }

    /// Lets a host wait for a connection.
    pub(super) fn hold_up(&mut self, id: HostId) {
        if let Some(at) = self.take(id) {
            self.held_up.insert((at, id));
            self.slots.insert(id, Slot::HeldUp(at));
        }
    }

    /// Lets a host wait for a page in the budget.
    pub(super) fn leave_unpaid(&mut self, id: HostId) {
        if let Some(at) = self.take(id) {
            self.unpaid.insert((at, id));
            self.slots.insert(id, Slot::Unpaid(at));
        }
    }

    /// Takes a host that was looked at out of its set.
    fn take(&mut self, id: HostId) -> Option<Millis> {
        let (Slot::Due(at) | Slot::HeldUp(at) | Slot::Unpaid(at)) = *self.slots.get(&id)?;
        self.disarm(id);
        Some(at)
    }

    /// The host to be looked at next, and when; of those held up too if a request `can_start`, and of the unpaid ones if
    /// that may be one for a page.
    pub(super) fn first(&self, can_start: bool, can_pay: bool) -> Option<(Millis, HostId)> {
        let due = self.due.first();
        let held_up = self.held_up.first().filter(|_| can_start);
        let unpaid = self.unpaid.first().filter(|_| can_start && can_pay);
        due.into_iter().chain(held_up).chain(unpaid).min().copied()
    }

    /// Hosts that have something to do, but for what a page in the budget is wanted for.
    pub(super) fn len_paid(&self) -> usize {
        self.slots.len() - self.unpaid.len()
    }

    /// Hosts that have something to do.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_time_of_a_host_counts() {
        let mut armed = Armed::default();
        armed.arm(1, 50);
        armed.arm(2, 40);
        armed.arm(1, 60);
        assert_eq!(armed.first(true, true), Some((40, 2)));
        armed.arm(1, 30);
        assert_eq!(armed.first(true, true), Some((30, 1)));
        armed.rearm(1, 60);
        assert_eq!(armed.first(true, true), Some((40, 2)));
        armed.disarm(2);
        assert_eq!((armed.first(true, true), armed.len()), (Some((60, 1)), 1));
    }

    #[test]
    fn a_host_that_is_held_up_keeps_its_place() {
        let mut armed = Armed::default();
        armed.arm(1, 10);
        armed.arm(2, 20);
        armed.hold_up(1);
        assert_eq!(armed.first(false, false), Some((20, 2)));
        assert_eq!(armed.first(true, true), Some((10, 1)));
        armed.arm(1, 30);
        assert_eq!(armed.first(false, false), Some((10, 1)), "something changed for it: it is looked at again");
        armed.hold_up(1);
        armed.disarm(1);
        assert_eq!((armed.first(true, true), armed.len()), (Some((20, 2)), 1));
    }

    #[test]
    fn a_host_that_waits_for_budget_holds_up_no_other() {
        let mut armed = Armed::default();
        armed.arm(1, 10);
        armed.arm(2, 20);
        armed.leave_unpaid(1);
        assert_eq!((armed.first(true, false), armed.first(true, true)), (Some((20, 2)), Some((10, 1))));
        armed.hold_up(2);
        assert_eq!((armed.first(true, false), armed.first(false, true)), (Some((20, 2)), None));
        assert_eq!((armed.len(), armed.len_paid()), (2, 1));
    }
}
