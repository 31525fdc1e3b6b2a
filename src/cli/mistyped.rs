//! Options and commands that do not exist: which one was probably meant, by its spelling or by its meaning.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use super::suggest::nearest;

/// What other programs call an option, and what it is called here. Of several for one word, the first that the command has.
const OPTIONS: &[(&str, &str)] = &[
    ("accept", "include"),
    ("accept-regex", "include"),
    ("agent", "user-agent"),
    ("allow", "include"),
    ("allow-private", "allow-address"),
    ("auth", "netrc"),
    ("config-file", "config"),
    ("cookie", "cookies"),
    ("cookie-file", "cookies"),
    ("cookie-jar", "cookies"),
    ("crawl-delay", "rate"),
    ("csv", "format"),
    ("db", "database"),
    ("delay", "rate"),
    ("deny", "exclude"),
    ("depth", "max-depth"),
    ("disallow", "exclude"),
    ("domain", "scope"),
    ("domains", "scope"),
    ("download-delay", "rate"),
    ("duration", "max-duration"),
    ("external", "check"),
    ("external-links", "check"),
    ("file", "database"),
    ("filter", "include"),
    ("filter", "where"),
    ("force", "fresh"),
    ("format", "json"),
    ("headers", "header"),
    ("ignore-params", "drop-params"),
    ("input", "database"),
    ("interval", "rate"),
    ("jobs", "concurrency"),
    ("json", "format"),
    ("level", "max-depth"),
    ("levels", "max-depth"),
    ("limit", "max-pages"),
    ("limit-rate", "rate"),
    ("load-cookies", "cookies"),
    ("login", "netrc"),
    ("max-count", "limit"),
    ("max-delay", "max-wait"),
    ("max-redirs", "max-redirects"),
    ("max-size", "max-body-size"),
    ("max-time", "max-duration"),
    ("max-urls", "max-pages"),
    ("no-robots", "ignore-robots"),
    ("no-robotstxt", "ignore-robots"),
    ("out", "output"),
    ("output", "database"),
    ("pages", "max-pages"),
    ("parallel", "concurrency"),
    ("params", "param"),
    ("password", "netrc"),
    ("quota", "max-database-size"),
    ("reject", "exclude"),
    ("reject-regex", "exclude"),
    ("rps", "rate"),
    ("silent", "quiet"),
    ("sitemap", "sitemaps"),
    ("speed", "rate"),
    ("subdomains", "scope"),
    ("table", "format"),
    ("tables", "schema"),
    ("threads", "concurrency"),
    ("tries", "retries"),
    ("ua", "user-agent"),
    ("url-filter", "include"),
    ("user", "netrc"),
    ("views", "schema"),
    ("wait", "rate"),
    ("workers", "concurrency"),
];

/// The same of commands.
const COMMANDS: &[(&str, &str)] = &[
    ("compact", "vacuum"),
    ("diff", "changes"),
    ("doctor", "check"),
    ("find", "search"),
    ("fsck", "check"),
    ("info", "status"),
    ("new", "init"),
    ("resume", "crawl"),
    ("run", "crawl"),
    ("setup", "init"),
    ("spider", "crawl"),
    ("sql", "query"),
    ("start", "crawl"),
    ("stats", "status"),
    ("tables", "query"),
    ("verify", "check"),
    ("why", "explain"),
];

/// The error with a better suggestion, if it is of an option or a command that does not exist. `typed` is the command line.
pub fn told(mut error: Error, command: &Command, typed: &[String]) -> Error {
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let sub = typed.iter().find_map(|word| command.find_subcommand(word)).unwrap_or(command);
            let Some(word) = unknown_option(&error, sub, command, typed) else { return error };
            error.remove(ContextKind::Suggested);
            error.remove(ContextKind::Usage);
            error.insert(ContextKind::InvalidArg, ContextValue::String(format!("--{word}")));
            match meant(&word, sub).or_else(|| meant(&word, command)) {
                Some(option) => {
                    error.insert(ContextKind::SuggestedArg, ContextValue::String(format!("--{option}")));
                }
                None => drop(error.remove(ContextKind::SuggestedArg)),
            }
        }
        ErrorKind::InvalidSubcommand => {
            let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return error };
            if let Some((_, meant)) = COMMANDS.iter().find(|(other, _)| other == word) {
                let meant = ContextValue::Strings(vec![(*meant).to_owned()]);
                error.insert(ContextKind::SuggestedSubcommand, meant);
            }
        }
        _ => {}
    }
    error
}

/// The name of the option that does not exist. Where something that begins with a hyphen may be a value, the error is of what
/// stands behind it.
fn unknown_option(error: &Error, sub: &Command, command: &Command, typed: &[String]) -> Option<String> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    if let Some(word) = word.strip_prefix("--") {
        return Some(word.to_owned());
    }
    let is_known = |name: &str| [sub, command].iter().any(|of| of.get_arguments().any(|a| a.get_long() == Some(name)));
    // What stands behind `=` may be a secret.
    let names = typed.iter().filter_map(|word| word.strip_prefix("--")?.split('=').next());
    names.filter(|name| !name.is_empty() && !name.contains(' ')).find(|name| !is_known(name)).map(str::to_owned)
}

/// The option of a command that was probably meant.
pub fn meant(word: &str, command: &Command) -> Option<String> {
    let longs: Vec<_> = command.get_arguments().filter_map(|argument| argument.get_long()).collect();
    let mut by_meaning = OPTIONS.iter().filter(|(other, _)| *other == word).map(|(_, option)| *option);
    by_meaning.find(|option| longs.contains(option)).or_else(|| nearest(word, longs)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use crate::cli::args::Cli;

    use super::*;

    #[test]
    fn what_is_suggested_exists() {
        let command = Cli::command();
        let names: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
        let longs: Vec<_> = command.get_arguments().filter_map(|argument| argument.get_long()).collect();
        let of_commands = command.get_subcommands().flat_map(|sub| sub.get_arguments().filter_map(|a| a.get_long()));
        let longs: Vec<_> = of_commands.chain(longs).collect();
        for (word, option) in OPTIONS {
            assert!(longs.contains(option), "--{word}: --{option}");
        }
        for (word, name) in COMMANDS {
            assert!(names.contains(name) && !names.contains(word), "{word}: {name}");
        }
        assert!(OPTIONS.is_sorted() && COMMANDS.is_sorted());
    }
}
