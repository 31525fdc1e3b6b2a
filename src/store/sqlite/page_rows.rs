//! The rows of `page`: what each column holds, and the statement that writes them.

use serde::Serialize;
use serde_json::json;
use sqlx::SqliteConnection;

use crate::policy::kept::Kept;
use crate::policy::life::Memory;
use crate::visit::{Millis, Page, UrlId};

use super::failed::Failed;
use super::rows::run_json;

/// What is known of an answer besides the response itself.
pub(super) struct Answered {
    pub(super) elapsed: u64,
    pub(super) hash: Option<String>,
    pub(super) redirect: Option<UrlId>,
    pub(super) memory: Memory,
}

/// A row of `page`.
#[derive(Serialize)]
pub(super) struct PageRow {
    id: UrlId,
    status: u16,
    content_type: Option<String>,
    charset: Option<String>,
    language: Option<String>,
    title: Option<String>,
    description: Option<String>,
    canonical_url: Option<String>,
    size: usize,
    content_hash: Option<String>,
    etag: Option<String>,
    last_modified: Option<String>,
    redirect_to: Option<UrlId>,
    fetched_at: Millis,
    changed_at: Millis,
    elapsed: u64,
    headers: String,
    fingerprint: Option<String>,
    gone: bool,
    new_run: Option<i64>,
    new_at: Option<Millis>,
    interval: Option<Millis>,
    fresh_until: Option<Millis>,
    kept: u8,
}

impl PageRow {
    /// `size` is that of the body, which has a table of its own, as the text has.
    pub(super) fn new(id: UrlId, page: Page, size: usize, kept: Kept, answered: Answered) -> Self {
        let Answered { elapsed, hash, redirect, memory } = answered;
        Self {
            id,
            status: page.status,
            content_type: page.content_type,
            charset: page.charset,
            language: page.language,
            title: page.title,
            description: page.description,
            canonical_url: page.canonical_url,
            size,
            content_hash: hash,
            etag: page.etag,
            last_modified: page.last_modified,
            redirect_to: redirect,
            fetched_at: page.fetched_at,
            changed_at: memory.changed_at,
            elapsed,
            fingerprint: memory.life.fingerprint,
            gone: memory.life.gone,
            new_run: memory.new.map(|(run, _)| run),
            new_at: memory.new.map(|(_, at)| at),
            interval: memory.interval,
            fresh_until: page.fresh_until,
            kept: kept.0,
            headers: json!(page.headers).to_string(),
        }
    }
}

// `jsonb_each` hands nested values on in their binary form, `json_each` as text to be parsed again.
const WRITE_PAGES: &str =
    "insert or replace into page (url_id, status, content_type, charset, language, title, description,
         canonical_url, size, content_hash, etag, last_modified, redirect_to, fetched_at, changed_at, elapsed_ms, headers,
         fingerprint, gone, new_run, new_at, interval_ms, fresh_until, kept)
     select value ->> 'id', value ->> 'status', value ->> 'content_type', value ->> 'charset', value ->> 'language',
         value ->> 'title', value ->> 'description', value ->> 'canonical_url', value ->> 'size',
         value ->> 'content_hash', value ->> 'etag', value ->> 'last_modified', value ->> 'redirect_to',
         value ->> 'fetched_at', value ->> 'changed_at', value ->> 'elapsed', value ->> 'headers',
         value ->> 'fingerprint', value ->> 'gone', value ->> 'new_run', value ->> 'new_at', value ->> 'interval',
         value ->> 'fresh_until', value ->> 'kept'
     from jsonb_each(?1)";

pub(super) async fn write_pages(db: &mut SqliteConnection, rows: &[PageRow]) -> Result<(), Failed> {
    run_json(db, WRITE_PAGES, rows).await
}
