//! Sites far larger than any bound on traps, whose pages only others of their pattern name: none of the first is held back.

use super::endless::text;
use super::site::{Answer, crawl, lot, page};
use super::trap::number;

const LANGUAGE: f64 = 300_000.0;
const FIRST: usize = 12_000;

/// Asserts that nothing is held back before so many pages were asked for.
fn goes_on(name: &str, site: impl Fn(u64) -> Answer) {
    let outcome = crawl(&["http://t.test/"], |url| site(number(url)), FIRST);
    eprintln!("{name}: {} requests, {} held back", outcome.asked.len(), outcome.held.len());
    assert!(outcome.held.is_empty(), "{name}: {} of {} are held back", outcome.held.len(), outcome.asked.len());
    assert_eq!(outcome.asked.len(), FIRST, "{name}");
}

fn path(number: u64) -> String {
    if number == 0 { "/".to_owned() } else { format!("/page/{number}") }
}

#[test]
fn an_encyclopaedia() {
    const ARTICLES: u64 = 500_000;
    goes_on("encyclopaedia", |me| {
        let near = (1..4).map(|n| me * 3 + n).filter(|article| *article < ARTICLES);
        let far = (0..12).map(|n| lot(me * 13 + n) % ARTICLES * (lot(me * 17 + n) % 1_000) / 1_000);
        page(text(me, 80, LANGUAGE), near.chain(far).map(path).collect::<Vec<_>>())
    });
}

#[test]
fn products_each_of_which_names_some_like_it() {
    const PRODUCTS: u64 = 200_000;
    goes_on("related", |me| {
        // Most are of its own kind, of which there are 400.
        let kind = me / 400 * 400;
        let like = (0..6).map(|n| kind + lot(me * 6 + n) % 400).chain([lot(me) % PRODUCTS, (me * 7 + 1) % PRODUCTS]);
        page(format!("{}\n{} EUR\nIn stock", text(me, 25, 60_000.0), lot(me) % 900), like.map(path).collect::<Vec<_>>())
    });
}

/// A tree of which one page in so many has none below it, the pages of which name those above.
fn tree(name: &str, ends: u64, names_above: bool) {
    goes_on(name, |me| {
        let is_end = me > 50 && lot(me * 3).is_multiple_of(ends);
        let below = (1..7).map(|n| me * 6 + n).take(if is_end { 0 } else { 1 + (lot(me) % 6) as usize });
        let above = std::iter::successors(Some(me), |page| (*page > 0).then(|| (page - 1) / 6)).skip(1);
        let above = above.filter(|_| names_above);
        page(text(me, 40, LANGUAGE), below.chain(above).map(path).collect::<Vec<_>>())
    });
}

#[test]
fn kinds_of_living_things() {
    tree("taxonomy", 10, true);
    tree("taxonomy of few ends", 20, true);
    tree("taxonomy that names nothing above", 20, false);
}

#[test]
fn a_manual_whose_pages_name_the_next_and_the_one_before() {
    goes_on("manual", |me| {
        let below = (1..6).map(|n| me * 5 + n);
        let beside = [(me + 1), me.saturating_sub(1), me.saturating_sub(1) / 5, 0];
        page(text(me, 120, LANGUAGE), below.chain(beside).map(path).collect::<Vec<_>>())
    });
}
