//! Tables as a workbook that spreadsheets open (ECMA-376, Office Open XML), each on a sheet of its own. What comes from the
//! web is text there, and never a formula.

use std::collections::HashSet;

use rust_xlsxwriter::{Format, XlsxError};

/// What a sheet holds, its head included, and what a cell holds of text, in UTF-16 code units.
const MAX_ROWS: u32 = 1 << 20;
const MAX_TEXT: usize = 32_767;
/// What a sheet holds of links, and a link of characters.
const MAX_LINKS: usize = 65_530;
const MAX_LINK: usize = 2_079;
/// Characters of a sheet's name.
const MAX_NAME: usize = 31;

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Text(String),
    Number(f64),
    /// An address from the web, which can be clicked on if it is one of http or https.
    Link(String),
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// A column's name, and how many characters wide it is.
pub type Column<'a> = (&'a str, u16);

/// A workbook that is being written.
pub struct Workbook {
    book: rust_xlsxwriter::Workbook,
    names: HashSet<String>,
    head: Format,
}

impl Workbook {
    pub fn new() -> Self {
        let head = Format::new().set_bold();
        Self { book: rust_xlsxwriter::Workbook::new(), names: HashSet::new(), head }
    }

    /// Adds a sheet. Its rows are written as they come, and none is held.
    pub fn sheet(
        &mut self,
        name: &str,
        columns: &[Column<'_>],
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) -> Result<(), XlsxError> {
        let name = self.name(name);
        let sheet = self.book.add_worksheet_with_constant_memory()?.set_name(name)?;
        sheet.set_freeze_panes(1, 0)?;
        for (at, (column, width)) in (0..).zip(columns) {
            sheet.set_column_width(at, *width)?.write_string_with_format(0, at, *column, &self.head)?;
        }
        let (mut links, mut rows, mut row) = (0, rows.into_iter(), 1);
        while row < MAX_ROWS - 1
            && let Some(cells) = rows.next()
        {
            for (column, cell) in (0..).zip(cells) {
                let text = match cell {
                    Cell::Number(number) => {
                        sheet.write_number(row, column, number)?;
                        continue;
                    }
                    // One that is too long once it is escaped is text, too.
                    Cell::Link(url)
                        if links < MAX_LINKS && is_link(&url) && sheet.write_url(row, column, &*url).is_ok() =>
                    {
                        links += 1;
                        continue;
                    }
                    Cell::Text(text) | Cell::Link(text) => text,
                };
                sheet.write_string(row, column, shown(&text))?;
            }
            row += 1;
        }
        let left_out = rows.count();
        if left_out > 0 {
            sheet.write_string(row, 0, format!("and {left_out} more, which a sheet does not hold"))?;
        }
        if let Some(last) = columns.len().checked_sub(1).and_then(|last| last.try_into().ok()) {
            sheet.autofilter(0, 0, row.max(2) - 1, last)?;
        }
        Ok(())
    }

    /// All of it.
    pub fn finish(mut self) -> Result<Vec<u8>, XlsxError> {
        self.book.save_to_buffer()
    }

    /// A name that spreadsheets take, and that no other sheet has.
    fn name(&mut self, wanted: &str) -> String {
        let name: String = wanted.chars().map(|c| if "[]:*?/\\'".contains(c) { ' ' } else { c }).collect();
        let numbered = (2..).map(|number| {
            let number = format!(" {number}");
            name.chars().take(MAX_NAME - number.len()).collect::<String>() + &number
        });
        let first = name.chars().take(MAX_NAME).collect();
        let mut names = std::iter::once(first).chain(numbered);
        names.find(|name| self.names.insert(name.to_lowercase())).unwrap_or_default()
    }
}

fn is_link(url: &str) -> bool {
    let is_web = url.starts_with("http://") || url.starts_with("https://");
    is_web && url.len() <= MAX_LINK && shown(url) == url
}

/// Text as XML can hold it, cut where a cell ends.
fn shown(text: &str) -> String {
    let is_character = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'..);
    let mut units = 0;
    let fits = |c: &char| {
        units += c.len_utf16();
        units < MAX_TEXT
    };
    let mut shown: String =
        text.chars().map(|c| if is_character(c) { c } else { '\u{fffd}' }).take_while(fits).collect();
    if units >= MAX_TEXT {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Range, Reader as _, Xlsx};

    use super::*;

    type Read = Xlsx<Cursor<Vec<u8>>>;

    fn read(book: Workbook) -> Read {
        Xlsx::new(Cursor::new(book.finish().unwrap())).unwrap()
    }

    fn texts(range: &Range<Data>) -> Vec<String> {
        range.rows().map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")).collect()
    }

    fn one(cells: Vec<Cell>) -> (Vec<Data>, usize) {
        let mut book = Workbook::new();
        book.sheet("s", &[("a", 10), ("b", 10)], [cells]).unwrap();
        let mut book = read(book);
        let range = book.worksheet_range("s").unwrap();
        let formulas = book.worksheet_formula("s").unwrap().used_cells().count();
        (range.rows().nth(1).unwrap().to_vec(), formulas)
    }

    #[test]
    fn tables_are_read_back_as_they_were_written_each_from_its_sheet() {
        let mut book = Workbook::new();
        let row = vec![Cell::text("x <&> \"y\""), Cell::Number(1234.5), Cell::Link("https://a.test/?a=1&b=2#c".into())];
        book.sheet("first", &[("name", 20), ("number", 10), ("url", 60)], [row]).unwrap();
        book.sheet("second", &[("name", 20)], []).unwrap();
        let mut book = read(book);
        assert_eq!(book.sheet_names(), ["first", "second"]);
        let first = texts(&book.worksheet_range("first").unwrap());
        assert_eq!(first, ["name|number|url", "x <&> \"y\"|1234.5|https://a.test/?a=1&b=2#c"]);
        assert_eq!(texts(&book.worksheet_range("second").unwrap()), ["name"]);
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "{=1}", "\t=1", "=HYPERLINK(\"http://a.test\")"] {
            let (cells, formulas) = one(vec![Cell::text(text), Cell::Link(text.into())]);
            assert_eq!((cells, formulas), (vec![Data::String(text.to_owned()); 2], 0));
        }
    }

    #[test]
    fn what_a_cell_does_not_hold_is_cut_or_replaced() {
        let (cells, _) = one(vec![Cell::text("é".repeat(40_000)), Cell::text("a\u{1}b\u{ffff}c")]);
        assert_eq!(cells[0].to_string(), "é".repeat(32_766) + "…");
        assert_eq!(cells[1].to_string(), "a\u{fffd}b\u{fffd}c");
        let (cells, _) = one(vec![Cell::text("😀".repeat(20_000)), Cell::text("x".repeat(32_766))]);
        assert_eq!(cells[0].to_string().encode_utf16().count(), 32_767);
        assert_eq!(cells[1].to_string(), "x".repeat(32_766));
    }

    #[test]
    fn addresses_that_a_spreadsheet_takes_for_no_link_are_text() {
        let of = |length: usize| format!("http://a.test/{}", "x".repeat(length - 14));
        assert!(is_link(&of(2_079)) && !is_link(&of(2_080)));
        assert!(!is_link("javascript:alert(1)") && !is_link("http://a.test/\u{1}"));
        let (cells, _) = one(vec![Cell::Link(of(2_079)), Cell::Link(of(2_080))]);
        assert_eq!(cells, [Data::String(of(2_079)), Data::String(of(2_080))]);
        let grows = format!("http://a.test/#{}", "\" <".repeat(500));
        let (cells, _) = one(vec![Cell::Link(grows.clone()), Cell::Link("http://a.test/a b#c d".into())]);
        assert_eq!(cells, [Data::String(grows), Data::String("http://a.test/a b#c d".into())]);
    }

    #[test]
    fn more_links_than_a_sheet_holds_are_text() {
        let mut book = Workbook::new();
        let url = |number: usize| vec![Cell::Link(format!("http://a.test/{number}"))];
        book.sheet("s", &[("url", 60)], (0..=MAX_LINKS).map(url)).unwrap();
        let range = read(book).worksheet_range("s").unwrap();
        assert_eq!(
            (range.height(), range.rows().next_back().unwrap()[0].to_string()),
            (MAX_LINKS + 2, "http://a.test/65530".into())
        );
    }

    #[test]
    fn names_of_sheets_are_such_as_spreadsheets_take() {
        let mut book = Workbook::new();
        let long = "a name that is longer than a sheet's may be";
        let names = [long, long, "a/b:c", "A B c"].map(|name| book.name(name));
        assert_eq!(names, ["a name that is longer than a sh", "a name that is longer than a  2", "a b c", "A B c 2"]);
    }
}
