//! Markdown in parts of a length that a search engine or a language model takes.

use super::words::count;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The headings that all of it stands under, from the outermost on.
    pub headings: Vec<String>,
    /// Markdown, its own headings in it.
    pub text: String,
    /// From 1 on.
    pub position: usize,
}

/// What stands under one heading, up to the next one.
struct Section<'a> {
    headings: Vec<String>,
    /// Paragraphs, lists, tables and the like, the heading first.
    blocks: Vec<&'a str>,
    words: usize,
}

/// Cuts a text before headings, so that no part has more than so many words. Sections that follow upon each other stay
/// together where they fit; one that is longer is cut between its blocks, and a block between its lines, sentences or words.
pub fn chunks(markdown: &str, words: usize) -> Vec<Chunk> {
    let words = words.max(1);
    let mut packer = Packer { words, chunks: Vec::new(), room: 0 };
    for section in sections(markdown) {
        if section.words <= words {
            packer.put(&section.headings, &section.blocks.join("\n\n"), section.words);
            continue;
        }
        packer.room = 0;
        for block in &section.blocks {
            for part in parts(block, words) {
                packer.put(&section.headings, &part, count(&part) as usize);
            }
        }
        packer.room = 0;
    }
    packer.chunks
}

struct Packer {
    words: usize,
    chunks: Vec<Chunk>,
    /// Words that the last chunk can still take.
    room: usize,
}

impl Packer {
    fn put(&mut self, headings: &[String], text: &str, words: usize) {
        match self.chunks.last_mut() {
            Some(last) if words <= self.room => {
                let common = last.headings.iter().zip(headings).take_while(|(one, other)| one == other).count();
                last.headings.truncate(common);
                last.text.extend(["\n\n", text]);
                self.room -= words;
            }
            _ => {
                let position = self.chunks.len() + 1;
                self.chunks.push(Chunk { headings: headings.to_vec(), text: text.to_owned(), position });
                self.room = self.words.saturating_sub(words);
            }
        }
    }
}

fn sections(markdown: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    // The headings that the current block stands under, with their levels.
    let mut path: Vec<(usize, String)> = Vec::new();
    for block in blocks(markdown) {
        if let Some((level, heading)) = heading(block) {
            path.retain(|(above, _)| *above < level);
            path.push((level, heading));
        }
        let words = count(block) as usize;
        match sections.last_mut() {
            Some(section) if heading(block).is_none() => {
                section.blocks.push(block);
                section.words += words;
            }
            _ => {
                let headings = path.iter().map(|(_, heading)| heading.clone()).collect();
                sections.push(Section { headings, blocks: vec![block], words });
            }
        }
    }
    sections
}

/// The level and text of a heading (CommonMark, 4.2 "ATX headings"), without the backslashes of what is escaped.
fn heading(block: &str) -> Option<(usize, String)> {
    let level = block.bytes().take_while(|byte| *byte == b'#').count();
    let text = block[level..].strip_prefix(' ').filter(|_| (1..=6).contains(&level))?;
    let mut is_escaped = false;
    let is_kept = |c: &char| {
        is_escaped = *c == '\\' && !is_escaped;
        !is_escaped
    };
    Some((level, text.trim().chars().filter(is_kept).collect()))
}

/// What is set apart by empty lines, a heading and a fenced block of code each as one.
fn blocks(markdown: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let mut open_fence: Option<&str> = None;
    let mut end_at = |start: &mut usize, end: usize| {
        let block = markdown[*start..end].trim_start_matches('\n').trim_end();
        if !block.is_empty() {
            blocks.push(block);
        }
        *start = end;
    };
    for line in markdown.split_inclusive('\n') {
        let end = at + line.len();
        match (open_fence, fence(line)) {
            (Some(open), Some(close))
                if close.len() >= open.len() && close.starts_with(open) && line.trim() == close =>
            {
                open_fence = None;
                end_at(&mut start, end);
            }
            (Some(_), _) => {}
            (None, Some(fence)) => {
                end_at(&mut start, at);
                open_fence = Some(fence);
            }
            (None, None) if line.trim().is_empty() => end_at(&mut start, at),
            (None, None) if heading(line).is_some() => {
                end_at(&mut start, at);
                end_at(&mut start, end);
            }
            (None, None) => {}
        }
        at = end;
    }
    end_at(&mut start, markdown.len());
    blocks
}

/// What opens or closes a block of code (CommonMark, 4.5 "fenced code blocks"); within a list item it is indented.
fn fence(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let length = line.bytes().take_while(|byte| *byte == b'`').count();
    (length >= 3).then(|| &line[..length])
}

/// A block in parts of so many words, each of which is Markdown by itself.
fn parts(block: &str, words: usize) -> Vec<String> {
    if count(block) as usize <= words {
        return vec![block.to_owned()];
    }
    let lines: Vec<_> = block.lines().collect();
    let (head, tail) = match lines.as_slice() {
        [first, .., last] if fence(first).is_some() => (1, usize::from(fence(last).is_some())),
        [first, second, ..] if first.starts_with("| ") && second.starts_with("| -") => (2, 0),
        _ => (0, 0),
    };
    let (first, rest) = lines.split_at(head);
    let (rest, last) = rest.split_at(rest.len() - tail);
    let (before, after) = (first.join("\n"), last.join("\n"));
    let left = words.saturating_sub(count(&before) as usize).max(1);
    let mut cut = Vec::new();
    let inner = rest.join("\n");
    let is_verbatim = head == 1;
    pieces(&inner, left, if head > 0 { Unit::Line } else { Unit::Sentence }, &mut cut);
    let whole = |piece: &&str| {
        let piece = piece.trim_start_matches(if is_verbatim { '\n' } else { ' ' }).trim_matches('\n').trim_end();
        [before.as_str(), piece, after.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    };
    cut.iter().map(whole).collect()
}

/// What a text is cut behind.
#[derive(Clone, Copy)]
enum Unit {
    Line,
    Sentence,
    Word,
    Character,
}

impl Unit {
    fn ends(self, before: char, after: Option<char>) -> bool {
        match self {
            Self::Line => before == '\n',
            Self::Sentence => {
                let is_end = matches!(before, '.' | '!' | '?') && after.is_none_or(char::is_whitespace);
                is_end || matches!(before, '\n' | '。' | '！' | '？')
            }
            Self::Word => before.is_whitespace(),
            Self::Character => true,
        }
    }

    fn finer(self) -> Self {
        match self {
            Self::Line => Self::Sentence,
            Self::Sentence => Self::Word,
            Self::Word | Self::Character => Self::Character,
        }
    }
}

/// Cuts a text into pieces of so many words, each as long as it can be, by units or, where one is too long, finer ones.
fn pieces<'a>(text: &'a str, words: usize, unit: Unit, into: &mut Vec<&'a str>) {
    let (mut start, mut at, mut taken) = (0, 0, 0);
    let mut characters = text.char_indices().peekable();
    while let Some((index, character)) = characters.next() {
        let end = index + character.len_utf8();
        if characters.peek().is_some_and(|(_, after)| !unit.ends(character, Some(*after))) {
            continue;
        }
        let part = &text[at..end];
        let more = count(part) as usize;
        if taken + more > words && at > start {
            into.push(&text[start..at]);
            (start, taken) = (at, 0);
        }
        if more > words {
            pieces(part, words, unit.finer(), into);
            start = end;
        } else {
            taken += more;
        }
        at = end;
    }
    if start < text.len() {
        into.push(&text[start..]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{chunks, count};

    /// Headings and text of each chunk.
    fn cut(markdown: &str, words: usize) -> Vec<(String, String)> {
        let cut = chunks(markdown, words);
        assert!(cut.iter().enumerate().all(|(index, chunk)| chunk.position == index + 1));
        cut.into_iter().map(|chunk| (chunk.headings.join(" > "), chunk.text)).collect()
    }

    fn own(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(headings, text)| ((*headings).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_text_is_cut_before_headings_and_tells_under_which_each_part_stands() {
        let markdown = "Before all.\n\n# One\n\nfirst words here\n\n## One *a*\n\nmore words here\n\n## One b\\_c\n\nlast words here";
        let expected = own(&[
            ("", "Before all."),
            ("One", "# One\n\nfirst words here"),
            ("One > One *a*", "## One *a*\n\nmore words here"),
            ("One > One b_c", "## One b\\_c\n\nlast words here"),
        ]);
        assert_eq!(cut(markdown, 5), expected);
        let together = "# One\n\nfirst words here\n\n## One *a*\n\nmore words here\n\n## One b\\_c\n\nlast words here";
        assert_eq!(cut(&markdown[13..], 14), own(&[("One", together)]));
    }

    #[test]
    fn a_long_section_is_cut_between_blocks_then_sentences_then_words() {
        let markdown = "## A\n\none two three\n\nfour five. six seven. eight\n\na b c d e f g";
        let expected = own(&[
            ("A", "## A\n\none two three"),
            ("A", "four five. six seven."),
            ("A", "eight"),
            ("A", "a b c d"),
            ("A", "e f g"),
        ]);
        assert_eq!(cut(markdown, 4), expected);
    }

    #[test]
    fn parts_of_code_and_of_tables_are_code_and_tables() {
        let markdown = "```rust\nlet a;\n# no heading\n\nlet b;\n```\n\n| x | y |\n| - | - |\n| 1 | 2 |\n| 3 | 4 |";
        let expected = own(&[
            ("", "```rust\nlet a;\n```"),
            ("", "```rust\n# no heading\n```"),
            ("", "```rust\nlet b;\n```"),
            ("", "| x | y |\n| - | - |\n| 1 | 2 |"),
            ("", "| x | y |\n| - | - |\n| 3 | 4 |"),
        ]);
        assert_eq!(cut(markdown, 4), expected);
    }

    #[test]
    fn a_text_without_spaces_is_cut_at_the_end_of_a_sentence() {
        let expected = own(&[("", "東京へ行く。"), ("", "京都へ帰る。")]);
        assert_eq!(cut("東京へ行く。京都へ帰る。", 8), expected);
    }

    proptest! {
        #[test]
        fn no_part_is_longer_than_asked_for_and_no_word_is_lost(
            markdown in "([a-c。東]{0,4}|[#>|`~ \n.\\-]{1,5}|\n\n|```|\n# ){0,60}",
            words in 1..9_usize,
        ) {
            let chunks = chunks(&markdown, words);
            let letters = |text: &str| text.chars().filter(|c| "abc東".contains(*c)).collect::<String>();
            let all: String = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
            // What opens a block of code or heads a table is repeated.
            let has_head = markdown.contains("```") || markdown.contains('|');
            prop_assert!(has_head || letters(&all) == letters(&markdown));
            for chunk in &chunks {
                prop_assert!(has_head || count(&chunk.text) as usize <= words, "{:?}", chunk);
            }
        }
    }
}
