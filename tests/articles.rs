//! Articles on their way out: Markdown of one page, and of all as files or JSON lines, whole or in chunks.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Bench, stderr, stdout};
use harvestman::demo::{Reply, Server};
use serde_json::Value;

const SENTENCE: &str =
    "Nobody expected the numbers to fall so quickly, least of all those who had counted them for years.";

/// A front page that links two articles, of which the second may be another one, and a page of no text.
async fn site() -> (Server, Arc<AtomicBool>) {
    let is_later = Arc::new(AtomicBool::new(false));
    let later = is_later.clone();
    let article = |title: &str, more: &str| {
        let text = format!("<p>{SENTENCE}</p><h2>One</h2><p>{SENTENCE} {more}</p><h2>Two</h2><p>{SENTENCE}</p>");
        Reply::html(format!(
            "<html lang=en><title>{title}</title><nav><a href=/>Front</a></nav><article>{text}{text}</article>"
        ))
    };
    let server = Server::start(move |path| match path {
        "/" => Reply::html("<a href=/one></a><a href='/%C3%A9/Two?x=1'></a>"),
        "/one" => article("A &quot;first&quot;: text #1", ""),
        "/%C3%A9/Two?x=1" if later.load(Ordering::SeqCst) => {
            article("The second article of all", "It has changed since.")
        }
        "/%C3%A9/Two?x=1" => article("The second article of all", ""),
        _ => Reply::status(404),
    });
    (server.await.unwrap(), is_later)
}

async fn done(bench: &Bench, args: &[&str]) -> Output {
    let output = bench.run(args).await;
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    output
}

async fn crawled(site: &Server) -> Bench {
    let bench = Bench::new();
    done(&bench, &["crawl", &site.url("/"), "--rate", "0"]).await;
    bench
}

/// The JSON lines of an export.
async fn lines(bench: &Bench, more: &[&str]) -> Vec<Value> {
    let output = done(bench, &[&["export", "--format", "markdown", "--output", "-"], more].concat()).await;
    stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The files of a folder by name.
fn files(bench: &Bench, folder: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(bench.path(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn articles_are_a_json_line_each_or_a_file_with_front_matter() {
    let (site, _) = site().await;
    let bench = crawled(&site).await;
    done(&bench, &["extract", "articles"]).await;
    let mut found = lines(&bench, &[]).await;
    found.sort_by_key(|line| line["url"].to_string());
    let urls: Vec<_> = found.iter().map(|line| line["url"].as_str().unwrap().replace(&site.url(""), "")).collect();
    assert_eq!(urls, ["/%C3%A9/Two?x=1", "/one"]);
    let first = &found[1];
    assert_eq!((&first["title"], &first["language"]), (&"A \"first\": text #1".into(), &"en".into()));
    let markdown = first["markdown"].as_str().unwrap();
    assert!(markdown.starts_with(SENTENCE) && markdown.contains("\n\n## Two\n\n"), "{markdown}");
    assert!(!markdown.contains("Front"), "{markdown}");
    assert_eq!(lines(&bench, &["--where", "url like '%Two%'"]).await, [found[0].clone()]);

    let shown = done(&bench, &["show", &site.url("/one"), "--markdown"]).await;
    assert_eq!(stdout(&shown).trim_end(), markdown);

    done(&bench, &["export", "--format", "markdown", "--output", "new/articles/"]).await;
    let files = files(&bench, "new/articles");
    assert_eq!(files.len(), 2, "{files:?}");
    let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    assert!(files.iter().all(|(name, _)| name.strip_suffix(".md").unwrap().chars().all(is_fit)), "{files:?}");
    let (_, text) = files.iter().find(|(name, _)| name.starts_with("127-0-0-1-one-")).unwrap();
    let (head, body) = text.strip_prefix("---\n").unwrap().split_once("\n---\n\n").unwrap();
    let head: Vec<_> = head.lines().map(|line| line.split_once(": ").unwrap()).collect();
    assert_eq!(head[1], ("title", "\"A \\\"first\\\": text #1\""));
    assert_eq!(head.last().unwrap(), &("words", first["words"].to_string().as_str()));
    assert_eq!(body.trim_end(), markdown);
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_tell_their_headings_and_leave_no_file_of_an_earlier_export() {
    let (site, _) = site().await;
    let bench = crawled(&site).await;
    done(&bench, &["extract", "articles"]).await;
    let chunks = lines(&bench, &["--chunk", "20", "--where", "url like '%one'"]).await;
    let told: Vec<_> =
        chunks.iter().map(|line| (line["chunk"].as_u64().unwrap(), line["headings"].to_string())).collect();
    assert_eq!(told[..3], [(1, "[]".to_owned()), (2, "[\"One\"]".to_owned()), (3, "[\"Two\"]".to_owned())]);
    assert!(chunks.iter().all(|line| line["words"].as_u64().unwrap() <= 20), "{chunks:?}");
    for (words, count) in [("20", chunks.len() * 2), ("5000", 2)] {
        done(&bench, &["export", "--format", "markdown", "--chunk", words, "--output", "chunks/"]).await;
        assert_eq!(files(&bench, "chunks").len(), count);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_export_left_in_the_folder_goes_with_the_next_and_files_of_others_stay() {
    let (site, _) = site().await;
    let bench = crawled(&site).await;
    done(&bench, &["extract", "articles"]).await;
    let names = [".harvestman-unfinished-k1LLed.part", ".harvestman-unfinished-by-me.part", "mine.md"];
    std::fs::create_dir(bench.path("docs")).unwrap();
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    for name in names {
        let path = bench.path("docs").join(name);
        std::fs::write(&path, "cut off").unwrap();
        std::fs::File::open(&path).unwrap().set_modified(hour_ago).unwrap();
    }
    done(&bench, &["export", "--format", "markdown", "--output", "docs/"]).await;
    let is_there = names.map(|name| bench.path("docs").join(name).exists());
    assert_eq!(is_there, [false, true, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn since_a_run_only_what_changed_is_exported() {
    let (site, is_later) = site().await;
    let bench = crawled(&site).await;
    is_later.store(true, Ordering::SeqCst);
    done(&bench, &["crawl", &site.url("/"), "--rate", "0"]).await;
    done(&bench, &["extract", "articles"]).await;
    assert_eq!(lines(&bench, &[]).await.len(), 2);
    let changed = lines(&bench, &["--since", "2"]).await;
    assert_eq!(changed.len(), 1);
    assert!(changed[0]["markdown"].as_str().unwrap().contains("It has changed since."));
    assert_eq!(lines(&bench, &["--since", "2999-01-01"]).await, [] as [Value; 0]);
    let urls = done(&bench, &["export", "--format", "csv", "--output", "-", "--columns", "url", "--since", "2"]).await;
    assert_eq!(stdout(&urls), format!("url\r\n{}\r\n", changed[0]["url"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_extracted_yet_is_told_with_the_command_that_does() {
    let (site, _) = site().await;
    let bench = crawled(&site).await;
    for args in
        [&["show", &site.url("/one"), "--markdown"][..], &["export", "--format", "markdown", "--output", "new/"]]
    {
        let output = bench.run(args).await;
        assert_eq!((output.status.code(), stdout(&output)), (Some(1), String::new()));
        let said = stderr(&output);
        assert!(said.lines().count() == 2 && said.contains("harvestman extract articles"), "{said}");
    }
    assert!(!bench.path("new").exists());
}
