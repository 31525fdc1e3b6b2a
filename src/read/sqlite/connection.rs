//! A connection that cannot write, because SQLite asks about every step of every statement.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::store::sqlite::{peek, views};

use crate::read::error::ReadError;

use super::functions;

const KNOWN_VIEWS: &str =
    "select count(*) from sqlite_master where type = 'view' and name in ('accounting', 'fetches', 'pages')";

/// Pragmas that only tell something, whatever their argument.
const TELLING_PRAGMAS: [&str; 15] = [
    "collation_list",
    "compile_options",
    "database_list",
    "foreign_key_check",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "module_list",
    "pragma_list",
    "quick_check",
    "table_info",
    "table_xinfo",
];

/// Pragmas that do something without being given a value.
const DOING_PRAGMAS: [&str; 4] = ["incremental_vacuum", "optimize", "shrink_memory", "wal_checkpoint"];

/// Opens an existing database for questions of any kind: whatever is not reading, the connection itself refuses.
pub fn open(path: &Path) -> Result<Connection, ReadError> {
    let refuse = |problem: String| ReadError::Open { path: path.to_owned(), problem };
    if !path.try_exists().map_err(|e| refuse(e.to_string()))? {
        return Err(ReadError::Missing { path: path.to_owned() });
    }
    if path.is_dir() {
        return Err(refuse("it is a directory".into()));
    }
    let failed = |e: rusqlite::Error| refuse(peek::problem(&e));
    // Until the authorizer is asked, nothing but what is written here is done with it.
    let db = peek::connect(path).map_err(failed)?;
    let known: i64 = db.query_row(KNOWN_VIEWS, [], |row| row.get(0)).map_err(failed)?;
    if known < 3 {
        return Err(refuse("it holds no crawl".into()));
    }
    views::create(&db).map_err(failed)?;
    functions::create(&db).map_err(failed)?;
    db.execute_batch("pragma query_only = on").map_err(failed)?;
    db.authorizer(Some(may)).map_err(failed)?;
    Ok(db)
}

/// Asked by SQLite for every step of every statement.
fn may(context: AuthContext<'_>) -> Authorization {
    let reads = match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => !function_name.eq_ignore_ascii_case("load_extension"),
        AuthAction::Pragma { pragma_name, pragma_value } => {
            let is_among = |names: &[&str]| names.iter().any(|name| pragma_name.eq_ignore_ascii_case(name));
            is_among(&TELLING_PRAGMAS) || (pragma_value.is_none() && !is_among(&DOING_PRAGMAS))
        }
        _ => false,
    };
    if reads { Authorization::Allow } else { Authorization::Deny }
}
