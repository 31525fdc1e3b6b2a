//! A search in the syntax of SQLite's FTS5 (https://sqlite.org/fts5.html, section 3) as PostgreSQL's `tsquery`. That the
//! syntax is sound is FTS5's own to say, before this.

use std::iter::Peekable;

use crate::read::error::ReadError;
use crate::store::postgres::words::{WEIGHTS, Words, pair, quoted};

/// The columns in the order of their weights.
const COLUMNS: [&str; 3] = ["title", "description", "text"];
/// How many words lie between those of a NEAR, if it does not say, and at most.
const NEAR: usize = 10;
const MAX_NEAR: usize = 50;

#[derive(Debug, PartialEq)]
enum Token {
    /// A word, or what stands in quotation marks.
    Bare(String),
    Quoted(String),
    Sign(char),
}

/// The search; `None` if no word is in it.
pub fn tsquery(search: &str, words: &Words) -> Result<Option<String>, ReadError> {
    let mut parser = Parser { tokens: tokens(search).into_iter().peekable(), words };
    let all = COLUMNS.map(|_| true);
    let query = parser.or(all)?;
    match parser.tokens.next() {
        None => Ok(query),
        Some(token) => Err(not_understood(&token)),
    }
}

fn not_understood(token: &Token) -> ReadError {
    let (Token::Bare(text) | Token::Quoted(text)) = token else {
        let Token::Sign(sign) = token else { return unsound("syntax error".to_owned()) };
        return unsound(format!("`{sign}` is not understood on PostgreSQL"));
    };
    unsound(format!("`{text}` is not understood here"))
}

fn unsound(problem: String) -> ReadError {
    ReadError::Sql { problem }
}

fn tokens(search: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = search.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '"' {
            let mut text = String::new();
            while let Some(c) = rest.next() {
                // A quotation mark within is written twice.
                if c == '"' && rest.next_if_eq(&'"').is_none() {
                    break;
                }
                text.push(c);
            }
            tokens.push(Token::Quoted(text));
        } else if is_bare(c) {
            let mut text = String::from(c);
            while let Some(c) = rest.next_if(|c| is_bare(*c)) {
                text.push(c);
            }
            tokens.push(Token::Bare(text));
        } else if !c.is_whitespace() {
            tokens.push(Token::Sign(c));
        }
    }
    tokens
}

/// What FTS5 takes for a word without quotation marks.
fn is_bare(c: char) -> bool {
    (!c.is_ascii() && !c.is_whitespace()) || c.is_ascii_alphanumeric() || matches!(c, '_' | '\u{1a}')
}

/// Words one after the other.
struct Phrase {
    query: String,
    words: usize,
}

struct Parser<'a> {
    tokens: Peekable<std::vec::IntoIter<Token>>,
    words: &'a Words,
}

/// Which columns are looked in.
type Columns = [bool; 3];
/// None where no word is left.
type Part = Result<Option<String>, ReadError>;

impl Parser<'_> {
    fn takes(&mut self, sign: char) -> bool {
        self.tokens.next_if_eq(&Token::Sign(sign)).is_some()
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Bare(text) if text == word)).is_some()
    }

    fn or(&mut self, columns: Columns) -> Part {
        let mut whole = self.and(columns)?;
        while self.takes_word("OR") {
            whole = joined(whole, " | ", self.and(columns)?);
        }
        Ok(whole)
    }

    fn and(&mut self, columns: Columns) -> Part {
        let mut whole = self.not(columns)?;
        while self.takes_word("AND") {
            whole = joined(whole, " & ", self.not(columns)?);
        }
        Ok(whole)
    }

    fn not(&mut self, columns: Columns) -> Part {
        let mut whole = self.side_by_side(columns)?;
        while self.takes_word("NOT") {
            whole = joined(whole, " & !", self.side_by_side(columns)?);
        }
        Ok(whole)
    }

    /// What stands beside each other is to be there all.
    fn side_by_side(&mut self, columns: Columns) -> Part {
        let mut whole = self.item(columns)?;
        while self.tokens.peek().is_some_and(|token| match token {
            Token::Bare(word) => !["OR", "AND", "NOT"].contains(&word.as_str()),
            Token::Quoted(_) => true,
            Token::Sign(sign) => matches!(sign, '(' | '{' | '-' | '^'),
        }) {
            whole = joined(whole, " & ", self.item(columns)?);
        }
        Ok(whole)
    }

    fn item(&mut self, columns: Columns) -> Part {
        match self.tokens.next() {
            Some(Token::Sign('(')) => {
                let whole = self.or(columns)?;
                self.takes(')');
                Ok(whole)
            }
            Some(Token::Sign(sign @ ('-' | '{'))) => {
                let is_left_out = sign == '-';
                let named = if sign == '{' || self.takes('{') { self.names()? } else { vec![self.name()?] };
                self.of_columns(&named, is_left_out, columns)
            }
            Some(Token::Bare(name)) if self.takes(':') => self.of_columns(&[name], false, columns),
            Some(Token::Bare(word)) if word == "NEAR" && self.takes('(') => self.near(columns),
            Some(Token::Bare(text) | Token::Quoted(text)) => {
                Ok(self.phrase(&text, columns, true)?.map(|phrase| phrase.query))
            }
            Some(token) => Err(not_understood(&token)),
            None => Ok(None),
        }
    }

    fn name(&mut self) -> Result<String, ReadError> {
        match self.tokens.next() {
            Some(Token::Bare(name) | Token::Quoted(name)) => Ok(name),
            other => Err(other.map_or_else(|| unsound("syntax error".to_owned()), |token| not_understood(&token))),
        }
    }

    /// Names of columns, up to the bracket.
    fn names(&mut self) -> Result<Vec<String>, ReadError> {
        let mut names = Vec::new();
        while !self.takes('}') {
            names.push(self.name()?);
        }
        Ok(names)
    }

    fn of_columns(&mut self, named: &[String], is_left_out: bool, within: Columns) -> Part {
        self.takes(':');
        let is_named = |column: &str| named.iter().any(|name| name.eq_ignore_ascii_case(column));
        let columns = std::array::from_fn(|at| within[at] && is_named(COLUMNS[at]) != is_left_out);
        self.item(columns)
    }

    /// Words one after the other: by pairs where there are some, or by their places alone, which are kept of the first.
    fn phrase(&mut self, first: &str, columns: Columns, by_pairs: bool) -> Result<Option<Phrase>, ReadError> {
        let mut words = self.words.of(first).map_err(|e| ReadError::of(&e))?;
        let mut is_open = self.takes('*');
        while self.takes('+') {
            let next = self.name()?;
            words.extend(self.words.of(&next).map_err(|e| ReadError::of(&e))?);
            is_open = self.takes('*');
        }
        let weights: String = match columns {
            [true, true, true] => String::new(),
            _ => WEIGHTS.iter().zip(columns).filter(|(_, is_in)| *is_in).map(|(weight, _)| *weight).collect(),
        };
        // No word is in none of the columns.
        let weights = if columns.contains(&true) { weights } else { "D".to_owned() };
        let last = words.len().saturating_sub(1);
        let marked = |word: &str, at: usize| {
            let open = if is_open && at == last { "*" } else { "" };
            let kind = if open.is_empty() && weights.is_empty() { String::new() } else { format!(":{open}{weights}") };
            quoted(word) + &kind
        };
        let Some(first) = words.first() else { return Ok(None) };
        let pair = |one: &str, other: &str| pair(one, other).filter(|_| by_pairs);
        let mut phrase = String::new();
        if words.get(1).is_none_or(|second| pair(first, second).is_none()) {
            phrase = marked(first, 0);
        }
        for (at, neighbours) in words.windows(2).enumerate() {
            let [one, other] = neighbours else { continue };
            if let Some(pair) = pair(one, other) {
                let and = if phrase.is_empty() { "" } else { " & " };
                phrase.push_str(&format!("{and}{}", marked(&pair, at + 1)));
            } else {
                phrase.push_str(&format!(" <-> {}", marked(other, at + 1)));
            }
        }
        Ok(Some(Phrase { query: format!("({phrase})"), words: words.len() }))
    }

    /// Phrases with few words between each two of them.
    fn near(&mut self, columns: Columns) -> Part {
        let (mut phrases, mut between) = (Vec::new(), NEAR);
        while !self.takes(')') {
            if self.takes(',') {
                between = self.name()?.parse().unwrap_or(NEAR).min(MAX_NEAR);
                continue;
            }
            let first = self.name()?;
            phrases.extend(self.phrase(&first, columns, false)?);
        }
        let mut whole = phrases.first().filter(|_| phrases.len() == 1).map(|phrase| phrase.query.clone());
        for (at, one) in phrases.iter().enumerate() {
            for other in &phrases[at + 1..] {
                let after = (1..=between + 1).flat_map(|distance| {
                    [(one, other), (other, one)]
                        .map(|(left, right)| format!("{} <{}> {}", left.query, distance + right.words - 1, right.query))
                });
                let pair = format!("({})", after.collect::<Vec<_>>().join(" | "));
                whole = joined(whole, " & ", Some(pair));
            }
        }
        Ok(whole)
    }
}

fn joined(one: Option<String>, by: &str, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(format!("({one}{by}{other})")),
        // What is not to be there is left out where nothing is looked for.
        (None, Some(_)) if by.ends_with('!') => None,
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_of_fts5_become_those_of_tsquery() {
        let words = Words::new().unwrap();
        for (search, expected) in [
            ("Orb wéaver", "(('orb') & ('weaver'))"),
            ("\"orb weaver\" OR spid*", "(('orb' <-> 'weaver') | ('spid':*))"),
            ("a b NOT c", "((('a') & ('b')) & !('c'))"),
            ("a OR b AND c", "(('a') | (('b') & ('c')))"),
            ("title: a NOT description : (b OR c*)", "(('a':A) & !(('b':B) | ('c':*B)))"),
            ("{title text}: a", "('a':AC)"),
            ("- text : \"a b\"", "('a':AB <-> 'b':AB)"),
            ("one + two + three*", "('one' <-> 'two' <-> 'three':*)"),
            ("NEAR(a b, 1)", "(('a') <1> ('b') | ('b') <1> ('a') | ('a') <2> ('b') | ('b') <2> ('a'))"),
            ("\"全 文\" it", "(('全 文') & ('it'))"),
            ("\"my iphone 手 机\" 检*", "(('my' <-> 'iphone' & 'iphone 手' & '手 机') & ('检':*))"),
        ] {
            assert_eq!(tsquery(search, &words).unwrap().as_deref(), Some(expected), "{search}");
        }
        assert_eq!(tsquery("\"...\"", &words).unwrap(), None);
        assert!(tsquery("^a", &words).is_err());
    }
}
