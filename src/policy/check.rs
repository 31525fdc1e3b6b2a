//! Checks: which URLs that are not crawled are asked for, how, and what the answer says of them.

use http::HeaderMap;

use crate::visit::{FailureKind, Finding, Method, Refusal, SkipReason, Verdict};

/// Targets of links that are checked though they are not crawled: they lie elsewhere, or too far away. What the user excluded
/// and what a site asks crawlers not to follow or not to fetch is left alone.
pub const CHECKED: [SkipReason; 2] = [SkipReason::Scope, SkipReason::Depth];

/// Statuses with which servers turn crawlers away, or all who are not known to them, whether the page is there or not: RFC
/// 9110 (401, 403, 407), RFC 7725 (451), RFC 6585 (429), and 999 of LinkedIn.
const WALLS: [u16; 6] = [401, 403, 407, 429, 451, 999];

/// Header fields of services that stand before a server and answer in its place, as they document them: Cloudflare and AWS
/// WAF say so when they answer with a challenge.
const CHALLENGES: [(&str, &str); 2] = [("cf-mitigated", "challenge"), ("x-amzn-waf-action", "challenge")];

/// Style sheets that may lead from one to the next; what the last names is checked, and not read.
pub const MAX_IMPORTS: u32 = 3;

/// Bytes of a style sheet that are read; what follows is left on the wire.
pub const MAX_SHEET_BYTES: usize = 1 << 20;

/// How a URL is asked for at first: what is read is asked for as a whole.
pub fn first_method(sheet: Option<u32>) -> Method {
    if sheet.is_some() { Method::Get } else { Method::Head }
}

/// As what a style sheet that style sheets of this level name is read; none if it is not.
pub fn imported(level: u32) -> Option<u32> {
    (level < MAX_IMPORTS).then_some(level + 1)
}

/// Whether a URL that is skipped is to be checked.
pub fn is_checked(reason: &SkipReason) -> bool {
    CHECKED.contains(reason)
}

/// Whether a status of 400 or more, as an answer to this method, may be another one for GET: many servers know HEAD badly or
/// not at all. One that asks for time gets it.
pub fn asks_for_whole(method: Method, status: u16) -> bool {
    method == Method::Head && status >= 400 && !matches!(status, 408 | 425 | 429 | 503)
}

/// The same of a request that was not answered as HTTP has it: some servers send a body where HEAD has none, hang up, or never
/// answer.
pub fn fails_for_whole(method: Method, kind: FailureKind) -> bool {
    method == Method::Head
        && matches!(kind, FailureKind::Closed | FailureKind::Protocol | FailureKind::Decode | FailureKind::Timeout)
}

/// What an answer says, once redirects are followed.
pub fn answered(status: u16, headers: &HeaderMap) -> Finding {
    let is_challenge = |(name, value): &(&str, &str)| headers.get(*name).is_some_and(|found| found == value);
    let verdict = match status {
        _ if WALLS.contains(&status) || CHALLENGES.iter().any(is_challenge) => Verdict::Unsure,
        400.. => Verdict::Broken,
        _ => Verdict::Ok,
    };
    Finding { verdict, status: Some(status), failure: None }
}

/// What it says that there was no usable answer.
pub fn failed(kind: FailureKind) -> Finding {
    Finding { verdict: Verdict::Broken, status: None, failure: Some(kind.as_str().into()) }
}

/// What is said of a URL that was not asked for.
pub fn refused(refusal: &Refusal) -> Finding {
    let unsure = |why: &str| Finding { verdict: Verdict::Unsure, status: None, failure: Some(why.into()) };
    match refusal {
        Refusal::Skip(reason) => unsure(reason.as_str()),
        Refusal::Wait => unsure("wait"),
        Refusal::Fail { kind, .. } => failed(*kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, headers: &[(&'static str, &'static str)]) -> Verdict {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        answered(status, &headers).verdict
    }

    #[test]
    fn an_error_is_broken_but_for_what_turns_crawlers_away() {
        assert_eq!([200, 206, 304].map(|status| verdict(status, &[])), [Verdict::Ok; 3]);
        assert_eq!([400, 404, 405, 410, 500, 503].map(|status| verdict(status, &[])), [Verdict::Broken; 6]);
        assert_eq!([401, 403, 407, 429, 451, 999].map(|status| verdict(status, &[])), [Verdict::Unsure; 6]);
        assert_eq!(verdict(503, &[("cf-mitigated", "challenge")]), Verdict::Unsure);
        assert_eq!(verdict(202, &[("x-amzn-waf-action", "challenge")]), Verdict::Unsure);
    }

    #[test]
    fn get_follows_an_error_of_head_unless_the_server_asks_for_time() {
        let whole = |status| asks_for_whole(Method::Head, status);
        assert_eq!([403, 404, 405, 500, 501].map(whole), [true; 5]);
        assert_eq!([200, 301, 408, 429, 503].map(whole), [false; 5]);
        assert!(!asks_for_whole(Method::Get, 404));
        assert!(fails_for_whole(Method::Head, FailureKind::Closed) && !fails_for_whole(Method::Head, FailureKind::Dns));
    }

    #[test]
    fn what_was_not_asked_for_is_unsure_and_what_is_not_there_is_broken() {
        let robots = refused(&Refusal::Skip(SkipReason::Robots));
        assert_eq!((robots.verdict, robots.failure.as_deref()), (Verdict::Unsure, Some("robots")));
        let gone = Refusal::Fail { kind: FailureKind::Dns, message: "no such name".into(), attempts: 4 };
        assert_eq!((refused(&gone).verdict, refused(&gone).failure.as_deref()), (Verdict::Broken, Some("dns")));
    }
}
