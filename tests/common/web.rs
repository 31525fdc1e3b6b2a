//! A site that is another one each day, and the bench that crawls it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use harvestman::demo::{Reply, Server};

use super::{Bench, stderr, stdout};

pub struct Web {
    pub bench: Bench,
    pub server: Server,
    day: Arc<AtomicUsize>,
}

impl Web {
    /// A site that answers by the day, from 1 on, and the path.
    pub async fn new(site: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let day = Arc::new(AtomicUsize::new(0));
        let today = day.clone();
        let server = Server::start(move |path| site(today.load(Ordering::SeqCst), path)).await.unwrap();
        Self { bench: Bench::new(), server, day }
    }

    /// The crawl of the next day; what it tells.
    pub async fn crawl(&self, options: &[&str]) -> String {
        self.day.fetch_add(1, Ordering::SeqCst);
        let seed = self.server.url("/");
        self.run(&[&["crawl"], options, &[seed.as_str(), "--rate", "0"]].concat()).await.1
    }

    /// What a command prints, and what it tells.
    pub async fn run(&self, args: &[&str]) -> (String, String) {
        let output = self.bench.run(args).await;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        (stdout(&output), stderr(&output))
    }

    /// Rows with paths in place of URLs.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self.bench.rows(sql).await;
        rows.into_iter().map(|row| row.replace(&self.server.url(""), "")).collect()
    }
}
