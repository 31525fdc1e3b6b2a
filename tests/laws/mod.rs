//! What must hold of any input, by name. tests/laws.rs puts the kept inputs through, `.ci/fuzz` looks for more.

mod answers;
mod archives;
mod articles;
mod cookies;
mod files;
mod headers;
mod items;
mod messages;
mod pages;
mod robots;
mod rows;
mod settings;
mod sitemaps;
mod urls;

/// Panics on an input that breaks it.
pub type Law = fn(&[u8]);

pub const LAWS: [(&str, Law); 17] = [
    ("answer", answers::answer),
    ("archive", archives::archive),
    ("article", articles::article),
    ("cookie", cookies::cookie),
    ("cookies-txt", files::cookies_txt),
    ("date", cookies::date),
    ("header", headers::header),
    ("items", items::items),
    ("message", messages::message),
    ("netrc", files::netrc),
    ("page", pages::page),
    ("robots", robots::robots),
    ("rows", rows::rows),
    ("seeds", files::seeds),
    ("settings", settings::settings),
    ("sitemap", sitemaps::sitemap),
    ("url", urls::url),
];

/// The first line of an input, without its end, and what follows.
fn line(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[]),
    }
}

/// The first line as text, and what follows.
fn text_line(input: &[u8]) -> (String, &[u8]) {
    let (line, rest) = line(input);
    (String::from_utf8_lossy(line).into_owned(), rest)
}
