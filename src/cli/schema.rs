//! `query --schema`: the views, and what their columns hold.

use crate::read::{Database, ReadError};
use crate::store::sqlite::described::{self, View};

use super::args::Form;
use super::failure::Failure;
use super::output::{self, Answer, printable};
use super::suggest;

pub fn run(database: &str, view: Option<&str>, form: Form) -> Result<u8, Failure> {
    let views = match Database::open(database) {
        Ok(db) => of(&db)?,
        // What a crawl will make can be looked up before it.
        Err(ReadError::Missing { .. }) => described()?,
        Err(error) => return Err(error.into()),
    };
    output::print_prose(answer(views, view)?, form)?;
    Ok(0)
}

fn answer(mut views: Vec<View>, view: Option<&str>) -> Result<Answer, Failure> {
    let columns = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let Some(name) = view else {
        let names = |view: &View| view.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let rows =
            views.iter().map(|view| vec![view.name.as_str().into(), view.about.as_str().into(), names(view).into()]);
        return Ok(Answer { columns: columns(&["view", "holds", "columns"]), rows: rows.collect() });
    };
    let Some(found) = views.iter().position(|view| view.name == name) else {
        let known = views.iter().map(|view| view.name.as_str());
        let hint = suggest::meant(name, known, "`harvestman query --schema` names the views");
        return Err(Failure::new(format!("there is no view `{}`", printable(name))).hint(hint));
    };
    let rows = views.swap_remove(found).columns.into_iter().map(|(name, holds)| vec![name.into(), holds.into()]);
    Ok(Answer { columns: columns(&["column", "holds"]), rows: rows.collect() })
}

/// The views that this version makes.
pub fn described() -> Result<Vec<View>, Failure> {
    described::views().map_err(|e| Failure::new("the descriptions of the views cannot be read").cause(&e))
}

/// The views of a database with the columns that they have there.
pub fn of(db: &Database) -> Result<Vec<View>, Failure> {
    let (mut present, mut views) = (db.views()?, Vec::new());
    for View { name, about, columns } in described()? {
        let Some(found) = present.iter().position(|view| *view == name) else { continue };
        present.swap_remove(found);
        let has = columns_of(db, &name)?;
        let columns = columns.into_iter().filter(|(column, _)| has.contains(column)).collect();
        views.push(View { name, about, columns });
    }
    present.sort_unstable();
    // What is left are the views that the rules of `extract items` make.
    let holds = |column: &str| match column {
        "url" => "The canonical URL of its page".to_owned(),
        "position" => "Which of the page it is, from 1 on".to_owned(),
        field => format!("The field {field} of the rules"),
    };
    for name in present {
        let about = format!(
            "One row for each item {} that the rules of `extract items` found.",
            name.trim_start_matches("items_")
        );
        let columns = columns_of(db, &name)?.into_iter().map(|column| (column.clone(), holds(&column)));
        let columns = columns.collect();
        views.push(View { name, about, columns });
    }
    Ok(views)
}

fn columns_of(db: &Database, view: &str) -> Result<Vec<String>, ReadError> {
    let sql = format!("select * from \"{}\" limit 0", view.replace('"', "\"\""));
    Ok(db.query(&sql, [])?.columns().to_vec())
}
