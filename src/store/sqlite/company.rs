//! One process has the file alone.

use crate::store::failed::Failed;
use crate::store::tables::{Company, Entrance};

use super::database::SqliteDatabase;

impl Company for SqliteDatabase {
    async fn enter(&mut self, _join: bool) -> Result<Entrance, Failed> {
        let sql = "insert into meta (key, value) values ('invocation', 1)
                   on conflict do update set value = value + 1 returning cast(value as integer)";
        Ok(Entrance { me: sqlx::query_scalar(sql).fetch_one(&mut self.db).await?, joins: None })
    }
}
