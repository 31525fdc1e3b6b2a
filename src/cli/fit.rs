//! Text in so many columns of a terminal: how wide it is there, how it is cut, and how it is broken into lines.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

/// Asks for a picture in place of a sign, which is wider.
const AS_EMOJI: char = '\u{fe0f}';

/// The columns that a text takes, at most: those of joined pictographs take fewer where they are joined.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(of).sum() }
}

fn of(c: char) -> usize {
    if c == AS_EMOJI { 1 } else { c.width().unwrap_or(0) }
}

/// Text cut to so many columns: URLs in their middle, since host and last part tell them apart, and all else at its end.
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return text.into();
    }
    let Some(room) = columns.checked_sub(1) else { return "".into() };
    if !is_url(text) {
        return (start(text, room).to_owned() + "…").into();
    }
    let tail = room / 2;
    let head = start(text, room - tail);
    format!("{head}…{}", end(&text[head.len()..], tail)).into()
}

/// Whether a text is a URL, and not a sentence that begins with one.
pub fn is_url(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)) && !text.contains(char::is_whitespace)
}

/// As much of the start as so many columns hold.
fn start(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, c)| {
        taken += of(*c);
        taken > columns
    });
    end.map_or(text, |(end, _)| &text[..end])
}

/// The same of the end. Marks that belong to a letter which is cut off go with it.
fn end(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    let before = text.char_indices().rev().find(|(_, c)| {
        taken += of(*c);
        taken > columns
    });
    let text = before.map_or(text, |(at, c)| &text[at + c.len_utf8()..]);
    text.trim_start_matches(|c| of(c) == 0 || c == AS_EMOJI)
}

/// Parts in a row, with what separates them, broken into lines: between parts, and within one only where it is wider than a
/// line. Later lines begin with `indent` blanks; words that are wider than a line are cut.
pub fn fill(first: &str, parts: &[String], separator: &str, indent: usize, columns: usize) -> Vec<String> {
    let mut lines = vec![first.to_owned()];
    let mut is_open = false;
    for (index, part) in parts.iter().enumerate() {
        let part = if index + 1 < parts.len() { part.clone() + separator.trim_end() } else { part.clone() };
        let gap = separator.len() - separator.trim_end().len();
        let start = if is_open { indent } else { lines.last().map_or(0, |line| width(line)) };
        let fits_a_line = start + width(&part) <= columns;
        let words = if fits_a_line { vec![part.as_str()] } else { part.split(' ').collect() };
        for (nth, word) in words.into_iter().enumerate() {
            let gap = if !is_open {
                0
            } else if nth == 0 {
                gap
            } else {
                1
            };
            let taken = lines.last().map_or(0, |line| width(line));
            if is_open && taken + gap + width(word) > columns {
                lines.push(" ".repeat(indent));
                is_open = false;
            }
            let Some(line) = lines.last_mut() else { continue };
            if is_open {
                line.push_str(&" ".repeat(gap));
            }
            let room = columns.saturating_sub(width(line)).max(1);
            line.push_str(&cut(word, room));
            is_open = true;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_cut_in_their_middle_and_other_text_at_its_end() {
        assert_eq!(cut("https://example.com/a/long/path/page.html", 24), "https://exam…h/page.html");
        assert_eq!(cut("A title that is too long", 10), "A title t…");
        assert_eq!(cut("as it is", 8), "as it is");
        assert_eq!((&*cut("abc", 1), &*cut("abc", 0)), ("…", ""));
    }

    #[test]
    fn text_is_as_wide_as_a_terminal_shows_it() {
        for (text, columns) in [("abc", 3), ("蜘蛛", 4), ("e\u{301}", 1), ("🚀", 2), ("☂\u{fe0f}", 2)] {
            assert_eq!(width(text), columns, "{text}");
        }
        assert_eq!(cut("蜘蛛の糸", 6), "蜘蛛…");
        for columns in 1..30 {
            for text in ["http://例え.test/蜘蛛/🚀🚀/e\u{301}e\u{301}", "蜘蛛の糸は細い e\u{301}e\u{301}e\u{301}"]
            {
                let shown = cut(text, columns);
                assert!(width(&shown) <= columns, "{shown} in {columns}");
                assert!(!shown.contains("…\u{301}"), "{shown}: no mark without its letter");
            }
        }
    }

    #[test]
    fn parts_are_broken_between_each_other_and_within_only_where_they_must_be() {
        let parts = ["12 pages", "3 failed", "1.0 pages/s"].map(str::to_owned);
        assert_eq!(fill("", &parts, ", ", 2, 80), ["12 pages, 3 failed, 1.0 pages/s"]);
        assert_eq!(fill("", &parts, ", ", 2, 20), ["12 pages, 3 failed,", "  1.0 pages/s"]);
        let long = ["http://a.test rests for 12 s: it did not answer".to_owned()];
        assert_eq!(
            fill("waits  ", &long, "; ", 2, 24),
            ["waits  http://a.test", "  rests for 12 s: it did", "  not answer"]
        );
        let after = ["http://a.test by --rate 2".to_owned()];
        assert_eq!(fill("waits  ", &after, "; ", 2, 28), ["waits  http://a.test by", "  --rate 2"]);
        let url = ["http://a-very-long-name-of-a-host.example.com 2.0/s".to_owned()];
        assert_eq!(fill("busiest  ", &url, "  ", 2, 30), ["busiest  http://a-v…xample.com", "  2.0/s"]);
    }
}
