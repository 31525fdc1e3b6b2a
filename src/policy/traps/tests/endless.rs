//! Sites that bring something with each page for long, and have no end all the same.

use super::site::{Answer, crawl_in_slices, lot, page, words};
use super::trap::{MOST, ends, number};

fn seed(url: &str) -> u64 {
    url.bytes().fold(0, |sum, byte| lot(sum + u64::from(byte)))
}

/// A word of a vocabulary by Zipf's law: the one in place n as often as 1/n.
fn word(seed: u64, vocabulary: f64) -> String {
    let mut number = vocabulary.powf(fastrand::Rng::with_seed(lot(seed)).f64()) as u64 * 7_919 + 26;
    let mut word = String::new();
    while number > 0 {
        word.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
    }
    word
}

pub(super) fn text(seed: u64, count: u64, vocabulary: f64) -> String {
    (0..count).map(|n| word(lot(seed) ^ n, vocabulary)).collect::<Vec<_>>().join(" ")
}

/// Pages of so many words, the names of which are words as well.
fn maze(vocabulary: f64, count: u64) -> impl Fn(&str) -> Answer {
    move |url| {
        let me = seed(url);
        let link = |n: u64| {
            let [one, two] = [0, 1].map(|other| word(lot(me + n) + other, vocabulary));
            format!("/maze/{one}/{two}/{}", lot(me + n) % 1_000_000)
        };
        page(text(me, count, vocabulary), (0..8).map(link).collect::<Vec<_>>())
    }
}

#[test]
fn words_by_zipfs_law() {
    ends("Zipf's law", "/maze/a/b/1", MOST, maze(20_000.0, 200));
}

#[test]
fn words_by_zipfs_law_in_many_invocations() {
    let site = maze(5_000.0, 60);
    let site = |url: &str| if url == "http://t.test/" { page("Welcome", ["/maze/a/b/1"]) } else { site(url) };
    let outcome = crawl_in_slices(&["http://t.test/"], site, 2 * MOST, 500);
    assert!(outcome.asked.len() <= MOST && !outcome.held.is_empty(), "{} requests", outcome.asked.len());
}

#[test]
fn short_words_that_say_where_a_link_was() {
    ends("references", "/article/0?ref=a", MOST, |url| {
        let (article, me) = (number(url.split('?').next().unwrap_or_default()), seed(url));
        let from = |n: u64| words(lot(me + n), 1, 1 << 24).trim().to_owned();
        let links = (0..12).map(|n| format!("/article/{}?ref={}", lot(article * 31 + n) % 500, from(n)));
        page(words(article, 120, 20_000), links.collect::<Vec<_>>())
    });
}
