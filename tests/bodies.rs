//! What is stored of a body: content coding removed, charset untouched, never more than the cap, whatever is sent.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "common/raw.rs"]
mod raw;

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use common::{Bench, stderr};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use harvestman::demo::{Reply, Server, graph_page};
use raw::{Act, Raw, say};

const FAST: [&str; 6] = ["--rate", "0", "--max-connections-per-host", "16", "--retries", "0"];

async fn crawl(bench: &Bench, args: &[&str]) -> std::process::Output {
    bench.run(&[&["crawl"], args, &FAST[..]].concat()).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bare_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn br(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 2, ..Default::default() };
    brotli::BrotliCompress(&mut &bytes[..], &mut out, &params).unwrap();
    out
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 1).unwrap()
}

/// A path, the Content-Encoding, how it is made.
type Coded = (&'static str, &'static str, fn(&[u8]) -> Vec<u8>);

const CODINGS: [Coded; 6] = [
    ("/gzip", "gzip", gzip),
    ("/x-gzip", "X-GZip", gzip),
    ("/zlib", "deflate", zlib),
    ("/bare-deflate", "deflate", bare_deflate),
    ("/br", "br", br),
    ("/zstd", "zstd", zstd),
];

fn coded(coding: &str, body: Vec<u8>) -> Reply {
    Reply { body, ..Reply::html("") }.with_header("content-encoding", coding)
}

fn links(paths: impl IntoIterator<Item = impl AsRef<str>>) -> Reply {
    Reply::html(paths.into_iter().map(|path| format!("<a href='{}'>x</a>", path.as_ref())).collect::<String>())
}

fn page() -> Vec<u8> {
    // A page of some size, and all bytes there are.
    [graph_page(9, 150_000, "/p/3").body, (0..=255).collect()].concat()
}

fn sha256(bytes: &[u8]) -> String {
    digest::digest(&digest::SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_accepted_coding_is_removed_and_the_very_bytes_are_stored() {
    let server = Server::start(|path| {
        CODINGS
            .iter()
            .find(|(at, ..)| *at == path)
            .map_or_else(|| links(CODINGS.map(|(at, ..)| at)), |(_, name, encode)| coded(name, encode(&page())))
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    let body = page();
    let hex = bench.either("lower(hex(body))", "encode(body, 'hex')");
    let rows = bench
        .rows(&format!(
            "select count(*) from pages join bodies using (url)
             where content_hash = '{}' and size = {} and {hex} = '{}' and title = 'Page 3'",
            sha256(&body),
            body.len(),
            body.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        ))
        .await;
    assert_eq!(rows, [CODINGS.len().to_string()]);
    let offered = server.hits().last().unwrap().header("accept-encoding").unwrap().to_owned();
    assert!(["gzip", "deflate", "br", "zstd"].iter().all(|coding| offered.contains(coding)), "{offered}");
    let kept = "select count(*) from headers where name = 'content-encoding'";
    assert_eq!(bench.rows(kept).await, [CODINGS.len().to_string()], "headers are those received");
}

#[tokio::test(flavor = "multi_thread")]
async fn codings_upon_each_other_are_removed_in_turn() {
    let server = Server::start(|path| match path {
        "/one-line" => coded("gzip, br", br(&gzip(&page()))),
        "/two-lines" => coded("zstd", gzip(&zstd(&page()))).with_header("content-encoding", "gzip"),
        "/identity" => coded("identity, gzip", gzip(&page())),
        "/members" => coded("gzip", [gzip(&page()[..1000]), gzip(&page()[1000..])].concat()),
        _ => links(["/one-line", "/two-lines", "/identity", "/members"]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    let same = format!("select count(*) from pages where content_hash = '{}'", sha256(&page()));
    assert_eq!(bench.rows(&same).await, ["4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coding_that_gives_nothing_is_a_failure_decode_and_else_what_it_gave_counts() {
    let server = Server::start(|path| {
        let (kind, at) = path[1..].split_once('/').unwrap_or_default();
        let found = CODINGS.iter().find(|(known, ..)| known[1..] == *at);
        match (kind, found) {
            ("broken", Some((_, name, _))) => {
                coded(name, b"this is no compressed text at all, however one looks at it".repeat(9))
            }
            ("short", Some((_, name, encode))) => {
                let whole = encode(&page());
                coded(name, whole[..whole.len() / 2].to_vec())
            }
            _ if path == "/tower" => coded("gzip,gzip,gzip,gzip,gzip", gzip(&gzip(&gzip(&gzip(&gzip(b"x")))))),
            _ => {
                let both = CODINGS.map(|(at, ..)| [format!("/broken{at}"), format!("/short{at}")]);
                links(both.concat().into_iter().chain(["/tower".into()]))
            }
        }
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    let path = |url: &String| url.replace(&server.url(""), "");
    let mut failed: Vec<_> = CODINGS.iter().map(|(at, ..)| format!("/broken{at}|decode")).collect();
    // Its first block is not whole, and a block is the least that it gives.
    failed.extend(["/short/zstd|decode".into(), "/tower|decode".into()]);
    failed.sort();
    let found = bench.rows("select url, kind from failures order by 1").await;
    assert_eq!(found.iter().map(path).collect::<Vec<_>>(), failed);
    let read = "select count(*) from pages where url like '%/short/%' and title = 'Page 3' and size > 10000";
    assert_eq!(bench.rows(read).await, [(CODINGS.len() - 1).to_string()]);
}

/// 128 MiB of zeros, in a frame of blocks that repeat one byte (RFC 8878), with a window of 2^`log` bytes.
fn zstd_bomb(log: u8) -> Vec<u8> {
    const BLOCK: u32 = 128 << 10;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3];
    for left in (0..1024_u32).rev() {
        let header = (BLOCK << 3) | (1 << 1) | u32::from(left == 0);
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

/// The most memory a process has had, in MiB, as the kernel counts.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1024)
}

/// Crawls to the end and answers with the peak of its memory, in MiB.
async fn crawl_watched(bench: &Bench, args: &[&str]) -> u64 {
    let mut child = bench.start(&[&["crawl"], args, &FAST[..]].concat());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(peak_memory(child.id()).unwrap_or(0));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(peak > 0, "the kernel says nothing of the memory");
    peak
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_in_any_coding_ends_at_the_cap_and_costs_no_memory() {
    let zeros = vec![0; 64 << 20];
    let bombs = [
        ("/gzip", "gzip", gzip(&zeros)),
        ("/zlib", "deflate", zlib(&zeros)),
        ("/bare", "deflate", bare_deflate(&zeros)),
        ("/br", "br", br(&zeros)),
        ("/zstd", "zstd", zstd_bomb(20)),
        ("/twice", "gzip, gzip", gzip(&gzip(&zeros))),
    ];
    drop(zeros);
    let count = bombs.len();
    assert!(bombs.iter().all(|(_, _, body)| body.len() < 1 << 20), "each is small on the wire");
    let server = Server::start(move |path| match bombs.iter().find(|(at, ..)| *at == path) {
        Some((_, coding, body)) => coded(coding, body.clone()),
        None => links(bombs.iter().map(|(at, ..)| at)),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let peak = crawl_watched(&bench, &[&server.url("/"), "--max-body-size", "1MiB"]).await;
    let rows = bench.rows("select kind, count(*) from failures group by 1").await;
    assert_eq!(rows, [format!("too_large|{count}")]);
    assert!(peak < 64, "{peak} MiB: one bomb alone holds 64");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_bytes_cannot_claim_a_window_of_gigabytes() {
    let server = Server::start(|path| match path {
        "/" => links((0..16).map(|n| format!("/{n}"))),
        "/robots.txt" => Reply::status(404),
        _ => coded("zstd", zstd_bomb(27)),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    let peak = crawl_watched(&bench, &[&server.url("/")]).await;
    assert_eq!(bench.rows("select kind, count(*) from failures group by 1").await, ["decode|16"]);
    assert!(peak < 200, "{peak} MiB");
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_is_a_failure_closed() {
    let server = Raw::start(|path| match path {
        "/length" => say(format!("{HEAD}Content-Length: 1000\r\n\r\n<p>not all of it")),
        "/chunked" => say(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n<p>no\r\n")),
        "/in-chunk" => say(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nff\r\n<p>no")),
        "/gzip" => {
            let body = gzip(&page());
            let head = format!("{HEAD}Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
            say([head.as_bytes(), &body[..body.len() / 2]].concat())
        }
        "/empty" => say(""),
        "/head" => say("HTTP/1.1 200 OK\r\nContent-"),
        "/robots.txt" => say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        _ => {
            let links = links(["/length", "/chunked", "/in-chunk", "/gzip", "/empty", "/head"]).body;
            say([format!("{HEAD}Connection: close\r\n\r\n").into_bytes(), links].concat())
        }
    })
    .await;
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    let rows = bench.rows("select kind, count(*) from failures group by 1").await;
    assert_eq!(rows, ["closed|6"], "{:?}", bench.rows("select url, kind, message from failures").await);
    assert_eq!(bench.rows("select fetched from accounting").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_a_failure_protocol() {
    let server = Raw::start(|path| match path {
        "/ssh" => say("SSH-2.0-OpenSSH_9.9\r\n"),
        "/noise" => say(vec![0xf0; 5000]),
        "/status" => say("HTTP/1.1 abc Yes\r\n\r\n"),
        "/chunks" => say(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nzzz\r\nno number\r\n")),
        "/robots.txt" => say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        _ => {
            let links = links(["/ssh", "/noise", "/status", "/chunks"]).body;
            say([format!("{HEAD}Connection: close\r\n\r\n").into_bytes(), links].concat())
        }
    })
    .await;
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    let rows = bench
        .rows("select replace(url, rtrim(url, 'abcdefghijklmnopqrstuvwxyz'), ''), kind from failures order by 1")
        .await;
    let strict: Vec<_> = rows.iter().filter(|row| !row.starts_with("chunks")).map(String::as_str).collect();
    assert_eq!(strict, ["noise|protocol", "ssh|protocol", "status|protocol"]);
    // Where a body ends cannot be told any more; either word is true.
    assert!(rows.contains(&"chunks|closed".into()) || rows.contains(&"chunks|protocol".into()), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_without_end_neither_hang_nor_bloat_the_crawl() {
    let server = Raw::start(|path| match path {
        "/endless" => vec![Act::Send(HEAD.into()), Act::Forever(b"X-More: and more\r\n".repeat(500), Duration::ZERO)],
        "/thousands" => say(format!("{HEAD}{}Content-Length: 2\r\n\r\nok", "X-One: of many\r\n".repeat(5000))),
        "/huge" => vec![Act::Send(format!("{HEAD}X-Huge: ").into()), Act::Forever(vec![b'x'; 1 << 16], Duration::ZERO)],
        "/robots.txt" => say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        _ => {
            let links = links(["/endless", "/thousands", "/huge"]).body;
            say([format!("{HEAD}Connection: close\r\n\r\n").into_bytes(), links].concat())
        }
    })
    .await;
    let bench = Bench::new();
    let peak = crawl_watched(&bench, &[&server.url("/")]).await;
    assert_eq!(bench.rows("select kind, count(*) from failures group by 1").await, ["protocol|3"]);
    assert!(peak < 120, "{peak} MiB");
    assert!(server.sent() < 64 << 20, "the connections were left early");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_trickles_ends_at_the_timeout() {
    let server = Raw::start(|path| match path {
        "/head" => vec![Act::Forever(b"H".to_vec(), Duration::from_secs(1))],
        "/body" => vec![Act::Send(format!("{HEAD}\r\n").into()), Act::Forever(b".".to_vec(), Duration::from_secs(1))],
        "/robots.txt" => say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        _ => say([format!("{HEAD}Connection: close\r\n\r\n").into_bytes(), links(["/head", "/body"]).body].concat()),
    })
    .await;
    let bench = Bench::new();
    let started = Instant::now();
    crawl(&bench, &[&server.url("/"), "--timeout", "3s"]).await;
    let kinds = bench.rows("select kind from failures join fetches using (url) where elapsed_ms >= 3000 order by 1");
    let kinds = kinds.await;
    assert!(kinds.iter().filter(|kind| *kind == "timeout").count() >= 1, "{kinds:?}");
    assert_eq!(bench.rows("select failed, pending from accounting").await, ["2|0"]);
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_a_length_or_without_a_body_are_pages() {
    let server = Raw::start(|path| match path {
        "/old" => say("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<title>Old</title>"),
        "/none" => say("HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"),
        "/same" => say("HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nConnection: close\r\n\r\n"),
        "/nothing" => say("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        "/robots.txt" => say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        _ => {
            let links = links(["/old", "/none", "/same", "/nothing"]).body;
            say([format!("{HEAD}Connection: close\r\n\r\n").into_bytes(), links].concat())
        }
    })
    .await;
    let bench = Bench::new();
    let output = crawl(&bench, &[&server.url("/")]).await;
    assert_eq!(bench.rows("select url, kind, message from failures").await, [""; 0], "{}", stderr(&output));
    let rows = bench.rows("select status, size, title from pages where url not like '%/' order by status, size desc");
    assert_eq!(rows.await, ["200|18|Old", "200|0|null", "204|0|null", "304|0|null"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_is_decoded_by_mark_label_meta_or_guess_and_the_body_left_alone() {
    use encoding_rs::{SHIFT_JIS, WINDOWS_1251};
    let russian = "<title>Привет, мир</title><p>Это довольно длинный текст на русском языке.";
    let japanese = "<meta charset=Shift_JIS><title>こんにちは</title><p>日本語の文章です。";
    let utf_16: Vec<u8> = "\u{feff}<title>Größe</title>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let of =
        |content_type: &str, body: Vec<u8>| Reply { body, ..Reply::html("") }.with_header("content-type", content_type);
    let cyrillic = WINDOWS_1251.encode(russian).0.into_owned();
    let undeclared = cyrillic.clone();
    // No guess would come upon this one: the euro sign is where its older sibling has another.
    let latin_9 = encoding_rs::ISO_8859_15.encode("<title>Le prix est de 5 €</title>").0.into_owned();
    let kana = SHIFT_JIS.encode(japanese).0.into_owned();
    let server = Server::start(move |path| match path {
        "/label" => of("Text/HTML; Charset=\"CP1251\"", cyrillic.clone()),
        "/lenient" => of("text/html ;;Charset= 'ISO8859-15';", latin_9.clone()),
        "/meta" => of("text/html", kana.clone()),
        "/later-meta" => {
            let head = b"<meta name=description content='charset=nonsense'><meta charset=l9>";
            of("text/html", [&head[..], &latin_9].concat())
        }
        "/mark" => of("text/html; charset=iso-8859-1", utf_16.clone()),
        "/guess" => of("text/html", cyrillic.clone()),
        "/plain" => of("text/plain; charset=koi8-r", encoding_rs::KOI8_R.encode("Привет").0.into_owned()),
        "/untyped" => Reply { body: "<title>Grüße</title>".into(), ..Reply::status(200) },
        _ => links(["/label", "/lenient", "/meta", "/later-meta", "/mark", "/guess", "/plain", "/untyped"]),
    });
    let server = server.await.unwrap();
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/")]).await;
    let row = async |path: &str| {
        let sql = "select charset, title, text from pages where url = ";
        bench.rows(&format!("{sql}'{}'", server.url(path))).await.concat()
    };
    let expected = "windows-1251|Привет, мир|Это довольно длинный текст на русском языке.";
    for path in ["/label", "/guess"] {
        assert_eq!(row(path).await, expected, "{path}");
    }
    for path in ["/lenient", "/later-meta"] {
        assert_eq!(row(path).await, "iso-8859-15|Le prix est de 5 €|", "{path}");
    }
    assert_eq!(row("/meta").await, "shift_jis|こんにちは|日本語の文章です。");
    assert_eq!(row("/mark").await, "utf-16le|Größe|");
    assert_eq!(row("/plain").await, "koi8-r|null|Привет");
    assert_eq!(row("/untyped").await, "utf-8|Grüße|");
    let hex: String = undeclared.iter().map(|byte| format!("{byte:02x}")).collect();
    let body = bench.either("lower(hex(body))", "encode(body, 'hex')");
    let untouched = format!("select count(*) from bodies where {body} = '{hex}'");
    assert_eq!(bench.rows(&untouched).await, ["2"]);
}

const TYPES: [(&str, &str); 9] = [
    ("/html", "TEXT/Html; Charset=UTF-8"),
    ("/feed", "application/atom+xml"),
    ("/data", "application/ld+json; profile=x"),
    ("/picture", "image/png"),
    ("/drawing", "image/svg+xml"),
    ("/archive", "application/zip"),
    ("/paper", "application/pdf;version=1"),
    ("/bytes", "application/octet-stream"),
    ("/odd", "nonsense"),
];

/// A server whose bodies are of many types, and of a length that no socket buffer swallows.
async fn typed() -> Raw {
    Raw::start(|path| {
        let head = |content_type: &str| format!("HTTP/1.1 200 OK\r\nX-Seen: yes\r\nContent-Type: {content_type}\r\n");
        match TYPES.iter().find(|(at, _)| *at == path) {
            Some((_, content_type)) => {
                let length = 16 << 20;
                let head = format!("{}Content-Length: {length}\r\n\r\n", head(content_type));
                vec![Act::Send(head.into()), Act::Send(vec![b' '; length])]
            }
            None if path == "/none" => say("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<title>Bare</title>"),
            None if path == "/robots.txt" => say("HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            None => {
                let body = links(TYPES.iter().map(|(at, _)| *at).chain(["/none"])).body;
                say([format!("{}Connection: close\r\n\r\n", head("text/html")).into_bytes(), body].concat())
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_other_types_are_left_on_the_wire_and_their_headers_recorded() {
    let server = typed().await;
    let bench = Bench::new();
    crawl(&bench, &[&server.url("/"), "--max-body-size", "1KiB"]).await;
    // What is downloaded is over the cap; what is not, is a page without a body.
    let path = "replace(url, rtrim(url, 'abcdefghijklmnopqrstuvwxyz'), '')";
    let read = bench.rows(&format!("select {path} from failures where kind = 'too_large' order by 1")).await;
    assert_eq!(read, ["data", "drawing", "feed", "html", "odd"]);
    let left = "from pages join headers using (url) where name = 'x-seen' and status = 200 and size = 0";
    let left = bench.rows(&format!("select {path}, content_hash {left} order by 1")).await;
    assert_eq!(left, ["archive|null", "bytes|null", "paper|null", "picture|null"]);
    assert_eq!(bench.rows("select charset, title from pages where url like '%/none'").await, ["utf-8|Bare"]);
    assert!(server.sent() < (TYPES.len() << 20) as u64 * 8, "{} bytes were sent", server.sent());
}

#[tokio::test(flavor = "multi_thread")]
async fn body_types_choose_what_is_downloaded() {
    let downloaded = async |types: &str| {
        let server = typed().await;
        let bench = Bench::new();
        crawl(&bench, &[&server.url("/"), "--max-body-size", "1KiB", "--body-types", types]).await;
        bench.rows("select count(*) from failures where kind = 'too_large'").await.concat()
    };
    assert_eq!(downloaded("*/*").await, TYPES.len().to_string());
    assert_eq!(downloaded("text/html, Image/*").await, "4", "html, two images, and what names no type");
}

/// Pages of one site: most of each is what all have.
const SHELVES: usize = 90;

fn shelf(path: &str, edition: usize) -> Reply {
    let menu: String = (0..500).map(|at| format!("<li class='entry level-{}'>Department {at}</li>", at % 7)).collect();
    let own = sha256(path.as_bytes()).repeat(600);
    let links: String = (0..SHELVES).map(|at| format!("<a href='/shelf/{at}#end'>x</a>")).collect();
    Reply::html(format!("<nav>{menu}</nav><title>{path}</title><p>{edition} {own}</p>{links}<i id=end></i>"))
}

/// What `bodies` has of each URL, asked by harvestman.
fn as_received(bench: &Bench, database: &str) -> Vec<(String, String)> {
    let db = harvestman::Database::open(bench.path(database)).unwrap();
    let rows = db.query("select p.url, p.content_hash, b.body from pages p join bodies b using (url) order by 1", []);
    let rows = rows.unwrap().map(|row| {
        let row = row.unwrap();
        let hash = row.get::<&str>("content_hash").unwrap().to_owned();
        assert_eq!(sha256(row.get("body").unwrap()), hash);
        (row.get::<&str>("url").unwrap().to_owned(), hash)
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_bodies_take_a_fraction_of_the_space_and_are_read_as_received() {
    let server = Server::start(|path| shelf(path, 1)).await.unwrap();
    let bench = Bench::on_sqlite();
    // A dictionary is made in the midst of it; what one invocation made, the next one uses.
    crawl(&bench, &[&server.url("/"), "--compress", "--max-pages", "75", "--check", "fragments"]).await;
    crawl(&bench, &[&server.url("/"), "--compress", "--check", "fragments"]).await;
    let stored = "select count(*), count(distinct dictionary_id), sum(length(body)) * 5 < sum(size),
        (select count(*) from dictionary) from content join page using (url_id)";
    assert_eq!(bench.rows(stored).await, [format!("{}|2|1|1", SHELVES + 1)]);
    assert_eq!(as_received(&bench, "crawl.db").len(), SHELVES + 1);
    assert_eq!(bench.rows("select count(*) from broken_fragments").await, ["0"], "each page was read for its places");
    let shown = bench.run(&["show", "--body", &server.url("/shelf/7")]).await;
    assert_eq!(shown.stdout, shelf("/shelf/7", 1).body);
    let extracted = bench.run(&["extract", "metadata"]).await;
    assert!(extracted.status.success(), "{}", stderr(&extracted));
    let titles = "select count(*) from page_data where title like '/shelf/%'";
    assert_eq!(bench.rows(titles).await, [SHELVES.to_string()]);
    let archived = bench.run(&["export", "--format", "warc", "--output", "-"]).await;
    assert!(archived.status.success(), "{}", stderr(&archived));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dictionary_is_made_of_what_several_crawls_stored_and_its_loss_is_found() {
    let server = Server::start(|path| shelf(path, 1)).await.unwrap();
    let bench = Bench::on_sqlite();
    for _ in 0..3 {
        crawl(&bench, &[&server.url("/"), "--compress", "--max-pages", "28"]).await;
    }
    let packed = "select count(*), (select count(*) from dictionary) from content where dictionary_id > 0";
    assert!(bench.rows(packed).await[0].ends_with("|1"), "{:?}", bench.rows(packed).await);
    let before = as_received(&bench, "crawl.db");
    assert_eq!(before.len(), 84);
    assert!(bench.run(&["check"]).await.status.success());
    bench.write("delete from dictionary").await;
    let checked = bench.run(&["check"]).await;
    assert_eq!(checked.status.code(), Some(1), "{}", String::from_utf8_lossy(&checked.stdout));
    let asked = bench.run(&["query", "select sum(length(body)) from bodies"]).await;
    assert!(stderr(&asked).contains("the dictionary 1, is missing"), "{}", stderr(&asked));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_body_is_a_frame_that_zstd_reads_with_the_dictionary() {
    let server = Server::start(|path| shelf(path, 1)).await.unwrap();
    let bench = Bench::on_sqlite();
    crawl(&bench, &[&server.url("/"), "--compress"]).await;
    let db = rusqlite::Connection::open(bench.path("crawl.db")).unwrap();
    let sql = "select b.body, d.bytes from bodies b join url u using (url) join content c on c.url_id = u.id
        join dictionary d on d.id = c.dictionary_id where u.url = ?1";
    let last = server.hits().last().unwrap().path.clone();
    let (body, dictionary): (Vec<u8>, Vec<u8>) =
        db.query_row(sql, [server.url(&last)], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let mut decoder = ::zstd::stream::Decoder::with_dictionary(&body[..], &dictionary).unwrap();
    let mut read = Vec::new();
    std::io::copy(&mut decoder, &mut read).unwrap();
    assert_eq!(read, shelf(&last, 1).body);
}

#[tokio::test(flavor = "multi_thread")]
async fn older_versions_stay_compressed_and_a_copy_holds_all_bodies_as_received() {
    let edition = Arc::new(AtomicUsize::new(1));
    let now = edition.clone();
    let server = Server::start(move |path| shelf(path, now.load(Ordering::Relaxed))).await.unwrap();
    let bench = Bench::on_sqlite();
    let options = ["--compress", "--keep-versions", "1", "--max-depth", "1"];
    crawl(&bench, &[&[server.url("/").as_str()], &options[..]].concat()).await;
    edition.store(2, Ordering::Relaxed);
    // What is fetched without the option is stored as received.
    let only = server.url("/shelf/1");
    crawl(&bench, &[&[server.url("/").as_str()], &options[1..], &["--exclude", "/shelf/[02-9]"]].concat()).await;
    let old = "select body from versions where url = ?1";
    let db = harvestman::Database::open(bench.path("crawl.db")).unwrap();
    let row = db.first(old, [only.as_str().into()]).unwrap().unwrap();
    assert_eq!(row.at::<&[u8]>(0).unwrap(), shelf("/shelf/1", 1).body);
    let ways = "select (select count(*) from content where dictionary_id is null) > 0,
        (select count(*) from content where dictionary_id is not null) > 0,
        (select count(*) from old_content where dictionary_id is null)";
    assert_eq!(bench.rows(ways).await, ["1|1|0"]);
    let copied = bench.run(&["copy", "crawl.db", "copy.db"]).await;
    assert!(copied.status.success(), "{}", stderr(&copied));
    assert_eq!(as_received(&bench, "copy.db"), as_received(&bench, "crawl.db"));
    let copy = rusqlite::Connection::open(bench.path("copy.db")).unwrap();
    let packed = "select (select count(*) from content where dictionary_id is not null)
        + (select count(*) from old_content where dictionary_id is not null) + (select count(*) from dictionary)";
    assert_eq!(copy.query_row(packed, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    let body: Vec<u8> = copy.query_row("select body from versions where url = ?1", [only], |row| row.get(0)).unwrap();
    assert_eq!(body, shelf("/shelf/1", 1).body);
}
