//! What the public views hold: the words that stand behind them and their columns in the migrations.

use rusqlite::{Connection, Result};

use super::schema;

/// A public view.
#[derive(Debug)]
pub struct View {
    pub name: String,
    /// What a row is, in a sentence.
    pub about: String,
    /// Each column, and what it holds.
    pub columns: Vec<(String, String)>,
}

/// All of them, in the order of docs/views.md. SQLite itself says which there are after all migrations.
pub fn views() -> Result<Vec<View>> {
    let db = Connection::open_in_memory()?;
    for migration in schema::migrations() {
        db.execute_batch(migration)?;
    }
    let mut views = db.prepare("select name, sql from sqlite_master where type = 'view' order by rowid")?;
    let mut columns = db.prepare("select name from pragma_table_info(?1) order by cid")?;
    let views = views.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    views
        .map(|view| {
            let (name, sql) = view?;
            let names = columns.query_map([&name], |row| row.get(0))?.collect::<Result<Vec<String>>>()?;
            let (about, meanings) = described(&sql);
            Ok(View { name, about, columns: names.into_iter().zip(meanings).collect() })
        })
        .collect()
}

/// What a view's SQL says of it and, one after the other, of its columns.
fn described(sql: &str) -> (String, Vec<String>) {
    let (head, rest) = sql.split_once('\n').unwrap_or((sql, ""));
    let about = head.split_once(" as -- ").map_or("", |(_, about)| about).to_owned();
    // What comes before the columns are helping queries; the columns end where `from` begins.
    let code =
        rest.lines().skip_while(|line| !line.starts_with("select ")).take_while(|line| !line.starts_with("from "));
    let comments = code.filter_map(|line| line.split_once(" -- ").filter(|(code, _)| !code.trim().is_empty()));
    (about, comments.map(|(_, comment)| comment.to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_and_each_of_its_columns_is_described() {
        let db = Connection::open_in_memory().unwrap();
        schema::migrations().for_each(|migration| db.execute_batch(migration).unwrap());
        let views = views().unwrap();
        assert!(views.len() > 30 && views.iter().any(|view| view.name == "pages"));
        for View { name, about, columns } in views {
            let count = "select count(*) from pragma_table_info(?1)";
            let count: i64 = db.query_row(count, [&name], |row| row.get(0)).unwrap();
            assert!(about.ends_with(['.', '…']) || about.contains("; ask it"), "{name}: {about}");
            assert_eq!(i64::try_from(columns.len()), Ok(count), "{name}: {columns:?}");
        }
    }
}
