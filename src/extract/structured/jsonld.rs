//! JSON-LD, also where it is broken in the usual ways.

use scraper::{ElementRef, Html};
use serde_json::{Deserializer, Value};

/// Bytes of a page's blocks that are read. Their values take many times as much memory.
const MAX_BYTES: usize = 2 << 20;

/// A value that a block holds, or why it holds none.
pub type Block = Result<Value, Broken>;

/// A block that is no JSON, whatever is overlooked. Lines and columns count from the block's first character, from 1 on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("JSON-LD block {block}, line {line}, column {column}: {problem}")]
pub struct Broken {
    /// The number of the block on its page, from 1 on.
    pub block: usize,
    pub line: usize,
    pub column: usize,
    pub problem: String,
}

/// The values of a page's JSON-LD blocks (JSON-LD 1.1, section 7) in their order. Overlooked are what browsers and search
/// engines overlook, and what templates leave behind: comments, `<!-- -->` and `CDATA` around the block, commas too many,
/// control characters in strings, escapes that there are not, halves of surrogate pairs, several values in a row.
pub fn jsonld(html: &Html) -> Vec<Block> {
    let elements = html.tree.nodes().filter_map(ElementRef::wrap);
    let scripts = elements.filter(|element| element.value().name() == "script" && is_jsonld(element.attr("type")));
    let mut blocks = Vec::new();
    let mut left = MAX_BYTES;
    for (number, script) in (1..).zip(scripts) {
        let text: String = script.text().collect();
        match left.checked_sub(text.len()) {
            Some(rest) => {
                left = rest;
                read(number, &text, &mut blocks);
            }
            None => {
                let problem = format!("the page has more than {} MiB of JSON-LD", MAX_BYTES >> 20);
                blocks.push(Err(Broken { block: number, line: 1, column: 1, problem }));
                break;
            }
        }
    }
    blocks
}

fn is_jsonld(media_type: Option<&str>) -> bool {
    let essence = media_type.and_then(|media_type| media_type.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/ld+json"))
}

fn read(number: usize, text: &str, blocks: &mut Vec<Block>) {
    // No database takes U+0000.
    if !text.contains("\\u0000")
        && let Ok(value) = serde_json::from_str(text)
    {
        blocks.push(Ok(value));
        return;
    }
    let mut mend = Mend::new(text);
    while mend.next() {}
    for value in Deserializer::from_str(&mend.out).into_iter() {
        match value {
            Ok(value) => blocks.push(Ok(value)),
            Err(e) => {
                let lines = mend.out.split_inclusive('\n').take(e.line().saturating_sub(1));
                let offset = lines.map(str::len).sum::<usize>() + e.column().saturating_sub(1);
                let before = &text[..Mend::new(text).source_of(offset)];
                let start = before.rfind('\n').map_or(0, |at| at + 1);
                let (line, column) = (before.matches('\n').count() + 1, before[start..].chars().count() + 1);
                let said = e.to_string();
                // Its own place is one in the mended text.
                let problem = said.split(" at line ").next().unwrap_or(&said).to_owned();
                blocks.push(Err(Broken { block: number, line, column, problem }));
                break;
            }
        }
    }
}

/// Writes a text that should be JSON as the JSON that is meant.
struct Mend<'a> {
    text: &'a str,
    rest: &'a str,
    out: String,
    /// Open lists and objects.
    depth: usize,
    /// The last character that is no white space, outside strings.
    last: char,
    /// A comma was read, and is written once something follows that it stands before.
    comma: bool,
}

impl<'a> Mend<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, rest: text, out: String::with_capacity(text.len()), depth: 0, last: '[', comma: false }
    }

    /// Where in the text the token begins whose JSON is at an offset.
    fn source_of(mut self, offset: usize) -> usize {
        loop {
            let start = self.text.len() - self.rest.len();
            if !self.next() || self.out.len() > offset {
                return start;
            }
        }
    }

    fn next(&mut self) -> bool {
        let Some(c) = self.rest.chars().next() else { return false };
        if self.skips_comment() {
            return true;
        }
        self.rest = &self.rest[c.len_utf8()..];
        match c {
            ' ' | '\n' | '\r' | '\t' => self.out.push(c),
            _ if c.is_control() || c.is_whitespace() || c == '\u{feff}' => self.out.push(' '),
            ',' => self.comma |= !matches!(self.last, '[' | '{' | ','),
            ';' if self.depth == 0 => {}
            _ => self.token(c),
        }
        true
    }

    fn token(&mut self, c: char) {
        if std::mem::take(&mut self.comma) && self.depth > 0 && !matches!(c, '}' | ']') {
            self.out.push(',');
        }
        match c {
            '{' | '[' => self.depth += 1,
            '}' | ']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.last = c;
        self.out.push(c);
        if c == '"' {
            self.string();
        }
    }

    /// Skips a comment or a marker around the block, if one is next.
    fn skips_comment(&mut self) -> bool {
        let marker = ["<!--", "-->", "<![CDATA[", "]]>"].into_iter().find(|marker| self.rest.starts_with(marker));
        let length = if let Some(marker) = marker {
            marker.len()
        } else if self.rest.starts_with("//") {
            // The end of a CDATA section stands in a comment for those who do not know it.
            self.rest.find('\n').unwrap_or(self.rest.len())
        } else if self.rest.starts_with("/*") {
            self.rest.find("*/").map_or(self.rest.len(), |at| at + 2)
        } else {
            return false;
        };
        self.out.push(' ');
        self.rest = &self.rest[length..];
        true
    }

    /// Writes a string from behind its first quotation mark.
    fn string(&mut self) {
        while let Some(c) = self.rest.chars().next() {
            self.rest = &self.rest[c.len_utf8()..];
            match c {
                '\\' => self.escape(),
                '\0' => self.out.push('\u{fffd}'),
                '\u{1}'..='\u{1f}' => self.out.push_str(&format!("\\u{:04x}", u32::from(c))),
                _ => self.out.push(c),
            }
            if c == '"' {
                return;
            }
        }
    }

    /// Writes an escape from behind its backslash; of one that there is not, only what follows the backslash is kept.
    fn escape(&mut self) {
        let length = match self.rest.as_bytes() {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 1,
            [b'u', ..] => match (unit(self.rest), unit(self.rest.get(6..).unwrap_or_default())) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) if self.rest.as_bytes()[5] == b'\\' => 11,
                (Some(0 | 0xd800..=0xdfff), _) => {
                    self.out.push_str("\\ufffd");
                    self.rest = &self.rest[5..];
                    return;
                }
                (Some(_), _) => 5,
                (None, _) => return,
            },
            _ => return,
        };
        self.out.push('\\');
        self.out.push_str(&self.rest[..length]);
        self.rest = &self.rest[length..];
    }
}

/// The number of an escape: `u` and four hexadecimal digits.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix('u')?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn blocks(text: &str) -> Vec<Block> {
        jsonld(&Html::parse_document(&format!("<script type='application/LD+json; charset=utf-8'>{text}</script>")))
    }

    #[test]
    fn json_ld_is_read_however_its_template_broke_it() {
        for (text, expected) in [
            (r#"{"a": 1}"#, json!([{"a": 1}])),
            (r#"  {"a": [1, 2, ], }  "#, json!([{"a": [1, 2]}])),
            (r#"{"a": [,1,,2,]}"#, json!([{"a": [1, 2]}])),
            (
                r#"{"a": 1, /* of , two */ "b": 2 // three
            }"#,
                json!([{"a": 1, "b": 2}]),
            ),
            ("//<![CDATA[\n{\"a\": 1}\n//]]>", json!([{"a": 1}])),
            ("/* <![CDATA[ */ {\"a\": 1} /* ]]> */", json!([{"a": 1}])),
            ("<![CDATA[{\"a\": \"// no comment\"}]]>", json!([{"a": "// no comment"}])),
            ("<!--\n{\"a\": \"/* none */\"}\n-->", json!([{"a": "/* none */"}])),
            ("{\"a\": \"one\ntwo\tthree\u{1}\"}", json!([{"a": "one\ntwo\tthree\u{1}"}])),
            (r#"{"a": "don\'t \x \u12 \"", "b": "\u00e9"}"#, json!([{"a": "don't x u12 \"", "b": "é"}])),
            (r#"{"a": "\ud83d\ude00 \ud83d \ude00",}"#, json!([{"a": "😀 \u{fffd} \u{fffd}"}])),
            (r#"{"a": "\ud83dxudc00"}"#, json!([{"a": "\u{fffd}xudc00"}])),
            ("{\"a\": 1};", json!([{"a": 1}])),
            (r#"{"a": 1},{"a": 2} {"a": 3}"#, json!([{"a": 1}, {"a": 2}, {"a": 3}])),
            ("\u{feff}{\u{a0}\"a\": null}", json!([{"a": null}])),
            (" \n ", json!([])),
        ] {
            let values: Result<Vec<_>, _> = blocks(text).into_iter().collect();
            assert_eq!(values.as_ref().map(|values| json!(values)), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place_in_the_block() {
        for (text, line, column, problem) in [
            ("{\"a\": 1,\n \"b\": oops}", 2, 7, "expected value"),
            ("// a comment that goes\n{\"a\": \"\u{1}\u{1}\u{1}\", oops}", 2, 14, "key must be a string"),
            ("{\"a\": \"open", 1, 7, "EOF while parsing a string"),
            ("<br>{}", 1, 1, "expected value"),
        ] {
            let problem = problem.to_owned();
            assert_eq!(blocks(text), [Err(Broken { block: 1, line, column, problem })], "{text}");
        }
    }

    #[test]
    fn deep_and_large_blocks_are_refused() {
        let said = |text: &str| blocks(text)[0].clone().unwrap_err().problem;
        assert_eq!(said(&"[".repeat(100_000)), "recursion limit exceeded");
        assert!(said(&" ".repeat(MAX_BYTES + 1)).contains("2 MiB"));
    }
}
