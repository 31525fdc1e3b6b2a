//! The budget of a pattern: what its pages bring is paid in, what they do not is paid out.

use crate::visit::{HostId, TrapId};

use super::memory::{Signs, Verdict};
use super::web::Web;

/// What a budget begins with: pages that may bring nothing before anything is held back. It grows with the pages of the
/// host that brought something: hosts, too, can be without end.
const START: i64 = 120;
const START_MORE: i64 = 20;
const MAX_START: i64 = 600;
/// The same where the URLs repeat themselves.
const START_IF_REPEATING: i64 = 100;
/// What it grows to at most: months without an event in a calendar of days.
const MOST: i64 = 1_000;
/// What a page with something new brings: that it is one of thirty is enough, as days with an event are.
const NEW: i64 = 30;
/// What a page of another pattern that is not like the last ones brings.
const DISTINCT: i64 = 6;
/// One in so many pages that differ in a row of numbers alone counts as one that brings nothing: they may be draws of a
/// lottery as well as an empty page with the time.
pub(super) const DISTINCT_EACH: i64 = 7;
/// What a page with something new brings once a pattern is large: where words are drawn by lot one has a rare one now and then.
const NEW_IF_LARGE: i64 = 8;
/// One page in so many that brings something makes a pattern fruitful.
const FRUITFUL: i64 = 30;
/// So many pages that bring nothing and lead to nothing more cost what one does that leads on: with them a site comes to its
/// end by itself.
const LEAVES: i64 = 16;
/// Pages that bring nothing beyond as many as brought something, which are chance.
const SLACK: i64 = 10;
/// Pages from which on words that were never seen are asked for: by chance a page has a pair or a mix of its own.
pub(super) const STRICT_FROM: i64 = 3_000;
/// Pages between which all are looked at, and read again by a later invocation if they are many.
const TRIED_FROM: i64 = 1_000;
const TRIED_TO: i64 = 8_000;
/// Pages that bring nothing, in all, beyond which the pattern must bring more often something than not.
const MAX_BARREN: i64 = 3_000;

/// Pages that lead on and have no word and no image that was never seen, beyond which nothing more is paid for.
const MAX_UNPROVEN: i64 = 3_500;
/// So many of them are made good by a page that has one, and by one of a web that closes.
const PROOF: i64 = 8;
const WOVEN: i64 = 2;
/// One page in so many that led on without one makes all its pages doubtful.
const DOUBTFUL: i64 = 4;
/// Pages that bring nothing and lead to nothing, beyond which there may be so many to each that brings something.
const MAX_LEAVES: i64 = 3_000;
const LEAVES_EACH: i64 = 10;

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
    /// Pages that led on, since those that had a word or an image that was never seen made good for them.
    pub unproven: i64,
    /// Pages that brought nothing and led to nothing.
    pub leaves: i64,
    /// How its last pages are linked.
    pub web: Web,
    /// It and others of the same number name each other freely, time and again: they are parts of one thing.
    pub part_of: Option<TrapId>,
    /// The user lets it through, whatever it brings.
    pub is_allowed: bool,
    /// The patterns of its host that are not fruitful brought nothing too often together.
    pub is_drained: bool,
    /// The patterns of its host led on too often together without anything that was never seen.
    pub is_doubted: bool,
    /// They brought nothing too often together, more often than something.
    pub is_wasteful: bool,
}

/// Pages of an account that its host counts together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shares {
    /// Those that brought nothing.
    pub(super) barren: i64,
    /// Those that led on, since those that had a word or an image that was never seen made good for them.
    pub(super) unproven: i64,
    /// All of them, as far as they say nothing any more that was never seen.
    pub(super) doubtful: i64,
    /// Those that brought nothing, if more did not than did, and those beyond measure that led to nothing as well.
    pub(super) wasted: i64,
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
        let (fruitful, barren, identical, unproven, leaves, web, part_of) = Default::default();
        let (is_allowed, is_drained, is_doubted, is_wasteful) = Default::default();
        Self {
            id,
            host,
            pattern,
            budget,
            fruitful,
            barren,
            identical,
            unproven,
            leaves,
            web,
            part_of,
            is_allowed,
            is_drained,
            is_doubted,
            is_wasteful,
        }
    }

    /// Whether its pages bring something now and then.
    pub fn is_fruitful(&self) -> bool {
        self.fruitful * FRUITFUL > self.barren
    }

    /// Whether it is a trap: what is named by its own pages alone is held back.
    pub fn is_held(&self) -> bool {
        let is_endless = self.is_endless() || self.has_too_many_leaves();
        // One that has no page yet is known by its host.
        let (shares, is_new) = (self.shares(), self.pages() == 0);
        let is_part = self.is_drained && !self.is_fruitful()
            || self.is_doubted && shares.doubtful >= self.pages()
            || self.is_wasteful && (is_new || shares.wasted > 0);
        (self.is_spent() || is_endless || is_part) && !self.is_allowed
    }

    fn is_spent(&self) -> bool {
        self.budget <= 0 || self.barren >= MAX_BARREN && self.barren > self.fruitful
    }

    fn has_too_many_leaves(&self) -> bool {
        self.leaves >= MAX_LEAVES && self.leaves > LEAVES_EACH * self.fruitful
    }

    /// What holds it back, for a person, if that is more than how many of its pages brought nothing new.
    pub fn why(&self) -> Option<String> {
        if !self.is_held() || self.is_spent() {
            return None;
        }
        let (pages, web) = (self.pages(), self.web);
        let is_doubted = self.is_doubted && self.shares().doubtful >= pages;
        let here = if self.is_endless() { "" } else { ", as many of its host did" };
        let why = if (self.is_endless() || is_doubted) && web.is_maze() {
            format!(
                "a maze: the last {} of {pages} pages led on to {} URLs that nothing else names, and to {} that others name",
                web.pages, web.new, web.met
            )
        } else if self.is_endless() || is_doubted {
            format!("of {pages} pages {} led on without a word or an image of their own{here}", self.unproven)
        } else if self.has_too_many_leaves() {
            let (leaves, fruitful) = (self.leaves, self.fruitful);
            format!("{leaves} pages brought nothing new and led to nothing, and {fruitful} brought something")
        } else {
            format!("of {pages} pages {} brought nothing new, as thousands of its host did", self.barren)
        };
        Some(why)
    }

    /// What its host counts of it.
    pub(super) fn shares(&self) -> Shares {
        let barren = if self.barren > self.fruitful { self.barren } else { 0 };
        let wasted = barren + (self.leaves - LEAVES_EACH * self.fruitful).max(0);
        let doubtful = self.pages().min(self.unproven * DOUBTFUL);
        Shares { barren: self.barren, unproven: self.unproven, doubtful, wasted }
    }

    /// Pages that it can pay for, whatever they bring.
    pub fn left(&self) -> i64 {
        self.budget.min(MAX_UNPROVEN - self.unproven).max(0)
    }

    /// Whether so many of its pages led on without a sign that a site without an end would not have that nothing more is
    /// paid for.
    pub(super) fn is_endless(&self) -> bool {
        self.unproven >= MAX_UNPROVEN
    }

    /// Whether it is so large that what comes by chance does not count.
    pub(super) fn is_large(&self) -> bool {
        self.pages() >= STRICT_FROM
    }

    /// Whether all its pages are looked at: those of a sample have words that the others had, too.
    pub(super) fn is_tried(&self) -> bool {
        (TRIED_FROM..TRIED_TO).contains(&self.pages())
    }

    /// Whether each of its pages counts, so that none is passed over.
    pub(super) fn is_looked_at(&self) -> bool {
        self.is_tried() || self.web.is_maze()
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
            Verdict::Distinct if !page.is_own && page.signs.is_told_apart => DISTINCT,
            Verdict::Distinct | Verdict::Nothing | Verdict::Identical => -1,
        };
        let pages = i64::from(page.stands_for);
        let ends = !(page.is_own && page.leads_on);
        let is_leaf = gain < 0 && ends;
        self.prove(page, ends);
        let is_mix = matches!(page.verdict, Verdict::Mixed | Verdict::Word);
        self.identical += i64::from(page.verdict == Verdict::Identical);
        // A page with a text of its own that leads to nothing new is one page more of a site that comes to its end.
        let is_distinct = page.verdict == Verdict::Distinct;
        let is_passed = is_distinct && page.is_own && !page.is_chosen;
        if is_passed || is_leaf && (is_mix || is_distinct && !page.signs.is_repeat || self.forgives_leaves()) {
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

    /// Counts the pages without a sign that a site without an end would not have.
    fn prove(&mut self, page: Booking, ends: bool) {
        let pages = i64::from(page.stands_for);
        let more = match page.verdict {
            // Images are content wherever a page leads, and words can be made up.
            _ if page.is_maze && !ends && !page.signs.is_pictured => 1,
            _ if page.signs.is_proof => -PROOF,
            _ if page.is_woven => -WOVEN,
            // An entry of a glossary has one.
            Verdict::Word => 0,
            _ if !ends => 1,
            Verdict::Distinct | Verdict::Nothing | Verdict::Identical => {
                self.leaves += pages;
                0
            }
            Verdict::New | Verdict::Mixed => 0,
        };
        self.unproven = (self.unproven + more * pages).max(0);
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
    /// It links to others as those of a web that closes do.
    pub is_woven: bool,
    /// It led to URLs that nobody knew, as all pages before it did, and none of them meet.
    pub is_maze: bool,
    /// Its pattern, or the account, is so large that what comes by chance does not count.
    pub is_strict: bool,
    pub signs: Signs,
    /// It counts if it differs in numbers and tokens alone.
    pub is_chosen: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(verdict: Verdict) -> Booking {
        let (is_own, leads_on, is_chosen) = (true, true, true);
        let (is_woven, is_maze, is_strict) = (false, false, false);
        let signs = Signs { is_proof: verdict == Verdict::New, ..Signs::default() };
        Booking { verdict, stands_for: 1, is_own, leads_on, is_woven, is_maze, is_strict, is_chosen, signs }
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
    fn what_leads_on_without_a_word_that_was_never_seen_is_held_though_each_page_looks_new() {
        let pages = |each: usize| {
            let mut maze = account();
            (0..20_000).find(|page| {
                let signs = Signs { is_proof: page % each == 0, ..Signs::default() };
                maze.book(Booking { signs, ..own(Verdict::New) });
                maze.is_held()
            })
        };
        assert!(pages(100).is_some_and(|pages| pages < 4_000));
        assert_eq!(pages(8), None);
    }

    #[test]
    fn a_page_that_says_the_same_under_thousands_of_urls_is_held_and_dead_links_are_not() {
        let leaf = Booking { leads_on: false, ..own(Verdict::Nothing) };
        let pages = |leaves: usize| {
            let mut account = account();
            (0..12_000).find(|page| {
                account.book(if page % leaves == 0 { own(Verdict::New) } else { leaf });
                account.is_held()
            })
        };
        assert!(pages(100).is_some_and(|pages| pages < 3_200));
        assert_eq!(pages(6), None);
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

    #[test]
    fn what_holds_a_pattern_back_is_said_with_counts() {
        let why = |change: fn(&mut Account)| {
            let mut held = Account { fruitful: 3_600, ..account() };
            change(&mut held);
            held.why().unwrap_or_default()
        };
        assert_eq!(why(|_| {}), "", "it is not held");
        assert_eq!(why(|it| it.budget = 0), "", "the counts of its pages say it");
        let alone = why(|it| it.unproven = 3_500);
        assert_eq!(alone, "of 3600 pages 3500 led on without a word or an image of their own");
        let beside = why(|it| (it.unproven, it.is_doubted) = (3_000, true));
        assert!(beside.starts_with("of 3600 pages 3000 led on") && beside.ends_with("as many of its host did"));
        let maze = why(|it| (it.unproven, it.web) = (3_500, Web { pages: 300, ends: 2, new: 900, met: 7 }));
        assert!(maze.contains("the last 300 of 3600 pages led on to 900 URLs"), "{maze}");
        let leaves = why(|it| (it.leaves, it.fruitful) = (4_000, 12));
        assert_eq!(leaves, "4000 pages brought nothing new and led to nothing, and 12 brought something");
        let wasteful = why(|it| (it.is_wasteful, it.fruitful, it.barren) = (true, 200, 300));
        assert_eq!(wasteful, "of 500 pages 300 brought nothing new, as thousands of its host did");
    }
}
