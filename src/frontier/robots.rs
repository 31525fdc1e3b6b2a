//! What is known of a host's robots.txt, and the requests for such files that wait on the host.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::canonical::{CanonicalUrl, Host};
use crate::policy::politeness;
use crate::policy::robots::{MAX_ROBOTS_AGE, Rules};
use crate::visit::{FailureKind, HostId, Millis, Refusal, RobotsAnswer, RobotsCall, SkipReason, StoredRobots};

use super::limits::Limits;

/// The robots.txt of one host.
///
/// Invariant: one request for it at a time (`asked_on` names the host that it goes to, which after a redirect may be
/// another), and no page before it is answered and the sitemaps it names are taken up.
#[derive(Debug)]
pub(super) struct Robots {
    state: State,
    asked_on: Option<HostId>,
    sitemaps: Sitemaps,
    /// Requests for a robots.txt, this host's or another's, that wait for their turn on this host, and when they are
    /// due.
    calls: VecDeque<(Millis, RobotsCall)>,
    /// Those handed out and not yet settled.
    calls_out: usize,
}

/// What robots.txt turned out to be.
#[derive(Debug)]
pub(super) enum State {
    Unknown,
    Known {
        rules: Rules,
        until: Millis,
    },
    /// No connection to be had: the host's URLs fail like this.
    Dead {
        kind: FailureKind,
        message: Arc<str>,
        attempts: u32,
    },
    Private,
}

/// What is known of the host's sitemaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sitemaps {
    /// robots.txt is known; the sitemaps that it names, or `/sitemap.xml`, are not queued yet.
    Due,
    /// Handed out; one of the pages may turn out to be a sitemap.
    Asked,
    /// Taken up, or not wanted.
    Known,
}

/// What robots.txt means for the host's next page.
#[derive(Debug)]
pub(super) enum Stance<'a> {
    /// It must be asked for first.
    Unknown,
    /// It, or what it names, is being taken up.
    Asked,
    /// Its sitemaps must be taken up first.
    Sitemaps,
    /// No page of this host is requested.
    Refuse(Refusal),
    Rules(&'a Rules),
}

impl Robots {
    /// Nothing is known but what the store kept of an earlier answer.
    pub(super) fn new(stored: Option<StoredRobots>, limits: &Limits) -> Self {
        let (state, sitemaps) = (State::Unknown, Sitemaps::Known);
        let mut robots = Self { state, asked_on: None, sitemaps, calls: VecDeque::new(), calls_out: 0 };
        match stored {
            _ if limits.ignore_robots && !limits.sitemaps => robots.know(Rules::allow_all(), Millis::MAX, limits),
            Some(stored) if is_reusable(&stored.answer) => {
                let until = stored.fetched_at.saturating_add(politeness::millis(MAX_ROBOTS_AGE));
                robots.know(Rules::from_answer(&stored.answer, &limits.product_token), until, limits);
            }
            _ => {}
        }
        robots
    }

    /// Takes back what was known before the host was forgotten: what its sitemaps are if `are_sitemaps_known`, and a
    /// state that the store does not keep.
    pub(super) fn recall(&mut self, are_sitemaps_known: bool, state: Option<State>) {
        if are_sitemaps_known {
            self.sitemaps = Sitemaps::Known;
        }
        if let Some(state) = state {
            self.state = state;
        }
    }

    fn know(&mut self, rules: Rules, until: Millis, limits: &Limits) {
        let rules = if limits.ignore_robots { rules.lifted() } else { rules };
        if limits.sitemaps && rules.can_name_sitemaps() {
            self.sitemaps = Sitemaps::Due;
        }
        self.state = State::Known { rules, until };
    }

    /// Takes in what robots.txt turned out to be.
    pub(super) fn learn(&mut self, answer: &RobotsAnswer, attempts: u32, now: Millis, limits: &Limits) {
        match answer {
            RobotsAnswer::Dead { kind, message } => self.give_up(*kind, message.clone(), attempts),
            RobotsAnswer::Private => self.state = State::Private,
            answer => {
                let until = now.saturating_add(politeness::millis(MAX_ROBOTS_AGE));
                self.know(Rules::from_answer(answer, &limits.product_token), until, limits);
            }
        }
    }

    /// The host can be connected to no more: what is left of it fails.
    pub(super) fn give_up(&mut self, kind: FailureKind, message: Arc<str>, attempts: u32) {
        self.state = State::Dead { kind, message, attempts };
    }

    /// How long the host asks crawlers to wait between requests, as far as that is known and heeded.
    pub(super) fn crawl_delay(&self, limits: &Limits) -> Option<Duration> {
        match &self.state {
            State::Known { rules, .. } if !limits.ignore_robots => rules.crawl_delay(),
            _ => None,
        }
    }

    pub(super) fn is_known(&self) -> bool {
        matches!(self.state, State::Known { .. })
    }

    /// `takes_sitemaps`: whether those come first, if the host has any.
    pub(super) fn stance(&self, now: Millis, takes_sitemaps: bool) -> Stance<'_> {
        match &self.state {
            State::Dead { kind, message, attempts } => {
                Stance::Refuse(Refusal::Fail { kind: *kind, message: message.clone(), attempts: *attempts })
            }
            State::Private => Stance::Refuse(Refusal::Skip(SkipReason::PrivateAddress)),
            _ if self.asked_on.is_some() => Stance::Asked,
            State::Known { rules, until } if *until > now => match self.sitemaps {
                Sitemaps::Due if takes_sitemaps => Stance::Sitemaps,
                Sitemaps::Asked if takes_sitemaps => Stance::Asked,
                _ => Stance::Rules(rules),
            },
            State::Known { .. } | State::Unknown => Stance::Unknown,
        }
    }

    /// Queues the request for the file of this host, `id`.
    pub(super) fn ask(&mut self, id: HostId, host: &Host) {
        match host.robots_url() {
            Ok(url) => {
                self.state = State::Unknown;
                self.asked_on = Some(id);
                self.queue_call(RobotsCall { host: id, for_host: id, url, hop: 0, attempt: 0 }, 0);
            }
            Err(_) => self.state = State::Private,
        }
    }

    /// The request for this host's file has ended, and goes on at another host or not at all. Answers with the host that
    /// it went to.
    pub(super) fn move_on(&mut self, to: Option<HostId>) -> Option<HostId> {
        std::mem::replace(&mut self.asked_on, to)
    }

    pub(super) fn queue_call(&mut self, call: RobotsCall, due_at: Millis) {
        self.calls.push_back((due_at, call));
    }

    /// When the next request for a robots.txt is due on this host.
    pub(super) fn next_call(&self) -> Option<Millis> {
        self.calls.front().map(|(due_at, _)| *due_at)
    }

    pub(super) fn pop_call(&mut self) -> Option<RobotsCall> {
        let (_, call) = self.calls.pop_front()?;
        self.calls_out += 1;
        Some(call)
    }

    /// The host is lost: the requests that wait here are made no more. Answers with the hosts whose files they are for.
    pub(super) fn drop_calls(&mut self) -> Vec<HostId> {
        self.calls.drain(..).map(|(_, call)| call.for_host).collect()
    }

    /// The request for the file of this host, which is lost, is made no more. False if it does not wait here.
    pub(super) fn withdraw(&mut self, for_host: HostId) -> bool {
        let before = self.calls.len();
        self.calls.retain(|(_, call)| call.for_host != for_host);
        self.calls.len() < before
    }

    /// What was handed out of this host and is not settled: requests made on it, and its sitemaps.
    pub(super) fn handed_out(&self) -> usize {
        self.calls_out + usize::from(self.sitemaps == Sitemaps::Asked)
    }

    /// A request that was handed out is settled.
    pub(super) fn count_call_in(&mut self) {
        self.calls_out = self.calls_out.saturating_sub(1);
    }

    /// The sitemaps that robots.txt names, or the one it may have without naming it. To be asked once for each answer.
    pub(super) fn take_sitemaps(&mut self, host: &Host) -> Vec<CanonicalUrl> {
        self.sitemaps = Sitemaps::Asked;
        let State::Known { rules, .. } = &self.state else { return Vec::new() };
        let named = rules.sitemaps(host);
        if named.is_empty() { host.sitemap_url().into_iter().collect() } else { named }
    }

    pub(super) fn settle_sitemaps(&mut self) {
        self.sitemaps = Sitemaps::Known;
    }

    /// Nothing of it is asked for, and no such request waits on this host or is out.
    pub(super) fn is_quiet(&self) -> bool {
        self.asked_on.is_none() && self.sitemaps != Sitemaps::Asked && self.calls.is_empty() && self.calls_out == 0
    }

    /// Whether the sitemaps that the answer names were taken up.
    pub(super) fn are_sitemaps_known(&self) -> bool {
        self.is_known() && self.sitemaps == Sitemaps::Known
    }

    /// The state, if the store does not give it back.
    pub(super) fn into_kept(self) -> Option<State> {
        match self.state {
            State::Unknown => None,
            State::Known { ref rules, .. } => rules.is_unreachable().then_some(self.state),
            State::Dead { .. } | State::Private => Some(self.state),
        }
    }
}

/// Stored rules and 4xx answers hold for their day; what was unreachable is asked for again by the next invocation.
fn is_reusable(answer: &RobotsAnswer) -> bool {
    matches!(answer, RobotsAnswer::Rules { .. } | RobotsAnswer::Unavailable { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const NOW: Millis = 1_000_000;

    fn host() -> Host {
        Host::parse("http://h.test").unwrap()
    }

    fn rules(body: &str) -> RobotsAnswer {
        RobotsAnswer::Rules { status: 200, body: body.as_bytes().to_vec() }
    }

    fn limits() -> Limits {
        Limits::new(&Config { sitemaps: true, ..Config::default() })
    }

    #[test]
    fn robots_txt_comes_before_the_sitemaps_and_these_before_the_pages() {
        let mut robots = Robots::new(None, &limits());
        assert!(matches!(robots.stance(NOW, true), Stance::Unknown));
        robots.ask(1, &host());
        assert!(matches!(robots.stance(NOW, true), Stance::Asked));
        assert_eq!(robots.pop_call().map(|call| call.for_host), Some(1));
        assert_eq!(robots.move_on(None), Some(1));
        robots.count_call_in();
        robots.learn(&rules("Sitemap: http://h.test/map.xml"), 1, NOW, &limits());
        assert!(matches!(robots.stance(NOW, true), Stance::Sitemaps));
        assert_eq!(robots.take_sitemaps(&host()).len(), 1);
        assert!(matches!(robots.stance(NOW, true), Stance::Asked));
        assert!(!robots.is_quiet());
        robots.settle_sitemaps();
        assert!(matches!(robots.stance(NOW, true), Stance::Rules(_)));
        assert!(robots.is_quiet());
    }

    #[test]
    fn an_answer_holds_for_its_day() {
        let stored = StoredRobots { fetched_at: NOW, answer: rules("User-agent: *\nCrawl-delay: 3\n") };
        let mut robots = Robots::new(Some(stored), &limits());
        robots.recall(true, None);
        assert_eq!(robots.crawl_delay(&limits()), Some(Duration::from_secs(3)));
        let day = politeness::millis(MAX_ROBOTS_AGE);
        assert!(matches!(robots.stance(NOW + day - 1, true), Stance::Rules(_)));
        assert!(matches!(robots.stance(NOW + day, true), Stance::Unknown));
        let unreachable = RobotsAnswer::Unreachable { status: Some(503), failure: None };
        let stored = StoredRobots { fetched_at: NOW, answer: unreachable };
        assert!(matches!(Robots::new(Some(stored), &limits()).stance(NOW, true), Stance::Unknown));
    }

    #[test]
    fn only_what_the_store_does_not_give_back_is_kept() {
        let learnt = |answer: &RobotsAnswer| {
            let mut robots = Robots::new(None, &limits());
            robots.learn(answer, 1, NOW, &limits());
            robots.into_kept()
        };
        assert!(learnt(&rules("")).is_none());
        assert!(learnt(&RobotsAnswer::Unavailable { status: 404 }).is_none());
        assert!(matches!(learnt(&RobotsAnswer::Private), Some(State::Private)));
        let unreachable = RobotsAnswer::Unreachable { status: Some(503), failure: None };
        assert!(matches!(learnt(&unreachable), Some(State::Known { .. })));
        let dead = RobotsAnswer::Dead { kind: FailureKind::Dns, message: "no such host".into() };
        assert!(matches!(learnt(&dead), Some(State::Dead { .. })));
    }

    #[test]
    fn without_rules_and_sitemaps_nothing_is_asked_for() {
        let limits = Limits::new(&Config { ignore_robots: true, sitemaps: false, ..Config::default() });
        assert!(matches!(Robots::new(None, &limits).stance(NOW, true), Stance::Rules(_)));
    }
}
