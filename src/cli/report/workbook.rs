//! The report as a workbook: its figures and what each section says, and each table on a sheet of its own.

use rust_xlsxwriter::XlsxError;

use crate::cli::workbook::{Cell, Column, Workbook};

use super::parts::{self, Block, Figure, Hop, Link, Section};

/// Characters of a column of words or addresses, and of one of numbers.
const WIDE: u16 = 50;
const NARROW: u16 = 14;

pub fn workbook(figures: &[Figure], sections: &[Section]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let figure = |Figure { name, value, difference }: &Figure| {
        vec![Cell::text(*name), number(value), Cell::text(difference.clone().unwrap_or_default())]
    };
    let lead = |section: &Section| vec![Cell::text(section.title), Cell::text(&*section.lead), Cell::text("")];
    let rows = figures.iter().map(figure).chain(sections.iter().map(lead));
    book.sheet("overview", &[("what", WIDE), ("value", WIDE), ("to the run before", NARROW)], rows)?;
    for section in sections {
        for block in &section.blocks {
            let (heads, rows) = table(block);
            book.sheet(section.title, &heads, rows)?;
        }
    }
    book.finish()
}

/// What a block shows, as a table.
fn table(block: &Block) -> (Vec<Column<'_>>, Vec<Vec<Cell>>) {
    match block {
        Block::Stack(stack) => {
            let part = |part: &parts::Part| vec![Cell::text(part.name), number(&part.value), Cell::text(&*part.share)];
            (vec![("state", WIDE), ("count", NARROW), ("share", NARROW)], stack.parts.iter().map(part).collect())
        }
        Block::Bars(bars) => {
            let bar = |bar: &parts::Bar| vec![Cell::text(&*bar.label), number(&bar.value), Cell::text(&*bar.share)];
            (vec![(bars.label, WIDE), (bars.unit, NARROW), ("share", NARROW)], bars.rows.iter().map(bar).collect())
        }
        Block::Columns(columns) => {
            let row = |row: &Vec<String>| row.iter().map(|text| number(text)).collect();
            (columns.heads.iter().map(|head| (*head, NARROW)).collect(), columns.rows.iter().map(row).collect())
        }
        Block::Boxes(boxes) => {
            let heads = ["5 %", "25 %", "median", "75 %", "95 %"].map(|head| (head, NARROW));
            let row = |row: &parts::BoxRow| {
                let times = row.texts.iter().map(|text| Cell::text(&**text));
                [address(&row.host), number(&row.pages)].into_iter().chain(times).collect()
            };
            (
                [("host", WIDE), ("pages", NARROW)].into_iter().chain(heads).collect(),
                boxes.rows.iter().map(row).collect(),
            )
        }
        Block::Listing(listing) => {
            let head = |head: &parts::Head| (head.name, if head.is_number { NARROW } else { WIDE });
            let row = |row: &Vec<parts::Cell>| row.iter().map(cell).collect();
            (listing.heads.iter().map(head).collect(), listing.rows.iter().map(row).collect())
        }
    }
}

fn cell(cell: &parts::Cell) -> Cell {
    let all = |links: &[Link], between: &str| links.iter().map(Link::whole).collect::<Vec<_>>().join(between);
    match cell {
        parts::Cell::Text(text) => Cell::text(&**text),
        parts::Cell::Number { text, .. } if text.is_empty() => Cell::Text(String::new()),
        parts::Cell::Number { sort, .. } => Cell::Number(*sort),
        parts::Cell::Link(link) => address(link),
        parts::Cell::Links { links, more } => {
            let more = more.as_ref().map(|more| format!("\n{more}")).unwrap_or_default();
            Cell::text(all(links, "\n") + &more)
        }
        parts::Cell::Chain(hops) => {
            let hop = |hop: &Hop| match hop {
                Hop::To(link) => link.whole().to_owned(),
                Hop::Back(link) => format!("back to {}", link.whole()),
                Hop::Others(others) => format!("{others} others"),
            };
            Cell::text(hops.iter().map(hop).collect::<Vec<_>>().join(" -> "))
        }
        parts::Cell::Stack(stack) => {
            let part = |part: &parts::Part| format!("{} {}", part.name, part.share);
            Cell::text(stack.parts.iter().map(part).collect::<Vec<_>>().join(", "))
        }
    }
}

fn address(link: &Link) -> Cell {
    link.href.clone().map_or_else(|| Cell::text(link.whole()), Cell::Link)
}

/// A number as the report writes it; what is none stays text.
fn number(text: &str) -> Cell {
    text.replace(',', "").parse().map_or_else(|_| Cell::text(text), Cell::Number)
}
