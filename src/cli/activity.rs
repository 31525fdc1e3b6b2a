//! Which hosts are busy and which are slow: a bounded statistic over the last requests, for whoever watches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::canonical::CanonicalUrl;
use crate::engine::observe::Observer;
use crate::visit::{HostId, Record};

/// After this time a request counts half.
const HALF_LIFE: Duration = Duration::from_secs(15);
/// Hosts remembered, whatever their number: beyond it only the busiest and the slowest stay.
const MAX_HOSTS: usize = 512;
/// Hosts that stay for their slowness when room is made.
const SLOW_KEPT: usize = 64;

/// What a host did lately.
#[derive(Debug, Clone, PartialEq)]
pub struct HostActivity {
    pub host: String,
    pub requests_per_second: f64,
    /// Of its requests lately, the newest counting most.
    pub mean_elapsed: Duration,
}

/// The statistic of one crawl, shared with its watchers.
#[derive(Debug, Clone, Default)]
pub struct Activity(Arc<Mutex<Table>>);

impl Activity {
    /// The hosts with most requests lately, busiest first.
    pub fn busiest(&self, count: usize) -> Vec<HostActivity> {
        self.top(count, |trace| trace.weight)
    }

    /// The hosts that took longest to answer lately, slowest first.
    pub fn slowest(&self, count: usize) -> Vec<HostActivity> {
        self.top(count, Trace::mean_seconds)
    }

    fn top(&self, count: usize, by: impl Fn(&Trace) -> f64) -> Vec<HostActivity> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.fade(Instant::now());
        let mut traces: Vec<_> = table.hosts.values().collect();
        traces.sort_unstable_by(|a, b| by(b).total_cmp(&by(a)).then_with(|| a.host.cmp(&b.host)));
        traces.into_iter().take(count).map(Trace::report).collect()
    }
}

impl Observer for Activity {
    fn batch(&self, records: &[Record]) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        for record in records {
            if let (Some(request), Some((host, url))) = (record.request(), record.asked()) {
                table.count(host, url, request.elapsed, now);
            }
        }
    }
}

#[derive(Debug, Default)]
struct Table {
    hosts: HashMap<HostId, Trace>,
}

/// Requests of one host, each fading with its age.
#[derive(Debug)]
struct Trace {
    host: String,
    weight: f64,
    seconds: f64,
    at: Instant,
    /// Its first request.
    since: Instant,
}

impl Trace {
    fn fade(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.at).as_secs_f64();
        let left = (-age / HALF_LIFE.as_secs_f64()).exp2();
        self.weight *= left;
        self.seconds *= left;
        self.at = now;
    }

    fn mean_seconds(&self) -> f64 {
        self.seconds / self.weight
    }

    /// The weight that one request a second would have brought since the first.
    fn weight_of_one_a_second(&self) -> f64 {
        let full = HALF_LIFE.as_secs_f64() / std::f64::consts::LN_2;
        // A host just met gets no rate out of a few milliseconds.
        let age = self.at.saturating_duration_since(self.since).as_secs_f64().max(2.0);
        full * (1.0 - (-age / full).exp())
    }

    fn report(&self) -> HostActivity {
        HostActivity {
            host: self.host.clone(),
            requests_per_second: self.weight / self.weight_of_one_a_second(),
            mean_elapsed: Duration::try_from_secs_f64(self.mean_seconds()).unwrap_or_default(),
        }
    }
}

impl Table {
    fn count(&mut self, id: HostId, url: &CanonicalUrl, elapsed: Duration, now: Instant) {
        if self.hosts.len() >= MAX_HOSTS && !self.hosts.contains_key(&id) {
            self.make_room(now);
        }
        let trace = self.hosts.entry(id).or_insert_with(|| Trace {
            host: url.host().as_str().to_owned(),
            weight: 0.0,
            seconds: 0.0,
            at: now,
            since: now,
        });
        trace.fade(now);
        trace.weight += 1.0;
        trace.seconds += elapsed.as_secs_f64();
    }

    /// Lets go what is too old to matter.
    fn fade(&mut self, now: Instant) {
        self.hosts.values_mut().for_each(|trace| trace.fade(now));
        self.hosts.retain(|_, trace| trace.weight > 0.05);
    }

    /// Halves the table: the busiest half stays, and the slowest few.
    fn make_room(&mut self, now: Instant) {
        self.fade(now);
        let threshold = |mut values: Vec<f64>, kept: usize| {
            values.sort_unstable_by(|a, b| b.total_cmp(a));
            values.get(kept).copied().unwrap_or(0.0)
        };
        let busy = threshold(self.hosts.values().map(|trace| trace.weight).collect(), MAX_HOSTS / 2);
        let slow = threshold(self.hosts.values().map(Trace::mean_seconds).collect(), SLOW_KEPT);
        self.hosts.retain(|_, trace| trace.weight > busy || trace.mean_seconds() > slow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(host: HostId) -> CanonicalUrl {
        CanonicalUrl::parse(&format!("http://h{host}.test/")).unwrap()
    }

    fn names(hosts: Vec<HostActivity>) -> Vec<String> {
        hosts.into_iter().map(|host| host.host).collect()
    }

    #[test]
    fn the_busiest_and_the_slowest_survive_any_number_of_hosts() {
        let activity = Activity::default();
        let now = Instant::now();
        {
            let mut table = activity.0.lock().unwrap();
            for _ in 0..50 {
                table.count(1, &url(1), Duration::from_millis(5), now);
            }
            table.count(2, &url(2), Duration::from_secs(9), now);
            for host in 10..20_000 {
                table.count(host, &url(host), Duration::from_millis(20), now);
                assert!(table.hosts.len() <= MAX_HOSTS);
            }
        }
        assert_eq!(names(activity.busiest(1)), ["http://h1.test"]);
        assert_eq!(names(activity.slowest(1)), ["http://h2.test"]);
        assert_eq!(activity.slowest(1)[0].mean_elapsed, Duration::from_secs(9));
    }

    #[test]
    fn a_steady_pace_is_told_from_the_start() {
        let activity = Activity::default();
        let now = Instant::now();
        for second in 1..=60 {
            for _ in 0..5 {
                activity.0.lock().unwrap().count(1, &url(1), Duration::ZERO, now + Duration::from_secs(second));
            }
            let rate = activity.0.lock().unwrap().hosts[&1].report().requests_per_second;
            assert!(second < 5 || (4.5..6.5).contains(&rate), "{rate} after {second} s");
        }
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut table = Table::default();
        let now = Instant::now();
        table.count(1, &url(1), Duration::from_secs(1), now);
        table.fade(now + HALF_LIFE);
        assert!((table.hosts[&1].weight - 0.5).abs() < 1e-9);
        assert!((table.hosts[&1].mean_seconds() - 1.0).abs() < 1e-9);
        table.fade(now + HALF_LIFE * 10);
        assert!(table.hosts.is_empty());
    }
}
