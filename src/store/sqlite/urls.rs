//! URLs: where they stand, what leads to them, which wait.

use std::sync::LazyLock;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::canonical::CanonicalUrl;
use crate::policy::kept::{Kept, Stored};
use crate::policy::nearer::{Nearer, Step};
use crate::policy::offer::Standing;
use crate::policy::redirect::{Hop, found_by};
use crate::policy::turn::COLUMNS;
use crate::store::failed::Failed;
use crate::store::tables::{Better, Hosts as _, Lowered, NewUrl, Present, Urls, Waits, Window};
use crate::visit::{Element, HostId, Millis, SkipReason, State, TrapId, UrlId, Way};

use super::database::SqliteDatabase;
use super::rows::{self, ROWS, json, run_json, waits_columns, words};

/// The first pending URLs of a host, in their order.
static WINDOW: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select u.id, u.url, u.host_id, u.depth, u.hops, u.attempts, u.due_at, u.known, u.sitemap, u.trap_id, p.status, p.kept,
             p.etag, p.last_modified, p.content_hash is not null as has_content, p.fetched_at,
             (select j.value ->> 1 from json_each(p.headers) j where j.value ->> 0 = 'date') as date
         from (select * from url where host_id = ?1 and state = 0 order by {COLUMNS} limit ?2) u
         left join page p on p.url_id = u.id and u.known
         order by {COLUMNS}"
    )
});

impl Urls for SqliteDatabase {
    async fn look_up(&mut self, urls: &[&str]) -> Result<Present, Failed> {
        let mut present = Present::default();
        for some in urls.chunks(ROWS) {
            let rows = sqlx::query(
                "select url, id, state, depth, hops, reason, followed, sitemap is not null as is_sitemap, trap_id
                 from url where url in (select value from json_each(?1))",
            );
            for row in rows.bind(json(some)?).fetch_all(&mut self.db).await? {
                present.insert(row.get("url"), standing(&row)?);
            }
        }
        Ok(present)
    }

    async fn improve(&mut self, urls: &[Better]) -> Result<(), Failed> {
        let row = |better: &Better| {
            let (new, reason) = (&better.outcome, better.outcome.reason.as_ref().map(ToString::to_string));
            let found = (better.referrer, new.nearer, new.followed, new.sitemap, new.trap);
            (better.id, new.depth, new.hops, new.state.number(), reason, found)
        };
        run_json(
            &mut self.db,
            "update or fail url set depth = v.depth, hops = url.hops - url.hops % 65536 + v.hops, state = v.state,
                 reason = v.reason, followed = v.followed,
                 referrer_id = iif(v.nearer, v.referrer, referrer_id), sitemap = coalesce(url.sitemap, v.sitemap),
                 trap_id = v.trap
             from (select value ->> 0 as id, value ->> 1 as depth, value ->> 2 as hops, value ->> 3 as state,
                 value ->> 4 as reason, value ->> '$[5][0]' as referrer, value ->> '$[5][1]' as nearer,
                 value ->> '$[5][2]' as followed, value ->> '$[5][3]' as sitemap, value ->> '$[5][4]' as trap
                 from jsonb_each(?1)) v
             where url.id = v.id",
            &urls.iter().map(row).collect::<Vec<_>>(),
        )
        .await
    }

    async fn insert_urls(&mut self, urls: &[NewUrl<'_>], now: Millis) -> Result<Vec<Option<UrlId>>, Failed> {
        // Nobody else inserts while this transaction lasts.
        let next: UrlId =
            sqlx::query_scalar("select coalesce(max(id), 0) + 1 from url").fetch_one(&mut self.db).await?;
        let mut rows = Vec::with_capacity(urls.len());
        for (id, new) in (next..).zip(urls) {
            let found = (new.depth, new.hops, new.referrer, new.followed, new.sitemap, new.trap);
            rows.push((id, new.url, new.host, new.state.number(), new.reason, found));
        }
        for some in rows.chunks(ROWS) {
            sqlx::query(
                "insert or fail into url (id, url, host_id, state, reason, depth, hops, referrer_id, followed, sitemap,
                     trap_id, first_seen_at)
                 select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> '$[5][0]',
                     value ->> '$[5][1]', value ->> '$[5][2]', value ->> '$[5][3]', value ->> '$[5][4]',
                     value ->> '$[5][5]', ?2
                 from jsonb_each(?1)",
            )
            .bind(json(some)?)
            .bind(now)
            .execute(&mut self.db)
            .await?;
        }
        Ok((next..).map(Some).take(urls.len()).collect())
    }

    async fn relieve(&mut self, urls: &[(UrlId, Option<TrapId>)]) -> Result<(), Failed> {
        run_json(
            &mut self.db,
            "update or fail url set trap_id = v.trap from (select value ->> 0 as i, value ->> 1 as trap from json_each(?1)) v
             where url.id = v.i",
            urls,
        )
        .await
    }

    async fn ways_from(&mut self, urls: &[UrlId]) -> Result<Vec<Step>, Failed> {
        let rows = sqlx::query(
            "with way (from_id, to_id, element, follow, step) as (
                 select from_id, to_id, element, follow, null from link
                 where from_id in (select value from json_each(?1))
                 union select from_id, to_id, null, true, step from edge
                 where from_id in (select value from json_each(?1))
                 union select url_id, redirect_to, 'redirect', true, null from page
                 where redirect_to is not null and url_id in (select value from json_each(?1)))
             select t.id, t.depth, f.id as source, f.depth as source_depth, e.element, e.follow, e.step
             from way e join url f on f.id = e.from_id join url t on t.id = e.to_id where t.depth > f.depth",
        );
        Ok(rows.bind(json(urls)?).fetch_all(&mut self.db).await?.iter().map(step).collect())
    }

    async fn lower(&mut self, me: i64, urls: &[Nearer]) -> Result<Vec<Lowered>, Failed> {
        let rows = sqlx::query(concat!(
            "update url set depth = v.depth, referrer_id = v.referrer
             from (select value ->> 'id' as i, value ->> 'depth' as depth, value ->> 'referrer' as referrer
                 from json_each(?1)) v
             where url.id = v.i
             returning state, reason, (select holder from host where id = url.host_id) as holder, ",
            rows::target_columns!(),
        ));
        let rows = rows.bind(json(urls)?).fetch_all(&mut self.db).await?;
        rows.iter().map(|row| lowered(row, me)).collect()
    }

    async fn open_urls(&mut self, ids: &[UrlId]) -> Result<(), Failed> {
        let sql = "update url set state = 0, reason = null where id in (select value from json_each(?1))";
        run_json(&mut self.db, sql, ids).await
    }

    async fn chain(&mut self, from: UrlId, hops: u32) -> Result<Vec<Hop>, Failed> {
        let rows = sqlx::query(
            "with recursive chain (id, fetched_at, headers, hops) as (
                 select ?1, null, null, 0 union all
                 select p.redirect_to, p.fetched_at, p.headers, hops + 1 from chain c join page p on p.url_id = c.id
                 where p.redirect_to is not null and hops < ?2)
             select id, fetched_at, headers like '%\"set-cookie\"%' as sets_cookie from chain where hops > 0 order by hops",
        );
        let hop = |row: &SqliteRow| Hop {
            to: row.get("id"),
            fetched_at: row.get("fetched_at"),
            sets_cookie: row.get("sets_cookie"),
        };
        Ok(rows.bind(from).bind(hops).fetch_all(&mut self.db).await?.iter().map(hop).collect())
    }

    async fn ask_again(&mut self, id: UrlId, hops: u32) -> Result<bool, Failed> {
        let opened = sqlx::query(
            "update url set state = ?1, hops = hops % 65536 + ?2 * 65536, attempts = 0, due_at = null where id = ?3 and state = ?4",
        );
        let opened = opened.bind(State::Pending.number()).bind(hops).bind(id).bind(State::Fetched.number());
        Ok(opened.execute(&mut self.db).await?.rows_affected() > 0)
    }

    async fn undo_change(&mut self, run: i64, id: UrlId, fingerprint: Option<String>) -> Result<(), Failed> {
        let sql = "update page set fingerprint = ?1 where url_id = ?2";
        sqlx::query(sql).bind(fingerprint).bind(id).execute(&mut self.db).await?;
        let sql = "delete from change where run_id = ?1 and url_id = ?2";
        sqlx::query(sql).bind(run).bind(id).execute(&mut self.db).await?;
        Ok(())
    }

    async fn add_heirs(&mut self, from: UrlId, to: UrlId) -> Result<Vec<(CanonicalUrl, CanonicalUrl)>, Failed> {
        // What lies behind may be stored already, from when it counted for no seed.
        let rows = sqlx::query(
            "with recursive chain (id, seed_id) as (
                 select ?2, url_id from seed where url_id = ?1
                 union select ?2, h.seed_id from heir h join seed s on s.url_id = h.seed_id where h.url_id = ?1
                 union select p.redirect_to, c.seed_id from chain c join page p on p.url_id = c.id
                 where p.redirect_to is not null)
             insert or ignore into heir (url_id, seed_id) select id, seed_id from chain where id <> seed_id
             returning (select url from url where id = heir.seed_id) as seed,
                 (select url from url where id = heir.url_id) as heir",
        );
        let rows = rows.bind(from).bind(to).fetch_all(&mut self.db).await?;
        rows.iter().map(rows::seed_and_heir).collect()
    }

    async fn left_out(
        &mut self,
        url: &CanonicalUrl,
        there: &[SkipReason],
        itself: &[SkipReason],
    ) -> Result<Vec<Waits>, Failed> {
        let rows = sqlx::query(concat!(
            "select ",
            waits_columns!(),
            " from url where host_id = (select id from host where host = ?1) and state = 3
                 and (reason in (select value from json_each(?3))
                     or url = ?2 and reason in (select value from json_each(?4)))"
        ));
        let rows = rows.bind(url.host_str()).bind(url.as_str()).bind(words(there)?).bind(words(itself)?);
        rows.fetch_all(&mut self.db).await?.iter().map(rows::waits).collect()
    }

    async fn let_in(&mut self, me: i64, verdicts: &[(UrlId, u8, Option<String>)]) -> Result<Vec<Lowered>, Failed> {
        let rows = sqlx::query(concat!(
            "update url set state = v.state, reason = v.reason
             from (select value ->> 0 as i, value ->> 1 as state, value ->> 2 as reason from json_each(?1)) v
             where url.id = v.i
             returning url.state, url.reason, (select holder from host where id = url.host_id) as holder, ",
            rows::target_columns!(),
        ));
        let rows = rows.bind(json(verdicts)?).fetch_all(&mut self.db).await?;
        rows.iter().map(|row| lowered(row, me)).collect()
    }

    async fn windows(&mut self, me: i64, hosts: &[(HostId, usize)]) -> Result<Vec<Window>, Failed> {
        let mut windows = Vec::new();
        for (host, limit) in hosts {
            let Some(record) = self.held_host(me, *host).await? else { continue };
            let rows = sqlx::query(sqlx::AssertSqlSafe(WINDOW.as_str())).bind(host);
            let rows = rows.bind(i64::try_from(*limit).unwrap_or(i64::MAX)).fetch_all(&mut self.db).await?;
            let targets =
                rows.iter().map(|row| Ok((rows::target(row)?, stored(row)))).collect::<Result<_, Failed>>()?;
            windows.push((record, targets));
        }
        Ok(windows)
    }
}

fn standing(row: &SqliteRow) -> Result<Standing, Failed> {
    Ok(Standing {
        id: row.get("id"),
        state: rows::state(row)?,
        depth: row.get("depth"),
        hops: found_by(row.get("hops")),
        reason: rows::reason(row),
        followed: row.get("followed"),
        is_sitemap: row.get("is_sitemap"),
        trap: row.get("trap_id"),
    })
}

fn lowered(row: &SqliteRow, me: i64) -> Result<Lowered, Failed> {
    let (state, reason) = (rows::state(row)?, rows::reason(row));
    Ok(Lowered { target: rows::target(row)?, holder: rows::holder(row, me), state, reason })
}

/// A stored link, edge or redirect. An edge says what its element would; one of an unknown element is a link.
fn step(row: &SqliteRow) -> Step {
    let element = row.get::<Option<&str>, _>("element").and_then(Element::from_word);
    let edge = row.get::<Option<bool>, _>("step").map(|is_step| if is_step { Way::Link } else { Way::Listing });
    Step {
        id: row.get("id"),
        depth: row.get("depth"),
        source: row.get("source"),
        source_depth: row.get("source_depth"),
        way: edge.or(element.map(Way::of)).unwrap_or(Way::Link),
        follow: row.get("follow"),
    }
}

/// The page that is stored of a pending URL.
fn stored(row: &SqliteRow) -> Option<Stored> {
    Some(Stored {
        status: row.get::<Option<u16>, _>("status")?,
        kept: Kept(row.get("kept")),
        has_content: row.get("has_content"),
        etag: row.get("etag"),
        last_modified: row.get("last_modified"),
        date: row.get("date"),
        fetched_at: row.get("fetched_at"),
    })
}
