//! `export --format warc` and `wacz`, read back by a small reader of its own: members, fields, lengths, digests, payloads.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "common/raw.rs"]
mod raw;

use std::collections::{BTreeMap, HashSet};
use std::io::{Cursor, Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
            ("revisit", stated) => {
                assert!(stated.is_some() && record.payload().is_empty());
                let answer = records.iter().find(|answer| Some(answer.id()) == record.field("WARC-Refers-To")).unwrap();
                assert_eq!((answer.kind(), answer.field("WARC-Payload-Digest")), ("response", stated));
            }
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
    assert_eq!(
        of(&records, "request", &url).head(),
        format!(
            "GET /a?x=1&y=2 HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {}\r\n\
             Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\nAccept-Encoding: gzip, deflate, br, zstd",
            site.hits()[0].header("user-agent").unwrap()
        )
    );
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

/// What a run of the same site brings: `/kept` says that it is as it was, `/same` is sent again, `/new` is another each time.
async fn changing_site(run: Arc<AtomicUsize>) -> Server {
    let server = Server::start_with_request(move |hit| match &*hit.path {
        "/robots.txt" => Reply::status(404),
        "/" => Reply::html("<a href=/kept></a><a href=/same></a><a href=/new></a>"),
        "/kept" if hit.header("if-none-match") == Some("\"1\"") => Reply::status(304),
        "/kept" => Reply::html("kept").with_header("etag", "\"1\""),
        "/same" => Reply::html("same"),
        _ => Reply::html(format!("run {}", run.load(Ordering::SeqCst))).with_header("x-run", "this"),
    });
    server.await.unwrap()
}

async fn crawled_thrice() -> (Server, Bench) {
    let run = Arc::new(AtomicUsize::new(1));
    let (site, bench) = (changing_site(run.clone()).await, Bench::new());
    for _ in 0..3 {
        let output = bench.run(&["crawl", &site.url("/"), "--rate", "0", "--keep-versions", "5"]).await;
        assert!(output.status.success(), "{}", stderr(&output));
        run.fetch_add(1, Ordering::SeqCst);
    }
    (site, bench)
}

/// Type, date and payload of the captures of a URL, the oldest first.
fn captures<'a>(records: &'a [Record], url: &str) -> Vec<&'a Record> {
    let is = |record: &&Record| {
        matches!(record.kind(), "response" | "revisit") && record.field("WARC-Target-URI") == Some(url)
    };
    let mut captures: Vec<_> = records.iter().filter(is).collect();
    captures.sort_by_key(|record| record.field("WARC-Date"));
    captures
}

fn told(captures: &[&Record]) -> Vec<(String, String)> {
    let told = |record: &&Record| {
        let of_it = record.field("WARC-Profile").map_or_else(
            || String::from_utf8(record.payload().to_vec()).unwrap(),
            |profile| profile.rsplit('/').next().unwrap().to_owned(),
        );
        (record.kind().to_owned(), of_it)
    };
    captures.iter().map(told).collect()
}

fn pair(kind: &str, of_it: &str) -> (String, String) {
    (kind.to_owned(), of_it.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_unchanged_is_a_revisit_and_older_contents_are_responses_each_of_its_moment() {
    let (site, bench) = crawled_thrice().await;
    let records = export(&bench, &[]).await;
    for path in ["/kept", "/same", "/new"] {
        let url = site.url(path);
        let asked = format!("select at from fetches where url = '{url}' order by at");
        let dates: Vec<_> = captures(&records, &url).iter().map(|record| record.field("WARC-Date").unwrap()).collect();
        assert_eq!(dates, bench.rows(&asked).await, "{path}");
    }
    let kept = captures(&records, &site.url("/kept"));
    let unmodified = pair("revisit", "server-not-modified");
    assert_eq!(told(&kept), [pair("response", "kept"), unmodified.clone(), unmodified]);
    assert_eq!(kept[1].head(), "HTTP/1.1 304 Not Modified");
    let asked = |record: &Record| {
        let is_of_it =
            |request: &&Record| request.kind() == "request" && request.field("WARC-Concurrent-To") == Some(record.id());
        records.iter().find(is_of_it).unwrap().head()
    };
    assert!(asked(kept[2]).ends_with("\r\nIf-None-Match: \"1\"") && !asked(kept[0]).contains("If-None-Match"));
    assert!(asked(kept[2]).contains("User-Agent") && !asked(kept[1]).contains("User-Agent"), "the last run's is known");

    let same = captures(&records, &site.url("/same"));
    let identical = pair("revisit", "identical-payload-digest");
    assert_eq!(told(&same), [identical.clone(), identical, pair("response", "same")]);
    assert!(same[2].head().contains("content-type: text/html"), "its headers are the last ones: {}", same[2].head());

    let new = captures(&records, &site.url("/new"));
    assert_eq!(told(&new), [pair("response", "run 1"), pair("response", "run 2"), pair("response", "run 3")]);
    assert!(new[0].head().starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/html"), "{}", new[0].head());
    assert!(!new[0].head().contains("x-run") && new[2].head().contains("x-run"), "of older ones the type is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn since_leaves_out_what_was_captured_before() {
    let (site, bench) = crawled_thrice().await;
    let records = export(&bench, &["--since", "2"]).await;
    let urls: HashSet<_> = records.iter().filter_map(|record| record.field("WARC-Target-URI")).collect();
    assert_eq!(urls, HashSet::from([&*site.url("/new")]), "the others are as they were");
    let new = captures(&records, &site.url("/new"));
    assert_eq!(told(&new), [pair("response", "run 2"), pair("response", "run 3")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_requests_of_old_runs_the_present_contents_are_exported_as_they_were_found_last() {
    let (site, bench) = crawled_thrice().await;
    bench.write(bench.either("delete from fetch", "delete from request")).await;
    let records = export(&bench, &[]).await;
    assert_eq!(told(&captures(&records, &site.url("/kept"))), [pair("response", "kept")]);
    assert_eq!(told(&captures(&records, &site.url("/new"))).len(), 3);
}

fn numbered(bench: &Bench, ending: &str) -> Vec<(String, Vec<u8>)> {
    let files = (1..).map(|number| format!("x-{number:05}{ending}"));
    files.map_while(|name| Some((name.clone(), std::fs::read(bench.path(&name)).ok()?))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_archive_is_files_of_bounded_size_that_each_stand_alone() {
    let site = Server::start(|path| harvestman::demo::graph_page(40, 5_000, path)).await.unwrap();
    let bench = crawled(&site.url("/p/0"), &[]).await;
    let whole = export(&bench, &[]).await;
    let targets = |records: &[Record]| -> Vec<_> {
        records
            .iter()
            .filter_map(|record| Some((record.kind().to_owned(), record.field("WARC-Target-URI")?.to_owned())))
            .collect()
    };
    // What an export left that was killed goes with the next one.
    let remainder = bench.path(".harvestman-unfinished-k1LLed.parts");
    std::fs::create_dir(&remainder).unwrap();
    std::fs::write(remainder.join("x-00000.warc.gz"), "cut off").unwrap();
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    std::fs::File::open(&remainder).unwrap().set_modified(hour_ago).unwrap();
    export_files(&bench, &["--split", "9KB"]).await;
    let files = numbered(&bench, ".warc.gz");
    assert!(files.len() > 3, "{}", files.len());
    let mut all = Vec::new();
    for (name, bytes) in &files {
        let records = read(bytes);
        assert_eq!(records[0].field("WARC-Filename"), Some(&**name));
        assert!(bytes.len() <= 9_000 && records.len() > 3, "{name}: {} bytes", bytes.len());
        all.extend(targets(&records));
    }
    assert_eq!(all, targets(&whole));
    export_files(&bench, &["--split", "1"]).await;
    assert_eq!(numbered(&bench, ".warc.gz").len(), 40, "a page is not cut");
    export_files(&bench, &["--split", "1GB"]).await;
    assert_eq!(numbered(&bench, ".warc.gz").len(), 1, "files of the larger archive before are gone");
}

async fn export_files(bench: &Bench, more: &[&str]) {
    let output = bench.run(&[&["export", "--format", "warc", "--output", "x.warc.gz"], more].concat()).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let left = std::fs::read_dir(bench.dir.path())
        .unwrap()
        .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().starts_with(".harvestman"));
    assert_eq!(left.count(), 0);
}

/// Follows each line of an index to its record in a file; answers with how many lines there are.
fn follow(index: &str, files: &BTreeMap<String, Vec<u8>>) -> usize {
    let lines: Vec<_> = index.lines().collect();
    assert!(lines.is_sorted());
    for line in &lines {
        let (key, rest) = line.split_once(' ').unwrap();
        let (moment, told) = rest.split_once(' ').unwrap();
        let told: serde_json::Value = serde_json::from_str(told).unwrap();
        let text = |name: &str| told[name].as_str().unwrap();
        let number = |name: &str| text(name).parse::<usize>().unwrap();
        let member = &files[text("filename")][number("offset")..][..number("length")];
        let mut bytes = Vec::new();
        GzDecoder::new(member).read_to_end(&mut bytes).unwrap();
        let record = Record::parse(&bytes);
        let date: String = record.field("WARC-Date").unwrap().chars().filter(char::is_ascii_digit).take(14).collect();
        assert_eq!((record.field("WARC-Target-URI"), &*date), (Some(text("url")), moment));
        assert!(record.head().starts_with(&format!("HTTP/1.1 {} ", text("status"))), "{line}");
        assert_eq!(record.field("WARC-Payload-Digest").unwrap_or(&sha256(b"")), text("digest"));
        assert_eq!(text("mime") == "warc/revisit", record.kind() == "revisit");
        assert!(key.starts_with("1,0,0,127:"), "{key}");
    }
    lines.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_an_index_leads_to_its_record() {
    let (_site, bench) = crawled_thrice().await;
    for split in [&[][..], &["--split", "2KB"]] {
        export_files(&bench, &[&["--cdxj"], split].concat()).await;
        let index = std::fs::read_to_string(bench.path("x.cdxj")).unwrap();
        let mut files: BTreeMap<_, _> = numbered(&bench, ".warc.gz").into_iter().collect();
        files.extend(std::fs::read(bench.path("x.warc.gz")).map(|bytes| ("x.warc.gz".to_owned(), bytes)));
        assert_eq!(follow(&index, &files), 12, "four pages in three runs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wacz_holds_the_archive_its_index_and_a_list_of_pages_with_their_digests() {
    let (site, bench) = crawled_thrice().await;
    for (split, archives) in [(&[][..], "archive/data.warc.gz"), (&["--split", "2KB"], "archive/data-00001.warc.gz")] {
        let output = bench.run(&[&["export", "--format", "wacz", "--output", "-"], split].concat()).await;
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
        let mut zip = zip::ZipArchive::new(Cursor::new(&output.stdout)).unwrap();
        let mut files = BTreeMap::new();
        for at in 0..zip.len() {
            let mut file = zip.by_index(at).unwrap();
            let is_stored = file.compression() == zip::CompressionMethod::Stored;
            let name = file.name().unwrap().into_owned();
            assert_eq!(is_stored, name.ends_with(".gz"), "what is packed is not packed again");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            files.insert(name, bytes);
        }
        let json = |name: &str| serde_json::from_slice::<serde_json::Value>(&files[name]).unwrap();
        let about = json("datapackage.json");
        assert_eq!(json("datapackage-digest.json")["hash"], sha256(&files["datapackage.json"]));
        let listed: BTreeMap<_, _> = about["resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (
                    one["path"].as_str().unwrap().to_owned(),
                    (one["hash"].as_str().unwrap().to_owned(), one["bytes"].as_u64().unwrap()),
                )
            })
            .collect();
        let others = files.iter().filter(|(name, _)| !name.starts_with("datapackage"));
        let found: BTreeMap<_, _> =
            others.map(|(name, bytes)| (name.clone(), (sha256(bytes), bytes.len() as u64))).collect();
        assert_eq!(listed, found);
        assert!(listed.contains_key(archives), "{listed:?}");
        assert_eq!((&about["wacz_version"], &about["mainPageUrl"]), (&"1.1.1".into(), &site.url("/").into()));

        let mut index = String::new();
        flate2::read::MultiGzDecoder::new(&*files["indexes/index.cdx.gz"]).read_to_string(&mut index).unwrap();
        let first = index.lines().next().unwrap().split(" {").next().unwrap();
        let blocks = String::from_utf8(files["indexes/index.idx"].clone()).unwrap();
        let block = format!("{first} {{\"offset\":0,\"length\":{}}}", files["indexes/index.cdx.gz"].len());
        assert_eq!(blocks.lines().nth(1), Some(&*block));
        let archives =
            files.iter().filter_map(|(name, bytes)| Some((name.strip_prefix("archive/")?.to_owned(), bytes.clone())));
        assert_eq!(follow(&index, &archives.collect()), 12);

        let pages = String::from_utf8(files["pages/pages.jsonl"].clone()).unwrap();
        let pages: Vec<serde_json::Value> = pages.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(pages[0]["format"], "json-pages-1.0");
        let urls: HashSet<_> = pages[1..].iter().map(|page| page["url"].as_str().unwrap().to_owned()).collect();
        assert_eq!(urls, ["/", "/kept", "/same", "/new"].map(|path| site.url(path)).into());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_the_place_of_a_numbered_file_is_replaced_and_not_followed() {
    let site = site().await;
    let bench = crawled(&site.url("/"), &[]).await;
    std::fs::write(bench.path("theirs"), "theirs").unwrap();
    std::os::unix::fs::symlink("theirs", bench.path("x-00001.warc.gz")).unwrap();
    std::os::unix::fs::symlink("nowhere", bench.path("x.cdxj")).unwrap();
    export_files(&bench, &["--split", "1GB", "--cdxj"]).await;
    assert_eq!(std::fs::read_to_string(bench.path("theirs")).unwrap(), "theirs");
    assert_eq!(read(&numbered(&bench, ".warc.gz")[0].1).len(), 28);
    assert!(!bench.path("nowhere").exists() && !bench.path("x.cdxj").is_symlink());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_called_like_a_file_of_a_larger_archive_and_is_none_stays() {
    let site = site().await;
    let bench = crawled(&site.url("/"), &[]).await;
    std::fs::write(bench.path("x-00002.warc.gz"), "theirs").unwrap();
    export_files(&bench, &["--split", "1GB"]).await;
    assert_eq!(std::fs::read_to_string(bench.path("x-00002.warc.gz")).unwrap(), "theirs");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_of_archives_are_refused_where_they_mean_nothing() {
    let site = site().await;
    let bench = crawled(&site.url("/"), &[]).await;
    for (args, code, says) in [
        ("--format csv --output x --split 1GB", 2, "--split is for warc and wacz"),
        ("--format wacz --output x --cdxj", 2, "--cdxj is for warc"),
        ("--format warc --output x --split 0", 2, "--split"),
        ("--format warc --output x --split lots", 2, "--split"),
        ("--format warc --output - --split 1GB", 2, "name a file with --output"),
        ("--format warc --output /dev/null --cdxj", 2, "name a file with --output"),
    ] {
        let output = bench.run(&[&["export"], &*args.split(' ').collect::<Vec<_>>()].concat()).await;
        assert_eq!((output.status.code(), stdout(&output)), (Some(code), String::new()), "{args}");
        assert!(stderr(&output).contains(says), "{args}: {}", stderr(&output));
        assert!(!bench.path("x").exists());
    }
}
