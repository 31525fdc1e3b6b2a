//! Places of pages that links name by their fragments.

use sqlx::Row as _;

use crate::store::failed::Failed;
use crate::store::tables::{Places, Sought};
use crate::visit::{Fragment, Millis, UrlId};

use super::database::SqliteDatabase;
use super::packing::unpack;
use super::rows::json;

impl Places for SqliteDatabase {
    async fn sought(&mut self, after: UrlId) -> Result<Option<Sought>, Failed> {
        let page = sqlx::query(
            "select g.to_id, p.changed_at, p.charset, c.body, c.dictionary_id,
                 (select d.bytes from dictionary d where d.id = c.dictionary_id) as dictionary
             from fragment g join page p on p.url_id = g.to_id join content c on c.url_id = g.to_id
             where g.to_id > ?1 and g.target_changed_at is not p.changed_at and p.status = 200 and c.body is not null
                 and (lower(p.content_type) like 'text/html%' or lower(p.content_type) like 'application/xhtml+xml%')
             order by g.to_id limit 1",
        );
        let Some(page) = page.bind(after).fetch_optional(&mut self.db).await? else { return Ok(None) };
        let id = page.get("to_id");
        let fragments = sqlx::query("select distinct fragment, raw from fragment where to_id = ?1");
        let fragments = fragments.bind(id).fetch_all(&mut self.db).await?;
        let fragments = fragments.iter().map(|row| Fragment { text: row.get("fragment"), raw: row.get("raw") });
        Ok(Some(Sought {
            id,
            changed_at: page.get("changed_at"),
            charset: page.get("charset"),
            body: unpack(page.get("body"), page.get("dictionary_id"), page.get("dictionary"))?,
            fragments: fragments.collect(),
        }))
    }

    async fn keep_missing(&mut self, id: UrlId, changed_at: Millis, missing: &[&Fragment]) -> Result<(), Failed> {
        let missing: Vec<_> = missing.iter().map(|fragment| (&fragment.text, fragment.raw.as_deref())).collect();
        sqlx::query(
            "update fragment set target_changed_at = ?2, found = (fragment, coalesce(raw, '')) not in
                 (select value ->> 0, coalesce(value ->> 1, '') from json_each(?3))
             where to_id = ?1",
        )
        .bind(id)
        .bind(changed_at)
        .bind(json(&missing)?)
        .execute(&mut self.db)
        .await?;
        Ok(())
    }
}
