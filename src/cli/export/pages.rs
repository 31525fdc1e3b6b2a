//! Which pages are exported.

use crate::cli::args::Since;
use crate::cli::changes;
use crate::cli::failure::Failure;
use crate::read::{Database, ReadError, Row};

/// What `--columns` and `--where` may name: the columns of `pages`, and the body.
pub const PAGES: &str =
    "(select *, (select body from bodies where bodies.url = pages.url) as body from pages) as pages";

/// The pages that are exported, in the order in which their URLs were found; or the rows of another view.
pub struct Pages<'db> {
    db: &'db Database,
    view: Option<String>,
    filter: Option<String>,
    /// The first run and the first moment whose changes count.
    since: Option<(i64, String)>,
}

impl<'db> Pages<'db> {
    /// Refuses a view that there is not, and a filter that is no expression.
    pub fn new(
        db: &'db Database,
        view: Option<&str>,
        filter: Option<&str>,
        since: Option<Since>,
    ) -> Result<Self, Failure> {
        let view = view.map(|name| named(db, name)).transpose()?;
        let since = match since {
            Some(since) => {
                changes::require_views(db)?;
                Some(changes::start(db, Some(since))?)
            }
            None => None,
        };
        let pages = Self { db, view, filter: filter.map(str::to_owned), since };
        if pages.since.is_some() && !columns_of(db, pages.source())?.iter().any(|column| column == "url") {
            return Err(Failure::new("--since: the view has no column `url`"));
        }
        let Some(filter) = filter else { return Ok(pages) };
        let source = pages.source();
        // A filter with an unmatched parenthesis, which would change the statement around it, fails in one of the two.
        let once = db.prepare(&format!("select 1 from {source} where ({filter}\n)"));
        let twice = db.prepare(&format!("select 1 from {source} where (({filter}\n))"));
        let parameters = once.and_then(|once| twice.map(|_| once.parameters().len())).map_err(|e| in_filter(&e))?;
        if parameters > 0 {
            return Err(Failure::new("--where: there is no value for a parameter"));
        }
        Ok(pages)
    }

    /// What `--columns` and `--where` may name columns of.
    pub fn source(&self) -> &str {
        self.view.as_deref().unwrap_or(PAGES)
    }

    /// The end of a `select`, from `from` to `where`: `p` is a row of `_page`, and `v` the same page as in [`PAGES`]. Of
    /// another view, `v` is a row.
    pub fn from(&self) -> String {
        let filter = self.filter.as_deref().unwrap_or("true");
        let since = self
            .since
            .as_ref()
            .map(|(run, at)| format!(" and v.url in (select url from changes where run >= {run} and at >= '{at}')"));
        let since = since.unwrap_or_default();
        match &self.view {
            Some(view) => format!("from (select * from {view} where ({filter}\n)) v where true{since}"),
            None => format!(
                "from _page p cross join _url u cross join (select * from {PAGES} where ({filter}\n)) v
                 where u.id = p.url_id and v.url = u.url{since}"
            ),
        }
    }

    /// The order of the rows. That of another view is its own.
    pub fn order(&self) -> &'static str {
        if self.view.is_some() { "" } else { "order by p.url_id" }
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

/// The name of a view, as SQL has it.
fn named(db: &Database, name: &str) -> Result<String, Failure> {
    // Views whose names begin so are the program's own.
    if name.starts_with('_') || !db.has_view(name)? {
        return Err(Failure::new(format!("--from: there is no view `{name}`"))
            .hint("`harvestman query --schema` lists the views"));
    }
    Ok(quoted(name))
}

/// A name in SQL, whatever is in it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub fn columns_of(db: &Database, source: &str) -> Result<Vec<String>, ReadError> {
    Ok(db.prepare(&format!("select * from {source}"))?.columns().into_iter().map(str::to_owned).collect())
}

/// An error in the user's SQL is reported as one of the option.
fn in_filter(error: &ReadError) -> Failure {
    Failure::new(format!("--where: {error}"))
}
