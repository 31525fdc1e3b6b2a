//! What a schedule does as one of several: it tells how it stands, takes its share of what is limited, and lets hosts go.

use std::cmp::Reverse;

use crate::policy::politeness;
use crate::visit::{Hold, HostId, Millis, Standing, TrapId};

use super::Schedule;
use crate::frontier::pace::Pace;

/// Hosts that a process takes at first, for each of its connections; and as many again while most of these are free.
const HOSTS: usize = 8;

impl Schedule {
    pub fn standing(&self, now: Millis) -> Standing {
        let (hosts, connections) = (self.armed.len(), self.limits.connections);
        let most_are_free = self.connections.free() > connections / 2;
        let enough = connections.saturating_mul(HOSTS);
        let room = match enough.saturating_sub(hosts) {
            0 if most_are_free => enough,
            room => room,
        };
        Standing {
            hosts,
            room: if self.closed { 0 } else { room },
            rests: self.rests(now),
            is_limited: self.is_limited(),
            lacks_pages: hosts > 0 && self.budget.lacks(u64::try_from(connections).unwrap_or(u64::MAX)),
        }
    }

    pub fn is_at_work(&self) -> bool {
        self.outstanding > 0
    }

    fn rests(&self, now: Millis) -> bool {
        if self.outstanding > 0 || !self.returning.is_empty() || self.hosts.is_any_starved() && self.budget.is_left() {
            return false;
        }
        match self.armed.first(self.is_free() && self.budget.is_left()) {
            None => true,
            // Whatever the host is due for, it has no page to ask for it.
            Some((at, _)) => at > now && !self.budget.is_left(),
        }
    }

    /// The share of the limited pages is so many, those stored included.
    pub fn set_share(&mut self, pages: u64) {
        self.budget.set_share(pages);
    }

    /// The share of the pace of all requests together; none at all is 0.
    pub fn set_pace(&mut self, rate: f64, now: Millis) {
        self.tick.set(now);
        match politeness::interval(rate, None) {
            Some(interval) => {
                let next = now.saturating_add(politeness::millis(interval));
                self.global = (Pace::new(interval, &self.tick), next);
            }
            None => self.global.1 = Millis::MAX,
        }
    }

    /// Lets so many hosts go of which nothing is under way, those that are to be asked last first, and answers with how they
    /// were held.
    pub fn spare(&mut self, count: usize) -> Vec<Hold> {
        let quiet = self.hosts.all().filter(|(_, host)| host.is_quiet() && host.has_work());
        let mut quiet: Vec<(Reverse<Millis>, HostId)> = quiet.map(|(id, host)| (Reverse(host.free_at()), id)).collect();
        quiet.sort_unstable();
        let mut spared = Vec::new();
        for (_, id) in quiet.into_iter().take(count) {
            self.returning.remove(&id);
            self.armed.disarm(id);
            if let Some((name, hold)) = self.hosts.lose(id, &self.limits) {
                spared.push(hold);
                self.left.push((name, hold));
            }
        }
        spared
    }

    /// Everything is lost: the hosts, and the share of what is limited. Answers with how many hosts there were.
    pub fn lose_all(&mut self, now: Millis) -> usize {
        let hosts: Vec<_> = self.hosts.all().map(|(id, _)| id).collect();
        self.returning.clear();
        hosts.iter().for_each(|id| self.lose(*id, now));
        self.budget.restart();
        if self.global.0.is_some() {
            self.global.1 = Millis::MAX;
        }
        hosts.len()
    }

    /// These are the traps, and no others.
    pub fn set_traps(&mut self, held: &[TrapId]) {
        self.traps = held.iter().copied().collect();
    }
}
