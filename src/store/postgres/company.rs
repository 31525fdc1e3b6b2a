//! The nodes of an invocation: who is alive, what each has of what is limited, and when it is over.
//!
//! A node is alive until it ends, or until another one notes that its lease has ended (`gone`); then it is another node that
//! it comes back as. So a node that was away renews nothing that others may have taken. Whoever takes hold of several rows
//! takes its own node's first, then an invocation's.

use std::time::{Duration, Instant};

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::store::failed::Failed;
use crate::store::tables::{Company, Entrance, Heard, Joined, Transactions as _};
use crate::store::{StoreError, Tally};
use crate::visit::{HostId, Lease, Standing, SteadyClock, Word};

use super::begin::counts;
use super::database::PgDatabase;
use super::rows::{bigint, is_free, scalar, sql};

/// Pages that a node gets as its share in one go, at most.
const PORTION: i64 = 512;

/// Where the nodes of an invocation stand.
struct Others {
    /// Those that are alive, this one included.
    alive: i64,
    /// Hosts that others have room for.
    wanted: i64,
    /// Hosts that all together have anything to do with.
    needs: i64,
    /// Requests a second that others make, or were told that they may.
    rate: f64,
}

impl Company for PgDatabase {
    fn clock(&self) -> SteadyClock {
        self.clock.clone()
    }

    async fn enter(&mut self, join: bool) -> Result<Entrance, Failed> {
        self.wait_for_turn().await?;
        self.note_the_gone(0).await?;
        // A process of a version that takes part in no invocation has the database alone.
        self.refuse_beside("and invocation_id is null").await?;
        let others =
            sql("select i.id as invocation, i.settings, i.unchanged as unchanged_before, i.bytes as bytes_before,
                 i.requests as requests_before, i.checked as checked_before, r.* from invocation i join run r on r.id = i.run_id
             where i.outcome is null and exists (select 1 from node where invocation_id = i.id and not gone)
             order by i.id desc limit 1");
        let others = others.fetch_optional(&mut self.db).await?;
        if others.is_none() && join {
            return Err(StoreError::Alone { path: self.name.as_str().into() }.into());
        }
        self.invocation = others.as_ref().map_or(0, |row| row.get("invocation"));
        let me = self.insert_node(others.is_some()).await?;
        Ok(Entrance { me, joins: others.as_ref().map(joined) })
    }

    async fn settle(&mut self, me: i64, run: i64, settings: &str) -> Result<(), Failed> {
        if self.invocation == 0 {
            // Whoever comes back to one whose nodes were all gone is not to go on beside this.
            sql("update invocation set outcome = 'interrupted' where outcome is null").execute(&mut self.db).await?;
            let begun = scalar(
                "insert into invocation (run_id, settings, pages_left, unchanged, bytes, requests, checked)
                 select id, $2, $3, unchanged, bytes, requests, checked from run where id = $1 returning id",
            );
            let pages = self.config.max_pages.map(bigint);
            self.invocation = begun.bind(run).bind(settings).bind(pages).fetch_one(&mut self.db).await?;
        }
        let asked = Lease::asked();
        sql("update node set invocation_id = $2, leased_until = clock_timestamp() + $3 * interval '1 second' where id = $1")
            .bind(me)
            .bind(self.invocation)
            .bind(self.lease.length().as_secs_f64())
            .execute(&mut self.db)
            .await?;
        self.lease.renew(asked);
        Ok(())
    }

    async fn report(&mut self, me: i64, run: i64, standing: &Standing) -> Result<Option<Heard>, Failed> {
        self.open_transaction().await?;
        let asked = Lease::asked();
        let done = match self.exchange(me, run, standing).await {
            Ok(heard) => self.commit_transaction().await.map(|()| heard),
            Err(error) => Err(error),
        };
        match done {
            Ok(heard) => {
                if heard.is_some() {
                    self.lease.renew(asked);
                }
                Ok(heard)
            }
            Err(error) => {
                self.undo_transaction().await;
                Err(error)
            }
        }
    }

    async fn renew(&mut self, me: i64) -> Result<(), Failed> {
        self.open_transaction().await?;
        let asked = Lease::asked();
        let renewed = sql("update node set seen_at = clock_timestamp(),
                 leased_until = clock_timestamp() + $2 * interval '1 second' where id = $1 and not gone");
        let renewed = renewed.bind(me).bind(self.lease.length().as_secs_f64()).execute(&mut self.db).await?;
        self.commit_transaction().await?;
        if renewed.rows_affected() > 0 {
            self.lease.renew(asked);
        }
        Ok(())
    }

    async fn come_back(&mut self, _me: i64) -> Result<i64, Failed> {
        self.open_transaction().await?;
        let me = self.insert_node(true).await?;
        self.commit_transaction().await?;
        Ok(me)
    }

    async fn held(&mut self, me: i64) -> Result<Vec<HostId>, Failed> {
        self.open_transaction().await?;
        // The server may still be at the commit of a transaction that took some: it has changed the node's row, whose lock is
        // waited for, and what it took is seen by the statement after that.
        sql("select 1 from node where id = $1 for share").bind(me).execute(&mut self.db).await?;
        let held = scalar("select id from host where holder = $1 order by id").bind(me).fetch_all(&mut self.db).await?;
        self.commit_transaction().await?;
        Ok(held)
    }

    async fn has_stored(&mut self, me: i64, batch: i64) -> Result<bool, Failed> {
        // The server may still be at that commit, and its lock is waited for.
        let stored = scalar("select batch = $2 from node where id = $1 for share");
        self.open_transaction().await?;
        let stored = stored.bind(me).bind(batch).fetch_optional(&mut self.db).await?;
        self.commit_transaction().await?;
        Ok(stored == Some(true))
    }

    async fn recover(&mut self, error: Failed, patience: Duration) -> Result<(), Failed> {
        self.wait_out(error, patience).await
    }
}

fn joined(row: &PgRow) -> Joined {
    let (accounting, tally) = counts(row);
    let earlier = Tally {
        unchanged: row.get("unchanged_before"),
        bytes: row.get("bytes_before"),
        requests: row.get("requests_before"),
        checked: row.get("checked_before"),
    };
    Joined {
        run: row.get("id"),
        began: row.get("started_at"),
        settings: row.get("settings"),
        accounting,
        tally,
        earlier,
    }
}

impl PgDatabase {
    async fn insert_node(&mut self, is_of_invocation: bool) -> Result<i64, Failed> {
        let id = scalar(
            "insert into node (name, leased_until, invocation_id)
             values ($1, clock_timestamp() + $2 * interval '1 second', $3) returning id",
        );
        let invocation = is_of_invocation.then_some(self.invocation);
        let id = id.bind(self.node.as_str()).bind(self.lease.length().as_secs_f64()).bind(invocation);
        Ok(id.fetch_one(&mut self.db).await?)
    }

    /// Refuses to go on beside nodes that are alive, of those that the condition `which` is about.
    pub(super) async fn refuse_beside(&mut self, which: &'static str) -> Result<(), Failed> {
        let alive = format!(
            "select name || ', since ' || iso8601((extract(epoch from started_at) * 1000)::bigint) from node
             where not gone and leased_until > clock_timestamp() {which} order by id limit 1"
        );
        let alive = sqlx::query_scalar(sqlx::AssertSqlSafe(alive)).persistent(false);
        match alive.fetch_optional(&mut self.db).await? {
            Some(holder) => Err(StoreError::InUse { path: self.name.as_str().into(), holder }.into()),
            None => Ok(()),
        }
    }

    /// Notes which other nodes' leases have ended: what they hold is free, and what of the limited pages they did not use is
    /// anybody's. One whose row is held by another transaction is left to that.
    pub(super) async fn note_the_gone(&mut self, me: i64) -> Result<(), Failed> {
        let gone = sql("update node set gone = true where id in
                 (select id from node where not gone and id <> $1 and leased_until < clock_timestamp()
                  for update skip locked)
             returning name, invocation_id, share - fetched as unused,
                 extract(epoch from clock_timestamp() - seen_at)::float8 as silent");
        for row in gone.bind(me).fetch_all(&mut self.db).await? {
            let silent = Duration::try_from_secs_f64(row.get("silent")).unwrap_or_default();
            self.news.push(format!(
                "nothing was heard of the node {} for {}: others may take its hosts",
                row.get::<String, _>("name").escape_debug(),
                humantime::format_duration(Duration::from_secs(silent.as_secs()))
            ));
            self.return_pages(row.get("invocation_id"), row.get("unused")).await?;
        }
        Ok(())
    }

    pub(super) async fn return_pages(&mut self, invocation: Option<i64>, unused: i64) -> Result<(), Failed> {
        if unused != 0 {
            let returned = sql("update invocation set pages_left = pages_left + $2 where id = $1");
            returned.bind(invocation).bind(unused).execute(&mut self.db).await?;
        }
        Ok(())
    }

    /// What [`Company::report`] does within its transaction.
    async fn exchange(&mut self, me: i64, run: i64, standing: &Standing) -> Result<Option<Heard>, Failed> {
        let asked = Lease::asked();
        let mine = sql(
            "update node set seen_at = clock_timestamp(), leased_until = clock_timestamp() + $2 * interval '1 second',
                 hosts = $3, wants = $4, rests = $5, is_limited = $6, lacks_pages = $7, needs = $8
             where id = $1 and not gone
             returning share, fetched, (extract(epoch from clock_timestamp()) * 1000)::bigint as now",
        );
        let mine = mine.bind(me).bind(self.lease.length().as_secs_f64()).bind(bigint(standing.hosts));
        let mine = mine.bind(bigint(standing.room)).bind(standing.rests).bind(standing.is_limited);
        let mine = mine.bind(standing.lacks_pages).bind(bigint(standing.needs));
        let Some(mine) = mine.fetch_optional(&mut self.db).await? else { return Ok(None) };
        self.clock.follow(asked, mine.get("now"));
        // From here on, those who report do so one after the other.
        let left = sql("select pages_left, outcome from invocation where id = $1 for update");
        let waits = Instant::now();
        let left = left.bind(self.invocation).fetch_one(&mut self.db).await?;
        self.waited += waits.elapsed();
        self.note_the_gone(me).await?;
        let others = self.others(me).await?;
        let share: i64 = mine.get("share");
        let (pages, rests) = match left.get("pages_left") {
            Some(left) => {
                let share = self.deal(me, (share, mine.get("fetched")), left, standing, others.alive).await?;
                (u64::try_from(share.0).ok(), share.1)
            }
            None => (None, standing.rests),
        };
        let mut outcome: Option<String> = left.get("outcome");
        if outcome.is_none() && rests {
            outcome = self.end_if_all_rest(run).await?;
        }
        let row = sql("select r.*, (select count(*) from heir) as heirs from run r where id = $1");
        let row = row.bind(run).fetch_one(&mut self.db).await?;
        let (accounting, tally) = counts(&row);
        let average = others.needs.saturating_add(others.alive - 1) / others.alive.max(1);
        let spare = (bigint(standing.needs) - average).min(others.wanted).max(0);
        let rate = match self.config.global_rate {
            0.0 => None,
            _ => Some(self.deal_rate(me, standing, &others).await?),
        };
        let word = Word {
            is_lost: false,
            is_over: outcome.is_some(),
            spare: usize::try_from(spare).unwrap_or_default(),
            pages,
            rate,
            waited: std::mem::take(&mut self.waited),
        };
        Ok(Some(Heard { word, outcome, accounting, tally, heirs: row.get("heirs") }))
    }

    async fn others(&mut self, me: i64) -> Result<Others, Failed> {
        let others = sql("select count(*) as alive,
                 coalesce(sum(wants) filter (where id <> $2), 0)::bigint as wanted,
                 coalesce(sum(needs), 0)::bigint as needs,
                 coalesce(sum(rate) filter (where id <> $2), 0) as rate
             from node where invocation_id = $1 and not gone");
        let row = others.bind(self.invocation).bind(me).fetch_one(&mut self.db).await?;
        Ok(Others {
            alive: row.get("alive"),
            wanted: row.get("wanted"),
            needs: row.get("needs"),
            rate: row.get("rate"),
        })
    }

    /// This node's part of the pace of all requests, by the hosts that it has to do with, as far as others have said that they
    /// leave it. What it keeps to until it hears of less is still its own then.
    async fn deal_rate(&mut self, me: i64, standing: &Standing, others: &Others) -> Result<f64, Failed> {
        let whole = self.config.global_rate;
        #[allow(clippy::cast_precision_loss, reason = "there are fewer hosts")]
        let part = whole * standing.needs as f64 / others.needs.max(1) as f64;
        let dealt = part.min((whole - others.rate).max(0.0));
        let kept = sql("update node set rate = $2 where id = $1").bind(me).bind(dealt.max(standing.rate));
        kept.execute(&mut self.db).await?;
        Ok(dealt)
    }

    /// Gives this node more of the `left` pages if it lacks some, or takes back what it does not use while it rests. Answers
    /// with its share, and whether it rests then.
    async fn deal(
        &mut self,
        me: i64,
        (share, fetched): (i64, i64),
        left: i64,
        standing: &Standing,
        alive: i64,
    ) -> Result<(i64, bool), Failed> {
        let more = match standing {
            _ if standing.lacks_pages && left > 0 => (left / (2 * alive.max(1))).clamp(1, PORTION),
            Standing { rests: true, .. } => fetched - share,
            _ => 0,
        };
        if more == 0 {
            return Ok((share, standing.rests));
        }
        let rests = standing.rests && more < 0;
        let dealt = sql("update node set share = share + $2, rests = $3 where id = $1");
        dealt.bind(me).bind(more).bind(rests).execute(&mut self.db).await?;
        self.return_pages(Some(self.invocation), -more).await?;
        Ok((share + more, rests))
    }

    /// Ends the invocation if none of its nodes has anything to do, and there is nothing that one could take, or no page left
    /// to ask it for. All of it is seen as of one moment: whoever takes a host says in the same transaction that it does not
    /// rest.
    async fn end_if_all_rest(&mut self, run: i64) -> Result<Option<String>, Failed> {
        let ended: Option<String> = scalar(concat!(
            "update invocation set outcome = case
                 when (select pending from run where id = $2) = 0
                     and not exists (select 1 from probe where state = 0) then 'finished'
                 when exists (select 1 from node where invocation_id = $1 and not gone and is_limited) then 'limit'
                 else 'waiting' end
             where id = $1 and outcome is null
                 and not exists (select 1 from node where invocation_id = $1 and not gone and not rests)
                 and (coalesce(pages_left, 0) = 0
                     or not exists (select 1 from node where invocation_id = $1 and not gone and lacks_pages))
                 and (pages_left = 0 and not $3 or not exists (select 1 from host h where queued_at is not null and ",
            is_free!(),
            " and (exists (select 1 from url where host_id = h.id and state = 0 offset 0)
                     or exists (select 1 from probe where host_id = h.id and state = 0 offset 0))))
             returning outcome"
        ))
        .bind(self.invocation)
        .bind(run)
        .bind(self.config.checks_by_requests())
        .fetch_optional(&mut self.db)
        .await?;
        if let Some(outcome) = &ended {
            let finished = (outcome == "finished").then(|| self.clock.now());
            self.write_outcome(run, outcome, finished).await?;
        }
        Ok(ended)
    }

    /// Writes the outcome into the run's row.
    pub(super) async fn write_outcome(
        &mut self,
        run: i64,
        outcome: &str,
        finished: Option<crate::visit::Millis>,
    ) -> Result<(), Failed> {
        let ended = sql("update run set outcome = $1, finished_at = $2 where id = $3");
        ended.bind(outcome).bind(finished).bind(run).execute(&mut self.db).await?;
        if finished.is_some() {
            sql("delete from edge").execute(&mut self.db).await?;
        }
        Ok(())
    }
}
