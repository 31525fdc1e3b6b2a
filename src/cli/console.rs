//! Standard error: messages, and below them the live display while there is one. All writing goes through one place, so
//! that messages and display never mix.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use super::args::LogFormat;
use super::journal;
use super::log_file::{FILE_ONLY, LogFile};
use super::outlet::Outlet;
use super::output::printable;
use super::terminal::Size;

/// Bytes of messages that wait for the next repainting; more are written at once.
const MAX_HELD: usize = 64 << 10;

/// Writes messages to standard error, for a person or a machine. Clones are cheap and share the same screen.
#[derive(Debug, Clone)]
pub struct Console {
    quiet: bool,
    format: LogFormat,
    journal: bool,
    log_file: LogFile,
    screen: Arc<Mutex<Screen<Outlet>>>,
}

/// One event of the log. Where the console shows the log, it goes to console and file; where the console has said the
/// same in its own words, to the file alone.
macro_rules! record {
    ($is_said:expr, $level:ident, $($event:tt)*) => {
        if $is_said {
            tracing::$level!($($event)*)
        } else {
            tracing::$level!(target: FILE_ONLY, $($event)*)
        }
    };
}

impl Console {
    pub fn new(quiet: bool, format: LogFormat) -> Self {
        let journal = format == LogFormat::Text && journal::is_journal();
        let screen = Arc::new(Mutex::new(Screen::new(Outlet::stderr())));
        Self { quiet, format, journal, log_file: LogFile::default(), screen }
    }

    /// Whether messages are text for a person: neither `--quiet` nor log lines for a machine were asked for.
    pub fn is_for_people(&self) -> bool {
        !self.quiet && self.format == LogFormat::Text
    }

    /// Whether lines go straight to systemd's journal.
    pub fn is_journal(&self) -> bool {
        self.journal
    }

    /// The log file, which gets every message, also those that `--quiet` keeps from the console.
    pub fn log_file(&self) -> &LogFile {
        &self.log_file
    }

    /// Says something that is neither warning nor error. The caller escapes what comes from outside.
    pub fn say(&self, text: &str) {
        if self.is_for_people() {
            self.line(Level::INFO, text);
        }
        record!(self.logs(), info, "{text}");
    }

    pub fn warn(&self, text: &str) {
        if self.is_for_people() {
            self.line(Level::WARN, &format!("warning: {}", printable(text)));
        }
        record!(self.logs(), warn, "{}", self.escaped(text));
    }

    /// A warning that is shown despite `--quiet`, because it says that something of the input is left out.
    pub fn warn_always(&self, text: &str) {
        if self.format == LogFormat::Text {
            self.line(Level::WARN, &format!("warning: {}", printable(text)));
        }
        record!(self.format == LogFormat::Json, warn, "{}", self.escaped(text));
    }

    pub fn hint(&self, text: &str) {
        if self.is_for_people() {
            self.line(Level::INFO, &format!("hint: {text}"));
        }
        record!(self.logs(), info, hint = text);
    }

    /// An error, what caused it, and what may help. It is shown despite `--quiet`.
    pub fn error(&self, message: &str, causes: &[String], hint: Option<&str>) {
        self.clear();
        let is_json = self.format == LogFormat::Json;
        if !is_json {
            self.line(Level::ERROR, &format!("error: {}", printable(message)));
            causes.iter().for_each(|cause| self.line(Level::ERROR, &format!("  caused by: {}", printable(cause))));
            hint.iter().for_each(|hint| self.line(Level::ERROR, &format!("hint: {}", printable(hint))));
        }
        let cause = (!causes.is_empty()).then(|| self.escaped(&causes.join(": ")));
        let hint = hint.map(|hint| self.escaped(hint));
        record!(is_json, error, cause, hint, "{}", self.escaped(message));
    }

    /// Whether the console shows log lines instead of messages.
    fn logs(&self) -> bool {
        !self.quiet && self.format == LogFormat::Json
    }

    /// Control characters as escapes, unless the JSON format escapes them anyway.
    fn escaped(&self, text: &str) -> String {
        if self.format == LogFormat::Json { text.to_owned() } else { printable(text) }
    }

    /// Shows `lines` as the live display, in place of the lines before.
    pub fn show(&self, lines: &[String], size: Size) {
        let mut screen = self.screen();
        // Nobody sees it, and what comes later is newer.
        if !screen.out.is_stuck() {
            screen.paint(lines, size);
        }
    }

    /// Removes the live display; messages stay.
    pub fn clear(&self) {
        self.screen().clear();
    }

    /// Before the process ends: waits for what is not written yet, unless nobody reads it.
    pub fn drain(&self) {
        let out = self.screen().out.clone();
        out.drain();
    }

    fn line(&self, level: Level, text: &str) {
        let priority = if self.journal { journal::priority(level) } else { "" };
        self.screen().say(format!("{priority}{text}\n").as_bytes());
    }

    fn screen(&self) -> MutexGuard<'_, Screen<Outlet>> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes log events; each call is one event.
impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.screen().say(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Console {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A terminal with messages that scroll, and the live display below them.
///
/// Each line of the display ends with a line feed before the next, never by running over the right edge: so a wider
/// terminal joins none of them, and one that became narrower breaks them in a way that can be counted.
#[derive(Debug)]
struct Screen<W> {
    out: W,
    /// Columns taken by each line shown; empty when nothing is.
    shown: Vec<usize>,
    /// Messages since the last painting.
    held: Vec<u8>,
}

impl<W: Write> Screen<W> {
    fn new(out: W) -> Self {
        Self { out, shown: Vec::new(), held: Vec::new() }
    }

    fn say(&mut self, bytes: &[u8]) {
        if self.shown.is_empty() {
            self.put(bytes);
            return;
        }
        self.held.extend_from_slice(bytes);
        if self.held.len() > MAX_HELD {
            self.clear();
        }
    }

    fn paint(&mut self, lines: &[String], size: Size) {
        // Room for the `^C` that a terminal writes where the cursor stands.
        let columns = size.columns.saturating_sub(3).max(1);
        let lines = &lines[..lines.len().min(size.rows.saturating_sub(1).max(1))];
        let mut frame = self.back_to_top(size.columns);
        for &byte in &std::mem::take(&mut self.held) {
            if byte == b'\n' {
                frame.extend_from_slice(b"\x1b[K\r\n");
            } else {
                frame.push(byte);
            }
        }
        self.shown.clear();
        for (index, line) in lines.iter().enumerate() {
            let text: String = line.chars().take(columns).collect();
            if index > 0 {
                frame.extend_from_slice(b"\r\n");
            }
            frame.extend_from_slice(text.as_bytes());
            frame.extend_from_slice(b"\x1b[K");
            self.shown.push(text.chars().count());
        }
        frame.extend_from_slice(b"\x1b[J");
        self.put(&frame);
    }

    fn clear(&mut self) {
        if self.shown.is_empty() {
            return;
        }
        let mut frame = self.back_to_top(usize::MAX);
        frame.extend_from_slice(b"\x1b[J");
        frame.append(&mut self.held);
        self.shown.clear();
        self.put(&frame);
    }

    /// Moves to the start of the display, which is broken into more rows if the terminal became narrower.
    fn back_to_top(&self, columns: usize) -> Vec<u8> {
        let rows: usize = self.shown.iter().map(|width| width.div_ceil(columns).max(1)).sum();
        match rows {
            0 => Vec::new(),
            1 => b"\r".to_vec(),
            rows => format!("\r\x1b[{}A", rows - 1).into_bytes(),
        }
    }

    /// Writes a frame at once.
    fn put(&mut self, bytes: &[u8]) {
        let _ = self.out.write_all(bytes);
        let _ = self.out.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Size = Size { columns: 40, rows: 10 };

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(|line| (*line).to_owned()).collect()
    }

    /// What a terminal shows of it.
    fn seen(screen: &Screen<Vec<u8>>, size: Size) -> Vec<String> {
        let mut terminal = vt100::Parser::new(size.rows as u16, size.columns as u16, 0);
        terminal.process(&screen.out);
        let rows = terminal.screen().rows(0, size.columns as u16);
        let mut rows: Vec<_> = rows.collect();
        while rows.last().is_some_and(String::is_empty) {
            rows.pop();
        }
        rows
    }

    #[test]
    fn what_is_said_stands_above_the_display() {
        let mut screen = Screen::new(Vec::new());
        screen.say(b"before\r\n");
        screen.paint(&lines(&["1 page", "2 hosts"]), WIDE);
        screen.say(b"a warning\n");
        screen.paint(&lines(&["20 pages", "2 hosts"]), WIDE);
        assert_eq!(seen(&screen, WIDE), ["before", "a warning", "20 pages", "2 hosts"]);
    }

    #[test]
    fn a_display_that_shrinks_leaves_nothing_behind() {
        let mut screen = Screen::new(Vec::new());
        screen.paint(&lines(&["a long first line", "a second", "a third"]), WIDE);
        screen.paint(&lines(&["short"]), WIDE);
        assert_eq!(seen(&screen, WIDE), ["short"]);
        screen.clear();
        screen.say(b"done");
        assert_eq!(seen(&screen, WIDE), ["done"]);
    }

    #[test]
    fn lines_are_cut_to_the_terminal_whatever_its_size() {
        for columns in 1..20 {
            let size = Size { columns, rows: 3 };
            let mut screen = Screen::new(Vec::new());
            for _ in 0..3 {
                screen.paint(&lines(&["0123456789", "abcdefghij", "never seen"]), size);
            }
            let shown = seen(&screen, size);
            assert!(
                shown.len() <= 2 && shown.iter().all(|row| row.len() < size.columns.max(2)),
                "{columns}: {shown:?}"
            );
        }
    }

    #[test]
    fn a_terminal_that_became_narrower_is_cleaned_of_the_broken_lines() {
        let mut screen = Screen::new(Vec::new());
        screen.paint(&lines(&["x".repeat(30).as_str(), "y"]), WIDE);
        let frame = screen.back_to_top(10);
        assert_eq!(frame, b"\r\x1b[3A", "three rows of x and one of y");
    }

    #[test]
    fn much_that_is_said_between_two_paintings_is_not_kept_in_memory() {
        let mut screen = Screen::new(Vec::new());
        screen.paint(&lines(&["display"]), WIDE);
        for _ in 0..10_000 {
            screen.say(b"one of very many lines\n");
            assert!(screen.held.len() <= MAX_HELD + 64);
        }
    }
}
