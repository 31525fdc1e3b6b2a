//! What a new run asks for again, and what a new invocation judges again.

use crate::canonical::CanonicalUrl;
use crate::config::Config;
use crate::policy::due::is_due;
use crate::scope::Scope;
use crate::visit::{Millis, SkipReason, State};

/// Reasons that may have passed by the next invocation: the URL is pending again.
pub const OPENED_BY_INVOCATION: [SkipReason; 2] = [SkipReason::RobotsUnreachable, SkipReason::PrivateAddress];
/// Reasons that a new run looks into again: robots.txt may say otherwise by then.
pub const OPENED_BY_RUN: [SkipReason; 1] = [SkipReason::Robots];
/// States of URLs that a new run asks for whatever they hold: what is left of a run that was given up, and what failed.
pub const ASKED_BY_RUN: [State; 2] = [State::Pending, State::Failed];

/// A URL that is skipped or pending, when the settings change.
#[derive(Debug)]
pub struct Waiting<'a> {
    pub url: &'a CanonicalUrl,
    /// Why it is skipped so far.
    pub reason: Option<SkipReason>,
    pub depth: u32,
    /// A followed link leads there, or it is a seed.
    pub followed: bool,
    /// No followed link leads there, and the page that it was found on is an error page.
    pub is_on_error_page: bool,
    pub is_sitemap: bool,
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
    /// Everything, as far as is known.
    pub const ALL: Self = Self { scope: true, robots: true };

    /// Compares the settings of the last invocation with those of this one.
    pub fn between(past: &Config, present: &Config) -> Self {
        let robots = past.product_token() != present.product_token() || past.ignore_robots != present.ignore_robots;
        Self { scope: !present.judges_like(past), robots }
    }
}

/// Why the URL is skipped under the present settings, if it is. What a robots.txt forbade stays forbidden, unless the
/// settings have other rules apply.
pub fn judge_again(waiting: &Waiting<'_>, scope: &Scope, reads_sitemaps: bool, changed: Changed) -> Option<SkipReason> {
    let Waiting { url, depth, followed, is_on_error_page, is_sitemap, .. } = *waiting;
    let follow = depth == 0 || followed;
    let by_scope = if is_on_error_page && !follow {
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
    use crate::config::ScopeKind;

    #[test]
    fn a_listed_page_wakes_once_in_a_run_when_it_is_due() {
        let wakes = |state, due_at, fetched_at| wakes(state, due_at, fetched_at, 50, 100);
        assert!(wakes(State::Fetched, 100, 49));
        assert!(!wakes(State::Fetched, 101, 49), "not due");
        assert!(!wakes(State::Fetched, 100, 50), "fetched in this run");
        assert!(!wakes(State::Pending, 100, 49) && !wakes(State::Failed, 100, 49));
    }

    #[test]
    fn what_waits_is_judged_by_its_depth_its_links_and_what_it_is() {
        let url = |text| CanonicalUrl::parse(text).unwrap();
        let config = Config { max_depth: Some(1), scope: ScopeKind::Host, ..Config::default() };
        let scope = Scope::new(&config, &[url("http://a.test/")]);
        let page = url("http://a.test/page");
        let judge = |depth, followed, is_sitemap, url: &CanonicalUrl| {
            let waiting = Waiting { url, reason: None, depth, followed, is_on_error_page: false, is_sitemap };
            judge_again(&waiting, &scope, true, Changed::default())
        };
        assert_eq!(judge(1, true, false, &page), None);
        assert_eq!(judge(2, true, false, &page), Some(SkipReason::Depth));
        assert_eq!(judge(1, false, false, &page), Some(SkipReason::Nofollow));
        assert_eq!(judge(0, false, false, &page), None, "a seed needs no link");
        let elsewhere = url("http://b.test/sitemap.xml");
        assert_eq!(judge(1, true, false, &elsewhere), Some(SkipReason::Scope));
        assert_eq!(judge(1, true, true, &elsewhere), None, "a sitemap may lie on any host");
        let on_error_page = |followed| {
            let waiting =
                Waiting { url: &page, reason: None, depth: 1, followed, is_on_error_page: true, is_sitemap: false };
            judge_again(&waiting, &scope, true, Changed::default())
        };
        assert_eq!((on_error_page(false), on_error_page(true)), (Some(SkipReason::ErrorPage), None));
    }

    #[test]
    fn what_robots_txt_forbade_is_opened_only_if_other_rules_apply() {
        let url = CanonicalUrl::parse("http://a.test/page").unwrap();
        let config = Config::default();
        let scope = Scope::new(&config, std::slice::from_ref(&CanonicalUrl::parse("http://a.test/").unwrap()));
        let judge = |changed| {
            let reason = Some(SkipReason::Robots);
            let waiting =
                Waiting { url: &url, reason, depth: 1, followed: true, is_on_error_page: false, is_sitemap: false };
            judge_again(&waiting, &scope, false, changed)
        };
        let told = |present: Config| judge(Changed::between(&config, &present));
        assert_eq!(told(Config { max_depth: Some(9), ..Config::default() }), Some(SkipReason::Robots));
        assert_eq!(told(Config { user_agent: "harvestman/9.9".into(), ..Config::default() }), Some(SkipReason::Robots));
        assert_eq!(told(Config { user_agent: "other/1".into(), ..Config::default() }), None);
        assert_eq!(told(Config { ignore_robots: true, ..Config::default() }), None);
    }
}
