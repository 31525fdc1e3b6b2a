//! What a batch of records changes, gathered before the statements that write it.

use std::collections::{HashMap, HashSet};

use crate::policy::fate::Fate;
use crate::policy::traps::Weighed;
use crate::store::Committed;
use crate::store::tables::{CheckRows, Gathered, Holder, NewCheck, Woken};
use crate::visit::{HostId, Millis, State, Target, TrapId, UrlId};

use super::ledger::Delta;

/// Beside each record of a batch, what its page is to the URLs that it names.
pub(super) type Weights<'a> = Vec<Option<Weighed<'a>>>;

/// Checks that a batch brings, and what it makes of others.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) new: Vec<NewCheck>,
    pub(super) rows: CheckRows,
}

/// What a batch changes.
#[derive(Default)]
pub(super) struct Batch {
    /// What the frontier has to know after the commit.
    pub(super) committed: Committed,
    pub(super) delta: Delta,
    pub(super) rows: Gathered,
    pub(super) checks: Checked,
    /// From, to: redirects of what may be a seed, or count for one.
    pub(super) heirs: Vec<(UrlId, UrlId)>,
    /// Id, time: when a sitemap says that a page changed last.
    pub(super) lastmods: Vec<(UrlId, Millis)>,
    /// What redirects led back to, with a cookie.
    pub(super) again: Vec<Target>,
    /// Id, and what pays for it from now on.
    pub(super) relieved: Vec<(UrlId, Option<TrapId>)>,
    /// Pages that led to URLs that nobody knew, and what pays for these.
    pub(super) led_on: HashSet<(UrlId, TrapId)>,
    /// To how many such URLs the same pages led, whatever pays.
    pub(super) led_to: HashMap<UrlId, u32>,
    /// Hosts that nobody held and of which URLs became pending.
    pub(super) reached: HashSet<HostId>,
}

impl Batch {
    /// A pending URL takes its fate. A page is due again `recrawl` after it was fetched; none: as before.
    pub(super) fn settle(&mut self, id: UrlId, fate: Fate, recrawl: Option<Millis>) {
        let Fate { state, reason, attempts, due_at, failure } = fate;
        if let Some((kind, message)) = failure {
            self.rows.failures.push((id, kind.as_str(), message, attempts));
        }
        let reason = reason.map(|reason| reason.to_string());
        self.rows.states.push((id, state.number(), reason, attempts, due_at, recrawl));
        self.delta.change(State::Pending, state);
    }

    /// The request at hand brought nothing new.
    pub(super) fn note_unchanged(&mut self) {
        self.delta.tally.unchanged += 1;
        if let Some(fetch) = self.rows.fetches.last_mut() {
            fetch.unchanged = true;
        }
    }

    /// Reports URLs that became pending, as far as they are this process's to fetch.
    pub(super) fn wake(&mut self, from: State, woken: Vec<Woken>) {
        for Woken { target, holder } in woken {
            self.delta.change(from, State::Pending);
            if self.may_fetch_at(target.host, holder) {
                self.committed.targets.push(target);
            }
        }
    }

    /// Whether a URL of this host that became pending is this process's to fetch. A host that nobody holds is taken.
    pub(super) fn may_fetch_at(&mut self, host: HostId, holder: Holder) -> bool {
        if holder == Holder::None {
            self.reached.insert(host);
        }
        holder != Holder::Another
    }
}
