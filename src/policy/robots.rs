//! robots.txt by RFC 9309: the three cases of an answer around a parser crate, and which line decided.

use std::borrow::Cow;
use std::time::Duration;

use robotxt::Robots;

use crate::canonical::CanonicalUrl;
use crate::visit::{RobotsAnswer, SkipReason};

/// How much of a robots.txt is read (RFC 9309, section 2.5).
pub const MAX_ROBOTS_BYTES: usize = 500 * 1024;
/// How long an answer is used (RFC 9309, section 2.4).
pub const MAX_ROBOTS_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Redirects followed for a robots.txt (RFC 9309, section 2.3.1.2).
pub const MAX_ROBOTS_REDIRECTS: u32 = 5;

/// The rules of one host for one crawler.
#[derive(Debug, Clone)]
pub struct Rules {
    robots: Robots,
    unreachable: bool,
    /// The file is read for its sitemaps alone.
    lifted: bool,
}

impl Rules {
    /// Everything is allowed.
    pub fn allow_all() -> Self {
        Self { robots: Robots::allow_all(), unreachable: false, lifted: false }
    }

    /// Reads the rules for `product_token` out of a robots.txt.
    pub fn parse(body: &[u8], product_token: &str) -> Self {
        let body = &body[..body.len().min(MAX_ROBOTS_BYTES)];
        let robots = Robots::parse(&cut_agents_at_space(body), product_token);
        Self { robots, unreachable: false, lifted: false }
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
                Self { robots: Robots::disallow_all(), unreachable: true, lifted: false }
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
        } else if self.robots.is_url_allowed(url.url()) {
            None
        } else {
            Some(SkipReason::Robots)
        }
    }

    /// The rule that decides on a URL, as a line of robots.txt; None if no line does.
    pub fn deciding_line(&self, url: &CanonicalUrl) -> Option<String> {
        let rule = self.robots.matching_rule(url.path_and_query())?;
        let verb = if rule.is_allow() { "Allow" } else { "Disallow" };
        Some(format!("{verb}: {}", rule.pattern()))
    }

    /// The sitemaps that the file names: absolute http(s) URLs, wherever they lie. None if the host gave no answer that
    /// could name any.
    pub fn sitemaps(&self) -> Option<Vec<CanonicalUrl>> {
        if self.unreachable && !self.lifted {
            return None;
        }
        Some(self.robots.sitemaps().iter().filter_map(|url| CanonicalUrl::parse(url.as_str()).ok()).collect())
    }

    /// The user agent whose group applies, lower case; `*` if no group names the crawler.
    pub fn group(&self) -> &str {
        self.robots.user_agent()
    }

    /// Where in `body`, which these rules were read from, the deciding rule stands: the line's number, counted from 1,
    /// and its text.
    pub fn deciding_place(&self, body: &[u8], product_token: &str, url: &CanonicalUrl) -> Option<(usize, String)> {
        let rule = self.robots.matching_rule(url.path_and_query())?;
        let ending = if body.contains(&b'\n') { b'\n' } else { b'\r' };
        let lines: Vec<_> = body.split_inclusive(|&byte| byte == ending).collect();
        let ends: Vec<_> = lines
            .iter()
            .scan(0, |end, line| {
                *end += line.len();
                Some(*end)
            })
            .collect();
        // The parser names no lines: the rule stands on the last line of the shortest beginning that has it.
        let place = ends.partition_point(|&end| {
            let start = Self::parse(&body[..end], product_token).robots;
            start.user_agent() != self.group() || !start.rules().contains(rule)
        });
        let text = String::from_utf8_lossy(lines.get(place)?).trim().to_owned();
        Some((place + 1, text))
    }

    /// How long the host asks crawlers to wait between requests.
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.robots.crawl_delay()
    }
}

/// Cuts the value of each user-agent line at its first white space: a product token holds none (RFC 9309, section
/// 2.2.1), and the parser compares whole values.
fn cut_agents_at_space(body: &[u8]) -> Cow<'_, [u8]> {
    let is_agent = |line: &[u8]| {
        let line = line.trim_ascii_start();
        line.len() > 10 && line[..10].eq_ignore_ascii_case(b"user-agent")
    };
    if !body.split(|&byte| byte == b'\n' || byte == b'\r').any(is_agent) {
        return Cow::Borrowed(body);
    }
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|&byte| byte == b'\n' || byte == b'\r') {
        let colon = line.iter().position(|&byte| byte == b':');
        match colon {
            Some(colon) if is_agent(line) => {
                let value = line[colon + 1..].trim_ascii_start();
                let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
                out.extend_from_slice(&line[..=colon]);
                out.extend_from_slice(&value[..end]);
                out.push(b'\n');
            }
            _ => out.extend_from_slice(line),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(path: &str) -> CanonicalUrl {
        CanonicalUrl::parse(&format!("http://example.com{path}")).unwrap()
    }

    #[test]
    fn the_longest_match_decides_and_is_named() {
        let rules = Rules::parse(b"User-agent: *\nDisallow: /a\nAllow: /a/b$\nDisallow: /*.gif\n", "bot");
        assert_eq!(rules.forbid(&url("/a/c")), Some(SkipReason::Robots));
        assert_eq!(rules.forbid(&url("/a/b")), None);
        assert_eq!(rules.deciding_line(&url("/a/b")).as_deref(), Some("Allow: /a/b$"));
        assert_eq!(rules.deciding_line(&url("/x.gif?y")).as_deref(), Some("Disallow: /*.gif"));
        assert_eq!(rules.deciding_line(&url("/x")), None);
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
            let found = rules.deciding_place(body, token, &url(path));
            assert_eq!((rules.group(), found), (group, place.map(|(line, text)| (line, text.to_owned()))), "{path}");
        }
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
        let named = |rules: &Rules| rules.sitemaps().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(named(&rules), ["http://cdn.test/a.xml", "http://example.com/c.xml"]);
        assert_eq!(rules.forbid(&url("/")), Some(SkipReason::Robots));
        let lifted = rules.lifted();
        assert_eq!((lifted.forbid(&url("/")), named(&lifted).len()), (None, 2));
        let down = Rules::from_answer(&RobotsAnswer::Unreachable { status: Some(503), failure: None }, "bot");
        assert_eq!(down.sitemaps(), None);
    }

    #[test]
    fn only_the_first_500_kibibytes_count() {
        let mut body = b"User-agent: *\n".to_vec();
        body.resize(MAX_ROBOTS_BYTES, b'#');
        body.extend_from_slice(b"\nDisallow: /\n");
        assert_eq!(Rules::parse(&body, "bot").forbid(&url("/")), None);
    }
}
