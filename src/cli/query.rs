//! `query`: SQL on a connection that cannot write.

use futures_util::TryStreamExt;
use harvestman::store::sqlite::{file_path, read};
use sqlx::{AssertSqlSafe, Column, Executor, Row, SqlSafeStr};

use super::Failure;
use super::args::Format;
use super::output::{self, Answer};

/// What a statement that only reads begins with. The connection cannot write to the crawl; this is for what writes
/// elsewhere, such as `vacuum into`.
const READING: [&str; 5] = ["select", "with", "values", "explain", "pragma"];

pub async fn run(database: &str, sql: &str, format: Format) -> Result<u8, Failure> {
    if first_words(sql).is_empty() {
        return Err(Failure::new("SQL: there is no statement").hint("try \"select * from accounting\""));
    }
    if let Some(word) = first_words(sql).into_iter().find(|word| !READING.contains(&word.as_str())) {
        return Err(Failure::new(format!("SQL: `{word}` is refused: the database is open for reading only")));
    }
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
            let same =
                || answer.columns.iter().zip(row.columns()).all(|(name, column)| name.starts_with(column.name()));
            if !answer.columns.is_empty() && (answer.columns.len() != row.len() || !same()) {
                return Err(Failure::new("SQL: the statements answer with different columns; ask them one by one"));
            }
            answer.push(&row);
        }
    }
    if answer.columns.is_empty()
        && let Ok(described) = pool.describe(AssertSqlSafe(sql.to_owned()).into_sql_str()).await
    {
        answer.name_columns(described.columns());
    }
    Ok(answer)
}

/// The first word of each statement, lower case.
fn first_words(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = sql;
    let mut fresh = true;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |end| end + 4),
            '\'' | '"' | '`' => rest[1..].find(c).map_or(rest.len(), |end| end + 2),
            '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            c if c.is_ascii_alphabetic() => rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        if c == ';' {
            fresh = true;
        } else if fresh && c.is_ascii_alphabetic() {
            words.push(rest[..length].to_ascii_lowercase());
            fresh = false;
        }
        rest = &rest[length..];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::first_words;

    #[test]
    fn statements_are_told_apart_outside_of_text_and_comments() {
        assert_eq!(first_words("SELECT ';delete' ; -- ;drop\n /* ;drop */ Vacuum into 'x'"), ["select", "vacuum"]);
        assert_eq!(first_words("(values (1)) ;; with [a;b] as (select 1) select \"c;d\""), ["values", "with"]);
        assert_eq!(first_words("select 'it''s; fine'; /*/ ;drop */ detach x"), ["select", "detach"]);
        assert!(first_words(" -- nothing").is_empty());
    }
}
