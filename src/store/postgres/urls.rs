//! URLs: where they stand, what leads to them, which wait.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use sqlx::postgres::PgRow;
use sqlx::{Connection as _, Row as _};

use crate::canonical::CanonicalUrl;
use crate::policy::kept::{Kept, Stored};
use crate::policy::nearer::{Nearer, Step};
use crate::policy::offer::Standing;
use crate::policy::redirect::{Hop, found_by};
use crate::policy::turn::COLUMNS;
use crate::store::failed::Failed;
use crate::store::tables::{Better, Lowered, NewUrl, Present, Urls, Waits, Window};
use crate::visit::{Element, HostId, HostRecord, Millis, SkipReason, State, TrapId, UrlId, Way};

use super::database::PgDatabase;
use super::rows::{self, bigint, clean, hash, int, scalar, sql, waits_columns, words};

/// The first pending URLs of some hosts, those of each in their order.
static WINDOW: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select u.id, u.url, u.host_id, u.depth, u.hops, u.attempts, u.due_at, u.known, u.sitemap, u.trap_id, p.status, p.kept,
             p.etag, p.last_modified, p.content_hash is not null as has_content, p.fetched_at,
             (select j.value ->> 1 from json_array_elements(p.headers::json) j where j.value ->> 0 = 'date' limit 1) as date
         from unnest($1::bigint[], $2::bigint[]) v (host, most)
         cross join lateral (select * from url where host_id = v.host and state = 0 order by {COLUMNS} limit v.most) u
         left join page p on p.url_id = u.id and u.known
         order by host_id, {COLUMNS}"
    )
});

/// What [`standing`] reads.
macro_rules! present {
    () => {
        "select url, id, state, depth, hops, reason, followed, sitemap is not null as is_sitemap, trap_id from url"
    };
}

impl Urls for PgDatabase {
    async fn look_up(&mut self, urls: &[&str]) -> Result<Present, Failed> {
        self.present(sql(concat!(present!(), " where hash = any($1)")), urls).await
    }

    async fn hold_still(&mut self, urls: &[&str]) -> Result<Present, Failed> {
        // In one order, so that two who hold the same ones do not wait for each other.
        let held = concat!(present!(), " where hash = any($1) order by id for no key update");
        self.present(sql(held), urls).await
    }

    async fn improve(&mut self, urls: &[Better]) -> Result<(), Failed> {
        if urls.is_empty() {
            return Ok(());
        }
        let number = |value: fn(&Better) -> u32| urls.iter().map(|it| int(value(it))).collect::<Vec<_>>();
        let flag = |value: fn(&Better) -> bool| urls.iter().map(value).collect::<Vec<_>>();
        let id = |value: fn(&Better) -> Option<i64>| urls.iter().map(value).collect::<Vec<_>>();
        let reason = |it: &Better| it.outcome.reason.as_ref().map(|reason| clean(reason.as_str()).into_owned());
        sql("update url set depth = v.depth, hops = url.hops - url.hops % 65536 + v.hops, state = v.state, reason = v.reason,
                 followed = v.followed,
                 referrer_id = case when v.nearer then v.referrer else url.referrer_id end,
                 sitemap = coalesce(url.sitemap, v.sitemap), trap_id = v.trap
             from unnest($1::bigint[], $2::int[], $3::int[], $4::smallint[], $5::text[], $6::bigint[], $7::boolean[],
                     $8::boolean[], $9::int[], $10::bigint[])
                 v (i, depth, hops, state, reason, referrer, nearer, followed, sitemap, trap)
             where url.id = v.i")
        .bind(urls.iter().map(|it| it.id).collect::<Vec<_>>())
        .bind(number(|it| it.outcome.depth))
        .bind(number(|it| it.outcome.hops))
        .bind(urls.iter().map(|it| i16::from(it.outcome.state.number())).collect::<Vec<_>>())
        .bind(urls.iter().map(reason).collect::<Vec<_>>())
        .bind(id(|it| it.referrer))
        .bind(flag(|it| it.outcome.nearer))
        .bind(flag(|it| it.outcome.followed))
        .bind(urls.iter().map(|it| it.outcome.sitemap.map(int)).collect::<Vec<_>>())
        .bind(id(|it| it.outcome.trap))
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    async fn insert_urls(&mut self, urls: &[NewUrl<'_>], now: Millis) -> Result<Vec<Option<UrlId>>, Failed> {
        let ids: Vec<UrlId> = scalar("select nextval('url_id') from generate_series(1, $1)")
            .bind(bigint(urls.len()))
            .fetch_all(&mut self.db)
            .await?;
        // In one order, so that two that insert the same ones wait for each other and no more.
        let mut new: Vec<_> = urls.iter().zip(&ids).map(|(url, id)| (hash(url.url), *id, url)).collect();
        new.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let number = |value: fn(&NewUrl<'_>) -> u32| new.iter().map(|(.., it)| int(value(it))).collect::<Vec<_>>();
        let inserted: Vec<UrlId> = scalar(
            "insert into url (id, hash, url, host_id, state, reason, depth, hops, referrer_id, followed, sitemap,
                 trap_id, first_seen_at)
             select v.*, $13 from unnest($1::bigint[], $2::bytea[], $3::text[], $4::bigint[], $5::smallint[], $6::text[],
                 $7::int[], $8::int[], $9::bigint[], $10::boolean[], $11::int[], $12::bigint[]) v
             on conflict (hash) do nothing returning id",
        )
        .bind(new.iter().map(|(_, id, _)| *id).collect::<Vec<_>>())
        .bind(new.iter().map(|(hash, ..)| hash.as_slice()).collect::<Vec<_>>())
        .bind(new.iter().map(|(.., it)| it.url).collect::<Vec<_>>())
        .bind(new.iter().map(|(.., it)| it.host).collect::<Vec<_>>())
        .bind(new.iter().map(|(.., it)| i16::from(it.state.number())).collect::<Vec<_>>())
        .bind(new.iter().map(|(.., it)| it.reason.map(clean)).collect::<Vec<_>>())
        .bind(number(|it| it.depth))
        .bind(number(|it| it.hops))
        .bind(new.iter().map(|(.., it)| it.referrer).collect::<Vec<_>>())
        .bind(new.iter().map(|(.., it)| it.followed).collect::<Vec<_>>())
        .bind(new.iter().map(|(.., it)| it.sitemap.map(int)).collect::<Vec<_>>())
        .bind(new.iter().map(|(.., it)| it.trap).collect::<Vec<_>>())
        .bind(now)
        .fetch_all(&mut self.db)
        .await?;
        let inserted: HashSet<_> = inserted.into_iter().collect();
        Ok(ids.into_iter().map(|id| inserted.contains(&id).then_some(id)).collect())
    }

    async fn relieve(&mut self, urls: &[(UrlId, Option<TrapId>)]) -> Result<(), Failed> {
        if urls.is_empty() {
            return Ok(());
        }
        // Of one that is named twice, the last counts.
        let last: HashMap<_, _> = urls.iter().copied().collect();
        let (ids, traps): (Vec<_>, Vec<_>) = last.into_iter().unzip();
        self.lock(&ids).await?;
        let relieved = sql("update url set trap_id = v.trap from unnest($1::bigint[], $2::bigint[]) v (i, trap)
                            where url.id = v.i");
        relieved.bind(ids).bind(traps).execute(&mut self.db).await?;
        Ok(())
    }

    async fn ways_from(&mut self, urls: &[UrlId]) -> Result<Vec<Step>, Failed> {
        let rows = sql("with way (from_id, to_id, element, follow, step) as (
                 select from_id, to_id, element, follow, null::boolean from link where from_id = any($1)
                 union select from_id, to_id, null, true, step from edge where from_id = any($1)
                 union select url_id, redirect_to, 'redirect', true, null from page
                 where redirect_to is not null and url_id = any($1))
             select t.id, t.depth, f.id as source, f.depth as source_depth, e.element, e.follow, e.step
             from way e join url f on f.id = e.from_id join url t on t.id = e.to_id where t.depth > f.depth");
        Ok(rows.bind(urls).fetch_all(&mut self.db).await?.iter().map(step).collect())
    }

    async fn lower(&mut self, me: i64, urls: &[Nearer]) -> Result<Vec<Lowered>, Failed> {
        let rows = sql(concat!(
            "update url set depth = v.nearer, referrer_id = v.referrer
             from unnest($2::bigint[], $3::int[], $4::bigint[]) v (i, nearer, referrer)
             where url.id = v.i and url.depth > v.nearer returning url.state, url.reason, ",
            rows::holder_of_url!(),
            ", ",
            rows::target_columns!(),
        ));
        let ids: Vec<_> = urls.iter().map(|url| url.id).collect();
        self.lock(&ids).await?;
        let rows = rows.bind(me).bind(ids);
        let rows = rows.bind(urls.iter().map(|url| int(url.depth)).collect::<Vec<_>>());
        let rows = rows.bind(urls.iter().map(|url| url.referrer).collect::<Vec<_>>());
        rows.fetch_all(&mut self.db).await?.iter().map(rows::lowered).collect()
    }

    async fn open_urls(&mut self, ids: &[UrlId]) -> Result<(), Failed> {
        if !ids.is_empty() {
            let opened = sql("update url set state = 0, reason = null where id = any($1)");
            opened.bind(ids).execute(&mut self.db).await?;
        }
        Ok(())
    }

    async fn chain(&mut self, from: UrlId, hops: u32) -> Result<Vec<Hop>, Failed> {
        let rows = sql(
            "with recursive chain (id, fetched_at, headers, hops) as (
                 select $1, null::bigint, null::text, 0 union all
                 select p.redirect_to, p.fetched_at, p.headers, hops + 1 from chain c join page p on p.url_id = c.id
                 where p.redirect_to is not null and hops < $2)
             select id, fetched_at, headers like '%\"set-cookie\"%' as sets_cookie from chain where hops > 0 order by hops",
        );
        let hop = |row: &PgRow| Hop {
            to: row.get("id"),
            fetched_at: row.get("fetched_at"),
            sets_cookie: row.get("sets_cookie"),
        };
        Ok(rows.bind(from).bind(int(hops)).fetch_all(&mut self.db).await?.iter().map(hop).collect())
    }

    async fn ask_again(&mut self, id: UrlId, hops: u32) -> Result<bool, Failed> {
        let opened = sql(
            "update url set state = $1, hops = hops % 65536 + least($2, 32767) * 65536, attempts = 0, due_at = null where id = $3 and state = $4",
        );
        let [pending, fetched] = [State::Pending, State::Fetched].map(|state| i16::from(state.number()));
        let opened = opened.bind(pending).bind(int(hops)).bind(id).bind(fetched);
        Ok(opened.execute(&mut self.db).await?.rows_affected() > 0)
    }

    async fn undo_change(&mut self, run: i64, id: UrlId, fingerprint: Option<String>) -> Result<(), Failed> {
        let undone = sql("update page set fingerprint = $1 where url_id = $2");
        undone.bind(fingerprint.as_deref().map(clean)).bind(id).execute(&mut self.db).await?;
        let undone = sql("delete from change where run_id = $1 and url_id = $2");
        undone.bind(run).bind(id).execute(&mut self.db).await?;
        Ok(())
    }

    async fn add_heirs(&mut self, from: UrlId, to: UrlId) -> Result<Vec<(CanonicalUrl, CanonicalUrl)>, Failed> {
        // What lies behind may be stored already, from when it counted for no seed.
        let rows = sql("with recursive chain (id, seed_id) as (
                 (select $2, url_id from seed where url_id = $1
                  union select $2, h.seed_id from heir h join seed s on s.url_id = h.seed_id where h.url_id = $1)
                 union select p.redirect_to, c.seed_id from chain c join page p on p.url_id = c.id
                 where p.redirect_to is not null)
             insert into heir (url_id, seed_id) select id, seed_id from chain where id <> seed_id
             on conflict do nothing
             returning (select url from url where id = heir.seed_id) as seed,
                 (select url from url where id = heir.url_id) as heir");
        let rows = rows.bind(from).bind(to).fetch_all(&mut self.db).await?;
        rows.iter().map(rows::seed_and_heir).collect()
    }

    async fn left_out(
        &mut self,
        url: &CanonicalUrl,
        there: &[SkipReason],
        itself: &[SkipReason],
    ) -> Result<Vec<Waits>, Failed> {
        let rows = sql(concat!(
            "select ",
            waits_columns!(),
            " from url where host_id = (select id from host where host = $1) and state = 3
                 and (reason = any($3) or hash = $2 and reason = any($4))"
        ));
        let rows = rows.bind(url.host_str()).bind(hash(url.as_str())).bind(words(there)).bind(words(itself));
        rows.fetch_all(&mut self.db).await?.iter().map(rows::waits).collect()
    }

    async fn let_in(&mut self, me: i64, verdicts: &[(UrlId, u8, Option<String>)]) -> Result<Vec<Lowered>, Failed> {
        let rows = sql(concat!(
            "update url set state = v.to_state, reason = v.why
             from unnest($2::bigint[], $3::smallint[], $4::text[]) v (i, to_state, why)
             where url.id = v.i and url.state = 3 returning url.state, url.reason, ",
            rows::holder_of_url!(),
            ", ",
            rows::target_columns!(),
        ));
        let (ids, states, reasons) = rows::verdicts(verdicts);
        let rows = rows.bind(me).bind(ids).bind(states).bind(reasons);
        rows.fetch_all(&mut self.db).await?.iter().map(rows::lowered).collect()
    }

    async fn windows(&mut self, me: i64, hosts: &[(HostId, usize)]) -> Result<Vec<Window>, Failed> {
        let (invocation, limits) = (self.invocation, hosts.iter().copied().collect::<HashMap<_, _>>());
        let ids: Vec<_> = limits.keys().copied().collect();
        let mut tx = self.db.begin().await?;
        let held = sql(concat!("select ", rows::host_columns!(), " from host where id = any($2) and holder = $1"));
        let held = held.bind(me).bind(ids).fetch_all(&mut *tx).await?;
        let held: Vec<_> = held.iter().map(|row| rows::host_record(row, invocation)).collect::<Result<_, _>>()?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(WINDOW.as_str())).persistent(false);
        let rows = rows.bind(held.iter().map(|host| host.id).collect::<Vec<_>>());
        let rows = rows.bind(held.iter().map(|host| bigint(limits[&host.id])).collect::<Vec<_>>());
        let rows = rows.fetch_all(&mut *tx).await?;
        tx.commit().await?;
        let mut pending: HashMap<HostId, Vec<_>> = HashMap::new();
        for row in &rows {
            let target = rows::target(row)?;
            pending.entry(target.host).or_default().push((target, stored(row)));
        }
        let window = |host: HostRecord| {
            let pending = pending.remove(&host.id).unwrap_or_default();
            (host, pending)
        };
        Ok(held.into_iter().map(window).collect())
    }
}

impl PgDatabase {
    /// Locks URLs in one order, so that two that change the same ones wait for each other and no more.
    async fn lock(&mut self, ids: &[UrlId]) -> Result<(), Failed> {
        let locked = sql("select 1 from url where id = any($1) order by id for no key update");
        locked.bind(ids).execute(&mut self.db).await?;
        Ok(())
    }

    /// How URLs stand, by a statement that takes their hashes.
    async fn present(
        &mut self,
        statement: sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments>,
        urls: &[&str],
    ) -> Result<Present, Failed> {
        let hashes: Vec<_> = urls.iter().map(|url| hash(url)).collect();
        let rows = statement.bind(hashes).fetch_all(&mut self.db).await?;
        rows.iter().map(|row| Ok((row.get("url"), standing(row)?))).collect()
    }
}

fn standing(row: &PgRow) -> Result<Standing, Failed> {
    Ok(Standing {
        id: row.get("id"),
        state: rows::state(row)?,
        depth: rows::uint(row, "depth"),
        hops: found_by(rows::uint(row, "hops")),
        reason: rows::reason(row),
        followed: row.get("followed"),
        is_sitemap: row.get("is_sitemap"),
        trap: row.get("trap_id"),
    })
}

/// A stored link, edge or redirect. An edge says what its element would; one of an unknown element is a link.
fn step(row: &PgRow) -> Step {
    let element = row.get::<Option<&str>, _>("element").and_then(Element::from_word);
    let edge = row.get::<Option<bool>, _>("step").map(|is_step| if is_step { Way::Link } else { Way::Listing });
    Step {
        id: row.get("id"),
        depth: rows::uint(row, "depth"),
        source: row.get("source"),
        source_depth: rows::uint(row, "source_depth"),
        way: edge.or(element.map(Way::of)).unwrap_or(Way::Link),
        follow: row.get("follow"),
    }
}

/// The page that is stored of a pending URL.
fn stored(row: &PgRow) -> Option<Stored> {
    Some(Stored {
        status: rows::optional(row, "status")?,
        kept: Kept(rows::kept(row)),
        has_content: row.get("has_content"),
        etag: row.get("etag"),
        last_modified: row.get("last_modified"),
        date: row.get("date"),
        fetched_at: row.get("fetched_at"),
    })
}
