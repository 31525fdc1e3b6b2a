//! A run under way: the database it goes on in, what it was told, and what it remembers.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::Config;
use crate::policy::due::Rules;
use crate::policy::traps::Traps;
use crate::scope::Scope;
use crate::visit::{Millis, UrlId};

use super::known::{KnownHosts, KnownUrls};
use super::ledger::Ledger;
use super::node::Node;

/// This process's part in a run.
#[derive(Debug)]
pub struct Part<D> {
    pub(super) database: D,
    pub(super) config: Config,
    pub(super) scope: Arc<Scope>,
    /// When known pages are due, by the settings.
    pub(super) rules: Rules,
    pub(super) id: i64,
    pub(super) node: Node,
    /// When the run was begun, maybe by an earlier invocation.
    pub(super) began: Millis,
    pub(super) ledger: Ledger,
    pub(super) urls: KnownUrls,
    pub(super) hosts: KnownHosts,
    /// What pages were before they became redirects: redirects may lead back to them, with a cookie.
    pub(super) detours: HashMap<UrlId, Option<String>>,
    pub(super) traps: Traps,
}
