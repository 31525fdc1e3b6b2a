//! This process as one of several: what it tells and hears, and what it does once the database could not be asked.

use std::collections::BTreeSet;

use crate::config::{Difference, Told, Way};
use crate::store::failed::Failed;
use crate::store::tables::{Done, Heard, Joined, Tables};
use crate::store::{Committed, Start, StoreError};
use crate::visit::{Standing, Word};

use super::batch::Batch;
use super::known::KnownUrls;
use super::ledger::Ledger;
use super::run::Part;

/// What a process is told, in its own words.
pub(super) fn told(start: Start<'_>) -> Told {
    let config = start.config.clone();
    Told { gated: start.scope.is_gated(), credentials: config.credentials(), config, way: Way::default() }
}

/// The same with what those who take part are to be told alike.
pub(super) fn told_by_all(start: Start<'_>) -> Told {
    Told { way: Way::of(start.config), ..told(start) }
}

/// Refuses to take part in an invocation of others that were told something else.
pub(super) async fn compare(database: &mut impl Tables, start: Start<'_>, joined: &Joined) -> Result<(), Failed> {
    let differs = |difference| Err(StoreError::Differs(difference).into());
    if let Some(difference) = told_by_all(start).difference(&joined.settings) {
        return differs(difference);
    }
    let theirs: BTreeSet<_> = database.seeds().await?.into_iter().collect();
    let ours: BTreeSet<_> = start.seeds.iter().map(ToString::to_string).collect();
    match theirs.symmetric_difference(&ours).next() {
        Some(seed) if ours.contains(seed) => {
            differs(Difference::new("a seed", seed.clone(), "none of theirs".to_owned()))
        }
        Some(seed) => differs(Difference::new("a seed", "none of these".to_owned(), seed.clone())),
        None => Ok(()),
    }
}

impl<D: Tables> Part<D> {
    pub(super) async fn exchange(&mut self, standing: &Standing) -> Result<Word, Failed> {
        let Some(heard) = self.database.report(self.node.id, self.id, standing).await? else {
            let lost = self.node.id;
            self.node.id = self.database.come_back(lost).await?;
            self.forget_holders();
            return Ok(Word { is_lost: true, ..Word::default() });
        };
        let Heard { word, outcome, accounting, tally, heirs } = heard;
        self.ledger = self.ledger.after(accounting, tally);
        self.node.outcome = outcome;
        if heirs != self.node.heirs {
            self.learn_heirs().await?;
            self.node.heirs = heirs;
        }
        Ok(word)
    }

    /// Takes in what redirects of seeds let in that others found, and what was left out of it here meanwhile.
    async fn learn_heirs(&mut self) -> Result<(), Failed> {
        self.database.open_transaction().await?;
        let done = match self.let_heirs_in().await {
            Ok(ledger) => self.database.commit_transaction().await.map(|()| ledger),
            Err(error) => Err(error),
        };
        match done {
            Ok(ledger) => self.ledger = ledger,
            Err(error) => {
                self.database.undo_transaction().await;
                return Err(error);
            }
        }
        // What was left out may be pending now.
        self.urls = KnownUrls::default();
        Ok(())
    }

    async fn let_heirs_in(&mut self) -> Result<Ledger, Failed> {
        let mut batch = Batch::default();
        for (seed, heir) in self.database.heirs().await? {
            self.scope.inherit(&seed, &heir);
            self.let_in(&heir, &mut batch).await?;
        }
        // Whoever holds the hosts finds what became pending there.
        self.write_ledger(&batch).await
    }

    pub(super) async fn write_ledger(&mut self, batch: &Batch) -> Result<Ledger, Failed> {
        let done = Done {
            me: self.node.id,
            batch: self.node.batch,
            accounting: batch.delta.accounting(),
            tally: &batch.delta.tally,
            settlements: &batch.committed.settlements,
        };
        let (accounting, tally) = self.database.add(self.id, &done).await?;
        Ok(self.ledger.after(accounting, tally))
    }

    /// Waits until the database can be asked again, if that may come.
    pub(super) async fn recover(&mut self, error: Failed) -> Result<(), StoreError> {
        Ok(self.database.recover(error, self.config.max_wait).await?)
    }

    /// What the last transaction came to, if it was stored though the answer to its commit did not come.
    pub(super) async fn in_doubt(&mut self) -> Result<Option<Committed>, StoreError> {
        let Some((ledger, committed)) = self.node.doubt.take() else { return Ok(None) };
        loop {
            match self.database.has_stored(self.node.id, self.node.batch).await {
                Ok(true) => {
                    self.ledger = ledger;
                    return Ok(Some(committed));
                }
                Ok(false) => return Ok(None),
                Err(error) => self.recover(error).await?,
            }
        }
    }
}
