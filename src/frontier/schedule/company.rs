//! What a schedule does as one of several: it tells how it stands, takes its share of what is limited, and lets hosts go.

use std::cmp::Reverse;

use crate::policy::politeness;
use crate::visit::{Hold, HostId, Millis, Settlement, Standing, TrapId};

use super::Schedule;
use crate::frontier::host::HostState;

/// Hosts that a process takes at first, for each of its connections; and as many again while most of these are free. With few,
/// those that are taken last are asked alone, at the pace of each, while connections are free: half as many cost four nodes a
/// tenth of their pages/s (`benches/nodes.rs`).
const HOSTS: usize = 16;

impl Schedule {
    pub fn standing(&self, now: Millis) -> Standing {
        let (hosts, connections) = (self.armed.len(), self.limits.connections);
        let most_are_free = self.connections.free() > connections / 2;
        let enough = connections.saturating_mul(HOSTS);
        let room = match enough.saturating_sub(hosts) {
            0 if most_are_free && self.may_ask() => enough,
            room => room,
        };
        Standing {
            hosts,
            needs: self.hosts.len(),
            rate: 0.0,
            room: if self.closed { 0 } else { room },
            rests: self.rests(now),
            is_limited: self.is_limited(),
            lacks_pages: hosts > 0 && self.budget.lacks(u64::try_from(connections).unwrap_or(u64::MAX)),
        }
    }

    /// Errands handed out and not yet settled.
    pub fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Whether there is a page left to ask for, or what needs none.
    fn may_ask(&self) -> bool {
        self.budget.is_left() || self.limits.checks
    }

    fn rests(&self, now: Millis) -> bool {
        let are_given_on = !self.leaving.is_empty();
        if self.outstanding > 0
            || are_given_on
            || !self.returning.is_empty()
            || self.hosts.is_any_starved() && self.may_ask()
        {
            return false;
        }
        match self.armed.first(self.is_free(), self.budget.is_left()) {
            None => true,
            // Whatever the host is due for, it has no page to ask for it.
            Some((at, _)) => at > now && !self.may_ask(),
        }
    }

    /// The share of the limited pages is so many, those stored included.
    pub fn set_share(&mut self, pages: u64) {
        self.budget.set_share(pages);
    }

    /// The share of the pace of all requests together; none at all is 0.
    pub fn set_pace(&mut self, rate: f64, now: Millis) {
        self.tick.set(now);
        self.global.set(politeness::interval(rate, None), now, &self.tick);
    }

    /// Lets so many hosts go, those first of which nothing is under way and of these those that are to be asked last, and
    /// answers with how they were held. Where that is not enough, no page is asked for of as many others until this is called
    /// again: by then nothing of them may be under way either.
    pub fn spare(&mut self, count: usize, now: Millis) -> Vec<Hold> {
        if count == 0 && self.leaving.is_empty() {
            return Vec::new();
        }
        let with_work = self.hosts.all().filter(|(_, host)| host.held() > 0);
        let rank = |(id, host): (HostId, &HostState)| {
            (!host.is_quiet(), !self.leaving.contains(&id), Reverse(host.free_at()), id)
        };
        let mut ranked: Vec<_> = with_work.map(rank).collect();
        ranked.sort_unstable();
        ranked.truncate(count);
        let (busy, quiet): (Vec<_>, Vec<_>) = ranked.into_iter().partition(|(is_busy, ..)| *is_busy);
        let stay = std::mem::replace(&mut self.leaving, busy.into_iter().map(|(.., id)| id).collect());
        let mut spared = Vec::new();
        for (.., id) in quiet {
            self.returning.remove(&id);
            self.armed.disarm(id);
            if let Some((name, hold)) = self.hosts.lose(id, &self.limits) {
                spared.push(hold);
                self.left.push((name, hold));
            }
        }
        for id in stay.into_iter().filter(|id| !self.leaving.contains(id) && self.hosts.get(*id).is_some()) {
            self.armed.arm(id, now);
        }
        spared
    }

    /// Another process has taken the host: nothing of it is handed out any more, and what is under way comes to nothing.
    pub fn lose(&mut self, id: HostId, now: Millis) {
        self.returning.remove(&id);
        self.leaving.remove(&id);
        self.armed.disarm(id);
        let limits = &self.limits;
        let asked = self.hosts.change(id, limits, |host| host.move_robots(None)).flatten();
        let elsewhere = asked.filter(|on_host| *on_host != id);
        let waits = elsewhere.and_then(|on_host| self.hosts.change(on_host, limits, |host| host.withdraw(id)));
        let waiting = self.hosts.change(id, limits, HostState::drop_calls).unwrap_or_default();
        let is_out_elsewhere = elsewhere.is_some() && waits != Some(true);
        let handed_out = self.hosts.get(id).map_or(0, HostState::handed_out) + usize::from(is_out_elsewhere);
        self.lost.lose(id, handed_out);
        self.left.extend(self.hosts.lose(id, &self.limits));
        // Whose robots.txt was to be asked for there asks for it anew.
        for asker in waiting.into_iter().filter(|asker| *asker != id) {
            self.change(asker, now, |host, _, _| {
                host.move_robots(None);
            });
        }
        if let Some(on_host) = elsewhere {
            self.change(on_host, now, |_, _, _| {});
        }
    }

    /// Counts an errand out of the hosts that were lost meanwhile, if it is about one.
    pub(super) fn settle_lost(&mut self, settlement: &Settlement) {
        match settlement {
            Settlement::Stored { host, .. }
            | Settlement::Ended { host, .. }
            | Settlement::Refused { host, .. }
            | Settlement::Checked { host, .. }
            | Settlement::Sitemaps { host } => self.settle_lost_of(*host),
            Settlement::Again { target } | Settlement::Postponed { target } | Settlement::Reprieved { target } => {
                self.settle_lost_of(target.host);
            }
            Settlement::RefusedRobots { on_host, for_host } => {
                self.settle_lost_of(*for_host);
                if on_host != for_host {
                    self.settle_lost_of(*on_host);
                }
            }
            // Where the request was made is known to the host whose file it is.
            Settlement::Robots { .. }
            | Settlement::RobotsAgain { .. }
            | Settlement::PostponedRobots { .. }
            | Settlement::Abandoned => {}
        }
    }

    /// Once nothing of it is under way any more, the host may come back.
    pub(super) fn settle_lost_of(&mut self, id: HostId) {
        if self.lost.settle(id) {
            self.returning.insert(id);
        }
    }

    /// Everything is lost: the hosts, and the share of what is limited. Answers with how many hosts there were.
    pub fn lose_all(&mut self, now: Millis) -> usize {
        let hosts: Vec<_> = self.hosts.all().map(|(id, _)| id).collect();
        self.returning.clear();
        hosts.iter().for_each(|id| self.lose(*id, now));
        self.budget.restart();
        self.global.stop();
        hosts.len()
    }

    /// These are the traps, and no others.
    pub fn set_traps(&mut self, held: &[TrapId]) {
        self.traps = held.iter().copied().collect();
    }
}
