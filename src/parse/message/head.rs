//! The head of a response: where it begins and ends, what its lines say, and how its body ends.

use std::borrow::Cow;

use super::passage::Malformed;

/// Junk before a status line that Chromium passes over, such as a byte order mark.
const MAX_JUNK: usize = 4;
/// Lines of a head, at most: curl's limit.
const MAX_LINES: usize = 5000;
/// Fields that are passed on.
pub const MAX_FIELDS: usize = 256;
/// Those that are, however many others there are.
const NEEDED: [&str; 5] = ["Content-Type", "Content-Encoding", "Content-Length", "Transfer-Encoding", "Location"];
/// Bytes of a name; a longer one is none.
const MAX_NAME: usize = 1 << 10;

/// How the end of a body is known (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// An interim response: another head follows.
    Interim,
    Length(u64),
    Chunked,
    /// By the end of the connection, or after so many bytes.
    Close(u64),
}

/// A head as it should be.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) text: Vec<u8>,
    pub(super) framing: Framing,
    /// Though its form is good, what follows the response cannot be trusted.
    pub(super) is_odd: bool,
}

/// Where the status line begins; None if there is too little to tell.
pub(super) fn start(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let begins = |word: &[u8], rest: &[u8]| rest.get(..word.len()).is_some_and(|r| r.eq_ignore_ascii_case(word));
    let is_start = |rest: &[u8]| {
        let behind = |at: usize| rest.get(at).is_some_and(u8::is_ascii_digit);
        (begins(b"HTTP/", rest) || begins(b"HTTP ", rest)) && behind(5) || begins(b"ICY ", rest) && behind(4)
    };
    match (0..=MAX_JUNK).find(|&at| is_start(bytes.get(at..).unwrap_or_default())) {
        Some(at) => Ok(Some(at)),
        None if bytes.len() < MAX_JUNK + b"HTTP/1".len() => Ok(None),
        None => Err(Malformed::NotHttp),
    }
}

/// Where a head ends that begins here, behind its empty line; or else where to go on once there is more of it.
pub(super) fn end(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let mut at = from;
    while let Some(length) = bytes[at..].iter().position(|byte| *byte == b'\n') {
        let next = at + length + 1;
        // Servers that write a line end where their library writes one too send two CRs.
        let crs = bytes[next..].iter().take(2).take_while(|byte| **byte == b'\r').count();
        match bytes.get(next + crs) {
            Some(b'\n') => return Ok(next + crs + 1),
            Some(_) => at = next,
            None => return Err(next - 1),
        }
    }
    Err(bytes.len())
}

/// A header line, or several that were folded into one.
struct Field<'a> {
    name: &'a [u8],
    value: Cow<'a, [u8]>,
    /// The line as it came, if that was as it should be.
    line: Option<&'a [u8]>,
}

impl<'a> Field<'a> {
    /// Lines without a name in good form are no fields.
    fn parse(line: &'a [u8]) -> Option<Self> {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = line[..colon].trim_ascii_end();
        let is_name = !name.is_empty() && name.len() <= MAX_NAME && name.iter().all(|byte| is_token(*byte));
        let is_good = is_name && name.len() == colon;
        is_name.then_some(Self { name, value: Cow::Borrowed(&line[colon + 1..]), line: is_good.then_some(line) })
    }

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Adds a line that begins with white space (RFC 9112, section 5.2).
    fn unfold(&mut self, line: &[u8]) {
        let value = self.value.to_mut();
        value.truncate(value.trim_ascii_end().len());
        value.push(b' ');
        value.extend_from_slice(line.trim_ascii());
        self.line = None;
    }

    /// Takes the control characters from a value. None if they make the field meaningless.
    fn cleaned(mut self) -> Option<Self> {
        if !self.value.iter().any(|byte| is_control(*byte)) {
            return Some(self);
        }
        let value = if self.is("Location") {
            // As the URL standard writes them.
            let escape = |byte: &u8| if is_control(*byte) { format!("%{byte:02X}").into() } else { vec![*byte] };
            self.value.iter().flat_map(escape).collect()
        } else if self.is("Content-Length") || self.is("Transfer-Encoding") {
            self.value.iter().map(|byte| if is_control(*byte) { b' ' } else { *byte }).collect()
        } else {
            return None;
        };
        (self.value, self.line) = (Cow::Owned(value), None);
        Some(self)
    }

    fn words(&self) -> impl Iterator<Item = String> {
        self.value.split(|byte| *byte == b',').map(|word| String::from_utf8_lossy(word.trim_ascii()).into_owned())
    }

    fn write(&self, text: &mut Vec<u8>) {
        match self.line {
            Some(line) => text.extend_from_slice(line),
            None => [self.name, b":", &self.value].iter().for_each(|part| text.extend_from_slice(part)),
        }
        text.extend_from_slice(b"\r\n");
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

/// Reads a head, from its status line to its empty line.
pub(super) fn read(bytes: &[u8], of_head: bool) -> Result<Head, Malformed> {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    });
    let Status { code, minor, tail, is_good } = Status::parse(lines.next().unwrap_or_default())?;
    let mut fields: Vec<Field<'_>> = Vec::with_capacity(32);
    let mut is_field = false;
    for (number, line) in lines.take_while(|line| !line.is_empty()).enumerate() {
        if number == MAX_LINES {
            return Err(Malformed::TooLong);
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some(last) = fields.last_mut().filter(|_| is_field) {
                last.unfold(line);
            }
            continue;
        }
        let field = Field::parse(line);
        is_field = field.is_some();
        fields.extend(field);
    }
    let mut fields: Vec<_> = fields.into_iter().filter_map(Field::cleaned).collect();
    if fields.len() > MAX_FIELDS {
        fields.sort_by_key(|field| !NEEDED.iter().any(|name| field.is(name)));
        fields.truncate(MAX_FIELDS);
    }
    let codings = codings(&fields);
    let lengths = lengths(&fields);
    let is_chunked = codings.as_ref().is_some_and(|list| list.last().is_some_and(|coding| coding == "chunked"));
    let is_coded = codings.as_ref().is_some_and(|list| !list.is_empty());
    let framing = match (code, lengths) {
        (101, _) | (204 | 304, _) => Framing::Length(0),
        (100..200, _) => Framing::Interim,
        _ if of_head => Framing::Length(0),
        _ if is_chunked => Framing::Chunked,
        _ if is_coded => Framing::Close(u64::MAX),
        (_, Lengths::None) => Framing::Close(u64::MAX),
        (_, Lengths::One(length)) => Framing::Length(length),
        (_, Lengths::Unclear(limit)) => Framing::Close(limit),
    };
    let mut text = Vec::with_capacity(bytes.len() + 16);
    // A library refuses transfer codings in HTTP/1.0.
    let minor = if is_coded { b'1' } else { minor };
    text.extend_from_slice(b"HTTP/1.");
    text.push(minor);
    text.extend_from_slice(format!(" {code:03}").as_bytes());
    text.extend_from_slice(tail);
    text.extend_from_slice(b"\r\n");
    let mut codings = codings.filter(|_| !is_plainly_chunked(&fields));
    for field in &fields {
        if field.is("Transfer-Encoding") {
            match codings.as_mut().map(std::mem::take) {
                None => field.write(&mut text),
                Some(list) if list.is_empty() => {}
                Some(list) => text.extend_from_slice(format!("Transfer-Encoding: {}\r\n", list.join(", ")).as_bytes()),
            }
        } else if !field.is("Content-Length") || !matches!(lengths, Lengths::Unclear(_)) {
            field.write(&mut text);
        }
    }
    text.extend_from_slice(b"\r\n");
    let is_odd = !is_good || code == 101 || is_coded && !matches!(lengths, Lengths::None);
    Ok(Head { text, framing, is_odd })
}

struct Status<'a> {
    code: u16,
    /// Of the version 1.
    minor: u8,
    tail: &'a [u8],
    is_good: bool,
}

impl<'a> Status<'a> {
    /// Reads a status line as Chromium does, and the status as curl: of one that is longer, three digits count.
    fn parse(line: &'a [u8]) -> Result<Self, Malformed> {
        let version = line.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
        let (version, rest) = line.split_at(version);
        let minor = if version.ends_with(b"/1.1") { b'1' } else { b'0' };
        let rest = rest.trim_ascii_start();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let code = match &rest[..digits] {
            [a @ b'1'..=b'9', b, c, ..] => {
                [a, b, c].iter().fold(0, |code, digit| code * 10 + u16::from(**digit - b'0'))
            }
            _ => return Err(Malformed::NotHttp),
        };
        let tail = Some(&rest[digits..]).filter(|tail| tail.starts_with(b" ") && !tail.iter().any(|b| is_control(*b)));
        Ok(Self { code, minor, tail: tail.unwrap_or_default(), is_good: digits == 3 })
    }
}

/// The transfer codings, in the order in which they were applied; None without any field. `chunked` counts once, and where
/// it is not the last it is no framing.
fn codings(fields: &[Field<'_>]) -> Option<Vec<String>> {
    let mut found: Option<Vec<String>> = None;
    for field in fields.iter().filter(|field| field.is("Transfer-Encoding")) {
        let list = found.get_or_insert_default();
        for word in field.words() {
            let name = word.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let is_repeated = name == "chunked" && list.last() == Some(&name);
            if !matches!(name.as_str(), "" | "identity") && !is_repeated {
                list.push(name);
            }
        }
    }
    found
}

/// Whether there is one field for transfer codings, and it is as most are.
fn is_plainly_chunked(fields: &[Field<'_>]) -> bool {
    let mut codings = fields.iter().filter(|field| field.is("Transfer-Encoding"));
    let first = codings.next();
    first.is_some_and(|field| field.value.trim_ascii().eq_ignore_ascii_case(b"chunked")) && codings.next().is_none()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lengths {
    None,
    One(u64),
    /// One that is no number, or several that differ: the body ends with the connection, or after the largest.
    Unclear(u64),
}

fn lengths(fields: &[Field<'_>]) -> Lengths {
    let words = fields.iter().filter(|field| field.is("Content-Length")).flat_map(Field::words);
    let mut found = Lengths::None;
    for word in words {
        let number = Some(&word).filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        found = match (found, number.and_then(|word| word.parse().ok())) {
            (_, None) | (Lengths::Unclear(u64::MAX), _) => Lengths::Unclear(u64::MAX),
            (Lengths::None, Some(length)) => Lengths::One(length),
            (Lengths::One(one), Some(length)) if one == length => found,
            (Lengths::One(one) | Lengths::Unclear(one), Some(length)) => Lengths::Unclear(one.max(length)),
        };
    }
    found
}
