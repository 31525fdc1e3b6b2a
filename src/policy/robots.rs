//! robots.txt by RFC 9309: the three cases of an answer, the group that applies, and which line decides.

mod lines;
mod pattern;

use std::cmp::Reverse;
use std::time::Duration;

use crate::canonical::{CanonicalUrl, Host};
use crate::visit::{RobotsAnswer, SkipReason};

use lines::{Line, line_at, lines};
use pattern::{Pattern, normal};

/// How much of a robots.txt is read (RFC 9309, section 2.5).
pub const MAX_ROBOTS_BYTES: usize = 500 * 1024;
/// How long an answer is used (RFC 9309, section 2.4).
pub const MAX_ROBOTS_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Redirects followed for a robots.txt (RFC 9309, section 2.3.1.2).
pub const MAX_ROBOTS_REDIRECTS: u32 = 5;
/// Bytes of a path that the patterns with wildcards of a file pass over for one URL, at most: some milliseconds. Twenty
/// thousand of them and a path of a hundred bytes stay within.
const MAX_SEARCH: usize = 2 << 20;
/// The group of those that no other names.
const ANY: &[u8] = b"*";

/// The rules of one host for one crawler.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The one that wins comes first.
    rules: Vec<Rule>,
    /// What they say of every URL, if that is always the same.
    always: Option<bool>,
    /// How many of them have to be looked for in a path.
    searching: usize,
    group: String,
    crawl_delay: Option<Duration>,
    /// As they are written.
    sitemaps: Vec<String>,
    unreachable: bool,
    /// The file is read for its sitemaps alone.
    lifted: bool,
}

/// A line that allows or disallows.
#[derive(Debug, Clone)]
struct Rule {
    pattern: Pattern,
    is_allow: bool,
    /// Where in the file its line begins.
    start: usize,
}

/// What an answer of this status says (RFC 9309, section 2.3.1): one of 2xx the rules in its body, one of 5xx that nothing
/// is allowed until the host answers, any other that everything is.
pub fn answer_of(status: u16, body: Option<Vec<u8>>) -> RobotsAnswer {
    match status {
        200..=299 => RobotsAnswer::Rules { status, body: body.unwrap_or_default() },
        500..=599 => RobotsAnswer::Unreachable { status: Some(status), failure: None },
        _ => RobotsAnswer::Unavailable { status },
    }
}

impl Rules {
    /// Everything is allowed.
    pub fn allow_all() -> Self {
        Self::parse(b"", "")
    }

    /// Reads the rules for `product_token` out of a robots.txt: those of all groups that name it, or else of those for
    /// any crawler.
    pub fn parse(body: &[u8], product_token: &str) -> Self {
        let body = within_limit(body);
        let is_named = |value: &[u8]| value.eq_ignore_ascii_case(product_token.as_bytes()) && !value.is_empty();
        let names_it = lines(body).any(|(_, line)| matches!(line, Line::UserAgent(value) if is_named(value)));
        let group = if names_it { product_token.as_bytes() } else { ANY };
        let mut parsed = Self {
            rules: Vec::new(),
            always: None,
            searching: 0,
            group: String::from_utf8_lossy(group).to_ascii_lowercase(),
            crawl_delay: None,
            sitemaps: Vec::new(),
            unreachable: false,
            lifted: false,
        };
        // A group begins with user-agent lines in a row.
        let (mut among_agents, mut applies) = (false, false);
        for (start, line) in lines(body) {
            match line {
                Line::UserAgent(value) => {
                    applies = (applies && among_agents) || value.eq_ignore_ascii_case(group);
                    among_agents = true;
                }
                Line::Rule { is_allow, path } => {
                    among_agents = false;
                    let pattern = Pattern::parse(path).filter(|_| applies);
                    parsed.rules.extend(pattern.map(|pattern| Rule { pattern, is_allow, start }));
                }
                Line::CrawlDelay(delay) => {
                    among_agents = false;
                    let delay = delay.filter(|_| applies);
                    parsed.crawl_delay = delay.into_iter().chain(parsed.crawl_delay).min();
                }
                Line::Sitemap(url) => parsed.sitemaps.push(String::from_utf8_lossy(url).into_owned()),
            }
        }
        parsed.rules.sort_by_key(|rule| (Reverse(rule.pattern.len()), !rule.is_allow));
        parsed.always = verdict_on_all(&parsed.rules);
        parsed.searching = parsed.rules.iter().filter(|rule| rule.pattern.searches()).count();
        parsed
    }

    /// The same file with all its prohibitions lifted: for its sitemaps alone.
    pub fn lifted(self) -> Self {
        Self { lifted: true, ..self }
    }

    /// The rules that an answer amounts to.
    pub fn from_answer(answer: &RobotsAnswer, product_token: &str) -> Self {
        match answer {
            RobotsAnswer::Rules { body, .. } => Self::parse(body, product_token),
            RobotsAnswer::Unavailable { .. } => Self::allow_all(),
            RobotsAnswer::Unreachable { .. } | RobotsAnswer::Dead { .. } | RobotsAnswer::Private => {
                Self { unreachable: true, ..Self::allow_all() }
            }
        }
    }

    /// Whether they stand in for an answer that did not come.
    pub fn is_unreachable(&self) -> bool {
        self.unreachable
    }

    /// Why a URL of this host is not to be requested.
    pub fn forbid(&self, url: &CanonicalUrl) -> Option<SkipReason> {
        if self.lifted {
            None
        } else if self.unreachable {
            Some(SkipReason::RobotsUnreachable)
        } else if self.allows(url.path_and_query()) {
            None
        } else {
            Some(SkipReason::Robots)
        }
    }

    fn allows(&self, path: &str) -> bool {
        // Always allowed (RFC 9309, section 2.2.2).
        if path == "/robots.txt" {
            return true;
        }
        self.always
            .unwrap_or_else(|| !self.cannot_judge(path) && self.deciding_rule(path).is_none_or(|rule| rule.is_allow))
    }

    /// Whether it would take too long to find the rule that decides. What cannot be judged counts as forbidden: a host that
    /// sends such a file must not hold up the others.
    fn cannot_judge(&self, path: &str) -> bool {
        self.searching.saturating_mul(path.len()) > MAX_SEARCH
    }

    /// None if none decides, or if it cannot be told which.
    fn deciding_rule(&self, path: &str) -> Option<&Rule> {
        if self.cannot_judge(path) {
            return None;
        }
        let path = normal(path.as_bytes());
        self.rules.iter().find(|rule| rule.pattern.matches(&path))
    }

    /// Whether there was an answer that could name sitemaps.
    pub fn can_name_sitemaps(&self) -> bool {
        !self.unreachable || self.lifted
    }

    /// The sitemaps that the file of this host names: http(s) URLs, wherever they lie. Some write them without their
    /// host, against the standard.
    pub fn sitemaps(&self, host: &Host) -> Vec<CanonicalUrl> {
        let Ok(base) = host.robots_url() else { return Vec::new() };
        let written = self.sitemaps.iter().filter(|url| !url.is_empty() && self.can_name_sitemaps());
        written.filter_map(|url| CanonicalUrl::join(base.url(), url).ok()).collect()
    }

    /// The user agent whose group applies, lower case; `*` if no group names the crawler.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Where in `body`, which these rules were read from, the deciding rule stands: the line's number, counted from 1,
    /// and the line as it is. None if no line decides.
    pub fn deciding_place(&self, body: &[u8], url: &CanonicalUrl) -> Option<(usize, String)> {
        let start = self.deciding_rule(url.path_and_query())?.start;
        let end_of_line = if body.contains(&b'\n') { b'\n' } else { b'\r' };
        let before = body.get(..start)?.iter().filter(|byte| **byte == end_of_line).count();
        let text = String::from_utf8_lossy(line_at(body, start)?).trim().to_owned();
        Some((before + 1, text))
    }

    /// How long the host asks crawlers to wait between requests.
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }
}

/// What is read of a file: the lines that end within the limit.
fn within_limit(body: &[u8]) -> &[u8] {
    let Some(start) = body.get(..=MAX_ROBOTS_BYTES) else { return body };
    let end = start.iter().rposition(|byte| matches!(byte, b'\r' | b'\n' | 0));
    &start[..end.unwrap_or(0)]
}

/// What the rules say of every URL, if it is the same of all: most files are of this kind.
fn verdict_on_all(rules: &[Rule]) -> Option<bool> {
    if rules.iter().all(|rule| rule.is_allow) {
        return Some(true);
    }
    let forbids_all = rules.iter().all(|rule| !rule.is_allow) && rules.iter().any(|rule| rule.pattern.is_universal());
    forbids_all.then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(path: &str) -> CanonicalUrl {
        CanonicalUrl::parse(&format!("http://example.com{path}")).unwrap()
    }

    #[test]
    fn the_longest_match_decides_and_is_named() {
        let body = b"User-agent: *\nDisallow: /a\nAllow: /a/b$\nDisallow: /*.gif\n";
        let rules = Rules::parse(body, "bot");
        assert_eq!(rules.forbid(&url("/a/c")), Some(SkipReason::Robots));
        assert_eq!(rules.forbid(&url("/a/b")), None);
        let line = |path| rules.deciding_place(body, &url(path));
        assert_eq!(line("/a/b"), Some((3, "Allow: /a/b$".to_owned())));
        assert_eq!(line("/x.gif?y"), Some((4, "Disallow: /*.gif".to_owned())));
        assert_eq!(line("/x"), None);
    }

    #[test]
    fn the_deciding_rule_is_found_in_its_group_by_line() {
        let body = b"# Rules\r\nUser-agent: *\r\nDisallow: /a\r\n\r\nUser-agent: bot extra\r\nCrawl-delay: 1\r\n\
            disallow : /a # no entry\r\nAllow: /a/b\r\n";
        for (token, path, group, place) in [
            ("bot", "/a/c", "bot", Some((7, "disallow : /a # no entry"))),
            ("bot", "/a/b", "bot", Some((8, "Allow: /a/b"))),
            ("bot", "/b", "bot", None),
            ("other", "/a/b", "*", Some((3, "Disallow: /a"))),
        ] {
            let rules = Rules::parse(body, token);
            let found = rules.deciding_place(body, &url(path));
            assert_eq!((rules.group(), found), (group, place.map(|(line, text)| (line, text.to_owned()))), "{path}");
        }
    }

    #[test]
    fn a_status_says_whether_there_are_rules() {
        let body = || Some(b"Disallow: /".to_vec());
        assert!(matches!(answer_of(204, body()), RobotsAnswer::Rules { status: 204, body } if !body.is_empty()));
        for status in [301, 403, 404, 429, 600] {
            assert_eq!(answer_of(status, body()), RobotsAnswer::Unavailable { status });
        }
        assert!(matches!(answer_of(503, body()), RobotsAnswer::Unreachable { status: Some(503), .. }));
    }

    #[test]
    fn a_user_agent_line_counts_up_to_the_first_space() {
        let rules =
            Rules::parse(b"User-Agent: bot and more\r\nDisallow: /\r\n\r\nuser-agent: *\r\nAllow: /\r\n", "bot");
        assert_eq!(rules.forbid(&url("/")), Some(SkipReason::Robots));
    }

    #[test]
    fn an_answer_of_4xx_allows_all_and_of_5xx_nothing() {
        let gone = Rules::from_answer(&RobotsAnswer::Unavailable { status: 404 }, "bot");
        assert_eq!(gone.forbid(&url("/")), None);
        let down = Rules::from_answer(&RobotsAnswer::Unreachable { status: Some(503), failure: None }, "bot");
        assert_eq!(down.forbid(&url("/")), Some(SkipReason::RobotsUnreachable));
    }

    #[test]
    fn sitemaps_stand_outside_all_groups_and_outlive_lifted_rules() {
        let rules = Rules::parse(
            b"User-agent: other\nDisallow:\nSitemap: http://cdn.test/a.xml\nsitemap: /relative.xml\n\nUser-agent: *\nDisallow: /\nSitemap: ftp://x/b.xml\nSiteMap: http://example.com/c.xml#x",
            "bot",
        );
        let host = url("/").host();
        let named = |rules: &Rules| rules.sitemaps(&host).iter().map(ToString::to_string).collect::<Vec<_>>();
        let expected = ["http://cdn.test/a.xml", "http://example.com/relative.xml", "http://example.com/c.xml"];
        assert_eq!(named(&rules), expected);
        assert_eq!(rules.forbid(&url("/")), Some(SkipReason::Robots));
        let lifted = rules.lifted();
        assert_eq!((lifted.forbid(&url("/")), named(&lifted).len()), (None, 3));
        let down = Rules::from_answer(&RobotsAnswer::Unreachable { status: Some(503), failure: None }, "bot");
        assert!(!down.can_name_sitemaps());
    }

    #[test]
    fn only_the_first_500_kibibytes_count() {
        let mut body = b"User-agent: *\n".to_vec();
        body.resize(MAX_ROBOTS_BYTES, b'#');
        body.extend_from_slice(b"\nDisallow: /\n");
        assert_eq!(Rules::parse(&body, "bot").forbid(&url("/")), None);
    }

    #[test]
    fn a_file_of_wildcards_without_end_forbids_the_long_paths_that_it_would_take_too_long_to_judge() {
        let wild = format!("User-agent: *\nAllow: /short\n{}", "Disallow: *aab*c\n".repeat(30_000));
        let rules = Rules::parse(wild.as_bytes(), "bot");
        let long = format!("/{}", "a".repeat(4_000));
        assert_eq!(rules.forbid(&url("/short")), None);
        assert_eq!(rules.forbid(&url("/short/aabc")), None, "the longest decides");
        assert_eq!(
            (rules.forbid(&url(&long)), rules.deciding_place(wild.as_bytes(), &url(&long))),
            (Some(SkipReason::Robots), None)
        );
        assert_eq!(rules.forbid(&url("/robots.txt")), None);
        let plain =
            format!("User-agent: *\n{}", (0..30_000).map(|n| format!("Disallow: /x{n}*\n")).collect::<String>());
        assert_eq!(Rules::parse(plain.as_bytes(), "bot").forbid(&url(&long)), None);
    }

    #[test]
    fn rules_that_are_shown_stand_as_they_are_written() {
        let body = b"User-agent: a\rUser-agent: bot\rDisallow: */node/ # old\rAllow: /caf\xe9-%24\r";
        let rules = Rules::parse(body, "BOT");
        let line = |path| rules.deciding_place(body, &url(path)).map(|(line, text)| format!("{line}: {text}"));
        assert_eq!(line("/node/1").as_deref(), Some("3: Disallow: */node/ # old"));
        assert_eq!(line("/caf%E9-$").as_deref(), Some("4: Allow: /caf\u{fffd}-%24"));
        assert_eq!(rules.forbid(&url("/node/1")), Some(SkipReason::Robots));
    }

    #[test]
    fn groups_that_name_the_crawler_count_as_one_and_the_smallest_delay_holds() {
        let body = b"Disallow: /first\nUser-agent: *\nDisallow: /every\nUser-agent: Bot\nUser-agent: other\n\
            Crawl-delay: 3\nDisallow: /a\n\nUser-agent: *\nuser-agent: bot\nDisallow: /b\nCrawl-delay: 2\n\
            User-agent: bots\nDisallow: /c\n";
        let rules = Rules::parse(body, "bot");
        let forbidden = ["/first", "/every", "/a", "/b", "/c"].map(|path| rules.forbid(&url(path)).is_some());
        assert_eq!(forbidden, [false, false, true, true, false]);
        assert_eq!(rules.crawl_delay(), Some(Duration::from_secs(2)));
        let everything = Rules::parse(b"User-agent: *\nDisallow: *\n", "bot");
        assert_eq!((everything.forbid(&url("/robots.txt")), everything.forbid(&url("/?x")).is_some()), (None, true));
    }
}
