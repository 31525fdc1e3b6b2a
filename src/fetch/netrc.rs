//! Credentials from a netrc file, as curl reads it (curl(1), `--netrc-file`).

use std::path::Path;

use crate::config::{ConfigError, Secret, basic};

/// The machines of a file, in their order.
#[derive(Debug, Default)]
pub struct Netrc(Vec<Machine>);

/// A machine, or with no name `default`, which is any.
#[derive(Debug, Default, PartialEq)]
struct Machine {
    name: Option<String>,
    login: Option<Vec<u8>>,
    password: Option<Vec<u8>>,
}

impl Netrc {
    /// Reads a file. What is wrong is told by its line, never with what it holds.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display();
        let refuse = |problem: String| ConfigError { option: "netrc", problem };
        let text = std::fs::read(path).map_err(|e| refuse(format!("cannot read `{file}`: {e}")))?;
        Self::parse(&text).map_err(|line| refuse(format!("{file}, line {line}: a quotation mark is not closed")))
    }

    /// Fails with the number of the line on which a quotation mark is not closed.
    pub fn parse(text: &[u8]) -> Result<Self, usize> {
        let mut machines: Vec<Machine> = Vec::new();
        let mut awaited = Vec::new();
        let mut is_macro = false;
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            // A macro ends with an empty line.
            is_macro &= !line.is_empty();
            let words = if is_macro { Vec::new() } else { words(line).ok_or(index + 1)? };
            for word in words {
                let keyword = word.to_ascii_lowercase();
                let before = std::mem::take(&mut awaited);
                match (before.as_slice(), keyword.as_slice()) {
                    (b"machine", _) => {
                        let name = Some(String::from_utf8_lossy(&word).into_owned());
                        machines.push(Machine { name, ..Machine::default() });
                    }
                    (b"login", _) => set(machines.last_mut(), |machine| &mut machine.login, word),
                    (b"password", _) => set(machines.last_mut(), |machine| &mut machine.password, word),
                    (b"account", _) => {}
                    (_, b"machine" | b"login" | b"password" | b"account") => awaited.clone_from(&keyword),
                    (_, b"default") => machines.push(Machine::default()),
                    (_, b"macdef") => {
                        is_macro = true;
                        break;
                    }
                    _ => {}
                }
            }
        }
        Ok(Self(machines))
    }

    /// The value of `Authorization` for a host.
    pub fn authorization(&self, host: &str) -> Option<Secret> {
        let is_meant = |machine: &&Machine| machine.name.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(host));
        let mut meant = self.0.iter().filter(is_meant).filter(|machine| machine.login.is_some());
        let whole = meant.clone().find(|machine| machine.password.is_some());
        let Machine { login, password, .. } = whole.or_else(|| meant.next())?;
        Some(basic(login.as_ref()?, password.as_deref().unwrap_or_default()))
    }
}

/// The first login and the first password of a machine count.
fn set(machine: Option<&mut Machine>, field: impl Fn(&mut Machine) -> &mut Option<Vec<u8>>, word: Vec<u8>) {
    if let Some(machine) = machine {
        field(machine).get_or_insert(word);
    }
}

/// The words of a line: what blanks and control characters part, or quotation marks hold. Where a word would begin, `#`
/// begins a comment.
/// None if a quotation mark is not closed.
fn words(mut line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    loop {
        let start = line.iter().position(|byte| *byte > b' ').unwrap_or(line.len());
        line = &line[start..];
        match line {
            [] | [b'#', ..] => return Some(words),
            [b'"', rest @ ..] => {
                let (word, rest) = quoted(rest)?;
                words.push(word);
                line = rest;
            }
            _ => {
                let end = line.iter().position(|byte| *byte <= b' ').unwrap_or(line.len());
                words.push(line[..end].to_owned());
                line = &line[end..];
            }
        }
    }
}

/// What stands before the closing quotation mark, and what follows it.
fn quoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    let mut bytes = text.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some((word, &text[at + 1..])),
            b'\\' => word.push(match bytes.next()?.1 {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                other => *other,
            }),
            other => word.push(*other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorization(text: &str, host: &str) -> Option<String> {
        Some(Netrc::parse(text.as_bytes()).unwrap().authorization(host)?.expose().to_owned())
    }

    #[test]
    fn a_file_is_read_as_curl_reads_it() {
        let of = |name: &str, password: &str| Some(basic(name.as_bytes(), password.as_bytes()).expose().to_owned());
        for (text, expected) in [
            ("machine a.test login me password pass", of("me", "pass")),
            ("machine A.TEST\n\tlogin me\n\tpassword pass\r\n", of("me", "pass")),
            ("MACHINE a.test PASSWORD pass LOGIN me", of("me", "pass")),
            ("machine b.test login x password y\nmachine a.test login me password pass", of("me", "pass")),
            ("machine a.test login me password one\nmachine a.test login me password two", of("me", "one")),
            ("machine a.test login me\nmachine a.test login you password two", of("you", "two")),
            ("machine a.test login me", of("me", "")),
            ("machine b.test login x password y\ndefault login me password pass", of("me", "pass")),
            ("default login me password pass\nmachine a.test login x password y", of("me", "pass")),
            ("# machine a.test login x password y\nmachine a.test login me password pass # it", of("me", "pass")),
            ("machine a.test login me password pa#ss", of("me", "pa#ss")),
            ("machine a.test login \"m e\" password \"p\\\"a\\\\s\\ts\"", of("m e", "p\"a\\s\ts")),
            ("machine a.test account x login me password pass", of("me", "pass")),
            ("machine a.test login me password machine", of("me", "machine")),
            (
                "macdef init\nmachine a.test login x password y\n\nmachine a.test login me password pass",
                of("me", "pass"),
            ),
            ("machine\u{b}a.test login\u{1}me\0 password pass", of("me", "pass")),
            ("machine b.test login x password y", None),
            ("machine sub.a.test login x password y", None),
            ("machine a.test password y", None),
            ("", None),
        ] {
            assert_eq!(authorization(text, "a.test"), expected, "{text}");
        }
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_is_told_by_its_line() {
        assert_eq!(Netrc::parse(b"machine a.test\nlogin \"me").err(), Some(2));
        assert_eq!(Netrc::parse(b"machine \"a\\").err(), Some(1));
    }
}
