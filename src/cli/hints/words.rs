//! What is said of the facts after a crawl: a sentence for each that the user can do something about.

use crate::canonical::CanonicalUrl;
use crate::cli::output::printable;
use crate::cli::words::{count, counted, shell};
use crate::config::ScopeKind;
use crate::config::kinds::{Kind as _, Size};

use super::facts::{Facts, Limit, Stray};
use super::named::Named;
use super::sessions::{Ended, Sessions, Why};

/// What comes after a limit of this invocation.
const GOES_ON: &str = "the same command goes on";
/// And after one of the database itself.
const GROWS_ON: &str = "a larger one goes on, and --no-bodies or a smaller --keep-versions or --keep-runs stores less";

/// A sentence for each fact that the user can do something about, the gravest first.
pub fn hints(facts: &Facts) -> Vec<String> {
    let mut hints = Vec::new();
    if facts.seeds_forbidden > 0 && facts.seeds_forbidden == facts.seeds {
        hints.push(forbidden(facts));
    }
    if facts.unresolved.total > 0 {
        let hosts = counted(facts.unresolved.total, "host");
        let list = list(&facts.unresolved);
        hints.push(format!("{hosts} could not be found by name (DNS): {list}; check the spelling and the network"));
    }
    if facts.certificates.total > 0 {
        let hosts = counted(facts.certificates.total, "host");
        let list = list(&facts.certificates);
        hints.push(format!(
            "{hosts} could not be reached securely (TLS, mostly the certificate): {list}; \
             \"select url, message from failures where kind = 'tls'\" says why"
        ));
    }
    if facts.robots_unreachable.total > 0 {
        let hosts = counted(facts.robots_unreachable.total, "host");
        let list = list(&facts.robots_unreachable);
        hints.push(format!(
            "robots.txt of {hosts} gave no usable answer, which forbids everything there: {list}; \
             the same command asks again"
        ));
    }
    if facts.seeds_failed.total > 0 {
        let seeds = counted(facts.seeds_failed.total, "seed");
        hints.push(format!("{seeds} gave no usable response: {}", list(&facts.seeds_failed)));
    }
    if facts.seeds_refused.total > 0 {
        let seeds = counted(facts.seeds_refused.total, "seed");
        hints.push(format!("{seeds} answered with an error: {}", list(&facts.seeds_refused)));
    }
    hints.extend(about_sessions(&facts.sessions));
    if facts.unconnected.total > 0 && facts.seeds_failed.total == 0 {
        let hosts = counted(facts.unconnected.total, "host");
        let list = list(&facts.unconnected);
        hints.push(format!(
            "{hosts} could not be connected to: {list}; what was left there failed, and the next run asks again"
        ));
    }
    hints.extend(strays(facts));
    if let Some((scope, urls)) = facts.out_of_scope {
        hints.push(format!(
            "nothing but the seeds is in the scope `{}`: {} found on them lead elsewhere; a wider --scope follows them",
            word(scope),
            counted(urls, "URL"),
        ));
    }
    if facts.unmatched.total > 0 {
        let list = list(&facts.unmatched);
        hints.push(format!(
            "--include matches no URL that was seen, not even a seed: {list}; it is a regular expression on the whole URL"
        ));
    }
    if facts.throttled.total > 0 {
        let hosts = counted(facts.throttled.total, "host");
        let list = list(&facts.throttled);
        hints.push(format!("{hosts} answered 429 (too many requests): {list}; a lower --rate asks less often"));
    }
    hints.extend(left_over(facts));
    hints
}

fn forbidden(facts: &Facts) -> String {
    let mut text = match facts.seeds {
        1 => "robots.txt forbids the seed".to_owned(),
        seeds => format!("robots.txt forbids all {} seeds", count(seeds)),
    };
    if let Some(seed) = facts.forbidden_seed.as_deref().and_then(|seed| CanonicalUrl::parse(seed).ok())
        && let Ok(robots) = seed.host().robots_url()
    {
        let (robots, seed) = (shell(robots.as_str()), shell(seed.as_str()));
        text.push_str(&format!(": `harvestman robots {robots} {seed}` names the line that does"));
    }
    text + "; --ignore-robots fetches what it forbids"
}

fn about_sessions(facts: &Sessions) -> Vec<String> {
    let mut hints = Vec::new();
    for Ended { host, login, pages, replaced, why } in &facts.ended {
        let (host, pages) = (printable(host), counted(*pages, "page"));
        let how = match login.as_deref().map(|login| login.split(['?', '#']).next().unwrap_or(login)) {
            Some(login) => format!("answered with a redirect to the login page {}", printable(login)),
            None => "answered 401".to_owned(),
        };
        let replaced = match replaced {
            0 => String::new(),
            replaced => format!(", {} of them in the place of what had answered before", count(*replaced)),
        };
        let is_by_cookie = login.is_some();
        let (what, cure) = shut_out(why, &host, is_by_cookie);
        hints.push(format!(
            "{what}: {pages} {how}{replaced}; {cure}, and begin a new run (--fresh), which fetches them again"
        ));
    }
    let more = facts.ended_in_all - i64::try_from(facts.ended.len()).unwrap_or(0);
    if more > 0 {
        hints.push(format!("at {} more the session seems to have ended", counted(more, "host")));
    }
    if !facts.missing.is_empty() && facts.requests > 0 {
        let options = facts.missing.iter().map(|option| printable(option)).collect::<Vec<_>>().join(", ");
        let requests = counted(facts.requests, "request");
        hints.push(format!(
            "this run began with {options} and went on without: {requests} went out so, and may have got login pages; give that \
             again, with --fresh if they did"
        ));
    }
    if facts.digest.total > 0 {
        let hosts = counted(facts.digest.total, "host");
        let list = list(&facts.digest);
        hints.push(format!("Digest authentication is not supported, and {hosts} asked for it: {list}"));
    }
    for (host, url) in &facts.moved {
        let (host, url) = (printable(host), printable(url));
        hints.push(format!(
            "credentials for {host} are sent there alone, and it redirects to {url}: make that the seed that they are for"
        ));
    }
    hints
}

/// What shut the crawl out of a host, and what lets it in again.
fn shut_out(why: &Why, host: &str, is_by_cookie: bool) -> (String, String) {
    let give = if is_by_cookie {
        "--cookies FILE or --header 'Cookie: …'"
    } else {
        "--netrc FILE or --header 'Authorization: …'"
    };
    match why {
        Why::LoggedOut { by, pattern } => (
            format!("the crawl logged itself out at {host} by fetching {}", printable(by)),
            format!("log in anew, leave that page out by --exclude {}", shell(pattern)),
        ),
        Why::NothingGiven => (
            format!("{host} asks for a login, and no cookies or credentials were given this time"),
            format!("give them again, by {give}"),
        ),
        Why::Refused => (
            format!("what was given for {host} is not taken any more, from the first page on"),
            format!("log in anew, give what is fresh by {give}"),
        ),
        Why::Ended { after } => (
            format!("the session at {host} seems to have ended after {}", counted(*after, "page")),
            "log in anew, give fresh cookies or credentials".to_owned(),
        ),
    }
}

fn strays(facts: &Facts) -> Vec<String> {
    let mut hints: Vec<_> = facts
        .strays
        .iter()
        .map(|Stray { seed, target, is_taken, scope }| {
            let (seed, target) = (printable(seed), printable(target));
            let alone = if *is_taken { ", and that page alone is fetched there" } else { "" };
            let cure = match scope {
                Some(scope) => format!("--scope {} follows it", word(*scope)),
                None => "to follow it, make that a seed".to_owned(),
            };
            format!("the seed {seed} redirects out of scope to {target}{alone}; {cure}")
        })
        .collect();
    let more = facts.strays_in_all - i64::try_from(hints.len()).unwrap_or(0);
    if more > 0 {
        hints.push(format!("{} more redirect out of scope", counted(more, "seed")));
    }
    hints
}

/// Why something is still pending.
fn left_over(facts: &Facts) -> Option<String> {
    let pending = counted(facts.pending, "URL");
    if let Some(limit) = facts.limit {
        let (limit, then) = match limit {
            Limit::Pages(n) => (format!("--max-pages {n}"), GOES_ON),
            Limit::PagesPerHost(n) => (format!("--max-pages-per-host {n}"), GOES_ON),
            Limit::Duration(time) => {
                (format!("--max-duration {}", shell(&humantime::format_duration(time).to_string())), GOES_ON)
            }
            Limit::DatabaseSize(size) => (format!("--max-database-size {}", Size::print(&size)), GROWS_ON),
        };
        return Some(format!("{limit} was reached with {pending} pending; {then}"));
    }
    if facts.waiting.total > 0 {
        let list = list(&facts.waiting);
        return Some(format!(
            "{pending} must wait for hosts that asked for time: {list}; the same command goes on then, \
             and a longer --max-wait waits for it"
        ));
    }
    (facts.interrupted && facts.pending > 0)
        .then(|| format!("the crawl was stopped with {pending} pending; the same command goes on"))
}

/// The names that are kept, and how many more there are.
fn list(named: &Named) -> String {
    let names: Vec<_> = named.first.iter().map(|name| printable(name)).collect();
    match named.total - i64::try_from(names.len()).unwrap_or(0) {
        ..=0 => names.join(", "),
        more => format!("{} and {} more", names.join(", "), count(more)),
    }
}

fn word(scope: ScopeKind) -> &'static str {
    match scope {
        ScopeKind::Page => "page",
        ScopeKind::Prefix => "prefix",
        ScopeKind::Host => "host",
        ScopeKind::Domain => "domain",
        ScopeKind::Any => "any",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn named(names: &[&str], total: i64) -> Named {
        Named { first: names.iter().map(|name| (*name).to_owned()).collect(), total }
    }

    #[test]
    fn a_crawl_without_trouble_gets_no_hint() {
        assert!(hints(&Facts { seeds: 2, ..Facts::default() }).is_empty());
    }

    #[test]
    fn three_names_are_given_and_the_others_counted() {
        let throttled = named(&["http://a.test", "http://b.test", "http://c.test"], 1203);
        let said = hints(&Facts { throttled, ..Facts::default() });
        assert_eq!(
            said,
            [
                "1,203 hosts answered 429 (too many requests): http://a.test, http://b.test, http://c.test and 1,200 more; \
              a lower --rate asks less often"
            ]
        );
    }

    #[test]
    fn hosts_that_are_lost_on_the_way_are_named_unless_their_seeds_are() {
        let facts = Facts { unconnected: named(&["http://a.test"], 1), ..Facts::default() };
        let said = hints(&facts);
        assert_eq!(
            said,
            [
                "1 host could not be connected to: http://a.test; what was left there failed, and the next run asks again"
            ]
        );
        let said = hints(&Facts { seeds_failed: named(&["http://a.test/ (connect)"], 1), ..facts });
        assert_eq!(said, ["1 seed gave no usable response: http://a.test/ (connect)"]);
    }

    #[test]
    fn forbidden_seeds_come_with_the_command_that_says_why() {
        let facts = Facts {
            seeds: 1,
            seeds_lost: 1,
            seeds_forbidden: 1,
            forbidden_seed: Some("https://a.test/x?y=1&z".into()),
            ..Facts::default()
        };
        assert_eq!(
            hints(&facts),
            [
                "robots.txt forbids the seed: `harvestman robots https://a.test/robots.txt 'https://a.test/x?y=1&z'` names \
              the line that does; --ignore-robots fetches what it forbids"
            ]
        );
        assert!(hints(&Facts { seeds: 2, ..facts }).is_empty(), "not while another seed could be fetched");
    }

    #[test]
    fn what_is_left_over_is_explained_once_and_by_its_own_reason() {
        let facts = Facts { pending: 7, limit: Some(Limit::Duration(Duration::from_secs(90))), ..Facts::default() };
        let said = hints(&facts);
        assert_eq!(said, ["--max-duration '1m 30s' was reached with 7 URLs pending; the same command goes on"]);
        let interrupted = Facts { pending: 1, interrupted: true, ..Facts::default() };
        assert!(hints(&interrupted)[0].starts_with("the crawl was stopped with 1 URL pending"));
        assert!(hints(&Facts { interrupted: true, ..Facts::default() }).is_empty());
    }
}
