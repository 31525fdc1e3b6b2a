//! The words of a text: letters and digits, joined by hyphens and underscores. All pages are cut into them, so it goes byte
//! by byte where a text is ASCII.

/// What a byte is, or what a word has.
pub(super) const DIGIT: u8 = 1;
pub(super) const UPPER: u8 = 1 << 1;
pub(super) const LETTER: u8 = 1 << 2;
/// A hyphen or an underscore.
pub(super) const JOINT: u8 = 1 << 3;
/// Not ASCII.
pub(super) const WIDE: u8 = 1 << 4;
const LINE: u8 = 1 << 5;
const WORD: u8 = DIGIT | LETTER | JOINT;

static KINDS: [u8; 256] = kinds();

const fn kinds() -> [u8; 256] {
    let (mut kinds, mut byte) = ([0; 256], 0_u8);
    loop {
        kinds[byte as usize] = match byte {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' => LETTER,
            b'A'..=b'Z' => LETTER | UPPER,
            b'-' | b'_' => JOINT,
            b'\n' => LINE,
            0x80.. => WIDE,
            _ => 0,
        };
        if byte == u8::MAX {
            return kinds;
        }
        byte += 1;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub text: &'a str,
    /// It is the first word of its line, and not that of the text.
    pub begins_line: bool,
    pub has: u8,
}

impl Word<'_> {
    /// Whether it has any of these kinds of characters.
    pub(super) fn has(&self, kinds: u8) -> bool {
        self.has & kinds != 0
    }
}

pub(super) struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The length of the character at this place, which is not ASCII, and whether it is part of a word.
    fn wide(&self, at: usize) -> (usize, bool) {
        let character = self.text.get(at..).and_then(|rest| rest.chars().next());
        character.map_or((1, false), |character| (character.len_utf8(), character.is_alphanumeric()))
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let bytes = self.text.as_bytes();
        let kind_at = |at: usize| bytes.get(at).map(|byte| KINDS[usize::from(*byte)]);
        let (mut at, mut begins_line, mut has) = (self.at, false, 0);
        while let Some(kind) = kind_at(at).filter(|kind| kind & WORD == 0) {
            match kind {
                WIDE => match self.wide(at) {
                    (_, true) => break,
                    (length, false) => at += length,
                },
                kind => {
                    begins_line |= kind == LINE;
                    at += 1;
                }
            }
        }
        let start = at;
        loop {
            while let Some(kind) = kind_at(at).filter(|kind| kind & WORD != 0) {
                has |= kind;
                at += 1;
            }
            if kind_at(at) != Some(WIDE) {
                break;
            }
            let (length, is_in) = self.wide(at);
            if !is_in {
                break;
            }
            has |= WIDE;
            at += length;
        }
        self.at = at;
        let text = &self.text[start..at];
        if text.is_empty() {
            return None;
        }
        Some(Word { text, begins_line, has })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits_of_any_script_and_know_their_line() {
        let words: Vec<_> = Words::of("Day-1, \u{201e}Größe\u{201c}\r\n\n _x 日本語。2")
            .map(|word| (word.text, word.begins_line))
            .collect();
        assert_eq!(words, [("Day-1", false), ("Größe", false), ("_x", true), ("日本語", false), ("2", false)]);
        let [first, second] = ["Day-1", "größe"].map(|text| Words::of(text).next().unwrap());
        assert!(first.has(DIGIT) && first.has(UPPER) && first.has(JOINT) && !first.has(WIDE));
        assert!(second.has(WIDE) && second.has(LETTER) && !second.has(DIGIT | UPPER | JOINT));
    }
}
