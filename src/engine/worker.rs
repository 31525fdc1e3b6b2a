//! A worker: takes errands from the frontier, does them, and hands the records to the writer.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, watch};

use super::narrate;
use super::visitor::{Slot, Visitor};
use crate::frontier::Frontier;
use crate::parse::memory::Held;
use crate::visit::{Errand, HostId, Record};

/// A record on its way to the writer.
pub(super) struct Finished {
    pub(super) record: Record,
    pub(super) at: Instant,
    /// What of the budget it takes.
    pub(super) held: Held,
}

/// Works until the frontier has nothing left or nobody takes the records.
pub(super) async fn work(
    frontier: Arc<Frontier>,
    visitor: Arc<Visitor>,
    out: mpsc::Sender<Finished>,
    aborted: watch::Receiver<bool>,
) {
    while let Some(errand) = frontier.next().await {
        let host = asked_host(&errand);
        let released = |rest| {
            if let Some(host) = host {
                frontier.release(host, rest);
            }
        };
        let (record, held) = visitor.visit(errand, Slot { aborted: aborted.clone(), released }).await;
        if let (Some(host), Some((kind, message))) = (host, record.failure()) {
            frontier.give_up(host, kind, message.clone());
        }
        narrate::tell(&record);
        if out.send(Finished { record, at: Instant::now(), held }).await.is_err() {
            return;
        }
    }
}

/// The host that a request of this errand goes to.
fn asked_host(errand: &Errand) -> Option<HostId> {
    match errand {
        Errand::Page(target) | Errand::Check(target, _) => Some(target.host),
        Errand::Robots(call) => Some(call.host),
        Errand::Sitemaps { .. } | Errand::Refuse { .. } => None,
    }
}
