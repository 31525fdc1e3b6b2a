//! The seeds: files, URLs and standard input become canonical URLs. Lines that are no URL are reported and left out.

pub mod lines;

use std::collections::HashSet;
use std::io::Read as _;

use url::Host;

use crate::canonical::{CanonicalUrl, without_userinfo};
use crate::config::{Config, Login};
use crate::scope::{AddressRules, is_local_name};
use crate::visit::SeedLine;

use super::console::Console;
use super::failure::Failure;
use super::words::counted;

use lines::{Comma, Line};

/// Lines that are no seed and told one by one; the others are counted.
const TOLD: u64 = 20;

/// What the user asks for.
#[derive(Default)]
pub struct Seeds {
    pub urls: Vec<CanonicalUrl>,
    /// How they were given, and the lines that are none.
    pub lines: Vec<SeedLine>,
    /// The credentials that stand in them.
    pub logins: Vec<Login>,
}

/// Reads every seed, each once, in their order.
pub fn read(sources: &[String], console: &Console) -> Result<Seeds, Failure> {
    let mut seeds = Seeds::default();
    let (mut wrong, mut column) = (0, None);
    let mut tell = |seeds: &mut Seeds, text: &str, line: Option<u64>, place: &str| {
        if let Err(problem) = take(text, line, seeds) {
            wrong += 1;
            if wrong <= TOLD {
                let given = without_userinfo(text);
                console.warn_always(&format!("{place}: `{given}` left out: {problem}"));
            }
        }
    };
    for source in sources {
        if source.contains("://") {
            tell(&mut seeds, source, None, "the command line");
            continue;
        }
        let (name, bytes) = match source.as_str() {
            "-" => ("standard input", standard_input()?),
            file => (file, std::fs::read(file).map_err(|e| unreadable(file, &e))?),
        };
        let Some(lines) = lines::read(&bytes) else {
            return Err(Failure::new(format!("{name} is no text, so it holds no seeds"))
                .hint("a seeds file has one URL a line; a database is named with --database"));
        };
        let text = String::from_utf8_lossy(&bytes);
        column = column.or_else(|| Some((name.to_owned(), column_of_urls(&text)?)));
        warn_of_white_space(name, &text, console);
        warn_of_commas(name, &lines, console);
        warn_of_others(name, &lines, console);
        for Line { number, url, others, .. } in &lines {
            tell(&mut seeds, url, Some(*number), &format!("{name}, line {number}"));
            let rejected = |other: &String| SeedLine {
                url: Err("it follows another URL on its line".to_owned()),
                line: Some(*number),
                given: without_userinfo(other),
            };
            seeds.lines.extend(others.iter().map(rejected));
        }
    }
    let mut seen = HashSet::new();
    seeds.lines.retain(|line| line.url.as_ref().map_or(true, |url| seen.insert(url.clone())));
    seeds.urls = seeds.lines.iter().filter_map(|line| line.url.clone().ok()).collect();
    if wrong > TOLD {
        let more = counted(wrong - TOLD, "more line");
        let kept = if seeds.urls.is_empty() { "" } else { ": the view seeds keeps all, with the state `rejected`" };
        console.warn_always(&format!("{more} left out{kept}"));
    }
    if seeds.urls.is_empty() {
        let name = |name: &String| if name == "-" { "standard input".to_owned() } else { without_userinfo(name) };
        let names: Vec<_> = sources.iter().map(name).collect();
        let hint = column.map_or_else(
            || "write one http(s) URL a line".to_owned(),
            |(name, (column, cut))| {
                format!(
                    "the URLs of {name} are its column {column}: give them alone, one a line, as {cut} -f{column} does"
                )
            },
        );
        return Err(Failure::new(format!("no seed in {}", names.join(", "))).hint(hint));
    }
    Ok(seeds)
}

/// The column of a table in which URLs stand that are not the first on their lines, counted from 1, and what cuts it out.
/// In quotation marks a field may hold what sets fields apart: there columns cannot be counted so.
fn column_of_urls(text: &str) -> Option<(usize, &'static str)> {
    let is_url = |field: &str| CanonicalUrl::parse(field.trim()).is_ok();
    let lines = || text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let column = |(separator, cut)| {
        let column = lines().find_map(|line| line.split(separator).position(is_url))?;
        (column > 0).then_some((column + 1, cut))
    };
    let separators = [(',', "cut -d,"), (';', "cut -d';'"), ('\t', "cut")];
    if text.contains('\u{22}') { None } else { separators.into_iter().find_map(column) }
}

/// A URL ends at white space: that it does is said once for each file if what follows looks like the rest of it.
fn warn_of_white_space(name: &str, text: &str, console: &Console) {
    let mut found = (1_u64..).zip(text.lines()).filter_map(|(number, line)| Some((number, broken(line)?)));
    let Some((number, url)) = found.next() else { return };
    let (url, more) = (without_userinfo(url), likewise(found.count()));
    console.warn(&format!("{name}, line {number}: `{url}` ends at white space, and what follows looks like the rest of it: take the white space out, or write it as %20{more}"));
}

/// The start of a URL that a blank seems to break.
fn broken(line: &str) -> Option<&str> {
    let (url, rest) = line.trim().split_once(' ')?;
    let (scheme, after) = url.split_once("://")?;
    let is_part = |c: char| !c.is_whitespace() && !matches!(c, '\u{22}' | '@' | ',' | ';' | '#' | ':');
    let is_within = rest.trim_end_matches('/').contains(['.', '/']) && rest.contains(char::is_alphabetic);
    let is_host = !after.contains(['.', '/', ':']) && is_within;
    let is_file = after.contains('/') && !after.ends_with('/') && rest.contains('.') && !rest.ends_with('.');
    let is_broken = (is_host || is_file && is_within) && rest.chars().all(is_part);
    (matches!(scheme, "http" | "https") && is_broken).then_some(url)
}

/// A comma may belong to a URL or end it: what was made of it is said once for each file.
fn warn_of_commas(name: &str, lines: &[Line], console: &Console) {
    for (comma, meaning) in [
        (Comma::Kept, "is taken with its comma; put white space before what is no part of the URL"),
        (Comma::Ends, "is all that is taken of this line: what follows the comma is no part of the URL"),
    ] {
        let is_taken = |line: &&Line| line.comma == comma && CanonicalUrl::parse(&line.url).is_ok();
        let mut found = lines.iter().filter(is_taken);
        let Some(Line { number, url, .. }) = found.next() else { continue };
        let more = likewise(found.count());
        console.warn(&format!("{name}, line {number}: `{}` {meaning}{more}", without_userinfo(url)));
    }
}

/// Of a line with several URLs the first is taken, which is said once for each file too: the others may be a column of it.
fn warn_of_others(name: &str, lines: &[Line], console: &Console) {
    let mut found = lines.iter().filter_map(|line| Some((line.number, line.others.first()?)));
    let Some((number, url)) = found.next() else { return };
    let (url, more) = (without_userinfo(url), likewise(found.count()));
    console.warn_always(&format!("{name}, line {number}: `{url}` left out: it follows another URL on its line{more}"));
}

fn likewise(lines: usize) -> String {
    match u64::try_from(lines).unwrap_or(u64::MAX) {
        0 => String::new(),
        more => format!(" ({} likewise)", counted(more, "more line")),
    }
}

fn standard_input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|e| Failure::new("cannot read the seeds from standard input").cause(&e))?;
    Ok(bytes)
}

/// A site that was named without a scheme, with the one that it probably has: http where hardly anything has a certificate,
/// on this machine, in a private network, and at a port of its own.
pub fn with_scheme(name: &str) -> String {
    let secure = format!("https://{name}");
    let is_plain = CanonicalUrl::parse(&secure).is_ok_and(|url| {
        url.url().port().is_some() || is_local_name(&url) || !AddressRules::new(&Config::default()).permit_url(&url)
    });
    if is_plain { format!("http://{name}") } else { secure }
}

/// Whether a word is a number and no address, though the URL standard (section 3.5) reads any number as an IPv4 address.
pub fn is_number(word: &str) -> bool {
    word.parse::<f64>().is_ok() && word.starts_with(|c: char| c.is_ascii_digit())
}

fn unreadable(file: &str, error: &std::io::Error) -> Failure {
    let failure = Failure::new(format!("cannot read the seeds file `{}`", without_userinfo(file))).cause(error);
    if is_number(file) {
        return failure
            .hint(format!("if `{file}` is the value of an option, write it behind that, as in --max-pages 20"));
    }
    let as_url = CanonicalUrl::parse(&with_scheme(file)).ok();
    let is_site = |url: &CanonicalUrl| {
        let suffix = url.url().domain().and_then(|name| psl::suffix(name.as_bytes()));
        let is_address = !matches!(url.url().host(), None | Some(Host::Domain(_))) && file.contains(['.', ':']);
        let is_at_port = is_local_name(url) && url.url().port().is_some();
        let is_named = is_at_port || suffix.is_some_and(|suffix| suffix.is_known());
        (is_address || is_named) && !file.starts_with(['/', '.'])
    };
    match as_url.filter(|url| error.kind() == std::io::ErrorKind::NotFound && is_site(url)) {
        Some(url) => failure.hint(format!("if you mean the site, write {url}")),
        None => failure.hint("a SEED is a file with one URL a line, a URL that starts with http:// or https://, or -"),
    }
}

/// A seed, or what is wrong with it. Either is kept.
fn take(text: &str, line: Option<u64>, seeds: &mut Seeds) -> Result<(), String> {
    let url = CanonicalUrl::parse(text).map_err(|e| e.to_string());
    if url.is_ok() {
        seeds.logins.extend(Login::of_seed(text));
    }
    seeds.lines.push(SeedLine { url: url.clone(), line, given: without_userinfo(text) });
    url.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_a_blank_breaks_is_told_from_one_that_words_follow() {
        for (line, url) in [
            ("https:// example.com", "https://"),
            ("http://exa mple.com/", "http://exa"),
            ("http://a.test/my file.html # mine", ""),
            ("  http://a.test/my file.html", "http://a.test/my"),
            ("http://a.test/x see b/c", ""),
            ("http://a.test/x Title, of it", ""),
            ("http://a.test/x 0.8", ""),
            ("http://a.test/x\tb.html", ""),
            ("http://a.test/ http://b.test/", ""),
            ("http://me:pass word@a.test/", ""),
        ] {
            assert_eq!(broken(line).unwrap_or_default(), url, "{line}");
        }
    }
}
