//! The budget of a pattern: what its pages bring is paid in, what they do not is paid out.

use crate::visit::{HostId, TrapId};

use super::memory::Verdict;

/// What a budget begins with: pages that may bring nothing before anything is held back. It grows with the pages of the
/// host that brought something: hosts, too, can be without end.
const START: i64 = 200;
const START_MORE: i64 = 10;
const MAX_START: i64 = 400;
/// The same where the URLs repeat themselves.
const START_IF_REPEATING: i64 = 100;
/// What it grows to at most: months without an event in a calendar of days.
const MOST: i64 = 1_000;
/// What a page with something new brings: that it is one of thirty is enough, as days with an event are.
const NEW: i64 = 30;
/// What a page of another pattern that is not like the last ones brings.
const DISTINCT: i64 = 6;
/// What a page with something new brings once a pattern is large: where words are drawn by lot one has a rare one now and then.
const NEW_IF_LARGE: i64 = 8;
/// One page in so many that brings something makes a pattern fruitful.
const FRUITFUL: i64 = 30;
/// Pages of a host that bring nothing, of all patterns that are not fruitful, beyond which all of these are held back: they
/// may be parts of one trap.
pub(super) const MAX_BARREN_TOGETHER: i64 = 2_000;
/// So many pages that bring nothing and lead to nothing more cost what one does that leads on: with them a site comes to its
/// end by itself.
const LEAVES: i64 = 16;
/// Pages that bring nothing beyond as many as brought something, which are chance.
const SLACK: i64 = 10;
/// Pages from which on words that were never seen are asked for: by chance a page has a pair or a mix of its own.
pub(super) const STRICT_FROM: i64 = 3_000;
/// Pages between which all are looked at.
const TRIED_FROM: i64 = 2_000;
const TRIED_TO: i64 = 4_000;
/// Pages that bring nothing, in all, beyond which the pattern must bring more often something than not.
const MAX_BARREN: i64 = 3_000;

/// A pattern of one host whose pages lead to each other, and all that these lead to while they bring nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: TrapId,
    pub host: HostId,
    pub pattern: String,
    pub budget: i64,
    /// Pages that brought something.
    pub fruitful: i64,
    /// Pages that did not.
    pub barren: i64,
    /// Of these, those that are the same byte for byte as another.
    pub identical: i64,
    /// The user lets it through, whatever it brings.
    pub is_allowed: bool,
    /// The patterns of its host that are not fruitful brought nothing too often together.
    pub is_drained: bool,
}

/// What changed since it was asked last.
#[derive(Debug, Default)]
pub struct Changes {
    pub accounts: Vec<Account>,
    /// Accounts that are traps from now on (`true`), or are no more.
    pub turned: Vec<(TrapId, bool)>,
}

impl Account {
    /// `fruits` is none on the first hosts where something is paid for; then the pages of the host that brought something.
    pub fn open(id: TrapId, host: HostId, pattern: String, repeats: bool, fruits: Option<i64>) -> Self {
        let grown = fruits.map_or(MAX_START, |fruits| (START + START_MORE * fruits).min(MAX_START));
        let budget = if repeats { START_IF_REPEATING } else { grown };
        let (fruitful, barren, identical, is_allowed, is_drained) = Default::default();
        Self { id, host, pattern, budget, fruitful, barren, identical, is_allowed, is_drained }
    }

    /// Whether its pages bring something now and then.
    pub fn is_fruitful(&self) -> bool {
        self.fruitful * FRUITFUL > self.barren
    }

    /// Whether it is a trap: what is named by its own pages alone is held back.
    pub fn is_held(&self) -> bool {
        let is_spent = self.budget <= 0 || self.barren >= MAX_BARREN && self.barren > self.fruitful;
        (is_spent || self.is_drained && !self.is_fruitful()) && !self.is_allowed
    }

    /// Whether it is so large that what comes by chance does not count.
    pub(super) fn is_large(&self) -> bool {
        self.pages() >= STRICT_FROM
    }

    /// Whether all its pages are looked at: those of a sample have words that the others had, too.
    pub(super) fn is_tried(&self) -> bool {
        (TRIED_FROM..TRIED_TO).contains(&self.pages())
    }

    /// Pages that were booked to it.
    pub(super) fn pages(&self) -> i64 {
        self.fruitful + self.barren
    }

    /// Takes in what a page of it brought: one of its own pattern, or a page of another pattern to which it led.
    pub(super) fn book(&mut self, page: Booking) {
        let gain = match page.verdict {
            Verdict::New if page.is_strict => NEW_IF_LARGE,
            Verdict::New => NEW,
            // A mix may come by chance; a web of links that closes does not.
            Verdict::Mixed if page.is_strict && page.is_woven => 1,
            Verdict::Mixed | Verdict::Word if page.is_strict => -1,
            Verdict::Mixed | Verdict::Word => 1,
            Verdict::Distinct if !page.is_own => DISTINCT,
            Verdict::Distinct | Verdict::Nothing | Verdict::Identical => -1,
        };
        let pages = i64::from(page.stands_for);
        let is_leaf = gain < 0 && !(page.is_own && page.leads_on);
        let is_mix = matches!(page.verdict, Verdict::Mixed | Verdict::Word);
        self.identical += i64::from(page.verdict == Verdict::Identical);
        // Another mix that leads to nothing new is one page more of a site that comes to its end.
        if is_leaf && (is_mix || self.forgives_leaves()) {
            return;
        }
        let before = self.barren;
        match gain {
            1.. => self.fruitful += pages,
            _ => self.barren += pages,
        }
        let counted = if is_leaf { self.barren / LEAVES - before / LEAVES } else { pages };
        self.budget = (self.budget + gain * counted).clamp(0, MOST);
    }

    /// Whether pages that end by themselves cost nothing: those that lead on bring something more often than not. Of dead
    /// links, aliases and forms to log in there may be several to each of them.
    fn forgives_leaves(&self) -> bool {
        self.barren * 2 >= self.fruitful && self.barren <= self.fruitful + SLACK && self.fruitful > 0
    }
}

/// A page as it is booked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Booking {
    pub verdict: Verdict,
    /// For so many pages that were not looked at, itself included.
    pub stands_for: u32,
    /// It is of the account's pattern, or leads on at its cost.
    pub is_own: bool,
    /// It leads to URLs that nobody knew.
    pub leads_on: bool,
    /// It links to others far from it.
    pub is_woven: bool,
    /// Its pattern, or the account, is so large that what comes by chance does not count.
    pub is_strict: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(verdict: Verdict) -> Booking {
        Booking { verdict, stands_for: 1, is_own: true, leads_on: true, is_woven: false, is_strict: false }
    }

    fn account() -> Account {
        Account::open(1, 1, "/p/*".into(), false, None)
    }

    #[test]
    fn one_page_in_thirty_that_brings_something_keeps_a_pattern_open_for_long() {
        let mut calendar = account();
        for day in 0..2_900 {
            let verdict = if day % 30 == 0 { Verdict::New } else { Verdict::Nothing };
            calendar.book(own(verdict));
            assert!(!calendar.is_held(), "day {day}");
        }
    }

    #[test]
    fn a_gap_of_a_year_is_crossed_and_an_endless_one_is_not() {
        let mut calendar = account();
        let mut pass = |days: usize, verdict| {
            (0..days).find(|_| {
                calendar.book(own(verdict));
                calendar.is_held()
            })
        };
        assert_eq!(pass(365, Verdict::Nothing), None);
        assert_eq!(pass(200, Verdict::New), None);
        assert_eq!(pass(999, Verdict::Nothing), None);
        assert_eq!(pass(9_999, Verdict::Nothing), Some(0));
    }

    #[test]
    fn what_looks_new_now_and_then_for_ever_is_held_in_the_end() {
        let mut lottery = account();
        let pages = (0..100_000).find(|page| {
            lottery.book(own(if page % 3 == 0 { Verdict::New } else { Verdict::Nothing }));
            lottery.is_held()
        });
        assert!(pages.is_some_and(|pages| pages < 5_000), "{pages:?}");
    }
}
