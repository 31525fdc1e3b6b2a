//! What is counted and timed while a crawl runs, for a monitoring system. Labels are bounded: no host, no URL.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::engine::observe::{Observer, Stage};
use crate::store::Accounting;
use crate::visit::{FailureKind, Record};

/// Upper bounds in seconds: from a parsed page to a request at its time limit.
const BUCKETS: [f64; 15] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// What HTTP has room for.
const STATUSES: std::ops::RangeInclusive<u16> = 100..=599;

/// One label by its name.
type Label<T> = [(&'static str, T); 1];

fn label(stage: Stage) -> Label<&'static str> {
    let name = match stage {
        Stage::Fetch => "fetch",
        Stage::Parse => "parse",
        Stage::Queue => "queue",
        Stage::Commit => "commit",
    };
    [("stage", name)]
}

/// The figures of one crawl. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Metrics {
    requests: Counter,
    responses: Family<Label<u16>, Counter>,
    failures: Family<Label<&'static str>, Counter>,
    body: Counter,
    urls: Family<Label<&'static str>, Gauge>,
    connections: Gauge,
    stages: Family<Label<&'static str>, Histogram, fn() -> Histogram>,
    lock_wait: Counter<f64, AtomicU64>,
    /// When a crawl last went well; in no scrape where that is not known.
    last_success: Arc<OnceLock<Gauge<f64, AtomicU64>>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            requests: Counter::default(),
            responses: Family::default(),
            failures: Family::default(),
            body: Counter::default(),
            urls: Family::default(),
            connections: Gauge::default(),
            stages: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            lock_wait: Counter::default(),
            last_success: Arc::default(),
        };
        // What can happen is there from the start, at zero: a series that appears with its first event hides it.
        for kind in FailureKind::ALL {
            let _ = metrics.failures.get_or_create(&[("kind", kind.as_str())]);
        }
        for stage in [Stage::Fetch, Stage::Parse, Stage::Queue, Stage::Commit] {
            let _ = metrics.stages.get_or_create(&label(stage));
        }
        metrics.accounted(Accounting::default());
        metrics
    }
}

impl Metrics {
    /// Adds them to a registry, named as by the OpenMetrics specification: base units, counters as totals.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("requests", "Requests made, robots.txt included", self.requests.clone());
        registry.register("responses", "Responses received, by status", self.responses.clone());
        registry.register("request_failures", "Requests without a usable response, by kind", self.failures.clone());
        let help = "Bytes of bodies received, content coding removed";
        registry.register_with_unit("body", help, Unit::Bytes, self.body.clone());
        registry.register("urls", "URLs known, by state as of the last commit", self.urls.clone());
        registry.register("connections_in_use", "Requests in flight", self.connections.clone());
        let help = "Time of each step: fetch, parse, queue (waiting for the writer), commit (one transaction)";
        registry.register_with_unit("stage_duration", help, Unit::Seconds, self.stages.clone());
        if let Some(at) = self.last_success.get() {
            let help = "When a crawl into this database last went well before this one, since 1970";
            registry.register_with_unit("last_success_timestamp", help, Unit::Seconds, at.clone());
        }
    }

    /// A crawl into this database went well then, in seconds since 1970. To be called before [`Self::register`].
    pub fn note_success(&self, at: f64) {
        self.last_success.get_or_init(Gauge::default).set(at);
    }

    /// Adds what only one of several nodes has: the age of its lease among them, which the caller keeps.
    pub fn register_node(&self, registry: &mut Registry, lease_age: Gauge<f64, AtomicU64>) {
        let help =
            "Time since the lease that is held was asked for: others take the hosts of one that is older than --lease";
        registry.register_with_unit("lease_age", help, Unit::Seconds, lease_age);
        let help = "Time spent waiting for rows that every node changes";
        registry.register_with_unit("lock_wait", help, Unit::Seconds, self.lock_wait.clone());
    }
}

impl Observer for Metrics {
    fn request_begins(&self) {
        self.connections.inc();
    }

    fn request_ends(&self) {
        self.connections.dec();
    }

    fn took(&self, stage: Stage, time: Duration) {
        self.stages.get_or_create(&label(stage)).observe(time.as_secs_f64());
    }

    fn batch(&self, records: &[Record]) {
        for request in records.iter().filter_map(Record::request) {
            self.requests.inc();
            self.body.inc_by(request.bytes);
            if let Some(status) = request.status.filter(|status| STATUSES.contains(status)) {
                self.responses.get_or_create(&[("status", status)]).inc();
            }
            if let Some(kind) = request.failure {
                self.failures.get_or_create(&[("kind", kind.as_str())]).inc();
            }
        }
    }

    fn waited(&self, time: Duration) {
        self.lock_wait.inc_by(time.as_secs_f64());
    }

    fn accounted(&self, a: Accounting) {
        for (state, count) in
            [("fetched", a.fetched), ("failed", a.failed), ("skipped", a.skipped), ("pending", a.pending)]
        {
            self.urls.get_or_create(&[("state", state)]).set(count);
        }
    }
}
