//! A file of seeds, whatever program wrote it: its encoding, its line ends, and what of a line is the URL. Pure.

use std::borrow::Cow;

use encoding_rs::{Encoding, WINDOWS_1252};

/// What a line of a seeds file gives.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1.
    pub number: u64,
    pub url: String,
    pub comma: Comma,
    /// URLs that follow it: a line gives but one.
    pub others: Vec<String>,
}

/// What became of a comma, which may be part of a URL, or end it as in CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comma {
    None,
    Kept,
    /// The URL ends before it.
    Ends,
}

/// The lines that are not empty; None if the file is no text.
pub fn read(bytes: &[u8]) -> Option<Vec<Line>> {
    let text = decode(bytes);
    // Programs that put files together leave a mark of their own.
    let text = text.trim_start_matches('\u{feff}');
    // A NUL here and there is a slip; where most lines have one it is no text.
    let nul = text.split(['\n', '\r']).filter(|line| line.contains('\0')).count();
    if nul * 2 > text.split(['\n', '\r']).filter(|line| !line.is_empty()).count() {
        return None;
    }
    let text = text.replace("\r\n", "\n");
    let parts =
        (1..).zip(text.split(['\n', '\r'])).flat_map(|(number, line)| line.split('\0').map(move |part| (number, part)));
    let lines = parts.map(|(number, part)| (number, without_comment(part))).filter(|(_, line)| !line.is_empty());
    let lines: Vec<(u64, &str)> = lines.collect();
    let is_csv = is_csv(&lines);
    let line = |(number, text)| {
        let (url, comma) = url_of(text, is_csv);
        Line { number, url: url.to_owned(), comma, others: others(text) }
    };
    Some(lines.into_iter().map(line).collect())
}

/// By its byte order mark; without one UTF-8, and Latin-1 where it is no UTF-8.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match (Encoding::for_bom(bytes), std::str::from_utf8(bytes)) {
        (Some((encoding, _)), _) => encoding.decode_with_bom_removal(bytes).0,
        (None, Ok(text)) => text.into(),
        (None, Err(_)) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// A `#` at the start or after white space begins a comment.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (index, c) in line.char_indices() {
        if c == '#' && before.is_whitespace() {
            return line[..index].trim();
        }
        before = c;
    }
    line.trim()
}

/// Whether commas set fields apart in this file: a header says so, or a field that can be no part of a URL, or that each
/// of several lines has a plain word behind a comma.
fn is_csv(lines: &[(u64, &str)]) -> bool {
    let field = |line: &str| line.split_once(',').map(|(_, rest)| rest.trim().to_owned());
    let is_word = |rest: String| !rest.is_empty() && !rest.contains(['/', '.', '?', '=', '&', '%', '#']);
    lines.first().is_some_and(|(_, line)| line.to_ascii_lowercase().starts_with("url,"))
        || lines.iter().any(|(_, line)| ends_at_comma(line))
        || lines.len() > 1 && lines.iter().all(|(_, line)| field(line).is_some_and(is_word))
}

/// Whether what follows the first comma is no part of the URL: it holds white space or a quotation mark, or the comma
/// follows the host or a slash.
fn ends_at_comma(line: &str) -> bool {
    let Some((before, rest)) = line.split_once(',') else { return false };
    let path = before.split_once("://").map_or(before, |(_, rest)| rest);
    // Behind a tab another field begins: that the comma is in the first says nothing.
    let is_words = rest.trim().find(char::is_whitespace).is_some_and(|at| rest.trim()[at..].starts_with(' '));
    let is_in_url = !before.contains(char::is_whitespace) && before.contains("://");
    is_in_url && (!path.contains('/') || path.ends_with('/') || rest.starts_with('"') || is_words)
}

/// What of a line is the URL: a field in quotation marks, or all up to white space, or in CSV up to a comma.
fn url_of(line: &str, is_csv: bool) -> (&str, Comma) {
    if let Some(quoted) = line.strip_prefix('"') {
        return (quoted.split('"').next().unwrap_or_default().trim(), Comma::None);
    }
    let word = line.split(char::is_whitespace).next().unwrap_or_default();
    match word.split_once(',') {
        Some((url, _)) if is_csv => (url, Comma::Ends),
        Some(_) => (word, Comma::Kept),
        None => (word, Comma::None),
    }
}

/// URLs behind white space.
fn others(line: &str) -> Vec<String> {
    let words = line.split(char::is_whitespace).skip(1).map(|word| word.trim_matches('"'));
    let is_url = |word: &&str| word.starts_with("http://") || word.starts_with("https://");
    words.filter(is_url).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(bytes: impl AsRef<[u8]>) -> Vec<(u64, String)> {
        read(bytes.as_ref()).unwrap().into_iter().map(|line| (line.number, line.url)).collect()
    }

    fn expected(urls: &[(u64, &str)]) -> Vec<(u64, String)> {
        urls.iter().map(|(number, url)| (*number, (*url).to_owned())).collect()
    }

    #[test]
    fn files_of_any_encoding_and_line_end_are_read() {
        let text = "http://h/a\r\n\r\n# note\r\n  http://h/\u{e9} # two\r\n";
        let want = expected(&[(1, "http://h/a"), (4, "http://h/\u{e9}")]);
        assert_eq!(urls(text), want);
        assert_eq!(urls(format!("\u{feff}{text}")), want);
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let wide: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(order).collect();
            assert_eq!(urls(wide), want);
        }
        let latin: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
        assert_eq!(urls(latin), want);
        assert_eq!(urls(text.replace("\r\n", "\r")), want);
        assert_eq!(
            urls("http://h/a\0http://h/b\nhttp://h/c\nhttp://h/d\n"),
            expected(&[(1, "http://h/a"), (1, "http://h/b"), (2, "http://h/c"), (3, "http://h/d")])
        );
        assert_eq!(read(b"SQLite format 3\0"), None);
    }

    #[test]
    fn a_url_ends_at_white_space_and_what_follows_is_none_of_it() {
        let text = "http://h/a\tkey=value\nhttp://h/b Title, of B\n\thttp://h/c\u{3000}x\n\"http://h/d\",\"D\"\n#x\n";
        let want = [(1, "http://h/a"), (2, "http://h/b"), (3, "http://h/c"), (4, "http://h/d")];
        assert_eq!(urls(text), expected(&want));
    }

    #[test]
    fn further_urls_of_a_line_are_told() {
        let text = "http://h/a http://h/b\thttps://h/c\n\"http://h/d\" \"http://h/e\"\nhttp://h/f see h/g\n";
        let lines = read(text.as_bytes()).unwrap();
        let others: Vec<_> = lines.iter().map(|line| line.others.join(" ")).collect();
        assert_eq!(others, ["http://h/b https://h/c", "http://h/e", ""]);
    }

    #[test]
    fn a_comma_ends_a_url_where_the_file_shows_that_it_is_csv() {
        for text in [
            "url,name\nhttp://h/a,b\n",
            "http://h/a,Name of A\nhttp://h/c\n",
            "http://h/a,\"A\"\n",
            "http://h/a,first\nhttp://h/b,second\n",
            "http://h,A\nhttp://h/a,b.html\n",
            "http://h/,A\nhttp://h/a,b.html\n",
        ] {
            let lines = read(text.as_bytes()).unwrap();
            assert!(lines.iter().all(|line| !line.url.contains(',')), "{text}");
            assert!(lines.iter().any(|line| line.url == "http://h/a" && line.comma == Comma::Ends), "{text}");
        }
        for text in ["http://h/a,b\n", "http://h/a,1.html\nhttp://h/b,2.html\n", "http://h/a,b\tname, of it\n"] {
            let lines = read(text.as_bytes()).unwrap();
            assert!(lines.iter().all(|line| line.url.contains(',') && line.comma == Comma::Kept), "{text}");
        }
    }
}
