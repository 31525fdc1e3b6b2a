//! Text with its white space collapsed.

/// Appends text with its white space collapsed.
pub fn push_words(out: &mut String, text: &str) {
    let is_space = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_whitespace);
    // Words with one space between them, as most are, are copied together.
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        if !is_space(at) || at > start && text.as_bytes()[at] == b' ' && at + 1 < text.len() && !is_space(at + 1) {
            at += 1;
            continue;
        }
        out.push_str(&text[start..at]);
        end_word(out);
        while is_space(at) {
            at += 1;
        }
        start = at;
    }
    out.push_str(&text[start..]);
}

/// Ends a word.
pub fn end_word(out: &mut String) {
    if !matches!(out.as_bytes().last(), None | Some(b' ' | b'\n')) {
        out.push(' ');
    }
}

/// Leaves the first `max` characters, without white space at the end.
pub(super) fn cut(text: &mut String, max: usize) {
    if text.len() > max
        && let Some((end, _)) = text.char_indices().nth(max)
    {
        text.truncate(end);
    }
    text.truncate(text.trim_end().len());
    text.shrink_to_fit();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_one_space_however_the_text_is_cut_into_pieces() {
        let mut out = String::new();
        ["\n one", " \t", "two", "three  ", " four"].iter().for_each(|piece| push_words(&mut out, piece));
        assert_eq!(out, "one twothree four");
    }

    #[test]
    fn a_cut_text_ends_with_a_whole_character_and_no_space() {
        let mut text = "é é é".to_owned();
        cut(&mut text, 2);
        assert_eq!(text, "é");
    }
}
