//! The key by which indexes of web archives are sorted and searched: the Sort-friendly URI Reordering Transform, as the
//! Python package `surt`, and so pywb, has it. URLs that differ in `www.`, case, a session's id or the order of their
//! parameters share one.

use std::sync::LazyLock;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use regex::Regex;

/// What is escaped in a key.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'"')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'-')
    .remove(b'.')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'<')
    .remove(b'=')
    .remove(b'>')
    .remove(b'?')
    .remove(b'@')
    .remove(b'[')
    .remove(b'\\')
    .remove(b']')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'{')
    .remove(b'|')
    .remove(b'}')
    .remove(b'~');

static PATH_SESSIONS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    regexes(&[
        r"(?i)^(.*/)\((?:[a-z]\([0-9a-z]{24}\))+\)/([^?]+\.aspx.*)$",
        r"(?i)^(.*/)\([0-9a-z]{24}\)/([^?]+\.aspx.*)$",
    ])
});

static QUERY_SESSIONS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    regexes(&[
        r"(?i)^(.*)jsessionid=[0-9a-z]{32}(?:&(.*))?$",
        r"(?i)^(.*)phpsessid=[0-9a-z]{32}(?:&(.*))?$",
        r"(?i)^(.*)sid=[0-9a-z]{32}(?:&(.*))?$",
        r"(?i)^(.*)aspsessionid[a-z]{8}=[a-z]{24}(?:&(.*))?$",
        r"(?i)^(.*)cfid=[^&]+&cftoken=[^&]+(?:&(.*))?$",
    ])
});

fn regexes(patterns: &[&str]) -> Vec<Regex> {
    patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
}

/// The key of a canonical http(s) URL.
pub fn surt(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query_key(query);
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}){}{mark}{query}", host_key(authority), path_key(path))
}

/// `www.example.com:8080` is `com,example:8080`.
fn host_key(authority: &str) -> String {
    let is_port = |(_, port): &(&str, &str)| port.bytes().all(|byte| byte.is_ascii_digit());
    let (host, port) = authority.rsplit_once(':').filter(is_port).unwrap_or((authority, ""));
    let host = escaped_once(host.trim_matches(['[', ']']).trim_matches('.')).to_ascii_lowercase();
    let bare = host.strip_prefix("www").map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let bare = bare.and_then(|rest| rest.strip_prefix('.')).unwrap_or(&host);
    let parts: Vec<_> = bare.rsplit('.').collect();
    let mark = if port.is_empty() { "" } else { ":" };
    format!("{}{mark}{port}", parts.join(","))
}

fn path_key(path: &str) -> String {
    let path = unescaped(path);
    let mut segments: Vec<&[u8]> = Vec::new();
    let all: Vec<_> = path.split(|byte| *byte == b'/').skip(1).collect();
    for (at, segment) in all.iter().enumerate() {
        match *segment {
            b"." => {}
            b".." => drop(segments.pop()),
            b"" if at + 1 < all.len() => {}
            segment => segments.push(segment),
        }
    }
    let path = [b"/", &*segments.join(&b'/')].concat();
    let path = percent_encode(&path, ESCAPED).to_string().to_ascii_lowercase();
    let path = without_session(path, &PATH_SESSIONS);
    if path.len() > 1 { path.strip_suffix('/').map_or(path.clone(), str::to_owned) } else { path }
}

fn query_key(query: &str) -> String {
    let query = without_session(escaped_once(query), &QUERY_SESSIONS).to_ascii_lowercase();
    let mut parameters: Vec<Vec<&str>> = query.split('&').map(|one| one.splitn(2, '=').collect()).collect();
    parameters.sort_unstable();
    parameters.iter().map(|one| one.join("=")).collect::<Vec<_>>().join("&")
}

fn without_session(text: String, sessions: &[Regex]) -> String {
    sessions.iter().fold(text, |text, session| match session.captures(&text) {
        Some(found) => format!("{}{}", &found[1], found.get(2).map_or("", |rest| rest.as_str())),
        None => text,
    })
}

fn escaped_once(text: &str) -> String {
    percent_encode(&unescaped(text), ESCAPED).to_string()
}

/// Without any escape, however often it was escaped.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    loop {
        let once: Vec<u8> = percent_decode(&bytes).collect();
        if once == bytes {
            return bytes;
        }
        bytes = once;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_pywb_looks_for() {
        let session = "0123456789abcdef0123456789abcdef";
        for (url, key) in [
            ("http://example.com/", "com,example)/"),
            ("https://www.Example.com/A/B/?b=2&a=1", "com,example)/a/b?a=1&b=2"),
            ("https://www2.example.com/?", "com,example)/"),
            ("https://wwwx.example.com/a//b/", "com,example,wwwx)/a/b"),
            ("http://127.0.0.1:8080/a?x=1&y=2", "1,0,0,127:8080)/a?x=1&y=2"),
            ("http://[::1]:8080/", "::1:8080)/"),
            ("http://example.com/%7Euser/%2525?q=%C3%A9+%23", "com,example)/~user/%25?q=%c3%a9+%23"),
            ("http://example.com/?b&a=&a", "com,example)/?a&a=&b"),
            (&format!("http://example.com/?PHPSESSID={session}&b=1"), "com,example)/?b=1"),
            ("http://example.com/(a(0123456789abcdef01234567))/Page.aspx?x", "com,example)/page.aspx?x"),
        ] {
            assert_eq!(surt(url), key, "{url}");
        }
    }
}
