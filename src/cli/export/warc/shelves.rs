//! Where archive files go if they are files: one, or several beside each other.

use std::io::Write;
use std::path::Path;

use crate::cli::failure::Failure;
use crate::cli::target::{Part, Parts};

use super::archive::Shelf;
use super::index::Index;

/// One file, or standard output.
pub struct Stream<W>(pub W);

impl<W: Write> Shelf for Stream<W> {
    fn begin(&mut self, _: Option<&str>) -> Result<(), Failure> {
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.0.write_all(bytes)?)
    }

    fn note(&mut self, _: impl FnOnce() -> String) -> Result<(), Failure> {
        Ok(())
    }
}

/// Several files, one of which may be an index of the others.
pub struct Files {
    parts: Parts,
    open: Option<Part>,
    index: Option<Index>,
}

impl Files {
    pub fn new(parts: Parts, index: Option<Index>) -> Self {
        Self { parts, open: None, index }
    }

    /// How many there are by now.
    pub fn count(&self) -> usize {
        self.parts.names().len()
    }

    /// Writes the index, and gives all files their names; answers with what they are called together.
    pub fn finish(mut self, index: &str, database: Option<&Path>) -> Result<String, Failure> {
        let mut called = match self.parts.names() {
            [] => String::new(),
            [one] => one.clone(),
            [first, .., last] => format!("{first} … {last}"),
        };
        if let Some(lines) = self.index.take() {
            self.begin(Some(index))?;
            lines.each(|line| self.put(line.as_bytes()))?;
            called.push_str(&format!(" and {index}"));
        }
        self.open.take().map_or(Ok(()), Part::close)?;
        self.parts.take_their_names(database)?;
        Ok(called)
    }
}

impl Shelf for Files {
    fn begin(&mut self, name: Option<&str>) -> Result<(), Failure> {
        self.open.take().map_or(Ok(()), Part::close)?;
        self.open = Some(self.parts.create(name.unwrap_or_default())?);
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match &mut self.open {
            Some(part) => Ok(part.write_all(bytes)?),
            None => Ok(()),
        }
    }

    fn note(&mut self, line: impl FnOnce() -> String) -> Result<(), Failure> {
        self.index.as_mut().map_or(Ok(()), |index| index.add(line()))
    }
}
