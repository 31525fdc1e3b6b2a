//! Pages of twelve kinds in six dresses and five languages, with what is main content on them.

use std::collections::HashMap;

use scraper::{Html, Node};

use super::kinds::{KINDS, Middle, Writer};
use super::words::{LANGUAGES, Language};

/// A page, and the words that one wants of it.
pub struct Sample {
    pub kind: &'static str,
    pub html: String,
    main: Words,
    either: Words,
}

type Words = HashMap<String, i64>;

/// Words found that were wanted, words found in all without those that do not count, words wanted.
#[derive(Clone, Copy, Default)]
pub struct Score {
    pub right: i64,
    pub found: i64,
    pub wanted: i64,
}

impl Score {
    pub fn precision(self) -> f64 {
        if self.found == 0 { 0.0 } else { self.right as f64 / self.found as f64 }
    }

    pub fn recall(self) -> f64 {
        self.right as f64 / self.wanted as f64
    }

    /// The harmonic mean of both.
    pub fn both(self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        if self.right == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) }
    }
}

impl Sample {
    /// How well a text is the main content.
    pub fn score(&self, text: &str) -> Score {
        let mut words = Words::new();
        count(text, &mut words);
        let mut score = Score { wanted: self.main.values().sum(), ..Score::default() };
        for (word, found) in words {
            let right = found.min(self.main.get(&word).copied().unwrap_or(0));
            let pardoned = (found - right).min(self.either.get(&word).copied().unwrap_or(0));
            score.right += right;
            score.found += found - pardoned;
        }
        score
    }
}

/// Counts words; of scripts without spaces each character is one.
fn count(text: &str, into: &mut Words) {
    let is_apart = |c: char| ('\u{3040}'..='\u{9fff}').contains(&c);
    for part in text.split(|c: char| !c.is_alphanumeric() && !is_apart(c)).filter(|part| !part.is_empty()) {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let end = if is_apart(first) { first.len_utf8() } else { rest.find(is_apart).unwrap_or(rest.len()) };
            *into.entry(rest[..end].to_lowercase()).or_default() += 1;
            rest = &rest[end..];
        }
    }
}

/// The same pages every time.
pub fn pages() -> Vec<Sample> {
    let mut samples = Vec::new();
    for (k, (kind, make)) in KINDS.iter().enumerate() {
        for (d, dress) in DRESSES.iter().enumerate() {
            let language = &LANGUAGES[(k + d) % LANGUAGES.len()];
            let random = fastrand::Rng::with_seed((k * DRESSES.len() + d) as u64 + 1);
            let mut writer = Writer { random, language };
            let middle = make(&mut writer);
            samples.push(sample(kind, &dress(&mut writer, &middle)));
        }
    }
    samples
}

/// Reads the marks of a page and takes them out.
fn sample(kind: &'static str, marked: &str) -> Sample {
    let (mut main, mut either) = (Words::new(), Words::new());
    let html = Html::parse_document(marked);
    for node in html.tree.nodes() {
        let Node::Text(text) = node.value() else { continue };
        let marks = node.ancestors().find_map(|above| {
            let element = above.value().as_element()?;
            ["data-main", "data-not", "data-either"].into_iter().find(|mark| element.attr(mark).is_some())
        });
        match marks {
            Some("data-main") => count(text, &mut main),
            Some("data-either") => count(text, &mut either),
            _ => {}
        }
    }
    let html = ["data-main", "data-not", "data-either"]
        .iter()
        .fold(marked.to_owned(), |html, mark| html.replace(&format!(" {mark}"), ""));
    Sample { kind, html, main, either }
}

type Dress = fn(&mut Writer, &Middle) -> String;

const DRESSES: [Dress; 6] = [semantic, classes, weblog, tables, utility, bare];

fn head(language: &Language, title: &str, site: &str) -> String {
    format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{title} – {site}</title><style>.a{{color:red}}</style><script>var a = \"{title}\";</script></head>\n",
        language.code
    )
}

fn menu(language: &Language, each: impl Fn(&str) -> String) -> String {
    language.menu.iter().map(|entry| each(&format!("<a href=\"/{}\">{entry}</a>", entry.len()))).collect()
}

/// Short texts beside the main content: the most read, an advertisement.
fn beside(w: &mut Writer) -> String {
    let read: String = (0..6).map(|n| format!("<li><a href=\"/m/{n}\">{}</a></li>\n", w.headline())).collect();
    format!("<h3>Top</h3><ol>{read}</ol><p>{}</p><p>{}</p>\n", w.language.advert, w.language.newsletter)
}

/// HTML's own elements for each part.
fn semantic(w: &mut Writer, m: &Middle) -> String {
    let l = w.language;
    format!(
        "{}<body><header><a href=\"/\">Daily</a><nav><ul>{}</ul></nav></header>\n<main><article>{}</article>\n{}</main>\n<aside>{}</aside>\n<footer><p>© 2026 Daily. {}</p></footer>\n<div class=\"cookie-banner\" role=\"dialog\"><p>{}</p><button>{}</button></div></body></html>",
        head(l, &m.title, "Daily"),
        menu(l, |a| format!("<li>{a}</li>")),
        m.body,
        m.after,
        beside(w),
        l.rights,
        l.cookies,
        l.accept,
    )
}

/// `div`s whose classes and ids tell what they are.
fn classes(w: &mut Writer, m: &Middle) -> String {
    let l = w.language;
    format!(
        "{}<body><div id=\"consent-layer\" class=\"modal\"><p>{}</p><a class=\"btn\" href=\"#\">{}</a></div>\n<div id=\"header\" class=\"navbar\"><ul class=\"nav\">{}</ul></div>\n<div class=\"container\"><div class=\"row\"><div class=\"col-8\" id=\"content\">{}{}</div>\n<div class=\"col-4 sidebar\" id=\"sidebar\">{}</div></div></div>\n<div id=\"footer\" class=\"footer\">{}<p>{}</p></div></body></html>",
        head(l, &m.title, "Portal"),
        l.cookies,
        l.accept,
        menu(l, |a| format!("<li class=\"nav-item\">{a}</li>")),
        m.body,
        m.after,
        beside(w),
        menu(l, |a| format!("<span>{a}</span> ")),
        l.rights,
    )
}

/// As a well-known weblog program does it.
fn weblog(w: &mut Writer, m: &Middle) -> String {
    let l = w.language;
    format!(
        "{}<body class=\"single single-post\"><a class=\"skip-link\" href=\"#primary\">Skip</a><header id=\"masthead\" class=\"site-header\"><p class=\"site-title\">Notes</p><nav class=\"main-navigation\"><ul class=\"menu\">{}</ul></nav></header>\n<div id=\"primary\" class=\"content-area\"><main class=\"site-main\"><article class=\"post-1 post type-post hentry\"><div class=\"entry-content\">{}</div></article>\n{}</main></div>\n<aside id=\"secondary\" class=\"widget-area\"><section class=\"widget\">{}</section></aside>\n<footer id=\"colophon\" class=\"site-footer\"><div class=\"site-info\">{}</div></footer></body></html>",
        head(l, &m.title, "Notes"),
        menu(l, |a| format!("<li class=\"menu-item\">{a}</li>")),
        m.body,
        m.after,
        beside(w),
        l.rights,
    )
}

/// A table for the layout.
fn tables(w: &mut Writer, m: &Middle) -> String {
    let l = w.language;
    format!(
        "{}<body bgcolor=\"#ffffff\"><table width=\"900\" border=\"0\"><tr><td colspan=\"3\"><h2>Archive</h2></td></tr>\n<tr><td width=\"150\" valign=\"top\"><font size=\"2\">{}</font></td>\n<td valign=\"top\">{}{}</td>\n<td width=\"200\" valign=\"top\">{}</td></tr>\n<tr><td colspan=\"3\" align=\"center\"><font size=\"1\">{}</font></td></tr></table></body></html>",
        head(l, &m.title, "Archive"),
        menu(l, |a| format!("{a}<br>")),
        m.body,
        m.after,
        beside(w),
        l.rights,
    )
}

/// Classes that say how things look, not what they are.
fn utility(w: &mut Writer, m: &Middle) -> String {
    let l = w.language;
    let body = m.body.replace(" class=\"", " class=\"sc-").replace(" id=\"", " data-id=\"");
    format!(
        "{}<body class=\"bg-white\"><div id=\"__next\"><div class=\"flex px-4 sticky\"><div class=\"flex gap-2\">{}</div></div>\n<div class=\"mx-auto max-w-5xl grid\"><div class=\"css-1dbjc4n\">{body}</div>\n<div class=\"css-9aw3ui\">{}</div><div class=\"hidden lg:block w-64\">{}</div></div>\n<div class=\"bg-gray-100 mt-8 p-4 text-sm\"><div>{}</div><div>{}</div></div>\n<div class=\"fixed bottom-0 z-50\"><div>{}</div><button>{}</button></div></div></body></html>",
        head(l, &m.title, "App"),
        menu(l, |a| format!("<div class=\"p-2\">{a}</div>")),
        m.after,
        beside(w),
        menu(l, |a| format!("<div>{a}</div>")),
        l.rights,
        l.cookies,
        l.accept,
    )
}

/// All in `body`, one after the other.
fn bare(w: &mut Writer, m: &Middle) -> String {
    let l = w.language;
    format!(
        "{}<body><p>{}</p><hr>\n{}<hr>{}<hr>{}<p>{}</p></body></html>",
        head(l, &m.title, "Home"),
        menu(l, |a| format!("{a} | ")),
        m.body,
        m.after,
        beside(w),
        l.rights,
    )
}
