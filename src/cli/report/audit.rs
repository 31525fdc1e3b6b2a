//! The section of what the last audit found: the gravest first, and of these what there is most of.

use crate::cli::audit::SEVERITIES;
use crate::cli::failure::Failure;
use crate::cli::words::{count, counted};
use crate::read::Database;

use super::findings::links_of;
use super::parts::{Cell, Listing, Section};
use super::query::{all, one};

/// What was found of each kind, with the addresses of three examples.
const FINDINGS: &str = "
    with placed as (
        select finding, severity, url, advice, state,
            dense_rank() over (partition by finding, case when state = 'fixed' then 1 else 0 end order by url) as place,
            row_number() over (partition by finding, case when state = 'fixed' then 1 else 0 end, url) as nth
        from findings where run = ?1)
    select finding, severity, advice, count(*) filter (where state <> 'fixed') as present,
        count(*) filter (where state = 'new') as new, count(*) filter (where state = 'fixed') as fixed,
        string_agg(url, ' ' order by place) filter (where state <> 'fixed' and nth = 1 and place <= 3) as examples
    from placed group by finding, severity, advice
    order by case severity when 'error' then 0 when 'warning' then 1 else 2 end, present desc, finding";

pub fn findings(db: &Database) -> Result<Section, Failure> {
    let section = |lead, blocks| Section { id: "audit", title: "Audit", lead, is_wide: true, blocks };
    let run: Option<i64> = one(db, "select max(run_id) from _audit", [], |row| row.at(0))?;
    let Some(run) = run else {
        return Ok(section("No audit was made: `harvestman audit` judges what is stored.".to_owned(), vec![]));
    };
    let (mut present, mut new, mut fixed) = ([0_i64; 3], 0, 0);
    let rows = all(db, FINDINGS, [run.into()], |row| {
        let (severity, numbers): (&str, [i64; 3]) = (row.at(1)?, [row.at(3)?, row.at(4)?, row.at(5)?]);
        if let Some(place) = SEVERITIES.iter().position(|known| *known == severity) {
            present[place] += numbers[0];
        }
        (new, fixed) = (new + numbers[1], fixed + numbers[2]);
        let examples = row.at::<Option<&str>>(6)?.map_or(Cell::text(""), |urls| links_of(urls, numbers[0]));
        let mut cells = vec![Cell::text(severity), Cell::text(row.at(0)?)];
        cells.extend(numbers.map(Cell::count));
        cells.extend([examples, Cell::Text(Cell::words(row.at(2)?))]);
        Ok(cells)
    })?;
    let told: Vec<_> = SEVERITIES.iter().zip(present).map(|(name, number)| counted(number, name)).collect();
    let lead = format!("Run {run}: {}; {} new, {} fixed.", told.join(", "), count(new), count(fixed));
    let names = ["Severity", "Finding", "#Count", "#New", "#Fixed", "Examples", "What to do"];
    let known = rows.len() as i64;
    Ok(section(lead, Listing::first("What was found", &names, rows, known, "findings")))
}
