//! When known pages are due again.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::policy::due::Facts;
use crate::store::failed::Failed;
use crate::store::tables::{Timed, Times, Woken};
use crate::visit::{Millis, State, UrlId};

use super::database::PgDatabase;
use super::rows::{self, sql};

/// The columns that [`timed`] reads, of `url` as `u` beside `page` as `p`.
macro_rules! time_columns {
    () => {
        "u.id, u.state, u.sitemap is not null as is_sitemap, u.lastmod, u.recrawl_ms, p.fetched_at, p.interval_ms,
             p.fresh_until"
    };
}

impl Times for PgDatabase {
    /// Every version stored them.
    async fn lacks_times(&mut self) -> Result<bool, Failed> {
        Ok(false)
    }

    async fn known_pages(&mut self, after: UrlId, limit: i64) -> Result<Vec<Timed>, Failed> {
        let rows = sql(concat!(
            "select ",
            time_columns!(),
            " from page p join url u on u.id = p.url_id where p.url_id > $1 order by p.url_id limit $2"
        ));
        rows.bind(after).bind(limit).fetch_all(&mut self.db).await?.iter().map(timed).collect()
    }

    async fn set_recrawl(&mut self, times: &[(UrlId, Millis)]) -> Result<(), Failed> {
        if times.is_empty() {
            return Ok(());
        }
        let (ids, recrawls): (Vec<_>, Vec<_>) = times.iter().copied().unzip();
        let set = sql("update url set recrawl_ms = v.recrawl from unnest($1::bigint[], $2::bigint[]) v (i, recrawl)
                       where url.id = v.i");
        set.bind(ids).bind(recrawls).execute(&mut self.db).await?;
        Ok(())
    }

    async fn timed(&mut self, ids: &[UrlId]) -> Result<Vec<Timed>, Failed> {
        let rows = sql(concat!(
            "select ",
            time_columns!(),
            " from url u left join page p on p.url_id = u.id where u.id = any($1)"
        ));
        rows.bind(ids).fetch_all(&mut self.db).await?.iter().map(timed).collect()
    }

    async fn set_lastmods(&mut self, times: &[(UrlId, Option<Millis>, Option<Millis>)]) -> Result<(), Failed> {
        if times.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = times.iter().map(|(id, ..)| *id).collect();
        let (lastmods, recrawls): (Vec<_>, Vec<_>) = times.iter().map(|(_, at, recrawl)| (*at, *recrawl)).unzip();
        let set = sql("update url set lastmod = v.at, recrawl_ms = v.recrawl
                       from unnest($1::bigint[], $2::bigint[], $3::bigint[]) v (i, at, recrawl) where url.id = v.i");
        set.bind(ids).bind(lastmods).bind(recrawls).execute(&mut self.db).await?;
        Ok(())
    }

    async fn wake(&mut self, me: i64, ids: &[UrlId]) -> Result<Vec<Woken>, Failed> {
        let rows = sql(concat!(
            "update url set state = 0, attempts = 0, due_at = null, hops = hops % 65536, known = true where id = any($2) returning ",
            rows::holder_of_url!(),
            ", ",
            rows::target_columns!()
        ));
        rows.bind(me).bind(ids).fetch_all(&mut self.db).await?.iter().map(rows::woken).collect()
    }
}

fn timed(row: &PgRow) -> Result<Timed, Failed> {
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
