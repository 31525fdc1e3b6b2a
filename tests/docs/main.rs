//! The documentation is true: every command in it is run, in the order of its page, in an empty folder, against sites that
//! stand in for those that it names; every output that it shows is compared; every message is in it.
//!
//! `page.rs` says how a page tells what is not run, and why.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod messages;
mod page;
#[path = "../common/postgres.rs"]
mod postgres;
mod shell;
mod sites;
#[path = "../common/source.rs"]
#[allow(dead_code, reason = "a part of it is used")]
mod source;
mod tasks;
mod web;

use std::path::Path;

use page::Page;
use shell::Shell;
use tokio::task::JoinSet;

/// Pages that `tasks.rs` runs, to look at what they leave behind.
const TASKS: [&str; 8] = [
    "docs/notebook.md",
    "docs/audit.md",
    "docs/retrieval.md",
    "docs/archive.md",
    "docs/scheduling.md",
    "docs/items.md",
    "docs/login.md",
    "docs/many-sites.md",
];

/// Pages about a server of PostgreSQL.
const ON_A_SERVER: [&str; 2] = ["docs/cluster.md", "docs/postgresql.md"];

fn pages() -> Vec<Page> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let docs = names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}"));
    docs.chain(["README.md".to_owned()]).map(|name| Page::read(&name)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_and_output_of_the_documentation_is_as_it_says() {
    let apart = [&TASKS[..], &ON_A_SERVER].concat();
    let ran = run(pages().into_iter().filter(|page| !apart.contains(&page.name.as_str()))).await;
    assert!(ran > 20, "the blocks are found: {ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_documentation_does_on_a_server_is_as_it_says() {
    let ran = run(ON_A_SERVER.into_iter().map(Page::read)).await;
    let is_there = std::env::var_os("HARVESTMAN_TEST_POSTGRES").is_some();
    assert!(ran == if is_there { 6 } else { 0 }, "the blocks are found: {ran}");
}

/// Runs pages at once, each in a folder of its own. Answers with how many blocks were run.
async fn run(pages: impl Iterator<Item = Page>) -> usize {
    let mut running = JoinSet::new();
    for page in pages {
        running.spawn(async move {
            let mut shell = Shell::new().await;
            shell.run(&page).await.map(|()| shell.ran)
        });
    }
    let (mut ran, mut wrong) = (0, Vec::new());
    for result in running.join_all().await {
        match result {
            Ok(blocks) => ran += blocks,
            Err(problem) => wrong.push(problem),
        }
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    ran
}
