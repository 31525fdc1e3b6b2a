//! Findings about titles and descriptions of pages that search engines may show.

use crate::read::{ReadError, Row};

use super::finding::{Finding, Found, How, Severity, Site};
use super::settings::Bounds;
use super::sql::{canonical, pages};
use super::width::{DESCRIPTION, Room, TITLE};

pub const FINDINGS: [Finding; 8] = [
    Finding {
        name: "title-missing",
        severity: Severity::Error,
        about: "A page without a title.",
        advice: "Give the page a title that says what it is about.",
        needs: &[],
        how: How::Rust(|site| missing(site, Field::Title)),
    },
    Finding {
        name: "title-duplicate",
        severity: Severity::Warning,
        about: "A title that another page of the host has too.",
        advice: "Give each page a title of its own, or name one of the pages as the canonical one.",
        needs: &[],
        how: How::Rust(|site| duplicate(site, Field::Title)),
    },
    Finding {
        name: "title-long",
        severity: Severity::Notice,
        about: "A title that is wider than the 600 pixels that search results have for it, or of more characters than `title` has.",
        advice: "Shorten it, and put what matters first: the rest is cut off in search results.",
        needs: &[],
        how: How::Rust(|site| long(site, Field::Title)),
    },
    Finding {
        name: "title-short",
        severity: Severity::Notice,
        about: "A title of fewer characters than `title` has.",
        advice: "Say in the title what the page is about.",
        needs: &[],
        how: How::Rust(|site| short(site, Field::Title)),
    },
    Finding {
        name: "description-missing",
        severity: Severity::Notice,
        about: "A page without a meta description.",
        advice: "Describe the page in a sentence or two, which search results show below its title.",
        needs: &[],
        how: How::Rust(|site| missing(site, Field::Description)),
    },
    Finding {
        name: "description-duplicate",
        severity: Severity::Notice,
        about: "A meta description that another page of the host has too.",
        advice: "Describe what is in this page and not in others.",
        needs: &[],
        how: How::Rust(|site| duplicate(site, Field::Description)),
    },
    Finding {
        name: "description-long",
        severity: Severity::Notice,
        about: "A meta description that is wider than the 985 pixels that search results have for it, or of more characters \
                than `description` has.",
        advice: "Shorten it: the rest is cut off in search results.",
        needs: &[],
        how: How::Rust(|site| long(site, Field::Description)),
    },
    Finding {
        name: "description-short",
        severity: Severity::Notice,
        about: "A meta description of fewer characters than `description` has.",
        advice: "Describe the page in a sentence or two.",
        needs: &[],
        how: How::Rust(|site| short(site, Field::Description)),
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

    fn bounds(self, site: &Site<'_>) -> Bounds {
        match self {
            Self::Title => site.settings.title,
            Self::Description => site.settings.description,
        }
    }
}

/// Goes through the pages that search engines may show, host by host and in the order of the field: the URL and the field.
fn each(site: &Site<'_>, field: Field, mut take: impl FnMut(&str, &str, Option<&str>)) -> Result<(), ReadError> {
    let heads = site.heads()?;
    let sql = format!(
        "select u.url, h.host, p.{0} from {1} join _host h on h.id = u.host_id
         where {2} order by h.host, p.{0}, u.url",
        field.name(),
        pages!(),
        canonical!()
    );
    for row in site.db.query(&sql, [])? {
        let row: Row = row?;
        let url: &str = row.at(0)?;
        if !heads.is_noindex(url) {
            take(url, row.at(1)?, row.at::<Option<&str>>(2)?.filter(|text| !text.trim().is_empty()));
        }
    }
    Ok(())
}

fn missing(site: &Site<'_>, field: Field) -> Result<Vec<Found>, ReadError> {
    let mut found = Vec::new();
    each(site, field, |url, _, text| {
        if text.is_none() {
            found.push(Found { url: url.to_owned(), other_url: None, detail: None });
        }
    })?;
    Ok(found)
}

/// Of pages with one text each is found but the first, which is the other URL.
fn duplicate(site: &Site<'_>, field: Field) -> Result<Vec<Found>, ReadError> {
    let mut found = Vec::new();
    let mut first = (String::new(), String::new(), String::new());
    each(site, field, |url, host, text| {
        let Some(text) = text else { return };
        if (first.0.as_str(), first.1.as_str()) == (host, text) {
            found.push(Found::new(url, text).with(&first.2));
        } else {
            first = (host.to_owned(), text.to_owned(), url.to_owned());
        }
    })?;
    Ok(found)
}

fn long(site: &Site<'_>, field: Field) -> Result<Vec<Found>, ReadError> {
    let (room, bounds) = (field.room(), field.bounds(site));
    let mut found = Vec::new();
    each(site, field, |url, _, text| {
        let Some(text) = text else { return };
        let (width, characters) = (room.width(text), text.chars().count());
        if width > room.most || characters > bounds.most as usize {
            found.push(Found::new(url, format!("{width} pixels, {characters} characters: {text}")));
        }
    })?;
    Ok(found)
}

fn short(site: &Site<'_>, field: Field) -> Result<Vec<Found>, ReadError> {
    let bounds = field.bounds(site);
    let mut found = Vec::new();
    each(site, field, |url, _, text| {
        let Some(text) = text else { return };
        let characters = text.chars().count();
        // Two letters of Chinese or Japanese say as much as a word.
        if characters < bounds.least as usize && field.room().width(text) < bounds.least * field.room().width("e") {
            found.push(Found::new(url, format!("{characters} characters: {text}")));
        }
    })?;
    Ok(found)
}
