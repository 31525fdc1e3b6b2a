//! HTTP/1 responses as curl and browsers read them, brought into the form that RFC 9112 asks for while their bytes come in.
//!
//! Whoever reads bytes from a connection passes them through [`Responses`]. What is in good form stays as it is, in its
//! place; a head, a chunk size or a trailer that is not is written anew. So an HTTP library that is stricter than servers
//! are can read what they send.

mod chunked;
mod head;
mod passage;

use chunked::Chunked;
use head::Framing;
pub use head::MAX_FIELDS;
pub use passage::Malformed;
use passage::Passage;

/// Bytes before a body, interim responses included: curl's limit.
const MAX_HEAD: usize = 300 << 10;

#[derive(Debug)]
enum State {
    /// No request waits for its answer. What comes before the first request is kept for it.
    Idle,
    Head,
    Length(u64),
    /// Up to the close, or so many bytes.
    Close(u64),
    Chunked(Chunked),
    /// Nothing that comes now means anything.
    Over,
    Failed(Malformed),
}

/// The responses that come over one connection, one after the other.
#[derive(Debug)]
pub struct Responses {
    state: State,
    /// The beginning of a head.
    held: Vec<u8>,
    /// As much of it holds no end of the head.
    searched: usize,
    /// Bytes before the body.
    head: usize,
    is_first: bool,
    /// HEAD, which is answered without a body.
    of_head: bool,
    /// Something about this response was not as it should be: what follows it on the connection cannot be trusted.
    is_odd: bool,
}

impl Default for Responses {
    fn default() -> Self {
        let (held, state) = (Vec::new(), State::Idle);
        Self { state, held, searched: 0, head: 0, is_first: true, of_head: false, is_odd: false }
    }
}

impl Responses {
    /// A request is sent, or more of it. False if the connection is to be taken for closed.
    pub fn request(&mut self, is_head: bool, made: &mut Vec<u8>) -> bool {
        match &self.state {
            State::Idle => {}
            State::Head | State::Length(_) | State::Close(_) => return true,
            State::Chunked(chunked) => return !chunked.is_whole(),
            State::Over | State::Failed(_) => return false,
        }
        (self.state, self.of_head, self.head, self.is_odd) = (State::Head, is_head, 0, false);
        if !self.held.is_empty() {
            self.read(&[], made);
        }
        true
    }

    /// The connection is to be taken for closed.
    pub fn give_up(&mut self) {
        self.state = State::Over;
    }

    /// Reads bytes. The first of them are to be delivered as they are, as many as are told, and then `made`.
    pub fn read(&mut self, bytes: &[u8], made: &mut Vec<u8>) -> usize {
        if self.held.is_empty() {
            let (kept, waiting) = self.pass(Passage { rest: bytes, kept: 0, made, is_changed: false });
            self.held = bytes[bytes.len() - waiting..].to_vec();
            return kept;
        }
        // A head that comes byte by byte is not copied with each of them.
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let (kept, waiting) = self.pass(Passage { rest: &all, kept: 0, made, is_changed: true });
        all.drain(..all.len() - waiting);
        self.held = all;
        kept
    }

    /// Passes bytes on. Tells how many are kept in their place, and how many wait for more.
    fn pass(&mut self, mut passage: Passage<'_>) -> (usize, usize) {
        while !passage.rest.is_empty() {
            match &mut self.state {
                State::Idle if self.is_first => break,
                // Nobody asked for it.
                State::Idle => self.state = State::Over,
                State::Head => match self.read_head(&mut passage) {
                    Ok(true) => {}
                    Ok(false) => break,
                    // Left over from the answer before.
                    Err(Malformed::NotHttp) if !self.is_first => self.state = State::Over,
                    Err(problem) => self.state = State::Failed(problem),
                },
                State::Length(left) | State::Close(left) => {
                    *left -= passage.keep_up_to(*left);
                    if matches!(self.state, State::Length(0) | State::Close(0)) {
                        self.finish();
                    }
                }
                State::Chunked(chunked) => match chunked.pass(&mut passage) {
                    Ok(true) => self.finish(),
                    Ok(false) => {}
                    Err(problem) => self.state = State::Failed(problem),
                },
                State::Over | State::Failed(_) => passage.skip(passage.rest.len()),
            }
        }
        (passage.kept, passage.rest.len())
    }

    /// Reads a head, or holds what there is of it.
    fn read_head(&mut self, passage: &mut Passage<'_>) -> Result<bool, Malformed> {
        if self.searched == 0 {
            let blank = passage.rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            passage.skip(blank);
            self.head += blank;
        }
        let bytes = passage.rest;
        let (start, found) = match head::start(bytes)? {
            Some(start) => (start, head::end(&bytes[start..], self.searched.saturating_sub(start))),
            None => (0, Err(0)),
        };
        let length = found.map_or(bytes.len(), |end| start + end);
        if self.head + length > MAX_HEAD {
            return Err(Malformed::TooLong);
        }
        if let Err(searched) = found {
            self.searched = start + searched;
            return Ok(false);
        }
        (self.searched, self.head) = (0, self.head + length);
        let given = &bytes[start..length];
        let head = head::read(given, self.of_head)?;
        passage.skip(start);
        if head.text == given {
            passage.keep(given.len());
        } else {
            passage.skip(given.len());
            passage.put(&head.text);
            self.is_odd = true;
        }
        self.is_odd |= head.is_odd || start > 0;
        self.state = match head.framing {
            Framing::Interim => State::Head,
            Framing::Length(length) => State::Length(length),
            Framing::Close(length) => State::Close(length),
            Framing::Chunked => State::Chunked(Chunked::default()),
        };
        if let State::Length(0) | State::Close(0) = self.state {
            self.finish();
        }
        Ok(true)
    }

    fn finish(&mut self) {
        let is_odd = match &self.state {
            State::Close(_) => true,
            State::Chunked(chunked) => self.is_odd || chunked.is_odd,
            _ => self.is_odd,
        };
        (self.state, self.is_first) = (if is_odd { State::Over } else { State::Idle }, false);
    }

    /// Whether the connection is to be taken for closed, or the problem with what came.
    pub fn is_over(&self) -> Result<bool, Malformed> {
        match &self.state {
            State::Over => Ok(true),
            State::Failed(problem) => Err(*problem),
            _ => Ok(false),
        }
    }

    /// Whether an answer has come whole, and none is awaited.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && !self.is_first
    }

    /// Whether something has come that waits for a request.
    pub fn holds_greeting(&self) -> bool {
        matches!(self.state, State::Idle) && !self.held.is_empty()
    }

    /// The connection was closed: whether that cuts off a head of which some came.
    pub fn close(&mut self) -> Result<(), Malformed> {
        let held = std::mem::take(&mut self.held);
        match self.state {
            State::Head if !held.is_empty() => Err(match head::start(&held) {
                Ok(Some(_)) => Malformed::CutOff,
                _ => Malformed::NotHttp,
            }),
            State::Failed(problem) => Err(problem),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
