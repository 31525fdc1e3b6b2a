//! `--sitemaps`: where sitemaps are looked for, what is taken of them, and that none does any harm.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "common/raw.rs"]
mod raw;

use std::io::Write as _;
use std::process::Output;
use std::sync::{Arc, Mutex};

use common::{Bench, page, stderr, until};
use flate2::Compression;
use flate2::write::GzEncoder;
use harvestman::demo::{Reply, Server};
use raw::{Raw, say};

async fn crawl(bench: &Bench, args: &[&str]) -> Output {
    let fast = ["--rate", "0", "--max-connections-per-host", "16", "--retries", "0"];
    bench.run(&[&["crawl", "--sitemaps"], args, &fast[..]].concat()).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn of_type(content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
    Reply { body: body.into(), ..Reply::html("") }.with_header("content-type", content_type)
}

fn xml(body: impl Into<String>) -> Reply {
    of_type("application/xml", body.into())
}

fn urlset<S: AsRef<str>>(urls: impl IntoIterator<Item = S>) -> String {
    let entry = |url: S| format!("<url><loc>{}</loc></url>", url.as_ref());
    format!("<urlset>{}</urlset>", urls.into_iter().map(entry).collect::<String>())
}

fn index<S: AsRef<str>>(urls: impl IntoIterator<Item = S>) -> String {
    let entry = |url: S| format!("<sitemap><loc>{}</loc></sitemap>", url.as_ref());
    format!("<sitemapindex>{}</sitemapindex>", urls.into_iter().map(entry).collect::<String>())
}

/// A site whose robots.txt names `/map`, which is `map`; every other path is an empty page.
async fn site(map: Reply) -> Server {
    let server = Server::start_with_request(move |hit| match hit.path.as_str() {
        "/robots.txt" => Reply::text(format!("Sitemap: http://{}/map\n", hit.header("host").unwrap())),
        "/map" => map.clone(),
        _ => page([""; 0]),
    });
    server.await.unwrap()
}

/// The paths a server was asked for besides robots.txt, sorted.
fn asked(server: &Server) -> Vec<String> {
    let mut paths: Vec<_> =
        server.hits().into_iter().map(|hit| hit.path).filter(|path| path != "/robots.txt").collect();
    paths.sort();
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_sitemap_that_robots_txt_names_is_read() {
    let server = Server::start_with_request(|hit| {
        let at = format!("http://{}", hit.header("host").unwrap());
        match hit.path.as_str() {
            "/robots.txt" => Reply::text(
                ["index.xml", "list.txt", "rss", "atom.xml", "utf16.xml"]
                    .map(|name| format!("Sitemap: {at}/{name}\n"))
                    .concat(),
            ),
            "/index.xml" => xml(index([format!("{at}/a.xml"), format!("{at}/b.xml.gz")])),
            "/a.xml" => xml(format!(
                "<urlset><url><loc>{at}/a?x=1&amp;y=2</loc><lastmod>2026-01-01T00:00:01Z</lastmod></url></urlset>"
            )),
            "/b.xml.gz" => of_type("application/x-gzip", gzip(urlset([format!("{at}/b")]).as_bytes())),
            "/list.txt" => of_type("text/plain", format!("\u{feff}{at}/list1\r\n\r\n{at}/list2#part\nno URL\n")),
            "/rss" => of_type(
                "application/rss+xml",
                format!("<rss><channel><link>{at}/no</link><item><link>{at}/rss-item</link></item></channel></rss>"),
            ),
            "/atom.xml" => {
                of_type("application/atom+xml", format!("<feed><entry><link href='{at}/atom-entry'/></entry></feed>"))
            }
            "/utf16.xml" => {
                let text = format!("\u{feff}{}", urlset([format!("{at}/utf16-ä")]));
                of_type("text/xml", text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())
            }
            _ => page([""; 0]),
        }
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/"), "--max-depth", "1"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let pages = ["/a?x=1&y=2", "/atom-entry", "/b", "/list1", "/list2", "/rss-item", "/utf16-%C3%A4"];
    let maps = ["/a.xml", "/atom.xml", "/b.xml.gz", "/index.xml", "/list.txt", "/rss", "/utf16.xml"];
    let mut expected = [&["/"], &pages[..], &maps].concat();
    expected.sort();
    assert_eq!(asked(&server), expected, "each once");
    let rows = "select count(*), min(depth), max(depth) from pages where url not like '%/'";
    assert_eq!(bench.rows(rows).await, ["14|1|1"], "a sitemap and what it names are one link from the site");
    let origin = server.url("");
    let how = format!(
        "select replace(url, '{origin}', ''), replace(referrer, '{origin}', ''), element from pages
         left join links on to_url = url where url like '%.xml' or url like '%/b' order by 1"
    );
    let expected = [
        "/a.xml|/index.xml|sitemap",
        "/atom.xml|null|null",
        "/b|/b.xml.gz|sitemap",
        "/index.xml|null|null",
        "/utf16.xml|null|null",
    ];
    assert_eq!(bench.rows(&how).await, expected);
    assert_eq!(bench.rows("select lastmod from url where lastmod is not null").await, ["1767225601000"]);
    assert_eq!(bench.rows("select body is not null from bodies where url like '%.gz'").await, ["1"], "as received");
    assert!(stderr(&output).contains("no http(s) URL"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn sitemaps_are_left_alone_unless_asked_for_by_flag_variable_or_file() {
    let server = site(xml(urlset(["/listed"]))).await;
    let seed = server.url("/");
    let bench = Bench::new();
    let args = ["crawl", &seed, "--rate", "0"];
    bench.run(&args).await;
    assert_eq!(asked(&server), ["/"]);
    bench.run(&[&args[..], &["--fresh", "-d", "flag.db", "--sitemaps"]].concat()).await;
    assert_eq!(asked(&server).len(), 4);
    let mut command = bench.command(&[&args[..], &["-d", "variable.db"]].concat());
    command.env("HARVESTMAN_SITEMAPS", "true");
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(asked(&server).len(), 7);
    std::fs::write(bench.path("harvestman.toml"), "sitemaps = true\n").unwrap();
    bench.run(&[&args[..], &["-d", "file.db"]].concat()).await;
    assert_eq!(asked(&server).len(), 10);
    bench.run(&[&args[..], &["-d", "off.db", "--sitemaps=false"]].concat()).await;
    assert_eq!(asked(&server).len(), 11, "the flag wins over the file");
}

#[tokio::test(flavor = "multi_thread")]
async fn sitemap_xml_is_tried_where_robots_txt_names_none() {
    for robots in [Reply::status(404), Reply::text("User-agent: *\nDisallow: /private\n")] {
        let server = Server::start(move |path| match path {
            "/robots.txt" => robots.clone(),
            "/sitemap.xml" => xml(urlset(["/listed", "/private"])),
            _ => page([""; 0]),
        });
        let server = server.await.unwrap();
        let bench = Bench::new();
        crawl(&bench, &[&server.url("/")]).await;
        assert!(["/", "/listed", "/sitemap.xml"].iter().all(|path| asked(&server).iter().any(|asked| asked == path)));
        let way = bench.run(&["explain", &server.url("/listed")]).await;
        assert!(String::from_utf8_lossy(&way.stdout).contains("named by robots.txt, or looked for at its usual place"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sitemap_xml_that_is_not_there_is_a_page_of_404_and_no_broken_link() {
    let server = Server::start(|path| if path == "/" { page([""; 0]) } else { Reply::status(404) }).await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/")]).await;
    assert_eq!(output.status.code(), Some(0));
    let row = "select status, depth, referrer from pages where url like '%/sitemap.xml'";
    assert_eq!(bench.rows(row).await, ["404|1|null"]);
    assert_eq!(bench.rows("select * from broken_links").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_the_place_of_a_sitemap_is_a_page() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::status(404),
        "/sitemap.xml" => Reply::html("<!doctype html><title>Lost?</title><a href=/help>Help</a>"),
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    assert_eq!(asked(&server), ["/", "/help", "/sitemap.xml"]);
    assert_eq!(bench.rows("select url like '%/sitemap.xml' from pages where title = 'Lost?'").await, ["1"]);
    assert_eq!(bench.rows("select element from links").await, ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sitemap_that_redirects_is_followed_and_one_that_leads_home_fetches_nothing_twice() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::status(404),
        "/sitemap.xml" => Reply::redirect(301, "/wp-sitemap"),
        "/wp-sitemap" => of_type("application/octet-stream", gzip(urlset(["/listed"]).as_bytes())),
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/"), "--max-depth", "1"]).await;
    assert_eq!(asked(&server), ["/", "/listed", "/sitemap.xml", "/wp-sitemap"]);

    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::status(404),
        "/sitemap.xml" => Reply::redirect(302, "/"),
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    assert_eq!(asked(&server), ["/", "/sitemap.xml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_that_name_each_other_come_to_an_end() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::status(404),
        "/sitemap.xml" => xml(index(["/sitemap.xml", "/1"])),
        "/" => page([""; 0]),
        path => xml(index([format!("{path}1"), "/sitemap.xml".into()])),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/")]).await;
    assert_eq!(asked(&server), ["/", "/1", "/11", "/sitemap.xml"]);
    assert!(stderr(&output).contains("indexes of indexes"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sitemap_names_is_judged_by_scope_and_robots_txt_like_any_link() {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::text("User-agent: *\nDisallow: /private\n"),
        "/sitemap.xml" => {
            let long = format!("/{}", "x".repeat(5_000));
            let urls = ["/docs/a", "/docs/b.pdf", "/blog", "/private", "http://elsewhere.test/docs/", &long];
            xml(urlset(urls)).with_header("x-robots-tag", "noindex")
        }
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let patterns = ["--include", "/docs/|/private|xxx", "--exclude", "[.]pdf$"];
    crawl(&bench, &[&[server.url("/").as_str()], &patterns[..]].concat()).await;
    assert_eq!(asked(&server), ["/", "/docs/a", "/sitemap.xml"], "a sitemap need not match --include");
    let rows = bench.rows("select reason, count(*) from skipped group by 1 order by 1").await;
    assert_eq!(rows, ["excluded|2", "robots|1", "scope|1", "url_too_long|1"]);
    let balance = "select discovered - fetched - failed - skipped - pending, pending from accounting";
    assert_eq!(bench.rows(balance).await, ["0|0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn seeds_alone_are_seeds_alone() {
    for narrow in [["--max-depth", "0"], ["--scope", "page"]] {
        let server = site(xml(urlset(["/listed"]))).await;
        let bench = Bench::new();
        crawl(&bench, &[&[server.url("/").as_str()], &narrow[..]].concat()).await;
        assert_eq!(asked(&server), ["/"], "{narrow:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_may_name_a_sitemap_out_of_scope_but_none_at_a_private_address() {
    let other = Server::start(|path| match path {
        "/maps/cdn.xml" => xml(index(["/maps/more.xml"])),
        "/maps/more.xml" => xml(urlset(["/pages/listed", "/maps/page"])),
        _ => page([""; 0]),
    });
    let other = other.await.unwrap();
    let stranger = Server::start(|_| xml(urlset(["/"]))).await.unwrap();
    let named =
        [other.url("/maps/cdn.xml"), stranger.url("/map.xml"), stranger.url("/").replace("127.0.0.1", "localhost")];
    let targets = [stranger.url("/page"), "http://169.254.169.254/latest".into()];
    let server = Server::start(move |path| match path {
        "/robots.txt" => Reply::text(
            named.iter().map(|url| format!("Sitemap: {url}\n")).collect::<String>() + "Sitemap: relative.xml",
        ),
        "/more.xml" => xml(urlset(&targets)),
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    // The second seed lends its host, which may be asked then, and a scope that does not hold the sitemaps.
    crawl(&bench, &[&server.url("/sub/"), &other.url("/pages/"), "--scope", "prefix"]).await;
    assert!(
        ["/maps/cdn.xml", "/maps/more.xml", "/pages/listed"]
            .iter()
            .all(|path| asked(&other).contains(&(*path).to_owned()))
    );
    assert!(!asked(&other).contains(&"/maps/page".to_owned()));
    assert_eq!(
        bench.rows("select reason, count(*) from skipped group by 1 order by 1").await,
        ["private_address|2", "scope|1"]
    );

    let bench = Bench::new();
    crawl(&bench, &[&server.url("/"), &server.url("/more.xml"), "--scope", "any"]).await;
    assert_eq!(stranger.hit_count(), 0);
    let rows = bench.rows("select count(*) from skipped where reason = 'private_address'").await;
    assert_eq!(rows, ["5"], "three sitemaps and two entries");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_of_a_foreign_sitemap_is_asked_for_that_file_alone() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let proxy = Raw::start(move |url| {
        log.lock().unwrap().push(url.to_owned());
        let body = match url {
            "http://site.test/robots.txt" => "Sitemap: http://cdn.test/map.xml\n".to_owned(),
            "http://cdn.test/robots.txt" => {
                "Sitemap: http://cdn.test/own.xml\nSitemap: http://far.test/map.xml\n".to_owned()
            }
            "http://cdn.test/map.xml" => urlset(["http://site.test/listed", "http://cdn.test/page"]),
            _ => String::new(),
        };
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n";
        say(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()))
    })
    .await;
    let bench = Bench::new();
    let output = crawl(&bench, &["http://site.test/", "--proxy", &proxy.url("/")]).await;
    let mut asked = asked.lock().unwrap().clone();
    asked.sort();
    let expected = [
        "http://cdn.test/map.xml",
        "http://cdn.test/robots.txt",
        "http://site.test/",
        "http://site.test/listed",
        "http://site.test/robots.txt",
    ];
    assert_eq!(asked, expected, "{}", stderr(&output));
    assert_eq!(bench.rows("select url, reason from skipped").await, ["http://cdn.test/page|scope"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_from_the_database_names_its_sitemaps_too() {
    let server = Server::start_with_request(|hit| match hit.path.as_str() {
        "/robots.txt" => Reply::text(format!("Sitemap: http://{}/map.gz\n", hit.header("host").unwrap())),
        "/map.gz" => of_type("application/gzip", gzip(urlset(["/listed"]).as_bytes())),
        "/" => page(["/map.gz", "/near"]),
        "/near" => page(["/far"]),
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/");
    bench.run(&["crawl", &seed, "--rate", "0", "--max-pages", "3"]).await;
    assert_eq!(asked(&server), ["/", "/map.gz", "/near"]);
    // The same run goes on, and the file that was left alone as a page is read as a sitemap.
    crawl(&bench, &[&seed]).await;
    assert_eq!(asked(&server), ["/", "/far", "/listed", "/map.gz", "/map.gz", "/near"]);
    assert_eq!(server.hits().iter().filter(|hit| hit.path == "/robots.txt").count(), 1);
    assert_eq!(bench.rows("select discovered, fetched, pending from accounting").await, ["5|5|0"]);
    // A new run finds nothing new, and asks for each once more.
    crawl(&bench, &[&seed]).await;
    assert_eq!(asked(&server).len(), 11);
    assert_eq!(bench.rows("select discovered, fetched, unchanged from runs where id = 2").await, ["5|5|5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_is_read_for_its_sitemaps_even_if_its_rules_are_ignored() {
    let server = Server::start_with_request(|hit| match hit.path.as_str() {
        "/robots.txt" => {
            let host = hit.header("host").unwrap();
            Reply::text(format!("User-agent: *\nCrawl-delay: 60\nDisallow: /\nSitemap: http://{host}/map\n"))
        }
        "/map" => xml(urlset(["/listed"])),
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/"), "--ignore-robots"]).await;
    assert_eq!(asked(&server), ["/", "/listed", "/map"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sitemap_can_be_the_seed() {
    for (path, reply) in [
        ("/all.xml", xml(urlset(["/listed"]))),
        ("/all.xml.gz", of_type("application/gzip", gzip(urlset(["/listed"]).as_bytes()))),
    ] {
        let server = Server::start(move |asked| match asked {
            "/robots.txt" | "/sitemap.xml" => Reply::status(404),
            asked if asked == path => reply.clone(),
            _ => page([""; 0]),
        });
        let server = server.await.unwrap();
        let bench = Bench::new();
        crawl(&bench, &[&server.url(path)]).await;
        assert_eq!(asked(&server), [path, "/listed", "/sitemap.xml"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_that_robots_txt_names_as_a_sitemap_is_read_as_one() {
    let server = site(of_type("text/plain", "http://elsewhere.test/listed")).await;
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/map")]).await;
    assert_eq!(bench.rows("select to_url, element from links").await, ["http://elsewhere.test/listed|sitemap"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_and_broken_files_are_failures_of_that_file_alone() {
    let zeros = gzip(&vec![0; 64 << 20]);
    let truncated = gzip(urlset((0..999).map(|n| format!("/{n}"))).as_bytes());
    let truncated = truncated[..truncated.len() / 2].to_vec();
    let server = Server::start_with_request(move |hit| match hit.path.as_str() {
        "/robots.txt" => {
            let host = hit.header("host").unwrap();
            let names = ["gib-of-zeros", "plain", "truncated", "no-gzip", "laughs", "nested", "page-of-20-mib", "fine"];
            Reply::text(names.map(|name| format!("Sitemap: http://{host}/{name}\n")).concat())
        }
        "/gib-of-zeros" => of_type("application/gzip", zeros.repeat(16)),
        "/plain" => xml(" ".repeat((50 << 20) + 1)),
        "/no-gzip" => of_type("application/gzip", truncated[..5].to_vec()),
        "/truncated" => of_type("application/gzip", truncated.clone()),
        "/laughs" => {
            xml("<!DOCTYPE urlset [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><urlset><url><loc>/&b;</loc></url></urlset>")
        }
        "/nested" => xml("<urlset>".to_owned() + &"<x>".repeat(1 << 20)),
        "/page-of-20-mib" => Reply::html("<p>".to_owned() + &" ".repeat(20 << 20)),
        "/fine" => xml(urlset(["/listed"])),
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/")]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let failures = "select replace(url, rtrim(url, replace(url, '/', '')), ''), kind from failures order by 1";
    let expected = ["gib-of-zeros|too_large", "no-gzip|decode", "page-of-20-mib|too_large", "plain|too_large"];
    assert_eq!(bench.rows(failures).await, expected);
    let taken = "select count(*) between 10 and 998 from links where from_url like '%/truncated'";
    assert_eq!(bench.rows(taken).await, ["1"]);
    let fetched = "select count(*) from pages where url like '%/laughs' or url like '%/nested' or url like '%/listed'";
    assert_eq!(bench.rows(fetched).await, ["3"]);
    assert!(stderr(&output).contains("nested too deep"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_thousand_urls_are_taken_of_one_file_and_the_log_says_so() {
    let server = site(xml(urlset((0..60_000).map(|n| format!("/{n}"))))).await;
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/"), "--max-pages", "5"]).await;
    assert!(stderr(&output).contains("read in part"), "{}", stderr(&output));
    let rows = bench.rows("select discovered, fetched, pending from accounting").await;
    assert_eq!(rows, ["50002|5|49997"], "sitemaps count as pages: the limit stays exact");
    assert_eq!(asked(&server).len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loses_no_entry_of_a_sitemap() {
    let server = Server::start_with_request(|hit| match hit.path.as_str() {
        "/robots.txt" => Reply::text(format!("Sitemap: http://{}/map\n", hit.header("host").unwrap())),
        "/map" => xml(index((0..5).map(|n| format!("/map{n}")))),
        path if path.starts_with("/map") => xml(urlset((0..40).map(|n| format!("/page/{}/{n}", &path[4..])))),
        _ => page([""; 0]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let seed = server.url("/");
    for enough in [1, 3, 8, 60] {
        let mut child = bench.start(&["crawl", &seed, "--sitemaps", "--rate", "0", "--concurrency", "2"]);
        let enough = server.hit_count() + enough;
        until("the crawl is under way", || server.hit_count() >= enough).await;
        bench.kill(&mut child).await;
    }
    crawl(&bench, &[&seed]).await;
    assert_eq!(bench.rows("select discovered, fetched, pending from accounting").await, ["207|207|0"]);
}
