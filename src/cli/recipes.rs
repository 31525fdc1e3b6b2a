//! Useful queries by name: each is a file of `recipes/`, whose first lines say what it answers.

use super::failure::Failure;
use super::suggest;
use super::text::printable;

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
    "statuses" "run-history" "last-changes" "seeds" "lost-seeds" "login-walls" "hosts" "slow-hosts" "failures" "skipped" "retried"
    "broken-links" "redirect-chains" "mixed-content" "orphans" "most-linked" "top-pages" "anchor-texts" "host-links"
    "outside-hosts" "depths" "thin-pages" "repeated-titles" "missing-descriptions" "duplicates" "url-parameters"
    "near-word" "languages" "content-types" "largest-pages" "without-body" "response-headers"
    "indexable-pages" "articles-to-embed" "prices" "found-items"
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
        let names = RECIPES.iter().map(|recipe| recipe.name);
        let hint = suggest::meant(name, names, "`harvestman query --list` shows them all");
        Failure::new(format!("there is no recipe `{}`", printable(name))).hint(hint).code(2)
    })
}
