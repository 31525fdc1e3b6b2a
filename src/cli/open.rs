//! `open`: a page in the browser to look at a crawl with, also while it runs. It is served on loopback, to whoever has its
//! token; it writes nothing, and what was crawled is shown as text.

mod frame;
mod guard;
mod lists;
mod overview;
mod page;
mod site;
mod sql;
mod table;
mod words;

use std::io::{IsTerminal as _, Write as _};
use std::net::Ipv4Addr;
use std::process::Stdio;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::read::Database;

use super::args::OpenArgs;
use super::console::Console;
use super::failure::Failure;
use super::output::{printable, unwritten};
use super::questions::Source;
use super::{report, signals};
use frame::problem;
use guard::Guard;
use site::{Shared, Site, page_of};

const STYLE: &str = include_str!("../../templates/open/style.css");
const SCRIPT: &str = include_str!("../../templates/open/live.js");
const ICON: &str = include_str!("../../templates/open/icon.svg");

pub async fn run(database: String, args: OpenArgs, console: &Console) -> Result<u8, Failure> {
    let source = Source { database, patience: args.timeout.0 };
    // A wrong name is told here, and not in the browser.
    let name = Database::open(&source.database)?.name().rsplit('/').next().map(printable).unwrap_or_default();
    let refuse = |e| Failure::new(format!("--port: cannot listen on 127.0.0.1:{}", args.port)).cause(&e);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await.map_err(refuse)?;
    let port = listener.local_addr()?.port();
    let guard = Guard::new(port)?;
    let address = guard.address();
    signals::end_after(|| ())?;
    writeln!(std::io::stdout(), "{address}").map_err(|e| unwritten(&e))?;
    console.say("This address is for you alone. ctrl-C ends it.");
    if args.browser || (!args.no_browser && std::io::stdout().is_terminal()) {
        browse(&address, console);
    }
    let site = Arc::new(Site::new(source, name));
    axum::serve(listener, router(site, guard)).await?;
    Ok(0)
}

fn router(site: Arc<Site>, guard: Guard) -> Router {
    let text = |kind: &'static str, text: String| get(move || async move { ([(CONTENT_TYPE, kind)], text) });
    Router::new()
        .route("/", get(overview::show))
        .route("/pages", get(lists::pages))
        .route("/failures", get(lists::failures))
        .route("/skipped", get(lists::skipped))
        .route("/queue", get(lists::queue))
        .route("/search", get(words::show))
        .route("/page", get(page::show))
        .route("/body", get(page::body))
        .route("/sql", get(sql::show))
        .route("/style.css", text("text/css; charset=utf-8", format!("{}{STYLE}", report::STYLE)))
        .route("/live.js", text("text/javascript; charset=utf-8", SCRIPT.to_owned()))
        .route("/icon.svg", text("image/svg+xml", ICON.to_owned()))
        .fallback(missing)
        .with_state(site)
        // Around all routes, that of what is missing too.
        .layer(from_fn_with_state(Arc::new(guard), guard::pass))
}

async fn missing(State(site): Shared, uri: Uri) -> Response {
    let failure = Failure::new(format!("there is no page `{}` here", printable(uri.path())));
    page_of(StatusCode::NOT_FOUND, problem(&site.name, "", &failure))
}

/// Has the desktop open its browser. The address was printed already, for where there is none.
fn browse(address: &str, console: &Console) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = std::process::Command::new(opener);
    let quiet = command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match quiet.spawn() {
        Ok(mut child) => drop(std::thread::spawn(move || child.wait())),
        Err(_) => console.say("No browser was found to open it with: copy the address into one."),
    }
}
