//! How many pages this process may still ask for.

/// The page budget of one invocation, or this process's share of it.
///
/// Invariant: pages stored and page requests not yet settled together never exceed the maximum.
#[derive(Debug)]
pub(super) struct Budget {
    max: Option<u64>,
    /// There may be more where it comes from.
    is_share: bool,
    reserved: u64,
    stored: u64,
}

impl Budget {
    pub(super) fn new(max: Option<u64>) -> Self {
        Self { max, is_share: false, reserved: 0, stored: 0 }
    }

    /// A share of what is limited, which is nothing at first.
    pub(super) fn share() -> Self {
        Self { is_share: true, ..Self::new(Some(0)) }
    }

    /// The share is so many pages, those that are stored included.
    pub(super) fn set_share(&mut self, max: u64) {
        self.max = Some(max);
    }

    /// The share is lost, and another one begins. What is asked for is refused when it comes.
    pub(super) fn restart(&mut self) {
        self.stored = 0;
        self.max = self.max.map(|_| 0);
    }

    /// Whether so many pages more could be asked for if the share were larger.
    pub(super) fn lacks(&self, pages: u64) -> bool {
        self.is_share && self.max.is_some_and(|max| self.stored + self.reserved + pages > max)
    }

    /// Whether another page may be asked for now.
    pub(super) fn is_left(&self) -> bool {
        self.max.is_none_or(|max| self.stored + self.reserved < max)
    }

    /// Whether it is used up: no page will be asked for any more.
    pub(super) fn is_spent(&self) -> bool {
        !self.is_share && self.max.is_some_and(|max| self.stored >= max)
    }

    /// A page is asked for.
    pub(super) fn reserve(&mut self) {
        self.reserved += 1;
    }

    /// A request is settled, with so many responses `stored`.
    pub(super) fn settle(&mut self, stored: u64) {
        self.reserved = self.reserved.saturating_sub(1);
        self.stored += stored;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_counts_until_it_is_settled() {
        let mut budget = Budget::new(Some(1));
        assert!(budget.is_left());
        budget.reserve();
        assert!(!budget.is_left() && !budget.is_spent());
        budget.settle(0);
        assert!(budget.is_left(), "the request brought no page");
        budget.reserve();
        budget.settle(1);
        assert!(!budget.is_left() && budget.is_spent());
    }

    #[test]
    fn a_share_that_is_used_up_is_not_the_end() {
        let mut budget = Budget::share();
        assert!(!budget.is_left() && !budget.is_spent() && budget.lacks(1));
        budget.set_share(2);
        budget.reserve();
        budget.settle(1);
        assert!(budget.is_left() && !budget.lacks(1) && budget.lacks(2));
        budget.reserve();
        budget.restart();
        assert!(!budget.is_left(), "nothing of the next share is there");
        budget.settle(0);
        budget.set_share(1);
        assert!(budget.is_left());
    }
}
