//! What a document says of its encoding in its first bytes (WHATWG HTML, 13.2.3.2 "prescan a byte stream to determine
//! its encoding"), with one exception: scripts are passed over as comments are, since what they write is no declaration.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The first `<meta>` that declares an encoding, else the XML declaration.
pub fn html(head: &[u8]) -> Option<&'static Encoding> {
    utf16_declaration(head).or_else(|| Scan(head).meta()).or_else(|| xml_declaration(head))
}

/// The XML declaration (XML 1.0, appendix F).
pub fn xml(head: &[u8]) -> Option<&'static Encoding> {
    utf16_declaration(head).or_else(|| xml_declaration(head))
}

/// The encoding that a `<meta>` names (WHATWG HTML, 13.2.3.4 "changing the encoding while parsing").
pub fn declared(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.as_bytes()).map(readable)
}

/// What a `<meta>` means by an encoding: x-user-defined is taken for a mistake.
fn readable(encoding: &'static Encoding) -> &'static Encoding {
    if encoding.name() == "x-user-defined" { WINDOWS_1252 } else { as_ascii(encoding) }
}

/// A declaration that was read as ASCII cannot be in UTF-16.
fn as_ascii(encoding: &'static Encoding) -> &'static Encoding {
    if is_utf16(encoding) { UTF_8 } else { encoding }
}

pub fn is_utf16(encoding: &'static Encoding) -> bool {
    encoding == UTF_16BE || encoding == UTF_16LE
}

/// An XML declaration in UTF-16 tells by its zeros.
fn utf16_declaration(head: &[u8]) -> Option<&'static Encoding> {
    match head {
        [b'<', 0, b'?', 0, b'x', 0, ..] => Some(UTF_16LE),
        [0, b'<', 0, b'?', 0, b'x', ..] => Some(UTF_16BE),
        _ => None,
    }
}

/// "Get an XML encoding".
fn xml_declaration(head: &[u8]) -> Option<&'static Encoding> {
    let is_space = |byte: &u8| *byte <= b' ';
    let declaration = head.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..declaration.iter().position(|&byte| byte == b'>')?];
    let rest = &declaration[find(declaration, b"encoding")? + b"encoding".len()..];
    let rest = &rest[rest.iter().position(|byte| !is_space(byte))?..];
    let rest = rest.strip_prefix(b"=")?;
    let (quote, rest) = rest[rest.iter().position(|byte| !is_space(byte))?..].split_first()?;
    let label = &rest[..rest.iter().position(|byte| byte == quote).filter(|_| matches!(quote, b'"' | b'\''))?];
    Encoding::for_label(label).filter(|_| !label.iter().any(is_space)).map(as_ascii)
}

/// The label in the `content` of a `<meta>` ("extracting a character encoding from a meta element"). `content` is in
/// lower case.
fn label_in(content: &[u8]) -> Option<&[u8]> {
    let mut rest = content;
    loop {
        rest = rest[find(rest, b"charset")? + b"charset".len()..].trim_ascii_start();
        let Some(value) = rest.strip_prefix(b"=") else { continue };
        let (&first, quoted) = value.trim_ascii_start().split_first()?;
        if matches!(first, b'"' | b'\'') {
            return Some(&quoted[..quoted.iter().position(|&byte| byte == first)?]);
        }
        return value.trim_ascii_start().split(|&byte| byte.is_ascii_whitespace() || byte == b';').next();
    }
}

/// The bytes that are left.
struct Scan<'a>(&'a [u8]);

/// None throughout: the bytes ran out.
impl Scan<'_> {
    fn meta(mut self) -> Option<&'static Encoding> {
        loop {
            match self.0 {
                // The dashes that open a comment can close it too.
                [b'<', b'!', b'-', b'-', ..] => {
                    self.0 = &self.0[2..];
                    self.past(b"-->")?;
                }
                [b'<', b'/', letter, ..] | [b'<', letter, ..] if letter.is_ascii_alphabetic() => {
                    if let Some(encoding) = self.tag()? {
                        return Some(encoding);
                    }
                }
                [b'<', b'!' | b'/' | b'?', ..] => self.past(b">")?,
                _ => self.0 = self.0.get(1..)?,
            }
        }
    }

    fn past(&mut self, end: &[u8]) -> Option<()> {
        self.0 = &self.0[find(self.0, end)? + end.len()..];
        Some(())
    }

    /// A start or end tag, and the encoding that it declares if it is a `<meta>`.
    fn tag(&mut self) -> Option<Option<&'static Encoding>> {
        let named = |name: &[u8], ends: &[u8], tag: &[u8]| {
            let begins = tag.get(1..=name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
            begins && tag.get(name.len() + 1).is_some_and(|end| end.is_ascii_whitespace() || ends.contains(end))
        };
        let is_meta = named(b"meta", b"/", self.0);
        let is_script = named(b"script", b"/>", self.0);
        if is_meta {
            self.0 = &self.0[b"<meta".len()..];
        } else {
            self.0 = &self.0[self.0.iter().position(|&byte| byte.is_ascii_whitespace() || byte == b'>')?..];
        }
        let mut declaration = Declaration::default();
        while let Some((name, value)) = self.attribute()? {
            declaration.add(name, &value);
        }
        if is_script {
            let end = self.0.windows(b"</script".len()).position(|at| at.eq_ignore_ascii_case(b"</script"))?;
            self.0 = &self.0[end..];
        }
        Some(declaration.encoding().filter(|_| is_meta))
    }

    /// "Get an attribute": its name and value, in lower case.
    fn attribute(&mut self) -> Option<Option<(Vec<u8>, Vec<u8>)>> {
        self.skip(|byte| byte.is_ascii_whitespace() || byte == b'/')?;
        if self.0[0] == b'>' {
            return Some(None);
        }
        // An equals sign is the first character of a name if it stands there.
        let mut name = vec![self.next()?];
        name.extend(self.until(|byte| byte.is_ascii_whitespace() || b"=/>".contains(&byte))?);
        self.skip(|byte| byte.is_ascii_whitespace())?;
        if self.0[0] != b'=' {
            return Some(Some((name, Vec::new())));
        }
        self.next()?;
        self.skip(|byte| byte.is_ascii_whitespace())?;
        let value = match self.0[0] {
            quote @ (b'"' | b'\'') => {
                self.next()?;
                let value = self.until(|byte| byte == quote)?;
                self.next()?;
                value
            }
            _ => self.until(|byte| byte.is_ascii_whitespace() || byte == b'>')?,
        };
        Some(Some((name, value)))
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first.to_ascii_lowercase())
    }

    fn until(&mut self, ends: impl Fn(u8) -> bool) -> Option<Vec<u8>> {
        let (value, rest) = self.0.split_at(self.0.iter().position(|&byte| ends(byte))?);
        self.0 = rest;
        Some(value.to_ascii_lowercase())
    }

    fn skip(&mut self, skips: impl Fn(u8) -> bool) -> Option<()> {
        self.0 = &self.0[self.0.iter().position(|&byte| !skips(byte))?..];
        Some(())
    }
}

/// What the attributes of a `<meta>` say.
#[derive(Default)]
struct Declaration {
    seen: Vec<Vec<u8>>,
    is_pragma: bool,
    /// Whether it counts only beside `http-equiv=content-type`, and the encoding if there is one of that name.
    charset: Option<(bool, Option<&'static Encoding>)>,
}

impl Declaration {
    fn add(&mut self, name: Vec<u8>, value: &[u8]) {
        // The first attribute of a name counts.
        if self.seen.contains(&name) {
            return;
        }
        match &name[..] {
            b"http-equiv" => self.is_pragma |= value == b"content-type",
            b"content" if self.charset.is_none() => {
                let encoding = label_in(value).and_then(Encoding::for_label);
                self.charset = encoding.map(|encoding| (true, Some(encoding)));
            }
            b"charset" => self.charset = Some((false, Encoding::for_label(value))),
            _ => {}
        }
        self.seen.push(name);
    }

    fn encoding(&self) -> Option<&'static Encoding> {
        let (needs_pragma, encoding) = self.charset?;
        encoding.filter(|_| !needs_pragma || self.is_pragma).map(readable)
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
