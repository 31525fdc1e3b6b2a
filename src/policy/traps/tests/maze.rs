//! Sites without an end that mix the same words, sentences or hosts anew on each page: each comes to one all the same.

use std::collections::HashSet;

use super::site::{Answer, crawl, lot, page, words};
use super::trap::{MOST, ends, number};

/// A number for a URL.
fn seed(url: &str) -> u64 {
    url.bytes().fold(0, |sum, byte| lot(sum + u64::from(byte)))
}

/// A word out of `vocabulary` many, as often as words of a language are.
fn common(seed: u64, vocabulary: u64) -> String {
    let one = fastrand::Rng::with_seed(lot(seed)).f64().max(1e-9);
    words((one.powf(-1.0 / 0.6) as u64 - 1) % vocabulary, 1, 1 << 40).trim().to_owned()
}

fn text(seed: u64, count: u64, vocabulary: u64) -> String {
    (0..count).map(|n| common(lot(seed) ^ n, vocabulary)).collect::<Vec<_>>().join(" ")
}

#[test]
fn words_as_frequent_as_in_a_language() {
    for is_numbered in [true, false] {
        ends("frequent words", "/a/b/1", MOST + 500, |url| {
            let me = seed(url);
            let link = |n: u64| {
                let [one, two] = [0, 1].map(|word| common(lot(me + n) + word, 2_000));
                format!("/{one}/{two}/{}", if is_numbered { lot(me + n) % 1_000_000 } else { 0 })
            };
            page(text(me, 80, 2_000), (0..10).map(link).collect::<Vec<_>>())
        });
    }
}

#[test]
fn pass_phrases() {
    ends("phrases", "/status/1", MOST, |url| {
        let me = number(url);
        let links: Vec<_> = (0..3).map(|n| format!("/status/{}", lot(me * 3 + n) >> 34)).collect();
        page(format!("Status\nYour phrase: {}", words(me, 4, 2_000)), links)
    });
}

#[test]
fn paragraphs_drawn_by_lot() {
    ends("paragraphs", "/post/1", MOST, |url| {
        let me = number(url);
        let lines: Vec<_> = (0..4).map(|n| words(lot(me * 4 + n) % 1_500, 30, 4_000)).collect();
        page(lines.join("\n"), (0..6).map(|n| format!("/post/{}", lot(me * 6 + n) >> 36)).collect::<Vec<_>>())
    });
}

#[test]
fn any_two_products_side_by_side() {
    // Many lead to nothing new any more, and cost nothing.
    ends("compare", "/p/0", 7_000, |url| {
        let text = |product: u64| words(product, 40, 9_000);
        let numbers: Vec<u64> = url.split(|c: char| !c.is_ascii_digit()).filter_map(|run| run.parse().ok()).collect();
        if url.contains("/p/") {
            let me = number(url);
            let others = (0..1).map(|n| format!("/compare/{me}-vs-{}", lot(me * 5 + n) % 300));
            return page(text(me), others.chain((me < 299).then(|| format!("/p/{}", me + 1))).collect::<Vec<_>>());
        }
        let links = (0..6).map(|n| format!("/compare/{}-vs-{}", lot(seed(url) + n) % 300, numbers[1]));
        page(format!("{}\n{}", text(numbers[0]), text(numbers[1])), links.collect::<Vec<_>>())
    });
}

#[test]
fn a_list_that_shows_the_same_items_in_another_order() {
    ends("shuffled list", "/?page=1", MOST, |url| {
        let me = number(url);
        let items: Vec<_> = (0..12).map(|n| words(lot(me * 12 + n) % 300, 5, 900)).collect();
        page(items.join("\n"), [1, 3, 10].map(|more| format!("/?page={}", me + more)))
    });
}

#[test]
fn what_others_looked_at_of_late() {
    ends("recently viewed", "/e/1", MOST, |url| {
        let me = number(url);
        let names: Vec<_> = (0..3).map(|n| text(me * 3 + n, 4, 9_000)).collect();
        let links: Vec<_> = (0..4).map(|n| format!("/e/{}", lot(me * 4 + n) >> 34)).collect();
        page(format!("No entries.\nRecently viewed: {}", names.join(", ")), links)
    });
}

#[test]
fn many_hosts_with_one_text() {
    for has_front_page in [false, true] {
        ends("parked", "http://h1.test/1", MOST, |url| {
            let me = seed(url);
            let links = (0..6).map(|n| {
                let (host, path) = (lot(me + n) % 60, lot(lot(me) + n) % 10_000_000);
                format!(
                    "http://h{host}.test/{}",
                    if has_front_page && n == 0 { String::new() } else { path.to_string() }
                )
            });
            let is_front_page = has_front_page && url.ends_with(".test/");
            let text = if is_front_page { words(me, 40, 9_000) } else { "Domain parked\nThis one is for sale.".into() };
            page(text, links.collect::<Vec<_>>())
        });
    }
}

/// Whether a page was asked for whose URL has this in it.
fn missing(name: &str, count: u64, key: impl Fn(u64) -> String, site: impl Fn(&str) -> Answer) -> usize {
    let outcome = crawl(&["http://t.test/"], site, 4 * MOST);
    let asked: HashSet<_> = outcome.asked.iter().map(|url| url.split([';', '?']).next().unwrap_or(url)).collect();
    let missing = (0..count).filter(|number| !asked.contains(&*format!("http://t.test{}", key(*number)))).count();
    eprintln!("{name}: {} requests, {missing} missing", outcome.asked.len());
    missing
}

#[test]
fn articles_of_which_each_link_has_another_session_are_all_fetched() {
    for (count, links) in [(1_000, 12), (3_000, 2)] {
        let lost = missing(
            "sessions",
            count,
            |me| format!("/article/{me}"),
            |url| {
                let me = url.split([';', '/']).filter_map(|part| part.parse::<u64>().ok()).next().unwrap_or(0);
                let to = |other: u64| {
                    format!("/article/{};jsessionid={:016X}1A2B", other % count, lot(seed(url) + other) | 1 << 63)
                };
                let near = (0..links).map(|n| to(me * links + n)).chain([to(0)]);
                page(words(me, 60, 9_000), near.collect::<Vec<_>>())
            },
        );
        assert_eq!(lost, 0);
    }
}

#[test]
fn words_drawn_by_lot_each_of_which_a_page_says_twice() {
    ends("twice", "/abc", MOST, |url| {
        let me = seed(url);
        let invented = |n: u64| words(lot(me) ^ n, 1, 1 << 50);
        let text: String = (0..40).map(|n| format!("{} {}", common(lot(me) ^ n, 3_000), invented(n / 2))).collect();
        page(text, (0..10).map(|n| format!("/{}", words(lot(me + n), 1, 1 << 50).trim())).collect::<Vec<_>>())
    });
}

/// Products and what they are like: of each kind one of so many.
fn is_like(product: u64, facet: u64) -> bool {
    let kinds = [6, 5, 12, 4];
    let mut first = 0;
    kinds.iter().enumerate().any(|(kind, many)| {
        first += many;
        (first - many..first).contains(&facet) && first - many + lot(product * 4 + kind as u64) % many == facet
    })
}

#[test]
fn filters_as_folders_in_any_order() {
    let name = |facet: u64| words(facet + 9_000, 1, 90_000).trim().to_owned();
    ends("filter folders", "/shop/", 6_000, |url| {
        let set: Vec<&str> = url.split('/').skip(4).filter(|part| !part.is_empty()).collect();
        if url.contains("/product/") {
            return page(words(number(url), 40, 3_000), ["/"]);
        }
        let facets: Vec<u64> = (0..27).filter(|facet| set.contains(&&*name(*facet))).collect();
        let shown = (0..400_u64).filter(|product| facets.iter().all(|facet| is_like(*product, *facet)));
        let shown: Vec<_> = shown.collect();
        let lines: Vec<_> = shown.iter().map(|product| words(*product, 3, 800)).collect();
        let more = (0..27).filter(|facet| !facets.contains(facet)).map(|facet| format!("{url}{}/", name(facet)));
        let links = more.chain(shown.iter().map(|product| format!("/product/{product}")));
        page(format!("Products\n{}", lines.join("\n")), links.collect::<Vec<_>>())
    });
}

#[test]
fn tags_below_tags_in_any_order() {
    let name = |tag: u64| words(tag + 9_000, 1, 90_000).trim().to_owned();
    ends("tags below tags", "/tags", 6_000, |url| {
        if url.ends_with("/tags") {
            return page("Tags", (0..60).map(|tag| format!("/tag/{}", name(tag))).collect::<Vec<_>>());
        }
        if url.contains("/post/") {
            return page(words(number(url), 80, 3_000), ["/"]);
        }
        let set: Vec<&str> = url.split('/').skip(4).collect();
        let tags: Vec<u64> = (0..60).filter(|tag| set.contains(&&*name(*tag))).collect();
        let has = |post: &u64| tags.iter().all(|tag| (0..5).any(|n| lot(post * 5 + n) % 60 == *tag));
        let posts: Vec<_> = (0..300_u64).filter(has).collect();
        let lines: Vec<_> = posts.iter().map(|post| words(*post, 4, 900)).collect();
        let more = (0..60).filter(|tag| !tags.contains(tag)).map(|tag| format!("{url}/{}", name(tag)));
        let links = more.chain(posts.iter().map(|post| format!("/post/{post}")));
        page(format!("Posts tagged\n{}", lines.join("\n")), links.collect::<Vec<_>>())
    });
}

#[test]
fn sessions_of_which_some_are_numbers_and_some_tokens() {
    let site = |url: &str| {
        let me = number(url.split('?').next().unwrap_or_default());
        let session = lot(seed(url)) % 1_000_000_000;
        let links = (0..12).map(|n| format!("/article/{}?s={session}", (me * 12 + n) % 1_000));
        page(words(me, 80, 3_000), links.collect::<Vec<_>>())
    };
    let lost = missing("numbered sessions", 1_000, |me| format!("/article/{me}"), site);
    assert_eq!(lost, 0);
    ends("numbered sessions", "/article/0?s=1", 1_000 + MOST, site);
}

#[test]
fn copies_use_up_nothing_of_what_their_originals_bring() {
    let lost = missing(
        "print views",
        400,
        |me| format!("/a/{me}"),
        |url| {
            let (path, query) = url.split_once('?').unwrap_or((url, ""));
            let me = number(path);
            let views = ["print", "amp", "mobile"].into_iter().filter(|view| !query.contains(view));
            let views = views.map(|view| format!("/a/{me}?{query}{}{view}=1", if query.is_empty() { "" } else { "&" }));
            let mark = if query.is_empty() { "" } else { "?" };
            let near = [me * 2 + 1, me * 2 + 2].map(|other| format!("/a/{}{mark}{query}", other % 400));
            page(words(me, 80, 90_000), views.chain(near).collect::<Vec<_>>())
        },
    );
    assert_eq!(lost, 0);
}
