//! Sites without an end: each comes to one.

use super::site::{Answer, crawl, lot, page, to, words};

/// What is asked of a trap at most, by the contract.
pub(super) const MOST: usize = 5_000;

fn path(url: &str) -> &str {
    url.splitn(4, '/').nth(3).unwrap_or_default()
}

/// The last number in a URL.
pub(super) fn number(url: &str) -> u64 {
    url.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).next_back().unwrap_or(0)
}

fn home(link: &str) -> Answer {
    page("Welcome to our little site\nhere is all there is to see", [link])
}

/// Asserts that a site beside a front page that leads to `first` ends after `bound` requests.
pub(super) fn ends(name: &str, first: &str, bound: usize, site: impl Fn(&str) -> Answer) {
    let site = |url: &str| if url == "http://t.test/" { home(first) } else { site(url) };
    let outcome = crawl(&["http://t.test/"], site, 2 * bound.max(MOST));
    let asked = outcome.asked.len();
    eprintln!("{name}: {asked} requests, {} held back", outcome.held.len());
    assert!(asked <= bound, "{name}: {asked} requests, such as {:?}", &outcome.asked[asked.saturating_sub(5)..]);
    assert!(!outcome.held.is_empty(), "{name}: nothing is held back");
}

#[test]
fn empty_days_of_a_calendar() {
    ends("days", "/day/2024/1/1", 1_000, |url| {
        let parts: Vec<u64> = path(url).split('/').skip(1).filter_map(|part| part.parse().ok()).collect();
        let day = (parts[0] * 12 + parts[1] - 1) * 28 + parts[2] - 1;
        let link = |day: u64| format!("/day/{}/{}/{}", day / 336, day / 28 % 12 + 1, day % 28 + 1);
        let month = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ][(parts[1] - 1) as usize];
        let weekday =
            ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][(day % 7) as usize];
        let text =
            format!("{weekday}, {} {month} {}\nNo events\nprevious day\nnext day\nnext month", parts[2], parts[0]);
        page(text, [link(day - 1), link(day + 1), link(day + 28), link(day + 336)])
    });
}

#[test]
fn months_that_list_empty_days() {
    ends("months", "/month/24000", 2_500, |url| {
        let number = number(url);
        if url.contains("/day/") {
            return page(
                format!("Day {} of month {}\nNothing on this day", number % 100, number / 100),
                [format!("/month/{}", number / 100)],
            );
        }
        let days = (1..29).map(|day| format!("/day/{}", number * 100 + day));
        page(format!("Month {number}\nMo Tu We Th Fr Sa Su"), days.chain([format!("/month/{}", number + 1)]))
    });
}

#[test]
fn every_combination_of_filters_lists_the_same_products() {
    ends("facets", "/shop", 2_000, |url| {
        let set: Vec<&str> = url.split_once('?').map_or(vec![], |(_, query)| query.split('&').collect());
        let names = ["color", "size", "brand", "price", "stock", "style", "year", "shape"];
        let mut links = Vec::new();
        for (index, name) in
            names.iter().enumerate().filter(|(_, name)| !set.iter().any(|pair| pair.starts_with(**name)))
        {
            for value in 0..5 {
                let mut next = set.clone();
                let pair = format!("{name}={}", ["red", "big", "acme", "low", "odd"][(index + value) % 5]);
                next.push(&pair);
                links.push(format!("/shop?{}", next.join("&")));
            }
        }
        let shown = (0..30).filter(|product| {
            set.iter()
                .enumerate()
                .all(|(index, pair)| !lot(product * 31 + pair.len() as u64 * 7 + index as u64).is_multiple_of(3))
        });
        let products: Vec<_> = shown.collect();
        let lines: Vec<_> =
            products.iter().map(|product| format!("{} only {} EUR", words(*product, 3, 500), product * 3)).collect();
        links.extend(products.iter().map(|product| format!("/product/{product}")));
        if url.contains("/product/") {
            return page(format!("{}\n{}", words(number(url), 3, 500), words(number(url), 40, 500)), ["/shop"]);
        }
        page(format!("Our products\nFilters: {}\n{} found\n{}", set.join(" "), products.len(), lines.join("\n")), links)
    });
}

#[test]
fn filters_in_the_path() {
    ends("path facets", "/shop/a-red", 2_500, |url| {
        let set: Vec<&str> = path(url).split('/').skip(1).collect();
        let links = (0..40).map(|facet| {
            format!("{}-{}", char::from(b'a' + facet / 5), ["red", "big", "acme", "low", "odd"][usize::from(facet % 5)])
        });
        let links =
            links.filter(|link| !set.iter().any(|known| known[..1] == link[..1])).map(|link| format!("{url}/{link}"));
        let shown = (0..30).filter(|product| !lot(product * 31 + set.len() as u64).is_multiple_of(4));
        let lines: Vec<_> =
            shown.map(|product| format!("{} only {} EUR", words(product, 3, 500), product * 3)).collect();
        page(format!("Our products\n{}", lines.join("\n")), links.collect::<Vec<_>>())
    });
}

#[test]
fn sort_orders_and_views() {
    ends("sort", "/list?sort=name", 600, |url| {
        let seed = url.len() as u64;
        let mut lines: Vec<_> = (0..20).map(|item| words(item, 4, 900)).collect();
        lines.sort_by_key(|line| lot(line.len() as u64 * seed));
        let links = ["name", "price", "date"].map(|key| format!("{url}&sort={key}"));
        page(
            format!("All items\n{}", lines.join("\n")),
            links.into_iter().chain([format!("{url}&view=grid"), format!("{url}&view=list")]),
        )
    });
}

#[test]
fn sessions_in_the_query() {
    ends("sessions", "/p1?sid=00aa11bb22cc", 2_500, |url| {
        let me: u64 = path(url).trim_start_matches('p').split('?').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let links = (0..50).map(|other| {
            format!("/p{other}?sid={:016x}", lot(other + url.len() as u64 * 77 + lot(url.bytes().map(u64::from).sum())))
        });
        page(format!("Chapter {me}\n{}", words(me, 60, 900)), links.collect::<Vec<_>>())
    });
}

#[test]
fn sessions_in_the_path() {
    ends("path sessions", "/s/0a1b2c3d4e5f/p1", 2_500, |url| {
        let me = number(url.rsplit('/').next().unwrap_or_default());
        let links = (0..20)
            .map(|other| format!("/s/{:012x}/p{other}", lot(other + lot(url.bytes().map(u64::from).sum())) >> 16));
        page(format!("Chapter {me}\n{}", words(me, 60, 900)), links.collect::<Vec<_>>())
    });
}

#[test]
fn nonces_in_the_page_and_in_its_links() {
    ends("nonces", "/x?n=1a2b3c4d5e", 1_000, |url| {
        let seed = url.bytes().fold(0, |sum, byte| lot(sum + u64::from(byte)));
        page(
            format!("One page\nrequest {seed:016x}\ntime {seed}"),
            [format!("/x?n={:010x}", seed >> 24), format!("/x?n={:010x}", lot(seed) >> 24)],
        )
    });
}

#[test]
fn words_as_nonces() {
    ends("words as nonces", "/go/abc", MOST, |url| {
        let seed = url.bytes().fold(0, |sum, byte| lot(sum + u64::from(byte)));
        let name = |seed: u64| words(seed, 1, 1 << 40).trim().to_owned();
        page(
            format!("One page\nyour word is {}\nvisitor {}", name(seed + 1), seed % 100_000),
            [format!("/go/{}", name(seed)), format!("/go/{}", name(lot(seed)))],
        )
    });
}

#[test]
fn the_same_page_everywhere_with_relative_links() {
    ends("relative", "/en/", 1_000, |url| page("same", [format!("{}about/", url), format!("{}news/", url)]));
}

#[test]
fn directories_within_themselves() {
    ends("dir in dir", "/dir/index/", 600, |url| {
        page("Index of files\nparent directory", [format!("{url}dir/"), format!("{url}sub/dir/"), "../".to_owned()])
    });
}

#[test]
fn a_path_that_grows() {
    ends("a/a/a", "/a/", 400, |url| page(format!("You are at {url}\nhere is a link"), [format!("{url}a/")]));
}

#[test]
fn a_query_that_grows() {
    ends("x=1&x=1", "/s?x=1", 400, |url| page("Search\nmore filters", [format!("{url}&x=1"), format!("{url}&y=2")]));
}

#[test]
fn errors_that_are_no_errors_and_link_on() {
    ends("soft 404", "/missing", 1_000, |url| {
        let name = path(url);
        let guess = |n| {
            format!(
                "/{}",
                words(lot(n + name.bytes().fold(0, |sum, byte| lot(sum + u64::from(byte)))), 2, 5_000)
                    .trim()
                    .replace(' ', "/")
            )
        };
        page(format!("Sorry\nThe page /{name} was not found\nDid you mean"), (0..4).map(guess).collect::<Vec<_>>())
    });
}

#[test]
fn pages_beyond_the_last() {
    ends("pages", "/news?page=1", 1_100, |url| {
        let number = number(url);
        let next = [format!("/news?page={}", number + 1), format!("/news?page={}", number + 2)];
        if number <= 20 {
            let items: Vec<_> = (0..10).map(|item| words(number * 10 + item, 8, 5_000)).collect();
            return page(format!("News page {number}\n{}", items.join("\n")), next);
        }
        page(format!("News page {number}\nThere are no news on this page\nnewer\nolder"), next)
    });
}

#[test]
fn offsets_that_a_page_counts_from() {
    ends("offsets", "/found?start=0", 1_000, |url| {
        let start = number(url);
        page(
            format!("Results {} to {} of 14\nnothing found\nback to the first page", start + 1, start + 20),
            [format!("/found?start={}", start + 20)],
        )
    });
}

#[test]
fn print_views_of_print_views() {
    ends("print", "/doc/1", 900, |url| {
        let me = number(url.split('?').next().unwrap_or_default());
        let print = if url.contains('?') { format!("{url}&print=1") } else { format!("{url}?print=1") };
        page(format!("Document\n{}", words(me, 50, 2_000)), [print, format!("/doc/{}", (me + 1) % 30)])
    });
}

#[test]
fn redirects_that_lead_to_ever_new_urls() {
    ends("redirects", "/go/1", 2_000, |url| {
        let number = number(url);
        if url.contains("/go/") {
            return to(format!("/page/{}", lot(number) >> 40));
        }
        page(
            format!("Please wait\nyou are being taken there {number}"),
            [format!("/go/{}", lot(number + 1) >> 40), format!("/go/{}", lot(number + 2) >> 40)],
        )
    });
}

#[test]
fn words_drawn_by_lot() {
    ends("random words", "/w/1", MOST, |url| {
        let number = number(url);
        page(
            format!("Read more\n{}", words(number, 40, 1_000)),
            (0..3).map(|n| format!("/w/{}", lot(number * 3 + n) >> 30)).collect::<Vec<_>>(),
        )
    });
}

#[test]
fn listings_of_directories_without_an_end() {
    ends("listings", "/files/", MOST, |url| {
        let seed = url.bytes().fold(0, |sum, byte| lot(sum + u64::from(byte)));
        if !url.ends_with('/') {
            return page("empty file", [""; 0]);
        }
        let names: Vec<_> = (0..3).map(|n| words(seed + n, 1, 400).trim().to_owned()).collect();
        let links = names.iter().map(|name| format!("{url}{name}/")).chain([format!("{url}readme.txt")]);
        page(format!("Index of {url}\nName Size\n{}\nreadme.txt", names.join("\n")), links.collect::<Vec<_>>())
    });
}

#[test]
fn upper_and_lower_case_and_slashes_are_other_urls_of_one_page() {
    ends("case", "/page", 1_000, |url| {
        let me = path(url).to_owned();
        let flip = |at: usize| -> String {
            me.char_indices()
                .map(|(i, c)| {
                    if i == at {
                        if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
                    } else {
                        c
                    }
                })
                .collect()
        };
        let mut links: Vec<_> = (0..me.len()).map(|at| format!("/{}", flip(at))).collect();
        links.push(format!("/{me}/"));
        links.push(format!("/{me}//x"));
        page("A page\nthat is always the same", links)
    });
}

#[test]
fn names_of_hosts_without_an_end() {
    ends("wildcard", "http://a1.t.test/", 1_500, |url| {
        let number = number(url);
        let host = |n: u64| format!("http://a{n}.t.test/");
        page(
            format!("Welcome to a{number}\nour partners"),
            [host(number + 1), host(number * 2), format!("{}about", host(number))],
        )
    });
}

#[test]
fn two_patterns_that_name_each_other() {
    ends("a to b", "/a/1", 1_800, |url| {
        let (number, other) = (number(url), if url.contains("/a/") { "b" } else { "a" });
        page(
            format!("This is {}\nread on", if other == "a" { "the second" } else { "the first" }),
            [format!("/{other}/{}", number * 2), format!("/{other}/{}", number * 2 + 1)],
        )
    });
}

#[test]
fn two_hosts_that_name_each_other() {
    ends("host to host", "http://one.test/1", 1_000, |url| {
        let (number, other) = (number(url), if url.contains("one") { "two" } else { "one" });
        page(
            "This way please\nthank you",
            [format!("http://{other}.test/{}", number * 2), format!("http://{other}.test/{}", number * 2 + 1)],
        )
    });
}

#[test]
fn links_to_numbers_drawn_by_lot() {
    ends("random ids", "/item/1", 1_000, |url| {
        let number = number(url);
        let links: Vec<_> = (0..5).map(|n| lot(number * 5 + n) >> 40).collect();
        let lines: Vec<_> = links.iter().map(|link| format!("item {link}")).collect();
        page(
            format!("Item {number}\nSee also\n{}", lines.join("\n")),
            links.iter().map(|link| format!("/item/{link}")).collect::<Vec<_>>(),
        )
    });
}

#[test]
fn sessions_that_are_numbers() {
    ends("number sessions", "/page0.php?s=1", 4_000, |url| {
        let me: u64 = path(url).split(['e', '.']).nth(1).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let seed = url.bytes().fold(0, |sum, byte| lot(sum + u64::from(byte)));
        let links = (0..6).map(|n| format!("/page{}.php?s={}", (me * 3 + n) % 300, lot(seed + n) % 1_000_000));
        page(words(me, 80, 3_000), links.collect::<Vec<_>>())
    });
}

#[test]
fn two_words_as_nonces() {
    ends("two words", "/go/abc", MOST, |url| {
        let seed = url.bytes().fold(0, |sum, byte| lot(sum + u64::from(byte)));
        let name = |seed: u64| words(seed, 1, 1 << 40).trim().to_owned();
        let text = format!("One page\nyour code is {} {}\n{}", name(seed + 1), name(seed + 2), words(3, 40, 900));
        page(text, [format!("/go/{}", name(seed)), format!("/go/{}", name(lot(seed)))])
    });
}

#[test]
fn a_ring_of_many_patterns() {
    ends("ring of patterns", "/a/1", 3_500, |url| {
        let letter = path(url).bytes().next().unwrap_or(b'a');
        let (number, next) = (number(url), char::from((letter - b'a' + 1) % 20 + b'a'));
        page(
            words(u64::from(letter), 60, 900),
            [format!("/{next}/{}", number * 2), format!("/{next}/{}", number * 2 + 1)],
        )
    });
}

#[test]
fn a_ring_of_many_hosts() {
    ends("ring of hosts", "http://a.test/1", MOST, |url| {
        let letter = url.as_bytes()[7];
        let (number, next) = (number(url), char::from((letter - b'a' + 1) % 20 + b'a'));
        let link = |number: u64| format!("http://{next}.test/{number}");
        page(words(u64::from(letter), 60, 900), [link(number * 2), link(number * 2 + 1)])
    });
}

#[test]
fn sets_of_tags() {
    ends("tags", "/tag/x", MOST, |url| {
        let set: Vec<&str> = url.rsplit('/').next().unwrap_or_default().split('+').collect();
        let tags: Vec<_> = (0..40).map(|tag| words(tag, 1, 900).trim().to_owned()).collect();
        let others: Vec<_> = tags.iter().filter(|tag| !set.contains(&tag.as_str())).collect();
        let has =
            |post: &u64| set.iter().all(|tag| lot(post + tag.bytes().map(u64::from).sum::<u64>()).is_multiple_of(2));
        let posts: Vec<_> = (0..60_u64).filter(has).map(|post| words(post, 4, 900)).collect();
        let list = others.iter().map(|tag| tag.as_str()).collect::<Vec<_>>().join(" ");
        let links = others.iter().map(|tag| format!("/tag/{}+{tag}", set.join("+"))).collect::<Vec<_>>();
        page(format!("Posts\n{}\n{list}", posts.join("\n")), links)
    });
}

#[test]
fn names_of_pages_that_are_not_there() {
    ends("slugs", "/not-here", 1_800, |url| {
        let seed = url.bytes().fold(0, |sum, byte| lot(sum + u64::from(byte)));
        let names: Vec<_> = (0..5).map(|n| words(lot(seed + n), 2, 5_000).trim().replace(' ', "-")).collect();
        let text = format!("Sorry\nWe could not find {}\nYou may like\n{}", path(url), names.join("\n"));
        page(text, names.iter().map(|name| format!("/{name}")).collect::<Vec<_>>())
    });
}
