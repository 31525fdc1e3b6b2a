//! What a writer does as that of one process among several: it renews the lease, takes hosts that are free and for which there
//! is room, gives back those that are not needed here or that others have room for, and hears when the crawl is over.

use std::collections::HashMap;
use std::time::Instant;

use super::writer::{Writer, beat};
use crate::store::{Run, StoreError};
use crate::visit::{Hold, HostId, Lease, Word};

/// Hosts that are taken in one go.
const HOSTS_AT_ONCE: usize = 512;

/// One process among several.
#[derive(Debug)]
pub(super) struct Company {
    lease: Lease,
    /// When it reported last, and whether it rested then.
    reported: Option<Instant>,
    rested: bool,
    /// Its share of the limited pages, and whether it asked for more in vain.
    share: Option<u64>,
    is_dry: bool,
    /// When the holds were compared last.
    kept: Instant,
    /// Its share of the pace of all.
    rate: Option<f64>,
    /// Hosts that left memory and are still held, each with the clock that it left with last.
    left: HashMap<HostId, Hold>,
    /// It lost everything, and what was under way then is still to come to its end: until then it takes nothing, so that
    /// nothing of it is stored.
    is_recovering: bool,
}

impl Company {
    pub(super) fn new(lease: Lease) -> Self {
        let (reported, rested, share, is_dry, rate, left, is_recovering) = Default::default();
        Self { lease, reported, rested, share, is_dry, kept: Instant::now(), rate, left, is_recovering }
    }

    /// Notes hosts that left memory: they are given back if they stay away.
    pub(super) fn let_go(&mut self, left: impl IntoIterator<Item = Hold>) {
        self.left.extend(left.into_iter().map(|hold| (hold.host, hold)));
    }
}

impl<R: Run> Writer<'_, R> {
    /// Does what is due now.
    pub(super) async fn keep_company(&mut self, company: &mut Company) -> Result<(), StoreError> {
        let standing = self.frontier.standing();
        let is_due = company.reported.is_none_or(|at| at.elapsed() >= beat(&company.lease))
            || standing.rests && !company.rested
            || standing.lacks_pages && !company.is_dry;
        if !is_due {
            return Ok(());
        }
        let idle: Vec<_> = std::mem::take(&mut company.left)
            .into_values()
            .filter(|hold| self.frontier.hold(hold.host).is_none())
            .collect();
        if !idle.is_empty() {
            self.run.give_back(&idle).await?;
        }
        company.is_recovering &= self.frontier.outstanding() > 0;
        let may_take = self.frontier.may_ask() && !company.is_recovering;
        let wanted = if may_take { standing.room.min(HOSTS_AT_ONCE) } else { 0 };
        let taken = self.take(wanted).await?;
        if taken > 0 {
            let held: Vec<_> = self.run.traps().await?.into_iter().map(|(trap, _)| trap).collect();
            self.frontier.set_traps(&held);
        }
        let mut standing = self.frontier.standing();
        // Where all were there that there was room for, others are likely to be.
        standing.room = if taken < wanted { standing.room.min(wanted - taken) } else { 0 };
        standing.rate = company.rate.unwrap_or(0.0);
        company.rested = standing.rests;
        company.reported = Some(Instant::now());
        let word = self.run.report(&standing).await?;
        // The lease may have ended before, and those who looked then wait.
        self.frontier.resume();
        company.is_dry = standing.lacks_pages && word.pages == company.share;
        self.heed(company, word).await?;
        if company.kept.elapsed() > company.lease.length() / 4 {
            company.kept = Instant::now();
            self.keep().await?;
        }
        Ok(())
    }

    /// Does as was heard.
    async fn heed(&mut self, company: &mut Company, word: Word) -> Result<(), StoreError> {
        if word.is_lost {
            let hosts = self.frontier.lose_all();
            company.left.clear();
            (company.rate, company.reported, company.is_recovering) = (None, None, true);
            tracing::warn!(
                "this node was silent for longer than its lease of {}: its {hosts} hosts are free for others, and what was under \
                 way there is not stored",
                humantime::format_duration(company.lease.length())
            );
        }
        self.watchers.observers.waited(word.waited);
        company.share = word.pages;
        if let Some(pages) = word.pages {
            self.frontier.set_share(pages);
        }
        if word.rate != company.rate {
            company.rate = word.rate;
            self.frontier.set_pace(word.rate.unwrap_or(0.0));
        }
        let spared = self.frontier.spare(word.spare);
        if !spared.is_empty() {
            self.run.give_back(&spared).await?;
        }
        if word.is_over {
            self.frontier.close();
        }
        Ok(())
    }
}
