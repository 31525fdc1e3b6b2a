//! Useful queries by name: each is a file of `recipes/`, whose first lines say what it answers.

use super::failure::Failure;
use super::output::printable;

/// A query that ships with the program.
#[derive(Debug)]
pub struct Recipe {
    pub name: &'static str,
    /// As in the file; where a parameter is not given, the SQL itself has its default.
    pub sql: &'static str,
}

macro_rules! recipes {
    ($($name:literal)*) => {
        &[$(Recipe { name: $name, sql: include_str!(concat!("../../recipes/", $name, ".sql")) }),*]
    };
}

/// Every recipe, in the order of docs/queries.md.
pub const RECIPES: &[Recipe] = recipes! {
    "statuses" "seeds" "hosts" "slow-hosts" "failures" "skipped" "retried"
    "broken-links" "redirect-chains" "mixed-content" "orphans" "most-linked" "top-pages" "anchor-texts" "host-links"
    "outside-hosts" "depths" "thin-pages" "repeated-titles" "missing-descriptions" "duplicates" "url-parameters"
    "near-word" "languages" "content-types" "largest-pages" "response-headers"
};

impl Recipe {
    /// What it answers.
    pub fn about(&self) -> String {
        let lines = self.sql.lines().map_while(|line| line.strip_prefix("--")).map(str::trim);
        lines.collect::<Vec<_>>().join(" ")
    }
}

/// The recipe of that name.
pub fn find(name: &str) -> Result<&'static Recipe, Failure> {
    RECIPES.iter().find(|recipe| recipe.name == name).ok_or_else(|| {
        let likeness = |recipe: &&Recipe| strsim::jaro_winkler(recipe.name, name);
        let nearest = RECIPES.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let hint = match nearest.filter(|recipe| likeness(recipe) > 0.7) {
            Some(recipe) => format!("did you mean `{}`? `harvestman query --list` shows them all", recipe.name),
            None => "`harvestman query --list` shows them all".to_owned(),
        };
        Failure::new(format!("there is no recipe `{}`", printable(name))).hint(hint).code(2)
    })
}
