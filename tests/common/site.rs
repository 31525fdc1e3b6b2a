//! Sites with the faults that are put there, and what an audit finds on them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use harvestman::demo::{Reply, Server};

use super::{Bench, stderr};

const WORDS: [&str; 12] = [
    "hedge", "lantern", "ferry", "orchard", "ledger", "barrel", "bridge", "candle", "meadow", "harbour", "thistle",
    "anvil",
];

/// A hundred and fifty words that no other page has in this order.
pub fn prose(seed: &str) -> String {
    let mut rng = fastrand::Rng::with_seed(seed.bytes().fold(7, |sum, byte| sum * 31 % 1_000_003 + u64::from(byte)));
    (0..150).map(|_| WORDS[rng.usize(..WORDS.len())]).collect::<Vec<_>>().join(" ")
}

/// A page without fault, and what may be changed of it.
pub struct Made {
    pub head: String,
    pub body: String,
}

impl Made {
    pub fn new(path: &str) -> Self {
        let head = format!(
            "<title>All there is to know of {path}</title>
             <meta name=description content='What is written on the page {path}, in a sentence that is long enough.'>"
        );
        Self { head, body: format!("<h1>{path}</h1><p>{}</p>", prose(path)) }
    }

    pub fn head(mut self, more: &str) -> Self {
        self.head.push_str(more);
        self
    }

    pub fn links(mut self, targets: &[&str]) -> Self {
        targets.iter().for_each(|target| write!(self.body, "<a href='{target}'>{target}</a> ").unwrap());
        self
    }

    pub fn reply(self) -> Reply {
        let Self { head, body } = self;
        safe(Reply::html(format!("<!doctype html><html lang=en><head><meta charset=utf-8>{head}</head><body>{body}")))
    }
}

fn safe(reply: Reply) -> Reply {
    reply.with_header("content-security-policy", "default-src 'self'").with_header("x-content-type-options", "nosniff")
}

pub fn page(path: &str) -> Made {
    Made::new(path)
}

/// A page whose title and description are these.
pub fn titled(title: &str, description: &str, path: &str) -> Reply {
    let head = format!("<title>{title}</title><meta name=description content='{description}'>");
    Made { head, ..page(path) }.reply()
}

/// A site whose pages may change from run to run. The front page links to all but those that are hidden.
#[derive(Clone, Default)]
pub struct Site(Arc<Mutex<BTreeMap<String, Reply>>>);

impl Site {
    pub fn put(&self, path: &str, reply: Reply) {
        self.0.lock().unwrap().insert(path.to_owned(), reply);
    }

    pub fn get(&self, path: &str) -> Option<Reply> {
        self.0.lock().unwrap().get(path).cloned()
    }

    pub async fn serve(&self) -> Server {
        let site = self.clone();
        Server::start(move |path| site.get(path).unwrap_or_else(|| Reply::status(404))).await.unwrap()
    }
}

pub async fn crawl(bench: &Bench, server: &Server, options: &[&str]) {
    let seed = server.url("/");
    let fast = ["--rate", "0", "--retries", "0", "--quiet"];
    let output = bench.run(&[&["crawl", &seed], &fast[..], options].concat()).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

pub async fn audit(bench: &Bench, options: &[&str]) -> std::process::Output {
    bench.run(&[&["audit"], options].concat()).await
}

pub async fn audited(bench: &Bench) {
    let output = audit(bench, &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

/// What the view has of the last run, in the order of the bytes: `finding url other_url`, the server's address left out.
pub async fn findings(bench: &Bench, server: &Server) -> Vec<String> {
    audited(bench).await;
    let sql =
        "select finding, url, other_url from findings where state <> 'fixed' and run = (select max(id) from runs)";
    let rows = bench.rows(sql).await.into_iter().map(|row| row.replace(&server.url(""), ""));
    let mut rows: Vec<_> = rows.map(|row| row.trim_end_matches("|null").replace('|', " ")).collect();
    rows.sort();
    rows
}

pub async fn details(bench: &Bench, server: &Server, finding: &str) -> Vec<String> {
    let sql = format!("select url, detail from findings where finding = '{finding}' and state <> 'fixed'");
    let rows = bench.rows(&sql).await.into_iter().map(|row| row.replace(&server.url(""), ""));
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

pub fn sorted(mut expected: Vec<&str>) -> Vec<&str> {
    expected.sort_unstable();
    expected
}

pub fn sitemap(server: &Server, paths: &[&str]) -> Reply {
    let urls: String = paths.iter().map(|path| format!("<url><loc>{}</loc></url>", server.url(path))).collect();
    let xml = format!("<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}</urlset>");
    Reply { body: xml.into_bytes(), ..Reply::status(200) }.with_header("content-type", "application/xml")
}
