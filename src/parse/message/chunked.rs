//! The chunked transfer coding (RFC 9112, section 7.1), with what curl passes over: lines that end without CR, white space
//! before a size, extensions and anything else behind it, trailers.

use super::passage::{Malformed, Passage};

/// Digits of a size, at most.
const MAX_DIGITS: u8 = 16;
/// Bytes before and behind a size that say nothing: Chromium's limit.
const MAX_PADDING: usize = 16 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Within a size, after as many digits.
    Size(u64, u8),
    /// Behind a size, before the end of its line; true once CR was delivered.
    Line(u64, bool),
    Data(u64),
    /// Behind the data of a chunk; true after CR.
    DataEnd(bool),
    /// Behind the line of the last size. The empty line that ends the body was delivered, and may still come; true after
    /// its CR.
    Last(bool),
}

/// A body in chunks, as far as it came.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    /// Bytes beside a size that were passed over.
    padding: usize,
    /// It is not in the form that it should have, or has trailer fields.
    pub(super) is_odd: bool,
}

impl Default for Chunked {
    fn default() -> Self {
        Self { state: State::Size(0, 0), padding: 0, is_odd: false }
    }
}

impl Chunked {
    /// Whether the last chunk came, and the end of the body was delivered.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.state, State::Last(_))
    }

    /// Passes bytes on; true at the end of the body. Trailer fields say nothing about the content and may never end, so
    /// none is waited for.
    pub(super) fn pass(&mut self, passage: &mut Passage<'_>) -> Result<bool, Malformed> {
        while let Some(&byte) = passage.rest.first() {
            self.state = match self.state {
                State::Size(size, digits) => self.read_size(passage, byte, size, digits)?,
                State::Line(size, has_cr) => match byte {
                    b'\n' => {
                        self.end_line(passage, has_cr);
                        if size == 0 && passage.rest.starts_with(b"\r\n") {
                            passage.keep(2);
                            return Ok(true);
                        }
                        begin(passage, size)
                    }
                    b'\r' if !has_cr => {
                        passage.keep(1);
                        State::Line(size, true)
                    }
                    _ => {
                        self.pass_over(passage)?;
                        State::Line(size, has_cr)
                    }
                },
                State::Data(left) => match left - passage.keep_up_to(left) {
                    0 => State::DataEnd(false),
                    left => State::Data(left),
                },
                State::DataEnd(has_cr) => match byte {
                    b'\n' => {
                        self.end_line(passage, has_cr);
                        self.padding = 0;
                        State::Size(0, 0)
                    }
                    b'\r' if !has_cr => {
                        passage.keep(1);
                        State::DataEnd(true)
                    }
                    _ => return Err(Malformed::Chunk),
                },
                State::Last(has_cr) => {
                    passage.skip(1);
                    match byte {
                        b'\r' if !has_cr => State::Last(true),
                        _ => {
                            self.is_odd |= !has_cr || byte != b'\n';
                            return Ok(true);
                        }
                    }
                }
            };
        }
        Ok(false)
    }

    fn end_line(&mut self, passage: &mut Passage<'_>, has_cr: bool) {
        if !has_cr {
            self.is_odd = true;
            passage.put(b"\r");
        }
        passage.keep(1);
    }

    fn read_size(&mut self, passage: &mut Passage<'_>, byte: u8, size: u64, digits: u8) -> Result<State, Malformed> {
        match (char::from(byte).to_digit(16), digits) {
            (Some(_), MAX_DIGITS..) => Err(Malformed::Chunk),
            (Some(digit), _) => {
                passage.keep(1);
                Ok(State::Size(size << 4 | u64::from(digit), digits + 1))
            }
            (None, 0) if matches!(byte, b' ' | b'\t') => {
                self.pass_over(passage)?;
                Ok(State::Size(0, 0))
            }
            (None, 0) => Err(Malformed::Chunk),
            (None, _) => Ok(State::Line(size, false)),
        }
    }

    fn pass_over(&mut self, passage: &mut Passage<'_>) -> Result<(), Malformed> {
        passage.skip(1);
        self.padding += 1;
        if self.padding > MAX_PADDING { Err(Malformed::Chunk) } else { Ok(()) }
    }
}

fn begin(passage: &mut Passage<'_>, size: u64) -> State {
    if size > 0 {
        return State::Data(size);
    }
    passage.put(b"\r\n");
    State::Last(false)
}
