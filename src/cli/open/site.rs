//! What all pages share: the database, and how it is asked for one of them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use crate::cli::failure::Failure;
use crate::cli::questions::Source;
use crate::read::Database;

use super::frame::{Frame, problem};

/// Questions to the database at once; others wait.
const AT_ONCE: usize = 4;

/// What all pages share.
#[derive(Debug)]
pub struct Site {
    pub source: Source,
    /// The last part of the database's name, for people.
    pub name: String,
    turns: Semaphore,
}

pub type Shared = State<Arc<Site>>;

impl Site {
    pub fn new(source: Source, name: String) -> Self {
        Self { source, name, turns: Semaphore::new(AT_ONCE) }
    }

    /// Asks the database, and shows what is made of the answer, or why there is none.
    pub async fn show(
        self: Arc<Self>,
        view: impl FnOnce(&Database, Frame) -> Result<String, Failure> + Send + 'static,
        here: &'static str,
    ) -> Response {
        let Ok(_turn) = self.turns.acquire().await else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
        let site = self.clone();
        let shown = tokio::task::spawn_blocking(move || {
            let frame = Frame::new(&site.name, here);
            site.source.ask(|db| view(db, frame)).map_err(|failure| problem(&site.name, here, &failure))
        });
        match shown.await {
            Ok(Ok(html)) => page_of(StatusCode::OK, html),
            Ok(Err(html)) => page_of(StatusCode::UNPROCESSABLE_ENTITY, html),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

pub fn page_of(status: StatusCode, html: String) -> Response {
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")], html).into_response()
}
