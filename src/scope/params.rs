//! Query parameters that say nothing of a page: links and sitemaps lead to its URL without them.

use regex::{RegexSet, RegexSetBuilder};
use url::{Position, form_urlencoded};

use crate::canonical::CanonicalUrl;

/// The names of the parameters that URLs go without.
#[derive(Debug)]
pub(super) struct DroppedParams(RegexSet);

impl DroppedParams {
    /// From lists of names, with commas; in a name `*` stands for any characters and `?` for one.
    pub(super) fn new(lists: &[String]) -> Self {
        let names = lists.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|name| !name.is_empty());
        let patterns = names.map(|name| {
            let literal = regex::escape(name);
            format!("^(?s:{})$", literal.replace(r"\*", ".*").replace(r"\?", "."))
        });
        // What is escaped is a pattern, of whatever size.
        Self(RegexSetBuilder::new(patterns).size_limit(usize::MAX).build().unwrap_or_default())
    }

    /// The URL without them; all else stays as it is written. Names are compared as the URL standard reads them (5.1).
    pub(super) fn leave_out_of(&self, url: CanonicalUrl) -> CanonicalUrl {
        let Some(query) = url.url().query().filter(|_| !self.0.is_empty()) else { return url };
        let is_kept = |pair: &&str| {
            let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name);
            name.is_none_or(|name| !self.0.is_match(&name))
        };
        let kept = query.split('&').filter(is_kept).collect::<Vec<_>>().join("&");
        if kept == query {
            return url;
        }
        let question_mark = if kept.is_empty() { "" } else { "?" };
        let rest = format!("{}{question_mark}{kept}", &url.url()[..Position::AfterPath]);
        CanonicalUrl::parse(&rest).unwrap_or(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(lists: &[&str], url: &str) -> String {
        let lists: Vec<_> = lists.iter().map(|&list| list.to_owned()).collect();
        DroppedParams::new(&lists).leave_out_of(CanonicalUrl::parse(url).unwrap()).to_string()
    }

    #[test]
    fn named_parameters_are_left_out_and_the_rest_stays_as_it_is_written() {
        for (query, expected) in [
            ("?utm_source=x&a=1&gclid=2&b", "?a=1&b"),
            ("?utm_source=x&gclid", ""),
            ("?utm_=", ""),
            ("?a=1", "?a=1"),
            ("?UTM_source=1&GCLID=2", "?UTM_source=1&GCLID=2"),
            ("?xutm_a=1&gclid2=1", "?xutm_a=1&gclid2=1"),
            ("?a=%7e&utm%5Fterm=1&b=c+d%20", "?a=%7e&b=c+d%20"),
            ("?a=utm_x&b=?gclid=1", "?a=utm_x&b=?gclid=1"),
            ("?a=1&&utm_x=2", "?a=1&"),
            ("?", "?"),
            ("", ""),
        ] {
            let of = |query: &str| format!("http://a.test/p;x{query}");
            assert_eq!(left(&["utm_*, gclid"], &of(query)), of(expected), "{query}");
        }
    }

    #[test]
    fn names_are_taken_literally_but_for_their_wildcards() {
        let of = |names: &str| left(&[names], "http://a.test/?a.b=1&aXb=2&f[]=3&x%26y=4&z%0A=5");
        assert_eq!(of("a.b"), "http://a.test/?aXb=2&f[]=3&x%26y=4&z%0A=5");
        assert_eq!(of("a?b"), "http://a.test/?f[]=3&x%26y=4&z%0A=5");
        assert_eq!(of("f[]"), "http://a.test/?a.b=1&aXb=2&x%26y=4&z%0A=5");
        assert_eq!(of("x&y,z*"), "http://a.test/?a.b=1&aXb=2&f[]=3");
        assert_eq!(of("*"), "http://a.test/");
        assert_eq!(of(" , "), "http://a.test/?a.b=1&aXb=2&f[]=3&x%26y=4&z%0A=5");
        assert_eq!(left(&["a", "c"], "http://a.test/?a=1&b=2&c=3"), "http://a.test/?b=2", "lists add up");
    }
}
