//! Rows as a table for people: as wide as its content, or cut to fit its terminal; where that leaves too little of the cells,
//! a record for each row.

use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde_json::Value;

use super::fit::{cut, is_url, width};
use super::terminal;
use super::text::{plain, printable};

/// Characters of a cell that a table shows.
const MAX_CELL: usize = 1_000;
/// Blanks beside each column.
const PADDING: usize = 2;
/// Columns below which nobody reads a URL, another text (a time down to its minutes), or a name above numbers.
const LEAST_URL: usize = 20;
const LEAST_TEXT: usize = 17;
const LEAST_NAME: usize = 8;
/// Columns below which prose is not broken into lines.
const LEAST_PROSE: usize = 40;

/// Columns and rows of an answer.
#[derive(Debug, Default)]
pub struct Answer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

/// The columns of the terminal that a table is to fit into, if it is to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room(Option<usize>);

impl Room {
    /// As standard output is. A pipe gets all of it, and so does who asks for it.
    pub fn of_stdout(wide: bool) -> Self {
        Self(if wide { None } else { terminal::columns_of_stdout() })
    }

    /// Of a file.
    pub const WHOLE: Self = Self(None);

    /// The columns there are, if they are bounded.
    pub fn columns(self) -> Option<usize> {
        self.0
    }
}

/// A table as text, without a line feed at its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Drawn {
    pub text: String,
    /// It shows less than there is.
    pub is_cut: bool,
}

/// Draws a table. Control characters are escaped, and very long cells are cut off everywhere.
pub fn draw(answer: &Answer, room: Room) -> Drawn {
    let whole = || Drawn { text: whole(answer).to_string(), is_cut: false };
    let Some(columns) = room.0 else { return whole() };
    let sketch = Sketch::of(answer);
    if sketch.natural() <= columns {
        return whole();
    }
    match sketch.fitted(columns) {
        Some(widths) => Drawn { text: narrow(&sketch, &widths), is_cut: true },
        None => sketch.records(columns),
    }
}

/// The same, with sentences broken into lines, not cut.
pub fn draw_prose(answer: &Answer, room: Room) -> Drawn {
    let mut table = whole(answer);
    if let Some(columns) = room.0.filter(|columns| *columns >= LEAST_PROSE) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(columns).unwrap_or(u16::MAX));
    }
    Drawn { text: table.to_string(), is_cut: false }
}

/// Whether it fits without being cut, or at least without becoming records.
pub fn fits(answer: &Answer, room: Room) -> bool {
    room.0.is_none_or(|columns| Sketch::of(answer).fitted(columns).is_some())
}

fn whole(answer: &Answer) -> Table {
    let mut table = empty(answer.columns.iter().map(|name| printable(name)));
    for row in &answer.rows {
        table.add_row(row.iter().map(cell));
    }
    for (index, _) in answer.columns.iter().enumerate() {
        if are_numbers(answer, index) {
            align_right(&mut table, index);
        }
    }
    table
}

fn empty(columns: impl Iterator<Item = String>) -> Table {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(columns);
    table
}

fn align_right(table: &mut Table, index: usize) {
    if let Some(column) = table.column_mut(index) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

fn cell(value: &Value) -> String {
    let text = plain(value);
    match text.char_indices().nth(MAX_CELL) {
        Some((end, _)) => printable(&text[..end]) + "…",
        None => printable(&text),
    }
}

fn are_numbers(answer: &Answer, index: usize) -> bool {
    !answer.rows.is_empty() && answer.rows.iter().all(|row| row[index].is_number() || row[index].is_null())
}

/// A column of a table before it is drawn.
struct Column {
    name: String,
    are_numbers: bool,
    /// What its widest cell takes, its name included.
    natural: usize,
    /// What it must have to be read.
    least: usize,
}

/// A table before it is drawn.
struct Sketch {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Sketch {
    fn of(answer: &Answer) -> Self {
        let rows: Vec<Vec<_>> = answer.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        let column = |(index, name): (usize, &String)| {
            let name = printable(name);
            let cells = || rows.iter().map(|row: &Vec<String>| row[index].as_str());
            let widest = cells().map(width).max().unwrap_or(0);
            let natural = widest.max(width(&name));
            let are_numbers = are_numbers(answer, index);
            let least = if are_numbers {
                widest.max(LEAST_NAME)
            } else if cells().any(is_url) {
                LEAST_URL
            } else {
                LEAST_TEXT
            };
            Column { name, are_numbers, natural, least: least.min(natural) }
        };
        let columns = answer.columns.iter().enumerate().map(column).collect();
        Self { columns, rows }
    }

    fn natural(&self) -> usize {
        self.columns.iter().map(|column| column.natural + PADDING).sum()
    }

    /// The widths with which the table takes no more than so many columns: the widest are cut first, and none to less than it
    /// needs. None if that cannot be.
    fn fitted(&self, columns: usize) -> Option<Vec<usize>> {
        let widths = |most: usize| self.columns.iter().map(move |column| column.natural.min(most.max(column.least)));
        let room = columns.checked_sub(PADDING * self.columns.len())?;
        let fits = |most: &usize| widths(*most).sum::<usize>() <= room;
        let most = (0..=room).rev().find(fits)?;
        let mut widths: Vec<_> = widths(most).collect();
        // What is left over goes to the first that wants it.
        let mut left = room - widths.iter().sum::<usize>();
        for (width, column) in widths.iter_mut().zip(&self.columns) {
            let more = left.min(column.natural - *width);
            (*width, left) = (*width + more, left - more);
        }
        Some(widths)
    }

    /// A line for each column, and a rule between rows.
    fn records(&self, columns: usize) -> Drawn {
        let names = self.columns.iter().map(|column| width(&column.name)).max().unwrap_or(0).min(columns / 2);
        let room = columns.saturating_sub(names + PADDING).max(1);
        let rule = "─".repeat(columns);
        let mut is_cut = false;
        let record = |row: &Vec<String>| {
            let line = |(column, text): (&Column, &String)| {
                // A number that is cut is another one: it rather takes the place of its name.
                let (names, room) = match width(text) {
                    wide if column.are_numbers && wide > room => (columns.saturating_sub(wide + PADDING), wide),
                    _ => (names, room),
                };
                let name = cut(&column.name, names);
                let value = cut(text, room);
                is_cut |= value != *text;
                let blanks = " ".repeat(names - width(&name) + PADDING);
                format!("{name}{blanks}{value}").trim_end().to_owned()
            };
            self.columns.iter().zip(row).map(line).collect::<Vec<_>>().join("\n")
        };
        if self.rows.is_empty() {
            let names = self.columns.iter().map(|column| cut(&column.name, columns));
            return Drawn { text: names.collect::<Vec<_>>().join("\n"), is_cut };
        }
        let records: Vec<_> = self.rows.iter().map(record).collect();
        Drawn { text: records.join(&format!("\n{rule}\n")), is_cut }
    }
}

fn narrow(sketch: &Sketch, widths: &[usize]) -> String {
    let fitted = |text: &String, index: usize| cut(text, widths[index]).into_owned();
    let mut table = empty(sketch.columns.iter().enumerate().map(|(index, column)| fitted(&column.name, index)));
    for row in &sketch.rows {
        table.add_row(row.iter().enumerate().map(|(index, text)| fitted(text, index)));
    }
    for (index, column) in sketch.columns.iter().enumerate() {
        if column.are_numbers {
            align_right(&mut table, index);
        }
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        let row = |url: &str, title: &str, size: i64| vec![url.into(), title.into(), size.into()];
        Answer {
            columns: ["url", "title", "size"].map(str::to_owned).into(),
            rows: vec![
                row(
                    "https://example.com/a/page/whose/address/is/long.html",
                    "A title that says a lot of its page",
                    1_234,
                ),
                row("https://example.com/b", "蜘蛛の糸、蜘蛛の糸、蜘蛛の糸、蜘蛛の糸", 5),
            ],
        }
    }

    fn drawn(columns: usize) -> String {
        let Drawn { text, is_cut } = draw(&answer(), Room(Some(columns)));
        assert!(is_cut, "{text}");
        for line in text.lines() {
            assert!(width(line) <= columns, "{columns}: {line}");
        }
        text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn a_table_that_fits_is_the_same_everywhere() {
        let whole = draw(&answer(), Room::WHOLE);
        assert_eq!(draw(&answer(), Room(Some(200))), whole);
        assert!(whole.text.contains("https://example.com/a/page/whose/address/is/long.html"));
    }

    #[test]
    fn columns_are_narrowed_and_urls_keep_their_ends() {
        let expected = "
 url                             title                           size
 https://example…s/is/long.html  A title that says a lot of it…  1234
 https://example.com/b           蜘蛛の糸、蜘蛛の糸、蜘蛛の糸…      5
";
        assert_eq!(drawn(70), expected.trim_start_matches('\n'));
    }

    #[test]
    fn a_terminal_that_is_too_narrow_gets_a_record_for_each_row() {
        let expected = "
url    https://example.…ess/is/long.html
title  A title that says a lot of its p…
size   1234
────────────────────────────────────────
url    https://example.com/b
title  蜘蛛の糸、蜘蛛の糸、蜘蛛の糸、蜘…
size   5
";
        assert_eq!(drawn(40), expected.trim_start_matches('\n'));
    }

    #[test]
    fn no_width_is_too_small_and_no_answer_too_short() {
        for columns in 1..120 {
            let Drawn { text, .. } = draw(&answer(), Room(Some(columns)));
            assert!(text.lines().all(|line| width(line) <= columns.max(6)), "{columns}: {text}");
        }
        let none = Answer { columns: vec!["url".to_owned()], rows: Vec::new() };
        assert_eq!(draw(&none, Room(Some(3))).text, "url", "what was asked for is told without an answer too");
    }

    #[test]
    fn a_record_cuts_no_number_and_a_sentence_is_cut_at_its_end() {
        let row = vec![1_234_567_890_123_i64.into(), "https://a.test/ is broken since noon".into()];
        let answer = Answer { columns: ["mean_elapsed", "what"].map(str::to_owned).into(), rows: vec![row] };
        assert_eq!(draw(&answer, Room(Some(20))).text, "mean…  1234567890123\nwhat        https:/…");
    }

    #[test]
    fn prose_is_broken_into_lines() {
        let Drawn { text, is_cut } = draw_prose(&answer(), Room(Some(60)));
        assert!(!is_cut && text.contains("title") && !text.contains('…'), "{text}");
        assert!(text.lines().all(|line| width(line) <= 60), "{text}");
    }
}
