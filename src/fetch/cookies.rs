//! The cookies of an invocation, in memory: which are kept and which are sent, as RFC 6265bis has it.
//!
//! The crates for this that exist read dates and nameless cookies by other rules, and look through the cookies of all hosts
//! for each request.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue, SET_COOKIE};
use url::Url;

use crate::parse::cookie::{self, Seconds, SetCookie, domain_matches, path_matches};

/// Cookies of one registrable domain, at most; browsers keep about as many.
const MAX_PER_DOMAIN: usize = 180;
/// Octets of all cookies together, at most, with what it takes to keep them.
const MAX_BYTES: usize = 16 << 20;
/// What a cookie takes beside its texts.
const OVERHEAD: usize = 200;

/// A cookie that is kept. Its value is a secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie {
    pub name: Vec<u8>,
    pub value: Vec<u8>,
    pub domain: String,
    pub host_only: bool,
    pub path: Vec<u8>,
    pub secure: bool,
    pub expires: Option<Seconds>,
}

impl Cookie {
    /// A cookie that a response may set (section 5.7), beside those that there are.
    fn accept(set: SetCookie<'_>, url: &Url, present: &[Self]) -> Option<Self> {
        let host = url.host_str()?;
        let named = std::str::from_utf8(&set.domain).ok()?;
        let domain = match named {
            "" => None,
            domain if is_public_suffix(domain) => (domain == host).then_some(None)?,
            domain => domain_matches(host, domain).then_some(Some(domain))?,
        };
        let (host_only, domain) = (domain.is_none(), domain.unwrap_or(host).to_owned());
        let is_secure = url.scheme() == "https";
        if set.secure && !is_secure {
            return None;
        }
        let path = set.path.unwrap_or_else(|| cookie::default_path(url.path().as_bytes())).to_owned();
        let hides = |present: &Self| {
            let of_one = domain_matches(&present.domain, &domain) || domain_matches(&domain, &present.domain);
            present.secure && present.name == set.name && of_one && path_matches(&path, &present.path)
        };
        if !set.secure && !is_secure && present.iter().any(hides) {
            return None;
        }
        if !keeps_promises(&set, host_only) {
            return None;
        }
        let (name, value) = (set.name.to_owned(), set.value.to_owned());
        Some(Self { name, value, domain, host_only, path, secure: set.secure, expires: set.expires })
    }

    /// Whether it goes with a request (section 5.8.3).
    fn goes_to(&self, host: &str, path: &[u8], is_secure: bool) -> bool {
        (if self.host_only { host == self.domain } else { domain_matches(host, &self.domain) })
            && path_matches(path, &self.path)
            && (is_secure || !self.secure)
    }

    fn replaces(&self, other: &Self) -> bool {
        (&self.name, &self.domain, self.host_only, &self.path)
            == (&other.name, &other.domain, other.host_only, &other.path)
    }

    fn has_ended(&self, now: Seconds) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    fn size(&self) -> usize {
        self.name.len() + self.value.len() + self.domain.len() + self.path.len() + OVERHEAD
    }
}

/// Whether a cookie is what the prefix of its name says (section 5.7; those with `Http-` as browsers and the draft that is
/// to follow RFC 6265bis have them). A name that is not one hides no prefix either.
fn keeps_promises(set: &SetCookie<'_>, host_only: bool) -> bool {
    let of_host = set.secure && host_only && set.path == Some(b"/");
    let promises: [(&[u8], bool); 4] = [
        (b"__Secure-", set.secure),
        (b"__Http-", set.secure && set.http_only),
        (b"__Host-Http-", of_host && set.http_only),
        (b"__Host-", of_host),
    ];
    let text = if set.name.is_empty() { set.value } else { set.name };
    let begins = |prefix: &[u8]| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let promise = promises.iter().find(|(prefix, _)| begins(prefix));
    promise.is_none_or(|(_, is_kept)| *is_kept && !set.name.is_empty())
}

/// Whether anybody may register names below a domain ([publicsuffix.org](https://publicsuffix.org)).
pub(super) fn is_public_suffix(domain: &str) -> bool {
    psl::suffix_str(domain) == Some(domain) && domain.parse::<std::net::Ipv4Addr>().is_err()
}

/// The cookies of a registrable domain, the oldest first.
#[derive(Default)]
struct Shelf {
    cookies: Vec<Cookie>,
    /// When it was needed last, in turns.
    used: u64,
}

#[derive(Default)]
struct Shelves {
    by_domain: HashMap<String, Shelf>,
    bytes: usize,
    turn: u64,
}

impl Shelves {
    fn shelf(&mut self, host: &str) -> &mut Shelf {
        self.turn += 1;
        let shelf = self.by_domain.entry(shelf_of(host).to_owned()).or_default();
        shelf.used = self.turn;
        shelf
    }

    fn put(&mut self, cookie: Cookie, now: Seconds) {
        let domain = cookie.domain.clone();
        let shelf = self.shelf(&domain);
        let before: usize = shelf.cookies.iter().map(Cookie::size).sum();
        match shelf.cookies.iter().position(|present| cookie.replaces(present)) {
            // It keeps its place in time.
            Some(at) => shelf.cookies[at] = cookie,
            None => shelf.cookies.push(cookie),
        }
        shelf.cookies.retain(|cookie| !cookie.has_ended(now));
        if shelf.cookies.len() > MAX_PER_DOMAIN {
            let goes = shelf.cookies.iter().position(|cookie| !cookie.secure).unwrap_or(0);
            shelf.cookies.remove(goes);
        }
        let after: usize = shelf.cookies.iter().map(Cookie::size).sum();
        if after == 0 {
            self.by_domain.remove(shelf_of(&domain));
        }
        self.bytes = self.bytes + after - before;
        if self.bytes > MAX_BYTES {
            self.forget();
        }
    }

    /// Lets go of the tenth that was not needed for the longest time.
    fn forget(&mut self) {
        let mut turns: Vec<_> = self.by_domain.values().map(|shelf| shelf.used).collect();
        turns.sort_unstable();
        let last = turns.get(turns.len() / 10).copied().unwrap_or_default();
        self.by_domain.retain(|_, shelf| shelf.used > last);
        self.bytes = self.by_domain.values().flat_map(|shelf| &shelf.cookies).map(Cookie::size).sum();
    }
}

fn shelf_of(host: &str) -> &str {
    let is_name = !host.starts_with('[') && host.parse::<std::net::Ipv4Addr>().is_err();
    psl::domain_str(host).filter(|_| is_name).unwrap_or(host)
}

/// The cookies of an invocation.
#[derive(Default)]
pub struct Jar(Mutex<Shelves>);

impl Jar {
    /// With the cookies of a file.
    pub(super) fn with(cookies: Vec<Cookie>, now: Seconds) -> Self {
        let mut shelves = Shelves::default();
        cookies.into_iter().for_each(|cookie| shelves.put(cookie, now));
        Self(Mutex::new(shelves))
    }

    /// Takes the cookies of a response.
    pub fn take(&self, url: &Url, headers: &HeaderMap, now: Seconds) {
        for line in headers.get_all(SET_COOKIE) {
            self.set(url, line.as_bytes(), now);
        }
    }

    fn set(&self, url: &Url, line: &[u8], now: Seconds) {
        let (Some(set), Some(host)) = (SetCookie::parse(line, now), url.host_str()) else { return };
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let present = shelves.by_domain.get(shelf_of(host)).map_or(&[][..], |shelf| &shelf.cookies);
        if let Some(cookie) = Cookie::accept(set, url, present) {
            shelves.put(cookie, now);
        }
    }

    /// What goes with a request: cookies with longer paths first, then older ones first.
    fn cookies(&self, url: &Url, now: Seconds) -> Vec<Cookie> {
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(host) = url.host_str().filter(|_| !shelves.by_domain.is_empty()) else { return Vec::new() };
        if !shelves.by_domain.contains_key(shelf_of(host)) {
            return Vec::new();
        }
        let (path, is_secure) = (url.path().as_bytes(), url.scheme() == "https");
        let goes = |cookie: &&Cookie| !cookie.has_ended(now) && cookie.goes_to(host, path, is_secure);
        let mut found: Vec<_> = shelves.shelf(host).cookies.iter().filter(goes).cloned().collect();
        found.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        found
    }
}

/// Makes one `Cookie` line of those that the user gave and those in the jar, of which those of a name that the user gave
/// are left out.
pub fn add(jar: Option<&Jar>, url: &Url, headers: &mut HeaderMap, now: Seconds) {
    let kept = jar.map_or_else(Vec::new, |jar| jar.cookies(url, now));
    if kept.is_empty() && headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let given: Vec<_> = headers.get_all(COOKIE).into_iter().map(|value| value.as_bytes().to_owned()).collect();
    let names: HashSet<_> = given.iter().flat_map(|line| line.split(|byte| *byte == b';')).map(name).collect();
    let new =
        kept.iter().filter(|cookie| !names.contains(cookie.name.as_slice())).map(|cookie| match &cookie.name[..] {
            [] => cookie.value.clone(),
            name => [name, b"=", &cookie.value].concat(),
        });
    let line = given.iter().cloned().chain(new).collect::<Vec<_>>().join(&b"; "[..]);
    if let Ok(mut line) = HeaderValue::from_bytes(&line) {
        line.set_sensitive(true);
        headers.insert(COOKIE, line);
    }
}

/// The name in a pair.
fn name(pair: &[u8]) -> &[u8] {
    pair.split(|byte| *byte == b'=').next().filter(|name| name.len() < pair.len()).unwrap_or_default().trim_ascii()
}

/// Puts `…` in the place of the values of cookies that a response sets: whoever reads the headers is to see no secret.
pub fn hide(headers: &mut HeaderMap) {
    for name in [&SET_COOKIE, &http::HeaderName::from_static("set-cookie2")] {
        let http::header::Entry::Occupied(mut lines) = headers.entry(name) else { continue };
        for line in lines.iter_mut() {
            let shown = cookie::without_value(line.as_bytes());
            *line = HeaderValue::from_bytes(shown.as_bytes()).unwrap_or(HeaderValue::from_static(""));
        }
    }
}

#[cfg(test)]
mod tests;
