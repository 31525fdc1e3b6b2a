//! `init`: asks what is to be crawled, how far and how fast, and writes a settings file and a seeds file to begin with.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{BufRead as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::canonical::{CanonicalUrl, without_userinfo};
use crate::config::{Config, ScopeKind};

use super::console::Console;
use super::failure::{Failure, hint_for_file};
use super::output::printable;
use super::seeds::{is_number, with_scheme};
use super::settings::CONFIG_FILE;

const SEEDS_FILE: &str = "seeds.txt";
/// Who may read a file: whoever the umask lets, or its owner.
const PUBLIC: u32 = 0o666;
const OWN: u32 = 0o600;
/// What is crawled if nothing is named: a site made for practising.
const SEED: &str = "https://books.toscrape.com/";

/// What was asked for.
#[derive(Debug, Clone, PartialEq)]
struct Answers {
    seeds: Vec<String>,
    scope: ScopeKind,
    rate: f64,
}

impl Default for Answers {
    fn default() -> Self {
        let Config { scope, rate, .. } = Config::default();
        Self { seeds: vec![SEED.to_owned()], scope, rate }
    }
}

pub fn run(seeds: &[String], takes_defaults: bool, console: &Console) -> Result<u8, Failure> {
    for file in [CONFIG_FILE, SEEDS_FILE] {
        if Path::new(file).symlink_metadata().is_ok() {
            let failure = Failure::new(format!("`{file}` is there already, and nothing is written over it"));
            return Err(failure.hint(format!(
                "edit it, or give `harvestman init` in another folder; `harvestman crawl {SEEDS_FILE}` uses both"
            )));
        }
    }
    let mut answers = Answers::default();
    if !seeds.is_empty() {
        answers.seeds =
            seeds.iter().map(|seed| url(seed)).collect::<Result<_, _>>().map_err(|e| Failure::new(e).code(2))?;
    }
    if !takes_defaults {
        ask_all(&mut answers, seeds.is_empty())?;
    }
    let is_secret = answers.seeds.iter().any(|seed| without_userinfo(seed) != *seed);
    write(SEEDS_FILE, &seeds_file(&answers), if is_secret { OWN } else { PUBLIC })?;
    write(CONFIG_FILE, &settings_file(&answers), PUBLIC)?;
    console.say(&format!("{SEEDS_FILE} and {CONFIG_FILE} are written; both say what else they can hold."));
    if is_secret {
        console.say(&format!("{SEEDS_FILE} holds what logs you in, so nobody but you may read it (mode 600)."));
    }
    console.hint(&format!("next: harvestman crawl {SEEDS_FILE}"));
    Ok(0)
}

fn ask_all(answers: &mut Answers, asks_for_seeds: bool) -> Result<(), Failure> {
    if asks_for_seeds {
        let read = |text: &str| text.split_whitespace().map(url).collect();
        answers.seeds = ask("What is to be crawled? URLs, with blanks between", SEED, read)?;
    }
    let scope = answers.scope.as_str();
    let read = |text: &str| {
        let none = |_| format!("`{}` is none of page, prefix, host, domain and any", printable(text));
        text.parse::<ScopeKind>().map_err(none)
    };
    let question = "How far from there? page: only these; prefix: what is below them; host: the same host; \
                    domain: its other hosts too; any: anywhere";
    answers.scope = ask(question, scope, read)?;
    let read = |text: &str| match text.parse() {
        Ok(rate) if f64::is_finite(rate) && rate >= 0.0 => Ok(rate),
        _ => Err(format!("`{}` is no number of requests per second, such as 2 or 0.5", printable(text))),
    };
    answers.rate = ask("How fast? Requests per second to one host, 0 for no limit", &answers.rate.to_string(), read)?;
    Ok(())
}

/// Asks until the answer can be read; an empty one is the default.
fn ask<T>(question: &str, default: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<T, Failure> {
    let mut line = String::new();
    loop {
        // Standard output stays free for results.
        write!(std::io::stderr(), "{question} [{default}]: ")?;
        line.clear();
        let length = std::io::stdin().lock().read_line(&mut line).map_err(|e| Failure::new("no answer").cause(&e))?;
        if length == 0 {
            writeln!(std::io::stderr())?;
            let failure = Failure::new("the answers ended before the last question");
            return Err(failure.hint("--yes takes the defaults without asking; an empty line takes one"));
        }
        let answer = if line.trim().is_empty() { default } else { line.trim() };
        match read(answer) {
            Ok(read) => return Ok(read),
            Err(problem) => writeln!(std::io::stderr(), "{problem}")?,
        }
    }
}

/// A seed as it stands in the file.
fn url(text: &str) -> Result<String, String> {
    if is_number(text) {
        return Err(format!("`{text}` is a number, and no site"));
    }
    let whole = if text.contains("://") { text.to_owned() } else { with_scheme(text) };
    match CanonicalUrl::parse(&whole) {
        Ok(_) => Ok(whole),
        Err(e) => Err(format!("`{}` is no URL that can be crawled: {e}", printable(&without_userinfo(text)))),
    }
}

fn write(file: &str, text: &str, mode: u32) -> Result<(), Failure> {
    let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(file).and_then(|mut out| {
        out.write_all(text.as_bytes())?;
        out.sync_all()
    });
    written.map_err(|e| Failure::new(format!("cannot write `{file}`")).cause(&e).maybe_hint(hint_for_file(&e)))
}

fn seeds_file(answers: &Answers) -> String {
    let mut text =
        "# Seeds: one http(s) URL a line. A # at the start of a line or after white space starts a comment.\n"
            .to_owned();
    for seed in &answers.seeds {
        let _ = writeln!(text, "{seed}");
    }
    text
}

fn settings_file(answers: &Answers) -> String {
    let Answers { scope, rate, .. } = answers;
    format!(
        r#"# What `harvestman crawl {SEEDS_FILE}` does in this folder. The keys are its long options, without the dashes:
# `harvestman crawl --help` tells them all. To set one that stands behind a #, take the # away.

# How far from the seeds: page, prefix, host, domain or any.
scope = "{}"

# Requests per second to one host; 0 is no limit. A longer Crawl-delay in robots.txt wins.
rate = {rate:?}

# Who you are: site owners find it in their logs, and whom to write to.
# user-agent = "examplebot/1.0 (+https://example.org/bot)"

# Limits. What is left stays pending, and the same command goes on with it.
# max-depth = 3
# max-pages = 10000
# max-duration = "5h"
# max-database-size = "20GiB"

# What is left out: regular expressions on the URL, and parameters that only tell visitors apart.
# exclude = ["/calendar/", "\\.zip$"]
# drop-params = ["utm_*,gclid"]

# Also take the URLs of the sitemaps.
# sitemaps = true

# In a later run, leave pages alone that were fetched less than this ago; "auto" follows how often each changes.
# recrawl-after = "24h"
# keep-versions = 3

# The exit code is 5 if one of these holds in the end, for whoever runs it every night.
# fail-on = ["failed>10%", "fetched<100"]

# Where the crawl is kept; the other commands read it there, too.
# database = "crawl.db"
"#,
        scope.as_str()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_that_can_be_set_is_one_that_a_crawl_reads() {
        let written = settings_file(&Answers { scope: ScopeKind::Domain, rate: 0.5, ..Answers::default() });
        let config = Config::from_toml(&written).unwrap();
        assert_eq!(config, Config { scope: ScopeKind::Domain, rate: 0.5, ..Config::default() });
        let set =
            |line: &str| line.strip_prefix("# ").filter(|line| line.split(' ').nth(1) == Some("=")).map(str::to_owned);
        let all: Vec<_> = written.lines().map(|line| set(line).unwrap_or_else(|| line.to_owned())).collect();
        let config = Config::from_toml(&all.join("\n")).unwrap();
        assert!(config.validate().is_ok() && config.sitemaps && config.max_pages == Some(10_000), "{config:?}");
    }

    #[test]
    fn a_name_is_taken_for_a_site_and_what_is_none_is_refused() {
        assert_eq!(url("example.com/a"), Ok("https://example.com/a".to_owned()));
        assert_eq!(url("http://example.com"), Ok("http://example.com".to_owned()));
        for plain in
            ["localhost", "127.0.0.1:8000", "10.0.0.7/docs", "[::1]", "nas.local", "intranet", "example.com:8080"]
        {
            assert_eq!(url(plain), Ok(format!("http://{plain}")));
        }
        assert_eq!(url("example.com:443"), Ok("https://example.com:443".to_owned()));
        assert_eq!(url("93.184.215.14"), Ok("https://93.184.215.14".to_owned()));
        assert!(url("ftp://example.com/").is_err() && url("https://").is_err());
    }
}
