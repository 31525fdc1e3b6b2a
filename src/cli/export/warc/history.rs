//! Which requests for a page were answered, and by which of its contents.

use std::iter::Peekable;

use crate::cli::export::pages::Pages;
use crate::cli::failure::Failure;
use crate::read::{Database, ReadError, Row, Rows};
use crate::visit::Millis;

const NOT_MODIFIED: u16 = 304;

/// An answer, as far as every one of them is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// When it was asked for.
    pub at: Millis,
    pub elapsed_ms: i64,
    pub status: u16,
    /// It said that the page is as it was, or had the status and the content of the answer before.
    pub unchanged: bool,
}

impl Answer {
    /// When it had come. The page bears this time.
    fn end(&self) -> Millis {
        self.at + self.elapsed_ms
    }
}

/// The answers of all pages that are exported, page by page.
pub struct History<'db>(Option<Peekable<Rows<'db>>>);

impl<'db> History<'db> {
    pub fn new(db: &'db Database, pages: &Pages<'_>) -> Result<Self, Failure> {
        let runs = db.first("select count(*) from _run", [])?;
        if runs.map_or(Ok(0), |row| row.at::<i64>(0))? < 2 {
            return Ok(Self(None));
        }
        let sql = format!(
            "select f.url_id, f.at, f.elapsed_ms, f.status, f.unchanged from _fetch f
             where f.failure is null and f.status is not null and f.url_id in (select p.url_id {})
             order by f.url_id, f.at, f.id",
            pages.from()
        );
        Ok(Self(Some(db.query(&sql, [])?.peekable())))
    }

    /// The answers of a page, the oldest first. Pages are asked for in the order of their ids.
    pub fn of(&mut self, page: i64) -> Result<Vec<Answer>, ReadError> {
        let Some(rows) = &mut self.0 else { return Ok(Vec::new()) };
        let is_due = |row: &Result<Row, ReadError>| match row {
            Ok(row) => row.at::<i64>(0).is_ok_and(|id| id <= page),
            Err(_) => true,
        };
        let mut answers = Vec::new();
        while let Some(row) = rows.next_if(is_due) {
            let row = row?;
            if row.at::<i64>(0)? == page {
                let unchanged = row.at::<i64>(4)? != 0;
                answers.push(Answer { at: row.at(1)?, elapsed_ms: row.at(2)?, status: row.at(3)?, unchanged });
            }
        }
        Ok(answers)
    }
}

/// The answers that found a content: those after `after`, when the one before it was found for the last time, until `until`,
/// when it was found for the last time itself. None if the last one is not remembered. What came between two contents that
/// are kept is left out.
pub fn that_found(answers: &[Answer], after: Millis, until: Millis) -> &[Answer] {
    let end = answers.partition_point(|answer| answer.end() <= until);
    let Some(last) = end.checked_sub(1).filter(|last| answers[*last].end() == until) else { return &[] };
    let is_linked = |at: &usize| answers[*at].unchanged && answers[*at - 1].end() > after;
    let start = (1..=last).rev().take_while(is_linked).last().map_or(last, |at| at - 1);
    &answers[start..end]
}

/// The answer that brought the headers that are kept of a content: the last that was more than "not modified".
pub fn that_brought(found: &[Answer]) -> Option<&Answer> {
    found.iter().rfind(|answer| answer.status != NOT_MODIFIED).or(found.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(told: &[(Millis, u16, bool)]) -> Vec<Answer> {
        let answer = |(end, status, unchanged): &(Millis, u16, bool)| Answer {
            at: end - 1,
            elapsed_ms: 1,
            status: *status,
            unchanged: *unchanged,
        };
        told.iter().map(answer).collect()
    }

    #[test]
    fn a_content_was_found_by_what_brought_it_and_what_said_that_it_is_unchanged() {
        let all = answers(&[
            (10, 200, false),
            (20, 304, true),
            (30, 200, false),
            (40, 500, false),
            (50, 200, false),
            (60, 200, true),
        ]);
        assert_eq!(that_found(&all, 0, 20), &all[..2]);
        assert_eq!(that_found(&all, 20, 30), &all[2..3], "it had been another one before");
        assert_eq!(that_found(&all, 30, 60), &all[4..], "an error is no content");
        assert_eq!(that_found(&all, 0, 25), &[], "nobody knows who found it");
        assert_eq!(that_found(&[], 0, 25), &[]);
        assert_eq!(that_found(&all[1..], 0, 20), &all[1..2], "what found it first is forgotten");
    }

    #[test]
    fn headers_are_those_of_the_last_answer_that_had_some() {
        let all = answers(&[(10, 200, false), (20, 200, true), (30, 304, true)]);
        assert_eq!(that_brought(&all), Some(&all[1]));
        assert_eq!(that_brought(&all[2..]), Some(&all[2]), "the others are forgotten");
        assert_eq!(that_brought(&[]), None);
    }
}
