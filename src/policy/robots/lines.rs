//! A robots.txt, line by line: what RFC 9309 (section 2.2) calls its lines, and the misspellings that are common.

use std::time::Duration;

/// What a line says, its value trimmed and without its comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A product token.
    UserAgent(&'a [u8]),
    Rule {
        is_allow: bool,
        path: &'a [u8],
    },
    CrawlDelay(Option<Duration>),
    Sitemap(&'a [u8]),
}

#[derive(Clone, Copy)]
enum Key {
    UserAgent,
    Allow,
    Disallow,
    CrawlDelay,
    Sitemap,
}

/// Keys as they are written (RFC 9309, section 2.2.4, lets crawlers read typing errors).
const KEYS: [(&str, Key); 18] = [
    ("user-agent", Key::UserAgent),
    ("user agent", Key::UserAgent),
    ("useragent", Key::UserAgent),
    ("allow", Key::Allow),
    ("alow", Key::Allow),
    ("allaw", Key::Allow),
    ("disallow", Key::Disallow),
    ("dissallow", Key::Disallow),
    ("dissalow", Key::Disallow),
    ("disalow", Key::Disallow),
    ("diasllow", Key::Disallow),
    ("disallaw", Key::Disallow),
    ("crawl-delay", Key::CrawlDelay),
    ("crawl delay", Key::CrawlDelay),
    ("crawldelay", Key::CrawlDelay),
    ("sitemap", Key::Sitemap),
    ("site-map", Key::Sitemap),
    ("site map", Key::Sitemap),
];

/// The lines that say something, each with the place in `body` where it begins. Lines end at CR, LF or NUL. What there is
/// of a byte order mark is passed over: some tools leave a part of it.
pub(super) fn lines(body: &[u8]) -> impl Iterator<Item = (usize, Line<'_>)> {
    let mut at = body.iter().zip(b"\xef\xbb\xbf").take_while(|(byte, of_mark)| byte == of_mark).count();
    std::iter::from_fn(move || {
        let start = at;
        let text = line_at(body, start)?;
        at = start + text.len() + 1;
        Some((start, text))
    })
    .filter_map(|(start, text)| Some((start, read(text)?)))
}

/// The line that begins at `start`, as it stands, without its end.
pub(super) fn line_at(body: &[u8], start: usize) -> Option<&[u8]> {
    let rest = body.get(start..).filter(|rest| !rest.is_empty())?;
    let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n' | 0));
    Some(&rest[..end.unwrap_or(rest.len())])
}

fn read(line: &[u8]) -> Option<Line<'_>> {
    let line = line.trim_ascii();
    let (written, key) = KEYS.iter().find(|(written, _)| {
        line.get(..written.len()).is_some_and(|start| start.eq_ignore_ascii_case(written.as_bytes()))
    })?;
    let rest = &line[written.len()..];
    let value = match rest.trim_ascii_start() {
        [b':', value @ ..] => value,
        // The colon is missing.
        value if value.len() < rest.len() => value,
        _ => return None,
    };
    let value = value.split(|&byte| byte == b'#').next().unwrap_or_default().trim_ascii();
    Some(match key {
        // A product token holds no white space, and no version (section 2.2.1).
        Key::UserAgent => Line::UserAgent(value.split(is_behind_a_token).next().unwrap_or_default()),
        Key::Allow => Line::Rule { is_allow: true, path: value },
        Key::Disallow => Line::Rule { is_allow: false, path: value },
        Key::CrawlDelay => Line::CrawlDelay(seconds(value)),
        Key::Sitemap => Line::Sitemap(value),
    })
}

fn is_behind_a_token(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || *byte == b'/'
}

fn seconds(value: &[u8]) -> Option<Duration> {
    Duration::try_from_secs_f64(std::str::from_utf8(value).ok()?.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_each_kind_of_end_and_keep_their_place() {
        let body = b"\xef\xbb\xbfuser-agent: a\r\n\r\nDISALLOW : /a # no\rdissalow /b\0allow:/c\nallow\nallowed: /d\nSite map: s";
        let read: Vec<_> = lines(body).collect();
        let rule = |is_allow, path| Line::Rule { is_allow, path };
        let expected = [
            (3, Line::UserAgent(b"a")),
            (20, rule(false, b"/a")),
            (39, rule(false, b"/b")),
            (51, rule(true, b"/c")),
            (78, Line::Sitemap(b"s")),
        ];
        assert_eq!(read, expected);
        for start in [&b"\xef\xbb"[..], b"\xef", b""] {
            assert_eq!(lines(&[start, b"allow: /"].concat()).next(), Some((start.len(), rule(true, b"/"))));
        }
        assert_eq!(lines(b"\xef\xbfallow: /").next(), None);
        assert_eq!(line_at(body, 20), Some(&b"DISALLOW : /a # no"[..]));
    }

    #[test]
    fn values_are_trimmed_and_agents_end_at_white_space_or_a_version() {
        let one = |line: &'static [u8]| lines(line).next().map(|(_, line)| line);
        assert_eq!(one(b"User-Agent:\tbot and more"), Some(Line::UserAgent(b"bot")));
        assert_eq!(one(b"User-Agent: bot/2.0"), Some(Line::UserAgent(b"bot")));
        assert_eq!(one(b"crawl-delay: 1.5"), Some(Line::CrawlDelay(Some(Duration::from_millis(1500)))));
        assert_eq!(one(b"Crawl-delay: -1"), Some(Line::CrawlDelay(None)));
        assert_eq!(one(b"Disallow:#x"), Some(Line::Rule { is_allow: false, path: b"" }));
        assert_eq!(one(b"host: example.com"), None);
    }
}
