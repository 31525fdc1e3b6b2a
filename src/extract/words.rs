//! How many words a text has.

use crate::parse::unspaced::{SEPARATOR, cut};

/// Words of a text, each with a letter or a digit. Of scripts without spaces between words, each character counts as one.
pub fn count(text: &str) -> u64 {
    let cut = cut(text);
    let text = cut.as_deref().unwrap_or(text);
    let words = text.split(|c: char| c.is_whitespace() || c == SEPARATOR);
    words.filter(|word| word.contains(char::is_alphanumeric)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn words_are_counted_and_characters_where_no_spaces_are_set() {
        for (text, words) in
            [("", 0), ("One – two, three!\nfour", 4), ("蜘蛛の糸", 4), ("Rust で書く", 4), ("3 + 4", 2)]
        {
            assert_eq!(count(text), words, "{text}");
        }
    }
}
