//! Sites without an end, crawled by the real binary: they come to one, say why, and can be let through.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Bench, page, stderr, stdout, summary};
use harvestman::demo::{Reply, Server};
use serde_json::Value;

/// The last number in a path.
fn number(path: &str) -> u64 {
    path.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).next_back().unwrap_or(0)
}

/// A calendar of empty days behind a front page, and a page that names one of them.
async fn calendar() -> Server {
    let server = Server::start(|path| match path {
        "/" => Reply::html("<p>Welcome to the village hall<p><a href=/day/1>What is on</a>"),
        "/poster" => Reply::html("<p>The great dance is in four years<p><a href=/day/900>Come</a>"),
        "/robots.txt" => Reply::status(404),
        "/sitemap.xml" => Reply::status(404),
        day => {
            let day = number(day);
            let links = [1, 2, 3].map(|more| format!("<a href=/day/{}>later</a>", day + more)).concat();
            Reply::html(format!("<title>Day {day}</title><h1>Day {day}</h1><p>Nothing is on</p>{links}"))
        }
    });
    server.await.unwrap()
}

async fn crawl(bench: &Bench, args: &[&str]) -> Value {
    let output = bench.run(&[&["crawl", "--rate", "0", "--json"], args].concat()).await;
    assert!(output.status.success(), "{}", stderr(&output));
    summary(&output)
}

async fn ask(bench: &Bench, args: &[&str]) -> String {
    let output = bench.run(args).await;
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_ends_by_itself_and_says_why_wherever_it_is_asked_about() {
    let site = calendar().await;
    let bench = Bench::new();
    let end = crawl(&bench, &[&site.url("/")]).await;
    assert_eq!((end["outcome"].as_str(), end["pending"].as_i64()), (Some("finished"), Some(0)));
    let asked = site.hit_count();
    assert!((200..900).contains(&asked), "{asked} requests");
    let traps = bench.rows("select host, pattern, held_back, reason, example from traps").await;
    let row: Vec<_> = traps[0].split('|').collect();
    assert_eq!((traps.len(), row[0], row[1]), (1, site.url("").as_str(), "/day/*"));
    assert!(row[3].contains("brought nothing new"), "{row:?}");
    let held = bench
        .rows("select count(*), min(reason), count(*) filter (where url = (select example from traps)) from skipped")
        .await;
    assert_eq!(held, [format!("{}|trap|1", row[2])]);
    let told = ask(&bench, &["explain", row[4]]).await;
    assert!(told.contains("skipped: trap") && told.contains("--allow-trap '/day/*'"), "{told}");
    let json: Value = serde_json::from_str(&ask(&bench, &["explain", row[4], "--json"]).await).unwrap();
    assert_eq!((json["trap"]["pattern"].as_str(), json["reason"].as_str()), (Some("/day/*"), Some("trap")));
    assert!(ask(&bench, &["status"]).await.contains("/day/*"));
    ask(&bench, &["report", "--output", "report.html"]).await;
    assert!(std::fs::read_to_string(bench.path("report.html")).unwrap().contains("/day/*"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_is_kept_over_invocations_and_what_is_named_from_outside_is_fetched_later_too() {
    let site = calendar().await;
    let bench = Bench::new();
    for _ in 0..4 {
        crawl(&bench, &[&site.url("/"), "--max-pages", "50"]).await;
    }
    crawl(&bench, &[&site.url("/")]).await;
    let days = || site.hits().iter().map(|hit| hit.path.clone()).collect::<std::collections::HashSet<_>>().len();
    let asked = days();
    assert!((200..900).contains(&asked), "{asked} URLs");
    crawl(&bench, &[&site.url("/"), &site.url("/poster")]).await;
    let state = bench.rows("select count(*) from pages where url like '%/day/900'").await;
    assert_eq!(state, ["1"], "a page of another kind names it");
    assert!(days() < asked + 10, "{} URLs after {asked}", days());
}

/// A number drawn by lot for two others.
fn lot(one: u64, other: u64) -> u64 {
    let mixed = (one + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (other + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed.wrapping_mul(0x94d0_49bb_1331_11eb) >> 40
}

/// Pages of words drawn by lot, in folders that name each other, each of which leads on to four more.
async fn maze() -> Server {
    let server = Server::start(|path| match path {
        "/robots.txt" | "/sitemap.xml" => Reply::status(404),
        path => {
            let me = number(path);
            let words: String = (0..12).map(|n| format!("{} ", letters(lot(me, n) % 3_000))).collect();
            let link = |n: u64| format!("<a href=/{}/{}>more</a>", ["old", "new"][(n % 2) as usize], lot(me, n + 99));
            Reply::html(format!("<p>{words}<p>{}", (0..4).map(link).collect::<String>()))
        }
    });
    server.await.unwrap()
}

/// A number in letters.
fn letters(number: u64) -> String {
    number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maze_ends_over_invocations_and_is_said_to_lead_on_to_what_nothing_else_names() {
    let site = maze().await;
    let bench = Bench::new();
    let slice = ["--max-pages", "700", "--max-connections-per-host", "16"];
    let mut end = Value::Null;
    while end["outcome"] != "finished" && site.hit_count() < 7_000 {
        end = crawl(&bench, &[&[site.url("/").as_str()], &slice[..]].concat()).await;
    }
    assert_eq!((end["outcome"].as_str(), end["pending"].as_i64()), (Some("finished"), Some(0)));
    let pages = end["fetched"].as_i64().unwrap();
    assert!((2_000..5_000).contains(&pages), "{pages} pages");
    let traps = bench.rows("select reason, example from traps order by held_back desc").await;
    let (reason, example) = traps[0].split_once('|').unwrap();
    assert!(reason.starts_with("a maze: the last ") && reason.contains("that nothing else names"), "{traps:?}");
    assert!(ask(&bench, &["explain", example]).await.contains(reason));
    let json: Value = serde_json::from_str(&ask(&bench, &["explain", example, "--json"]).await).unwrap();
    assert_eq!(json["trap"]["reason"].as_str(), Some(reason));
    assert!(ask(&bench, &["status"]).await.contains("a maze: the last "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_that_is_allowed_goes_on_and_is_held_again_when_it_is_not() {
    let site = calendar().await;
    let bench = Bench::new();
    crawl(&bench, &[&site.url("/")]).await;
    let held = bench.rows("select sum(held_back) from traps").await;
    let other = crawl(&bench, &[&site.url("/"), "--allow-trap", "/night/*", "--recrawl-after", "1d"]).await;
    assert_eq!((bench.rows("select sum(held_back) from traps").await, other["pending"].as_i64()), (held, Some(0)));
    let before = site.hit_count();
    let args = [&site.url("/"), "--allow-trap", "/day/*", "--max-pages", "700", "--recrawl-after", "1d"];
    let allowed = crawl(&bench, &args).await;
    assert_eq!(allowed["outcome"].as_str(), Some("limit"));
    assert!(site.hit_count() >= before + 700);
    assert_eq!(bench.rows("select count(*) from traps").await, ["0"]);
    let again = crawl(&bench, &[&site.url("/"), "--recrawl-after", "1d"]).await;
    assert_eq!(again["outcome"].as_str(), Some("finished"));
    assert!(bench.rows("select held_back from traps").await[0].parse::<u32>().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sitemap_names_is_no_part_of_a_trap() {
    let site = Server::start(|path| match path {
        "/" => page(["/x/1"]),
        "/robots.txt" => Reply::status(404),
        path => page([format!("/x/{}", number(path) + 1)]),
    });
    let site = site.await.unwrap();
    let host = site.url("").replace("http://", "");
    let listing = Server::start(move |path| match path {
        "/robots.txt" => Reply::status(404),
        _ => {
            let urls: String = (5_000..5_700).map(|n| format!("<url><loc>http://{host}/x/{n}</loc></url>")).collect();
            Reply::text(format!("<urlset>{urls}</urlset>")).with_header("content-type", "application/xml")
        }
    });
    let listing = listing.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&site.url("/"), &listing.url("/sitemap.xml"), "--sitemaps", "--scope", "any"]).await;
    let listed = format!(
        "select count(*) from pages where status = 200 and url >= '{0}' and url <= '{0}699' and length(url) = {1}",
        site.url("/x/5"),
        site.url("/x/5000").len()
    );
    assert_eq!(bench.rows(&listed).await, ["700"]);
    // One, or two if the first page is read after one of those that say the same.
    assert_ne!(bench.rows("select count(*) from traps").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_without_a_word_are_all_fetched() {
    let site = Server::start(|path| {
        let photo = number(path);
        let next = if photo < 800 { format!("<a href=/photo/{}>", photo + 1) } else { String::new() };
        Reply::html(format!("{next}<img src=/images/{photo}.jpg>"))
    });
    let site = site.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&site.url("/photo/1")]).await;
    assert_eq!(bench.rows("select count(*) from pages union all select count(*) from traps").await, ["800", "0"]);
}
