//! `export --format warc`, read back by a small reader of its own: members, fields, lengths, digests, payloads.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "common/raw.rs"]
mod raw;

use std::collections::HashSet;
use std::io::{Read as _, Write as _};

use aws_lc_rs::digest::{SHA256, digest};
use common::{Bench, stderr, stdout};
use flate2::bufread::GzDecoder;
use harvestman::demo::{Reply, Server};
use raw::{Raw, say};

struct Record {
    fields: Vec<(String, String)>,
    block: Vec<u8>,
}

impl Record {
    fn parse(member: &[u8]) -> Self {
        let (head, rest) = halves(member);
        let head = String::from_utf8(head.to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        assert_eq!(lines.next(), Some("WARC/1.1"));
        let field =
            |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
        let record = Self { fields: lines.map(field).collect(), block: Vec::new() };
        let length: usize = record.field("Content-Length").unwrap().parse().unwrap();
        assert_eq!(&rest[length..], b"\r\n\r\n", "one record, and nothing else, is in a member");
        Self { block: rest[..length].to_vec(), ..record }
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(there, _)| there == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} stands there twice");
        value
    }

    fn kind(&self) -> &str {
        self.field("WARC-Type").unwrap()
    }

    fn id(&self) -> &str {
        self.field("WARC-Record-ID").unwrap()
    }

    fn head(&self) -> String {
        halves(&self.block).0.iter().map(|byte| char::from(*byte)).collect()
    }

    fn payload(&self) -> &[u8] {
        halves(&self.block).1
    }
}

/// What stands before and after the first empty line.
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (&bytes[..end], &bytes[end + 4..])
}

fn sha256(bytes: &[u8]) -> String {
    let hex: String = digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// All records of a file; what must hold for each of them is checked.
fn read(file: &[u8]) -> Vec<Record> {
    let (mut rest, mut records, mut ids) = (file, Vec::<Record>::new(), HashSet::new());
    while !rest.is_empty() {
        let mut member = GzDecoder::new(rest);
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        rest = member.into_inner();
        let record = Record::parse(&bytes);
        assert!(ids.insert(record.id().to_owned()), "{} is there twice", record.id());
        assert_eq!(record.field("WARC-Block-Digest"), Some(sha256(&record.block).as_str()));
        match (record.kind(), record.field("WARC-Payload-Digest")) {
            ("response", Some(stated)) => assert_eq!(stated, sha256(record.payload())),
            ("response", None) => {
                // The redirects here say that they have no body, so none is missing.
                let is_redirect = record.head().starts_with("HTTP/1.1 3");
                assert_eq!((record.payload(), record.field("WARC-Truncated").is_some()), (&[][..], !is_redirect))
            }
            ("revisit", stated) => assert!(stated.is_some() && record.payload().is_empty()),
            (_, stated) => assert_eq!(stated, None),
        }
        let info = records.first().map(Record::id);
        assert_eq!(record.field("WARC-Warcinfo-ID"), info, "the warcinfo comes first, and the others name it");
        records.push(record);
    }
    records
}

fn of<'a>(records: &'a [Record], kind: &str, url: &str) -> &'a Record {
    let is = |record: &&Record| record.kind() == kind && record.field("WARC-Target-URI") == Some(url);
    records.iter().find(is).unwrap_or_else(|| panic!("there is no {kind} of {url}"))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn site() -> Server {
    let server = Server::start(|path| match path {
        "/robots.txt" => Reply::status(404),
        "/" => Reply::html(
            "<a href=/a?x=1&y=2>a</a><a href=/twin/1></a><a href=/twin/2></a><a href=/gzip></a><a href=/gone></a><a href=/moved></a><a href=/pic></a><a href=/none></a>",
        ),
        "/twin/1" | "/twin/2" => Reply::html("<title>Twins</title>").with_header("x-path", path),
        "/gzip" => {
            Reply { body: gzip(b"<title>Packed</title>"), ..Reply::html("") }.with_header("content-encoding", "gzip")
        }
        "/gone" => Reply { status: 404, ..Reply::html("<title>Gone</title>") },
        "/moved" => Reply::redirect(301, "/a?x=1&y=2"),
        "/pic" => Reply::html("not a picture").with_header("content-type", "image/png"),
        "/none" => Reply { status: 299, ..Reply::html("") },
        _ => Reply::html("<p>caf\u{e9}</p>").with_header("x-odd", "caf\u{e9}"),
    });
    server.await.unwrap()
}

async fn crawled(url: &str, more: &[&str]) -> Bench {
    let bench = Bench::new();
    let output = bench.run(&[&["crawl", url, "--rate", "0"], more].concat()).await;
    assert!(output.status.success(), "{}", stderr(&output));
    bench
}

async fn export(bench: &Bench, more: &[&str]) -> Vec<Record> {
    let output = bench.run(&[&["export", "--format", "warc", "--output", "x.warc.gz"], more].concat()).await;
    assert!(output.status.success(), "{}", stderr(&output));
    read(&std::fs::read(bench.path("x.warc.gz")).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_its_response_request_and_metadata_and_payloads_are_the_bodies() {
    let site = site().await;
    let bench = crawled(&site.url("/"), &[]).await;
    let records = export(&bench, &[]).await;
    let count = |kind: &str| records.iter().filter(|record| record.kind() == kind).count();
    assert_eq!(["warcinfo", "response", "revisit", "request", "metadata"].map(count), [1, 8, 1, 9, 9]);
    let mut bodies = 0;
    for row in bench.rows("select url, body from bodies").await {
        let (url, body) = row.split_once('|').unwrap();
        if !url.contains("/twin/") {
            assert_eq!(of(&records, "response", url).payload(), body.as_bytes(), "{url}");
            bodies += 1;
        }
    }
    assert_eq!(bodies, 5);
    for record in records.iter().filter(|record| matches!(record.kind(), "request" | "metadata")) {
        let id = record.field("WARC-Concurrent-To").unwrap();
        let answer = records.iter().find(|record| record.id() == id).unwrap();
        for name in ["WARC-Target-URI", "WARC-Date"] {
            assert_eq!(record.field(name), answer.field(name));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_say_what_was_asked_and_answered() {
    let site = site().await;
    let bench = crawled(&site.url("/"), &[]).await;
    let records = export(&bench, &[]).await;
    let url = site.url("/a?x=1&y=2");
    let host = site.url("").replace("http://", "");
    assert_eq!(of(&records, "request", &url).head(), format!("GET /a?x=1&y=2 HTTP/1.1\r\nHost: {host}"));
    let answer = of(&records, "response", &url);
    assert!(answer.head().starts_with("HTTP/1.1 200 OK\r\n"), "{}", answer.head());
    assert!(answer.head().contains("x-odd: caf\u{c3}\u{a9}\r\n"), "the bytes come back: {}", answer.head());
    let began: jiff::Timestamp = answer.field("WARC-Date").unwrap().parse().unwrap();
    let fetched = bench.rows(&format!("select fetched_at from pages where url = '{url}'")).await;
    let took = fetched[0].parse::<jiff::Timestamp>().unwrap().duration_since(began);
    assert!(!took.is_negative() && took.as_mins() < 15, "{took}");
    for (path, line) in [("/gone", "404 Not Found"), ("/moved", "301 Moved Permanently"), ("/none", "299 ")] {
        let head = of(&records, "response", &site.url(path)).head();
        assert!(head.starts_with(&format!("HTTP/1.1 {line}\r\n")), "{head}");
    }
    let metadata = String::from_utf8(of(&records, "metadata", &url).block.clone()).unwrap();
    assert!(metadata.starts_with(&format!("via: {}\r\ndepth: 1\r\nfetchTimeMs: ", site.url("/"))), "{metadata}");
    let info = String::from_utf8(records[0].block.clone()).unwrap();
    let run = &bench.rows("select 'run ' || id || ', started at ' || started_at from runs").await[0];
    assert!(info.contains(&format!("isPartOf: {run}\r\n")) && info.contains("software: harvestman/"), "{info}");
    assert_eq!(records[0].field("WARC-Filename"), Some("x.warc.gz"));
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_true_of_the_body_that_is_stored() {
    let site = site().await;
    let bench = crawled(&site.url("/"), &[]).await;
    let records = export(&bench, &[]).await;
    let packed = of(&records, "response", &site.url("/gzip"));
    assert_eq!(packed.payload(), b"<title>Packed</title>");
    let head = packed.head();
    assert!(
        head.contains("\r\nx-crawler-content-encoding: gzip\r\n") && !head.contains("\r\ncontent-encoding"),
        "{head}"
    );
    assert!(head.ends_with("\r\ncontent-length: 21") && head.contains("\r\nx-crawler-content-length: "), "{head}");
    let picture = of(&records, "response", &site.url("/pic"));
    assert_eq!(picture.field("WARC-Truncated"), Some("unspecified"));
    assert!(picture.head().contains("\r\nx-crawler-content-length: 13\r\n"), "{}", picture.head());
    assert_eq!(of(&records, "response", &site.url("/moved")).field("WARC-Truncated"), None, "it was empty");

    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    let raw = Raw::start(move |target| say(if target == "/" { chunked } else { "HTTP/1.1 404 No\r\n\r\n" })).await;
    let bench = crawled(&raw.url("/"), &[]).await;
    let records = export(&bench, &[]).await;
    let answer = of(&records, "response", &raw.url("/"));
    assert!(
        answer.head().ends_with("\r\nx-crawler-transfer-encoding: chunked\r\ncontent-length: 3"),
        "{}",
        answer.head()
    );
    assert_eq!(answer.payload(), b"abc");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identical_body_is_a_revisit_of_the_first_one_that_is_exported() {
    let site = site().await;
    let bench = crawled(&site.url("/"), &[]).await;
    let records = export(&bench, &[]).await;
    let twins = bench.rows("select url from url where url like '%/twin/%' order by id").await;
    let (first, twin) = (of(&records, "response", &twins[0]), of(&records, "revisit", &twins[1]));
    assert_eq!(first.payload(), b"<title>Twins</title>");
    assert_eq!(twin.field("WARC-Refers-To"), Some(first.id()));
    assert_eq!(twin.field("WARC-Refers-To-Target-URI"), first.field("WARC-Target-URI"));
    assert_eq!(twin.field("WARC-Refers-To-Date"), first.field("WARC-Date"));
    assert_eq!(twin.field("WARC-Payload-Digest"), first.field("WARC-Payload-Digest"));
    let profile = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";
    assert_eq!((twin.field("WARC-Profile"), twin.field("WARC-Truncated")), (Some(profile), Some("length")));
    let path = twins[1].replace(&site.url(""), "");
    assert!(twin.head().contains(&format!("x-path: {path}\r\n")), "its own headers: {}", twin.head());
    let alone = export(&bench, &["--where", &format!("url = '{}'", twins[1])]).await;
    assert_eq!(of(&alone, "response", &twins[1]).payload(), first.payload());
    assert_eq!(alone.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_bodies_the_headers_are_exported_and_the_rest_is_said_to_be_missing() {
    let site = site().await;
    let bench = crawled(&site.url("/"), &["--no-bodies"]).await;
    let records = export(&bench, &[]).await;
    let answers: Vec<_> = records.iter().filter(|record| record.kind() == "response").collect();
    let missing = answers.iter().filter(|record| record.field("WARC-Truncated") == Some("unspecified")).count();
    assert_eq!((answers.len(), missing), (9, 7), "two had no body to miss");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_on_standard_output_is_the_same_but_for_its_name() {
    let site = site().await;
    let bench = crawled(&site.url("/"), &[]).await;
    let output = bench.run(&["export", "--format", "warc", "--output", "-"]).await;
    let records = read(&output.stdout);
    assert_eq!((records.len(), records[0].field("WARC-Filename")), (28, None));
    assert_eq!(stderr(&output), "");
    let refused = bench.run(&["export", "--format", "warc", "--output", "-", "--columns", "url"]).await;
    assert_eq!((refused.status.code(), stdout(&refused)), (Some(2), String::new()));
}
