//! What a new run asks for again, and what a new invocation judges again.

use std::collections::BTreeSet;

use crate::canonical::CanonicalUrl;
use crate::config::Told;
use crate::policy::begin::{Entry, SEED_DEPTH};
use crate::policy::due::is_due;
use crate::policy::offer::is_error;
use crate::scope::Scope;
use crate::visit::{Millis, SkipReason, State};

/// Reasons that may have passed by the next invocation: the URL is pending again.
pub const OPENED_BY_INVOCATION: [SkipReason; 2] = [SkipReason::RobotsUnreachable, SkipReason::PrivateAddress];
/// Reasons that a new run looks into again: robots.txt may say otherwise by then.
pub const OPENED_BY_RUN: [SkipReason; 1] = [SkipReason::Robots];
/// Reasons that may not hold any more on a host where a page counts for a seed from now on.
pub const OPENED_BY_HEIR: [SkipReason; 1] = [SkipReason::Scope];
/// Reasons that may not hold any more of that page itself.
pub const OPENED_BY_BEING_HEIR: [SkipReason; 2] = [SkipReason::Scope, SkipReason::Excluded];

/// The state in which a URL that is not skipped begins a new run; of those that are skipped, the run asks for
/// [`OPENED_BY_RUN`]. `rests` says that a page of it is stored and not due.
pub fn at_new_run(state: State, rests: bool) -> State {
    match state {
        State::Skipped => State::Skipped,
        State::Failed => State::Pending,
        // What is left pending of a run that was given up needs no request either.
        State::Pending | State::Fetched if rests => State::Fetched,
        State::Pending | State::Fetched => State::Pending,
    }
}

/// States from which a URL begins a new run in the state `to`.
pub fn led_to(to: State, rests: bool) -> Vec<State> {
    State::ALL.into_iter().filter(|state| at_new_run(*state, rests) == to).collect()
}

/// A URL that is skipped or pending, when the settings change.
#[derive(Debug)]
pub struct Waiting<'a> {
    pub url: &'a CanonicalUrl,
    pub state: State,
    /// Why it is skipped so far.
    pub reason: Option<SkipReason>,
    pub depth: u32,
    /// A followed link leads there, or it is a seed.
    pub followed: bool,
    /// The status of the page that it was found on, if that is stored; asked for only if no followed link leads there.
    pub found_on: Option<u16>,
    pub is_sitemap: bool,
}

/// A verdict on a URL that was judged before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub state: State,
    pub reason: Option<SkipReason>,
}

/// What may be judged otherwise than by the last invocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changed {
    /// Seeds, or settings that the scope is drawn from.
    pub scope: bool,
    /// Which rules of a robots.txt apply, or whether they do.
    pub robots: bool,
}

impl Changed {
    const EVERYTHING: Self = Self { scope: true, robots: true };

    /// Compares what the last invocation was told, and its seeds, with this one's. What was told by a hook is not known, and
    /// nothing is of an earlier version that kept no settings.
    pub fn between(
        entry: Entry,
        past: Option<(&Told, &BTreeSet<String>)>,
        present: (&Told, &BTreeSet<String>),
    ) -> Self {
        let (Told { config, gated, .. }, seeds) = present;
        match past {
            Some((Told { config: old, gated: was_gated, .. }, old_seeds)) => Self {
                scope: *was_gated || *gated || !config.judges_like(old) || old_seeds != seeds,
                robots: old.product_token() != config.product_token() || old.ignore_robots != config.ignore_robots,
            },
            // Seeds are not judged by their links, so a hook has not seen them.
            None if entry == Entry::First => Self { scope: *gated, robots: false },
            None => Self::EVERYTHING,
        }
    }

    pub fn is_anything(self) -> bool {
        self.scope || self.robots
    }
}

/// What becomes of the URL under the present settings; none if they say of it what was said before. What a robots.txt
/// forbade stays forbidden, unless the settings have other rules apply.
pub fn judge_again(waiting: &Waiting<'_>, scope: &Scope, reads_sitemaps: bool, changed: Changed) -> Option<Verdict> {
    let reason = reason_now(waiting, scope, reads_sitemaps, changed);
    let state = if reason.is_some() { State::Skipped } else { State::Pending };
    (state != waiting.state || reason != waiting.reason).then_some(Verdict { state, reason })
}

/// Why the URL is skipped, if it is.
fn reason_now(waiting: &Waiting<'_>, scope: &Scope, reads_sitemaps: bool, changed: Changed) -> Option<SkipReason> {
    let Waiting { url, depth, followed, found_on, is_sitemap, .. } = *waiting;
    let follow = depth == SEED_DEPTH || followed;
    let by_scope = if found_on.is_some_and(is_error) && !follow {
        scope.judge_on_error_page(url)
    } else if reads_sitemaps && is_sitemap {
        scope.judge_sitemap(url, depth, follow)
    } else {
        scope.judge(url, depth, follow)
    };
    // What the user lets through as a trap is pending already.
    let stays = |reason: &SkipReason| *reason == SkipReason::Trap || *reason == SkipReason::Robots && !changed.robots;
    let forbidden = waiting.reason.clone().filter(stays);
    by_scope.or(forbidden)
}

/// Whether a page that a sitemap lists is fetched again in the run at hand: it is due at `now`, and was not fetched since
/// the run began, because once in a run is enough.
pub fn wakes(state: State, due_at: Millis, fetched_at: Millis, run_began: Millis, now: Millis) -> bool {
    state == State::Fetched && fetched_at < run_began && is_due(due_at, fetched_at, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ScopeKind};

    #[test]
    fn a_listed_page_wakes_once_in_a_run_when_it_is_due() {
        let wakes = |state, due_at, fetched_at| wakes(state, due_at, fetched_at, 50, 100);
        assert!(wakes(State::Fetched, 100, 49));
        assert!(!wakes(State::Fetched, 101, 49), "not due");
        assert!(!wakes(State::Fetched, 100, 50), "fetched in this run");
        assert!(!wakes(State::Pending, 100, 49) && !wakes(State::Failed, 100, 49));
    }

    #[test]
    fn a_new_run_asks_for_what_failed_and_for_what_is_not_stored_or_due() {
        assert_eq!(led_to(State::Pending, false), [State::Pending, State::Fetched, State::Failed]);
        assert_eq!(
            (led_to(State::Pending, true), led_to(State::Fetched, true)),
            (vec![State::Failed], vec![State::Pending, State::Fetched])
        );
        assert_eq!(led_to(State::Fetched, false), []);
    }

    fn url(text: &str) -> CanonicalUrl {
        CanonicalUrl::parse(text).unwrap()
    }

    fn told(config: Config) -> Told {
        Told { config, gated: false, credentials: Default::default(), way: Default::default() }
    }

    #[test]
    fn what_waits_is_judged_by_its_depth_its_links_and_what_it_is() {
        let config = Config { max_depth: Some(1), scope: ScopeKind::Host, ..Config::default() };
        let scope = Scope::new(&config, &[url("http://a.test/")]);
        let page = url("http://a.test/page");
        let elsewhere = url("http://b.test/sitemap.xml");
        let waiting = |url, depth, followed| Waiting {
            url,
            state: State::Pending,
            reason: None,
            depth,
            followed,
            found_on: None,
            is_sitemap: false,
        };
        let judge = |waiting| judge_again(&waiting, &scope, true, Changed::default()).map(|it| (it.state, it.reason));
        let skipped = |reason| Some((State::Skipped, Some(reason)));
        assert_eq!(judge(waiting(&page, 1, true)), None);
        assert_eq!(judge(waiting(&page, 2, true)), skipped(SkipReason::Depth));
        assert_eq!(judge(waiting(&page, 1, false)), skipped(SkipReason::Nofollow));
        assert_eq!(judge(waiting(&page, 0, false)), None, "a seed needs no link");
        assert_eq!(judge(waiting(&elsewhere, 1, true)), skipped(SkipReason::Scope));
        let sitemap = Waiting { is_sitemap: true, ..waiting(&elsewhere, 1, true) };
        assert_eq!(judge(sitemap), None, "a sitemap may lie on any host");
        let on_error_page = |followed| Waiting { found_on: Some(404), ..waiting(&page, 1, followed) };
        assert_eq!(judge(on_error_page(false)), skipped(SkipReason::ErrorPage));
        assert_eq!(judge(on_error_page(true)), None);
    }

    #[test]
    fn what_robots_txt_forbade_is_opened_only_if_other_rules_apply() {
        let page = url("http://a.test/page");
        let config = Config::default();
        let scope = Scope::new(&config, &[url("http://a.test/")]);
        let judge = |present: Config| {
            let (past, present, seeds) = (told(config.clone()), told(present), BTreeSet::new());
            let changed = Changed::between(Entry::Continued, Some((&past, &seeds)), (&present, &seeds));
            let reason = Some(SkipReason::Robots);
            let (state, found_on, is_sitemap) = (State::Skipped, None, false);
            let waiting = Waiting { url: &page, state, reason, depth: 1, followed: true, found_on, is_sitemap };
            judge_again(&waiting, &scope, false, changed).map(|verdict| verdict.state)
        };
        assert_eq!(judge(Config { max_depth: Some(9), ..Config::default() }), None);
        assert_eq!(judge(Config { user_agent: "harvestman/9.9".into(), ..Config::default() }), None);
        assert_eq!(judge(Config { user_agent: "other/1".into(), ..Config::default() }), Some(State::Pending));
        assert_eq!(judge(Config { ignore_robots: true, ..Config::default() }), Some(State::Pending));
    }

    #[test]
    fn other_seeds_settings_or_a_hook_have_urls_judged_again() {
        let seeds = |seeds: &[&str]| BTreeSet::from_iter(seeds.iter().map(|&seed| seed.to_owned()));
        let (plain, one, other) = (told(Config::default()), seeds(&["a"]), seeds(&["b"]));
        let hooked = Told { gated: true, ..plain.clone() };
        let deep = told(Config { max_depth: Some(9), ..Config::default() });
        let fast = told(Config { rate: 9.0, ..Config::default() });
        let differs = |past, present| Changed::between(Entry::Another, Some(past), present).is_anything();
        assert!(!differs((&plain, &one), (&plain, &one)) && !differs((&plain, &one), (&fast, &one)));
        assert!(differs((&plain, &one), (&plain, &other)) && differs((&deep, &one), (&plain, &one)));
        let unknown = |entry, told| Changed::between(entry, None, (told, &one));
        assert_eq!(unknown(Entry::Another, &plain), Changed::EVERYTHING);
        assert!(!unknown(Entry::First, &plain).is_anything(), "nothing was judged so far");
        assert!(unknown(Entry::First, &hooked).scope, "a hook may keep seeds out");
        assert!(differs((&hooked, &one), (&plain, &one)) && differs((&plain, &one), (&hooked, &one)));
    }
}
