//! Mazes whose pages are made to look new.

use super::endless::text;
use super::site::{Answer, lot, page, words};
use super::trap::{MOST, ends};

fn seed(url: &str) -> u64 {
    url.bytes().fold(0, |sum, byte| lot(sum + u64::from(byte)))
}

/// Links as those of a tarpit: one to five words of a dictionary.
fn links(me: u64, count: u64) -> Vec<String> {
    let link = |n: u64| {
        let parts = 1 + lot(me + n) % 5;
        let words: Vec<_> = (0..parts).map(|part| words(lot(me + n) + part, 1, 100_000).trim().to_owned()).collect();
        format!("/maze/{}", words.join("/"))
    };
    (0..count).map(link).collect()
}

/// Asserts that one ends whose pages each name so many others, and the one above them if they lead `up`.
fn pit(name: &str, count: u64, up: bool, site: impl Fn(u64) -> Answer) {
    let answer = |url: &str| {
        let me = seed(url);
        let mut answer = site(me);
        answer.links = links(me, count);
        answer.links.extend(up.then(|| url.rsplit_once('/').map_or(String::new(), |(up, _)| up.to_owned())));
        answer
    };
    ends(name, "/maze/a", MOST, answer);
}

#[test]
fn words_of_a_language() {
    for (vocabulary, count) in [(50_000.0, 60), (50_000.0, 200), (300_000.0, 100)] {
        pit(&format!("Zipf {vocabulary} {count}"), 8, false, |me| page(text(me, count, vocabulary), [""; 0]));
    }
}

#[test]
fn words_of_a_language_up() {
    pit("Zipf up", 8, true, |me| page(text(me, 100, 50_000.0), [""; 0]));
}

#[test]
fn words_that_were_never_seen() {
    let site = |me| {
        page(
            format!("{} {} {}", text(me, 60, 50_000.0), words(me % 7_919, 3, 1 << 40), words(me % 6_007, 3, 1 << 40)),
            [""; 0],
        )
    };
    pit("growing", 5, false, site);
}
