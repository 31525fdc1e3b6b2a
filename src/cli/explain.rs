//! `explain`: why a URL was or was not fetched, and what happens next; for one never seen, what would happen.

mod facts;
mod meaning;
mod verdict;

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use crate::canonical::{CanonicalUrl, without_userinfo};
use crate::read::Database;
use crate::store::sqlite::timestamp;
use crate::visit;
use serde::Serialize;

use super::failure::Failure;
use super::output::{printable, unwritten};
use super::{bare, words};
use facts::{Check, Facts, Hop, Request, Response, Trap};
use verdict::{Next, RobotsVerdict, ScopeVerdict, Would};

/// The answer; its fields are the keys of `--json`.
#[derive(Debug, Serialize)]
pub struct Explanation {
    pub url: String,
    /// `fetched`, `failed`, `skipped`, `pending` or `unknown`.
    pub state: &'static str,
    /// Why it is skipped, or how it failed, in one word.
    pub reason: Option<String>,
    pub meaning: String,
    /// How it failed, in words.
    pub message: Option<String>,
    /// The trap that holds it back.
    trap: Option<Trap>,
    response: Option<Response>,
    /// What `--check` found of it.
    check: Option<Check>,
    depth: Option<u32>,
    first_seen_at: Option<String>,
    /// The way from a seed to the URL.
    pub found: Vec<Hop>,
    scope: Option<ScopeVerdict>,
    robots: RobotsVerdict,
    /// How many requests were made for it.
    request_count: i64,
    /// The last twenty requests, oldest first.
    pub requests: Vec<Request>,
    next: Next,
    /// What would happen to it; only for a URL that was never seen.
    would: Option<Would>,
}

pub fn run(database: &str, url: &str, json: bool) -> Result<u8, Failure> {
    let typed = &*without_userinfo(url);
    let url = url_of(url)?;
    let explanation = explained(&Database::open(database)?, &url)?;
    let text = if json {
        serde_json::to_string(&explanation).map_err(std::io::Error::from)? + "\n"
    } else {
        explanation.text(typed)
    };
    std::io::stdout().write_all(text.as_bytes()).map_err(|e| unwritten(&e))?;
    Ok(0)
}

/// The URL that was typed, in any spelling.
pub fn url_of(typed: &str) -> Result<CanonicalUrl, Failure> {
    CanonicalUrl::parse(typed).map_err(|e| {
        let shown = without_userinfo(typed);
        let failure = Failure::new(format!("`{}` is no URL that can be crawled", printable(&shown))).cause(&e);
        failure.hint("write the whole URL, such as https://example.com/page").maybe_hint(bare::named(typed).as_deref())
    })
}

/// The answer for a URL, which need not be in the database.
pub fn explained(db: &Database, url: &CanonicalUrl) -> Result<Explanation, Failure> {
    Ok(explain(url, facts::gather(db, url)?))
}

fn explain(url: &CanonicalUrl, facts: Facts) -> Explanation {
    let scope = verdict::scope(url, &facts);
    let robots = verdict::robots(url, &facts);
    let would = if facts.known.is_none() { verdict::would(scope.as_ref(), &robots) } else { None };
    let next = verdict::next(&facts, &robots, would.as_ref());
    let (state, reason, meaning) = state(&facts);
    Explanation {
        url: url.to_string(),
        state,
        reason,
        meaning,
        message: facts.failure.map(|(_, message)| message),
        trap: facts.trap,
        response: facts.response,
        check: facts.check,
        depth: facts.known.as_ref().map(|known| known.depth),
        first_seen_at: facts.known.as_ref().map(|known| timestamp(known.first_seen_at)),
        found: facts.found,
        scope,
        robots,
        request_count: facts.requests.1,
        requests: facts.requests.0,
        next,
        would,
    }
}

/// State, reason, and what that means.
fn state(facts: &Facts) -> (&'static str, Option<String>, String) {
    let Some(known) = &facts.known else {
        return ("unknown", None, "So far no page linked to it, and it was no seed.".to_owned());
    };
    match known.state {
        0 if known.attempts > 0 => {
            let tries = words::counted(known.attempts, "request");
            ("pending", None, format!("It waits to be tried again, after {tries} in this run."))
        }
        0 => ("pending", None, "It waits to be fetched.".to_owned()),
        1 => {
            let redirects = facts.response.as_ref().is_some_and(|response| response.redirect_to.is_some());
            let meaning =
                if redirects { "It redirects; its target is a URL of its own." } else { "Its response is stored." };
            ("fetched", None, meaning.to_owned())
        }
        2 => {
            let kind = facts.failure.as_ref().map(|(kind, _)| kind.clone());
            let meaning = meaning::of_failed(kind.as_deref().unwrap_or_default()).0.to_owned();
            ("failed", kind, meaning)
        }
        _ => {
            let meaning = meaning::of_skipped(known.reason.as_deref().unwrap_or_default()).0.to_owned();
            ("skipped", known.reason.clone(), meaning)
        }
    }
}

/// Lines of text under labels.
#[derive(Default)]
struct Lines(String);

impl Lines {
    /// An empty label continues the lines under the one before.
    fn put(&mut self, label: &str, line: &str) {
        let _ = writeln!(self.0, "{label:12}{}", printable(line));
    }
}

impl Explanation {
    pub fn text(&self, typed: &str) -> String {
        let mut lines = Lines(format!("{}\n", self.url));
        if typed != self.url {
            lines.put("typed as", typed);
        }
        let state =
            self.reason.as_ref().map_or_else(|| self.state.to_owned(), |reason| format!("{}: {reason}", self.state));
        lines.put("state", &state);
        lines.put("", &self.meaning);
        if let Some(message) = &self.message {
            lines.put("", message);
        }
        if let Some(trap) = &self.trap {
            lines.put("trap", &format!("{} on {}: {}", trap.pattern, trap.host, trap.reason));
            let held = words::counted(trap.held_back, "URL");
            lines.put("", &format!("{held} held back; --allow-trap {} lets them in", words::shell(&trap.pattern)));
        }
        if let Some(response) = &self.response {
            lines.put("response", &response.line());
        }
        if let Some(check) = &self.check {
            check.text(&mut lines);
        }
        lines.put("next", &self.next.what);
        if let Some(at) = &self.next.at {
            lines.put("", &format!("Not before {at}."));
        }
        self.found_text(&mut lines);
        match &self.scope {
            Some(scope) => {
                let verdict = if scope.verdict == "in" { "yes".to_owned() } else { format!("no, {}", scope.verdict) };
                lines.put("in scope", &format!("{verdict} (--scope {}). {}", scope.scope, scope.meaning));
            }
            None => lines.put("in scope", "not known: an earlier version wrote this database and kept no settings"),
        }
        self.robots.text(&mut lines);
        self.requests_text(&mut lines);
        lines.0
    }

    fn found_text(&self, lines: &mut Lines) {
        if let Some(depth) = self.depth {
            let max = self.scope.as_ref().and_then(|scope| scope.max_depth);
            let max = max.map_or_else(String::new, |max| format!(", of {max} at most (--max-depth)"));
            let links = words::counted(depth, "link");
            lines.put("depth", &format!("{depth}: {links} away from a seed{max}"));
        }
        let mut label = "found";
        if self.found.first().is_some_and(|first| !["seed", "robots.txt"].contains(&first.how.as_str())) {
            lines.put(
                std::mem::take(&mut label),
                "… from a seed, by a way that is too long to show or not known any more",
            );
        }
        for hop in &self.found {
            let text = hop.text.as_deref().filter(|text| !text.is_empty());
            let text = text.map_or_else(String::new, |text| format!(" “{text}”"));
            let how = match hop.how.as_str() {
                "seed" => "seed",
                "robots.txt" => "named by robots.txt, or looked for at its usual place:",
                "redirect" => "redirect to",
                "link" => "link to",
                element => &format!("<{element}>{text} to"),
            };
            lines.put(std::mem::take(&mut label), &format!("{how} {}", hop.url));
        }
        if let Some(at) = &self.first_seen_at {
            lines.put("", &format!("first seen {at}"));
        }
    }

    fn requests_text(&self, lines: &mut Lines) {
        let shown = self.requests.len();
        let total = match self.request_count {
            0 => "none".to_owned(),
            count if usize::try_from(count) == Ok(shown) => words::counted(count, "request"),
            count => format!("the last {shown} of {}", words::count(count)),
        };
        lines.put("requests", &total);
        for request in &self.requests {
            lines.put("", &request.line());
        }
    }
}

impl Check {
    fn text(&self, lines: &mut Lines) {
        let answer = self.status.map(|status| status.to_string()).or_else(|| self.failure.clone()).unwrap_or_default();
        let how =
            self.method.as_ref().map_or_else(|| "not asked for".to_owned(), |method| format!("asked with {method}"));
        let at = &self.checked_at;
        lines.put("checked", &format!("{}: {answer} at {}, {how}, {at} (--check)", self.verdict, self.final_url));
        for place in &self.named_by {
            lines.put("", &format!("a part of {place}"));
        }
    }
}

impl Response {
    fn line(&self) -> String {
        let to = self.redirect_to.as_ref().map_or_else(String::new, |to| format!(", redirect to {to}"));
        let kind = self.content_type.as_ref().map_or_else(String::new, |kind| format!(", {kind}"));
        format!("{}{kind}{to}, received {}", self.status, self.fetched_at)
    }
}

impl Request {
    fn line(&self) -> String {
        let answer = match (self.status, &self.failure) {
            (Some(status), _) => status.to_string(),
            (None, failure) => failure.clone().unwrap_or_default(),
        };
        let size = if self.failure.is_some() { String::new() } else { format!(", {}", words::size(self.bytes)) };
        let unchanged = if self.unchanged { ", unchanged" } else { "" };
        format!("{}  run {}: {answer} after {} ms{size}{unchanged}", self.at, self.run, self.elapsed_ms)
    }
}

impl RobotsVerdict {
    fn text(&self, lines: &mut Lines) {
        lines.put("robots.txt", &format!("{}: {}", self.verdict, self.meaning));
        if let Some(group) = &self.group {
            let rule = self.line.zip(self.rule.as_ref()).map(|(line, rule)| format!(", line {line}: {rule}"));
            lines.put("", &format!("group of user agent {group}{}", rule.unwrap_or_default()));
        }
        if let Some(delay) = self.crawl_delay_ms {
            lines.put("", &format!("asks for {} ms between requests", words::count(delay)));
        }
        if let (Some(url), Some(at)) = (&self.url, &self.asked_at) {
            let status = self.status.map(|status| status.to_string()).or_else(|| self.failure.clone());
            let age = at.parse::<jiff::Timestamp>().map_or(0, |at| visit::now().saturating_sub(at.as_millisecond()));
            let age = words::time(Duration::from_millis(u64::try_from(age).unwrap_or(0)));
            lines.put(
                "",
                &format!("{url} answered {} {age} ago, {at}", status.unwrap_or_else(|| "nothing usable".into())),
            );
        }
    }
}
