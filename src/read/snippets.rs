//! Where the words stand in a page. FTS5 takes time that grows with the square of the hits in a document, so it is asked
//! for a piece at a time.

use rusqlite::{Connection, OptionalExtension as _};

/// What stands before and after a hit. Where a page itself has these characters, they are taken out.
pub const MARKS: [char; 2] = ['\u{2}', '\u{3}'];

/// Bytes of a piece, about.
const PIECE: usize = 4 << 10;

/// A table in memory that takes one page at a time, in pieces.
pub struct Snippets(Connection);

impl Snippets {
    pub fn new() -> rusqlite::Result<Self> {
        let db = Connection::open_in_memory()?;
        db.execute_batch(
            "create virtual table piece using fts5 (title, description, text,
                 tokenize = 'unicode61 remove_diacritics 2')",
        )?;
        Ok(Self(db))
    }

    /// One line of title, description and text around the words; the beginning of the text if no piece of it has them all.
    pub fn of(&self, words: &str, [title, description, text]: [Option<&str>; 3]) -> rusqlite::Result<String> {
        let [title, description, text] =
            [title, description, text].map(|text| text.unwrap_or_default().replace(MARKS, " "));
        self.0.execute_batch("begin; delete from piece")?;
        let mut insert = self.0.prepare_cached("insert into piece (title, description, text) values (?1, ?2, ?3)")?;
        for piece in pieces(&text) {
            insert.execute((&title, &description, piece))?;
        }
        self.0.execute_batch("commit")?;
        let snippet =
            "with best (id) as materialized (select rowid from piece where piece match ?1 order by rank limit 1)
            select snippet(piece, 2, char(2), char(3), '…', 32), snippet(piece, -1, char(2), char(3), '…', 32)
            from best cross join piece on piece.rowid = best.id where piece match ?1";
        let mut ask = self.0.prepare_cached(snippet)?;
        let found: Option<[String; 2]> = ask.query_row([words], |row| Ok([row.get(0)?, row.get(1)?])).optional()?;
        let line = match found {
            // The words may stand in title and description alone: then the line is from there.
            Some([of_text, _]) if of_text.contains(MARKS[0]) => of_text,
            Some([_, of_best]) => of_best,
            None => text.split_whitespace().take(32).collect::<Vec<_>>().join(" ") + "…",
        };
        Ok(line.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// The text in pieces that end between words, at least one.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > PIECE {
        let end = rest.ceil_char_boundary(PIECE);
        let end = rest[end..].find(char::is_whitespace).map_or(rest.len(), |at| end + at);
        let (piece, tail) = rest.split_at(end);
        pieces.push(piece);
        rest = tail;
    }
    pieces.push(rest);
    pieces
}
