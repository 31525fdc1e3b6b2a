//! What scope and robots.txt say of a URL under the last settings, and what happens to it next.

use std::time::Duration;

use crate::canonical::CanonicalUrl;
use crate::config::{Config, Recrawl};
use crate::policy::retry::Trouble;
use crate::policy::robots::{MAX_ROBOTS_AGE, Rules};
use crate::policy::{due, politeness};
use crate::store::sqlite::timestamp;
use crate::visit::{self, FailureKind, Millis, RobotsAnswer, SkipReason};
use serde::Serialize;

use super::facts::{Facts, Known};
use super::meaning;
use crate::cli::words;

/// What the settings of the last invocation say.
#[derive(Debug, Serialize)]
pub struct ScopeVerdict {
    /// The value of `--scope`.
    pub scope: String,
    pub max_depth: Option<u32>,
    /// `in`, or the reason it would be skipped for.
    pub verdict: String,
    pub meaning: String,
}

/// What robots.txt says.
#[derive(Debug, Serialize)]
pub struct RobotsVerdict {
    pub url: Option<String>,
    pub asked_at: Option<String>,
    pub status: Option<u16>,
    pub failure: Option<String>,
    /// `allowed`, `disallowed`, `unreachable`, `unknown` (not asked yet), or `ignored` (`--ignore-robots`).
    pub verdict: &'static str,
    /// The user agent of the group that applies.
    pub group: Option<String>,
    /// The deciding line and its number.
    pub line: Option<usize>,
    pub rule: Option<String>,
    pub crawl_delay_ms: Option<Millis>,
    pub meaning: String,
}

/// What happens to the URL next, and the earliest time of that.
#[derive(Debug, Serialize)]
pub struct Next {
    pub what: String,
    pub at: Option<String>,
}

/// What would happen to a URL that was never seen.
#[derive(Debug, Serialize)]
pub struct Would {
    /// `fetched` or `skipped`.
    pub state: &'static str,
    pub reason: Option<String>,
}

pub fn scope(url: &CanonicalUrl, facts: &Facts) -> Option<ScopeVerdict> {
    let (config, scope) = facts.settings.as_ref()?;
    // A URL that was never seen has no depth yet. It is judged at depth 1: only --max-depth 0 would keep that out.
    let unseen = u32::from(!scope.is_seed(url));
    let (depth, follow) =
        facts.known.as_ref().map_or((unseen, true), |known| (known.depth, known.depth == 0 || known.followed));
    let on_error_page = facts.known.as_ref().and_then(|known| known.reason.as_deref()) == Some("error_page");
    let reason = match on_error_page && !follow {
        true => scope.judge_on_error_page(url),
        false => scope.judge(url, depth, follow),
    };
    let meaning = match &reason {
        None if scope.is_seed(url) => "It is a seed, and a seed is always in scope.".to_owned(),
        None if scope.is_heir(url) => "A seed redirects to it, so it counts for that seed.".to_owned(),
        None => "It is within the scope.".to_owned(),
        Some(SkipReason::Excluded) => excluded(config, url),
        Some(reason) => meaning::of_skipped(reason.as_str()).0.to_owned(),
    };
    let scope = config.scope.as_str().to_owned();
    let verdict = reason.as_ref().map_or("in", SkipReason::as_str).to_owned();
    Some(ScopeVerdict { scope, max_depth: config.max_depth, verdict, meaning })
}

fn excluded(config: &Config, url: &CanonicalUrl) -> String {
    match config.exclude.iter().find(|pattern| pattern.is_match(url.as_str())) {
        Some(pattern) => format!("--exclude {} matches it.", words::shell(pattern.as_str())),
        None => "No --include pattern matches it.".to_owned(),
    }
}

pub fn robots(url: &CanonicalUrl, facts: &Facts) -> RobotsVerdict {
    let defaults = Config::default();
    let config = facts.settings.as_ref().map_or(&defaults, |(config, _)| config);
    let mut verdict = RobotsVerdict {
        url: url.host().robots_url().ok().map(|url| url.to_string()),
        asked_at: None,
        status: None,
        failure: None,
        verdict: "unknown",
        group: None,
        line: None,
        rule: None,
        crawl_delay_ms: None,
        meaning: "It was not asked for so far: it is the first request to a host.".to_owned(),
    };
    if let Some((host, at)) = facts.host.as_ref().and_then(|host| Some((host, host.robots_at?))) {
        verdict.asked_at = Some(timestamp(at));
        verdict.status = host.robots_status;
        verdict.failure.clone_from(&host.robots_failure);
        verdict.crawl_delay_ms = host.crawl_delay_ms;
        read_rules(&mut verdict, &host.robots, config.product_token(), url);
        if visit::now().saturating_sub(at) > politeness::millis(MAX_ROBOTS_AGE) {
            verdict.meaning += " It is older than a day: it is asked for again before the next request.";
        }
    }
    if config.ignore_robots {
        verdict.verdict = "ignored";
        verdict.meaning = format!("--ignore-robots was given. Otherwise: {}", verdict.meaning);
    }
    verdict
}

fn read_rules(verdict: &mut RobotsVerdict, answer: &RobotsAnswer, token: &str, url: &CanonicalUrl) {
    let rules = Rules::from_answer(answer, token);
    verdict.verdict = match rules.forbid(url) {
        None => "allowed",
        Some(SkipReason::Robots) => "disallowed",
        Some(_) => "unreachable",
    };
    verdict.meaning = match answer {
        RobotsAnswer::Rules { body, .. } => {
            verdict.group = Some(rules.group().to_owned());
            let place = rules.deciding_place(body, url);
            (verdict.line, verdict.rule) = place.map_or((None, None), |(line, rule)| (Some(line), Some(rule)));
            match verdict.line {
                Some(_) => "The longest rule that matches decides.".to_owned(),
                None if verdict.verdict == "disallowed" => {
                    "It has so many rules with wildcards that it cannot be told which decides on a URL as long as this one, \
                     so it is left alone."
                        .to_owned()
                }
                None => "No rule matches, so it is allowed.".to_owned(),
            }
        }
        RobotsAnswer::Unavailable { status } => {
            format!("An answer of {status} means there are no rules: all is allowed.")
        }
        _ => meaning::of_skipped("robots_unreachable").0.to_owned(),
    };
}

/// What would become of a URL that was never seen if a link led to it. `None` if there are no settings to judge by.
pub fn would(scope: Option<&ScopeVerdict>, robots: &RobotsVerdict) -> Option<Would> {
    let by_robots = match robots.verdict {
        "disallowed" => Some("robots"),
        "unreachable" => Some("robots_unreachable"),
        _ => None,
    };
    let by_scope = scope.map(|scope| scope.verdict.as_str()).filter(|verdict| *verdict != "in");
    let reason = by_scope.or(by_robots).map(str::to_owned);
    (scope.is_some() || reason.is_some())
        .then(|| Would { state: if reason.is_some() { "skipped" } else { "fetched" }, reason })
}

pub fn next(facts: &Facts, robots: &RobotsVerdict, would: Option<&Would>) -> Next {
    let defaults = Config::default();
    let config = facts.settings.as_ref().map_or(&defaults, |(config, _)| config);
    let at_once = |what: String| Next { what, at: None };
    let Some(known) = &facts.known else { return at_once(of_unseen(config, would)) };
    match known.state {
        0 => of_pending(facts, known, config, robots),
        1 => of_fetched(facts, config),
        2 => {
            let kind = facts.failure.as_ref().map_or("", |(kind, _)| kind.as_str());
            let may_pass = FailureKind::from_word(kind).is_some_and(|kind| Trouble::Failure(kind).may_pass());
            let tries = 1 + if may_pass { config.retries } else { 0 };
            let tries = words::counted(tries, "request");
            let help = meaning::of_failed(kind).1;
            at_once(format!("The next run tries it again, with {tries} at most. {help}"))
        }
        _ => at_once(meaning::of_skipped(known.reason.as_deref().unwrap_or_default()).1.to_owned()),
    }
}

fn of_fetched(facts: &Facts, config: &Config) -> Next {
    let page = facts.response.as_ref().map(|response| response.page).unwrap_or_default();
    let due_at = due::due_at(&page, &due::Rules::of(config));
    if due::is_due(due_at, page.fetched_at, visit::now()) {
        return Next { what: "The next run fetches it again.".to_owned(), at: None };
    }
    let wait = due_at.saturating_sub(page.fetched_at);
    let old = words::time(Duration::from_millis(u64::try_from(wait).unwrap_or(0)));
    let older = format!("A run that begins once the response is older than {old}");
    let what = match config.recrawl_after {
        Recrawl::After(age) if politeness::millis(age) == wait => {
            format!("{older} (--recrawl-after) fetches it again.")
        }
        Recrawl::After(_) => format!("{older} fetches it again: until then it is fresh (--respect-cache)."),
        Recrawl::Auto => format!("{older} fetches it again: the interval follows its changes (--recrawl-after auto)."),
    };
    Next { what, at: Some(timestamp(due_at)) }
}

fn of_unseen(config: &Config, would: Option<&Would>) -> String {
    match would {
        None => "The database was written by an earlier version, which kept no settings to judge by: nothing but \
                 robots.txt speaks. The next `crawl` keeps them."
            .to_owned(),
        Some(Would { reason: Some(reason), .. }) => {
            let (meaning, change) = meaning::of_skipped(reason);
            format!("It was never seen. If a link led to it, it would be skipped as {reason}: {meaning} {change}")
        }
        Some(_) => {
            let depth = config.max_depth.map(|max| format!(" of depth {} at most", max.saturating_sub(1)));
            format!("It was never seen. It would be fetched if a page{} linked to it.", depth.unwrap_or_default())
        }
    }
}

fn of_pending(facts: &Facts, known: &Known, config: &Config, robots: &RobotsVerdict) -> Next {
    let host = facts.host.as_ref();
    let delay = host.and_then(|host| host.crawl_delay_ms).filter(|_| !config.ignore_robots);
    let delay = delay.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
    let pace = politeness::interval(config.rate, delay).map_or(0, politeness::millis);
    let times = [
        (known.due_at.unwrap_or(0), "it is tried again after a pause"),
        (host.map_or(0, |host| host.blocked_until), "its host rests"),
        (host.filter(|host| host.asked_at > 0).map_or(0, |host| host.asked_at.saturating_add(pace)), "its host's pace"),
    ];
    let (at, why) = times.into_iter().max_by_key(|(at, _)| *at).unwrap_or((0, ""));
    let wait = (at > visit::now()).then(|| (timestamp(at), format!(" Not at once: {why}.")));
    let (at, wait) = wait.map_or((None, String::new()), |(at, why)| (Some(at), why));
    let turn = match facts.ahead {
        0 => "It is the first in its host's queue".to_owned(),
        ahead => format!("{} of its host before it", words::counted(ahead, "URL")),
    };
    let who = match &facts.run {
        Some(run) if run.outcome.is_some() => format!("the next `crawl`, which continues run {}", run.id),
        _ => "the crawl that is running, or else the next".to_owned(),
    };
    let fate = match robots.verdict {
        "disallowed" => "finds that robots.txt forbids it",
        _ if known.attempts > 0 => "tries it again",
        _ => "fetches it",
    };
    Next { what: format!("{turn}; {who}, {fate}.{wait}"), at }
}
