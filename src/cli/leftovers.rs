//! What was written and did not become whole: files and folders beside the place of an export, which nobody takes away if it was
//! killed. The next export to that place does.

use std::fs::{self, DirEntry, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

/// How names of what is not whole yet begin and end.
pub const PREFIX: &str = ".harvestman-";
pub const FILE: &str = ".part";
pub const FOLDER: &str = ".parts";

/// What is younger may be somebody's who has not locked it yet.
const AGE: Duration = Duration::from_secs(60);

/// Locks what is being written, so that it is not taken for a remainder. Where a file system has no locks, nothing is.
pub fn hold(file: &File) {
    let _ = file.try_lock();
}

/// Takes away what was left in a folder by exports that ended before they could. What cannot be taken away stays.
pub fn clean(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        if name.ends_with(FOLDER) && is_left(&entry, true) {
            let _ = fs::remove_dir_all(entry.path());
        } else if name.ends_with(FILE) && is_left(&entry, false) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether it is this user's, of the kind that it claims to be, and nobody's who still writes.
fn is_left(entry: &DirEntry, is_folder: bool) -> bool {
    let Ok(there) = entry.metadata() else { return false };
    let is_old = there.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > AGE));
    let is_of_its_kind = if is_folder { there.is_dir() } else { there.is_file() };
    let is_own = there.uid() == rustix::process::geteuid().as_raw();
    is_old && is_of_its_kind && is_own && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn what_nobody_writes_any_more_goes_and_all_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let long_ago = SystemTime::now() - 2 * AGE;
        let path = |name: &str| folder.path().join(name);
        for name in [".harvestman-a.parts", ".harvestman-held.parts", ".harvestman-new.parts", "mine.parts"] {
            fs::create_dir(path(name)).unwrap();
            fs::write(path(name).join("x"), "x").unwrap();
        }
        for name in [".harvestman-b.part", ".harvestman-held.part", ".harvestman-c.db", "mine.part"] {
            fs::write(path(name), "x").unwrap();
        }
        for entry in fs::read_dir(folder.path()).unwrap().flatten() {
            if entry.file_name() != ".harvestman-new.parts" {
                File::open(entry.path()).unwrap().set_modified(long_ago).unwrap();
            }
        }
        let held = [".harvestman-held.parts", ".harvestman-held.part"].map(|name| File::open(path(name)).unwrap());
        held.iter().for_each(hold);
        clean(folder.path());
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort_unstable();
        let expected = [
            ".harvestman-c.db",
            ".harvestman-held.part",
            ".harvestman-held.parts",
            ".harvestman-new.parts",
            "mine.part",
            "mine.parts",
        ];
        assert_eq!(left, expected);
    }
}
