//! The documentation is true: every command in it is run, in the order of its page, in an empty folder, against sites that
//! stand in for those that it names; every output that it shows is compared; every message is in it.
//!
//! `page.rs` says how a page tells what is not run, and why.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod messages;
mod page;
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

fn pages() -> Vec<Page> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let docs = names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}"));
    docs.chain(["README.md".to_owned()]).map(|name| Page::read(&name)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_and_output_of_the_documentation_is_as_it_says() {
    let mut running = JoinSet::new();
    for page in pages().into_iter().filter(|page| !TASKS.contains(&page.name.as_str())) {
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
    assert!(ran > 20, "the blocks are found: {ran}");
}
