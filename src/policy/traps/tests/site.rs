//! A crawl of one thing after another, without a database, of a site that is a function.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Write as _;

use aws_lc_rs::digest;

use crate::canonical::CanonicalUrl;
use crate::policy::traps::{Account, Recalled, Traps};
use crate::visit::{Candidate, Element, Page, Target, TrapId, UrlId};

/// What a site answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub status: u16,
    pub title: Option<String>,
    pub text: String,
    pub links: Vec<String>,
    pub images: Vec<u64>,
    pub redirect: Option<String>,
}

pub(super) fn page(text: impl Into<String>, links: impl IntoIterator<Item = impl Into<String>>) -> Answer {
    let links = links.into_iter().map(Into::into).collect();
    Answer { status: 200, text: text.into(), links, ..Answer::default() }
}

pub(super) fn to(location: impl Into<String>) -> Answer {
    Answer { status: 302, redirect: Some(location.into()), ..Answer::default() }
}

/// Numbers drawn by lot from numbers, the same each time.
pub(super) fn lot(seed: u64) -> u64 {
    fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).u64(..)
}

/// Words drawn by lot out of `vocabulary` many.
pub(super) fn words(seed: u64, count: usize, vocabulary: u64) -> String {
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut text = String::new();
    for _ in 0..count {
        let mut number = rng.u64(..vocabulary) * 7_919 + 26;
        while number > 0 {
            let _ = write!(text, "{}", char::from(b'a' + (number % 26) as u8));
            number /= 26;
        }
        text.push(' ');
    }
    text
}

struct State {
    id: UrlId,
    trap: Option<TrapId>,
    is_held: bool,
    is_asked: bool,
}

/// What became of a crawl.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// In their order.
    pub asked: Vec<String>,
    pub held: HashSet<String>,
}

/// Crawls from `seeds` until nothing is pending or `most` were asked.
pub(super) fn crawl(seeds: &[&str], site: impl Fn(&str) -> Answer, most: usize) -> Outcome {
    crawl_in_slices(seeds, site, most, usize::MAX)
}

/// The same, in invocations of so many pages each.
pub(super) fn crawl_in_slices(seeds: &[&str], site: impl Fn(&str) -> Answer, most: usize, slice: usize) -> Outcome {
    let mut traps = Traps::new(&[], 1);
    let (mut accounts, mut paid): (HashMap<TrapId, Account>, Vec<(TrapId, Recalled)>) = Default::default();
    let mut known: HashMap<String, State> = HashMap::new();
    let (mut queue, mut outcome) = (VecDeque::new(), Outcome::default());
    for seed in seeds {
        known.insert((*seed).to_owned(), State { id: 1, trap: None, is_held: false, is_asked: false });
        queue.push_back((*seed).to_owned());
    }
    let mut left = slice;
    while let Some(url) = queue.pop_front() {
        let state = known.get_mut(&url).unwrap();
        if state.is_asked || outcome.asked.len() >= most {
            continue;
        }
        if left == 0 {
            (traps, left) = (resumed(&accounts, &paid), slice);
        }
        state.is_held = state.trap.is_some_and(|trap| traps.is_held(trap));
        if state.is_held {
            continue;
        }
        (state.is_asked, left) = (true, left - 1);
        let (id, trap, answer) = (state.id, state.trap, site(&url));
        outcome.asked.push(url.clone());
        let url = CanonicalUrl::parse(&url).unwrap();
        let target = Target { trap, ..Target::new(id, host_number(&url), url, u32::from(id > 1)) };
        let page = read(&target.url, answer);
        let mut weighed = traps.weigh(&target, &page);
        for candidate in page.links.iter().chain(&page.redirect) {
            let name = candidate.url.as_str();
            match known.get_mut(name) {
                None => {
                    let named = traps.named(&mut weighed, candidate);
                    weighed.leads_on |= named.is_some() && named == weighed.account;
                    let is_held = named.is_some_and(|trap| traps.is_held(trap));
                    weighed.led_to += u32::from(named.is_some());
                    let id = known.len() as UrlId + 1;
                    known.insert(name.to_owned(), State { id, trap: named, is_held, is_asked: false });
                    if !is_held {
                        queue.push_back(name.to_owned());
                    }
                }
                Some(old) if old.is_held => {
                    let named = traps.named(&mut weighed, candidate);
                    if named != old.trap && named.is_none_or(|trap| !traps.is_held(trap)) {
                        (old.trap, old.is_held) = (named, false);
                        queue.push_back(name.to_owned());
                    }
                }
                Some(old) => {
                    if name != target.url.as_str() {
                        traps.met(&mut weighed, old.id, old.trap);
                    }
                    if let Some(paying) = old.trap.filter(|trap| weighed.account != Some(*trap)) {
                        let named = traps.named(&mut weighed, candidate);
                        if traps.relieves(Some(&weighed), named, paying) {
                            old.trap = named;
                        }
                    }
                }
            }
        }
        traps.settle(&mut weighed);
        paid.extend(trap.filter(|_| slice < usize::MAX).zip(recalled(&target.url, &page)));
        let changes = traps.take_changes();
        accounts.extend(changes.accounts.into_iter().map(|account| (account.id, account)));
        for (turned, _) in changes.turned.into_iter().filter(|(_, is_held)| !is_held) {
            release(turned, &mut known, &mut queue);
        }
    }
    outcome.held = known.into_iter().filter(|(_, state)| state.is_held).map(|(url, _)| url).collect();
    outcome
}

/// Makes pending what this account held back.
fn release(turned: TrapId, known: &mut HashMap<String, State>, queue: &mut VecDeque<String>) {
    for (url, state) in known.iter_mut().filter(|(_, state)| state.is_held && state.trap == Some(turned)) {
        state.is_held = false;
        queue.push_back(url.clone());
    }
}

/// A page as it is stored, unless it redirects.
fn recalled(url: &CanonicalUrl, page: &Page) -> Option<Recalled> {
    let text = page.text.clone()?;
    Some(Recalled { url: url.to_string(), title: page.title.clone(), description: None, text })
}

/// As the store has it.
const RECALLED: usize = 4_096;

/// What the next invocation knows.
fn resumed(accounts: &HashMap<TrapId, Account>, paid: &[(TrapId, Recalled)]) -> Traps {
    let mut traps = Traps::new(&[], accounts.keys().max().map_or(1, |last| last + 1));
    let hosts = [host_number(&CanonicalUrl::parse("http://t.test/").unwrap())];
    traps.load(&hosts, accounts.values().map(|account| ("http://t.test/".to_owned(), account.clone())).collect());
    for id in traps.forgotten() {
        let pages =
            paid.iter().rev().filter(|(account, _)| *account == id).take(RECALLED).map(|(_, page)| page.clone());
        traps.recall(&pages.collect::<Vec<_>>());
    }
    traps
}

/// A number for each host.
fn host_number(url: &CanonicalUrl) -> i64 {
    url.host_str().bytes().fold(7, |hash, byte| hash * 31 % 1_000_003 + i64::from(byte))
}

fn read(url: &CanonicalUrl, answer: Answer) -> Page {
    let candidate = |reference: &String, element| {
        let url = CanonicalUrl::join(url.url(), reference).unwrap();
        Candidate::new(url, element)
    };
    let body = format!("{:?}{}{:?}{:?}", answer.title, answer.text, answer.links, answer.images);
    Page {
        status: answer.status,
        content_hash: digest::digest(&digest::SHA256, body.as_bytes()).as_ref().try_into().ok(),
        links: answer.links.iter().map(|link| candidate(link, Element::A)).collect(),
        redirect: answer.redirect.as_ref().map(|location| candidate(location, Element::Redirect)),
        title: answer.title,
        images: answer.images,
        text: Some(answer.text).filter(|_| answer.redirect.is_none()),
        ..Page::default()
    }
}
