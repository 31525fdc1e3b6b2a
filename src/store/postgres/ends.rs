//! What is asked of a crawl once it has ended.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::store::StoreError;
use crate::store::failed::Failed;
use crate::store::tables::Transactions as _;
use crate::visit::State;

use super::database::PgDatabase;
use super::rows::{self, sql};

/// A seed of this invocation, and what became of the URL where its redirects end.
#[derive(Debug)]
pub struct SeedEnd {
    pub seed: String,
    pub state: State,
    /// Why it is skipped or failed, in a word.
    pub reason: Option<String>,
    /// Of its response, if it is fetched.
    pub status: Option<u16>,
}

impl PgDatabase {
    /// The seeds in the order in which they were met.
    pub async fn seed_ends(&mut self) -> Result<Vec<SeedEnd>, StoreError> {
        let ends = sql("with recursive hop (seed_id, id, nth) as (
                select url_id, url_id, 0 from seed
                union all
                select h.seed_id, p.redirect_to, h.nth + 1 from hop h join url u on u.id = h.id
                join page p on p.url_id = h.id where u.state = 1 and p.redirect_to is not null and h.nth < 100),
            final as (select distinct on (seed_id) seed_id, id from hop order by seed_id, nth desc)
            select s.url as seed, u.state, coalesce(u.reason, f.kind) as reason, p.status
            from final e join url s on s.id = e.seed_id join url u on u.id = e.id
            left join page p on p.url_id = u.id and u.state = 1
            left join failure f on f.url_id = u.id and u.state = 2 order by e.seed_id");
        self.open_transaction().await?;
        let rows = ends.fetch_all(&mut self.db).await.map_err(StoreError::database)?;
        self.commit_transaction().await?;
        let end = |row: &PgRow| {
            Ok(SeedEnd {
                seed: row.get("seed"),
                state: rows::state(row)?,
                reason: row.get("reason"),
                status: rows::optional(row, "status"),
            })
        };
        Ok(rows.iter().map(end).collect::<Result<_, Failed>>()?)
    }

    /// Asks the views: each column of the answer is text.
    pub async fn ask(&mut self, text: &'static str, values: &[&str]) -> Result<Vec<Vec<Option<String>>>, StoreError> {
        let question = values.iter().fold(sql(text), |question, value| question.bind((*value).to_owned()));
        self.open_transaction().await?;
        let rows = question.fetch_all(&mut self.db).await.map_err(StoreError::database)?;
        self.commit_transaction().await?;
        Ok(rows.iter().map(|row| (0..row.len()).map(|at| row.get(at)).collect()).collect())
    }
}
