//! An index of captures, CDXJ: lines by the order of their bytes, however many. What does not fit into memory is sorted on
//! disk.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek as _, Write};
use std::path::PathBuf;

use crate::cli::failure::Failure;

/// Bytes of lines that are kept in memory.
const IN_MEMORY: usize = 16 << 20;

#[derive(Debug)]
pub struct Index {
    /// Where there is room for what does not fit into memory.
    folder: PathBuf,
    in_memory: usize,
    lines: Vec<String>,
    bytes: usize,
    /// Sorted files, which have no name any more and so go with the process.
    sorted: Vec<File>,
}

impl Index {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, in_memory: IN_MEMORY, lines: Vec::new(), bytes: 0, sorted: Vec::new() }
    }

    /// Adds a line, with its end.
    pub fn add(&mut self, mut line: String) -> Result<(), Failure> {
        line.shrink_to_fit();
        self.bytes += line.len() + size_of::<String>();
        self.lines.push(line);
        if self.bytes >= self.in_memory {
            self.put_aside()?;
        }
        Ok(())
    }

    fn put_aside(&mut self) -> Result<(), Failure> {
        self.lines.sort_unstable();
        let mut file = tempfile::tempfile_in(&self.folder)?;
        let mut out = BufWriter::new(&mut file);
        self.lines.drain(..).try_for_each(|line| out.write_all(line.as_bytes()))?;
        out.flush()?;
        drop(out);
        file.rewind()?;
        self.sorted.push(file);
        self.bytes = 0;
        Ok(())
    }

    /// What was added so far; nothing is left.
    pub fn take(&mut self) -> Self {
        let empty = Self { in_memory: self.in_memory, ..Self::new(self.folder.clone()) };
        std::mem::replace(self, empty)
    }

    /// Hands on all lines in their order.
    pub fn each(mut self, mut with: impl FnMut(&str) -> Result<(), Failure>) -> Result<(), Failure> {
        self.lines.sort_unstable();
        let mut sources: Vec<Box<dyn Iterator<Item = std::io::Result<String>>>> =
            vec![Box::new(self.lines.into_iter().map(Ok))];
        for file in self.sorted {
            let lines = BufReader::new(file).lines();
            sources.push(Box::new(lines.map(|line| line.map(|line| line + "\n"))));
        }
        let mut next = BinaryHeap::new();
        for (source, lines) in sources.iter_mut().enumerate() {
            next.extend(lines.next().transpose()?.map(|line| Reverse((line, source))));
        }
        while let Some(Reverse((line, source))) = next.pop() {
            with(&line)?;
            next.extend(sources[source].next().transpose()?.map(|line| Reverse((line, source))));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sorted_whether_they_fit_into_memory_or_not() {
        let mut lines: Vec<String> = (0..500_u32).map(|i| format!("{:x}\n", i.wrapping_mul(2_654_435_761))).collect();
        for in_memory in [IN_MEMORY, 1_000, 1] {
            let mut index = Index { in_memory, ..Index::new(std::env::temp_dir()) };
            lines.iter().for_each(|line| index.add(line.clone()).unwrap_or_default());
            let mut sorted = Vec::new();
            let mut keep = |line: &str| {
                sorted.push(line.to_owned());
                Ok(())
            };
            assert!(index.each(&mut keep).is_ok());
            lines.sort_unstable();
            assert_eq!(sorted, lines);
        }
    }
}
