//! The options of `crawl`, as arguments made from the list of settings.

use std::ffi::OsString;
use std::fmt;

use clap::builder::{
    NonEmptyStringValueParser, OsStringValueParser, PathBufValueParser, PossibleValue, PossibleValuesParser,
    TypedValueParser as _,
};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint};

use crate::config::declare::{Memory, Setting};
use crate::config::kinds::Shape;
use crate::config::{Config, ValueError};

use crate::cli::failure::Failure;
use crate::cli::job::Job;

const SEEDS: &str = "seeds";

/// What was typed or stands in the environment.
#[derive(Clone, Default)]
pub struct CrawlArgs {
    pub seeds: Vec<String>,
    given: Vec<Given>,
}

/// What was said of an option.
#[derive(Clone)]
struct Given {
    name: String,
    texts: Vec<OsString>,
    by_environment: bool,
}

/// The values may be secrets, so only the names are shown.
impl fmt::Debug for CrawlArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.given.iter().map(|given| &given.name).collect();
        f.debug_struct("CrawlArgs").field("seeds", &self.seeds).field("given", &names).finish()
    }
}

impl CrawlArgs {
    /// Sets what was given; the rest stays.
    pub fn apply(&self, config: &mut Config, job: &mut Job) -> Result<(), Failure> {
        for Given { name, texts, .. } in &self.given {
            let set = set(Config::OPTIONS, config, name, texts).and_then(|()| set(Job::OPTIONS, job, name, texts));
            set.map_err(|e| Failure::new(format!("{}: {e}", self.called(name))).code(2))?;
        }
        Ok(())
    }

    /// What an option is called where its value came from: a variable, or the command line.
    pub fn called(&self, option: &str) -> String {
        let by_environment = self.given.iter().any(|given| given.name == option && given.by_environment);
        match by_environment {
            true => format!("HARVESTMAN_{}", option.replace('-', "_").to_uppercase()),
            false => format!("--{option}"),
        }
    }
}

fn set<T>(options: &[Setting<T>], settings: &mut T, name: &str, texts: &[OsString]) -> Result<(), ValueError> {
    let option = options.iter().find(|option| option.name == name);
    option.map_or(Ok(()), |option| (option.set)(settings, texts))
}

impl FromArgMatches for CrawlArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = Self { seeds: Vec::new(), given: Vec::new() };
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.seeds = matches.get_many(SEEDS).into_iter().flatten().cloned().collect();
        let names = arguments().into_iter().map(|argument| argument.get_id().as_str().to_owned());
        let given = |name: String| {
            let texts = matches.get_many::<OsString>(&name)?.cloned().collect();
            let by_environment = matches.value_source(&name) == Some(ValueSource::EnvVariable);
            Some(Given { name, texts, by_environment })
        };
        self.given = names.filter_map(given).collect();
        Ok(())
    }
}

impl Args for CrawlArgs {
    fn augment_args(command: Command) -> Command {
        let seeds = Arg::new(SEEDS).value_name("SEED").num_args(1..).required(true).action(ArgAction::Append);
        let seeds = seeds.help("A file with one URL a line, a URL, or - for standard input");
        command.arg(seeds).args(arguments())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The groups of the help, each with its options.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "What is crawled",
        &[
            "scope",
            "include",
            "exclude",
            "drop-params",
            "max-depth",
            "max-url-length",
            "ignore-robots",
            "sitemaps",
            "check",
            "allow-address",
            "deny-private",
            "allow-trap",
        ],
    ),
    ("Limits", &["max-pages", "max-pages-per-host", "max-duration", "max-database-size", "max-body-size"]),
    ("Pace", &["rate", "global-rate", "concurrency", "max-connections", "max-connections-per-host", "max-wait"]),
    (
        "Requests",
        &[
            "user-agent",
            "timeout",
            "connect-timeout",
            "retries",
            "max-redirects",
            "header",
            "cookies",
            "no-cookies",
            "netrc",
            "proxy",
        ],
    ),
    ("Crawling again", &["recrawl-after", "recrawl-min", "recrawl-max", "respect-cache", "fresh"]),
    (
        "What is stored",
        &[
            "body-types",
            "no-bodies",
            "compress",
            "no-links",
            "no-text",
            "index",
            "keep-versions",
            "keep-runs",
            "extract",
            "rules",
        ],
    ),
    ("Results and watching", &["json", "fail-on", "success-file", "log-file", "metrics"]),
    ("Several at one database", &["wait-lock", "node", "lease", "join"]),
];

fn group(name: &str) -> Option<&'static str> {
    GROUPS.iter().find(|(_, options)| options.contains(&name)).map(|(group, _)| *group)
}

/// In the order of the help: what names files first, `index` beside the settings of the text, how to run last.
fn arguments() -> Vec<Arg> {
    let is_first = |name: &str| matches!(name, "database" | "config");
    let job = |wanted: &dyn Fn(&str) -> bool| -> Vec<Arg> {
        Job::OPTIONS.iter().filter(|option| wanted(option.name)).map(argument).collect()
    };
    let mut arguments = job(&is_first);
    for option in Config::OPTIONS.iter().filter(|option| option.memory != Memory::Code) {
        arguments.push(argument(option));
        if option.name == "no-text" {
            arguments.extend(job(&|name| name == "index"));
        }
    }
    arguments.extend(job(&|name| !is_first(name) && name != "index"));
    arguments
}

fn argument<T: Default>(option: &'static Setting<T>) -> Arg {
    let default = (option.default)();
    let default = if default.is_empty() { default } else { format!(" [default: {default}]") };
    let argument = Arg::new(option.name)
        .long(option.name)
        .env(option.variable)
        .hide_env_values(true)
        .value_name(option.value_name)
        .help(format!("{}{default}", option.help))
        .help_heading(group(option.name))
        .allow_hyphen_values(option.may_begin_with_hyphen)
        .action(if option.shape == Shape::Many { ArgAction::Append } else { ArgAction::Set });
    let argument = match option.shape {
        Shape::Flag => argument.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Shape::One | Shape::Many => argument,
    };
    if option.name == "database" {
        return argument.short('d').value_parser(NonEmptyStringValueParser::new().map(OsString::from));
    }
    if option.is_file {
        return argument.value_hint(ValueHint::AnyPath).value_parser(PathBufValueParser::new().map(OsString::from));
    }
    if option.is_secret {
        // An error of the parser would repeat the value: it is judged when it is set.
        return argument.value_parser(OsStringValueParser::new());
    }
    if option.choices.is_empty() {
        // The value is set once more when all layers are known; here it is judged, so that the error names the option.
        let judge = |text: OsString| (option.set)(&mut T::default(), std::slice::from_ref(&text)).map(|()| text);
        return argument.value_parser(OsStringValueParser::new().try_map(judge));
    }
    let choices = option.choices.iter().map(|(word, help)| {
        let choice = PossibleValue::new(*word);
        if help.is_empty() { choice } else { choice.help(help.trim()) }
    });
    argument.value_parser(PossibleValuesParser::new(choices).map(OsString::from))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A row of the table for each option: how it is written, its default, and its meaning.
    fn table() -> String {
        let row = |argument: Arg| {
            let help = argument.get_help().unwrap().to_string();
            let (meaning, default) = help.split_once(" [default: ").unwrap_or((&help, ""));
            let values = argument.get_value_names().unwrap().join(" ");
            let is_flag = values == "BOOL";
            let values = if is_flag { String::new() } else { format!(" {values}") };
            let name = format!("--{}{values}", argument.get_long().unwrap());
            let default = if is_flag { "off" } else { default.trim_end_matches(']') };
            format!("| `{name}` | {default} | {meaning} |\n")
                .replace("N|auto", "N\\|auto")
                .replace('<', "&lt;")
                .replace('*', "\\*")
        };
        let rows: String = arguments().into_iter().map(row).collect();
        format!("\n| option | default | meaning |\n|---|---|---|\n{rows}\n")
    }

    #[test]
    fn options_md_lists_every_option_as_it_is_declared() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/options.md");
        let document = std::fs::read_to_string(&path).unwrap();
        let start = document.find("<!-- options: ").unwrap();
        let start = start + document[start..].find('\n').unwrap() + 1;
        let end = document.find("<!-- end of options -->").unwrap();
        let fresh = format!("{}{}{}", &document[..start], table(), &document[end..]);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, fresh).unwrap();
            return;
        }
        assert!(document == fresh, "docs/options.md is out of date; BLESS=1 writes it anew");
    }

    #[test]
    fn every_option_is_in_one_group_of_the_help_but_for_those_that_name_files() {
        let names: Vec<_> = arguments().iter().map(|argument| argument.get_id().to_string()).collect();
        let grouped: Vec<_> = GROUPS.iter().flat_map(|(_, options)| options.iter().copied()).collect();
        for name in &names {
            let places = grouped.iter().filter(|grouped| *grouped == name).count();
            assert_eq!(places, usize::from(!["database", "config"].contains(&name.as_str())), "{name}");
        }
        assert_eq!(grouped.len() + 2, names.len(), "nothing else is in a group");
    }

    #[test]
    fn options_md_names_the_options_whose_change_has_urls_judged_again() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/options.md");
        let document = std::fs::read_to_string(path).unwrap();
        let words = &document[document.find("If `--scope`").unwrap()..];
        for option in Config::OPTIONS {
            let judges = option.memory == Memory::Judges;
            assert_eq!(words.contains(&format!("`--{}`", option.name)), judges, "{}", option.name);
        }
    }
}
