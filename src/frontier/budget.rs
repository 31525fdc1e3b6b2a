//! How many pages this invocation may still ask for.

/// The page budget of one invocation.
///
/// Invariant: pages stored and page requests not yet settled together never exceed the maximum.
#[derive(Debug)]
pub(super) struct Budget {
    max: Option<u64>,
    reserved: u64,
    stored: u64,
}

impl Budget {
    pub(super) fn new(max: Option<u64>) -> Self {
        Self { max, reserved: 0, stored: 0 }
    }

    /// Whether another page may be asked for now.
    pub(super) fn is_left(&self) -> bool {
        self.max.is_none_or(|max| self.stored + self.reserved < max)
    }

    /// Whether it is used up: no page will be asked for any more.
    pub(super) fn is_spent(&self) -> bool {
        self.max.is_some_and(|max| self.stored >= max)
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
}
