//! How far a task over many pages is: on a terminal by a line that is repainted, elsewhere by a log line now and then.

use std::time::{Duration, Instant};

use super::console::Console;
use super::progress::{LOG_EVERY, PAINT_EVERY, is_live};
use super::terminal;
use super::words::{count, counted};

/// It is told only if the task takes longer.
const MOMENT: Duration = Duration::from_secs(1);

pub struct Headway<'a> {
    console: &'a Console,
    task: &'static str,
    is_live: bool,
    next: Instant,
}

impl<'a> Headway<'a> {
    pub fn new(console: &'a Console, task: &'static str) -> Self {
        Self { console, task, is_live: is_live(console), next: Instant::now() + MOMENT }
    }

    pub fn tell(&mut self, done: i64, left: i64) {
        if Instant::now() < self.next {
            return;
        }
        let line = format!("{}: {} of {}", self.task, count(done), counted(done + left, "page"));
        if self.is_live {
            self.console.show(&[line], terminal::size());
        } else {
            self.console.say(&line);
        }
        self.next = Instant::now() + if self.is_live { PAINT_EVERY } else { LOG_EVERY };
    }
}
