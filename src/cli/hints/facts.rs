//! What the hints after a crawl stand on: facts from its summary and its database.

use std::collections::HashSet;
use std::time::Duration;

use crate::canonical::CanonicalUrl;
use crate::config::{Config, Login, ScopeKind};
use crate::engine::{CrawlEnd, Summary};
use crate::policy::session::is_secure_form;
use crate::read::{Database, ReadError, Value};
use crate::scope::Scope;

use super::named::{NAMES, Named};
use super::sessions::{self, Sessions};

/// The limit that ended an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Pages(u64),
    PagesPerHost(u64),
    Duration(Duration),
    DatabaseSize(u64),
}

/// A seed whose redirects lead out of scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    pub seed: String,
    pub target: String,
    /// The page that it leads to was not left out.
    pub is_taken: bool,
    /// The narrowest scope that follows it.
    pub scope: Option<ScopeKind>,
}

/// What the hints stand on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    pub seeds: i64,
    /// Seeds that failed, were skipped, or answered with a status of 400 or more, after their redirects.
    pub seeds_lost: i64,
    /// Seeds that robots.txt forbids, and one of them.
    pub seeds_forbidden: i64,
    pub forbidden_seed: Option<String>,
    /// Seeds with a status of 400 or more.
    pub seeds_refused: Named,
    /// Seeds that failed; but failures of DNS and TLS are told by host, in `unresolved` and `certificates`.
    pub seeds_failed: Named,
    pub strays: Vec<Stray>,
    pub strays_in_all: i64,
    pub limit: Option<Limit>,
    pub interrupted: bool,
    pub pending: i64,
    /// Hosts that answered 429 in this invocation.
    pub throttled: Named,
    pub certificates: Named,
    pub unresolved: Named,
    pub unconnected: Named,
    pub robots_unreachable: Named,
    /// Hosts that asked for a pause, each with the time at which it ends.
    pub waiting: Named,
    /// The scope, and the number of URLs outside it, if nothing but the seeds was inside.
    pub out_of_scope: Option<(ScopeKind, i64)>,
    /// Patterns of --include that match no URL that is known.
    pub unmatched: Named,
    pub sessions: Sessions,
}

impl Facts {
    /// What the summary says already.
    pub fn of(config: &Config, summary: &Summary, stored: u64) -> Self {
        Self {
            pending: summary.accounting.pending,
            interrupted: summary.outcome == CrawlEnd::Interrupted,
            limit: (summary.outcome == CrawlEnd::Limit).then(|| limit(config, summary, stored)).flatten(),
            ..Self::default()
        }
    }

    /// Whether every seed failed, was skipped, or answered with an error.
    pub fn no_seed_fetched(&self) -> bool {
        self.seeds_lost == self.seeds
    }
}

/// The last request that is logged: those of an invocation that starts now have larger ids.
pub fn last_request(db: &Database) -> Result<i64, ReadError> {
    let row = db.first("select max(id) from _fetch", [])?;
    Ok(row.map_or(Ok(None), |row| row.at(0))?.unwrap_or(0))
}

/// Reads the facts out of the database. Each question is asked only if the summary leaves it open.
pub fn gather(
    db: &Database,
    config: &Config,
    (seeds, logins): (&[CanonicalUrl], &[Login]),
    summary: &Summary,
    stored: u64,
    last_request: i64,
) -> Result<Facts, ReadError> {
    let a = summary.accounting;
    let mut facts = Facts { throttled: throttled(db, last_request)?, ..Facts::of(config, summary, stored) };
    if matches!(facts.limit, None | Some(Limit::PagesPerHost(_)))
        && let Some(max) = config.max_database_size.filter(|_| summary.outcome == CrawlEnd::Limit)
        && db.size()? >= max
    {
        facts.limit = Some(Limit::DatabaseSize(max));
    }
    about_seeds(db, seeds, &mut facts)?;
    let secured = about_strays(db, config, seeds, &mut facts)?;
    facts.sessions = sessions::gather(db, config, (seeds, logins), &secured, last_request)?;
    facts.unmatched = unmatched(db, config, a.discovered)?;
    if a.failed > 0 {
        facts.certificates = failures(db, "tls")?;
        facts.unresolved = failures(db, "dns")?;
        facts.unconnected = failures(db, "connect")?;
    }
    if a.skipped > 0 {
        facts.robots_unreachable = robots_unreachable(db)?;
        // This reads every skipped URL, so it is asked only if hardly anything was fetched.
        if a.fetched <= facts.seeds && facts.strays.is_empty() && summary.outcome == CrawlEnd::Finished {
            let reasons = db.first("select count(*), count(*) filter (where reason = 'scope') from skipped", [])?;
            let (skipped, out): (i64, i64) =
                reasons.map_or(Ok((0, 0)), |row| Ok::<_, ReadError>((row.at(0)?, row.at(1)?)))?;
            facts.out_of_scope = (a.fetched > 0 && out > 0 && skipped == out).then_some((config.scope, out));
        }
    }
    if summary.outcome == CrawlEnd::Waiting {
        facts.waiting = waiting(db)?;
    }
    Ok(facts)
}

/// URLs in which a match is looked for, at most.
const LOOKED_INTO: i64 = 100_000;

/// Patterns of --include that match nothing. Of a large crawl it is not said: most likely they do.
fn unmatched(db: &Database, config: &Config, discovered: i64) -> Result<Named, ReadError> {
    let mut left: Vec<_> = config.include.iter().collect();
    if left.is_empty() || discovered > LOOKED_INTO {
        return Ok(Named::default());
    }
    for row in db.query("select url from _url", [])? {
        let row = row?;
        let url: &str = row.at(0)?;
        left.retain(|pattern| !pattern.is_match(url));
        if left.is_empty() {
            break;
        }
    }
    Ok(left.into_iter().map(|pattern| pattern.as_str().to_owned()).collect())
}

fn limit(config: &Config, summary: &Summary, stored: u64) -> Option<Limit> {
    if let Some(max) = config.max_pages.filter(|max| stored >= *max) {
        return Some(Limit::Pages(max));
    }
    let is_over = |max: &Duration| summary.elapsed_seconds >= max.as_secs_f64();
    if let Some(max) = config.max_duration.filter(is_over) {
        return Some(Limit::Duration(max));
    }
    config.max_pages_per_host.map(Limit::PagesPerHost)
}

/// Where the redirects of each seed end.
const ENDS: &str = "with recursive hop (seed, seed_id, id, nth) as (
        select u.url, u.id, u.id, 0 from _seed s join _url u on u.id = s.url_id
        union all
        select h.seed, h.seed_id, p.redirect_to, nth + 1 from hop h join _url u on u.id = h.id
        join _page p on p.url_id = h.id where u.state = 1 and p.redirect_to is not null and nth < 100),
    final as (
        select seed, seed_id, id, nth as hops
        from (select *, row_number() over (partition by seed_id order by nth desc) as place from hop) placed
        where place = 1)";

fn about_seeds(db: &Database, seeds: &[CanonicalUrl], facts: &mut Facts) -> Result<(), ReadError> {
    facts.seeds = i64::try_from(seeds.len()).unwrap_or(i64::MAX);
    let sql = format!(
        "{ENDS} select e.seed, u.state, coalesce(u.reason = 'robots', false), p.status, f.kind
        from final e join _url u on u.id = e.id left join _page p on p.url_id = u.id and u.state = 1
        left join _failure f on f.url_id = u.id and u.state = 2 and f.kind not in ('dns', 'tls') order by e.seed_id"
    );
    for row in db.query(&sql, [])? {
        let row = row?;
        let (url, state, by_robots): (&str, i64, bool) = (row.at(0)?, row.at(1)?, row.at(2)?);
        let (status, failure): (Option<u16>, Option<&str>) = (row.at(3)?, row.at(4)?);
        let is_refused = status.is_some_and(|status| status >= 400);
        facts.seeds_lost += i64::from(matches!(state, 2 | 3) || is_refused);
        if by_robots {
            facts.seeds_forbidden += 1;
            facts.forbidden_seed.get_or_insert(url.to_owned());
        } else if let Some(kind) = failure {
            facts.seeds_failed.push(format!("{url} ({kind})"));
        } else if let Some(status) = status.filter(|status| *status >= 400) {
            facts.seeds_refused.push(format!("{url} ({status})"));
        }
    }
    Ok(())
}

/// Answers with the seeds that lead to the secure form of their host, and where.
fn about_strays(
    db: &Database,
    config: &Config,
    seeds: &[CanonicalUrl],
    facts: &mut Facts,
) -> Result<Vec<(CanonicalUrl, CanonicalUrl)>, ReadError> {
    let sql = format!(
        "{ENDS} select e.seed, u.url, u.state = 3, u.state = 3 and u.reason in ('scope', 'private_address')
        from final e join _url u on u.id = e.id where e.hops > 0 order by e.seed_id"
    );
    let scope = Scope::new(config, seeds);
    let (mut seen, mut secured) = (HashSet::new(), Vec::new());
    for row in db.query(&sql, [])? {
        let row = row?;
        let (seed, target, is_skipped, is_left_out): (String, String, bool, bool) =
            (row.at(0)?, row.at(1)?, row.at(2)?, row.at(3)?);
        let (Ok(from), Ok(to)) = (CanonicalUrl::parse(&seed), CanonicalUrl::parse(&target)) else { continue };
        scope.inherit(&from, &to);
        if is_secure_form(from.url(), to.url()) {
            secured.push((from, to.clone()));
        }
        let stands_alone = !is_skipped && config.scope != ScopeKind::Page && !scope.takes_in(&to);
        if !is_left_out && !stands_alone {
            continue;
        }
        if seen.len() < NAMES && seen.insert(target.clone()) {
            facts.strays.push(Stray { scope: scope_for(config, seeds, &target), seed, target, is_taken: !is_left_out });
        }
        facts.strays_in_all += 1;
    }
    Ok(secured)
}

/// The narrowest scope that takes `target` in.
fn scope_for(config: &Config, seeds: &[CanonicalUrl], target: &str) -> Option<ScopeKind> {
    let target = CanonicalUrl::parse(target).ok()?;
    let takes = |kind: &ScopeKind| {
        Scope::new(&Config { scope: *kind, ..config.clone() }, seeds).judge(&target, 1, true).is_none()
    };
    [ScopeKind::Prefix, ScopeKind::Host, ScopeKind::Domain].into_iter().find(takes)
}

/// Hosts that answered 429 after that request.
fn throttled(db: &Database, last_request: i64) -> Result<Named, ReadError> {
    let sql = "select h.host from (select distinct host_id from _fetch f join _url u on u.id = f.url_id
            where f.id > ?1 and f.status = 429) t
        join _host h on h.id = t.host_id order by 1";
    named(db, sql, [last_request.into()])
}

fn robots_unreachable(db: &Database) -> Result<Named, ReadError> {
    let sql = "select host from _host h where robots_at is not null and exists
            (select 1 from _url where host_id = h.id and state = 3 and reason = 'robots_unreachable')
        order by 1";
    named(db, sql, [])
}

/// Hosts with failures of a kind, those with most first.
fn failures(db: &Database, kind: &str) -> Result<Named, ReadError> {
    let sql = "select host from failures where kind = ?1 group by host order by count(*) desc, 1";
    named(db, sql, [kind.into()])
}

fn waiting(db: &Database) -> Result<Named, ReadError> {
    let sql = "select host || ' until ' || min(due_at) from queue where due_at is not null
        group by host order by min(due_at), host";
    named(db, sql, [])
}

fn named(db: &Database, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<Named, ReadError> {
    let mut names = Named::default();
    for row in db.query(sql, values)? {
        names.push(row?.at(0)?);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Accounting, Tally};

    #[test]
    fn the_narrowest_scope_that_follows_a_redirect_is_named() {
        let seeds = [CanonicalUrl::parse("http://example.com/docs/").unwrap()];
        let scope = |target| scope_for(&Config { scope: ScopeKind::Page, ..Config::default() }, &seeds, target);
        assert_eq!(scope("http://example.com/docs/a"), Some(ScopeKind::Prefix));
        assert_eq!(scope("http://example.com/a"), Some(ScopeKind::Host));
        assert_eq!(scope("https://www.example.com/"), Some(ScopeKind::Domain));
        assert_eq!(scope("https://example.org/"), None);
    }

    #[test]
    fn of_several_limits_the_one_that_was_reached_is_named() {
        let config = Config {
            max_pages: Some(10),
            max_pages_per_host: Some(5),
            max_duration: Some(Duration::from_secs(60)),
            ..Config::default()
        };
        let limit_after = |stored, elapsed_seconds| {
            let (accounting, tally) = (Accounting::default(), Tally::default());
            let summary = Summary { run: 1, outcome: CrawlEnd::Limit, accounting, tally, elapsed_seconds };
            limit(&config, &summary, stored)
        };
        assert_eq!(limit_after(10, 1.0), Some(Limit::Pages(10)));
        assert_eq!(limit_after(9, 60.0), Some(Limit::Duration(Duration::from_secs(60))));
        assert_eq!(limit_after(9, 1.0), Some(Limit::PagesPerHost(5)));
    }
}
