//! Cookies from a Netscape `cookies.txt`, as curl and the extensions of browsers write it.

use std::path::Path;

use super::cookies::{Cookie, is_public_suffix};
use crate::config::ConfigError;
use crate::parse::cookie::MAX_PAIR;

/// What stands before the domain of a cookie that scripts do not see.
const HTTP_ONLY: &str = "#HttpOnly_";

/// Reads a file. A line that is no cookie is told by its number, never with what it holds.
pub(super) fn read(path: &Path) -> Result<Vec<Cookie>, ConfigError> {
    let file = path.display();
    let refuse = |problem: String| ConfigError { option: "cookies", problem };
    let bytes = std::fs::read(path).map_err(|e| refuse(format!("cannot read `{file}`: {e}")))?;
    parse(&bytes).map_err(|(line, problem)| refuse(format!("{file}, line {line}: {problem}")))
}

/// The cookies of a file, or the number of a line that is none and what is wrong with it.
pub fn parse(bytes: &[u8]) -> Result<Vec<Cookie>, (usize, &'static str)> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = 1 + bytes[..e.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        (line, "it is not UTF-8")
    })?;
    let mut cookies = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let is_comment = line.starts_with('#') && !line.starts_with(HTTP_ONLY);
        if !is_comment && !line.trim().is_empty() {
            cookies.push(cookie(line.strip_prefix(HTTP_ONLY).unwrap_or(line)).map_err(|problem| (index + 1, problem))?);
        }
    }
    Ok(cookies)
}

fn cookie(line: &str) -> Result<Cookie, &'static str> {
    let mut fields = line.trim_end_matches('\r').splitn(7, '\t');
    let mut field = || fields.next().ok_or("it does not have seven fields with tabs between them");
    let (domain, below, path, secure, expires, name) = (field()?, field()?, field()?, field()?, field()?, field()?);
    // Of a cookie without a value curl leaves out the tab too.
    let value = fields.next().unwrap_or_default();
    let is_true = |text: &str| match text {
        _ if text.eq_ignore_ascii_case("true") => Ok(true),
        _ if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err("the second and the fourth field are TRUE or FALSE"),
    };
    let domain = url::Host::parse(domain.trim_start_matches('.')).map(|host| host.to_string()).ok();
    let domain = domain.filter(|domain| !domain.starts_with('.')).ok_or("the first field is no domain")?;
    if !path.starts_with('/') {
        return Err("the third field is no path");
    }
    // Some programs write fractions of a second; 0 is a cookie of the session.
    let expires =
        expires.parse::<f64>().ok().filter(|seconds| seconds.is_finite()).ok_or("the fifth field is no time")?;
    if value.chars().chain(name.chars()).any(char::is_control) || name.len() + value.len() > MAX_PAIR {
        return Err("name or value are none of a cookie");
    }
    Ok(Cookie {
        name: name.into(),
        value: value.into(),
        host_only: !is_true(below)? || is_public_suffix(&domain),
        domain,
        path: path.into(),
        secure: is_true(secure)?,
        #[expect(clippy::cast_possible_truncation, reason = "a conversion with `as` ends at the bounds")]
        expires: (expires > 0.0).then_some(expires as i64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_a_name_or_an_address_and_nothing_more() {
        let domain = |field: &str| {
            let line = format!("{field}\tTRUE\t/\tFALSE\t0\tname\tvalue\n");
            parse(line.as_bytes()).map(|cookies| cookies[0].domain.clone())
        };
        for (field, name) in
            [("a.test", "a.test"), (".A.test", "a.test"), ("127.0.0.1", "127.0.0.1"), ("[::1]", "[::1]")]
        {
            assert_eq!(domain(field).as_deref(), Ok(name), "{field}");
        }
        for field in
            ["", ".", "/.a.test", "a.test/b", "me@a.test", "a.test:80", "a.test?", "\\a.test", "a b", "\u{ad}.a.test"]
        {
            assert_eq!(domain(field), Err((1, "the first field is no domain")), "{field}");
        }
    }
}
