//! Where the words stand in a page. FTS5 takes time that grows with the square of the hits in a document, so it is asked
//! for a piece at a time.

use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::hit::Hit;
use crate::parse::unspaced;

const MARKS: [char; 2] = Hit::MARKS;
/// What stands where text is left out, until the line is done.
const GAP: char = '\u{4}';
const OURS: [char; 3] = [MARKS[0], MARKS[1], GAP];

/// Bytes of a piece, about.
const PIECE: usize = 4 << 10;
/// Words of a line, and of one where each character is a word to FTS5, which allows no more.
const WORDS: [u8; 2] = [32, 64];
/// Bytes of the beginning of a text, which is shown where nothing better is.
const BEGINNING: usize = 600;

/// A table in memory that takes one page at a time, in pieces.
pub struct Snippets(Connection);

impl Snippets {
    pub fn new() -> rusqlite::Result<Self> {
        let db = Connection::open_in_memory()?;
        let tokenizer = unspaced::tokenizer();
        db.execute_batch(&format!(
            "create virtual table piece using fts5 (title, description, text, tokenize = \"{tokenizer}\")"
        ))?;
        Ok(Self(db))
    }

    /// One line of title, description and text around the words; the beginning of the text if no piece of it has them all.
    pub fn of(&self, words: &str, [title, description, text]: [Option<&str>; 3]) -> rusqlite::Result<String> {
        let [title, description, text] =
            [title, description, text].map(|text| text.unwrap_or_default().replace(OURS, " "));
        let pieces = pieces(&text);
        self.0.execute_batch("begin; delete from piece")?;
        let mut insert =
            self.0.prepare_cached("insert into piece (rowid, title, description, text) values (?1, ?2, ?3, ?4)")?;
        for (id, piece) in (0_i64..).zip(&pieces) {
            insert.execute((id, cut(&title), cut(&description), cut(piece)))?;
        }
        self.0.execute_batch("commit")?;
        let snippet =
            "with best (id) as materialized (select rowid from piece where piece match ?1 order by rank limit 1)
            select best.id, snippet(piece, 2, char(2), char(3), char(4), ?2),
                snippet(piece, -1, char(2), char(3), char(4), ?2)
            from best cross join piece on piece.rowid = best.id where piece match ?1";
        let mut ask = self.0.prepare_cached(snippet)?;
        let at_most = WORDS[usize::from(text.contains(unspaced::is_cut))];
        let found = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?));
        let line = match ask.query_row((words, at_most), found).optional()? {
            // The words may stand in title and description alone: then the line is from there.
            Some((id, of_text, of_best)) => {
                let line = if of_text.contains(MARKS[0]) { of_text } else { of_best };
                let piece = usize::try_from(id).ok().and_then(|id| pieces.get(id)).copied();
                as_written(&line, [piece.unwrap_or_default(), &title, &description])
            }
            None => {
                text[..text.floor_char_boundary(BEGINNING)].split_whitespace().take(32).collect::<Vec<_>>().join(" ")
                    + "…"
            }
        };
        Ok(line.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

fn cut(text: &str) -> Cow<'_, str> {
    unspaced::cut(text).map_or(text.into(), Cow::Owned)
}

/// A line of one of the texts, as it was before it was cut.
fn as_written(line: &str, texts: [&str; 3]) -> String {
    let words = line.replace(OURS, "");
    let of_text = |text: &str| {
        let mut pieces = vec![(0, 0)];
        let cut = unspaced::cut_and_tell(text, |cut, whole| pieces.push((cut, whole)))?;
        pieces.push((cut.len(), text.len()));
        let mut at = cut.find(&words)?;
        let mut written = String::new();
        for part in line.split_inclusive(OURS) {
            let end = at + part.trim_end_matches(OURS).len();
            written.push_str(text.get(whole(&cut, &pieces, at)..whole(&cut, &pieces, end))?);
            written.extend(part.chars().next_back().filter(|c| OURS.contains(c)));
            at = end;
        }
        Some(written)
    };
    texts.into_iter().find_map(of_text).unwrap_or_else(|| line.to_owned()).replace(GAP, "…")
}

/// Where a place in what is cut was before, by where pieces of it begin. A separator belongs to the piece before.
fn whole(cut: &str, pieces: &[(usize, usize)], at: usize) -> usize {
    let next = pieces.partition_point(|(cut, _)| *cut < at);
    match pieces.get(next) {
        Some((begin, whole)) if cut[at..*begin].chars().all(|c| c == unspaced::SEPARATOR) => *whole,
        _ => pieces.get(next.saturating_sub(1)).map_or(0, |(begin, whole)| whole + at - begin),
    }
}

/// The text in pieces that end between words, at least one.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > PIECE {
        let (piece, tail) = rest.split_at(piece_end(rest));
        pieces.push(piece);
        rest = tail;
    }
    pieces.push(rest);
    pieces
}

/// Sentences of scripts without spaces end with signs of their own; one that is endless is broken.
fn piece_end(text: &str) -> usize {
    let end_of = |from: usize, ends: fn(char) -> bool| {
        let from = text.ceil_char_boundary(from);
        text[from..].find(ends).map_or(text.len(), |at| from + at)
    };
    let end = end_of(PIECE, |c| c.is_whitespace() || matches!(c, '、' | '。' | '，' | '！' | '？' | '；'));
    if end < 2 * PIECE { end } else { end.min(end_of(2 * PIECE, unspaced::is_cut)) }
}
