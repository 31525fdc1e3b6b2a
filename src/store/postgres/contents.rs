//! Texts and bodies of pages, written together.

use sqlx::PgConnection;

use crate::store::failed::Failed;
use crate::visit::UrlId;

use super::rows::{clean, sql};

/// Those that go over in one statement: far below the limit of one message, which is 1 GB.
const BYTES: usize = 16 << 20;

/// What the transaction has still to write.
#[derive(Debug, Default)]
pub(super) struct Contents {
    ids: Vec<UrlId>,
    texts: Vec<Option<String>>,
    bodies: Vec<Option<Vec<u8>>>,
    bytes: usize,
}

impl Contents {
    pub(super) fn add(&mut self, id: UrlId, text: Option<String>, body: Option<Vec<u8>>) {
        self.bytes += text.as_ref().map_or(0, String::len) + body.as_ref().map_or(0, Vec::len);
        self.ids.push(id);
        self.texts.push(text);
        self.bodies.push(body);
    }

    pub(super) fn is_much(&self) -> bool {
        self.bytes > BYTES
    }

    pub(super) async fn write(&mut self, db: &mut PgConnection) -> Result<(), Failed> {
        let Self { ids, texts, bodies, .. } = std::mem::take(self);
        if ids.is_empty() {
            return Ok(());
        }
        sql("insert into content (url_id, text, body) select * from unnest($1::bigint[], $2::text[], $3::bytea[])
             on conflict (url_id) do update set text = excluded.text, body = excluded.body")
        .bind(ids)
        .bind(texts.iter().map(|text| text.as_deref().map(clean)).collect::<Vec<_>>())
        .bind(bodies)
        .execute(db)
        .await?;
        Ok(())
    }
}
