//! Budgets of URL patterns, and what is held back for want of one.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::policy::traps::{Account, Recalled, Web};
use crate::store::failed::Failed;
use crate::store::tables::{Accounts, Woken};
use crate::visit::{HostId, TrapId};

use super::database::SqliteDatabase;
use super::rows::{self, json, run_json};

impl Accounts for SqliteDatabase {
    async fn held_traps(&mut self, allowed: &[String]) -> Result<Vec<TrapId>, Failed> {
        let held = sqlx::query_scalar(
            "select id from trap where held and pattern not in (select value from json_each(?1))
                 and 'all' not in (select value from json_each(?1))",
        );
        Ok(held.bind(json(allowed)?).fetch_all(&mut self.db).await?)
    }

    async fn accounts(&mut self, hosts: &[HostId], ids: &[TrapId]) -> Result<Vec<(String, Account)>, Failed> {
        let rows = sqlx::query(
            "select t.*, h.host from trap t join host h on h.id = t.host_id
             where t.host_id in (select value from json_each(?1)) or t.id in (select value from json_each(?2))",
        );
        let rows = rows.bind(json(hosts)?).bind(json(ids)?).fetch_all(&mut self.db).await?;
        Ok(rows.iter().map(|row| (row.get("host"), account(row))).collect())
    }

    async fn paid_pages(&mut self, id: TrapId, limit: i64) -> Result<Vec<Recalled>, Failed> {
        let rows = sqlx::query(
            "select u.url, p.title, p.description, c.text from url u join page p on p.url_id = u.id
             join content c on c.url_id = u.id where u.trap_id = ?1 and c.text is not null order by u.id desc limit ?2",
        );
        let rows = rows.bind(id).bind(limit).fetch_all(&mut self.db).await?;
        let page = |row: &SqliteRow| {
            let (title, description) = (row.get("title"), row.get("description"));
            Recalled { url: row.get("url"), title, description, text: row.get("text") }
        };
        Ok(rows.iter().map(page).collect())
    }

    async fn write_accounts(&mut self, accounts: &[Account]) -> Result<(), Failed> {
        let row = |account: &Account| {
            let counts = (account.fruitful, account.barren, account.identical, account.unproven, account.leaves);
            let Web { pages, ends, new, met } = account.web;
            let state = (account.budget, account.is_held(), account.why());
            (account.id, account.host, account.pattern.clone(), state, counts, (pages, ends, new, met, account.part_of))
        };
        run_json(
            &mut self.db,
            "insert into trap (id, host_id, pattern, budget, held, why, fruitful, barren, identical, unproven, leaves,
                 web_pages, web_ends, web_new, web_met, part_of)
             select value ->> 0, value ->> 1, value ->> 2, value ->> '$[3][0]', value ->> '$[3][1]', value ->> '$[3][2]',
                 value ->> '$[4][0]', value ->> '$[4][1]', value ->> '$[4][2]', value ->> '$[4][3]', value ->> '$[4][4]',
                 value ->> '$[5][0]', value ->> '$[5][1]', value ->> '$[5][2]', value ->> '$[5][3]', value ->> '$[5][4]'
             from jsonb_each(?1) where true
             on conflict (id) do update set budget = excluded.budget, held = excluded.held, why = excluded.why,
                 fruitful = excluded.fruitful, barren = excluded.barren, identical = excluded.identical,
                 unproven = excluded.unproven, leaves = excluded.leaves, web_pages = excluded.web_pages,
                 web_ends = excluded.web_ends, web_new = excluded.web_new, web_met = excluded.web_met,
                 part_of = excluded.part_of",
            &accounts.iter().map(row).collect::<Vec<_>>(),
        )
        .await
    }

    async fn release(&mut self, me: i64, id: TrapId, limit: i64) -> Result<Vec<Woken>, Failed> {
        let rows = sqlx::query(concat!(
            "update url set state = 0, reason = null where id in
                 (select id from url where trap_id = ?1 and reason = 'trap' and state = 3 order by depth, id limit ?2)
             returning (select holder from host where id = url.host_id) as holder, ",
            rows::target_columns!()
        ));
        let rows = rows.bind(id).bind(limit).fetch_all(&mut self.db).await?;
        rows.iter().map(|row| rows::woken(row, me)).collect()
    }
}

fn account(row: &SqliteRow) -> Account {
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
