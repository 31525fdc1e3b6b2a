//! The crate's own source, for tests that hold it to its rules.

use std::collections::BTreeMap;
use std::path::Path;

/// The text of each file of `src` by its module's path, such as `cli/report`; the library's root is `lib`.
pub fn files() -> BTreeMap<String, String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    collect(&src, &src, &mut files);
    files
}

fn collect(src: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(src, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.with_extension("").strip_prefix(src).unwrap().to_str().unwrap().to_owned();
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The lines of a file without its comments.
pub fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| match line.find("//") {
        // What follows a colon is a URL in a string.
        Some(at) if !line[..at].ends_with(':') => line[..at].trim_end(),
        _ => line,
    })
}
