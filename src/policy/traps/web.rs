//! How the pages of one account are linked, which tells a large site from a maze however new its pages look.
//!
//! In a maze every page names several URLs that nobody knew, and hardly any that is known already but for those that
//! each page names. What is larger than any bound on traps and none has dead ends, or pages that name each other, or is
//! a row, of which each page uses up what the one before it named.

/// URLs are far from each other if so much of all that the account paid for was found between them.
pub(super) const FAR: i64 = 4;
/// Pages of an account from which on it is looked at how they are linked.
pub(super) const WATCHED_FROM: i64 = 64;
/// Pages after which older ones count half.
const WINDOW: i64 = 512;
/// Pages from which on they tell anything.
const ENOUGH: i64 = 64;
/// One page in so many may lead to nothing in a maze.
const ENDS: i64 = 32;
/// URLs that nobody knew that a page of a maze leads to, at the least, on average.
const GROWTH: i64 = 2;
/// For so many new URLs one may be named that was found long before or after the page.
const MET: i64 = 8;

/// The links of the last pages of an account, kept over invocations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Web {
    pub pages: i64,
    /// Of these, those that led to nothing that nobody knew.
    pub ends: i64,
    /// URLs that nobody knew that they led to.
    pub new: i64,
    /// URLs that they named that were found long before or after, and that not each page names.
    pub met: i64,
}

impl Web {
    /// Counts a page that leads to so many URLs that nobody knew, and names so many that were found long before or after
    /// it and that not each page names.
    pub(super) fn note(&mut self, new: u32, met: u32) {
        if self.pages >= WINDOW {
            for count in [&mut self.pages, &mut self.ends, &mut self.new, &mut self.met] {
                *count /= 2;
            }
        }
        self.pages += 1;
        self.ends += i64::from(new == 0);
        self.new += i64::from(new);
        self.met += i64::from(met);
    }

    /// Whether they are those of a maze.
    pub(super) fn is_maze(&self) -> bool {
        self.pages >= ENOUGH
            && self.ends * ENDS <= self.pages
            && self.new >= self.pages * GROWTH
            && self.met * MET <= self.new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_maze(links: impl Fn(u32) -> (u32, u32)) -> bool {
        let mut web = Web::default();
        for page in 0..2_000 {
            let (new, met) = links(page);
            web.note(new, met);
        }
        web.is_maze()
    }

    #[test]
    fn pages_that_all_lead_on_and_never_meet_are_a_maze() {
        assert!(is_maze(|page| (3 + page % 5, u32::from(page % 9 == 0))));
        assert!(is_maze(|page| (if page % 40 == 0 { 0 } else { 4 }, 0)));
    }

    #[test]
    fn rows_dead_ends_and_links_that_meet_are_none() {
        assert!(!is_maze(|_| (1, 0)), "a row");
        assert!(!is_maze(|page| (if page % 16 == 0 { 0 } else { 4 }, 0)), "a tree with leaves");
        assert!(!is_maze(|_| (8, 2)), "pages that name each other");
    }
}
