//! Cookies of a file that can be sent to none of the seeds.

use std::collections::BTreeSet;

use url::Url;

use crate::canonical::CanonicalUrl;
use crate::config::{Config, ScopeKind};
use crate::fetch::cookies_txt::parse;
use crate::scope::registrable_domain;

use super::bare;
use super::console::Console;

/// How many domains are named.
const NAMED: usize = 3;

/// Warns of a file whose cookies are all for other sites than those of the seeds. What else is wrong with it is told by who
/// sends them.
pub fn warn_of_strangers(config: &Config, seeds: &[CanonicalUrl], console: &Console) {
    let Some(path) = config.cookies.as_ref().filter(|_| config.scope != ScopeKind::Any) else { return };
    let Some(cookies) = std::fs::read(path).ok().and_then(|bytes| parse(&bytes).ok()) else { return };
    let sites: BTreeSet<_> = seeds.iter().filter_map(|seed| registrable_domain(seed.url())).collect();
    let of_cookie = |domain: &str| registrable_domain(&Url::parse(&format!("http://{domain}/")).ok()?);
    let given: BTreeSet<_> = cookies.iter().filter_map(|cookie| of_cookie(&cookie.domain)).collect();
    if !given.is_empty() && given.is_disjoint(&sites) {
        let file = bare::shown(&path.display().to_string());
        console.warn(&format!("`{file}` holds no cookie for {}, but for {}", named(&sites), named(&given)));
    }
}

fn named(domains: &BTreeSet<String>) -> String {
    let first = domains.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if domains.len() > NAMED { format!("{first}, …") } else { first }
}
