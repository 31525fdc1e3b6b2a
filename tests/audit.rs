//! `audit`: what it finds on sites with faults that were put there, and that it finds nothing else.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs::File;
use std::io::BufReader;
use std::time::Duration;

use calamine::{Reader as _, Xlsx};
use common::site::{Made, Site, audit, audited, crawl, details, findings, page, prose, sitemap, sorted, titled};
use common::{Bench, stderr, stdout};
use harvestman::demo::{Reply, Server};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn on_a_clean_site_nothing_is_found() {
    let site = Site::default();
    let paths: Vec<_> =
        (0..40).map(|number| if number == 0 { "/".to_owned() } else { format!("/p/{number}") }).collect();
    for (number, path) in paths.iter().enumerate() {
        let below =
            [2 * number + 1, 2 * number + 2].into_iter().filter_map(|child| paths.get(child).map(String::as_str));
        let targets: Vec<_> = ["/"].into_iter().chain(below).collect();
        let made = page(path).links(&targets).head(&format!("<link rel=canonical href='{path}#top'>"));
        let described = format!(
            "<script type='application/ld+json'>{{\"@type\": \"Product\", \"name\": \"{path}\", \"offers\": {{\"price\": {number}}}}}</script>"
        );
        let mut made = made.head(&described).head(&format!("<link rel=alternate hreflang=en-GB href='{path}'>"));
        made.body.push_str("<h2>More</h2><img src=/leg.png alt='A leg'><img src=/line.png alt=''>");
        site.put(path, made.head("<meta name=robots content='index, follow, max-image-preview:large'>").reply());
    }
    let server = site.serve().await;
    let listed: Vec<_> = paths.iter().map(String::as_str).collect();
    site.put("/sitemap.xml", sitemap(&server, &listed));
    site.put("/robots.txt", Reply::text(format!("Sitemap: {}", server.url("/sitemap.xml"))));
    let bench = Bench::new();
    crawl(&bench, &server, &["--sitemaps", "--extract", "all"]).await;
    assert_eq!(bench.rows("select count(*) from pages where status = 200").await, ["41"]);
    assert_eq!(findings(&bench, &server).await, [""; 0]);
    let told = stdout(&audit(&bench, &[]).await);
    assert!(told.starts_with("Run 1: 0 errors, 0 warnings, 0 notices\n") && told.contains("Not checked\n"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_links_and_redirects_are_found_and_nothing_else() {
    let site = Site::default();
    let mut front = page("/").links(&[
        "/a",
        "/b",
        "/to-gone",
        "/cut",
        "/moved",
        "/chain/1",
        "/loop/1",
        "/closed/1",
        "/closed/2",
        "/d1",
    ]);
    front.body.push_str("<footer><a href='/gone'>gone</a></footer>");
    site.put("/", front.reply());
    site.put("/a", page("/a").links(&["/gone", "/moved", "/chain/1", "/closed/1", "/spin/1"]).reply());
    site.put("/b", page("/b").links(&["/a", "/", "/chain/2", "/b#part"]).reply());
    site.put("/to-gone", Reply::redirect(301, "/gone"));
    site.put("/cut", Reply::redirect(302, "http://127.0.0.1:1/"));
    site.put("/moved", Reply::redirect(301, "/b"));
    site.put("/chain/1", Reply::redirect(302, "/chain/2"));
    site.put("/chain/2", Reply::redirect(302, "/chain/3"));
    site.put("/chain/3", Reply::redirect(302, "/b"));
    site.put("/chain/other", Reply::redirect(302, "/moved"));
    for name in ["loop", "spin"] {
        site.put(&format!("/{name}/1"), Reply::redirect(302, &format!("/{name}/2")));
        site.put(&format!("/{name}/2"), Reply::redirect(302, &format!("/{name}/1")));
    }
    for number in 1..=7 {
        let below = if number == 5 { vec!["/d6", "/chain/other"] } else { vec![] };
        let next = format!("/d{}", number + 1);
        let targets = [&[next.as_str()][..], &below].concat();
        site.put(&format!("/d{number}"), page(&format!("/d{number}")).links(&targets).reply());
    }
    site.put("/d8", page("/d8").reply());
    site.put("/robots.txt", Reply::text("User-agent: *\nDisallow: /closed/\n"));
    let server = site.serve().await;
    let bench = Bench::new();
    crawl(&bench, &server, &[]).await;
    let expected = sorted(vec![
        "broken-link / /gone",
        "broken-link / /to-gone",
        "broken-link / /loop/1",
        "broken-link /a /gone",
        "broken-link /a /spin/1",
        "redirect-loop /loop/1",
        "redirect-loop /spin/1",
        "redirect-chain /chain/1 /b",
        "redirect-chain /chain/other /b",
        "redirected-link / /moved",
        "redirected-link / /chain/1",
        "redirected-link /a /moved",
        "redirected-link /a /chain/1",
        "redirected-link /b /chain/2",
        "redirected-link /d5 /chain/other",
        "blocked-link /closed/1 /",
        "blocked-link /closed/2 /",
        "deep /d6",
        "deep /d7",
        "deep /d8",
    ]);
    assert_eq!(findings(&bench, &server).await, expected);
    let broken = details(&bench, &server, "broken-link").await;
    assert!(broken.contains(&"/|404, in footer".to_owned()), "{broken:?}");
    assert!(broken.contains(&"/|404 at /gone".to_owned()) && broken.contains(&"/a|404".to_owned()), "{broken:?}");
    assert_eq!(details(&bench, &server, "deep").await, ["/d6|6 clicks", "/d7|7 clicks", "/d8|8 clicks"]);
    let blocked = details(&bench, &server, "blocked-link").await;
    assert_eq!(blocked, ["/closed/1|linked to by 2 pages", "/closed/2|linked to by 1 page"]);
    let told = stdout(&audit(&bench, &[]).await);
    assert!(told.contains("links: 1 target of links and redirects not asked for (1 scope)"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_indexing_and_sitemaps_are_found_and_nothing_else() {
    let site = Site::default();
    let names = |target: &str| format!("<link rel=canonical href='{target}'>");
    let paths = [
        "/hidden/meta",
        "/hidden/header",
        "/hidden/none",
        "/other/1",
        "/other/2",
        "/other/broken",
        "/other/moved",
        "/other/chain",
        "/moved",
        "/self",
        "/bot",
        "/comment",
        "/unlisted/1",
        "/unlisted/2",
    ];
    site.put("/", page("/").links(&paths).reply());
    for path in ["/self", "/unlisted/1", "/unlisted/2", "/orphan/1", "/orphan/2"] {
        site.put(path, page(path).head(&names(path)).reply());
    }
    site.put("/hidden/meta", page("/hidden/meta").head("<META NAME='Robots' content='NOINDEX'>").reply());
    let header = page("/hidden/header").reply().with_header("x-robots-tag", "googlebot: noindex, nofollow");
    site.put("/hidden/header", header);
    site.put("/hidden/none", page("/hidden/none").head("<meta name=googlebot content='none'>").reply());
    site.put("/bot", page("/bot").reply().with_header("x-robots-tag", "otherbot: noindex"));
    site.put("/comment", page("/comment").head("<!-- <meta name=robots content=noindex> -->").reply());
    site.put("/other/1", page("/other/1").head(&names("/self")).reply());
    site.put("/other/2", page("/other/2").head(&names("/self#part")).reply());
    site.put("/other/broken", page("/other/broken").head(&names("/missing")).reply());
    site.put("/other/moved", page("/other/moved").head(&names("/moved")).reply());
    site.put("/other/chain", page("/other/chain").head(&names("/other/1")).reply());
    site.put("/other/chain2", page("/other/chain2").head(&names("/other/2")).links(&["/"]).reply());
    site.put("/moved", Reply::redirect(301, "/self"));
    let server = site.serve().await;
    let listed = [
        "/",
        "/self",
        "/bot",
        "/comment",
        "/orphan/1",
        "/orphan/2",
        "/moved",
        "/missing2",
        "/hidden/meta",
        "/other/1",
        "/closed/1",
        "/other/chain2",
    ];
    site.put("/sitemap.xml", sitemap(&server, &listed));
    let robots = format!("User-agent: *\nDisallow: /closed/\nSitemap: {}", server.url("/sitemap.xml"));
    site.put("/robots.txt", Reply::text(robots));
    let bench = Bench::new();
    crawl(&bench, &server, &["--sitemaps"]).await;
    let expected = sorted(vec![
        "noindex /hidden/meta",
        "noindex /hidden/header",
        "noindex /hidden/none",
        "nofollow /hidden/header",
        "nofollow /hidden/none",
        "canonical-elsewhere /other/1 /self",
        "canonical-elsewhere /other/2 /self",
        "canonical-elsewhere /other/broken /missing",
        "canonical-elsewhere /other/moved /moved",
        "canonical-elsewhere /other/chain /other/1",
        "canonical-elsewhere /other/chain2 /other/2",
        "canonical-broken /other/broken /missing",
        "canonical-broken /other/moved /moved",
        "canonical-chain /other/chain /other/1",
        "canonical-chain /other/chain2 /other/2",
        "redirected-link / /moved",
        "orphan /orphan/1",
        "orphan /orphan/2",
        "orphan /other/chain2",
        "sitemap-unusable /moved /sitemap.xml",
        "sitemap-unusable /missing2 /sitemap.xml",
        "sitemap-unusable /hidden/meta /sitemap.xml",
        "sitemap-unusable /other/1 /sitemap.xml",
        "sitemap-unusable /other/chain2 /sitemap.xml",
        "sitemap-unusable /closed/1 /sitemap.xml",
        "sitemap-missing /unlisted/1",
        "sitemap-missing /unlisted/2",
    ]);
    assert_eq!(findings(&bench, &server).await, expected);
    let unusable = details(&bench, &server, "sitemap-unusable").await;
    let expected = [
        "/closed/1|forbidden by robots.txt",
        "/hidden/meta|says noindex",
        "/missing2|answers with 404",
        "/moved|redirects to /self",
        "/other/1|names /self as canonical",
        "/other/chain2|names /other/2 as canonical",
    ];
    let unusable: Vec<_> = unusable.iter().map(|row| row.replace("#part", "")).collect();
    assert_eq!(unusable, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_titles_contents_and_headers_are_found_and_nothing_else() {
    let site = Site::default();
    let fine = "A description that says in a sentence what is to be found on the page";
    let paths = [
        "/none",
        "/blank",
        "/long/wide",
        "/long/many",
        "/narrow",
        "/short/1",
        "/short/2",
        "/japanese",
        "/same/1",
        "/same/2",
        "/same/3",
        "/same/canonical",
        "/same/hidden",
        "/soft/title",
        "/soft/text",
        "/lost",
        "/about-404",
        "/thin/1",
        "/thin/2",
        "/copy/1",
        "/copy/2",
        "/copy/3",
        "/print/1",
        "/print/2",
        "/slow/1",
        "/slow/2",
        "/heavy/1",
        "/heavy/2",
        "/charset/1",
        "/charset/2",
        "/charset/fine",
        "/charset/latin",
        "/charset/broken",
        "/text",
        "/ids/1",
        "/ids/2",
        "/ids/case",
        "/ids/name",
        "/ids/inert",
    ];
    site.put("/", page("/").links(&paths).reply());
    site.put("/none", Made { head: String::new(), ..page("/none") }.reply());
    site.put("/blank", titled(" ", " ", "/blank"));
    site.put("/long/wide", titled(&"WIDE MOON ".repeat(5), &format!("{fine} {}", "x".repeat(120)), "/long/wide"));
    site.put("/long/many", titled(&"illicit li ".repeat(6), &format!("{fine}. {fine}. {fine}"), "/long/many"));
    site.put("/narrow", titled(&"illicit li ".repeat(5), &format!("{fine} (narrow)"), "/narrow"));
    site.put("/short/1", titled("Short", "Too short", "/short/1"));
    site.put("/short/2", titled("Brief", "Far too brief", "/short/2"));
    site.put("/japanese", titled("座頭虫の暮らしと森", &"座頭虫は森に住む。".repeat(4), "/japanese"));
    for number in 1..=3 {
        let path = format!("/same/{number}");
        site.put(&path, titled("The same title on all of them", &format!("{fine}: all"), &path));
    }
    let head = "<title>The same title on all of them</title><link rel=canonical href='/same/1'>".to_owned();
    site.put("/same/canonical", Made { head, ..page("/same/canonical") }.reply());
    let head = "<title>The same title on all of them</title><meta name=robots content=noindex>".to_owned();
    site.put("/same/hidden", Made { head, ..page("/same/hidden") }.reply());
    let lost = "<title>Oh no, what now</title><p>There is nothing of this name, and there never was";
    site.put("/lost", Reply { status: 404, ..Reply::html(lost) });
    let soft = |title: &str, text: &str, path: &str| {
        let head = format!("<title>{title}</title><meta name=description content='{fine} {path}'>");
        Made { head, body: text.to_owned() }.reply()
    };
    let few = prose("few").split(' ').take(120).collect::<Vec<_>>().join(" ");
    site.put("/soft/title", soft("Page not found | The Ledger", &few, "/soft/title"));
    let text = "<p>There is nothing of this name, and there never was";
    site.put("/soft/text", soft("Whatever it may be", text, "/soft/text"));
    site.put("/about-404", titled("What 404 Not Found means", &format!("{fine} of 404"), "/about-404"));
    site.put("/thin/1", soft("A page with a few words", "<p>Few words.", "/thin/1"));
    site.put("/thin/2", soft("A page with no words at all", "", "/thin/2"));
    for number in 1..=3 {
        site.put(&format!("/copy/{number}"), page("/copy").reply());
    }
    for number in 1..=2 {
        site.put(&format!("/print/{number}"), page("/print").head("<link rel=canonical href='/print/1'>").reply());
    }
    for number in 1..=2 {
        let (slow, heavy) = (format!("/slow/{number}"), format!("/heavy/{number}"));
        site.put(&slow, page(&slow).reply().delayed(Duration::from_millis(1_600)));
        site.put(&heavy, page(&heavy).head(&format!("<!-- {} -->", "x".repeat(70_000))).reply());
        let path = format!("/charset/{number}");
        site.put(&path, page(&path).reply().with_header("content-type", "text/html; charset=windows-1252"));
    }
    site.put("/charset/fine", page("/charset/fine").reply().with_header("content-type", "text/html; charset=UTF8"));
    // The same bytes are a fault only where they are said to be UTF-8.
    let with_latin = |path: &str| {
        let mut reply = page(path).reply();
        reply.body.extend(b"<p>fa\xE7ade");
        reply
    };
    let latin = "text/html; charset=iso-8859-1";
    let latin = with_latin("/charset/latin").with_header("content-type", latin);
    let meta = latin.body.windows(20).position(|part| part == b"<meta charset=utf-8>").unwrap();
    let latin = Reply { body: [&latin.body[..meta], &latin.body[meta + 20..]].concat(), ..latin };
    site.put("/charset/latin", latin);
    site.put("/charset/broken", with_latin("/charset/broken"));
    site.put("/text", Reply::text("Not found"));
    let ids = [
        ("/ids/1", "<p id=a><p id=a>"),
        ("/ids/2", "<p id=z><i id=b></i></p><i id=b></i><i id=z></i><i id=z></i>"),
        ("/ids/case", "<p id=a><p id=A>"),
        ("/ids/name", "<a name=a></a><p id=a>"),
        ("/ids/inert", "<p id=a><template><p id=a></template><noscript><p id=a></noscript><!-- <p id=a> -->"),
    ];
    for (path, body) in ids {
        let mut page = page(path);
        page.body.push_str(body);
        site.put(path, page.reply());
    }
    let server = site.serve().await;
    let bench = Bench::new();
    crawl(&bench, &server, &["--max-connections-per-host", "16"]).await;
    std::fs::write(bench.path("harvestman.toml"), "[audit]\nslow = '1500ms'\nheavy = '64KiB'\n").unwrap();
    let expected = sorted(vec![
        "title-missing /none",
        "title-missing /blank",
        "title-long /long/wide",
        "title-long /long/many",
        "title-short /short/1",
        "title-short /short/2",
        "title-duplicate /same/2 /same/1",
        "title-duplicate /same/3 /same/1",
        "title-duplicate /copy/2 /copy/1",
        "title-duplicate /copy/3 /copy/1",
        "description-missing /none",
        "description-missing /blank",
        "description-long /long/wide",
        "description-long /long/many",
        "description-short /short/1",
        "description-short /short/2",
        "description-duplicate /same/2 /same/1",
        "description-duplicate /same/3 /same/1",
        "description-duplicate /copy/2 /copy/1",
        "description-duplicate /copy/3 /copy/1",
        "canonical-elsewhere /same/canonical /same/1",
        "canonical-elsewhere /print/2 /print/1",
        "noindex /same/hidden",
        "broken-link / /lost",
        "soft-404 /soft/title",
        "soft-404 /soft/text",
        "thin /soft/text",
        "thin /thin/1",
        "thin /thin/2",
        "duplicate /copy/2 /copy/1",
        "duplicate /copy/3 /copy/1",
        "slow /slow/1",
        "slow /slow/2",
        "heavy /heavy/1",
        "heavy /heavy/2",
        "duplicate-id /ids/1",
        "duplicate-id /ids/2",
        "charset-conflict /charset/1",
        "charset-conflict /charset/2",
        "charset-conflict /charset/broken",
    ]);
    assert_eq!(findings(&bench, &server).await, expected);
    assert_eq!(details(&bench, &server, "thin").await[1..], ["/thin/1|2 words", "/thin/2|0 words"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hosts_leave_out_is_found_once_a_host_and_of_https_besides() {
    let site = Site::default();
    let bare = |path: &str| Reply { headers: vec![], ..page(path).reply() }.with_header("content-type", "text/html");
    let policy = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'self'\">";
    site.put("/", page("/").head(policy).links(&["/a", "/b"]).reply());
    site.put("/a", bare("/a"));
    site.put("/b", bare("/b"));
    let server = site.serve().await;
    let other = Site::default();
    let strict = |path: &str, links: &[&str]| {
        page(path).links(links).reply().with_header("strict-transport-security", "max-age=31536000")
    };
    other.put("/", strict("/ of the other", &["/c", &server.url("/a"), &server.url("/b")]));
    let without = page("/c").head(policy).reply();
    let headers = without.headers.iter().filter(|(name, _)| name != "content-security-policy").cloned().collect();
    let sub = Reply { headers, ..without };
    other.put("/c", sub.with_header("strict-transport-security", "max-age=31536000"));
    let other = other.serve().await;
    let bench = Bench::new();
    crawl(&bench, &server, &[&other.url("/")]).await;
    let told = findings(&bench, &server).await;
    assert_eq!(told, ["csp-missing /a", "nosniff-missing /a"]);
    assert_eq!(details(&bench, &server, "csp-missing").await, ["/a|2 of 3 pages"]);

    // The same as if the hosts spoke https.
    let secure = |server: &Server| {
        ["url", "host"].map(|t| {
            let (from, to) = (server.url(""), server.url("").replace("http:", "https:"));
            format!("update {t} set {t} = replace({t}, '{from}', '{to}') where {t} like '{from}%'")
        })
    };
    bench.write(&secure(&other).join(";")).await;
    audited(&bench).await;
    let sql = "select finding, url, other_url from findings where severity = 'warning'";
    let expected = ["/a", "/b"]
        .map(|path| format!("insecure-link|{}|{}", other.url("/").replace("http:", "https:"), server.url(path)));
    let mut told = bench.rows(sql).await;
    told.sort();
    assert_eq!(told, expected);
    bench.write(&secure(&server).join(";")).await;
    let told = findings(&bench, &server).await;
    let first = server.url("/").replace("http:", "https:");
    assert_eq!(
        told.iter().filter(|row| row.starts_with("hsts")).collect::<Vec<_>>(),
        [&format!("hsts-missing {first}")]
    );
    assert!(told.iter().all(|row| !row.starts_with("insecure")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_there_is_new_what_stays_is_open_and_what_is_gone_is_fixed() {
    let site = Site::default();
    site.put("/", page("/").links(&["/a", "/b", "/gone"]).reply());
    site.put("/a", titled("Short", "A description that says in a sentence what is there", "/a"));
    site.put("/b", page("/b").reply());
    let server = site.serve().await;
    let bench = Bench::new();
    let states = async |run: i64| {
        let sql = format!("select finding, url, state from findings where run = {run} order by finding, url, state");
        let rows = bench.rows(&sql).await;
        rows.into_iter().map(|row| row.replace(&server.url(""), "")).collect::<Vec<_>>()
    };
    crawl(&bench, &server, &[]).await;
    audited(&bench).await;
    let first = ["broken-link|/|new", "title-short|/a|new"];
    assert_eq!(states(1).await, first);
    audited(&bench).await;
    assert_eq!(states(1).await, first, "a second audit takes the place of the first");

    site.put("/a", page("/a").reply());
    site.put("/b", titled("Brief", "Another description that says in a sentence what is there", "/b"));
    crawl(&bench, &server, &[]).await;
    audited(&bench).await;
    let second = ["broken-link|/|open", "title-short|/a|fixed", "title-short|/b|new"];
    assert_eq!(states(2).await, second);
    audited(&bench).await;
    assert_eq!(states(2).await, second, "it is compared with the run before all the same");
    let told = stdout(&audit(&bench, &[]).await);
    assert!(told.starts_with("Run 2, compared with run 1: 1 error, 0 warnings, 1 notice\n"), "{told}");
    let names = |told: &str| told.lines().nth(2).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(names(&told), "severity finding count new fixed example");

    // What is not checked this time, or is to be ignored, is not fixed by that.
    let output = bench.run(&["crawl", &server.url("/"), "--rate", "0", "--no-links", "--keep-runs", "1"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    std::fs::write(bench.path("harvestman.toml"), "[audit]\nignore = ['title-short */b']\n").unwrap();
    audited(&bench).await;
    assert_eq!(states(3).await, [""; 0]);
    assert_eq!(
        (states(1).await.len(), states(2).await.len()),
        (0, 3),
        "the last audit before is kept, older ones are not"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_is_told_by_its_least_url_whichever_closed_it() {
    let site = Site::default();
    site.put("/", page("/").links(&["/loop/b"]).reply());
    for (from, to) in [("b", "c"), ("c", "a"), ("a", "b")] {
        site.put(&format!("/loop/{from}"), Reply::redirect(302, &format!("/loop/{to}")));
    }
    let server = site.serve().await;
    let bench = Bench::new();
    let mut closed = Vec::new();
    for (run, state) in [(1, "new"), (2, "open"), (3, "open")] {
        crawl(&bench, &server, &[]).await;
        closed.extend(bench.rows("select url from failures").await);
        audited(&bench).await;
        let sql = format!("select url, detail, state from findings where run = {run} and finding = 'redirect-loop'");
        let expected =
            format!("{}|redirects to {}, which leads back here|{state}", server.url("/loop/a"), server.url("/loop/b"));
        assert_eq!(bench.rows(&sql).await, [expected], "{closed:?}");
    }
    assert!(closed[0] != closed[1] || closed[1] != closed[2], "it is closed by others: {closed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_before_and_is_linked_to_no_more_is_an_orphan() {
    let site = Site::default();
    site.put("/", page("/").links(&["/a", "/b", "/c"]).reply());
    for path in ["/a", "/b", "/c"] {
        site.put(path, page(path).reply());
    }
    let server = site.serve().await;
    let bench = Bench::new();
    crawl(&bench, &server, &[]).await;
    assert_eq!(findings(&bench, &server).await, [""; 0]);
    site.put("/", page("/").links(&["/c"]).reply());
    site.put("/b", Reply::status(410));
    crawl(&bench, &server, &[]).await;
    assert_eq!(findings(&bench, &server).await, ["orphan /a"]);
    assert_eq!(details(&bench, &server, "orphan").await, ["/a|only earlier runs knew it"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_is_one_of_the_view_that_a_sitemap_names_or_an_earlier_run_knew() {
    let site = Site::default();
    site.put("/", page("/").links(&["/old"]).head("<link rel=alternate hreflang=de href=/de>").reply());
    site.put("/old", Reply::redirect(301, "/reached"));
    for path in ["/reached", "/de", "/listed"] {
        site.put(path, page(path).reply());
    }
    let server = site.serve().await;
    site.put("/sitemap.xml", sitemap(&server, &["/listed"]));
    site.put("/robots.txt", Reply::text(format!("Sitemap: {}", server.url("/sitemap.xml"))));
    let bench = Bench::new();
    let later =
        ["/de|only earlier runs knew it", "/listed|only a sitemap names it", "/reached|only a redirect leads there"];
    for (night, told) in [(1, &["/listed|only a sitemap names it"][..]), (2, &later)] {
        crawl(&bench, &server, &["--sitemaps"]).await;
        findings(&bench, &server).await;
        let mut found = details(&bench, &server, "orphan").await;
        found.dedup();
        assert_eq!(found, told, "night {night}");
        let view = bench.rows("select url from orphans order by url").await;
        assert_eq!(view, ["/de", "/listed", "/reached"].map(|path| server.url(path)), "night {night}");
        assert_eq!(bench.run(&["report", "--output", "report.html"]).await.status.code(), Some(0));
        let html = std::fs::read_to_string(bench.path("report.html")).unwrap();
        assert!(html.contains("3 HTML pages of status 200, no seed, that"), "night {night}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_is_written_in_every_format_and_fails_where_it_is_told_to() {
    let site = Site::default();
    site.put("/", page("/").links(&["/=gone", "/short"]).reply());
    site.put("/short", titled("Short", "A description that says in a sentence what is there", "/short"));
    let server = site.serve().await;
    let bench = Bench::new();
    crawl(&bench, &server, &[]).await;
    let table = stdout(&audit(&bench, &[]).await);
    let names: Vec<_> = table.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(names, ["severity", "finding", "count", "example"], "nothing is compared: {table}");
    for words in
        ["broken-link", "How to fix", "Correct the link", "1 error, 0 warnings, 1 notice", "Not checked", "--sitemaps"]
    {
        assert!(table.contains(words), "{words}: {table}");
    }
    let json: Value = serde_json::from_str(&stdout(&audit(&bench, &["--format", "json"]).await)).unwrap();
    let first = &json["findings"][0];
    assert_eq!(
        (&first["finding"], &first["severity"], &first["state"]),
        (&"broken-link".into(), &"error".into(), &"new".into())
    );
    assert_eq!(first["other_url"], server.url("/=gone"));
    assert_eq!(
        bench.columns("findings").await,
        first.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(", ")
    );
    let unchecked: Vec<_> =
        json["unchecked"].as_array().unwrap().iter().map(|gap| gap["what"].as_str().unwrap()).collect();
    assert!(unchecked.contains(&"sitemap-missing") && unchecked.contains(&"sitemap-unusable"), "{unchecked:?}");

    let output = audit(&bench, &["--format", "csv", "--output", "audit.csv"]).await;
    let csv = std::fs::read_to_string(bench.path("audit.csv")).unwrap();
    assert!(csv.starts_with("finding,severity,url,other_url,detail,advice,state,run\r\nbroken-link,error,"), "{csv}");
    let said = stderr(&output);
    assert!(output.stdout.is_empty() && said.contains("Not checked: sitemap-missing"), "{said}");
    assert!(said.contains("1 error, 0 warnings, 1 notice written to audit.csv"), "{said}");

    for args in [&["--format", "xlsx", "--output", "a.bin"][..], &["--output", "audit.xlsx"]] {
        assert_eq!(audit(&bench, args).await.status.code(), Some(0));
        let mut book = Xlsx::new(BufReader::new(File::open(bench.path(args.last().unwrap())).unwrap())).unwrap();
        assert_eq!(book.sheet_names(), ["overview", "broken-link", "title-short", "not checked"]);
        let overview = book.worksheet_range("overview").unwrap();
        let cells: Vec<_> = (0..5).map(|column| overview.get((1, column)).unwrap().to_string()).collect();
        assert_eq!(cells, ["error", "broken-link", "1", "1", "0"]);
        let broken = book.worksheet_range("broken-link").unwrap();
        let cells: Vec<_> = (0..4).map(|column| broken.get((1, column)).unwrap().to_string()).collect();
        assert_eq!(cells, [&*server.url("/"), &server.url("/=gone"), "404", "new"]);
        assert_eq!(book.worksheet_formula("broken-link").unwrap().used_cells().count(), 0);
    }

    let sarif: Value = serde_json::from_str(&stdout(&audit(&bench, &["--format", "sarif"]).await)).unwrap();
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    assert_eq!(
        (&sarif["version"], &result["ruleId"], &result["level"]),
        (&"2.1.0".into(), &"broken-link".into(), &"error".into())
    );
    assert_eq!(result["baselineState"], "new");
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], server.url("/"));
    let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], "broken-link");
    assert!(run["invocations"][0]["toolExecutionNotifications"].as_array().is_some_and(|told| !told.is_empty()));

    for (threshold, code) in
        [("error>0", 5), ("error>1", 0), ("warning>=1", 0), ("notice = 1", 5), ("errors>0", 2), ("error>1%", 2)]
    {
        let output = audit(&bench, &["--fail-on", threshold]).await;
        assert_eq!(output.status.code(), Some(code), "{threshold}: {}", stderr(&output));
    }
    let output = audit(&bench, &["--fail-on", "error>9", "--fail-on", "notice>0"]).await;
    assert!(output.status.code() == Some(5) && stderr(&output).contains("notice>0 holds (1)"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_read_from_the_file_of_the_crawl_and_told_with_their_line_if_they_cannot_be() {
    let site = Site::default();
    site.put("/", page("/").links(&["/gone"]).reply());
    let server = site.serve().await;
    let bench = Bench::new();
    std::fs::write(
        bench.path("harvestman.toml"),
        "rate = 0\nretries = 0\n[audit]\nthin = 200\nignore = ['broken-link']\n",
    )
    .unwrap();
    crawl(&bench, &server, &[]).await;
    assert_eq!(findings(&bench, &server).await, ["thin /"]);
    for (text, words) in [
        ("rate = 0\n[audit]\nthick = 3\n", "harvestman.toml, line 3: [audit] has no key `thick`: did you mean `thin`?"),
        ("[audit]\nignore = ['thin-pages']\n", "line 2: ignore: there is no finding `thin-pages`"),
    ] {
        std::fs::write(bench.path("harvestman.toml"), text).unwrap();
        let output = audit(&bench, &[]).await;
        assert!(output.status.code() == Some(1) && stderr(&output).contains(words), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_stored_or_not_crawled_is_told_as_unchecked() {
    let site = Site::default();
    site.put("/", page("/").links(&["/gone", "/a", "/b", "http://elsewhere.test/"]).reply());
    site.put("/a", titled("Short", "A description that says in a sentence what is there", "/a"));
    let server = site.serve().await;
    let bench = Bench::new();
    let unchecked = async || {
        let json: Value = serde_json::from_str(&stdout(&audit(&bench, &["--format", "json"]).await)).unwrap();
        let gaps = json["unchecked"].as_array().unwrap().clone();
        gaps.iter().map(|gap| format!("{}: {}", gap["what"], gap["why"]).replace('"', "")).collect::<Vec<_>>()
    };
    crawl(&bench, &server, &["--max-pages", "1"]).await;
    let told = unchecked().await;
    assert!(told.iter().any(|gap| gap.starts_with("orphan: needs a crawl to the end: 3 unread URLs")), "{told:?}");
    let targets = "links: 4 targets of links and redirects not asked for (3 pending, 1 scope)";
    assert!(told.iter().any(|gap| gap == targets), "{told:?}");
    assert_eq!(findings(&bench, &server).await, [""; 0]);
    crawl(&bench, &server, &["--no-bodies", "--no-text", "--no-links", "--fresh"]).await;
    let told = unchecked().await;
    for name in [
        "broken-link",
        "orphan",
        "deep",
        "thin",
        "soft-404",
        "charset-conflict",
        "meta robots",
        "sitemap-missing",
        "unsure-link",
        "broken-resource",
    ] {
        assert!(told.iter().any(|gap| gap.starts_with(&format!("{name}: "))), "{name}: {told:?}");
    }
    let output = bench.run(&["audit", "-d", "none.db"]).await;
    assert!(output.status.code() == Some(1) && !bench.path("none.db").exists(), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_healthy_pages_of_the_demo_have_no_findings_and_its_faults_are_found() {
    let bench = Bench::new();
    let output = bench.run(&["demo", "--database", &bench.database(), "--quiet"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let output = bench.run(&["extract", "--quiet"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    std::fs::write(bench.path("harvestman.toml"), "[audit]\ntitle = [4, 90]\ndescription = [15, 160]\n").unwrap();
    audited(&bench).await;
    let healthy = "select finding, url, other_url, detail from findings
        where (url like '%/article/%' or url like '%/wiki/%') and finding not in ('title-long', 'csp-missing', 'nosniff-missing')";
    assert_eq!(bench.rows(healthy).await, [""; 0]);
    let found = bench.rows("select distinct finding from findings order by finding").await;
    for name in
        ["broken-link", "redirected-link", "redirect-chain", "redirect-loop", "duplicate", "blocked-link", "nofollow"]
    {
        assert!(found.iter().any(|found| found == name), "{name}: {found:?}");
    }
    let chains = bench.rows("select detail from findings where finding = 'redirect-chain'").await;
    assert_eq!(chains, ["3 redirects"]);
}

/// Answers as a host that is not crawled, with `/gone`, `/moved` and `/wall`.
async fn elsewhere() -> Server {
    Server::start(|path| match path {
        "/robots.txt" | "/gone" | "/gone2" => Reply::status(404),
        "/moved" | "/moved2" => Reply::redirect(301, "/there"),
        "/lost" => Reply::redirect(301, "/gone"),
        "/wall" => Reply::status(403),
        "/shy" => Reply::status(999),
        _ => Reply::text("there"),
    })
    .await
    .unwrap()
}

const CHECKED: [&str; 4] = ["--check", "external,resources", "--allow-address", "127.0.0.0/8"];

#[tokio::test(flavor = "multi_thread")]
async fn links_that_lead_elsewhere_are_judged_by_what_was_checked() {
    let other = elsewhere().await;
    let to = |paths: &[&str]| paths.iter().map(|path| other.url(path)).collect::<Vec<_>>();
    let site = Site::default();
    let put = |path: &str, links: Vec<String>| {
        site.put(path, page(path).links(&links.iter().map(String::as_str).collect::<Vec<_>>()).reply());
    };
    put("/", [to(&["/ok", "/gone"]), ["/a", "/b"].map(str::to_owned).to_vec()].concat());
    put("/a", to(&["/lost", "/moved", "/wall"]));
    put("/b", to(&["/ok", "/shy", "/fine"]));
    let server = site.serve().await;
    let bench = Bench::new();
    crawl(&bench, &server, &CHECKED).await;
    let found: Vec<_> =
        findings(&bench, &server).await.iter().map(|row| row.replace(&other.url(""), "OTHER")).collect();
    assert_eq!(
        found,
        [
            "broken-link / OTHER/gone",
            "broken-link /a OTHER/lost",
            "redirected-link /a OTHER/moved",
            "unsure-link /a OTHER/wall",
            "unsure-link /b OTHER/shy"
        ]
    );
    let details: Vec<_> = details(&bench, &server, "broken-link").await;
    assert_eq!(details, ["/a|404 at ".to_owned() + &other.url("/gone"), "/|404".to_owned()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_pages_are_judged_by_what_was_checked() {
    let other = elsewhere().await;
    let base = other.url("");
    let site = Site::default();
    let with = |path: &str, more: &str| {
        let mut made = page(path).links(&["/a", "/b", "/c"]);
        made.body.push_str(&more.replace("OTHER", &base));
        site.put(path, made.reply());
    };
    with("/", "<img src=/fine.png alt=''><img src=OTHER/gone alt=''>");
    with("/a", "<script src=/none.js></script><img src=OTHER/moved alt=''>");
    with("/b", "<link rel=stylesheet href=/s.css><video src=/film></video>");
    with("/c", "<img src=/fine.png alt=''>");
    site.put("/fine.png", Reply::text("x"));
    site.put("/film", Reply::redirect(302, "/fine.png"));
    let style = Reply::text("b { background: url(gone.png) }").with_header("content-type", "text/css");
    site.put("/s.css", style);
    let server = site.serve().await;
    let bench = Bench::new();
    crawl(&bench, &server, &CHECKED).await;
    let found: Vec<_> = findings(&bench, &server).await.iter().map(|row| row.replace(&base, "OTHER")).collect();
    assert_eq!(
        found,
        [
            "broken-resource / OTHER/gone",
            "broken-resource /a /none.js",
            "broken-resource /s.css /gone.png",
            "redirected-resource /a OTHER/moved",
            "redirected-resource /b /film"
        ]
    );
    assert_eq!(
        details(&bench, &server, "broken-resource").await,
        ["/a|script: 404", "/s.css|style: 404", "/|img: 404"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_come_over_http_into_pages_of_https_are_told() {
    let site = Site::default();
    site.put("/", page("/").links(&["/a", "/b", "/c"]).reply());
    for (path, part) in [("/a", "<img src=/a.png>"), ("/b", "<script src=/b.js>"), ("/c", "<img src=/c.png>")] {
        let mut made = page(path);
        made.body.push_str(&part.replace('>', " alt=''>"));
        site.put(path, made.reply());
    }
    for path in ["/a.png", "/b.js", "/c.png"] {
        site.put(path, Reply::text("x"));
    }
    let server = site.serve().await;
    let bench = Bench::new();
    crawl(&bench, &server, &CHECKED).await;
    let insecure = "select url from findings where finding = 'insecure-resource' and state <> 'fixed' order by 1";
    audited(&bench).await;
    assert_eq!(bench.rows(insecure).await, [""; 0], "pages of http have parts of http");
    // Their page is one of https now, but for /c, and so is the part of the front page that has none.
    bench.write("update url set url = replace(url, 'http:', 'https:') where url like '%/a' or url like '%/b' or url like '%/'").await;
    audited(&bench).await;
    let found: Vec<_> = bench.rows(insecure).await;
    let expected = ["/a", "/b"].map(|path| server.url(path).replace("http:", "https:"));
    assert_eq!(found, expected);
}
