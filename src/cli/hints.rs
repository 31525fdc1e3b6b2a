//! What needs the user's hand after a crawl: facts gathered from the database, and what is said of them.

use std::collections::HashSet;
use std::time::Duration;

use crate::canonical::CanonicalUrl;
use crate::config::{Config, ScopeKind};
use crate::engine::{CrawlEnd, Summary};
use crate::scope::Scope;
use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Row, SqlitePool};

use super::output::printable;
use super::words::{count, counted, shell};

/// Names given for one fact; the true number stands beside them.
const NAMES: usize = 3;

/// Some of many names: the first few and how many there are in all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub first: Vec<String>,
    pub total: i64,
}

impl Named {
    fn push(&mut self, name: String) {
        self.total += 1;
        if self.first.len() < NAMES {
            self.first.push(name);
        }
    }

    fn list(&self) -> String {
        let names: Vec<_> = self.first.iter().map(|name| printable(name)).collect();
        match self.total - i64::try_from(names.len()).unwrap_or(0) {
            ..=0 => names.join(", "),
            more => format!("{} and {} more", names.join(", "), count(more)),
        }
    }
}

/// The limit that ended an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Pages(u64),
    PagesPerHost(u64),
    Duration(Duration),
}

/// A seed whose redirects lead out of scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    pub seed: String,
    pub target: String,
    /// The narrowest scope that follows it.
    pub scope: Option<ScopeKind>,
}

/// What the hints stand on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    pub seeds: i64,
    /// Seeds that failed or were skipped.
    pub seeds_lost: i64,
    /// Seeds that robots.txt forbids; one of them.
    pub seeds_forbidden: i64,
    pub forbidden_seed: Option<String>,
    /// Seeds with a status of 400 or more.
    pub seeds_refused: Named,
    /// Seeds that failed for another reason than name or TLS, which are told by host.
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
    /// Hosts that asked for time, each with the time until which.
    pub waiting: Named,
    /// Nothing but the seeds was in this scope, and so many URLs were not.
    pub out_of_scope: Option<(ScopeKind, i64)>,
}

impl Facts {
    /// Whether the run got nowhere: every seed failed or was left out.
    pub fn no_seed_fetched(&self) -> bool {
        self.seeds_lost == self.seeds
    }
}

/// A sentence for each fact that the user can do something about, the gravest first.
pub fn hints(facts: &Facts) -> Vec<String> {
    let mut hints = Vec::new();
    if facts.seeds_forbidden > 0 && facts.seeds_forbidden == facts.seeds {
        hints.push(forbidden(facts));
    }
    if facts.unresolved.total > 0 {
        let hosts = counted(facts.unresolved.total, "host");
        let list = facts.unresolved.list();
        hints.push(format!("{hosts} could not be found by name (DNS): {list}; check the spelling and the network"));
    }
    if facts.certificates.total > 0 {
        let hosts = counted(facts.certificates.total, "host");
        let list = facts.certificates.list();
        hints.push(format!(
            "{hosts} could not be reached securely (TLS, mostly the certificate): {list}; \
             \"select url, message from failures where kind = 'tls'\" says why"
        ));
    }
    if facts.robots_unreachable.total > 0 {
        let hosts = counted(facts.robots_unreachable.total, "host");
        let list = facts.robots_unreachable.list();
        hints.push(format!(
            "robots.txt of {hosts} gave no usable answer, which forbids everything there: {list}; \
             the same command asks again"
        ));
    }
    if facts.seeds_failed.total > 0 {
        let seeds = counted(facts.seeds_failed.total, "seed");
        hints.push(format!("{seeds} gave no usable response: {}", facts.seeds_failed.list()));
    }
    if facts.seeds_refused.total > 0 {
        let seeds = counted(facts.seeds_refused.total, "seed");
        hints.push(format!("{seeds} answered with an error: {}", facts.seeds_refused.list()));
    }
    if facts.unconnected.total > 0 && facts.seeds_failed.total == 0 {
        let hosts = counted(facts.unconnected.total, "host");
        let list = facts.unconnected.list();
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
    if facts.throttled.total > 0 {
        let hosts = counted(facts.throttled.total, "host");
        let list = facts.throttled.list();
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

fn strays(facts: &Facts) -> Vec<String> {
    let mut hints: Vec<_> = facts
        .strays
        .iter()
        .map(|Stray { seed, target, scope }| {
            let (seed, target) = (printable(seed), printable(target));
            match scope {
                Some(scope) => {
                    format!("the seed {seed} redirects out of scope to {target}; --scope {} follows it", word(*scope))
                }
                None => format!("the seed {seed} redirects out of scope to {target}; to follow it, make that a seed"),
            }
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
        let limit = match limit {
            Limit::Pages(n) => format!("--max-pages {n}"),
            Limit::PagesPerHost(n) => format!("--max-pages-per-host {n}"),
            Limit::Duration(time) => format!("--max-duration {}", shell(&humantime::format_duration(time).to_string())),
        };
        return Some(format!("{limit} was reached with {pending} pending; the same command goes on"));
    }
    if facts.waiting.total > 0 {
        let list = facts.waiting.list();
        return Some(format!(
            "{pending} must wait for hosts that asked for time: {list}; the same command goes on then, \
             and a longer --max-wait waits for it"
        ));
    }
    (facts.interrupted && facts.pending > 0)
        .then(|| format!("the crawl was stopped with {pending} pending; the same command goes on"))
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

/// What of the database is this invocation's: the requests after this one.
pub async fn last_request(pool: &SqlitePool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select coalesce(max(id), 0) from fetch").fetch_one(pool).await
}

/// Reads the facts out of the database. Each question is asked only if the summary leaves it open.
pub async fn gather(
    pool: &SqlitePool,
    config: &Config,
    seeds: &[CanonicalUrl],
    summary: &Summary,
    stored: u64,
    last_request: i64,
) -> Result<Facts, sqlx::Error> {
    let a = summary.accounting;
    let mut facts = Facts {
        pending: a.pending,
        interrupted: summary.outcome == CrawlEnd::Interrupted,
        limit: (summary.outcome == CrawlEnd::Limit).then(|| limit(config, summary, stored)).flatten(),
        throttled: named(
            pool,
            "select h.host from (select distinct host_id from fetch f join url u on u.id = f.url_id
                 where f.id > ?1 and f.status = 429) t
             join host h on h.id = t.host_id order by 1",
            last_request,
        )
        .await?,
        ..Facts::default()
    };
    about_seeds(pool, config, seeds, &mut facts).await?;
    if a.failed > 0 {
        facts.certificates = failures(pool, "tls").await?;
        facts.unresolved = failures(pool, "dns").await?;
        facts.unconnected = failures(pool, "connect").await?;
    }
    if a.skipped > 0 {
        facts.robots_unreachable = named(
            pool,
            "select host from host h where robots_at >= ?1 and exists
                 (select 1 from url where host_id = h.id and state = 3 and reason = 'robots_unreachable')
             order by 1",
            0,
        )
        .await?;
        // Looks at every skipped URL, so only where hardly anything was fetched.
        if a.fetched <= facts.seeds && facts.strays.is_empty() && summary.outcome == CrawlEnd::Finished {
            let out = "select count(*), coalesce(sum(reason = 'scope'), 0) from url where state = 3";
            let row = sqlx::query(out).fetch_one(pool).await?;
            let (skipped, out): (i64, i64) = (row.get(0), row.get(1));
            facts.out_of_scope = (a.fetched > 0 && out > 0 && skipped == out).then_some((config.scope, out));
        }
    }
    if summary.outcome == CrawlEnd::Waiting {
        facts.waiting = waiting(pool).await?;
    }
    Ok(facts)
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

async fn about_seeds(
    pool: &SqlitePool,
    config: &Config,
    seeds: &[CanonicalUrl],
    facts: &mut Facts,
) -> Result<(), sqlx::Error> {
    let urls: Vec<_> = seeds.iter().map(CanonicalUrl::as_str).collect();
    let json = serde_json::to_string(&urls).map_err(|e| sqlx::Error::Encode(e.into()))?;
    facts.seeds = i64::try_from(seeds.len()).unwrap_or(i64::MAX);
    let mut rows = sqlx::query(
        "select u.url, u.state, u.reason is 'robots', p.status, f.kind
         from url u left join page p on p.url_id = u.id and u.state = 1
         left join failure f on f.url_id = u.id and u.state = 2 and f.kind not in ('dns', 'tls')
         where u.url in (select value from json_each(?1)) order by u.id",
    )
    .bind(&json)
    .fetch(pool);
    while let Some(row) = rows.try_next().await? {
        let (url, state, by_robots): (String, u8, bool) = (row.get(0), row.get(1), row.get(2));
        let (status, failure): (Option<u16>, Option<String>) = (row.get(3), row.get(4));
        facts.seeds_lost += i64::from(matches!(state, 2 | 3));
        if by_robots {
            facts.seeds_forbidden += 1;
            facts.forbidden_seed.get_or_insert(url);
        } else if let Some(kind) = failure {
            facts.seeds_failed.push(format!("{url} ({kind})"));
        } else if let Some(status) = status.filter(|status| *status >= 400) {
            facts.seeds_refused.push(format!("{url} ({status})"));
        }
    }
    drop(rows);
    let mut rows = sqlx::query(
        "with recursive hop (seed, id, nth) as (
             select url, id, 0 from url where state = 1 and url in (select value from json_each(?1))
             union all
             select seed, p.redirect_to, nth + 1 from hop join page p on p.url_id = hop.id
             where p.redirect_to is not null and nth < 20)
         select seed, u.url from hop join url u on u.id = hop.id
         where nth > 0 and u.state = 3 and u.reason = 'scope' order by seed",
    )
    .bind(&json)
    .fetch(pool);
    let mut seen = HashSet::new();
    while let Some(row) = rows.try_next().await? {
        let (seed, target): (String, String) = (row.get(0), row.get(1));
        if seen.len() < NAMES && seen.insert(target.clone()) {
            facts.strays.push(Stray { scope: scope_for(config, seeds, &target), seed, target });
        }
        facts.strays_in_all += 1;
    }
    Ok(())
}

/// The narrowest scope that takes `target` in.
fn scope_for(config: &Config, seeds: &[CanonicalUrl], target: &str) -> Option<ScopeKind> {
    let target = CanonicalUrl::parse(target).ok()?;
    let takes = |kind: &ScopeKind| {
        Scope::new(&Config { scope: *kind, ..config.clone() }, seeds).judge(&target, 1, true).is_none()
    };
    [ScopeKind::Prefix, ScopeKind::Host, ScopeKind::Domain].into_iter().find(takes)
}

async fn failures(pool: &SqlitePool, kind: &'static str) -> Result<Named, sqlx::Error> {
    let sql = "select h.host from host h join
                   (select u.host_id, count(*) as urls from failure f join url u on u.id = f.url_id
                    where u.state = 2 and f.kind = ?1 group by 1) f on f.host_id = h.id
               order by f.urls desc, 1";
    named(pool, sql, kind).await
}

async fn waiting(pool: &SqlitePool) -> Result<Named, sqlx::Error> {
    let mut rows =
        sqlx::query("select host, min(due_at) from queue where due_at is not null group by host order by 2, 1")
            .fetch(pool);
    let mut hosts = Named::default();
    while let Some(row) = rows.try_next().await? {
        hosts.push(format!("{} until {}", row.get::<String, _>(0), row.get::<String, _>(1)));
    }
    Ok(hosts)
}

async fn named<'q, T>(pool: &SqlitePool, sql: &'static str, value: T) -> Result<Named, sqlx::Error>
where
    T: 'q + Send + sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    let mut rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).bind(value).fetch(pool);
    let mut names = Named::default();
    while let Some(name) = rows.try_next().await? {
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn the_narrowest_scope_that_follows_a_redirect_is_named() {
        let seeds = [CanonicalUrl::parse("http://example.com/docs/").unwrap()];
        let scope = |target| scope_for(&Config { scope: ScopeKind::Page, ..Config::default() }, &seeds, target);
        assert_eq!(scope("http://example.com/docs/a"), Some(ScopeKind::Prefix));
        assert_eq!(scope("http://example.com/a"), Some(ScopeKind::Host));
        assert_eq!(scope("https://www.example.com/"), Some(ScopeKind::Domain));
        assert_eq!(scope("https://example.org/"), None);
    }
}
