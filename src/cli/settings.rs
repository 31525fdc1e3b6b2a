//! What a crawl is told in the end: what was typed wins over the environment, that over the settings file, and that over
//! the defaults.

use crate::config::{Config, TomlError, read_toml};

use super::args::{CrawlArgs, DatabaseArg};
use super::failure::Failure;
use super::job::Job;

/// The settings file that is read if it is there.
pub const CONFIG_FILE: &str = "harvestman.toml";

/// The settings of the crawl, and how it is run. What was typed is judged first.
pub fn settle(args: &CrawlArgs) -> Result<(Config, Job), Failure> {
    let (mut config, mut job) = (Config::default(), Job::default());
    args.apply(&mut config, &mut job)?;
    config.validate().map_err(|e| Failure::new(format!("--{e}")).code(2))?;
    let (path, asked) = match &job.config {
        Some(path) => (path.clone(), true),
        None => (CONFIG_FILE.into(), false),
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if !asked && e.kind() == std::io::ErrorKind::NotFound => return Ok((config, job)),
        Err(e) => {
            return Err(Failure::new(format!("cannot read the settings file `{}`", path.display())).cause(&e));
        }
    };
    let (mut config, mut job) = (Config::default(), Job::default());
    let path = path.display().to_string();
    read_toml(&text, &mut config, &mut job).map_err(|e| in_file(&path, e))?;
    config.validate().map_err(|e| Failure::new(format!("{path}: {e}")))?;
    args.apply(&mut config, &mut job)?;
    Ok((config, job))
}

fn in_file(path: &str, error: TomlError) -> Failure {
    match error {
        TomlError::UnknownKey { line, key } => {
            let failure = Failure::new(format!("{path}, line {line}: unknown key `{key}`"));
            failure.hint(match key.as_str() {
                "quiet" | "verbose" | "log-format" => "this option is for the command line alone",
                _ => "the keys are the long options of `harvestman crawl --help`, without the dashes",
            })
        }
        TomlError::Syntax { line, problem } | TomlError::Value { line, problem, .. } => {
            Failure::new(format!("{path}, line {line}: {problem}"))
        }
    }
}

impl DatabaseArg {
    /// The database that a crawl in this folder would use.
    pub fn path(&self) -> Result<String, Failure> {
        if let Some(database) = &self.database {
            return Ok(database.clone());
        }
        let Ok(text) = std::fs::read_to_string(CONFIG_FILE) else { return Ok(Job::default().database) };
        let settings: toml::Table = toml::from_str(&text)
            .map_err(|e| Failure::new(format!("{CONFIG_FILE}: {}", e.message().replace('\n', " "))))?;
        let database = settings.get("database").and_then(toml::Value::as_str);
        Ok(database.map_or_else(|| Job::default().database, str::to_owned))
    }
}
