//! What is pending of a host, and the end of a run.

use std::collections::HashMap;

use crate::store::Refill;
use crate::store::failed::Failed;
use crate::store::tables::{Tables, Window};
use crate::visit::{Complete, HostId, Target};

use super::run::Part;

impl<D: Tables> Part<D> {
    pub(super) async fn windows(&mut self, hosts: &[(HostId, usize)]) -> Result<Vec<Refill>, Failed> {
        let windows = self.database.windows(self.node.id, hosts).await?;
        let limits: HashMap<_, _> = hosts.iter().copied().collect();
        let condition = |stored: Option<crate::policy::kept::Stored>| stored.and_then(|it| it.condition(&self.config));
        let target = |(target, stored)| Target { validators: condition(stored).map(Into::into), ..target };
        let mut checks: HashMap<HostId, Vec<Target>> = HashMap::new();
        if self.config.checks_by_requests() {
            for check in self.database.waiting_checks(hosts).await? {
                checks.entry(check.host).or_default().push(check);
            }
        }
        let refill = |(host, rows): Window| {
            let limit = limits.get(&host.id).copied().unwrap_or_default();
            let checks = checks.remove(&host.id).unwrap_or_default();
            let complete = Complete { pages: rows.len() < limit, checks: checks.len() < limit };
            Refill { host, targets: rows.into_iter().map(target).chain(checks).collect(), complete }
        };
        Ok(windows.into_iter().map(refill).collect())
    }

    pub(super) async fn close_run(&mut self, outcome: &str, finished: bool) -> Result<(), Failed> {
        let now = self.database.clock().now();
        self.database.end(self.node.id, self.id, outcome, finished.then_some(now)).await
    }
}
