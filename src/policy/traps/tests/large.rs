//! Large sites whose pages are found from page to page alone: nothing of them is held back.

use super::endless::text;
use super::innocent::is_fetched;
use super::site::{Answer, crawl_in_slices, lot, page};
use super::trap::number;

/// As many words as a language has in use.
const LANGUAGE: f64 = 300_000.0;

fn path(name: &str, number: u64) -> String {
    if number == 0 { "/".to_owned() } else { format!("/{name}/{number}") }
}

fn encyclopaedia(articles: u64) -> impl Fn(&str) -> Answer {
    move |url| {
        let me = number(url);
        let near = (1..4).map(|n| me * 3 + n).filter(|article| *article < articles);
        // Some are named more often than others.
        let far = (0..12).map(|n| lot(me * 13 + n) % articles * (lot(me * 17 + n) % 1_000) / 1_000);
        page(text(me, 80, LANGUAGE), near.chain(far).map(|article| path("wiki", article)).collect::<Vec<_>>())
    }
}

#[test]
fn an_encyclopaedia() {
    is_fetched("encyclopaedia", 7_000, encyclopaedia(7_000));
}

#[test]
fn an_encyclopaedia_in_many_invocations() {
    let outcome = crawl_in_slices(&["http://t.test/"], encyclopaedia(4_000), 200_000, 500);
    assert_eq!((outcome.asked.len(), outcome.held.len()), (4_000, 0));
}

#[test]
fn a_long_row_of_pages() {
    is_fetched("row", 6_001, |url| {
        let me = number(url);
        page(text(me, 60, LANGUAGE), (me < 6_000).then(|| path("page", me + 1)))
    });
}

#[test]
fn a_tree_of_pages_that_name_nothing_else() {
    is_fetched("tree", 7_001, |url| {
        let me = number(url);
        let below = (1..4).map(|n| me * 3 + n).filter(|page| *page <= 7_000);
        page(text(me, 100, LANGUAGE), below.map(|page| path("node", page)).collect::<Vec<_>>())
    });
}

#[test]
fn products_that_only_others_like_them_name() {
    const PRODUCTS: u64 = 6_000;
    is_fetched("related", PRODUCTS as usize, |url| {
        let me = number(url);
        let related = (0..6).map(|n| lot(me * 6 + n) % PRODUCTS).chain([(me + 1) % PRODUCTS]);
        let said = format!("{}\n{} EUR\nIn stock\nAdd to cart", text(me, 25, 60_000.0), lot(me) % 900);
        page(said, related.map(|product| path("product", product)).collect::<Vec<_>>())
    });
}

#[test]
fn photos_of_which_each_names_others() {
    is_fetched("photos", 6_000, |url| {
        let me = number(url);
        let more = (1..5).map(|n| me * 4 + n).filter(|photo| *photo < 6_000);
        Answer { images: vec![me], ..page("A photo", more.map(|photo| path("photo", photo)).collect::<Vec<_>>()) }
    });
}
