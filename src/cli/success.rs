//! `--success-file`: when a crawl last went well, for whoever watches a job that runs every night. A file that grows old, or is
//! not there, is the alarm. It is one of node_exporter's textfile collector too.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::engine::Summary;
use crate::visit::Millis;

use super::failure::{Failure, hint_for_file};
use super::target::{folder, is_database};

/// Refuses a file that could not be written in the end, before the crawl begins.
pub fn must_be_writable(path: &Path) -> Result<(), Failure> {
    let refuse = |problem: &str| {
        let failure = Failure::new(format!("cannot write the success file `{}`: {problem}", path.display()));
        Err(failure.hint("name another file with --success-file"))
    };
    if path.is_dir() {
        refuse("it is a directory")
    } else if is_database(path) {
        refuse("it is a database")
    } else if !folder(path).is_dir() {
        refuse("its folder does not exist")
    } else {
        Ok(())
    }
}

/// Notes that a crawl ended well at this time. Whoever reads the file meanwhile finds the old one or the new one, whole.
pub fn note(path: &Path, summary: &Summary, at: Millis) -> Result<(), Failure> {
    let refuse = |e: std::io::Error| {
        let failure = Failure::new(format!("cannot write the success file `{}`", path.display())).cause(&e);
        failure.maybe_hint(hint_for_file(&e))
    };
    let mut text = String::new();
    encode(&mut text, &figures(summary, at)).map_err(|e| refuse(std::io::Error::other(e)))?;
    let write = || {
        let mut part = tempfile::Builder::new();
        // As any program writes a file: who else may read it, the umask says.
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        let mut part =
            part.prefix(".harvestman-").suffix(".part").permissions(permissions).tempfile_in(folder(path))?;
        part.write_all(text.as_bytes())?;
        part.as_file().sync_all()?;
        part.persist(path).map(drop).map_err(|e| e.error)
    };
    write().map_err(refuse)
}

fn figures(summary: &Summary, at: Millis) -> Registry {
    let mut registry = Registry::with_prefix("harvestman_last_success");
    let mut seconds = |name: &str, help: &str, value: f64| {
        let gauge = Gauge::<f64, AtomicU64>::default();
        gauge.set(value);
        registry.register_with_unit(name, help, Unit::Seconds, gauge);
    };
    seconds("timestamp", "When a crawl last ended with exit code 0, since 1970", at as f64 / 1000.0);
    seconds("duration", "How long it took", summary.elapsed_seconds);
    let urls: Family<[(&str, &str); 1], Gauge> = Family::default();
    let a = summary.accounting;
    for (state, count) in [("fetched", a.fetched), ("failed", a.failed), ("skipped", a.skipped), ("pending", a.pending)]
    {
        urls.get_or_create(&[("state", state)]).set(count);
    }
    registry.register("urls", "URLs known then, by state", urls);
    registry
}
