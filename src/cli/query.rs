//! `query`: SQL on a connection that cannot write.

use futures_util::TryStreamExt;
use harvestman::store::sqlite::{file_path, read};
use sqlx::{AssertSqlSafe, Column, Executor, SqlSafeStr};

use super::Failure;
use super::args::Format;
use super::output::{self, Answer};

pub async fn run(database: &str, sql: &str, format: Format) -> Result<u8, Failure> {
    let answer = ask(database, sql).await?;
    output::print(&answer, format)?;
    Ok(0)
}

/// The answer to one or more statements; the columns are known even when no row is.
pub async fn ask(database: &str, sql: &str) -> Result<Answer, Failure> {
    let Ok(path) = file_path(database);
    let pool = read::open(&path).await?;
    let mut answer = Answer::default();
    {
        let mut rows = pool.fetch(AssertSqlSafe(sql.to_owned()));
        while let Some(row) = rows.try_next().await? {
            answer.push(&row);
        }
    }
    if answer.columns.is_empty()
        && let Ok(described) = pool.describe(AssertSqlSafe(sql.to_owned()).into_sql_str()).await
    {
        answer.columns = described.columns().iter().map(|column| column.name().to_owned()).collect();
    }
    Ok(answer)
}
