//! Budgets of URL patterns, and what is held back for want of one.

use sqlx::postgres::PgRow;
use sqlx::{Connection as _, Row as _};

use crate::policy::traps::{Account, Recalled, Web};
use crate::store::failed::Failed;
use crate::store::tables::{Accounts, Woken};
use crate::visit::{HostId, TrapId};

use super::database::PgDatabase;
use super::rows::{self, scalar, sql};

impl Accounts for PgDatabase {
    async fn held_traps(&mut self, allowed: &[String]) -> Result<Vec<TrapId>, Failed> {
        let held = scalar("select id from trap where held and not pattern = any($1) and not 'all' = any($1)");
        let mut tx = self.db.begin().await?;
        let held = held.bind(allowed).fetch_all(&mut *tx).await?;
        tx.commit().await?;
        Ok(held)
    }

    async fn accounts(&mut self, hosts: &[HostId], ids: &[TrapId]) -> Result<Vec<(String, Account)>, Failed> {
        let rows = sql("select t.*, h.host from trap t join host h on h.id = t.host_id
                        where t.host_id = any($1) or t.id = any($2)");
        let rows = rows.bind(hosts).bind(ids).fetch_all(&mut self.db).await?;
        Ok(rows.iter().map(|row| (row.get("host"), account(row))).collect())
    }

    async fn paid_pages(&mut self, id: TrapId, limit: i64) -> Result<Vec<Recalled>, Failed> {
        let rows = sql(
            "select u.url, p.title, p.description, c.text from url u join page p on p.url_id = u.id
             join content c on c.url_id = u.id where u.trap_id = $1 and c.text is not null order by u.id desc limit $2",
        );
        let rows = rows.bind(id).bind(limit).fetch_all(&mut self.db).await?;
        let page = |row: &PgRow| {
            let (title, description) = (row.get("title"), row.get("description"));
            Recalled { url: row.get("url"), title, description, text: row.get("text") }
        };
        Ok(rows.iter().map(page).collect())
    }

    async fn write_accounts(&mut self, accounts: &[Account]) -> Result<(), Failed> {
        if accounts.is_empty() {
            return Ok(());
        }
        let column = |value: fn(&Account) -> i64| accounts.iter().map(value).collect::<Vec<_>>();
        let patterns: Vec<_> = accounts.iter().map(|account| account.pattern.as_str()).collect();
        sql("insert into trap (id, host_id, pattern, budget, fruitful, barren, identical, unproven, leaves, held, why,
                 web_pages, web_ends, web_new, web_met, part_of)
             select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
                 $7::bigint[], $8::bigint[], $9::bigint[], $10::boolean[], $11::text[], $12::bigint[], $13::bigint[],
                 $14::bigint[], $15::bigint[], $16::bigint[])
             on conflict (id) do update set budget = excluded.budget, fruitful = excluded.fruitful,
                 barren = excluded.barren, identical = excluded.identical, unproven = excluded.unproven,
                 leaves = excluded.leaves, held = excluded.held, why = excluded.why, web_pages = excluded.web_pages,
                 web_ends = excluded.web_ends, web_new = excluded.web_new, web_met = excluded.web_met,
                 part_of = excluded.part_of")
        .bind(column(|account| account.id))
        .bind(column(|account| account.host))
        .bind(patterns)
        .bind(column(|account| account.budget))
        .bind(column(|account| account.fruitful))
        .bind(column(|account| account.barren))
        .bind(column(|account| account.identical))
        .bind(column(|account| account.unproven))
        .bind(column(|account| account.leaves))
        .bind(accounts.iter().map(Account::is_held).collect::<Vec<_>>())
        .bind(accounts.iter().map(Account::why).collect::<Vec<_>>())
        .bind(column(|account| account.web.pages))
        .bind(column(|account| account.web.ends))
        .bind(column(|account| account.web.new))
        .bind(column(|account| account.web.met))
        .bind(accounts.iter().map(|account| account.part_of).collect::<Vec<_>>())
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    async fn release(&mut self, me: i64, id: TrapId, limit: i64) -> Result<Vec<Woken>, Failed> {
        let rows = sql(concat!(
            "update url set state = 0, reason = null where id in
                 (select id from url where trap_id = $2 and reason = 'trap' and state = 3 order by depth, id limit $3)
             returning ",
            rows::holder_of_url!(),
            ", ",
            rows::target_columns!()
        ));
        rows.bind(me).bind(id).bind(limit).fetch_all(&mut self.db).await?.iter().map(rows::woken).collect()
    }
}

fn account(row: &PgRow) -> Account {
    Account {
        id: row.get("id"),
        host: row.get("host_id"),
        pattern: row.get("pattern"),
        budget: row.get("budget"),
        fruitful: row.get("fruitful"),
        barren: row.get("barren"),
        identical: row.get("identical"),
        unproven: row.get("unproven"),
        leaves: row.get("leaves"),
        web: Web {
            pages: row.get("web_pages"),
            ends: row.get("web_ends"),
            new: row.get("web_new"),
            met: row.get("web_met"),
        },
        part_of: row.get("part_of"),
        is_allowed: false,
        is_drained: false,
        is_doubted: false,
        is_wasteful: false,
    }
}
