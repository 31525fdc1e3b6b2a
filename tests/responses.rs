//! What servers send is read as browsers read it: headers, redirects, error pages, codings and media types that are not
//! as the standards want them.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "common/raw.rs"]
mod raw;

use std::io::Write as _;
use std::time::Duration;

use common::{Bench, page, stderr};
use flate2::Compression;
use flate2::write::GzEncoder;
use harvestman::demo::{Reply, Server};
use raw::{Act, Raw, answer, say};

const FAST: [&str; 4] = ["--rate", "0", "--retries", "0"];

/// A page that is told by its title.
const READ: &str = "<title>read</title><a href=/robots.txt>x</a>";

async fn crawl(bench: &Bench, args: &[&str]) -> String {
    stderr(&bench.run(&[&["crawl"], args, &FAST[..]].concat()).await)
}

fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// Serves each of a table of answers at `/0`, `/1` and so on, with a page of links to them at `/`.
async fn serve(answers: Vec<Vec<Act>>) -> Raw {
    Raw::start(move |path| match path.trim_start_matches('/').parse::<usize>() {
        Ok(number) => answers.get(number).cloned().unwrap_or_else(|| say(answer(404, &[], ""))),
        Err(_) if path == "/" => {
            say(answer(200, &["Content-Type: text/html"], page((0..answers.len()).map(|n| format!("/{n}"))).body))
        }
        Err(_) if path == "/robots.txt" => say(answer(404, &[], "")),
        Err(_) => say(answer(200, &["Content-Type: text/html"], READ)),
    })
    .await
}

/// Crawls such a table; gives what became of each: status and title, or the kind of failure.
async fn outcomes(answers: Vec<Vec<Act>>, args: &[&str]) -> Vec<String> {
    let (count, server, bench) = (answers.len(), serve(answers).await, Bench::new());
    let log = crawl(&bench, &[&[server.url("/").as_str()], args].concat()).await;
    let mut found = Vec::new();
    for number in 0..count {
        let url = server.url(&format!("/{number}"));
        let sql = format!(
            "select coalesce(status || ' ' || coalesce(title, '-') || ' ' || size, kind || ' ' || message, 'unknown')
             from (select '{url}' as url) left join pages using (url) left join failures using (url)"
        );
        found.extend(bench.rows(&sql).await);
    }
    assert_eq!(found.len(), count, "{log}");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_followed_whatever_its_body_and_leaves_it_on_the_wire() {
    let to = |status, number: usize, lines: &[&str], body: &[u8]| {
        let location = format!("Location: /to/{number}");
        say(answer(status, &[&[location.as_str()], lines].concat(), body))
    };
    let html = "Content-Type: text/html";
    let answers = vec![
        to(301, 0, &[html, "Content-Encoding: gzip"], b"Moved Permanently"),
        to(302, 1, &[html, "Content-Encoding: gzip"], &gzip("moved")[..9]),
        to(303, 2, &[html, "Content-Encoding: utf-8"], b"moved"),
        to(307, 3, &[html, "Content-Length: 500"], b"short"),
        to(308, 4, &["Transfer-Encoding: chunked"], b"100\r\nshort"),
        to(301, 5, &["Transfer-Encoding: lzma, chunked"], b"1\r\nx\r\n0\r\n\r\n"),
        to(302, 6, &["Content-Type: image/png", "Content-Type: nonsense"], b"x"),
        to(302, 7, &["Location: /to/other"], b"the first one counts"),
        vec![Act::Send(answer(302, &["Location: /to/8", html], "")), Act::Forever(vec![b'x'; 1 << 16], Duration::ZERO)],
        vec![
            Act::Send(answer(302, &["Location: /to/9", html], "Moved")),
            Act::Forever(b".".to_vec(), Duration::from_secs(1)),
        ],
    ];
    let (count, server, bench) = (answers.len(), serve(answers).await, Bench::new());
    let log = crawl(&bench, &[&server.url("/"), "--timeout", "5s"]).await;
    assert_eq!(bench.rows("select url, kind, message from failures").await, [""; 0], "{log}");
    let followed = "select count(*) from redirects join pages as target on to_url = target.url
                    where target.status = 200 and to_url like '%/to/' || replace(from_url, rtrim(from_url, '0123456789'), '')";
    assert_eq!(bench.rows(followed).await, [count.to_string()]);
    let kept = "select count(*) from pages join bodies using (url) where status / 100 = 3";
    assert_eq!(bench.rows(kept).await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_status_without_a_location_is_a_page() {
    let html = "Content-Type: text/html";
    let found = outcomes(
        vec![
            say(answer(301, &[html], READ)),
            say(answer(302, &[html, "Location:"], READ)),
            say(answer(300, &[html, "Location: /to/x"], READ)),
            say(answer(302, &["Location: http://[", html], READ)),
        ],
        &[],
    )
    .await;
    let size = READ.len();
    assert_eq!(found[..3], [format!("301 read {size}"), format!("302 read {size}"), format!("300 read {size}")]);
    assert!(found[3].starts_with("redirect "), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_page_whose_body_cannot_be_read_is_still_its_status() {
    let html = "Content-Type: text/html";
    let bodies = |status| {
        vec![
            say(answer(status, &[html, "Content-Encoding: gzip"], "Not Found")),
            say(answer(status, &[html, "Content-Length: 500"], "short")),
            say(answer(status, &["Transfer-Encoding: chunked"], "zzz\r\nshort")),
            say(answer(status, &["Transfer-Encoding: lzma"], "short")),
            say(answer(status, &[html], "x".repeat(70_000))),
            vec![Act::Send(answer(status, &[html], "")), Act::Forever(b".".to_vec(), Duration::from_secs(1))],
        ]
    };
    let args = ["--max-body-size", "64KiB", "--timeout", "3s"];
    let found = outcomes([bodies(404), bodies(500)].concat(), &args).await;
    assert_eq!(found, [["404 - 0"; 6], ["500 - 0"; 6]].concat());
    let found = outcomes(bodies(200), &args).await;
    let kinds: Vec<_> = found.iter().map(|failure| failure.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["decode", "closed", "closed", "decode", "too_large", "timeout"], "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_line_that_is_none_is_passed_over() {
    let junk: [&[u8]; 13] = [
        b"PHP Warning  Unable to load dynamic library in Unknown on line 0",
        b"PHP Warning: cannot open shared object",
        b"X-Cache : hit",
        b"X-Cache\t: hit",
        b": nothing",
        b"X-A: a\x01b",
        b"X-A: a\x7fb",
        b"X-\xe9: a",
        b"X-A: \xe9",
        b"X-Folded: a\r\n b\r\n\tc",
        b" X-Indented: a",
        b"X-(A): b",
        b"HTTP/1.1 200 OK",
    ];
    let answers = junk.map(|line| {
        let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n";
        say([head, line, b"\r\nContent-Type: text/html\r\n\r\n", READ.as_bytes()].concat())
    });
    let found = outcomes(answers.to_vec(), &[]).await;
    assert_eq!(found, junk.map(|_| format!("200 read {}", READ.len())));
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_holds_behind_a_header_line_that_is_none() {
    let server = Raw::start(|path| match path {
        "/robots.txt" => say(answer(200, &["Notice  in line 1", "X Y: z"], "User-agent: *\nDisallow: /no")),
        "/" => say(answer(200, &["Content-Type: text/html"], page(["/no", "/yes"]).body)),
        _ => say(answer(200, &[], READ)),
    })
    .await;
    let bench = Bench::new();
    let log = crawl(&bench, &[&server.url("/")]).await;
    assert_eq!(bench.rows("select reason, url from skipped").await, [format!("robots|{}", server.url("/no"))], "{log}");
    assert_eq!(bench.rows("select count(*) from pages where title = 'read'").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_lines_lengths_and_chunks_that_the_standards_forbid_are_read_all_the_same() {
    let html = "Content-Type: text/html";
    let many = "X-Header: of many\r\n".repeat(1000);
    let raw = [
        format!("HTTP/1.1  200 OK\r\n{html}\r\n\r\n{READ}"),
        format!("http/1.1 200\n{html}\n\n{READ}"),
        format!("HTTP/1 200 OK\r\n{html}\r\n\r\n{READ}"),
        format!("ICY 200 OK\r\n{html}\r\n\r\n{READ}"),
        format!("\r\n\r\nHTTP/1.1 200 OK\r\n{html}\r\n\r\n{READ}"),
        format!("\u{feff}HTTP/1.1 200 OK\r\n{html}\r\n\r\n{READ}"),
        format!("HTTP/1.1 200 OK\r\r\n{html}\r\r\n\r\r\n{READ}"),
        format!("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n{html}\r\n\r\n{READ}"),
        format!("HTTP/1.1 200 OK\r\n{many}{html}\r\n\r\n{READ}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 4s\r\n{html}\r\n\r\n{READ}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 0x20\r\n{html}\r\n\r\n{READ}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n{html}\r\n\r\n{READ}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 400\r\n{html}\r\n\r\n{READ}"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{html}\r\n\r\n{READ}left over", READ.len()),
    ];
    let chunks = |size: &str, end: &str| {
        let head = format!("HTTP/1.1 200 OK\r\n{html}\r\nTransfer-Encoding: chunked");
        [format!("{head}\r\n\r\n{:x}{size}{READ}{end}", READ.len())]
    };
    let chunked = [
        chunks("\n", "\n0\n\n"),
        chunks("\n", "\r\n0\r\n\r\n"),
        chunks("\r\n", "\n0\r\n\r\n"),
        chunks("\r\n", "\r\n0\n\n"),
        chunks(";a=b;c\r\n", "\r\n0;last\r\n\r\n"),
        chunks("\r\n", "\r\n0\r\nX-Sum: 1\nX-Time: 2\n\n"),
        chunks("\r\n", "\r\n0\r\n").map(|text| text.replace("1.1 200", "1.0 200")),
        chunks("\r\n", "\r\n0\r\n\r\n").map(|text| text.replace(": chunked", ": chunked, chunked")),
        chunks("\r\n", "\r\n0\r\n\r\n").map(|text| text.replace(": chunked", ": chunked\r\nContent-Length: 3")),
    ];
    let mut answers: Vec<_> = raw.into_iter().chain(chunked.into_iter().flatten()).map(say).collect();
    // A trailer that goes on for ever, and one of which nothing more comes.
    let [open] = chunks("\r\n", "\r\n0\r\nX: ");
    answers.push(vec![Act::Send(open.into()), Act::Forever(b"x".to_vec(), Duration::from_millis(100))]);
    let [open] = chunks("\r\n", "\r\n0\r\n");
    answers.push(vec![Act::Send(open.into()), Act::Forever(Vec::new(), Duration::from_secs(1))]);
    let count = answers.len();
    let found = outcomes(answers, &["--timeout", "10s"]).await;
    assert_eq!(found, vec![format!("200 read {}", READ.len()); count]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_http_1_is_a_failure() {
    let answers = ["", "<title>HTTP/0.9</title>", "HTTP/1.1 000 X\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b", "220 ready\r\n"];
    let found = outcomes(answers.map(say).to_vec(), &[]).await;
    let kinds: Vec<_> = found.iter().map(|failure| failure.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["closed", "protocol", "protocol", "closed", "protocol"], "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_is_obeyed_however_it_is_sent() {
    let rules = "User-agent: *\nDisallow: /no\n";
    for robots in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: 30s\r\n\r\n{rules}"),
        format!("HTTP/1.1  200 OK\nContent-Type: text/plain\0\n\n{rules}"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\n{rules}\n0\n", rules.len()),
        format!("ICY 200 OK\r\n\r\n{rules}"),
    ] {
        let server = Raw::start(move |path| match path {
            "/robots.txt" => say(robots.clone()),
            "/" => say(answer(200, &["Content-Type: text/html"], page(["/no", "/yes"]).body)),
            _ => say(answer(200, &[], READ)),
        })
        .await;
        let bench = Bench::new();
        let log = crawl(&bench, &[&server.url("/")]).await;
        assert_eq!(bench.rows("select reason from skipped").await, ["robots"], "{log}");
        assert_eq!(bench.rows("select count(*) from pages where title = 'read'").await, ["1"], "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_is_no_content_coding_means_none() {
    let words = ["utf-8", "none", "binary", "text/html", "aws-chunked", "7bit", "compress", "", ",", "identity, utf-8"];
    let plain = words.map(|word| Reply::html(READ).with_header("content-encoding", word));
    let packed = ["gzip, utf-8", "aws-chunked,gzip", "GZIP", "none, x-gzip"]
        .map(|word| Reply { body: gzip(READ), ..Reply::html("") }.with_header("content-encoding", word));
    let replies = [&plain[..], &packed[..]].concat();
    let count = replies.len();
    let server = Server::start(move |path| match path.trim_start_matches('/').parse::<usize>() {
        Ok(number) => replies[number].clone(),
        Err(_) if path == "/" => page((0..replies.len()).map(|n| format!("/{n}"))),
        Err(_) => Reply::status(404),
    });
    let (server, bench) = (server.await.unwrap(), Bench::new());
    let log = crawl(&bench, &[&server.url("/")]).await;
    let read = bench.rows("select count(*) from pages where title = 'read'").await;
    assert_eq!(read, [count.to_string()], "{:?} {log}", bench.rows("select url, kind from failures").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_coding_gave_before_it_broke_counts_as_in_browsers() {
    let (whole, gz) = (READ.repeat(9), gzip(READ.repeat(9)));
    let end = gz.len() - 8;
    let bodies = [
        gz.clone(),
        gz[..end].to_vec(),
        gz[..end + 4].to_vec(),
        [&gz[..end], b"\0\0\xff\xff\0\0\xff\xff"].concat(),
        [&gz[..], b"<!-- served in 3 ms -->"].concat(),
        [&gz[..], &[0; 512]].concat(),
        [gzip(&whole[..50]), gzip(&whole[50..])].concat(),
        [gzip(&whole[..50]), gzip(&whole[50..]), b"tail".to_vec()].concat(),
        b"no gzip at all".to_vec(),
        gz[..10].to_vec(),
    ];
    let lines = ["Content-Type: text/html", "Content-Encoding: gzip"];
    let found = outcomes(bodies.iter().map(|body| say(answer(200, &lines, body))).collect(), &[]).await;
    let right = format!("200 read {}", whole.len());
    assert_eq!(found[..8], [""; 8].map(|_| right.clone()));
    assert!(found[8..].iter().all(|failure| failure.starts_with("decode ")), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn transfer_codings_are_removed_or_a_failure() {
    let chunked = |body: Vec<u8>| [format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
    let of = |coding: &str, lines: &[&str], body: Vec<u8>| {
        let coding = format!("Transfer-Encoding: {coding}");
        say(answer(200, &[&[coding.as_str(), "Content-Type: text/html"], lines].concat(), body))
    };
    let found = outcomes(
        vec![
            of("chunked", &[], chunked(READ.into())),
            of("gzip, chunked", &[], chunked(gzip(READ))),
            of("GZip", &["Transfer-Encoding: Chunked"], chunked(gzip(READ))),
            of("gzip", &[], gzip(READ)),
            of("identity", &[], READ.into()),
            of("gzip, chunked", &["Content-Encoding: gzip"], chunked(gzip(gzip(READ)))),
            of("lzma, chunked", &[], chunked(READ.into())),
            of("compress", &[], READ.into()),
        ],
        &[],
    )
    .await;
    assert_eq!(found[..6], [""; 6].map(|_| format!("200 read {}", READ.len())), "{found:?}");
    assert!(found[6..].iter().all(|failure| failure.starts_with("decode transfer coding")), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_without_a_media_type_is_read_as_it_begins() {
    let bytes = |text: &str, of: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(of).collect::<Vec<u8>>();
    let marked = format!("\u{feff}<!doctype html>{READ}");
    let answers = [
        answer(200, &[], format!("\n <!DOCTYPE HTML>{READ}")),
        answer(200, &["Content-Type: html"], READ),
        answer(200, &["Content-Type: */*"], READ),
        answer(200, &["Content-Type: text/plain", "Content-Type: text/html"], READ),
        answer(200, &["Content-Type: text/html", "Content-Type: nonsense"], READ),
        answer(200, &["Content-Type: text/plain,text/html;charset=utf-8"], READ),
        answer(200, &[], &marked),
        answer(200, &[], bytes(&marked, u16::to_le_bytes)),
        answer(200, &[], bytes(&marked, u16::to_be_bytes)),
        answer(200, &[], format!("\u{feff}plain{READ}")),
        answer(200, &["X-Content-Type-Options: nosniff"], READ),
        answer(200, &["Content-Type: text/html", "Content-Type: text/plain"], READ),
    ];
    let found = outcomes(answers.map(say).to_vec(), &[]).await;
    let titles: Vec<_> = found.iter().map(|page| page.split(' ').nth(1).unwrap()).collect();
    assert_eq!(titles, [["read"; 9].as_slice(), &["-"; 3]].concat(), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_the_server_closes_after_each_answer_cost_no_page() {
    const PAGES: usize = 300;
    for connections in ["1", "16"] {
        let server = Raw::start(|path| {
            let (status, body) = match path {
                "/" => (200, page((0..PAGES).map(|n| format!("/{n}"))).body),
                "/robots.txt" => (404, Vec::new()),
                _ => (200, READ.as_bytes().to_vec()),
            };
            // Neither the version nor a header says that the connection ends.
            let head =
                format!("HTTP/1.1 {status} X\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n", body.len());
            say([head.into_bytes(), body].concat())
        })
        .await;
        let bench = Bench::new();
        let log = crawl(&bench, &[&server.url("/"), "--max-connections-per-host", connections]).await;
        assert_eq!(bench.rows("select url, kind, message from failures").await, [""; 0], "{log}");
        assert_eq!(bench.rows("select distinct failure from fetches where failure is not null").await, [""; 0]);
        assert_eq!(bench.rows("select fetched + failed from accounting").await, [(PAGES + 2).to_string()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_connection_without_an_answer_is_not_asked_again() {
    let server = Raw::start(|path| match path {
        "/robots.txt" => say(answer(404, &[], "")),
        _ => say(""),
    })
    .await;
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    assert_eq!(bench.rows("select kind from failures").await, ["closed"]);
    assert_eq!(server.heads().len(), 2, "robots.txt and the page, each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_header_is_followed_as_the_element_is() {
    let refresh = |lines: &[&str], body: &str| say(answer(200, &[&["Refresh: 0; url=/x"], lines].concat(), body));
    let html = "Content-Type: text/html";
    let server = Raw::start(move |path| match path {
        "/" => say(answer(200, &[html], page(["/html", "/picture", "/both", "/meta", "/tag", "/moved"]).body)),
        "/html" => refresh(&[html], "<p>wait"),
        "/picture" => refresh(&["Content-Type: image/png"], "x"),
        "/both" => refresh(&[html], "<meta http-equiv=refresh content='0; url=/x'>"),
        "/meta" => refresh(&[html], "<meta name=robots content=nofollow>"),
        "/tag" => refresh(&["X-Robots-Tag: nofollow", html], ""),
        "/moved" => say(answer(302, &["Refresh: 0; url=/y", "Location: /x"], "")),
        "/x" => say(answer(200, &[html, "Refresh: 9"], READ)),
        _ => say(answer(404, &[], "")),
    })
    .await;
    let bench = Bench::new();
    let log = crawl(&bench, &[&server.url("/")]).await;
    let path = "replace(from_url, rtrim(from_url, 'abcdefghijklmnopqrstuvwxyz'), '')";
    let links = format!("select {path}, element, rel from links where to_url like '%/x' order by 1");
    let expected = ["both|meta|", "html|meta|", "meta|meta|", "picture|meta|", "tag|meta|"];
    assert_eq!(bench.rows(&links).await, expected, "{log}");
    assert_eq!(bench.rows("select title from pages where url like '%/x'").await, ["read"]);
    assert_eq!(bench.rows("select count(*) from urls where url like '%/y'").await, ["0"]);
}
