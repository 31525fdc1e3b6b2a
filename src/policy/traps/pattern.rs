//! The pattern of a URL: what it has in common with others that one program on a server answers alike.
//!
//! Numbers and tokens are general wherever they stand; any other part of a path becomes general once many different ones
//! were met in its place. `*` stands for one that is general, `…` for a rest that repeats what stands before it.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use foldhash::fast::RandomState;
use std::hash::BuildHasher;

use crate::canonical::CanonicalUrl;
use crate::visit::HostId;

/// Different parts in one place of a path from which on they are general.
const MANY_SEGMENTS: usize = 32;
/// The same for the folders at the top, which are sections of a site: what one of them brings says nothing of the others.
const MANY_SECTIONS: usize = 128;
/// Different sets of names in the queries of one path from which on they are general.
const MANY_QUERIES: usize = 8;
/// Places of paths that are kept apart on one host. One with more is told apart by the first segment alone.
const MAX_PLACES: usize = 800;
/// Segments of a path that are told apart.
const MAX_SEGMENTS: usize = 12;
/// As often a segment stands in a path before one from which on the path repeats itself. Words drawn by lot do once.
const REPEATS: usize = 2;
/// Segments in a row that say nothing: what is below them is one.
const ANY: &str = "/*/*/*";
/// Bytes of a pattern, about.
const MAX_PATTERN: usize = 300;

/// What is general about a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub pattern: String,
    /// Its path repeats itself, or its query does.
    pub repeats: bool,
    /// Its query has several names: programs that list one thing in many ways have.
    pub combines: bool,
    /// If it has a token, the URL without its tokens.
    pub without_tokens: Option<WithoutTokens>,
}

impl Shape {
    /// Whether it is another by one more name, where many names stand in a row: sets of tags, filters in the path.
    pub(super) fn grows_out_of(&self, shorter: &Self) -> bool {
        let more = self.pattern.strip_prefix(&*shorter.pattern);
        shorter.pattern.ends_with("/*") && more.is_some_and(|more| matches!(more, "/*" | "/…"))
    }
}

/// A URL whose tokens are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WithoutTokens {
    pub key: u64,
    /// Where the first token stands.
    pub place: String,
}

/// A pattern of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PatternAt {
    pub(super) ground: u64,
    pub(super) host: HostId,
    pub(super) pattern: String,
}

/// How many different parts were met in each place of a host's paths.
#[derive(Debug, Default)]
pub(super) struct Variety {
    places: HashMap<u64, Place, RandomState>,
    hasher: RandomState,
}

#[derive(Debug)]
enum Place {
    Few(Vec<u64>),
    Many,
}

impl Variety {
    /// Counts a part in its place; whether all there are general.
    fn is_general(&mut self, place: u64, part: u64, many: usize) -> bool {
        let known = self.places.entry(place).or_insert_with(|| Place::Few(Vec::new()));
        match known {
            Place::Many => return true,
            Place::Few(parts) if parts.contains(&part) => {}
            Place::Few(parts) if parts.len() < many => parts.push(part),
            Place::Few(_) => {
                *known = Place::Many;
                return true;
            }
        }
        false
    }

    pub(super) fn shape(&mut self, url: &CanonicalUrl) -> Shape {
        let url = url.url();
        let mut shape = Shape { pattern: String::new(), repeats: false, combines: false, without_tokens: None };
        let mut place = None;
        self.path(url.path(), &mut shape, &mut place);
        if let Some(query) = url.query() {
            self.query(query, &mut shape, &mut place);
        }
        let key = |place| WithoutTokens { key: self.hasher.hash_one(bare(url.path(), url.query())), place };
        shape.without_tokens = place.map(key);
        shape
    }

    fn path(&mut self, path: &str, shape: &mut Shape, place: &mut Option<String>) {
        let mut segments = path.split('/').skip(1).enumerate().peekable();
        while let Some((index, segment)) = segments.next() {
            let is_last = segments.peek().is_none();
            if !shape.repeats && !segment.is_empty() && !has_digit(segment) {
                let before = path.split('/').skip(1).take(index);
                shape.repeats = before.filter(|known| known.eq_ignore_ascii_case(segment)).count() >= REPEATS;
            }
            let (segment, parameter) = segment.split_once(';').unwrap_or((segment, ""));
            let is_open = shape.pattern.ends_with('…');
            let is_too_deep = index > 0 && self.places.len() >= MAX_PLACES;
            let is_long = is_too_deep
                || index >= MAX_SEGMENTS
                || shape.pattern.len() > MAX_PATTERN
                || shape.pattern.ends_with(ANY);
            if !is_open && (shape.repeats || is_long) {
                shape.pattern.push_str("/…");
            } else if !is_open {
                let many = if index == 0 && !is_last { MANY_SECTIONS } else { MANY_SEGMENTS };
                self.segment(segment, is_last, many, &mut shape.pattern);
                if !parameter.is_empty() {
                    shape.pattern.push_str(";*");
                }
            }
            if place.is_none() && is_token(segment) {
                *place = Some(format!("{}{}", shape.pattern, if is_last { "" } else { "/…" }));
            } else if place.is_none() && is_token(parameter) {
                // Of whatever page: the pattern of this one alone would pay for what is seen again and for what is new.
                *place = Some("*;*".to_owned());
            }
        }
    }

    fn segment(&mut self, segment: &str, is_last: bool, many: usize, pattern: &mut String) {
        let here = self.hasher.hash_one(&*pattern);
        pattern.push('/');
        let extension = segment.rsplit_once('.').map(|(_, extension)| extension).filter(|extension| {
            is_last && (1..=5).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_alphabetic())
        });
        let stem = extension.map_or(segment, |extension| &segment[..segment.len() - extension.len() - 1]);
        let start = pattern.len();
        if is_token(stem) {
            pattern.push('*');
        } else {
            push_without_numbers(stem, pattern);
        }
        // White space, `%20`, as is; what is left of a long name is its own.
        let part = self.hasher.hash_one(&pattern[start..]);
        if !stem.is_empty() && pattern[start..] != *"*" && self.is_general(here, part, many) {
            pattern.truncate(start);
            pattern.push('*');
        }
        if let Some(extension) = extension {
            let _ = write!(pattern, ".{extension}");
        }
    }

    fn query(&mut self, query: &str, shape: &mut Shape, place: &mut Option<String>) {
        let mut names: Vec<&str> = Vec::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if is_token(value) {
                place.get_or_insert_with(|| format!("*?{name}=*"));
            }
            match names.contains(&name) {
                true => shape.repeats |= !name.ends_with("[]") && !name.ends_with("%5B%5D"),
                false => names.push(name),
            }
        }
        names.sort_unstable();
        shape.combines = names.len() > 1;
        let here = self.hasher.hash_one((&shape.pattern, '?'));
        let part = self.hasher.hash_one(&names);
        let length: usize = names.iter().map(|name| name.len() + 3).sum();
        if self.places.len() >= MAX_PLACES || self.is_general(here, part, MANY_QUERIES) || length > MAX_PATTERN {
            shape.pattern.push_str("?*");
            shape.combines = true;
            return;
        }
        for (index, name) in names.iter().enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            shape.pattern.push(mark);
            push_without_numbers(name, &mut shape.pattern);
            shape.pattern.push_str("=*");
        }
    }

    /// Takes up what is general in a pattern that was stored.
    pub(super) fn recall(&mut self, pattern: &str) {
        let (path, query) = pattern.split_once('?').unwrap_or((pattern, ""));
        let mut before = String::new();
        for segment in path.split('/').skip(1) {
            let here = self.hasher.hash_one(&before);
            let stem = segment.rsplit_once('.').map_or(segment, |(stem, _)| stem);
            if stem == "*" {
                self.places.insert(here, Place::Many);
            }
            before.push('/');
            before.push_str(segment);
        }
        if query == "*" {
            self.places.insert(self.hasher.hash_one((&before, '?')), Place::Many);
        }
    }
}

fn push_without_numbers(text: &str, pattern: &mut String) {
    let mut in_number = false;
    for character in text.chars() {
        let is_digit = character.is_ascii_digit();
        match (is_digit, in_number) {
            (true, false) => pattern.push('*'),
            (true, true) => {}
            (false, _) => pattern.push(character),
        }
        in_number = is_digit;
    }
}

/// Path and query without their tokens.
fn bare(path: &str, query: Option<&str>) -> String {
    let (mut bare, without_token) = (String::new(), |text| if is_token(text) { "" } else { text });
    for segment in path.split('/').skip(1) {
        let (segment, parameter) = segment.split_once(';').unwrap_or((segment, ""));
        let _ = write!(bare, "/{}{}", without_token(segment), without_token(parameter));
    }
    for pair in query.into_iter().flat_map(|query| query.split('&')) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let _ = write!(bare, "?{name}={}", without_token(value));
    }
    bare
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether a text looks drawn by lot or computed: a session's id, a nonce, a UUID, a hash, a time in seconds.
pub(super) fn is_token(text: &str) -> bool {
    // Every one has a digit, and few words do.
    if text.len() < 8 || !has_digit(text) {
        return false;
    }
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=' | b'.' | b'(' | b')'));
    if !plain {
        return false;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    if letters == 0 {
        return digits >= 9 && digits + 1 >= text.len();
    }
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    // A letter and a digit that meet, time and again, are no name with a number at its end.
    let kinds = text.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    let upper = text.bytes().filter(u8::is_ascii_uppercase).count();
    let lower = letters - upper;
    let turns =
        text.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).count();
    let separated = text.bytes().filter(|byte| matches!(byte, b'-' | b'_' | b'.')).count();
    (hex && (digits > 0 || text.len() >= 16) && kinds >= 2 && digits + letters >= 8 && !is_date_like(text))
        || (text.len() >= 12 && digits >= 3 && kinds >= 4 && separated <= 1)
        || (text.len() >= 16 && upper >= 3 && lower >= 3 && turns >= 3 && kinds >= 2 && separated <= 1)
}

/// `2024-05-17-be` and the like.
fn is_date_like(text: &str) -> bool {
    let parts: HashSet<usize> = text.split('-').map(str::len).collect();
    text.contains('-') && text.split('-').all(|part| part.len() <= 4) && !parts.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(variety: &mut Variety, path: &str) -> String {
        variety.shape(&CanonicalUrl::parse(&format!("http://a.test{path}")).unwrap()).pattern
    }

    #[test]
    fn numbers_and_tokens_are_general_and_names_are_not() {
        let mut variety = Variety::default();
        for (path, expected) in [
            ("/", "/"),
            ("/p/17", "/p/*"),
            ("/2024/05/17/", "/*/*/*/…"),
            ("/post-12-b.html", "/post-*-b.html"),
            ("/about", "/about"),
            ("/std/vec/struct.Vec.html", "/std/vec/struct.Vec.html"),
            ("/s/3f2a9c41d7/x", "/s/*/x"),
            ("/photo/550e8400-e29b-41d4-a716-446655440000", "/photo/*"),
            ("/a/a/a/a", "/a/a/…"),
            ("/en/about/news/about/about", "/en/about/news/about/…"),
            ("/x;jsessionid=A1B2C3D4E5F6", "/x;*"),
            ("/list?page=3", "/list?page=*"),
            ("/list?b=1&a=2", "/list?a=*&b=*"),
            ("/list?a=2&b=1&a=3", "/list?a=*&b=*"),
        ] {
            assert_eq!(pattern(&mut variety, path), expected, "{path}");
        }
    }

    #[test]
    fn parts_become_general_once_there_are_many_in_one_place() {
        let mut variety = Variety::default();
        let name = |index: u8| format!("/tag/{}{}.html", char::from(b'a' + index % 26), char::from(b'a' + index / 26));
        assert_eq!(pattern(&mut variety, &name(0)), "/tag/aa.html");
        let last = (0..40).map(|index| pattern(&mut variety, &name(index))).last().unwrap();
        assert_eq!(last, "/tag/*.html");
        assert_eq!(pattern(&mut variety, "/other/x.html"), "/other/x.html");
        let mut recalled = Variety::default();
        recalled.recall("/tag/*.html");
        assert_eq!(pattern(&mut recalled, "/tag/new.html"), "/tag/*.html");
        let queries = |variety: &mut Variety| {
            (0..12_u8).map(|index| pattern(variety, &format!("/s?{}=1", char::from(b'a' + index)))).last().unwrap()
        };
        assert_eq!(queries(&mut variety), "/s?*");
    }

    #[test]
    fn tokens_are_told_from_names_numbers_and_dates() {
        for token in [
            "3f2a9c41d7",
            "550e8400-e29b-41d4-a716-446655440000",
            "d41d8cd98f00b204e9800998ecf8427e",
            "1700000000",
            "PHPSESS9a8b7c6d5e4f",
            "aB3dE5gH7jK9mN1p",
        ] {
            assert!(is_token(token), "{token}");
        }
        for name in [
            "product-12345",
            "2024-05-17",
            "harvestman",
            "20240517",
            "Windows2000",
            "chapter12",
            "struct.HashMap",
            "iso-8859-15",
            "facebook",
            "deadbeef",
            "v1.2.3-beta4",
            "how-to-build-a-house-in-10-days",
            "EventListenerOptions",
            "4096",
            "page10of20",
        ] {
            assert!(!is_token(name), "{name}");
        }
    }

    #[test]
    fn urls_that_differ_in_tokens_alone_are_one_without_them() {
        let mut variety = Variety::default();
        let mut bare =
            |path: &str| variety.shape(&CanonicalUrl::parse(&format!("http://a.test{path}")).unwrap()).without_tokens;
        let (one, two) = (bare("/x?sid=3f2a9c41d7").unwrap(), bare("/x?sid=aa11bb22cc33").unwrap());
        assert_eq!((&one, one.place.as_str()), (&two, "*?sid=*"));
        assert_ne!(one.key, bare("/y?sid=3f2a9c41d7").unwrap().key);
        assert_eq!(bare("/S3f2a9c41d7e/y").unwrap().place, "/*/…");
        assert_eq!(bare("/x?page=3"), None);
    }
}
