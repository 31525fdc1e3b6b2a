//! Sites that look like traps and are none: nothing of them is held back.

use super::site::{Answer, crawl, lot, page, to, words};

fn number(url: &str) -> u64 {
    url.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).next_back().unwrap_or(0)
}

/// Asserts that all of a site is fetched: `pages` many.
pub(super) fn is_fetched(name: &str, pages: usize, site: impl Fn(&str) -> Answer) {
    let outcome = crawl(&["http://t.test/"], site, 200_000);
    let held: Vec<_> = outcome.held.iter().take(5).collect();
    assert!(
        outcome.held.is_empty(),
        "{name}: {} of {} are held back, such as {held:?}",
        outcome.held.len(),
        outcome.asked.len()
    );
    assert_eq!(outcome.asked.len(), pages, "{name}");
}

/// A list in pages of 20, each item of which has a page.
fn catalogue(count: u64, url: &str, item: impl Fn(u64) -> Answer, line: impl Fn(u64) -> String) -> Answer {
    if url.contains("/product/") {
        return item(number(url));
    }
    let number = number(url);
    let items: Vec<_> = (number * 20..(number * 20 + 20).min(count)).collect();
    let lines: Vec<_> = items.iter().map(|item| line(*item)).collect();
    let mut links: Vec<_> = items.iter().map(|item| format!("/product/{item}")).collect();
    if number * 20 + 20 < count {
        links.push(format!("/list?page={}", number + 1));
    }
    page(format!("All products, page {number}\n{}", lines.join("\n")), links)
}

fn product(number: u64) -> String {
    let kinds = ["Chair", "Table", "Lamp", "Shelf", "Bed", "Desk", "Sofa", "Rug"];
    let looks = ["Red", "Blue", "Oak", "Steel", "Small", "Large", "Round", "Plain"];
    format!("{} {} {number}", looks[(lot(number) % 8) as usize], kinds[(lot(number + 1) % 8) as usize])
}

#[test]
fn products_that_look_alike() {
    for related in [0, 4] {
        is_fetched("products", 8_000 + 400, |url| {
            let item = |number: u64| {
                let price = format!("{}.{:02} EUR", 5 + lot(number + 2) % 90, lot(number + 3) % 100);
                let links =
                    (0..related).map(|n| format!("/product/{}", lot(number * 7 + n) % 8_000)).chain(["/".to_owned()]);
                page(
                    format!(
                        "Our shop\n{}\n{price}\nIn stock\nAdd to cart\nDelivery within three days",
                        product(number)
                    ),
                    links.collect::<Vec<_>>(),
                )
            };
            catalogue(8_000, url, item, product)
        });
    }
}

#[test]
fn fifty_thousand_products_that_look_alike() {
    is_fetched("50,000 products", 50_000 + 2_500, |url| {
        let item = |number: u64| {
            let price = format!("{}.{:02} EUR", 5 + number % 90, number % 100);
            page(format!("Our shop\nProduct {number}\n{price}\nIn stock\nAdd to cart"), ["/", "/list?page=1"])
        };
        catalogue(50_000, url, item, |number| format!("Product {number}"))
    });
}

#[test]
fn photos_without_a_word() {
    is_fetched("gallery", 1_501, |url| {
        let number = number(url);
        let next = format!("/photo/{}.html", (number + 1).min(1_500));
        Answer { images: vec![number], ..page("next", [next, format!("/photo/{}.html", number.max(2) - 1)]) }
    });
}

#[test]
fn days_of_a_calendar_with_events() {
    is_fetched("events", 1 + 1_500 + 1_500 / 30, |url| {
        let number = number(url);
        if url.contains("/event/") {
            return page(format!("{}\n{}", words(number, 4, 300), words(number, 20, 900)), ["/"]);
        }
        let mut links = vec![format!("/day/{}", (number + 1).min(1_500))];
        let mut text = format!("Day {number}\nprevious\nnext\n");
        if number.is_multiple_of(30) && number > 0 {
            links.push(format!("/event/{number}"));
            text.push_str(&words(number, 4, 300));
        }
        page(text, links)
    });
}

#[test]
fn one_manual_in_twelve_languages() {
    is_fetched("languages", 1 + 12 * 80, |url| {
        let language = url.split('/').nth(3).and_then(|name| name.strip_prefix('l')).map_or(0, |_| number(&url[..20]));
        let chapter = number(url) % 100;
        let languages = (1..13).map(|other| format!("/l{:02}/chapter-{chapter}.html", other));
        let text = format!("Manual\n{}", words(language * 1_000 + chapter, 80, 600));
        page(
            text,
            languages
                .chain([format!("/l{language:02}/chapter-{}.html", (chapter + 1) % 80)])
                .filter(|link| !link.contains("l00"))
                .collect::<Vec<_>>(),
        )
    });
}

#[test]
fn topics_of_a_forum() {
    is_fetched("forum", 1 + 39 + 1_200 + 600, |url| {
        let number = number(url);
        if url.contains("?t=") {
            let next = format!("/viewtopic.php?t={}", (number + 1).min(1_200));
            return page(
                format!("Topic {number}\n{}\nReply Quote", words(number, 30, 400)),
                [next, format!("/profile.php?u={}", 1 + number % 600)],
            );
        }
        if url.contains("?u=") {
            return page(format!("Profile of user {number}\nJoined long ago\n{} posts", number % 40), ["/"]);
        }
        let topics = (1..31).map(|topic| format!("/viewtopic.php?t={}", number * 30 + topic));
        page(
            format!("Forum page {number}\n{}", words(number, 60, 400)),
            topics.chain([format!("/viewforum.php?start={}", (number + 1).min(39))]).collect::<Vec<_>>(),
        )
    });
}

#[test]
fn a_web_that_mixes_the_same_paragraphs() {
    const PAGES: u64 = 20_000;
    is_fetched("generated web", PAGES as usize, |url| {
        let me = number(url);
        let lines: Vec<_> = (0..20).map(|line| words(lot(me + line) % 256, 20, 20)).collect();
        let tree = (1..11).map(|child| me * 10 + child).filter(|child| *child < PAGES);
        let links: Vec<_> = tree
            .chain((0..10).map(|n| lot(me * 13 + n) % PAGES))
            .map(|page| if page == 0 { "/".to_owned() } else { format!("/p/{page}") })
            .collect();
        page(lines.join("\n"), links)
    });
}

#[test]
fn products_without_a_name_of_their_own() {
    is_fetched("plain products", 3_000 + 150, |url| {
        let item = |number: u64| {
            let text = format!("Article {number}\nPrice: {}.{:02} EUR\nIn stock\nBuy", number % 90, number % 100);
            page(text, ["/".to_owned(), format!("/product/{}", (number + 1) % 3_000)])
        };
        catalogue(3_000, url, item, |number| format!("Article {number}"))
    });
}

#[test]
fn members_who_wrote_nothing_yet() {
    is_fetched("members", 1_500 + 75, |url| {
        let item = |number: u64| {
            let friends = (0..5).map(|n| format!("/product/{}", (number * 7 + n * 13) % 1_500));
            page(format!("User {number}\nThis user has no posts yet."), friends.collect::<Vec<_>>())
        };
        catalogue(1_500, url, item, |number| format!("user {number}"))
    });
}

#[test]
fn photos_named_by_hashes() {
    is_fetched("hashes", 2_000 + 100, |url| {
        let name = |number: u64| format!("/product/{:016x}{:08x}", lot(number), lot(number + 1) >> 32);
        if url.contains("/product/") {
            let image = url.bytes().fold(0, |sum, byte| lot(sum + u64::from(byte)));
            return Answer { images: vec![image], ..page("Photo", ["/"]) };
        }
        let number = number(url);
        let next = (number < 99).then(|| format!("/list?page={}", number + 1));
        page("Photos", (number * 20..number * 20 + 20).map(name).chain(next).collect::<Vec<_>>())
    });
}

#[test]
fn concerts_that_differ_in_price_and_hour() {
    is_fetched("concerts", 1 + 2_000 + 201 * 3, |url| {
        let number = number(url);
        if url.contains("/event/") {
            let text =
                format!("Concert {number}\nTickets {} EUR, doors open {}:00", number % 7 * 5 + 10, number % 4 + 18);
            return page(text, [""; 0]);
        }
        let mut links: Vec<_> =
            (0..3).map(|n| format!("/event/{}", number * 3 + n)).filter(|_| number.is_multiple_of(10)).collect();
        let text = if links.is_empty() { "Nothing today".to_owned() } else { format!("Concerts {}", links.join(" ")) };
        links.extend((number < 2_000).then(|| format!("/day/{}", number + 1)));
        page(format!("Day {number}\n{text}\ntomorrow"), links)
    });
}

#[test]
fn articles_each_with_a_history_and_a_form() {
    is_fetched("wiki", 1 + 2_499 * 3 + 2, |url| {
        let (path, action) = url.split_once('?').unwrap_or((url, ""));
        let number = number(path);
        match action {
            "action=history" => {
                return page(format!("History\n{} edits\n{}", number % 50, words(number, 5, 800)), [""; 0]);
            }
            "action=edit" => return page("Log in to edit this page", [""; 0]),
            _ => {}
        }
        let near = [number * 2 + 1, number * 2 + 2].into_iter().filter(|other| *other < 2_500);
        let links =
            near.chain((0..8).map(|n| lot(number * 9 + n) % 2_499 + 1)).map(|other| format!("/Article_{other}"));
        let own = ["edit", "history"].map(|action| format!("/Article_{number}?action={action}"));
        page(format!("Article {number}\n{}", words(number, 60, 800)), links.chain(own).collect::<Vec<_>>())
    });
}

#[test]
fn pages_of_numbers() {
    is_fetched("tiles", 1_600, |url| {
        let mut place = url.split('/').rev().filter_map(|part| part.parse::<u64>().ok());
        let (y, x) = (place.next().unwrap_or(0), place.next().unwrap_or(0));
        let near = [(x + 1, y), (x, y + 1)].into_iter().filter(|(x, y)| *x < 40 && *y < 40);
        Answer {
            images: vec![x * 1_000 + y],
            ..page("Tile", near.map(|(x, y)| format!("/tile/{x}/{y}")).collect::<Vec<_>>())
        }
    });
}

#[test]
fn years_and_months_before_the_first_post() {
    is_fetched("archive", 1 + 20 + 240 + 1_920, |url| {
        let parts: Vec<&str> = url.trim_end_matches('/').split('/').skip(3).collect();
        let below = match parts.len() {
            0 => 2_000..2_020,
            1 => 1..13,
            2 => 1..9,
            _ => return page(words(url.bytes().fold(0, |sum, byte| lot(sum + u64::from(byte))), 60, 400), [""; 0]),
        };
        page(
            ["Archive", "Year", "Month"][parts.len()],
            below.map(|part| format!("{}/{part}/", url.trim_end_matches('/'))).collect::<Vec<_>>(),
        )
    });
}

#[test]
fn tables_of_numbers() {
    is_fetched("tables", 1 + 1_200, |url| {
        let number = number(url) % 10_000;
        let cells: Vec<_> = (0..60).map(|cell| format!("{}.{}", lot(number * 60 + cell) % 100, cell % 10)).collect();
        let next = (number < 1_200).then(|| format!("/list?p={}", number + 1));
        page(format!("Measurements\n{}", cells.join("\n")), next)
    });
}

/// As the tests and benchmarks crawl it.
fn graph(pages: usize, bytes: usize) {
    is_fetched("graph", pages, |url| {
        let path = &url["http://t.test".len()..];
        let html = String::from_utf8(crate::demo::graph_page(pages, bytes, path).body).unwrap();
        let links = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let links: Vec<_> = links.map(|link| if link == "/p/0" { "/".to_owned() } else { link.to_owned() }).collect();
        let lines = html.replace("</", "\n</");
        let text: Vec<_> = lines.split('<').map(|tag| tag.split_once('>').map_or(tag, |(_, text)| text)).collect();
        page(text.concat(), links)
    });
}

#[test]
fn a_graph_of_sentences_and_a_small_one_of_links() {
    graph(4_000, 6_000);
    graph(3_000, 300);
    graph(8_000, 300);
}

/// A tree of articles; what else each names is of the same pattern.
fn articles(name: &str, pages: usize, links: u64, other: impl Fn(u64) -> Answer) {
    const ARTICLES: u64 = 3_000;
    is_fetched(name, pages, |url| {
        let me = number(url);
        if me > ARTICLES {
            return other(me);
        }
        let near = (1..4).map(|n| me * 3 + n).filter(|article| *article <= ARTICLES);
        let others = (0..links).map(|n| ARTICLES + 1 + me * links + n);
        let links: Vec<_> = near.chain(others).map(|article| format!("/wiki/A{article}")).collect();
        page(words(me, 60, 3_000), links)
    });
}

#[test]
fn articles_with_dead_links_aliases_and_forms_to_log_in() {
    let dead = |_| Answer { status: 404, ..page("Not found", [""; 0]) };
    articles("dead links", 3_001 * 5, 4, dead);
    articles("a dead link each", 3_001 * 2, 1, dead);
    articles("aliases", 3_001 * 5 + 1, 4, |alias| to(format!("/wiki/A{}", (alias - 3_001) / 4)));
    articles("forms", 3_001 * 7, 6, |_| page("Members only\nPlease log in to read this.", [""; 0]));
}

/// Characters drawn by lot, some more often than others, as those of a language are.
fn characters(seed: u64, count: usize, first: u32, many: u64) -> String {
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let one = |rng: &mut fastrand::Rng| first + (rng.u64(..many) * rng.u64(..many) / many) as u32;
    (0..count).filter_map(|_| char::from_u32(one(&mut rng))).collect()
}

#[test]
fn texts_without_spaces() {
    for (name, first, many, count) in [
        ("Chinese", 0x4e00, 2_500, 60),
        ("Chinese names", 0x4e00, 2_500, 8),
        ("Japanese", 0x3041, 80, 26),
        ("Thai", 0xe01, 46, 40),
        ("Khmer", 0x1780, 35, 40),
    ] {
        is_fetched(name, 3_001, |url| {
            let me = number(url);
            let near = (1..4).map(|n| me * 3 + n).filter(|page| *page <= 3_000).map(|page| format!("/t/{page}"));
            page(characters(me, count, first, many), near.collect::<Vec<_>>())
        });
    }
}

#[test]
fn scans_that_differ_in_their_titles() {
    is_fetched("titles", 1_501, |url| {
        let me = number(url);
        let next = format!("/t/{}", (me + 1).min(1_500));
        Answer { title: Some(words(me, 5, 900)), ..page("Scanned page\nprevious\nnext", [next]) }
    });
}

#[test]
fn stories_in_forty_folders_beside_a_maze_in_another() {
    let outcome = crawl(
        &["http://t.test/"],
        |url| {
            let (section, me) = (url.split('/').nth(3).unwrap_or_default(), number(url));
            match section.strip_prefix("story-") {
                None if section.is_empty() => {
                    let sections =
                        (b'a'..=b'z').chain(b'A'..=b'N').map(|letter| format!("/story-{}/1", char::from(letter)));
                    page("Stories", sections.chain(["/maze/1".to_owned()]).collect::<Vec<_>>())
                }
                None => {
                    page("No entries", (0..3).map(|n| format!("/maze/{}", lot(me * 3 + n) >> 30)).collect::<Vec<_>>())
                }
                Some(name) => {
                    let next = (me < 80).then(|| format!("/story-{name}/{}", me + 1));
                    page(words(me * 1_000 + u64::from(name.as_bytes()[0]), 50, 3_000), next)
                }
            }
        },
        20_000,
    );
    assert!(outcome.held.iter().all(|url| url.contains("/maze/")), "{:?}", outcome.held.iter().next());
    assert_eq!(outcome.asked.iter().filter(|url| url.contains("/story-")).count(), 40 * 80);
    assert!(outcome.asked.len() < 40 * 80 + 1_000, "{}", outcome.asked.len());
}

#[test]
fn a_word_a_page() {
    is_fetched("glossary", 4_000, |url| {
        let me = number(url);
        let next = (me < 3_999).then(|| format!("/word/{}", me + 1));
        page(format!("Word of the day\n{}\nnext", words(me, 1, 1 << 50)), next)
    });
}
