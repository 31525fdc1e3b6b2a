//! What is pending of a host, and the end of a run.

use crate::store::Refill;
use crate::store::failed::Failed;
use crate::store::tables::Tables;
use crate::visit::{HostId, Target};

use super::run::Part;

impl<D: Tables> Part<D> {
    pub(super) async fn window(&mut self, host: HostId, limit: usize) -> Result<Option<Refill>, Failed> {
        let Some((host, rows)) = self.database.window(self.node.id, host, limit).await? else { return Ok(None) };
        let complete = rows.len() < limit;
        let condition = |stored: Option<crate::policy::kept::Stored>| stored.and_then(|it| it.condition(&self.config));
        let target = |(target, stored)| Target { validators: condition(stored).map(Into::into), ..target };
        Ok(Some(Refill { host, targets: rows.into_iter().map(target).collect(), complete }))
    }

    pub(super) async fn close_run(&mut self, outcome: &str, finished: bool) -> Result<(), Failed> {
        let now = self.database.clock().now();
        self.database.end(self.node.id, self.id, outcome, finished.then_some(now)).await
    }
}
