//! An audit as a workbook: how many of what there are and how to mend them, a sheet for each finding, and what was not checked.

use rust_xlsxwriter::XlsxError;

use crate::cli::workbook::{Cell, Column, Workbook};

use super::audited::Audited;
use super::summary::counts;

const OVERVIEW: [Column<'_>; 7] =
    [("severity", 10), ("finding", 24), ("count", 8), ("new", 8), ("fixed", 8), ("what it is", 70), ("what to do", 70)];
const FINDING: [Column<'_>; 4] = [("url", 60), ("other_url", 60), ("detail", 50), ("state", 8)];
const UNCHECKED: [Column<'_>; 2] = [("what", 30), ("why", 90)];

pub fn workbook(audited: &Audited) -> Result<Vec<u8>, XlsxError> {
    let counts = counts(audited);
    let mut book = Workbook::new();
    let overview = counts.iter().map(|(finding, count)| {
        let [severity, name] = [finding.severity.name(), finding.name].map(Cell::text);
        let [present, new, fixed] = [count.present, count.new, count.fixed].map(|number| Cell::Number(number as f64));
        vec![severity, name, present, new, fixed, Cell::text(finding.about), Cell::text(finding.advice)]
    });
    book.sheet("overview", &OVERVIEW, overview)?;
    for (finding, _) in &counts {
        let rows = audited.rows.iter().filter(|row| row.finding == finding.name).map(|row| {
            let other = row.other_url.clone().map_or(Cell::text(""), Cell::Link);
            let detail = Cell::text(row.detail.as_deref().unwrap_or_default());
            vec![Cell::Link(row.url.clone()), other, detail, Cell::text(row.state)]
        });
        book.sheet(finding.name, &FINDING, rows)?;
    }
    let gaps = audited.unchecked.iter().map(|gap| vec![Cell::text(&*gap.what), Cell::text(&*gap.why)]);
    book.sheet("not checked", &UNCHECKED, gaps)?;
    book.finish()
}
