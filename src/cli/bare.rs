//! What a word means that stands alone on the command line: a database, which other programs take so, too.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::canonical::without_userinfo;
use crate::store::postgres::is_postgres;

/// Whether a file is a SQLite database (file format, section 1.2), which is never overwritten.
pub fn is_database(path: &Path) -> bool {
    let mut start = [0; 16];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"SQLite format 3\0"
}

/// Whether a word names a database: one that is there, or one that would be called so.
pub fn names_database(word: &str) -> bool {
    let path = Path::new(word);
    let is_called_so = || [".db", ".sqlite", ".sqlite3"].iter().any(|ending| word.ends_with(ending));
    is_postgres(word) || is_database(path) || (!path.exists() && is_called_so() && !word.contains(char::is_whitespace))
}

/// How to name the database that a word is.
pub fn named(word: &str) -> Option<String> {
    names_database(word).then(|| format!("a database is named with -d, such as -d {}", shown(word)))
}

/// A word that may be the address of a database or a site, without what may be a secret in it.
pub fn shown(word: &str) -> String {
    let bare = without_userinfo(word);
    match bare.split_once('?') {
        Some((before, _)) if bare.contains("://") => format!("{before}?…"),
        _ if bare.contains('@') && !bare.contains("…@") => {
            bare.rsplit_once('@').map_or_else(|| bare.clone(), |(_, behind)| format!("…@{behind}"))
        }
        _ => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_shown_without_what_may_be_a_password() {
        for word in ["POSTGRES://u:secret@h/db", "//u:secret@h/", "u:secret@h", "postgresql:///d?password=secret"] {
            assert!(!shown(word).contains("secret"), "{word}: {}", shown(word));
        }
        assert_eq!(["craul", "why?", "a.db"].map(shown), ["craul", "why?", "a.db"]);
    }
}
