//! How a body is read, by what it is said to be and how it begins.

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Html,
    Text,
    Other,
}

impl Kind {
    pub fn of(essence: Option<&str>, body: &[u8]) -> Self {
        match essence {
            Some("text/html" | "application/xhtml+xml") => Self::Html,
            Some("text/plain" | "text/markdown") => Self::Text,
            // Without a label, a document that starts like markup is read as HTML (WHATWG MIME sniffing, section 7.1).
            None if body.trim_ascii_start().starts_with(b"<") => Self::Html,
            _ => Self::Other,
        }
    }
}
