//! The file of `--log-file`.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// The target of events that only the log file gets, because the console has said the same in its own words.
pub const FILE_ONLY: &str = "log-file";

/// The file of `--log-file`, once it is open. Clones are cheap and share the same file.
#[derive(Debug, Clone, Default)]
pub struct LogFile(Arc<Mutex<Option<(PathBuf, File)>>>);

impl LogFile {
    /// Appends to `path` from now on.
    pub fn open(&self, path: &Path) -> io::Result<()> {
        let file = File::options().create(true).append(true).open(path)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((path.to_owned(), file));
        Ok(())
    }

    /// Opens the file of the same name again, because the old one may have been moved away. False if no file was open.
    pub fn reopen(&self) -> io::Result<bool> {
        let path = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(path, _)| path.clone());
        path.map_or(Ok(false), |path| self.open(&path).map(|()| true))
    }
}

/// Each call is one event and one write, so that each line is in the file at once, and whole. If the log cannot be
/// written, the crawl goes on all the same.
impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some((_, file)) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = file.write_all(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
