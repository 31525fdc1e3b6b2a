//! What was written and did not become whole: files and folders beside the place of an export, which nobody takes away if it was
//! killed. The next export to that place does.

use std::fs::{self, DirEntry, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

/// How names of what is not whole yet begin and end.
pub const PREFIX: &str = ".harvestman-unfinished-";
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
        let Some(name) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        if name.strip_suffix(FOLDER).is_some_and(is_drawn) && is_left(&entry, true) {
            let _ = fs::remove_dir_all(entry.path());
        } else if name.strip_suffix(FILE).is_some_and(is_drawn) && is_left(&entry, false) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether it is what `tempfile` draws between prefix and suffix, and not a name that somebody gave.
fn is_drawn(name: &str) -> bool {
    name.len() == 6 && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
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
        let named = |rest: &str| PREFIX.to_owned() + rest;
        for name in ["aaaaaa.parts", "heldxx.parts", "newxxx.parts", "by-me.parts"].map(named) {
            fs::create_dir(path(&name)).unwrap();
            fs::write(path(&name).join("x"), "x").unwrap();
        }
        for name in ["bbbbbb.part", "heldxx.part", "cccccc.db", "by-me.part"].map(named) {
            fs::write(path(&name), "x").unwrap();
        }
        for entry in fs::read_dir(folder.path()).unwrap().flatten() {
            if entry.file_name() != *named("newxxx.parts") {
                File::open(entry.path()).unwrap().set_modified(long_ago).unwrap();
            }
        }
        let held = ["heldxx.parts", "heldxx.part"].map(|name| File::open(path(&named(name))).unwrap());
        held.iter().for_each(hold);
        clean(folder.path());
        let entries = fs::read_dir(folder.path()).unwrap();
        let mut left: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort_unstable();
        let expected =
            ["by-me.part", "by-me.parts", "cccccc.db", "heldxx.part", "heldxx.parts", "newxxx.parts"].map(named);
        assert_eq!(left, expected);
    }
}
