//! Where a store is tried: a place that opens it again and again, and a hand that drives a run on it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use harvestman::internals::canonical::CanonicalUrl;
use harvestman::internals::config::Config;
use harvestman::internals::scope::Scope;
use harvestman::internals::store::{Accounting, Committed, Run, Start, Store};
use harvestman::internals::visit::{
    self, Candidate, Element, Hold, HostId, Page, PageOutcome, Record, Request, Rest, SkipReason, Target,
};

/// A database of its own, empty at first.
pub trait Place: Sized {
    type Store: Store;

    /// None if the store cannot be tried here.
    fn new() -> Option<Self>;

    /// Opens the store; whoever held it must have let go.
    fn open(&self) -> impl Future<Output = Self::Store>;

    /// Asks the views; the cells of a row are joined by `|`, and null is empty.
    fn rows(&self, sql: &str) -> impl Future<Output = Vec<String>>;

    /// Lets time pass for all stored pages, in milliseconds.
    fn age(&self, by: i64) -> impl Future<Output = ()>;

    /// Another process takes a host while the run goes on.
    fn seize(&self, host: &str) -> impl Future<Output = ()>;
}

/// The only row of an answer.
pub async fn row(place: &impl Place, sql: &str) -> String {
    let rows = place.rows(sql).await;
    assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
    rows.concat()
}

pub fn url(text: &str) -> CanonicalUrl {
    CanonicalUrl::parse(text).unwrap()
}

/// A run, and the holds on its hosts as a frontier would have them.
pub struct Hand<'p, P: Place> {
    pub run: <P::Store as Store>::Run,
    pub holds: HashMap<HostId, Hold>,
    place: &'p P,
}

impl<'p, P: Place> Hand<'p, P> {
    pub async fn begin(place: &'p P, config: &Config, seeds: &[&str]) -> Self {
        let seeds: Vec<_> = seeds.iter().map(|seed| url(seed)).collect();
        let scope = Scope::new(config, &seeds).into();
        let store = place.open().await;
        let run = store.begin(Start { config, scope: &scope, seeds: &seeds, given: &[] }).await.unwrap();
        let hand = Self { run, holds: HashMap::new(), place };
        hand.check().await;
        hand
    }

    /// Takes all hosts, and answers with all that is pending of them.
    pub async fn take(&mut self) -> Vec<Target> {
        let mut targets = Vec::new();
        for host in self.run.take(1_000).await.unwrap() {
            targets.extend(self.window(host, 1_000).await);
        }
        targets
    }

    /// What is pending of a host that is held.
    pub async fn window(&mut self, host: HostId, limit: usize) -> Vec<Target> {
        let refill = self.run.pending(&[(host, limit)]).await.unwrap().remove(0);
        self.holds.insert(host, refill.host.hold());
        refill.targets
    }

    pub async fn commit(&mut self, records: impl IntoIterator<Item = Record>) -> Committed {
        let holds = &self.holds;
        let committed = self.run.commit(records.into_iter().collect(), |host| holds.get(&host).copied()).await.unwrap();
        self.holds.extend(committed.hosts.iter().map(|host| (host.id, host.hold())));
        self.check().await;
        committed
    }

    /// The run's row, what the run tells, and the count of all URLs are one at every commit.
    async fn check(&self) {
        let Accounting { discovered, fetched, failed, skipped, pending, .. } = self.run.accounting().0;
        assert_eq!(discovered, fetched + failed + skipped + pending);
        let told = format!("{discovered}|{fetched}|{failed}|{skipped}|{pending}");
        let columns = "discovered, fetched, failed, skipped, pending";
        assert_eq!(row(self.place, &format!("select {columns} from accounting")).await, told);
        let last = format!("select {columns} from runs where id = {}", self.run.id());
        assert_eq!(row(self.place, &last).await, told);
    }

    /// Fetches all that is pending, and what that brings, and ends the run.
    pub async fn finish(mut self, page: impl Fn(&Target) -> Page) {
        let mut targets = self.take().await;
        while !targets.is_empty() {
            let records: Vec<_> = targets.into_iter().map(|target| (page(&target), target)).collect();
            targets = self.commit(records.into_iter().map(|(page, target)| fetched(target, page))).await.targets;
        }
        self.run.end("finished", true).await.unwrap();
    }

    pub fn accounting(&self) -> (i64, i64, i64, i64) {
        let now = self.run.accounting().0;
        (now.fetched, now.failed, now.skipped, now.pending)
    }
}

/// The one whose URL ends so.
pub fn target(targets: &[Target], end: &str) -> Target {
    let mut found = targets.iter().filter(|target| target.url.as_str().ends_with(end));
    let target = found.next().unwrap_or_else(|| panic!("{end} is not among {targets:?}"));
    assert!(found.next().is_none(), "{end} is there twice");
    target.clone()
}

pub fn link(to: &str) -> Candidate {
    Candidate::new(url(to), Element::A)
}

pub fn skipped_link(to: &str, reason: SkipReason) -> Candidate {
    Candidate { follow: reason != SkipReason::Nofollow, skip: Some(reason), ..link(to) }
}

pub fn redirect(to: &str) -> Page {
    Page { status: 301, redirect: Some(Candidate { element: Element::Redirect, ..link(to) }), ..page([]) }
}

/// A page of status 200 with these links and this text.
pub fn text_page(text: &str, links: impl IntoIterator<Item = Candidate>) -> Page {
    let mut content_hash = [0; 32];
    content_hash[..text.len().min(32)].copy_from_slice(&text.as_bytes()[..text.len().min(32)]);
    Page {
        status: 200,
        content_type: Some("text/html".to_owned()),
        text: Some(text.to_owned()),
        body: Some(text.as_bytes().to_owned()),
        content_hash: Some(content_hash),
        links: links.into_iter().collect(),
        fetched_at: visit::now(),
        ..Page::default()
    }
}

pub fn page(links: impl IntoIterator<Item = Candidate>) -> Page {
    text_page("text", links)
}

pub fn request(status: Option<u16>) -> Request {
    Request {
        at: visit::now(),
        elapsed: Duration::from_millis(20),
        status,
        failure: None,
        bytes: 100,
        certificate_expires_at: None,
    }
}

pub fn ended(target: Target, outcome: PageOutcome) -> Record {
    Record::Page { target, request: request(None), rest: Rest::default(), outcome }
}

pub fn fetched(target: Target, page: Page) -> Record {
    ended(target, PageOutcome::Fetched(Arc::new(page)))
}
