//! Where an export or a report goes: standard output, or a file that takes its name only once it is whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use super::bare::is_database;
use super::failure::Failure;
use super::leftovers::{self, clean};
use super::output::{Guarded, printable};
use super::signals;

/// What `--output` names.
pub enum Target {
    Stdout,
    /// A pipe or a device, which cannot be replaced by a file.
    Device(PathBuf),
    /// A file, and the permissions of the one that is there already.
    File(PathBuf, Option<Permissions>),
}

impl Target {
    /// Refuses what must not or cannot be written.
    pub fn new(path: &Path, database: Option<&Path>) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let refuse = |problem: &str| {
            let message = format!("cannot write `{}`: {problem}", path.display());
            Err(Failure::new(message).hint("name another file with --output, or - for standard output"))
        };
        let is_beside = |database: &Path| {
            ["", "-wal", "-shm", "-journal"].iter().any(|ending| is_same(path, &with_ending(database, ending)))
        };
        if database.is_some_and(is_beside) {
            return refuse("it is the database, or belongs to it");
        }
        let there = match fs::metadata(path) {
            Ok(there) => there,
            Err(e) if e.kind() == io::ErrorKind::NotFound && path.file_name().is_some() => {
                if !folder(path).is_dir() {
                    return refuse("its folder does not exist");
                }
                return Ok(Self::File(path.to_owned(), None));
            }
            Err(e) => return refuse(&e.to_string()),
        };
        if there.is_dir() {
            return refuse("it is a directory");
        }
        if !there.is_file() {
            return Ok(Self::Device(path.to_owned()));
        }
        // Of a symbolic link, the file that it leads to is replaced, and the link stays.
        let file = path.canonicalize()?;
        let database = database.and_then(|database| fs::metadata(database).ok());
        if database.is_some_and(|database| (database.dev(), database.ino()) == (there.dev(), there.ino())) {
            return refuse("it is the database");
        }
        if is_database(&file) {
            return refuse("it is a SQLite database");
        }
        if there.permissions().readonly() {
            return refuse("it is read-only");
        }
        Ok(Self::File(file, Some(there.permissions())))
    }

    /// Its path; `None` for standard output.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::Device(path) | Self::File(path, _) => Some(path),
        }
    }

    /// The last part of its path, as far as it is text.
    pub fn name(&self) -> Option<&str> {
        self.path()?.file_name()?.to_str()
    }

    /// Where there is room for files beside it; `None` for standard output.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::File(path, _) => Some(folder(path)),
            _ => None,
        }
    }

    /// Has all of it written; a file takes its name only then.
    pub fn whole(&self, write: impl FnOnce(&mut Output) -> Result<i64, Failure>) -> Result<i64, Failure> {
        let mut out = self.open()?;
        let written = write(&mut out)?;
        out.close()?.take_its_name(self.path())?;
        Ok(written)
    }

    pub fn open(&self) -> Result<Output, Failure> {
        match self {
            Self::Stdout => Ok(Output { out: BufWriter::new(Sink::Stdout(Guarded::stdout())), part: None }),
            Self::Device(path) => {
                let file = OpenOptions::new().write(true).open(path).map_err(|e| named(path, &e))?;
                Ok(Output { out: BufWriter::new(Sink::File(file, path.clone())), part: None })
            }
            Self::File(path, permissions) => Output::beside(path, permissions.clone()),
        }
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Whether two paths name one file, be it there or not.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| Some((folder(path).canonicalize().ok()?, path.file_name()?.to_owned()));
    place(one).is_some_and(|one| place(other) == Some(one))
}

/// What a file is to be by its name: the ending, in small letters.
pub fn ending(path: &Path) -> Option<String> {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase())
}

/// The ending of a file's name if that is a format; what stands behind a dot may be a date, or part of a host.
pub fn format_of(path: &Path) -> Option<String> {
    const FORMATS: [&str; 22] = [
        "atom", "csv", "db", "doc", "docx", "htm", "html", "json", "jsonl", "md", "ods", "parquet", "pdf", "rss",
        "sarif", "sqlite", "tsv", "txt", "wacz", "xls", "xlsx", "xml",
    ];
    ending(path).filter(|ending| FORMATS.contains(&&**ending))
}

/// Refuses a file whose name promises what is not written; `way` is what can be.
pub fn no_such_file(path: &Path, way: &str) -> Failure {
    let failure = Failure::new(format!("`{}` is not what can be written", printable(&path.display().to_string())));
    failure.hint(way).code(2)
}

/// Where a file lies.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

enum Sink {
    Stdout(Guarded),
    File(File, PathBuf),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(file, path) => file.write(bytes).map_err(|e| named(path, &e)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(file, path) => file.flush().map_err(|e| named(path, &e)),
        }
    }
}

/// What is being written.
pub struct Output {
    out: BufWriter<Sink>,
    part: Option<NamedTempFile>,
}

impl Output {
    /// A new file that will take the place of `path`.
    pub fn beside(path: &Path, permissions: Option<Permissions>) -> Result<Self, Failure> {
        clean(folder(path));
        // In the same folder, so that the last step is a renaming; under a random name, so that no other file is touched.
        let part = tempfile::Builder::new()
            .prefix(leftovers::PREFIX)
            .suffix(leftovers::FILE)
            .permissions(permissions.unwrap_or_else(|| Permissions::from_mode(0o666)))
            .tempfile_in(folder(path))
            .map_err(|e| named(path, &e))?;
        leftovers::hold(part.as_file());
        let unfinished = part.path().to_owned();
        signals::end_after(move || drop(fs::remove_file(unfinished)))?;
        let file = part.reopen().map_err(|e| named(path, &e))?;
        Ok(Self { out: BufWriter::new(Sink::File(file, path.to_owned())), part: Some(part) })
    }

    /// Ends the writing.
    pub fn close(mut self) -> Result<Written, Failure> {
        self.out.flush()?;
        if let (Sink::File(file, path), true) = (self.out.get_ref(), self.part.is_some()) {
            // Without this, the file could have its name and not its content after a power cut.
            file.sync_all().map_err(|e| named(path, &e))?;
        }
        Ok(Written(self.part))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Output that is complete. A file has a temporary name, and is deleted unless it takes its own.
pub struct Written(Option<NamedTempFile>);

impl Written {
    pub fn take_its_name(self, path: Option<&Path>) -> Result<(), Failure> {
        if let (Some(part), Some(path)) = (self.0, path) {
            part.persist(path).map_err(|e| named(path, &e.error))?;
        }
        Ok(())
    }
}

/// Files that take their names once all of them are whole. Until then they lie in a folder of their own, which goes with
/// whatever ends the writing.
pub struct Parts {
    /// Where they will lie.
    place: PathBuf,
    unfinished: TempDir,
    /// Says to others, as long as it is open, that this is no remainder.
    _held: File,
    names: Vec<String>,
}

impl Parts {
    /// In the folder of this path.
    pub fn beside(path: &Path) -> Result<Self, Failure> {
        let place = folder(path).to_owned();
        clean(&place);
        let unfinished =
            tempfile::Builder::new().prefix(leftovers::PREFIX).suffix(leftovers::FOLDER).tempdir_in(&place);
        let unfinished = unfinished.map_err(|e| named(path, &e))?;
        let held = File::open(unfinished.path()).map_err(|e| named(path, &e))?;
        leftovers::hold(&held);
        let remains = unfinished.path().to_owned();
        signals::end_after(move || drop(fs::remove_dir_all(remains)))?;
        Ok(Self { place, unfinished, _held: held, names: Vec::new() })
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn create(&mut self, name: &str) -> Result<Part, Failure> {
        let path = self.place.join(name);
        let file = File::create_new(self.unfinished.path().join(name)).map_err(|e| named(&path, &e))?;
        self.names.push(name.to_owned());
        Ok(Part(BufWriter::new(Sink::File(file, path))))
    }

    /// Refuses, before the first of them does, what must not be replaced. A link is replaced itself: nobody asked for what
    /// lies where it leads to, since nobody named it.
    pub fn take_their_names(self, database: Option<&Path>) -> Result<(), Failure> {
        let places: Vec<_> = self.names.iter().map(|name| self.place.join(name)).collect();
        let is_linked = |path: &Path| fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink());
        let mut kept = Vec::new();
        for path in &places {
            match Target::new(path, database)? {
                Target::File(_, permissions) => kept.push(permissions.filter(|_| !is_linked(path))),
                _ => return Err(Failure::new(format!("cannot replace `{}`: it is no file", path.display()))),
            }
        }
        for ((name, path), permissions) in self.names.iter().zip(&places).zip(kept) {
            let part = self.unfinished.path().join(name);
            let moved = permissions.map_or(Ok(()), |permissions| fs::set_permissions(&part, permissions));
            moved.and_then(|()| fs::rename(&part, path)).map_err(|e| named(path, &e))?;
        }
        Ok(())
    }
}

/// One of [`Parts`].
pub struct Part(BufWriter<Sink>);

impl Part {
    pub fn close(mut self) -> Result<(), Failure> {
        self.0.flush()?;
        if let Sink::File(file, path) = self.0.get_ref() {
            file.sync_all().map_err(|e| named(path, &e))?;
        }
        Ok(())
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The error with the name of the file, and of the same kind, so that a broken pipe is still known as one.
fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write `{}`: {error}", path.display()))
}
