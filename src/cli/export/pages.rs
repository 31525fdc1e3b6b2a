//! Which pages are exported.

use crate::cli::failure::Failure;
use crate::read::{Database, ReadError, Row};

/// What `--columns` and `--where` may name: the columns of `pages`, and the body.
pub const PAGES: &str =
    "(select *, (select body from bodies where bodies.url = pages.url) as body from pages) as pages";

/// The pages that are exported, in the order in which their URLs were found.
pub struct Pages<'db> {
    db: &'db Database,
    filter: Option<String>,
}

impl<'db> Pages<'db> {
    /// Refuses a filter that is no expression.
    pub fn new(db: &'db Database, filter: Option<&str>) -> Result<Self, Failure> {
        let pages = Self { db, filter: filter.map(str::to_owned) };
        let Some(filter) = filter else { return Ok(pages) };
        // A filter with an unmatched parenthesis, which would change the statement around it, fails in one of the two.
        let once = db.prepare(&format!("select 1 from {PAGES} where ({filter}\n)"));
        let twice = db.prepare(&format!("select 1 from {PAGES} where (({filter}\n))"));
        let parameters = once.and_then(|once| twice.map(|_| once.parameters().len())).map_err(|e| in_filter(&e))?;
        if parameters > 0 {
            return Err(Failure::new("--where: there is no value for a parameter"));
        }
        Ok(pages)
    }

    /// The end of a `select`, from `from` to `where`: `p` is a row of `_page`, and `v` the same page as in [`PAGES`].
    pub fn from(&self) -> String {
        let filter = self.filter.as_deref().unwrap_or("true");
        format!(
            "from _page p cross join _url u cross join (select * from {PAGES} where ({filter}\n)) v
             where u.id = p.url_id and v.url = u.url"
        )
    }

    /// Hands on the rows of a statement, one by one; returns their number.
    pub fn each(&self, sql: &str, mut with: impl FnMut(Row) -> Result<(), Failure>) -> Result<i64, Failure> {
        let mut count = 0;
        for row in self.db.query(sql, [])? {
            with(row.map_err(|e| self.failed(e))?)?;
            count += 1;
        }
        Ok(count)
    }

    fn failed(&self, error: ReadError) -> Failure {
        match error {
            ReadError::Sql { .. } if self.filter.is_some() => in_filter(&error),
            error => error.into(),
        }
    }
}

/// An error in the user's SQL is reported as one of the option.
fn in_filter(error: &ReadError) -> Failure {
    Failure::new(format!("--where: {error}"))
}
