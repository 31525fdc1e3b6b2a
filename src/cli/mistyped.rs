//! Options, commands and words that do not exist: what was probably meant, by its spelling or by its meaning.

mod words;

use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};

use crate::canonical::CanonicalUrl;

use super::suggest::nearest;
use super::{bare, recipes};
use words::{COMMANDS, LETTERS, NO_SETTINGS, OPTIONS, SAID, SAID_OF_COMMANDS, SCRAPY};

/// What was meant by an option that does not exist.
#[derive(Debug, PartialEq, Eq)]
pub enum Meant {
    /// The long option, without its hyphens.
    Option(String),
    /// What takes its place, in words.
    Words(&'static str),
}

/// The error with a better suggestion, if something does not exist, or if a value came from the environment. `typed` is the
/// command line.
pub fn told(mut error: Error, command: &Command, typed: &[String]) -> Error {
    let sub = typed.iter().find_map(|word| command.find_subcommand(word)).unwrap_or(command);
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(&mut error, sub, command, typed),
        ErrorKind::InvalidSubcommand => no_command(&mut error),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let Some(argument) = argument_of(&error, sub) else { return error };
            if argument.is_positional()
                && let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidValue)
                && let Some(named) = bare::named(word)
            {
                tip(&mut error, named);
            } else if let Some(variable) = variable(argument, typed) {
                error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
            }
        }
        _ => {}
    }
    without_passwords(error)
}

/// The error without what may be passwords in what was typed.
fn without_passwords(mut error: Error) -> Error {
    let is_typed =
        |kind| matches!(kind, ContextKind::InvalidArg | ContextKind::InvalidValue | ContextKind::InvalidSubcommand);
    let texts = error.context().filter_map(|(kind, value)| match value {
        ContextValue::String(text) if is_typed(kind) => Some((kind, bare::shown(text))),
        _ => None,
    });
    for (kind, text) in texts.collect::<Vec<_>>() {
        error.insert(kind, ContextValue::String(text));
    }
    error
}

fn tip(error: &mut Error, words: impl Into<String>) {
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![words.into().into()]));
}

/// The argument that an error is about.
fn argument_of<'c>(error: &Error, command: &'c Command) -> Option<&'c Arg> {
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else { return None };
    command.get_arguments().find(|argument| argument.to_string() == *shown)
}

/// The variable whose value an option took: it was not typed.
fn variable(argument: &Arg, typed: &[String]) -> Option<String> {
    let long = format!("--{}", argument.get_long()?);
    let is_long = |word: &str| word.strip_prefix(&long).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
    let is_short = |word: &str| {
        let letters = word.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
        letters.zip(argument.get_short()).is_some_and(|(letters, short)| letters.contains(short))
    };
    let is_typed = typed.iter().any(|word| is_long(word) || is_short(word));
    let variable = argument.get_env().filter(|variable| !is_typed && std::env::var_os(variable).is_some())?;
    Some(variable.to_string_lossy().into_owned())
}

fn unknown(error: &mut Error, sub: &Command, command: &Command, typed: &[String]) {
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else { return };
    let Some(word) = unknown_option(shown, sub, command, typed) else {
        let shown = bare::shown(shown);
        let has = |long: &str| sub.get_arguments().any(|argument| argument.get_long() == Some(long));
        let stands_alone = |at: usize| at == 0 || !["-d", "--database"].contains(&&*typed[at - 1]);
        let mut words = typed.iter().enumerate().filter(|(at, _)| has("database") && stands_alone(*at));
        let database = words.find_map(|(_, word)| bare::named(word));
        let file = has("output").then(|| format!("a file to write is named with --output, such as --output {shown}"));
        if let Some(words) = database.or(file) {
            tip(error, words);
        }
        error.insert(ContextKind::InvalidArg, ContextValue::String(shown));
        return;
    };
    for misleading in [ContextKind::Suggested, ContextKind::SuggestedArg, ContextKind::Usage] {
        error.remove(misleading);
    }
    error.insert(ContextKind::InvalidArg, ContextValue::String(word.clone()));
    let setting = scrapy_setting(&word, sub, typed);
    match setting.or_else(|| meant(&word, sub)).or_else(|| meant(&word, command)).or_else(|| near(&word, sub)) {
        Some(Meant::Option(option)) => {
            error.insert(ContextKind::SuggestedArg, ContextValue::String(format!("--{option}")));
        }
        Some(Meant::Words(words)) => tip(error, words),
        None => {}
    }
}

/// The option that does not exist, with its hyphens and without a value, which may be a secret. Where something that begins
/// with a hyphen may be a value, the error is of what stands behind it.
fn unknown_option(shown: &str, sub: &Command, command: &Command, typed: &[String]) -> Option<String> {
    if shown.starts_with("--") {
        return Some(shown.to_owned());
    }
    if let Some(letter) = shown.strip_prefix('-') {
        // As wget joins two letters: the parser tells the first alone.
        let joined = LETTERS.iter().map(|(letters, _)| *letters).filter(|letters| letters.len() > 1);
        let mut joined = joined.filter(|letters| letters.starts_with(letter)).map(|letters| format!("-{letters}"));
        return joined.find(|letters| typed.contains(letters)).or_else(|| Some(shown.to_owned()));
    }
    let is_known = |option: &str| {
        let is_it = |argument: &Arg| match option.strip_prefix("--") {
            Some(long) => argument.get_long() == Some(long),
            None => argument.get_short().is_some_and(|short| option.contains(short)),
        };
        [sub, command].iter().any(|of| of.get_arguments().any(is_it))
    };
    let mut options = typed.iter().filter_map(|word| word.split('=').next()).filter(|word| {
        let is_long = word.starts_with("--") && word.len() > 2;
        (is_long || word.starts_with('-') && word.len() == 2 && *word != "--") && !word.contains(' ')
    });
    options.find(|option| !is_known(option)).map(str::to_owned)
}

/// What was probably meant by an option of a command, which is given with its hyphens.
pub fn meant(option: &str, command: &Command) -> Option<Meant> {
    let longs: Vec<_> = command.get_arguments().filter_map(|argument| argument.get_long()).collect();
    let said = |word: &str| {
        let of = |(other, has, _): &&(&str, &str, &str)| *other == word && (has.is_empty() || longs.contains(has));
        SAID.iter().find(of).map(|(.., words)| Meant::Words(words))
    };
    let by_meaning = |word: &str| {
        let mut options = OPTIONS.iter().filter(|(other, _)| *other == word).map(|(_, option)| *option);
        options.find(|option| longs.contains(option)).map(|option| Meant::Option(option.to_owned()))
    };
    let Some(word) = option.strip_prefix("--") else {
        let letters = option.trim_start_matches('-');
        let word = LETTERS.iter().find(|(other, _)| *other == letters).map(|(_, word)| *word);
        let exact = |word: &str| longs.contains(&word).then(|| Meant::Option(word.to_owned()));
        let by_word = |word: &str| exact(word).or_else(|| by_meaning(word)).or_else(|| said(word));
        return said(letters).or_else(|| word.and_then(by_word));
    };
    let by_spelling = || nearest(word, longs.iter().copied()).map(|option| Meant::Option(option.to_owned()));
    by_meaning(word).or_else(|| said(word)).or_else(by_spelling)
}

/// The same, or else what is spelt like another program's option.
pub fn meant_or_near(option: &str, command: &Command) -> Option<Meant> {
    meant(option, command).or_else(|| near(option, command))
}

/// What was meant by an option that is spelt like one of another program.
fn near(option: &str, command: &Command) -> Option<Meant> {
    let word = option.strip_prefix("--")?;
    let theirs = OPTIONS.iter().map(|(other, _)| *other).chain(SAID.iter().map(|(other, ..)| *other));
    meant(&format!("--{}", nearest(word, theirs.filter(|other| other.len() > 1))?), command)
}

/// What takes the place of a setting that Scrapy is given as `-s NAME=VALUE`.
fn scrapy_setting(option: &str, sub: &Command, typed: &[String]) -> Option<Meant> {
    let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let assigned = |word: &str| word.split_once('=').map(|(name, _)| name.to_owned());
    let at = typed.iter().position(|word| word.starts_with("-s")).filter(|_| option == "-s")?;
    let name = assigned(&typed[at][2..]).or_else(|| assigned(typed.get(at + 1)?))?;
    let name = Some(&*name).filter(is_name)?;
    let known = SCRAPY.iter().find(|(setting, _)| *setting == name);
    known.and_then(|(_, option)| meant(&format!("--{option}"), sub)).or(Some(Meant::Words(NO_SETTINGS)))
}

fn no_command(error: &mut Error) {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return };
    let word = word.clone();
    let shown = bare::shown(&word);
    error.insert(ContextKind::InvalidSubcommand, ContextValue::String(shown.clone()));
    if let Some((_, meant)) = COMMANDS.iter().find(|(other, _)| *other == word) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![(*meant).to_owned()]));
        return;
    }
    let words = if let Some((_, words)) = SAID_OF_COMMANDS.iter().find(|(other, _)| *other == word) {
        (*words).to_owned()
    } else if bare::names_database(&word) {
        format!("harvestman status -d {shown}")
    } else if CanonicalUrl::parse(&word).is_ok() || Path::new(&word).is_file() {
        format!("harvestman crawl {shown}")
    } else if recipes::RECIPES.iter().any(|recipe| recipe.name == word) {
        format!("harvestman query --recipe {word}")
    } else {
        return;
    };
    error.remove(ContextKind::SuggestedSubcommand);
    tip(error, words);
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
        let named = regex::Regex::new("--([a-z][a-z-]+)").unwrap();
        for (word, has, words) in SAID {
            assert!(has.is_empty() || longs.contains(has), "--{word}: --{has}");
            let missing = named.captures_iter(words).find(|found| !longs.contains(&found.get(1).unwrap().as_str()));
            assert!(missing.is_none(), "--{word}: {missing:?}");
        }
        for (letters, word) in LETTERS {
            let is_known = longs.contains(word)
                || OPTIONS.iter().any(|(other, _)| other == word)
                || SAID.iter().any(|(other, ..)| other == word);
            assert!(is_known, "-{letters}: {word}");
        }
        let crawl = command.find_subcommand("crawl").unwrap();
        for (setting, option) in SCRAPY {
            assert!(meant(&format!("--{option}"), crawl).is_some(), "{setting}: --{option}");
        }
        for (word, name) in COMMANDS {
            assert!(names.contains(name) && !names.contains(word), "{word}: {name}");
        }
        assert!(SAID_OF_COMMANDS.iter().all(|(word, _)| !names.contains(word)));
        assert!(OPTIONS.is_sorted() && SCRAPY.is_sorted() && COMMANDS.is_sorted() && LETTERS.is_sorted());
        assert!(SAID.is_sorted_by_key(|(word, ..)| word) && SAID_OF_COMMANDS.is_sorted());
    }
}
