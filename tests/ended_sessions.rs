//! Sessions that begin with a redirect, and what is said where they end or credentials cannot reach.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Bench, page, stderr};
use harvestman::demo::{Hit, Reply, Server};

const SECRET: &str = "planted-session";
const COOKIE: [&str; 2] = ["--header", "Cookie: sid=planted-session"];

/// Crawls one page after the other; gives the hints.
async fn hints(bench: &Bench, args: &[&str]) -> Vec<String> {
    let one = ["--rate", "0", "--retries", "0", "--concurrency", "1", "--timeout", "10s"];
    let said = stderr(&bench.run(&[&["crawl"], args, &one[..]].concat()).await);
    assert!(!said.contains(SECRET), "{said}");
    said.lines().filter_map(|line| line.strip_prefix("hint: ")).map(str::to_owned).collect()
}

fn is_known(hit: &Hit) -> bool {
    hit.header("cookie").is_some_and(|cookie| cookie.contains(SECRET))
}

/// Pages for those who are known, as long as `lasts` says; others get what `refuse` says.
async fn members(
    lasts: impl Fn(usize) -> bool + Send + Sync + 'static,
    refuse: impl Fn(&str) -> Reply + Send + Sync + 'static,
) -> Server {
    let served = AtomicUsize::new(0);
    let server = Server::start_with_request(move |hit| match hit.path.as_str() {
        "/robots.txt" => Reply::status(404),
        path if path.starts_with("/login") => Reply::html("<title>Log in</title>"),
        path if is_known(hit) && lasts(served.fetch_add(1, Ordering::SeqCst)) => match path {
            "/" => page((0..9).map(|n| format!("/{n}"))),
            path => Reply::html(format!("<title>{path}</title>")),
        },
        path => refuse(path),
    });
    server.await.unwrap()
}

fn to_login(path: &str) -> Reply {
    Reply::redirect(302, &format!("/login?next={path}&token=planted-session"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_within_a_crawl_is_told_with_counts() {
    for (refuse, how) in [
        (to_login as fn(&str) -> Reply, "answered with a redirect to the login page ORIGIN/login;"),
        (|_: &str| Reply::status(401), "answered 401;"),
    ] {
        let server = members(|served| served < 4, refuse).await;
        let said = hints(&Bench::new(), &[&[server.url("/").as_str()], &COOKIE[..]].concat()).await;
        let origin = server.url("");
        let expected = format!("the session at {origin} seems to have ended after 4 pages: 6 pages {how} log in anew");
        let expected = expected.replace("ORIGIN", &origin);
        assert!(said.iter().any(|hint| hint.starts_with(&expected)), "{expected}: {said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_for_members_are_no_ended_session() {
    let server = Server::start(|path| match path {
        "/" => page(
            ["/a", "/b", "/account", "/inbox"].map(str::to_owned).into_iter().chain((0..30).map(|n| format!("/{n}"))),
        ),
        "/account" | "/inbox" => Reply::redirect(302, "/login"),
        "/robots.txt" => Reply::status(404),
        _ => Reply::html("").with_header("Set-Cookie", "seen=1"),
    });
    let server = server.await.unwrap();
    assert_eq!(hints(&Bench::new(), &[&server.url("/")]).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn login_pages_do_not_take_the_place_of_good_ones_unsaid() {
    let (server, bench) = (members(|_| true, to_login).await, Bench::new());
    let seed = server.url("/");
    assert_eq!(hints(&bench, &[&[seed.as_str()], &COOKIE[..]].concat()).await, [""; 0]);
    let said = hints(&bench, &[&seed]).await;
    let words = " asks for a login, and no cookies or credentials were given this time: 10 pages answered with a redirect to the \
                 login page";
    let place = "/login, 10 of them in the place of what had answered before; give them again, by --cookies FILE";
    assert!(said.iter().any(|hint| hint.contains(words) && hint.contains(place)), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_any_more_is_told_from_what_was_not_given() {
    let lasts = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let now = lasts.clone();
    let (server, bench) = (members(move |_| now.load(Ordering::SeqCst), |_| Reply::status(401)).await, Bench::new());
    let seed = server.url("/");
    let with_cookie = [&[seed.as_str()], &COOKIE[..]].concat();
    assert_eq!(hints(&bench, &with_cookie).await, [""; 0]);
    lasts.store(false, Ordering::SeqCst);
    let said = hints(&bench, &with_cookie).await;
    let words = format!(
        "what was given for {} is not taken any more, from the first page on: 10 pages answered 401, 10 of",
        server.url("")
    );
    let way_out = "give what is fresh by --netrc FILE or --header";
    assert!(said.iter().any(|hint| hint.starts_with(&words) && hint.contains(way_out)), "{said:?}");
}

/// Pages for members, one of which logs out. What follows it has another token each time.
async fn members_with_a_way_out(logout: &'static str) -> Server {
    let (is_out, asked) = (std::sync::atomic::AtomicBool::new(false), AtomicUsize::new(0));
    let server = Server::start_with_request(move |hit| match hit.path.as_str() {
        "/robots.txt" => Reply::status(404),
        "/" => page(["/0", "/log?out=csv", &format!("{logout}{}", 7777 + asked.fetch_add(1, Ordering::SeqCst))]),
        path if path.starts_with(logout) => {
            is_out.store(true, Ordering::SeqCst);
            Reply::html("Bye")
        }
        path if path.starts_with("/login") => Reply::html("<title>Log in</title>"),
        "/0" => page(["/1", "/2", "/3"]),
        "/log?out=csv" => Reply::html("for all"),
        path if is_known(hit) && !is_out.load(Ordering::SeqCst) => Reply::html(format!("<title>{path}</title>")),
        path => to_login(path),
    });
    server.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_that_logs_itself_out_is_told_what_to_leave_out_the_next_time_too() {
    for (logout, by, pattern) in [
        ("/user/logout/", "/user/logout", "/user/logout"),
        ("/wp.php?action=logout&nonce=", "/wp.php?action=logout", r"/wp\.php\?(.*[&;])?action=logout"),
        ("/x?logout=", "/x?logout", r"/x\?(.*[&;])?logout"),
        ("/index.php?action=logout;t=", "/index.php?action=logout", r"/index\.php\?(.*[&;])?action=logout"),
        ("/logout;jsessionid=", "/logout", "/logout"),
        ("/in;jsessionid=7777/logout?t=", "/in/logout", "/in(;[^/?]*)?/logout"),
    ] {
        let (server, bench) = (members_with_a_way_out(logout).await, Bench::new());
        let seed = server.url("/");
        let said = hints(&bench, &[&[seed.as_str()], &COOKIE[..]].concat()).await;
        let words = format!("the crawl logged itself out at {} by fetching {by}: 3 pages answered", server.url(""));
        let told = said.iter().find(|hint| hint.starts_with(&words)).unwrap_or_else(|| panic!("{words}: {said:?}"));
        assert!(!told.contains("7777"), "{told}");
        let way_out = [format!("--exclude {pattern}, and begin"), format!("--exclude '{pattern}', and begin")];
        assert!(way_out.iter().any(|way_out| told.contains(way_out)), "{told}");
        let heeded = [&[seed.as_str(), "--exclude", pattern], &COOKIE[..]].concat();
        bench.run(&[&["crawl", "--rate", "0"], &heeded[..]].concat()).await;
        // The one that was fetched, and the one that has another token now.
        let excluded = "select count(*) from skipped where reason = 'excluded'";
        assert_eq!(bench.rows(excluded).await, ["2"], "{pattern}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_goes_on_without_its_cookies_says_so_with_the_number_of_requests() {
    let (server, bench) = (members(|_| true, |_| Reply::status(403)).await, Bench::new());
    let seed = server.url("/");
    hints(&bench, &[&[seed.as_str(), "--max-pages", "4"], &COOKIE[..]].concat()).await;
    let told = |options| format!("this run began with {options} and went on without: 2 requests went out so");
    let said = hints(&bench, &[&seed, "--max-pages", "2"]).await;
    assert!(said.iter().any(|hint| hint.starts_with(&told("--header cookie"))), "{said:?}");
    std::fs::write(bench.path("cookies.txt"), "").unwrap();
    let files = ["--cookies", "cookies.txt", "--netrc", "cookies.txt"];
    hints(&bench, &[&[seed.as_str(), "--max-pages", "1"], &files[..]].concat()).await;
    let said = hints(&bench, &[&[seed.as_str(), "--max-pages", "2"], &COOKIE[..]].concat()).await;
    assert!(said.iter().any(|hint| hint.starts_with(&told("--cookies, --netrc"))), "{said:?}");
    let said = hints(&bench, &[&[seed.as_str()], &files[..], &COOKIE[..]].concat()).await;
    assert!(!said.iter().any(|hint| hint.contains("this run began")), "{said:?}");
    if bench.schema.is_some() {
        return; // A file can be looked through.
    }
    assert_eq!(bench.rows("select count(*) from _sqlx_migrations where description like '%planted%'").await, ["0"]);
    assert!(!String::from_utf8_lossy(&std::fs::read(bench.path("crawl.db")).unwrap()).contains(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_digest_credentials_alone_is_named() {
    for (challenges, is_told) in [
        (&["Digest realm=\"x\", nonce=\"planted-session\""][..], true),
        (&["Digest realm=\"x\"", "Basic realm=\"x\""], false),
        (&["Basic realm=\"Digest\""], false),
    ] {
        let server = Server::start(move |_| {
            challenges.iter().fold(Reply::status(401), |reply, line| reply.with_header("WWW-Authenticate", line))
        });
        let server = server.await.unwrap();
        let said = hints(&Bench::new(), &[&server.url("/").replace("http://", "http://me:planted-session@")]).await;
        let expected = format!("Digest authentication is not supported, and 1 host asked for it: {}", server.url(""));
        assert_eq!(said.contains(&expected), is_told, "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_for_http_that_a_move_to_https_leaves_behind_are_told_with_the_https_url() {
    let proxy = Server::start(|path| match path {
        "/" => Reply::redirect(301, "https://www.site.test/start?a=b"),
        _ => Reply::status(404),
    });
    let proxy = proxy.await.unwrap();
    let told =
        "credentials for http://site.test are sent there alone, and it redirects to https://www.site.test/start?a=b";
    let is_told = async |args: &[&str]| {
        let said = hints(&Bench::new(), &[args, &["--proxy", &proxy.url("")]].concat()).await;
        said.iter().any(|hint| hint.starts_with(told))
    };
    assert!(is_told(&["http://me:planted-session@site.test/"]).await);
    assert!(is_told(&["http://site.test/", "--header", "Authorization: planted-session"]).await);
    assert!(!is_told(&["http://site.test/"]).await);
    assert!(!is_told(&["http://me:planted-session@site.test/", "https://me:planted-session@www.site.test/"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_that_set_a_cookie_and_come_back_are_no_loop_in_any_run() {
    let server = Server::start_with_request(|hit| {
        let has = |cookie: &str| hit.header("cookie").is_some_and(|line| line.split("; ").any(|pair| pair == cookie));
        let to = |path: &str, cookie: &str| Reply::redirect(302, path).with_header("Set-Cookie", cookie);
        match hit.path.as_str() {
            "/" => page(["/two", "/three", "/self", "/gated", "/set/gated", "/never"]),
            "/two" if !has("two=1") => Reply::redirect(302, "/set/two"),
            "/set/two" => to("/two", "two=1; Path=/"),
            "/three" if !has("three=1") => to("/set/three", "other=1; Path=/"),
            "/set/three" => to("/on/three", "three=1; Path=/"),
            "/on/three" => Reply::redirect(307, "/three"),
            "/self" if !has("self=1") => to("/self", "self=1; Path=/"),
            "/gated" if !has("gated=1") => Reply::redirect(302, "/set/gated"),
            "/set/gated" => to("/gated", "gated=1; Path=/"),
            "/never" => Reply::redirect(302, "/set/never"),
            "/set/never" => to("/never", "never=1; Path=/"),
            "/robots.txt" => Reply::status(404),
            path => Reply::html(format!("<title>{path}</title>")),
        }
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let seed = server.url("/");
    let crawl = async |args: &[&str]| {
        let fast = ["--rate", "0", "--retries", "0", "--max-redirects", "6", &seed];
        stderr(&bench.run(&[&["crawl"], &fast[..], args].concat()).await)
    };
    for run in 1..=3 {
        let before = server.hit_count();
        let log = crawl(&[]).await;
        let read = bench.rows("select title from pages where title is not null order by 1").await;
        assert_eq!(read, ["/gated", "/self", "/three", "/two"], "run {run}: {log}");
        let failed = bench.rows("select kind from failures").await;
        assert_eq!(
            failed,
            ["redirect"],
            "a loop that cookies do not end, after {} requests",
            server.hit_count() - before
        );
        let news =
            format!("select change, count(*) from changes where run = {run} and url not like '%never' group by 1");
        assert_eq!(bench.rows(&news).await, if run == 1 { &["new|9"][..] } else { &[] });
        assert_eq!(
            bench.rows("select discovered - fetched - failed - skipped, pending from accounting").await,
            ["0|0"]
        );
    }
    let bare = Bench::new();
    bare.run(&["crawl", &seed, "--rate", "0", "--retries", "0", "--no-cookies"]).await;
    let kinds = bare.rows("select kind, count(*) from failures group by 1").await;
    assert_eq!(kinds, ["redirect|5"], "without cookies, these are loops");
}
