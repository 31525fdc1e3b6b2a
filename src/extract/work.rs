//! How much may still be done for one page: hostile pages and rules would take any amount of time and memory.

use std::cell::Cell;
use std::time::Instant;

/// Steps between two looks at the clock.
const STEPS: u32 = 1 << 12;
/// Nodes walked for their text and bytes written for one page.
const AMOUNT: usize = 16 << 20;

/// What is left of a page's time, and of the nodes walked and bytes written for it.
#[derive(Debug)]
pub struct Work {
    left: Cell<usize>,
    /// Steps since the last look at the clock.
    steps: Cell<u32>,
    deadline: Option<Instant>,
    is_late: Cell<bool>,
}

impl Work {
    pub fn new(deadline: Option<Instant>) -> Self {
        // The first step looks at the clock.
        Self { left: Cell::new(AMOUNT), steps: Cell::new(STEPS), deadline, is_late: Cell::new(false) }
    }

    /// Takes an amount and one step. False from then on that there is no more.
    pub fn take(&self, amount: usize) -> bool {
        self.left.set(self.left.get().saturating_sub(amount));
        self.step() && !self.is_used_up()
    }

    /// Takes one step of time. False from the deadline on.
    pub fn step(&self) -> bool {
        if self.is_late.get() {
            return false;
        }
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS {
            self.steps.set(0);
            self.is_late.set(self.deadline.is_some_and(|deadline| Instant::now() >= deadline));
        }
        !self.is_late.get()
    }

    pub fn is_late(&self) -> bool {
        self.is_late.get()
    }

    pub fn is_used_up(&self) -> bool {
        self.left.get() == 0
    }
}
