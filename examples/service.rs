//! A crawl inside a web service, with a stop button: `cargo run --example service -- https://books.toscrape.com/`, then
//! open http://127.0.0.1:8080/.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use harvestman::{CancellationToken, Crawl, RunningCrawl, Summary};
use tokio::net::TcpListener;

/// What the handlers share with the task that follows the crawl.
#[derive(Clone)]
struct Shared {
    pages: Arc<AtomicU64>,
    stop: CancellationToken,
}

/// Serves until the crawl is over, and returns what it did.
pub async fn run(seed: &str, database: &Path, listener: TcpListener) -> Result<Summary, Box<dyn Error>> {
    let crawl = Crawl::new([seed])?.database(database).start().await?;
    let shared = Shared { pages: Arc::default(), stop: crawl.token() };
    let over = CancellationToken::new();
    let follower = tokio::spawn(follow(crawl, shared.clone(), over.clone()));
    let app = Router::new().route("/", get(show)).route("/stop", post(stop)).with_state(shared);
    axum::serve(listener, app).with_graceful_shutdown(over.cancelled_owned()).await?;
    Ok(follower.await??)
}

async fn follow(
    mut crawl: RunningCrawl,
    shared: Shared,
    over: CancellationToken,
) -> Result<Summary, harvestman::CrawlError> {
    let _over = over.drop_guard();
    while crawl.next().await.is_some() {
        shared.pages.fetch_add(1, Ordering::Relaxed);
    }
    crawl.finish().await
}

async fn show(State(shared): State<Shared>) -> Html<String> {
    let pages = shared.pages.load(Ordering::Relaxed);
    Html(format!("<p>{pages} pages</p><form method=post action=/stop><button>Stop</button></form>"))
}

async fn stop(State(shared): State<Shared>) -> Redirect {
    shared.stop.cancel();
    Redirect::to("/")
}

#[tokio::main]
#[allow(dead_code, reason = "the tests call `run`")]
async fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).ok_or("name a URL to begin with")?;
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    let summary = run(&seed, Path::new("service.db"), listener).await?;
    println!("{} pages", summary.accounting.fetched);
    Ok(())
}
