//! Hosts that were lost while errands of theirs were handed out. One that is taken again meanwhile comes in only once these are
//! settled: what was asked under the hold before is not to count under the new one.

use std::collections::HashMap;

use crate::visit::HostId;

#[derive(Debug, Default)]
pub(super) struct LostHosts(HashMap<HostId, Lost>);

#[derive(Debug)]
struct Lost {
    /// Errands that are not settled.
    handed_out: usize,
    is_held_again: bool,
}

impl LostHosts {
    /// A host is lost, of which so many errands are handed out.
    pub(super) fn lose(&mut self, id: HostId, handed_out: usize) {
        if handed_out > 0 {
            self.0.insert(id, Lost { handed_out, is_held_again: false });
        } else if let Some(lost) = self.0.get_mut(&id) {
            lost.is_held_again = false;
        }
    }

    /// A host is taken. Whether it is to stay outside for now.
    pub(super) fn keeps_out(&mut self, id: HostId) -> bool {
        let lost = self.0.get_mut(&id);
        lost.map(|lost| lost.is_held_again = true).is_some()
    }

    /// An errand is settled. Whether that was the last one of a host that is held again.
    pub(super) fn settle(&mut self, id: HostId) -> bool {
        let Some(lost) = self.0.get_mut(&id) else { return false };
        lost.handed_out = lost.handed_out.saturating_sub(1);
        lost.handed_out == 0 && self.0.remove(&id).is_some_and(|lost| lost.is_held_again)
    }
}
