//! Findings about titles and descriptions of pages that search engines may show.

use crate::read::{Database, ReadError, Row};

use super::finding::{Finding, Found, How, Severity, Site};
use super::settings::{Bounds, Settings};
use super::sql::{canonical, pages};
use super::width::{DESCRIPTION, Room, TITLE};

pub const FINDINGS: [Finding; 8] = [
    Finding {
        name: "title-missing",
        severity: Severity::Error,
        about: "A page without a title.",
        advice: "Give the page a title that says what it is about.",
        needs: &[],
        how: How::Rust(|site| find(site, Field::Title, Fault::Missing)),
    },
    Finding {
        name: "title-duplicate",
        severity: Severity::Warning,
        about: "A title that another page of the host has too: of several, each but the first.",
        advice: "Give each page a title of its own, or name one of the pages as the canonical one.",
        needs: &[],
        how: How::Rust(|site| find(site, Field::Title, Fault::Duplicate)),
    },
    Finding {
        name: "title-long",
        severity: Severity::Notice,
        about: "A title that is wider than the 600 pixels that search results have for it, or of more characters than `title` has.",
        advice: "Shorten it, and put what matters first: the rest is cut off in search results.",
        needs: &[],
        how: How::Rust(|site| find(site, Field::Title, Fault::Long)),
    },
    Finding {
        name: "title-short",
        severity: Severity::Notice,
        about: "A title of fewer characters than `title` has.",
        advice: "Say in the title what the page is about.",
        needs: &[],
        how: How::Rust(|site| find(site, Field::Title, Fault::Short)),
    },
    Finding {
        name: "description-missing",
        severity: Severity::Notice,
        about: "A page without a meta description.",
        advice: "Describe the page in a sentence or two, which search results show below its title.",
        needs: &[],
        how: How::Rust(|site| find(site, Field::Description, Fault::Missing)),
    },
    Finding {
        name: "description-duplicate",
        severity: Severity::Notice,
        about: "A meta description that another page of the host has too: of several, each but the first.",
        advice: "Describe what is in this page and not in others.",
        needs: &[],
        how: How::Rust(|site| find(site, Field::Description, Fault::Duplicate)),
    },
    Finding {
        name: "description-long",
        severity: Severity::Notice,
        about: "A meta description that is wider than the 985 pixels that search results have for it, or of more characters \
                than `description` has.",
        advice: "Shorten it: the rest is cut off in search results.",
        needs: &[],
        how: How::Rust(|site| find(site, Field::Description, Fault::Long)),
    },
    Finding {
        name: "description-short",
        severity: Severity::Notice,
        about: "A meta description of fewer characters than `description` has.",
        advice: "Describe the page in a sentence or two.",
        needs: &[],
        how: How::Rust(|site| find(site, Field::Description, Fault::Short)),
    },
];

#[derive(Debug, Clone, Copy)]
enum Field {
    Title,
    Description,
}

impl Field {
    fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Description => "description",
        }
    }

    fn room(self) -> Room {
        match self {
            Self::Title => TITLE,
            Self::Description => DESCRIPTION,
        }
    }

    fn bounds(self, settings: &Settings) -> Bounds {
        match self {
            Self::Title => settings.title,
            Self::Description => settings.description,
        }
    }
}

/// What may be wrong with such a text, in the order of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Missing,
    Duplicate,
    Long,
    Short,
}

const FAULTS: [Fault; 4] = [Fault::Missing, Fault::Duplicate, Fault::Long, Fault::Short];

/// A page with its text, which is `None` if it says nothing.
#[derive(Debug, Clone, Copy)]
struct Text<'a> {
    url: &'a str,
    text: Option<&'a str>,
    /// The first page of its host with this text, which it is not itself.
    first: Option<&'a str>,
}

impl Text<'_> {
    fn has(&self, fault: Fault, room: Room, bounds: Bounds) -> bool {
        let Some(text) = self.text else { return fault == Fault::Missing };
        match fault {
            Fault::Missing => false,
            Fault::Duplicate => self.first.is_some(),
            Fault::Long => room.width(text) > room.most || text.chars().count() > bounds.most as usize,
            // Two letters of Chinese or Japanese say as much as a word.
            Fault::Short => {
                text.chars().count() < bounds.least as usize && room.width(text) < bounds.least * room.width("e")
            }
        }
    }

    fn found(&self, fault: Fault, room: Room) -> Found {
        let found = Found { url: self.url.to_owned(), other_url: self.first.map(str::to_owned), detail: None };
        let Some(text) = self.text else { return found };
        let characters = text.chars().count();
        let detail = match fault {
            Fault::Missing | Fault::Duplicate => text.to_owned(),
            Fault::Long => format!("{} pixels, {characters} characters: {text}", room.width(text)),
            Fault::Short => format!("{characters} characters: {text}"),
        };
        // Of several pages with one text each is found but the first, which is the other URL.
        Found { other_url: found.other_url.filter(|_| fault == Fault::Duplicate), detail: Some(detail), ..found }
    }
}

/// Goes through the pages that count and name no other as the canonical one, host by host and in the order of the field.
fn each(
    db: &Database,
    field: Field,
    counts: impl Fn(&str) -> bool,
    mut take: impl FnMut(Text<'_>),
) -> Result<(), ReadError> {
    let sql = format!(
        "select u.url, h.host, p.{0} from {1} join _host h on h.id = u.host_id
         where {2} order by h.host, p.{0}, u.url",
        field.name(),
        pages!(),
        canonical!()
    );
    let (mut host, mut text, mut first) = (String::new(), String::new(), String::new());
    for row in db.query(&sql, [])? {
        let row: Row = row?;
        let (url, its_host): (&str, &str) = (row.at(0)?, row.at(1)?);
        if !counts(url) {
            continue;
        }
        let its_text = row.at::<Option<&str>>(2)?.filter(|text| !text.trim().is_empty());
        let is_known = its_text == Some(&*text) && its_host == host;
        take(Text { url, text: its_text, first: Some(&*first).filter(|_| is_known) });
        if let Some(new) = its_text.filter(|_| !is_known) {
            (host, text, first) = (its_host.to_owned(), new.to_owned(), url.to_owned());
        }
    }
    Ok(())
}

/// Those with a fault of the pages that search engines may show.
fn find(site: &Site<'_>, field: Field, fault: Fault) -> Result<Vec<Found>, ReadError> {
    let (heads, room, bounds) = (site.heads()?, field.room(), field.bounds(site.settings));
    let mut found = Vec::new();
    let counts = |url: &str| !heads.is_noindex(url);
    each(site.db, field, counts, |text| {
        if text.has(fault, room, bounds) {
            found.push(text.found(fault, room));
        }
    })?;
    Ok(found)
}

/// What titles and descriptions are like, told without holding more than examples.
#[derive(Debug)]
pub struct Tally {
    /// The pages that were looked at.
    pub pages: i64,
    /// For each finding its name, what it is, how many pages have it, and the first of these.
    pub faults: Vec<(&'static str, &'static str, i64, Vec<String>)>,
    /// The texts that most pages of a host have.
    pub shared: Vec<Shared>,
}

/// A text that several pages of a host have.
#[derive(Debug, Default)]
pub struct Shared {
    pub field: &'static str,
    pub text: String,
    pub pages: i64,
    /// The first of them.
    pub urls: Vec<String>,
}

/// Pages that are named of each fault and each text, and texts.
const EXAMPLES: usize = 3;
const TEXTS: usize = 25;

/// Counts the faults. Pages with `noindex` count too, for that would have all bodies read.
pub fn tally(db: &Database, settings: &Settings) -> Result<Tally, ReadError> {
    let mut tally = Tally { pages: 0, faults: Vec::new(), shared: Vec::new() };
    for (field, findings) in [Field::Title, Field::Description].into_iter().zip(FINDINGS.chunks(FAULTS.len())) {
        let (room, bounds) = (field.room(), field.bounds(settings));
        let mut faults = findings.iter().map(|finding| (finding.name, finding.about, 0, vec![])).collect::<Vec<_>>();
        let (mut pages, mut group) = (0, Shared::default());
        each(
            db,
            field,
            |_| true,
            |text| {
                pages += 1;
                for (fault, (_, _, count, urls)) in FAULTS.into_iter().zip(&mut faults) {
                    if text.has(fault, room, bounds) {
                        *count += 1;
                        note(urls, text.url);
                    }
                }
                if text.first.is_none() {
                    let next = Shared {
                        field: field.name(),
                        text: text.text.unwrap_or_default().to_owned(),
                        ..Shared::default()
                    };
                    keep(&mut tally.shared, std::mem::replace(&mut group, next));
                }
                group.pages += i64::from(text.text.is_some());
                note(&mut group.urls, text.url);
            },
        )?;
        keep(&mut tally.shared, group);
        tally.pages = pages;
        tally.faults.extend(faults);
    }
    Ok(tally)
}

fn note(urls: &mut Vec<String>, url: &str) {
    if urls.len() < EXAMPLES {
        urls.push(url.to_owned());
    }
}

/// Keeps a text if it is one of those that most pages have.
fn keep(shared: &mut Vec<Shared>, text: Shared) {
    if text.pages > 1 {
        let place = shared.partition_point(|known| known.pages >= text.pages);
        shared.insert(place, text);
        shared.truncate(TEXTS);
    }
}
