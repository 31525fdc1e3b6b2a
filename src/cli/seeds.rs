//! The seeds: files, URLs and standard input become canonical URLs. Lines that are no URL are reported and left out.

use std::collections::HashSet;
use std::io::Read as _;

use crate::canonical::{CanonicalUrl, without_userinfo};
use crate::config::Login;

use super::console::Console;
use super::failure::Failure;

/// What the user asks for.
#[derive(Default)]
pub struct Seeds {
    pub urls: Vec<CanonicalUrl>,
    /// The credentials that stand in them.
    pub logins: Vec<Login>,
}

/// Reads every seed, each once, in their order.
pub fn read(sources: &[String], console: &Console) -> Result<Seeds, Failure> {
    let mut seeds = Seeds::default();
    for source in sources {
        if source.contains("://") {
            take(source, "the command line", &mut seeds, console);
            continue;
        }
        let (name, bytes) = match source.as_str() {
            "-" => ("standard input", standard_input()?),
            file => (file, std::fs::read(file).map_err(|e| unreadable(file, &e))?),
        };
        if bytes.contains(&0) {
            return Err(Failure::new(format!("{name} is no text, so it holds no seeds"))
                .hint("a seeds file has one URL a line; a database is named with --database"));
        }
        let text = String::from_utf8_lossy(&bytes);
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = without_comment(line);
            if !line.is_empty() {
                take(line, &format!("{name}, line {}", index + 1), &mut seeds, console);
            }
        }
    }
    let mut seen = HashSet::new();
    seeds.urls.retain(|seed| seen.insert(seed.clone()));
    if seeds.urls.is_empty() {
        let name = |name: &String| if name == "-" { "standard input".to_owned() } else { without_userinfo(name) };
        let names: Vec<_> = sources.iter().map(name).collect();
        return Err(Failure::new(format!("no seed in {}", names.join(", "))).hint("write one http(s) URL a line"));
    }
    Ok(seeds)
}

fn standard_input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|e| Failure::new("cannot read the seeds from standard input").cause(&e))?;
    Ok(bytes)
}

fn unreadable(file: &str, error: &std::io::Error) -> Failure {
    let failure = Failure::new(format!("cannot read the seeds file `{}`", without_userinfo(file))).cause(error);
    let as_url = CanonicalUrl::parse(&format!("https://{file}")).ok();
    let is_site = |url: &CanonicalUrl| {
        let suffix = url.url().domain().and_then(|name| psl::suffix(name.as_bytes()));
        suffix.is_some_and(|suffix| suffix.is_known()) && !file.starts_with(['/', '.'])
    };
    match as_url.filter(|url| error.kind() == std::io::ErrorKind::NotFound && is_site(url)) {
        Some(url) => failure.hint(format!("if you mean the site, write {url}")),
        None => failure.hint("a SEED is a file with one URL a line, a URL that starts with http:// or https://, or -"),
    }
}

fn take(text: &str, place: &str, seeds: &mut Seeds, console: &Console) {
    match CanonicalUrl::parse(text) {
        Ok(url) => {
            seeds.logins.extend(Login::of_seed(text));
            seeds.urls.push(url);
        }
        Err(e) => console.warn_always(&format!("{place}: `{}` left out: {e}", without_userinfo(text))),
    }
}

/// A `#` at the start or after white space begins a comment.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (index, c) in line.char_indices() {
        if c == '#' && before.is_whitespace() {
            return line[..index].trim();
        }
        before = c;
    }
    line.trim()
}
