//! What holds the pace at a moment: connections, commits, or what the hosts wait for.

use std::collections::BTreeMap;

use crate::canonical::Host;
use crate::visit::Millis;

use super::Schedule;
use crate::frontier::wait::{Holdup, HostWait, Wait, Waiting};

/// Hosts that are looked at: a display is to hold up nothing, however many there are.
const LOOKED_AT: usize = 10_000;

impl Schedule {
    /// What holds the pace now.
    pub fn holdup(&self, now: Millis) -> Holdup {
        let mut holdup = Holdup {
            in_flight: self.connections.in_use(),
            connections: self.limits.connections,
            unstored: self.connections.unstored(),
            awaits_commit: self.connections.await_commit(),
            awaits_machine: self.connections.are_short(),
            awaits_global_pace: self.global.until() > now,
            is_closed: self.closed,
            is_part: self.hosts.len() > LOOKED_AT,
            ..Holdup::default()
        };
        let mut firsts: BTreeMap<Wait, (usize, Millis, Millis, &Host)> = BTreeMap::new();
        for (_, host) in self.hosts.all().take(LOOKED_AT) {
            let HostWait { wait, interval, queued, has_more } = host.waits(now, &self.limits);
            holdup.has_more |= has_more;
            let is_later = matches!(wait, Some((Wait::Later, _)));
            if is_later {
                holdup.put_off += queued;
            } else {
                let queued = Millis::try_from(queued).unwrap_or(Millis::MAX);
                holdup.longest = holdup.longest.max(interval.saturating_mul(queued));
            }
            let Some((wait, until)) = wait else { continue };
            let (hosts, first, of_first, name) = firsts.entry(wait).or_insert((0, until, interval, host.name()));
            *hosts += 1;
            if until < *first {
                (*first, *of_first, *name) = (until, interval, host.name());
            }
        }
        let waiting = |(wait, (hosts, until, interval, first)): (Wait, (usize, Millis, Millis, &Host))| {
            (wait, Waiting { hosts, first: first.clone(), left: (until - now).max(0), interval })
        };
        holdup.hosts = firsts.into_iter().map(waiting).collect();
        holdup
    }
}
