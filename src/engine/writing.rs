//! The writer's loop: what the workers bring is committed, hosts are brought in, and who follows the crawl hears of it.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::company::Company;
use super::worker::Finished;
use super::writer::{Batch, Writer, receive};
use crate::store::{Run, StoreError};

/// Between two publications of the progress, at most: whoever hears none for long knows that the writer is stuck.
const PULSE: Duration = Duration::from_millis(250);

impl<R: Run> Writer<'_, R> {
    /// Writes until the workers are gone, and closes the frontier on every way out: workers must not wait for one that
    /// nobody feeds.
    pub(super) async fn run(&mut self, mut inbox: mpsc::Receiver<Finished>) -> Result<(), StoreError> {
        let result = self.write(&mut inbox).await;
        self.frontier.close();
        result
    }

    async fn write(&mut self, inbox: &mut mpsc::Receiver<Finished>) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        self.watchers.publish(self.run);
        let mut pulse = tokio::time::interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut company = self.run.lease().map(Company::new);
        loop {
            tokio::select! {
                more = receive(inbox, &mut batch, self.watchers.observers) => if !more { return Ok(()) },
                () = self.frontier.hungry() => {}
                _ = pulse.tick() => {}
            }
            if !batch.records.is_empty() {
                self.commit(std::mem::take(&mut batch)).await?;
                if self.is_full().await? {
                    self.room.is_full.notify_one();
                }
            }
            self.leave_hosts(company.as_mut());
            match &mut company {
                Some(company) => self.keep_company(company).await?,
                None if self.frontier.wants_hosts() => self.wake_hosts().await?,
                None => {}
            }
            self.watchers.publish(self.run);
        }
    }

    /// Nothing more is asked of some hosts for now.
    fn leave_hosts(&self, company: Option<&mut Company>) {
        let (hosts, holds): (Vec<_>, Vec<_>) = self.frontier.take_left().into_iter().unzip();
        hosts.iter().for_each(|host| self.fetcher.leave(host));
        if let Some(company) = company {
            company.let_go(holds);
        }
    }
}
