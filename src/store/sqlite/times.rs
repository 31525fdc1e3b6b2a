//! When known pages are due again.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::policy::due::Facts;
use crate::store::failed::Failed;
use crate::store::tables::{Timed, Times, Woken};
use crate::visit::{Millis, State, UrlId};

use super::database::SqliteDatabase;
use super::rows::{self, json, run_json};

/// The columns that [`timed`] reads, of `url` as `u` beside `page` as `p`.
macro_rules! time_columns {
    () => {
        "u.id, u.state, u.sitemap is not null as is_sitemap, u.lastmod, u.recrawl_ms, p.fetched_at, p.interval_ms,
             p.fresh_until"
    };
}

impl Times for SqliteDatabase {
    /// One page tells, since all are computed together.
    async fn lacks_times(&mut self) -> Result<bool, Failed> {
        let sql = "select recrawl_ms is null from url where id = (select url_id from page limit 1)";
        Ok(sqlx::query_scalar(sql).fetch_optional(&mut self.db).await?.unwrap_or(false))
    }

    async fn known_pages(&mut self, after: UrlId, limit: i64) -> Result<Vec<Timed>, Failed> {
        let rows = sqlx::query(concat!(
            "select ",
            time_columns!(),
            " from page p join url u on u.id = p.url_id where p.url_id > ?1 order by p.url_id limit ?2"
        ));
        rows.bind(after).bind(limit).fetch_all(&mut self.db).await?.iter().map(timed).collect()
    }

    async fn set_recrawl(&mut self, times: &[(UrlId, Millis)]) -> Result<(), Failed> {
        run_json(
            &mut self.db,
            "update url set recrawl_ms = v.recrawl
             from (select value ->> 0 as id, value ->> 1 as recrawl from json_each(?1)) v where url.id = v.id",
            times,
        )
        .await
    }

    async fn timed(&mut self, ids: &[UrlId]) -> Result<Vec<Timed>, Failed> {
        let rows = sqlx::query(concat!(
            "select ",
            time_columns!(),
            " from json_each(?1) j join url u on u.id = j.value left join page p on p.url_id = u.id"
        ));
        rows.bind(json(ids)?).fetch_all(&mut self.db).await?.iter().map(timed).collect()
    }

    async fn set_lastmods(&mut self, times: &[(UrlId, Option<Millis>, Option<Millis>)]) -> Result<(), Failed> {
        run_json(
            &mut self.db,
            "update url set lastmod = v.lastmod, recrawl_ms = v.recrawl
             from (select value ->> 0 as id, value ->> 1 as lastmod, value ->> 2 as recrawl from json_each(?1)) v
             where url.id = v.id",
            times,
        )
        .await
    }

    async fn wake(&mut self, me: i64, ids: &[UrlId]) -> Result<Vec<Woken>, Failed> {
        let rows = sqlx::query(concat!(
            "update url set state = 0, attempts = 0, due_at = null, hops = hops % 65536, known = 1
             where id in (select value from json_each(?1))
             returning (select holder from host where id = url.host_id) as holder, ",
            rows::target_columns!()
        ));
        let rows = rows.bind(json(ids)?).fetch_all(&mut self.db).await?;
        rows.iter().map(|row| rows::woken(row, me)).collect()
    }
}

fn timed(row: &SqliteRow) -> Result<Timed, Failed> {
    let (state, lastmod) = (rows::state(row)?, row.get("lastmod"));
    let facts = row.get::<Option<Millis>, _>("fetched_at").map(|fetched_at| Facts {
        fetched_at,
        interval: row.get("interval_ms"),
        fresh_until: row.get("fresh_until"),
        lastmod,
        failed: state == State::Failed,
        is_sitemap: row.get("is_sitemap"),
    });
    Ok(Timed { id: row.get("id"), state, facts, lastmod, recrawl: row.get("recrawl_ms") })
}
