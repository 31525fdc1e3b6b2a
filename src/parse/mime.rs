//! What a Content-Type says.

use http::HeaderMap;
use http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

/// A media type, and the character encoding that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    /// Type and subtype, lower case.
    pub essence: String,
    pub charset: Option<String>,
}

/// The media type of a response: the last valid one of its Content-Type lines (Fetch standard, section 3.4, "extract a
/// MIME type"). None if there is none, or if it only says that it is unknown.
pub fn of(headers: &HeaderMap) -> Option<MediaType> {
    let mut lines = headers.get_all(CONTENT_TYPE).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    let mut list = lines.next()?;
    for line in lines {
        // What is quoted may go on in the next line.
        list.to_mut().push_str(", ");
        list.to_mut().push_str(&line);
    }
    let mut found: Option<MediaType> = None;
    for value in members(&list) {
        let Some(mut next) = parse(value).filter(|next| next.essence != "*/*") else { continue };
        if let Some(before) = found.filter(|before| before.essence == next.essence) {
            next.charset = next.charset.or(before.charset);
        }
        found = Some(next);
    }
    // WHATWG MIME Sniffing, section 7.
    found.filter(|found| !matches!(found.essence.as_str(), "unknown/unknown" | "application/unknown"))
}

/// What servers say by default of all that they do not know (WHATWG MIME Sniffing, section 5.1, "check-for-apache-bug").
const DEFAULTS: [&[u8]; 4] =
    [b"text/plain", b"text/plain; charset=ISO-8859-1", b"text/plain; charset=iso-8859-1", b"text/plain; charset=UTF-8"];

/// Whether the Content-Type may be no more than a server's default.
pub(super) fn may_be_mistaken(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_TYPE).iter().next_back().is_some_and(|value| DEFAULTS.contains(&value.as_bytes()))
}

/// Whether the Content-Type is to be taken at its word (Fetch standard, section 3.6, "determine nosniff").
pub(super) fn forbids_sniffing(headers: &HeaderMap) -> bool {
    let first = headers.get(X_CONTENT_TYPE_OPTIONS).and_then(|value| value.to_str().ok()?.split(',').next());
    first.is_some_and(|word| word.trim().eq_ignore_ascii_case("nosniff"))
}

/// Parses one media type (WHATWG MIME Sniffing, section 4.4).
fn parse(text: &str) -> Option<MediaType> {
    let (essence, parameters) = text.split_at(text.find(';').unwrap_or(text.len()));
    let essence = essence.trim().to_ascii_lowercase();
    let (main, sub) = essence.split_once('/')?;
    let is_token = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    (is_token(main) && is_token(sub)).then(|| MediaType { charset: charset(parameters), essence })
}

/// The first charset among parameters. Single quotes are no part of it, as Chromium has it.
fn charset(mut rest: &str) -> Option<String> {
    while let Some((_, parameter)) = rest.split_once(';') {
        let (name, behind) = parameter.split_at(parameter.find([';', '=']).unwrap_or(parameter.len()));
        rest = behind;
        let Some(value) = behind.strip_prefix('=') else { continue };
        let value = match value.trim_start().strip_prefix('"') {
            Some(quoted) => {
                let (value, behind) = unquote(quoted);
                rest = behind;
                Some(value)
            }
            None => {
                let (value, behind) = value.split_at(value.find(';').unwrap_or(value.len()));
                rest = behind;
                Some(value.trim().trim_matches('\'').to_owned()).filter(|value| !value.is_empty())
            }
        };
        if value.is_some() && name.trim_start().eq_ignore_ascii_case("charset") {
            return value;
        }
    }
    None
}

/// The value of a quoted string that has been opened, and what follows it (Fetch standard, section 2.2, "collect an HTTP
/// quoted string").
fn unquote(quoted: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.push(characters.next().unwrap_or('\\')),
            other => value.push(other),
        }
    }
    (value, characters.as_str())
}

/// The members of a list, whose commas count outside quoted strings only (Fetch standard, section 2.2, "get, decode, and
/// split").
fn members(list: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    list.split(move |character| {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = is_quoted,
            '"' => is_quoted = !is_quoted,
            _ => return character == ',' && !is_quoted,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use encoding_rs::Encoding;
    use http::HeaderValue;

    use super::*;

    fn extract(lines: &[&'static str]) -> Option<(String, Option<String>)> {
        let headers = lines.iter().map(|&line| (CONTENT_TYPE, HeaderValue::from_static(line))).collect();
        of(&headers).map(|found| (found.essence, found.charset))
    }

    fn charset_of(line: &'static str) -> Option<String> {
        extract(&[line]).and_then(|(_, charset)| charset)
    }

    #[test]
    fn a_charset_is_found_however_its_header_is_written() {
        for text in ["text/html; charset=x", "text/html ;;Charset= 'x';", "a/b;charset=;q=1;charset=\"x\";charset=y"] {
            assert_eq!(charset_of(text).as_deref(), Some("x"), "{text}");
        }
        assert_eq!(charset_of("text/html"), None);
        assert_eq!(charset_of("text/html; charset"), None);
        assert_eq!(charset_of("text/html; xcharset=y"), None);
    }

    /// WHATWG MIME Sniffing, section 4.4, steps 8 to 11, and Encoding standard, 4.2 "get an encoding": what is named, and
    /// what that means. Where the standard reads nothing, Chromium reads what is marked so.
    #[test]
    fn a_charset_is_what_the_standard_reads_or_else_chromium() {
        let long = format!("text/html;{}=x;charset=gbk", "0123456789".repeat(13)).leak();
        let table = [
            ("text/html", None, None),
            ("text/html;charset=gbk", Some("gbk"), Some("GBK")),
            ("TEXT/HTML;CHARSET=GBK", Some("GBK"), Some("GBK")),
            ("text/html;charset=gbk(", Some("gbk("), None),
            ("text/html;x=(;charset=gbk", Some("gbk"), Some("GBK")),
            ("text/html;charset=gbk;charset=windows-1255", Some("gbk"), Some("GBK")),
            ("text/html;charset=none;charset=gbk", Some("none"), None),
            ("text/html;charset =gbk", None, None),
            ("text/html ;charset=gbk", Some("gbk"), Some("GBK")),
            ("text/html; charset=gbk", Some("gbk"), Some("GBK")),
            ("text/html;\tcharset=gbk\t", Some("gbk"), Some("GBK")),
            ("text/html;charset= gbk", Some("gbk"), Some("GBK")),
            ("text/html;charset=gbk ;x", Some("gbk"), Some("GBK")),
            ("text/html;charset='gbk'", Some("gbk"), Some("GBK")), // Chromium
            ("text/html;charset='gbk", Some("gbk"), Some("GBK")),  // Chromium
            ("text/html;charset=gbk'", Some("gbk"), Some("GBK")),  // Chromium
            ("text/html;test;charset=gbk", Some("gbk"), Some("GBK")),
            ("text/html;test=;charset=gbk", Some("gbk"), Some("GBK")),
            ("text/html;';charset=gbk", Some("gbk"), Some("GBK")),
            ("text/html;\";charset=gbk", Some("gbk"), Some("GBK")),
            ("text/html ; ; charset=gbk", Some("gbk"), Some("GBK")),
            ("text/html;;;;charset=gbk", Some("gbk"), Some("GBK")),
            ("text/html;charset=;charset=gbk", Some("gbk"), Some("GBK")),
            ("text/html;charset;charset=gbk", Some("gbk"), Some("GBK")),
            ("text/html;charset=\"\";charset=gbk", Some(""), None),
            ("text/html;charset='';charset=gbk", Some("gbk"), Some("GBK")), // Chromium
            ("text/html;charset=gbk\"", Some("gbk\""), None),
            ("text/html;charset=\" gbk\"", Some(" gbk"), Some("GBK")),
            ("text/html;charset=\"\\ gbk\"", Some(" gbk"), Some("GBK")),
            ("text/html;charset=\"\\g\\b\\k\"", Some("gbk"), Some("GBK")),
            ("text/html;charset=\"gbk\"x", Some("gbk"), Some("GBK")),
            ("text/html;charset={gbk}", Some("{gbk}"), None),
            ("text/html;charset=\"gb k\"", Some("gb k"), None),
            ("text/html;xcharset=gbk", None, None),
            (long, Some("gbk"), Some("GBK")),
        ];
        for (line, named, meant) in table {
            let charset = charset_of(line);
            assert_eq!(charset.as_deref(), named, "{line}");
            let encoding = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
            assert_eq!(encoding.map(Encoding::name), meant, "{line}");
        }
    }

    /// WHATWG MIME Sniffing, section 4.4, steps 11.8 and 11.9.
    #[test]
    fn what_is_quoted_is_one_value() {
        let table = [
            (r#"text/html; x="a; charset=utf-7;"; charset=iso-8859-2"#, "iso-8859-2"),
            (r#"text/html; x="a, b/c;charset=q"; charset=x"#, "x"),
            (r#"text/html;charset="x""#, "x"),
            (r#"text/html;charset="x"#, "x"),
            (r#"text/html;charset="\x\\" ; charset=y"#, r"x\"),
            (r#"text/html;charset="x" junk;charset=y"#, "x"),
            (r#"text/html; y="\"; charset=no"; charset=x"#, "x"),
        ];
        for (line, charset) in table {
            assert_eq!(charset_of(line).as_deref(), Some(charset), "{line}");
        }
    }

    /// Fetch standard, section 3.4, with its examples.
    #[test]
    fn of_several_the_last_valid_one_counts() {
        type Found = Option<(&'static str, Option<&'static str>)>;
        let table: [(&[&str], Found); 19] = [
            (&["text/plain;charset=gbk, text/html"], Some(("text/html", None))),
            (&["text/html;charset=gbk;a=b, text/html;x=y"], Some(("text/html", Some("gbk")))),
            (&["text/html;charset=gbk;a=b", "text/html;x=y"], Some(("text/html", Some("gbk")))),
            (&["text/html;charset=gbk", "x/x", "text/html;x=y"], Some(("text/html", None))),
            (&["text/html", "cannot-parse"], Some(("text/html", None))),
            (&["text/html", "*/*"], Some(("text/html", None))),
            (&["text/html", ""], Some(("text/html", None))),
            (&["text/html,text/html"], Some(("text/html", None))),
            (&[" Text/HTML ;charset=x"], Some(("text/html", Some("x")))),
            (&["text/html;charset=a,text/html;charset=b"], Some(("text/html", Some("b")))),
            (&["text/html;x=\"", "text/plain"], Some(("text/html", None))),
            (&["text/html;\"", "a/b", "\";charset=x"], Some(("text/html", Some("x")))),
            (&["text/html;\"", "\"", "a/b"], Some(("a/b", None))),
            (&["text/html;charset=gbk", "x", "text/html"], Some(("text/html", Some("gbk")))),
            (&["html"], None),
            (&["text/ html", "/html", "text/"], None),
            (&["*/*"], None),
            (&["unknown/unknown"], None),
            (&["application/unknown;charset=x"], None),
        ];
        for (lines, expected) in table {
            let expected = expected.map(|(essence, charset)| (essence.to_owned(), charset.map(str::to_owned)));
            assert_eq!(extract(lines), expected, "{lines:?}");
        }
        assert_eq!(extract(&[]), None);
    }
}
