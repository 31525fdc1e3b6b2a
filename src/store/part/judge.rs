//! Stored URLs that are skipped or wait, judged by the present seeds and settings.

use crate::canonical::CanonicalUrl;
use crate::policy::sweep::{Changed, Verdict, Waiting, judge_again};
use crate::scope::Scope;
use crate::store::tables::Waits;
use crate::visit::{State, UrlId};

/// Those that do not stay as they are, with the state and the reason that they get; and how many of them are left out from
/// now on.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    pub(super) rows: Vec<(UrlId, u8, Option<String>)>,
    pub(super) left_out: i64,
}

pub(super) fn verdicts(waits: Vec<Waits>, scope: &Scope, sitemaps: bool, changed: Changed) -> Verdicts {
    let mut verdicts = Verdicts::default();
    for Waits { id, url, state, reason, depth, followed, found_on, is_sitemap } in waits {
        let Ok(url) = CanonicalUrl::parse(&url) else { continue };
        let waiting = Waiting { url: &url, state, reason, depth, followed, found_on, is_sitemap };
        let Some(verdict) = judge_again(&waiting, scope, sitemaps, changed) else { continue };
        let Verdict { state: to, reason } = verdict;
        verdicts.left_out += i64::from(state == State::Pending && to == State::Skipped);
        verdicts.rows.push((id, to.number(), reason.map(|reason| reason.to_string())));
    }
    verdicts
}
