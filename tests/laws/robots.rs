//! robots.txt: the verdict is that of a matcher which tries everything, slowly.

use harvestman::internals::canonical::CanonicalUrl;
use harvestman::internals::policy::robots::Rules;
use harvestman::internals::visit::SkipReason;

use super::text_line;

/// A product token, a path, and a file.
pub fn robots(input: &[u8]) {
    let (token, rest) = text_line(input);
    let (path, body) = text_line(rest);
    let host = CanonicalUrl::parse("http://host.test/").unwrap();
    let Ok(url) = CanonicalUrl::join(host.url(), &path) else { return };
    let rules = Rules::parse(body, &token);
    let verdict = rules.forbid(&url);
    let place = rules.deciding_place(body, &url);
    assert!(verdict.is_none() || verdict == Some(SkipReason::Robots) && place.is_some(), "{verdict:?} by {place:?}");
    let lines = 1 + body.iter().filter(|byte| matches!(byte, b'\n' | b'\r' | 0)).count();
    assert!(place.is_none_or(|(line, _)| line <= lines));
    assert!(rules.sitemaps(&host.host()).len() <= lines);
    if let Some(slow) = Slow::read(body, &token)
        && url.path_and_query() != "/robots.txt"
    {
        let expected = slow.allows(url.path_and_query().as_bytes());
        assert_eq!(verdict.is_none(), expected, "{url} for {token}");
    }
}

/// What of a pattern or a path stands in one place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Any,
    End,
    Octet(u8),
}

/// Whether it allows, and its pattern.
type Rule = (bool, Vec<Part>);

/// The rules that apply.
struct Slow(Vec<Rule>);

impl Slow {
    /// None if a line is none of those that every crawler reads alike.
    fn read(body: &[u8], token: &str) -> Option<Self> {
        if body.starts_with(b"\xef\xbb\xbf") || body.len() > 500 * 1024 {
            return None;
        }
        let mut groups: Vec<(Vec<Vec<u8>>, Vec<Rule>)> = Vec::new();
        for line in body.split(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
            let line = line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
            if line.is_empty() {
                continue;
            }
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (key, value) = (line[..colon].trim_ascii().to_ascii_lowercase(), line[colon + 1..].trim_ascii());
            match key.as_slice() {
                b"user-agent" => {
                    let agent = value.split(u8::is_ascii_whitespace).next().unwrap_or_default().to_ascii_lowercase();
                    match groups.last_mut().filter(|(_, rules)| rules.is_empty()) {
                        Some((agents, _)) => agents.push(agent),
                        None => groups.push((vec![agent], Vec::new())),
                    }
                }
                // Whatever stands behind the names of a group ends their row; an empty path is no rule.
                b"allow" | b"disallow" | b"crawl-delay" => {
                    if let Some((_, rules)) = groups.last_mut() {
                        let path = if key == b"crawl-delay" { b"" } else { value };
                        rules.push((key == b"allow", pattern(path)));
                    }
                }
                b"sitemap" => {}
                _ => return None,
            }
        }
        let token = token.to_ascii_lowercase().into_bytes();
        let is_named = !token.is_empty() && groups.iter().any(|(agents, _)| agents.contains(&token));
        let name = if is_named { token } else { b"*".to_vec() };
        let of_it = groups.into_iter().filter(|(agents, _)| agents.contains(&name));
        Some(Self(of_it.flat_map(|(_, rules)| rules).filter(|(_, pattern)| !pattern.is_empty()).collect()))
    }

    fn allows(&self, path: &[u8]) -> bool {
        let path = parts(path, true);
        let matching = self.0.iter().filter(|(_, pattern)| matches(pattern, &path));
        matching.max_by_key(|(is_allow, pattern)| (pattern.len(), *is_allow)).is_none_or(|(is_allow, _)| *is_allow)
    }
}

fn pattern(value: &[u8]) -> Vec<Part> {
    let mut pattern = parts(value, false);
    if pattern.first().is_some_and(|first| !matches!(first, Part::Octet(b'/') | Part::Any)) {
        pattern.insert(0, Part::Octet(b'/'));
    }
    pattern
}

fn escape(octet: u8, parts: &mut Vec<Part>) {
    parts.extend(format!("%{octet:02X}").into_bytes().into_iter().map(Part::Octet));
}

fn parts(text: &[u8], is_path: bool) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let octet = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_kept = |byte: u8| is_unreserved(byte) || b"/?:#[]@!&()+,;=%".contains(&byte);
        let length = if octet.is_some() && text[at] == b'%' { 3 } else { 1 };
        match (text[at], octet) {
            (b'%', Some(octet)) if is_unreserved(octet) => parts.push(Part::Octet(octet)),
            (b'%', Some(octet)) => escape(octet, &mut parts),
            (b'*', _) if !is_path => parts.push(Part::Any),
            (b'$', _) if !is_path && at + 1 == text.len() => parts.push(Part::End),
            (byte, _) if is_kept(byte) => parts.push(Part::Octet(byte)),
            (byte, _) => escape(byte, &mut parts),
        }
        at += length;
    }
    parts
}

/// Whether the path begins with what the pattern stands for: all places where a wildcard may end are tried.
fn matches(pattern: &[Part], path: &[Part]) -> bool {
    let mut ends = vec![0];
    for part in pattern {
        ends = match part {
            Part::Any => (*ends.first().unwrap_or(&(path.len() + 1))..=path.len()).collect(),
            Part::End => ends.into_iter().filter(|end| *end == path.len()).collect(),
            part => ends.into_iter().filter(|end| path.get(*end) == Some(part)).map(|end| end + 1).collect(),
        };
    }
    !ends.is_empty()
}
