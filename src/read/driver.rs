//! What a kind of database does for its readers. Each kind has a file of its own; all else asks through this, and does not
//! know which database it reads.

use std::fmt::Debug;
use std::time::Duration;

use super::error::ReadError;
use super::hit::Hit;
use crate::store::value::Value;

/// A connection that cannot write.
pub trait Driver: Debug + Send {
    /// Asks a question: the names of the columns, and the rows of the answer.
    fn query<'db>(&'db self, sql: &str, values: Vec<Value>) -> Result<Answer<'db>, ReadError>;

    /// A statement whose parameters are still to get their values.
    fn prepare<'db>(&'db self, sql: &str) -> Result<Box<dyn Prepared<'db> + 'db>, ReadError>;

    /// All statements of a text.
    fn prepare_all<'db>(&'db self, sql: &str) -> Result<Vec<Box<dyn Prepared<'db> + 'db>>, ReadError>;

    /// As long as the answer is not dropped, all questions see the database as of this moment.
    fn hold<'db>(&'db self) -> Result<Box<dyn Debug + 'db>, ReadError>;

    /// Bytes that the database takes, but for those that are free for what comes next, where it can tell them.
    fn size(&self) -> Result<i64, ReadError>;

    /// The names of the views.
    fn views(&self) -> Result<Vec<String>, ReadError>;

    /// Gives questions up that are not answered in this time: on SQLite counted for all of them from now on, on PostgreSQL for
    /// each. On SQLite no value may be larger than so many bytes either.
    fn bound(&self, time: Duration, bytes: i32) -> Result<(), ReadError>;

    /// Whether there is a view of this name.
    fn has_view(&self, name: &str) -> Result<bool, ReadError>;

    /// The names of functions that are made for questions, as far as there are any beside the database's own.
    fn functions(&self) -> &'static [&'static str];

    /// Whether a later version wrote it.
    fn is_of_a_newer_version(&self) -> bool;

    /// Whether the database lacks what this version added to it.
    fn is_of_an_earlier_version(&self) -> bool;

    /// The best pages that hold the words.
    fn search(&self, words: &str, hosts: Option<&[String]>, limit: u32) -> Result<Vec<Hit>, ReadError>;

    /// How many pages wait to be brought into the full-text index; `None` if the database has no index yet.
    fn unindexed(&self) -> Result<Option<i64>, ReadError>;
}

/// The names of the columns, and the rows.
pub type Answer<'db> = (Vec<String>, Box<dyn Cursor + 'db>);

/// A statement that was understood.
pub trait Prepared<'db>: Debug {
    /// The names of the columns of its answer.
    fn columns(&self) -> Vec<&str>;

    /// Its parameters as they are written; `?` for one without a name.
    fn parameters(&self) -> Vec<String>;

    /// Gives a parameter its value, by its place in [`parameters`](Self::parameters).
    fn bind(&mut self, index: usize, value: Value) -> Result<(), ReadError>;

    /// Its answer.
    fn rows(self: Box<Self>) -> Box<dyn Cursor + 'db>;
}

/// The rows of an answer, each read when it is asked for.
pub trait Cursor: Debug {
    /// The next row; it is not asked again after the last.
    fn next(&mut self) -> Result<Option<Vec<Value>>, ReadError>;
}
