//! Titles and descriptions, as far as something is wrong with them.

use crate::cli::audit::settings::{Ignored, Settings};
use crate::cli::audit::titles::{Shared, Tally, tally};
use crate::cli::failure::Failure;
use crate::cli::words::counted;
use crate::read::Database;

use super::findings::links;
use super::parts::{Cell, Listing, Section};
use super::plot::percent;

pub fn titles(db: &Database, settings: &Settings, ignored: &[Ignored]) -> Result<Section, Failure> {
    let Tally { pages, faults, shared } = tally(db, settings)?;
    let fault = |(name, about, count, urls): (&str, &str, i64, Vec<String>)| {
        let share = Cell::Number { sort: count as f64, text: percent(count, pages) };
        vec![Cell::text(&name.replace('-', " ")), Cell::text(about), Cell::count(count), share, links(&urls, count)]
    };
    let text = |Shared { field, text, pages, urls }: Shared| {
        vec![Cell::text(field), Cell::text(&text), Cell::count(pages), links(&urls, pages)]
    };
    let lead = match pages {
        0 => "No HTML page of status 200 has been fetched.".to_owned(),
        _ => format!(
            "Of {} of status 200 that name no other URL as the canonical one. An audit leaves out those with noindex, too.",
            counted(pages, "HTML page")
        ),
    };
    let is_told = |name: &str| !ignored.iter().any(|ignored| ignored.is_all_of(name));
    let found: Vec<_> = faults.into_iter().filter(|(name, _, count, _)| *count > 0 && is_told(name)).collect();
    let (kinds, texts) = (found.len() as i64, shared.len() as i64);
    let names = ["What", "That is", "#Pages", "#Share", "Examples"];
    let rows = found.into_iter().map(fault).collect();
    let mut blocks = Listing::first("What is wrong with them", &names, rows, kinds, "kinds");
    let names = ["Of what", "Text", "#Pages", "Examples"];
    let rows = shared.into_iter().map(text).collect();
    blocks.extend(Listing::first("Texts that most pages of a host share", &names, rows, texts, "texts"));
    Ok(Section { id: "titles", title: "Titles and descriptions", lead, is_wide: true, blocks })
}
