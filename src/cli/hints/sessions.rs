//! Facts about sessions and credentials: where they ended, were left out, or cannot reach.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::canonical::CanonicalUrl;
use crate::config::{Config, Header, Login, Told};
use crate::policy::session::{Refusals, SessionEnd, asks_for_digest_alone, leads_to_login, session_end};
use crate::read::{Database, ReadError};

use super::named::{NAMES, Named};

/// A host at which a session seems to have ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub host: String,
    /// Where its pages lead now; none if they answered 401.
    pub login: Option<String>,
    pub pages: i64,
    /// Those of them that had answered before.
    pub replaced: i64,
    pub why: Why,
}

/// What the crawl was shut out by, as far as can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A page was fetched before that ends sessions: what of its URL says so, and a pattern for all such URLs.
    LoggedOut { by: String, pattern: String },
    /// Neither cookies nor credentials were given this time.
    NothingGiven,
    /// What was given was refused from the first page on.
    Refused,
    /// It ended after so many pages.
    Ended { after: i64 },
}

/// What the hints about sessions stand on. No secret is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sessions {
    /// Hosts that take Digest credentials alone.
    pub digest: Named,
    pub ended: Vec<Ended>,
    pub ended_in_all: i64,
    /// Options with credentials that this run was given before and this invocation was not.
    pub missing: BTreeSet<String>,
    /// Requests of this invocation.
    pub requests: i64,
    /// Seeds that credentials are given for, each with the https URL that it leads to.
    pub moved: Vec<(String, String)>,
}

/// A page of this invocation that answered 401, or led to a login page.
struct Refused {
    url_id: i64,
    host_id: i64,
    host: String,
    request: i64,
    login: Option<String>,
}

/// Reads the facts. `secured` are the seeds that lead to the secure form of their host, and where.
pub fn gather(
    db: &Database,
    config: &Config,
    (seeds, logins): (&[CanonicalUrl], &[Login]),
    secured: &[(CanonicalUrl, CanonicalUrl)],
    last_request: i64,
) -> Result<Sessions, ReadError> {
    let mut facts = Sessions { moved: moved(config, (seeds, logins), secured), ..Sessions::default() };
    facts.missing = missing(db, config)?;
    if !facts.missing.is_empty() {
        let row = db.first("select count(*) from _fetch where id > ?1", [last_request.into()])?;
        facts.requests = row.map_or(Ok(0), |row| row.at(0))?;
    }
    let refused = refused(db, last_request)?;
    if !refused.is_empty() {
        facts.digest = digest(db, &refused)?;
        let is_known = !logins.is_empty() || !config.credentials().is_empty();
        let ended = ended(db, &refused, last_request, is_known)?;
        facts.ended_in_all = ended.len().try_into().unwrap_or(i64::MAX);
        let told = ended.into_iter().take(NAMES).map(|(refusals, first)| {
            let why = why(db, refusals, first, last_request, is_known)?;
            let Refusals { pages, replaced, .. } = refusals;
            Ok(Ended { host: first.host.clone(), login: first.login.clone(), pages, replaced, why })
        });
        facts.ended = told.collect::<Result<_, ReadError>>()?;
    }
    Ok(facts)
}

/// Seeds whose credentials stay behind, since they are for the host that the seed names.
fn moved(
    config: &Config,
    (seeds, logins): (&[CanonicalUrl], &[Login]),
    secured: &[(CanonicalUrl, CanonicalUrl)],
) -> Vec<(String, String)> {
    let for_seeds = config.netrc.is_some() || config.header.iter().any(Header::is_confidential);
    let is_moved = |(seed, end): &&(CanonicalUrl, CanonicalUrl)| {
        let is_meant = for_seeds || logins.iter().any(|login| login.host == seed.host());
        is_meant && !seeds.iter().any(|seed| seed.host() == end.host())
    };
    let text = |(seed, end): &(CanonicalUrl, CanonicalUrl)| (seed.host().to_string(), end.to_string());
    secured.iter().filter(is_moved).map(text).take(NAMES).collect()
}

fn missing(db: &Database, config: &Config) -> Result<BTreeSet<String>, ReadError> {
    let Some(row) = db.first("select value from _meta where key = 'config'", [])? else { return Ok(BTreeSet::new()) };
    let told: Option<Told> = serde_json::from_str(row.at(0)?).ok();
    Ok(told.map(|told| &told.credentials - &config.credentials()).unwrap_or_default())
}

/// The pages that refused this invocation, in the order in which they were asked for.
fn refused(db: &Database, last_request: i64) -> Result<Vec<Refused>, ReadError> {
    let sql = "select f.url_id, u.host_id, h.host, f.id, u.url, t.url from _fetch f join _url u on u.id = f.url_id
        join _host h on h.id = u.host_id join _page p on p.url_id = u.id and p.status = f.status
        left join _url t on t.id = p.redirect_to
        where f.id > ?1 and (f.status = 401 or f.status between 301 and 308 and t.url is not null) order by f.id";
    let (mut refused, mut seen) = (Vec::new(), HashSet::new());
    for row in db.query(sql, [last_request.into()])? {
        let row = row?;
        let (url_id, from, to): (i64, &str, Option<String>) = (row.at(0)?, row.at(4)?, row.at(5)?);
        let parse = |text: &str| CanonicalUrl::parse(text).ok();
        let is_login = match to.as_deref().map(|to| (parse(from), parse(to))) {
            None => true,
            Some((Some(from), Some(to))) => leads_to_login(from.url(), to.url()),
            Some(_) => false,
        };
        if is_login && seen.insert(url_id) {
            refused.push(Refused { url_id, host_id: row.at(1)?, host: row.at(2)?, request: row.at(3)?, login: to });
        }
    }
    Ok(refused)
}

/// Numbers as SQL lists them.
fn list(parts: impl IntoIterator<Item = impl ToString>) -> String {
    parts.into_iter().map(|part| part.to_string()).collect::<Vec<_>>().join(", ")
}

fn digest(db: &Database, refused: &[Refused]) -> Result<Named, ReadError> {
    let ids: Vec<_> = refused.iter().filter(|page| page.login.is_none()).map(|page| page.url_id).collect();
    if ids.is_empty() {
        return Ok(Named::default());
    }
    let sql = format!(
        "select h.host, string_agg(v.value, ',') from _url u join _host h on h.id = u.host_id join headers v on v.url = u.url
        where u.id in ({}) and lower(v.name) = 'www-authenticate' group by u.id, h.host order by h.host",
        list(ids)
    );
    let mut hosts = BTreeSet::new();
    for row in db.query(&sql, [])? {
        let row = row?;
        if asks_for_digest_alone([row.at(1)?]) {
            hosts.insert(row.at::<String>(0)?);
        }
    }
    Ok(hosts.into_iter().collect())
}

/// The hosts at which a session ended, each with the page that showed it, in the order in which that was seen.
fn ended<'r>(
    db: &Database,
    refused: &'r [Refused],
    last_request: i64,
    is_known: bool,
) -> Result<Vec<(Refusals, &'r Refused)>, ReadError> {
    let mut hosts: BTreeMap<i64, (Refusals, &Refused)> = BTreeMap::new();
    let ids: Vec<_> = refused.iter().map(|page| page.url_id).collect();
    let ids = list(ids);
    // A page that is only now refused had answered in another invocation, or earlier in this one.
    let sql = format!(
        "select distinct url_id from _fetch where url_id in ({ids}) and (status between 200 and 299 or status = 304)"
    );
    let had_answered: HashSet<i64> = db.query(&sql, [])?.map(|row| row?.at(0)).collect::<Result<_, _>>()?;
    for page in refused {
        let (refusals, _) = hosts.entry(page.host_id).or_insert((Refusals::default(), page));
        refusals.pages += 1;
        refusals.replaced += i64::from(had_answered.contains(&page.url_id));
    }
    let first = list(hosts.iter().map(|(host, (_, page))| format!("({host}, {})", page.request)));
    let sql = format!(
        "with refused (host_id, first) as (values {first})
        select u.host_id, count(*) filter (where f.id < v.first), count(*) filter (where f.id > v.first),
            exists (select 1 from _page p join _url c on c.id = p.url_id
                where c.host_id = u.host_id and p.headers like '%\"set-cookie\"%')
        from _fetch f join _url u on u.id = f.url_id
        join refused v on v.host_id = u.host_id
        where f.id > ?1 and f.status between 200 and 299
            and u.id not in (select redirect_to from _page
                where url_id in ({ids}) and redirect_to is not null)
        group by u.host_id"
    );
    for row in db.query(&sql, [last_request.into()])? {
        let row = row?;
        if let Some((refusals, _)) = hosts.get_mut(&row.at(0)?) {
            (refusals.good_before, refusals.good_after) = (row.at(1)?, row.at(2)?);
            refusals.was_known = is_known || row.at(3)?;
        }
    }
    let mut ended: Vec<_> = hosts.into_values().filter(|(refusals, _)| refusals.end_a_session()).collect();
    ended.sort_by_key(|(_, first)| first.request);
    Ok(ended)
}

/// Why a session ended.
fn why(
    db: &Database,
    refusals: Refusals,
    first: &Refused,
    last_request: i64,
    is_known: bool,
) -> Result<Why, ReadError> {
    Ok(if refusals.replaced > 0 && !is_known {
        Why::NothingGiven
    } else if let Some((by, pattern)) = logged_out(db, first, last_request)? {
        Why::LoggedOut { by, pattern }
    } else if refusals.good_before == 0 {
        Why::Refused
    } else {
        Why::Ended { after: refusals.good_before }
    })
}

/// What ended the session, if a page that does was fetched before it was missed: what says so, and a pattern for such URLs.
fn logged_out(db: &Database, first: &Refused, last_request: i64) -> Result<Option<(String, String)>, ReadError> {
    // All words for such pages end so.
    let sql = "select u.url from _fetch f join _url u on u.id = f.url_id
        where f.id > ?1 and f.id < ?2 and u.host_id = ?3 and f.status < 400
            and (lower(u.url) like '%out%' or lower(u.url) like '%off%') order by f.id desc";
    for row in db.query(sql, [last_request.into(), first.request.into(), first.host_id.into()])? {
        let Ok(url) = CanonicalUrl::parse(row?.at(0)?) else { continue };
        let url = url.url();
        let Some(end) = session_end(url) else { continue };
        return Ok(Some(likewise(url.path(), end)));
    }
    Ok(None)
}

/// What of a URL ends sessions, and a pattern for all that do so likewise, whatever tokens are in them.
fn likewise(path: &str, end: SessionEnd<'_>) -> (String, String) {
    match end {
        SessionEnd::Path(path) => {
            let (before, name) = path.split_at(path.rfind(['/', ';']).map_or(0, |at| at + 1));
            let (before, pattern) = without_values(before);
            (before + name, pattern + &regex::escape(name))
        }
        SessionEnd::Parameter(parameter) => {
            let (path, pattern) = without_values(path);
            (format!("{path}?{parameter}"), format!(r"{pattern}\?(.*[&;])?{}", regex::escape(parameter)))
        }
    }
}

/// A path without parameters of its own that have a value (`;jsessionid=1f2e`), which may be a token, and a pattern for it
/// with any such or none.
fn without_values(path: &str) -> (String, String) {
    let (mut shown, mut pattern) = (String::new(), String::new());
    for (at, part) in path.split_inclusive('/').flat_map(|segment| segment.split(';').enumerate()) {
        let (name, slash) = part.strip_suffix('/').map_or((part, ""), |name| (name, "/"));
        let (said, matched) = match at {
            0 => (name.to_owned(), regex::escape(name)),
            _ if name.contains('=') => (String::new(), "(;[^/?]*)?".to_owned()),
            _ => (format!(";{name}"), format!(";{}", regex::escape(name))),
        };
        shown.extend([said.as_str(), slash]);
        pattern.extend([matched.as_str(), slash]);
    }
    (shown, pattern)
}
