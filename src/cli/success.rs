//! `--success-file`: when a crawl last went well, for whoever watches a job that runs every night. A file that grows old, or is
//! not there, is the alarm. It is one of node_exporter's textfile collector too.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tempfile::NamedTempFile;

use crate::config::Config;
use crate::engine::Summary;
use crate::read::{Database, ReadError};
use crate::store::postgres::is_postgres;
use crate::store::sqlite::file_path;
use crate::visit::Millis;

use super::failure::{Failure, hint_for_file};
use super::job::Job;
use super::leftovers;
use super::settings::CONFIG_FILE;
use super::target::{Target, folder, is_same};

/// The success file, as far as it may be written.
pub struct SuccessFile {
    path: PathBuf,
    permissions: Permissions,
}

impl SuccessFile {
    /// That of a crawl, if it is to have one. Refuses a file that could not be written in the end, or that is something else:
    /// the database, or what the crawl reads or writes besides, such as files of `seeds`.
    pub fn of(job: &Job, config: &Config, seeds: &[String]) -> Result<Option<Self>, Failure> {
        let Some(path) = &job.success_file else { return Ok(None) };
        let settings = job.config.clone().unwrap_or_else(|| CONFIG_FILE.into());
        let read = [&job.log_file, &config.cookies, &config.netrc].into_iter().flatten().chain([&settings]);
        let named = seeds.iter().chain(&job.rules).map(PathBuf::from);
        let others: Vec<_> = read.cloned().chain(named).collect();
        let database = if is_postgres(&job.database) { None } else { Some(file_path(&job.database)?) };
        Self::new(path, database.as_deref(), &others).map(Some)
    }

    fn new(path: &Path, database: Option<&Path>, others: &[PathBuf]) -> Result<Self, Failure> {
        let elsewhere = |failure: Failure| failure.hint("name another file with --success-file");
        let refuse = |problem: &str| {
            Err(elsewhere(Failure::new(format!("cannot write the success file `{}`: {problem}", path.display()))))
        };
        if others.iter().any(|other| is_same(path, other)) {
            return refuse("the crawl reads or writes it for something else");
        }
        let Target::File(path, permissions) = Target::new(path, database).map_err(elsewhere)? else {
            return refuse("it is no file");
        };
        // As any program writes a file: who else may read it, the umask says.
        let permissions = permissions.unwrap_or_else(|| Permissions::from_mode(0o666));
        let file = Self { path, permissions };
        file.part().map_err(|e| file.unwritten(&e))?;
        Ok(file)
    }

    /// Notes that a crawl ended well at this time. Whoever reads the file meanwhile finds the old one or the new one, whole.
    pub fn note(&self, summary: &Summary, at: Millis) -> Result<(), Failure> {
        let mut text = String::new();
        encode(&mut text, &figures(summary, at)).map_err(|e| self.unwritten(&std::io::Error::other(e)))?;
        let write = || {
            let mut part = self.part()?;
            part.write_all(text.as_bytes())?;
            part.as_file().sync_all()?;
            part.persist(&self.path).map(drop).map_err(|e| e.error)
        };
        write().map_err(|e| self.unwritten(&e))
    }

    /// What takes the name of the file once it is whole.
    fn part(&self) -> std::io::Result<NamedTempFile> {
        let mut part = tempfile::Builder::new();
        part.prefix(leftovers::PREFIX)
            .suffix(leftovers::FILE)
            .permissions(self.permissions.clone())
            .tempfile_in(folder(&self.path))
    }

    fn unwritten(&self, e: &std::io::Error) -> Failure {
        let failure = Failure::new(format!("cannot write the success file `{}`", self.path.display())).cause(e);
        failure.maybe_hint(hint_for_file(e))
    }
}

/// When a crawl into this database last went well, in seconds since 1970, as far as that is known: by the success file if
/// there is to be one, else by the runs, of which one that finished is taken for one that went well.
pub fn last(file: Option<&Path>, db: &Database) -> Result<Option<f64>, ReadError> {
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let value =
            text.lines().find_map(|line| line.strip_prefix("harvestman_last_success_timestamp_seconds ")?.parse().ok());
        return Ok(value);
    }
    let row = db.first("select max(finished_at) from _run where outcome = 'finished'", [])?;
    let at: Option<Millis> = row.map_or(Ok(None), |row| row.at(0))?;
    Ok(at.map(|at| at as f64 / 1000.0))
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
