//! What a word means that stands alone on the command line: a database, which other programs take so, too.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::canonical::without_userinfo;
use crate::store::postgres::is_postgres;

/// Whether a file is a SQLite database (file format, section 1.2), which is never overwritten.
pub fn is_database(path: &Path) -> bool {
    let mut start = [0; 16];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"SQLite format 3\0"
}

/// Whether a file has a name as databases have.
pub fn is_called_a_database(name: &str) -> bool {
    [".db", ".sqlite", ".sqlite3"].iter().any(|ending| name.ends_with(ending))
}

/// Whether a word names a database: one that is there, or one that would be called so.
pub fn names_database(word: &str) -> bool {
    let path = Path::new(word);
    let would_be = || is_called_a_database(word) && !word.contains(char::is_whitespace);
    is_postgres(word) || is_database(path) || (!path.exists() && would_be())
}

/// How to name the database that a word is.
pub fn named(word: &str) -> Option<String> {
    names_database(word).then(|| format!("a database is named with -d, such as -d {}", shown(word)))
}

/// A message without what may be passwords in what it quotes of the command line, the environment or a file.
pub fn without_secrets(message: &str) -> String {
    let shown_within = |found: &Captures<'_>| {
        let (quote, text) = (&found[0][..1], &found[0][1..found[0].len() - 1]);
        [quote, &shown(text), quote].concat()
    };
    QUOTED.as_ref().map_or_else(String::new, |quoted| quoted.replace_all(message, shown_within).into_owned())
}

/// A value that was given, without what may be passwords in it, as in an address or a connection string of a database.
pub fn shown(value: &str) -> String {
    let is_address = value.contains("://") || value.split_once('@').is_some_and(|(login, _)| login.contains(':'));
    let bare = if is_address { without_userinfo(value) } else { value.to_owned() };
    PASSWORD.as_ref().map_or_else(String::new, |password| password.replace_all(&bare, "$1=…").into_owned())
}

/// A backtick within what is quoted is one that nothing follows which ends a word.
static QUOTED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"`(?:[^`]|`[^\s,.;:)])*`|'[^']*'|"[^"]*""#).ok());
static PASSWORD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?i)(password)\s*=\s*(?:'[^']*'?|"[^"]*"?|[^\s&]+)"#).ok());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_without_the_passwords_in_what_it_quotes() {
        for (message, told) in [
            ("no file at `POSTGRES://u:a b@h/db`, really", "no file at `POSTGRES://…@h/db`, really"),
            ("cannot read `postgres:/u:x@h/db`: gone", "cannot read `…@h/db`: gone"),
            ("value 'u:x@h' for '--rate <N>': a@b", "value '…@h' for '--rate <N>': a@b"),
            ("string \"ftp://u:x@h/\", a number", "string \"ftp://…@h/\", a number"),
            ("`host=h password=x dbname=d`", "`host=h password=… dbname=d`"),
            ("`user = u password = 'a b' port = 1`", "`user = u password=… port = 1`"),
            ("no `postgres://u:a`b@h/d`: at `x`", "no `postgres://…@h/d`: at `x`"),
            ("`http://h/@me?to=x:me@h` is not crawled", "`http://h/@me?to=x:me@h` is not crawled"),
            (
                "no `/data/me@work/crawl.db`: give postgres://me@h/d",
                "no `/data/me@work/crawl.db`: give postgres://me@h/d",
            ),
        ] {
            assert_eq!(without_secrets(message), told);
        }
    }
}
