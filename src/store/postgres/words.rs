//! Texts and searches as PostgreSQL's full-text search takes them. The words themselves are those of SQLite's FTS5, so that
//! both find the same: case and accents make no difference, and scripts without spaces are cut into characters. Each of these
//! is a word here, and so is each with its neighbour: of one word PostgreSQL keeps 255 places, and most characters have more.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rusqlite::Connection;

use crate::parse::unspaced;

/// Bytes of the words of a page and of one word, and positions of a page and of one word, at most
/// (https://www.postgresql.org/docs/current/textsearch-limitations.html).
const BYTES: usize = 900_000;
const WORD: usize = 2_046;
const POSITIONS: usize = 16_383;
const PLACES: usize = 255;

/// What marks the words of title, description and text.
pub const WEIGHTS: [char; 3] = ['A', 'B', 'C'];

/// Tells words apart, in a table in memory that takes one text at a time.
#[derive(Debug)]
pub struct Words(Connection);

impl Words {
    pub fn new() -> rusqlite::Result<Self> {
        let db = Connection::open_in_memory()?;
        let tokenizer = unspaced::tokenizer();
        db.execute_batch(&format!(
            "create virtual table piece using fts5 (text, content = '', tokenize = \"{tokenizer}\");
             create virtual table word using fts5vocab (piece, instance)"
        ))?;
        Ok(Self(db))
    }

    /// The words of a text in their order.
    pub fn of(&self, text: &str) -> rusqlite::Result<Vec<String>> {
        let cut = unspaced::cut(text);
        self.0
            .prepare_cached("insert into piece (rowid, text) values (1, ?1)")?
            .execute([cut.as_deref().unwrap_or(text)])?;
        let mut select = self.0.prepare_cached("select offset, term from word")?;
        let words = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut words: Vec<(i64, String)> = words.collect::<Result<_, _>>()?;
        self.0.prepare_cached("insert into piece (piece) values ('delete-all')")?.execute([])?;
        words.sort_unstable();
        Ok(words.into_iter().map(|(_, word)| word).collect())
    }

    /// Title, description and text as a `tsvector`.
    pub fn vector(&self, texts: [Option<&str>; 3]) -> rusqlite::Result<String> {
        let (mut vector, mut position) = (Vector::default(), 0);
        for (text, weight) in texts.into_iter().zip(WEIGHTS) {
            let mut last: Option<String> = None;
            for word in self.of(text.unwrap_or_default())? {
                position += 1;
                if let Some(pair) = last.as_ref().and_then(|last| pair(last, &word)) {
                    vector.add(pair, position, weight);
                }
                vector.add(word.clone(), position, weight);
                last = Some(word);
            }
            // No phrase goes on from one to the next.
            position += 1;
        }
        Ok(vector.text())
    }
}

/// Two neighbours as one word, if one of them is a character of a script without spaces.
pub fn pair(one: &str, other: &str) -> Option<String> {
    [one, other].iter().any(|word| word.starts_with(unspaced::is_cut)).then(|| format!("{one} {other}"))
}

/// The words of a page, each with its places.
#[derive(Default)]
struct Vector {
    places: BTreeMap<String, Vec<(usize, char)>>,
    bytes: usize,
}

impl Vector {
    fn add(&mut self, word: String, position: usize, weight: char) {
        let is_known = self.places.contains_key(&word);
        let size = if is_known { 2 } else { word.len() + 8 };
        if word.len() > WORD || self.bytes + size > BYTES || (is_known && position > POSITIONS) {
            return;
        }
        let known = self.places.entry(word).or_default();
        if known.len() < PLACES {
            known.push((position.min(POSITIONS), weight));
            self.bytes += size;
        }
    }

    fn text(self) -> String {
        let mut text = String::new();
        for (word, places) in self.places {
            let places: Vec<_> = places.into_iter().map(|(place, weight)| format!("{place}{weight}")).collect();
            let _ = write!(text, "{}:{} ", quoted(&word), places.join(","));
        }
        text
    }
}

/// A word as `tsvector` and `tsquery` have it.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\\', "\\\\").replace('\'', "''"))
}
