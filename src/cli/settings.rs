//! What a crawl is told in the end: what was typed wins over the environment, that over the settings file, and that over
//! the defaults.

use std::path::PathBuf;

use serde::de::{IgnoredAny, MapAccess};
use toml::de::DeTable;

use crate::config::declare::Keys;
use crate::config::{Config, ConfigError, TomlError, read_toml};

use super::args::{CrawlArgs, DatabaseArg, built};
use super::failure::Failure;
use super::job::Job;
use super::mistyped::{self, Meant};
use super::output::printable;
use super::suggest::nearest;

/// The settings file that is read if it is there.
pub const CONFIG_FILE: &str = "harvestman.toml";

/// The settings of the crawl, and how it is run. What was typed is judged first.
pub fn settle(args: &CrawlArgs) -> Result<(Config, Job), Failure> {
    let (mut config, mut job) = (Config::default(), Job::default());
    args.apply(&mut config, &mut job)?;
    let refused = |e: ConfigError| Failure::new(format!("{}: {}", args.called(e.option), e.problem)).code(2);
    config.validate().map_err(refused)?;
    let Some((path, text)) = read(job.config.clone())? else { return Ok((config, job)) };
    let (mut config, mut job) = (Config::default(), Job::default());
    read_toml(&text, &mut config, &mut job).map_err(|e| in_file(&path, &text, e))?;
    config.validate().map_err(|e| {
        let line = line_of(&text, e.option).map_or_else(String::new, |line| format!(", line {line}"));
        Failure::new(format!("{path}{line}: {e}"))
    })?;
    args.apply(&mut config, &mut job)?;
    Ok((config, job))
}

/// The settings file that is asked for, or that of the folder if it is there: its path, and what it holds.
fn read(asked: Option<PathBuf>) -> Result<Option<(String, String)>, Failure> {
    let path = asked.clone().unwrap_or_else(|| CONFIG_FILE.into());
    let name = path.display().to_string();
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((name, text))),
        Err(e) if asked.is_none() && e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Failure::new(format!("cannot read the settings file `{name}`")).cause(&e)),
    }
}

/// The settings file of a crawl in this folder, for the commands that have no option that names one.
pub fn of_this_folder() -> Result<Option<(String, String)>, Failure> {
    read(std::env::var_os("HARVESTMAN_CONFIG").map(PathBuf::from))
}

/// The line on which a key stands.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let (found, _) = table.get_ref().iter().find(|(name, _)| name.get_ref() == key)?;
    Some(text.get(..found.span().start)?.matches('\n').count() + 1)
}

fn in_file(path: &str, text: &str, error: TomlError) -> Failure {
    match error {
        TomlError::UnknownKey { line, key } => {
            let shown = printable(&key);
            Failure::new(format!("{path}, line {line}: unknown key `{shown}`")).hint(in_its_place(text, line, &key))
        }
        TomlError::Syntax { line, problem } if problem == "duplicate key" => {
            let key = text.lines().nth(line.saturating_sub(1)).and_then(|line| line.split('=').next());
            let key = printable(key.unwrap_or_default().trim());
            Failure::new(format!("{path}, line {line}: `{key}` stands there for the second time"))
        }
        TomlError::Syntax { line, problem } => Failure::new(format!("{path}, line {line}: {problem}")),
        TomlError::Value { line, key, problem } => Failure::new(format!("{path}, line {line}: {key}: {problem}")),
    }
}

/// What to write in place of a key that there is not.
fn in_its_place(text: &str, line: usize, key: &str) -> String {
    if ["quiet", "verbose", "log-format"].contains(&key) {
        return "this option is for the command line alone".to_owned();
    }
    if text.lines().nth(line.saturating_sub(1)).is_some_and(|line| line.trim_start().starts_with('[')) {
        let near = nearest(key, ["audit"]).map_or("", |_| "did you mean `[audit]`? ");
        let name = printable(key);
        return format!(
            "{near}the keys of a crawl stand in no section: write them without `[{name}]`, before any other"
        );
    }
    let is_key = |name: &str| Config::default().knows(name) || Job::default().knows(name);
    let crawl = built();
    let option = format!("--{}", key.to_lowercase().replace('_', "-"));
    let keys = "the keys are the long options of `harvestman crawl --help`, without the dashes";
    match crawl.find_subcommand("crawl").and_then(|crawl| mistyped::meant_or_near(&option, crawl)) {
        Some(Meant::Option(name)) if is_key(&name) => format!("did you mean `{name}`? {keys}"),
        Some(Meant::Words(words)) => words.to_owned(),
        _ => keys.to_owned(),
    }
}

/// A key that other commands than `crawl` read, whatever else is in the file.
struct OneKey {
    name: &'static str,
    value: Option<String>,
}

impl Keys for OneKey {
    fn knows(&self, _: &str) -> bool {
        true
    }

    fn is_secret(&self, _: &str) -> bool {
        true
    }

    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key == self.name {
            self.value = Some(map.next_value()?);
        } else {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

impl OneKey {
    /// What the settings file says of it, if there is one, and where.
    fn read_file(name: &'static str) -> Result<Option<(String, String)>, Failure> {
        let Some((path, text)) = of_this_folder()? else { return Ok(None) };
        let mut key = Self { name, value: None };
        read_toml(&text, &mut key, &mut Job::default()).map_err(|e| in_file(&path, &text, e))?;
        let place = line_of(&text, name).map(|line| format!("{path}, line {line}"));
        Ok(key.value.zip(place))
    }
}

impl DatabaseArg {
    /// The database that a crawl in this folder would use.
    pub fn path(&self) -> Result<String, Failure> {
        if let Some(database) = &self.database {
            return Ok(database.clone());
        }
        Ok(OneKey::read_file("database")?.map_or_else(|| Job::default().database, |(database, _)| database))
    }
}

/// What a crawl in this folder would call itself, whatever its other settings are.
pub fn user_agent() -> Result<String, Failure> {
    const VARIABLE: &str = "HARVESTMAN_USER_AGENT";
    let (user_agent, place) = if let Ok(agent) = std::env::var(VARIABLE) {
        (agent, VARIABLE.to_owned())
    } else if let Some((agent, place)) = OneKey::read_file("user-agent")? {
        (agent, format!("{place}: user-agent"))
    } else {
        return Ok(Config::default().user_agent);
    };
    let config = Config { user_agent, ..Config::default() };
    config.validate().map_err(|e| Failure::new(format!("{place}: {}", e.problem)))?;
    Ok(config.user_agent)
}
