//! A statement with parameters, written as on SQLite, that becomes one with values. The values are put in as literals, as psql
//! does: so the server finds their types from where they stand, and each may stand in several places.

use std::fmt::Write as _;

use crate::store::value::Value;

/// A statement in parts.
#[derive(Debug)]
pub struct Template {
    /// A text, and the parameter behind it.
    parts: Vec<(String, Option<usize>)>,
    parameters: Vec<String>,
}

impl Template {
    /// Finds `:name`, `?1` and `$1` outside of strings, names in quotation marks, and comments.
    pub fn new(sql: &str) -> Self {
        let mut template = Self { parts: Vec::new(), parameters: Vec::new() };
        let (mut start, mut at) = (0, 0);
        while at < sql.len() {
            if let Some(length) = parameter(sql, at) {
                let index = template.index(&sql[at..at + length]);
                template.parts.push((sql[start..at].to_owned(), Some(index)));
                at += length;
                start = at;
            } else {
                at += token(sql, at);
            }
        }
        template.parts.push((sql[start..].to_owned(), None));
        template
    }

    /// The place of a parameter among all. Numbers say it themselves.
    fn index(&mut self, name: &str) -> usize {
        if let Some(number) = name.get(1..).and_then(|number| number.parse::<usize>().ok()) {
            let index = number.saturating_sub(1);
            if self.parameters.len() <= index {
                self.parameters.resize(index + 1, "?".to_owned());
            }
            name.clone_into(&mut self.parameters[index]);
            return index;
        }
        self.parameters.iter().position(|known| known == name).unwrap_or_else(|| {
            self.parameters.push(name.to_owned());
            self.parameters.len() - 1
        })
    }

    /// Their names as they are written; `?` for a number that is left out.
    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// The statement with these values; NULL for those that are missing.
    pub fn filled(&self, values: &[Value]) -> String {
        let mut sql = String::new();
        for (text, parameter) in &self.parts {
            sql.push_str(text);
            if let Some(index) = parameter {
                put(&mut sql, values.get(*index).unwrap_or(&Value::Null));
            }
        }
        sql
    }
}

/// The first word of a statement in lower case; empty if there is none.
pub fn first_word(sql: &str) -> String {
    let mut at = 0;
    while let Some(c) = sql[at..].chars().next() {
        if is_of_name(c) {
            let word = sql[at..].chars().take_while(|c| is_of_name(*c));
            return word.collect::<String>().to_lowercase();
        }
        if !c.is_whitespace() && !matches!(c, '(' | ';') && !sql[at..].starts_with("--") && !sql[at..].starts_with("/*")
        {
            return c.into();
        }
        at += token(sql, at);
    }
    String::new()
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// The longest number of a parameter: as many as the protocol has.
const MAX_DIGITS: usize = 4;

/// The length of the parameter that begins here, if one does.
fn parameter(sql: &str, at: usize) -> Option<usize> {
    let before = sql[..at].chars().next_back();
    let (sign, rest) = (sql.as_bytes()[at], sql.get(at + 1..)?);
    let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let name = &rest[..length];
    let begins_with = |kind: fn(&u8) -> bool| name.as_bytes().first().is_some_and(kind);
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit()) && name.len() <= MAX_DIGITS;
    let is_number = is_number && begins_with(|byte| (b'1'..=b'9').contains(byte));
    let is_parameter = match sign {
        // `a::text` is a cast, `a[1:2]` a part of an array.
        b':' => before != Some(':') && !begins_with(u8::is_ascii_digit) && length > 0,
        b'?' => is_number,
        b'$' => is_number && !before.is_some_and(is_of_name),
        _ => false,
    };
    is_parameter.then_some(1 + length)
}

/// The length of what begins here and is read as one: a string, a name, a comment, or else a character
/// (https://www.postgresql.org/docs/current/sql-syntax-lexical.html).
fn token(sql: &str, at: usize) -> usize {
    let rest = &sql[at..];
    let until = |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |found| from + found + end.len());
    match rest.as_bytes()[0] {
        b'\'' if is_escaped(&sql[..at]) => escaped(rest),
        quote @ (b'\'' | b'"') => until(char::from(quote).encode_utf8(&mut [0; 4]), 1),
        b'-' if rest.starts_with("--") => until("\n", 2),
        b'/' if rest.starts_with("/*") => comment(rest),
        b'$' if !sql[..at].chars().next_back().is_some_and(is_of_name) => match rest[1..].find('$') {
            Some(end) if rest[1..=end].chars().all(is_of_name) => until(&rest[..end + 2], end + 2),
            _ => 1,
        },
        b':' if rest.starts_with("::") => 2,
        _ => rest.chars().next().map_or(1, char::len_utf8),
    }
}

/// Whether what stands before a quotation mark makes it a string with escapes.
fn is_escaped(before: &str) -> bool {
    let mut before = before.chars().rev();
    matches!(before.next(), Some('e' | 'E')) && !before.next().is_some_and(is_of_name)
}

fn escaped(rest: &str) -> usize {
    let mut bytes = rest.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'\'' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Comments hold comments.
fn comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// A value as the server reads it, whatever its settings: without a type as far as that can be.
fn put(sql: &mut String, value: &Value) {
    let _ = match value {
        Value::Null => write!(sql, "null"),
        Value::Integer(number) if *number < 0 => write!(sql, "({number})"),
        Value::Integer(number) => write!(sql, "{number}"),
        Value::Real(number) => write!(sql, "'{number}'::float8"),
        Value::Text(text) => {
            let text = text.replace('\0', "\u{fffd}").replace('\\', "\\\\").replace('\'', "''");
            write!(sql, "E'{text}'")
        }
        Value::Blob(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            write!(sql, "decode('{hex}', 'hex')")
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_where_they_are_none_of_a_string_a_name_a_comment_or_a_cast() {
        for (sql, parameters, filled) in [
            ("select :a, :b, :a", &[":a", ":b"][..], "select E'x', 7, E'x'"),
            ("select ?2 = ?1", &["?1", "?2"], "select 7 = E'x'"),
            ("select $2", &["?", "$2"], "select 7"),
            ("select ':a', \":b\", E'\\':c', $$:d$$, $x$ :e $$ $x$, a::text, a[1:2]", &[], ""),
            ("-- :a\nselect 1 /* :b /* :c */ :d */ ? 'k'", &[], ""),
            ("select e':a\\\\', :a", &[":a"], "select e':a\\\\', E'x'"),
            ("select 'it''s :a', $1a, a$1", &[], ""),
            ("select 'open :a", &[], ""),
            ("/* open :a", &[], ""),
        ] {
            let template = Template::new(sql);
            assert_eq!(template.parameters(), parameters, "{sql}");
            let expected = if parameters.is_empty() { sql } else { filled };
            assert_eq!(template.filled(&["x".into(), 7.into()]), expected);
        }
    }

    #[test]
    fn no_value_ends_its_literal() {
        let filled = |value: Value| Template::new("?1").filled(&[value]);
        assert_eq!(filled("'; drop table x; --\\".into()), "E'''; drop table x; --\\\\'");
        assert_eq!(filled("\\'\0".into()), "E'\\\\''\u{fffd}'");
        assert_eq!(filled((-5).into()), "(-5)");
        assert_eq!(filled(f64::NAN.into()), "'NaN'::float8");
        assert_eq!(filled(vec![0, 255].into()), "decode('00ff', 'hex')");
        assert_eq!(filled(Value::Null), "null");
    }

    #[test]
    fn the_first_word_is_behind_comments_and_brackets() {
        for (sql, word) in [
            (" -- a comment\n/* and another */ ((SELECT 1", "select"),
            ("delete from t", "delete"),
            (" ; -- nothing", ""),
            ("'a'", "'"),
        ] {
            assert_eq!(first_word(sql), word, "{sql}");
        }
    }
}
