//! Items: what pages are about, by rules that users write in TOML. docs/items.md says what rules can say.

pub mod dates;
mod element;
mod file;
mod locale;
pub mod numbers;
mod reading;
mod rules;
mod selector;
mod tally;
#[cfg(test)]
mod tests;
mod things;
mod value;

use std::time::Instant;

pub use file::RulesError;
pub use reading::{Item, Taken};
pub use rules::Column;
use rules::{Field, ItemRule, Source};
use tally::pages_of;
pub use tally::{Bound, FieldTally, RuleTally, Tally};

use reading::Reading;
use selector::Matcher;
use things::Things;

use super::page::Page;
use super::structured;
use super::work::Work;

/// Of what rules give: data that another version gave is derived anew.
pub const VERSION: &str = "1";

/// The rules that are there to start from, by their names.
const BUILT_IN: [(&str, &str); 5] = [
    ("product", include_str!("../../rules/product.toml")),
    ("article", include_str!("../../rules/article.toml")),
    ("event", include_str!("../../rules/event.toml")),
    ("job", include_str!("../../rules/job.toml")),
    ("recipe", include_str!("../../rules/recipe.toml")),
];

/// The rules of a file.
#[derive(Debug)]
pub struct Rules(Vec<ItemRule>);

impl Rules {
    /// Reads a file of rules.
    ///
    /// # Errors
    ///
    /// The first thing in it that cannot be, with its place.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        file::read(text).map(Self)
    }

    /// The text of rules that are there to start from.
    pub fn builtin(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// The items of a page, rule by rule, in the order of the page. What the rules ask for, and what a page holds, may be
    /// more than any time and memory: `tally` says what was bounded.
    pub fn items(&self, page: &Page, deadline: Instant, tally: &mut Tally) -> Vec<Item> {
        self.read(page, deadline, tally, false, false).0
    }

    /// As [`items`](Self::items), with what was taken for each, for whoever writes rules. `is_local`: the page is a file, of
    /// whose URL no rule knows.
    pub fn explain(
        &self,
        page: &Page,
        deadline: Instant,
        tally: &mut Tally,
        is_local: bool,
    ) -> Vec<(Item, Vec<Taken>)> {
        let (items, taken) = self.read(page, deadline, tally, true, is_local);
        items.into_iter().zip(taken).collect()
    }

    fn read(
        &self,
        page: &Page,
        deadline: Instant,
        tally: &mut Tally,
        explains: bool,
        is_local: bool,
    ) -> (Vec<Item>, Vec<Vec<Taken>>) {
        let work = Work::new(Some(deadline));
        let matcher = Matcher::new(&work);
        let asks_for_things = self.0.iter().any(|rule| matches!(rule.source, Source::Things(_)));
        let stated = if asks_for_things { Vec::from(structured::all_of(page, &work)) } else { Vec::new() };
        let things: Vec<_> = stated.iter().map(|(source, values)| Things::new(source, values)).collect();
        let mut reading = Reading::new(page, &work, &matcher);
        reading.taken = explains.then(Vec::new);
        for rule in &self.0 {
            tally.rules.entry(rule.name.clone()).or_default();
            if is_local || rule.urls.as_ref().is_none_or(|urls| urls.is_match(page.url.as_str())) {
                reading.read(rule, &things, tally);
            }
        }
        reading.end(tally);
        (reading.items, reading.taken.unwrap_or_default())
    }

    /// What a user should know of what became of the rules: what they found, and what they did not.
    pub fn told(&self, tally: &Tally) -> Vec<String> {
        let of_rule = |rule: &ItemRule| tally.rules.get(&rule.name).map(|found| found.told(&rule.name));
        let bounds = tally.bounded.iter().map(|(bound, pages)| format!("{} ({})", bound.meaning(), pages_of(*pages)));
        self.0.iter().filter_map(of_rule).chain(bounds).collect()
    }

    /// The names of the items, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|rule| rule.name.as_str())
    }

    /// The fields of an item with what their columns hold, in the order of the file.
    pub fn columns(&self, name: &str) -> impl Iterator<Item = (&str, Column)> {
        let rule = self.0.iter().find(|rule| rule.name == name);
        rule.into_iter().flat_map(|rule| rule.fields.iter().map(|field: &Field| (field.name.as_str(), field.column())))
    }
}
