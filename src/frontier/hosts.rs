//! The hosts in memory, what is counted of them, and how one leaves and comes back.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;

use crate::canonical::Host;
use crate::visit::{Hold, HostId, HostRecord, Millis};

use super::host::{HostState, Standing};
use super::limits::Limits;
use super::memory::Memory;
use super::pace::Tick;

/// Hosts with something to do.
///
/// Invariant: the counts are those of a walk over all hosts, since every change of a host goes through [`Self::change`].
#[derive(Debug, Default)]
pub(super) struct Hosts {
    map: HashMap<HostId, HostState, RandomState>,
    memory: Memory,
    low: BTreeSet<HostId>,
    starved: usize,
    held_back: usize,
}

impl Hosts {
    /// Brings a host in, with what was known of it when it left. One that is here already stays as it is.
    pub(super) fn add(&mut self, record: HostRecord, limits: &Limits, tick: &Tick, now: Millis) {
        let id = record.id;
        if !self.map.contains_key(&id) {
            let facts = self.memory.recall(id);
            self.map.insert(id, HostState::new(record, facts, limits, tick, now));
        }
    }

    pub(super) fn get(&self, id: HostId) -> Option<&HostState> {
        self.map.get(&id)
    }

    /// Changes a host, and what is counted of it; None if it is not here.
    pub(super) fn change<T>(
        &mut self,
        id: HostId,
        limits: &Limits,
        change: impl FnOnce(&mut HostState) -> T,
    ) -> Option<T> {
        let host = self.map.get_mut(&id)?;
        let before = host.standing(limits);
        let result = change(host);
        let after = host.standing(limits);
        if before != after {
            self.count(id, before, after);
        }
        Some(result)
    }

    fn count(&mut self, id: HostId, before: Standing, after: Standing) {
        if after.low {
            self.low.insert(id);
        } else {
            self.low.remove(&id);
        }
        let moved = |count: usize, was: bool, is: bool| count + usize::from(is) - usize::from(was);
        self.starved = moved(self.starved, before.starved, after.starved);
        self.held_back = moved(self.held_back, before.held_back, after.held_back);
    }

    /// Lets a host with nothing left go, and says which it was. An idle host counts for nothing.
    pub(super) fn forget_if_idle(&mut self, id: HostId, limits: &Limits) -> Option<(Host, Hold)> {
        if !self.map.get(&id).is_some_and(HostState::is_idle) {
            return None;
        }
        let host = self.map.remove(&id)?;
        let left = (host.name().clone(), host.hold(id));
        self.memory.keep(id, host.into_facts(limits));
        Some(left)
    }

    /// Lets a host go that is not this process's any more, and says which it was.
    pub(super) fn lose(&mut self, id: HostId, limits: &Limits) -> Option<(Host, Hold)> {
        let host = self.map.remove(&id)?;
        self.count(id, host.standing(limits), Standing::default());
        Some((host.name().clone(), host.hold(id)))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (HostId, &HostState)> {
        self.map.iter().map(|(id, host)| (*id, host))
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    /// Hosts whose window runs low while more waits on disk, and how many of their URLs are in memory or handed out.
    pub(super) fn low(&self) -> impl Iterator<Item = (HostId, usize)> {
        self.low.iter().filter_map(|id| Some((*id, self.map.get(id)?.held())))
    }

    /// Whether the window of any host is empty while more waits on disk.
    pub(super) fn is_any_starved(&self) -> bool {
        self.starved > 0
    }

    /// Whether a host has URLs left that its own budget keeps from being asked for.
    pub(super) fn is_any_held_back(&self) -> bool {
        self.held_back > 0
    }
}

#[cfg(test)]
impl Hosts {
    pub(super) fn assert_counted(&self, limits: &Limits) {
        let standings = || self.map.iter().map(|(id, host)| (*id, host.standing(limits)));
        assert_eq!(self.low, standings().filter(|(_, it)| it.low).map(|(id, _)| id).collect());
        assert_eq!(self.starved, standings().filter(|(_, it)| it.starved).count());
        assert_eq!(self.held_back, standings().filter(|(_, it)| it.held_back).count());
    }
}
