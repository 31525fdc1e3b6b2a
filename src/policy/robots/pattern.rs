//! Whether the path of a rule matches that of a URL (RFC 9309, sections 2.2.2 and 2.2.3).

use std::borrow::Cow;

/// The path of a rule, in the form in which it is compared: `*` stands for any characters, `$` at its end for the end of
/// the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(String);

impl Pattern {
    /// None for an empty path, which matches nothing.
    pub(super) fn parse(path: &[u8]) -> Option<Self> {
        let first = *path.first()?;
        let (path, anchor) = path.strip_suffix(b"$").map_or((path, ""), |start| (start, "$"));
        // A path that lacks its slash is meant to have one; one that begins with `*` matches as it is written.
        let slash = if matches!(first, b'/' | b'*') { "" } else { "/" };
        let parts: Vec<_> = path.split(|&byte| byte == b'*').map(normal).collect();
        Some(Self(format!("{slash}{}{anchor}", parts.join("*"))))
    }

    /// Octets, of which the rule with the most decides.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it matches every path.
    pub(super) fn is_universal(&self) -> bool {
        let rest = self.0.strip_prefix('/').unwrap_or(&self.0);
        rest.bytes().all(|byte| byte == b'*')
    }

    /// Whether it takes looking through a path to see if it matches.
    pub(super) fn searches(&self) -> bool {
        self.0.trim_end_matches('*').contains('*')
    }

    /// Whether it matches a path in normal form. What stands between two `*` is found at its first place, which leaves
    /// most for the rest.
    pub(super) fn matches(&self, path: &str) -> bool {
        let (pattern, is_anchored) = self.0.strip_suffix('$').map_or((&*self.0, false), |start| (start, true));
        let mut parts = pattern.split('*');
        let Some(mut rest) = path.strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let Some(last) = parts.next_back() else { return !is_anchored || rest.is_empty() };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        if is_anchored { rest.ends_with(last) } else { rest.contains(last) }
    }
}

/// One form for all ways of writing a path: escapes of unreserved characters (RFC 3986, section 2.3) are decoded, and
/// what is neither unreserved nor reserved is escaped, in capitals. `*` and `$` are escaped too, for a URL holds them
/// literally and a rule can write them only so; and `'`, which the URL standard escapes in queries.
pub(super) fn normal(path: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(path)
        && path.iter().all(|&byte| stays(byte))
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(path.len() + 16);
    let mut rest = path;
    while let [byte, tail @ ..] = rest {
        let escaped = if *byte == b'%' { tail.get(..2).and_then(octet) } else { None };
        rest = if escaped.is_some() { &tail[2..] } else { tail };
        match (escaped, *byte) {
            (Some(octet), _) if is_unreserved(octet) => out.push(char::from(octet)),
            (Some(octet), _) => escape(octet, &mut out),
            (None, byte) if stays(byte) || byte == b'%' => out.push(char::from(byte)),
            (None, byte) => escape(byte, &mut out),
        }
    }
    Cow::Owned(out)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn stays(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'/' | b'?' | b':' | b'#' | b'[' | b']' | b'@' | b'!' | b'&' | b'(' | b')' | b'+' | b',' | b';' | b'='
        )
}

fn octet(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

fn escape(octet: u8, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.extend([octet >> 4, octet & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern::parse(pattern.as_bytes()).is_some_and(|pattern| pattern.matches(&normal(path.as_bytes())))
    }

    /// RFC 9309, section 2.2.2: its table, and what its rule says of other escapes.
    #[test]
    fn escapes_on_either_side_are_one_with_what_they_stand_for() {
        for (pattern, path) in [
            ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
            ("/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https://foo.bar"),
            ("/foo/bar/\u{30c4}", "/foo/bar/%E3%83%84"),
            ("/foo/bar/%E3%83%84", "/foo/bar/%E3%83%84"),
            ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
            ("/foo/bar/baz", "/foo/bar/%62%61%7a"),
            ("/%7ejoe", "/~joe"),
            ("/a%3cd", "/a%3Cd"),
            ("/a<d", "/a%3Cd"),
            ("/a|b", "/a%7cb"),
            ("/a b", "/a%20b"),
            ("/?q='x'", "/?q=%27x%27"),
            ("/100%", "/100%"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [("/a%2Fb", "/a/b"), ("/a/b", "/a%2fb"), ("/a%3Fb", "/a?b"), ("/A", "/a")] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    /// RFC 9309, section 2.2.3.
    #[test]
    fn special_characters_are_matched_literally_by_their_escapes() {
        for (pattern, path, is_match) in [
            ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html", true),
            ("/path/file-with-a-%2a.html", "/path/file-with-a-%2A.html", true),
            ("/path/file-with-a-%2A.html", "/path/file-with-a-b.html", false),
            ("/path/foo-%24", "/path/foo-$", true),
            ("/path/foo-%24", "/path/foo-%24x", true),
            ("/path/foo-%24$", "/path/foo-$x", false),
            ("/path/foo-$", "/path/foo-$", false),
            ("/a$b", "/a$b/c", true),
            ("/a$b", "/a%24b", true),
            ("/a*", "/a*", true),
            ("/a$$", "/a$", true),
        ] {
            assert_eq!(matches(pattern, path), is_match, "{pattern} {path}");
        }
    }

    #[test]
    fn wildcards_match_as_they_are_written() {
        for (pattern, path, is_match) in [
            ("*/node/", "/node/1", true),
            ("*/node/", "/a/node/1", true),
            ("*/node/", "/node", false),
            ("*.pdf$", "/a.pdf", true),
            ("*.pdf$", "/a.pdf?x", false),
            ("*", "/", true),
            ("*$", "/x", true),
            ("**/x", "/x", true),
            ("/*.php", "/", false),
            ("/fish*.php", "/fishheads/catfish.php?parameters", true),
            ("/*ab*ab$", "/abab", true),
            ("/*aba*ba$", "/abab", false),
            ("/$", "/", true),
            ("/$", "/x", false),
            ("private", "/private/x", true),
        ] {
            assert_eq!(matches(pattern, path), is_match, "{pattern} {path}");
        }
        assert_eq!(Pattern::parse(b""), None);
        let is_universal = |pattern: &str| Pattern::parse(pattern.as_bytes()).unwrap().is_universal();
        assert!(is_universal("/") && is_universal("*") && is_universal("/**"));
        assert!(!is_universal("*/") && !is_universal("/$") && !is_universal("/a"));
    }
}
