//! The usual questions about a page, each answered by the first of its sources that does: JSON-LD, microdata and RDFa, then
//! Open Graph, Twitter cards and `meta`, then what everybody sees.

#[cfg(test)]
mod tests;

use serde_json::Value as Json;

use super::items::{dates, numbers};
use super::page::Page;
use super::structured::{Object, short, types};
use super::values::{Source, Value};

/// What the page as a whole is, or what it is part of: not what it is about, if it says that too.
const ABOUT_THE_PAGE: [&str; 12] = [
    "WebPage",
    "ItemPage",
    "AboutPage",
    "ContactPage",
    "CollectionPage",
    "ProfilePage",
    "SearchResultsPage",
    "CheckoutPage",
    "MediaGallery",
    "ImageGallery",
    "ItemList",
    "CreativeWork",
];
const AROUND_THE_PAGE: [&str; 22] = [
    "WebSite",
    "Organization",
    "NewsMediaOrganization",
    "Corporation",
    "LocalBusiness",
    "Store",
    "OnlineStore",
    "Person",
    "BreadcrumbList",
    "ListItem",
    "ImageObject",
    "SiteNavigationElement",
    "WPHeader",
    "WPFooter",
    "WPSideBar",
    "SearchAction",
    "ContactPoint",
    "PostalAddress",
    "AggregateRating",
    "Rating",
    "Review",
    "Comment",
];

/// The answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PageData {
    pub kind: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub image: Option<String>,
    pub site_name: Option<String>,
    pub author: Option<String>,
    /// ISO 8601, as the next one.
    pub published_at: Option<String>,
    pub modified_at: Option<String>,
    pub price: Option<f64>,
    pub currency: Option<String>,
    pub availability: Option<String>,
    pub language: Option<String>,
    pub words: u64,
}

/// What is known of a page besides its mark-up.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub title: Option<&'a str>,
    pub description: Option<&'a str>,
    pub words: u64,
}

/// Answers from what the page states about things, in the order of the page, and from its other metadata.
pub fn answer(page: &Page, things: &[&Object], values: &[Value], known: Known<'_>) -> PageData {
    let main = main_of(things);
    let of_main = |paths: &[&str]| main.and_then(|main| paths.iter().find_map(|path| at(main, path)));
    let stated = |names: &[&str]| named(values, names);
    let language = page.language.as_deref();
    let date = |text: String| dates::read(&text, language).unwrap_or(text);
    let url = |reference: String| page.absolute(&reference);
    let site = things.iter().find(|thing| types(thing).any(|name| name == "WebSite"));
    PageData {
        kind: main.and_then(|main| types(main).next().map(str::to_owned)).or_else(|| stated(&["og:type"])),
        title: of_main(&["headline", "name", "title"])
            .or_else(|| stated(&["og:title", "twitter:title"]))
            .or_else(|| known.title.filter(|title| !title.is_empty()).map(str::to_owned))
            .or_else(|| stated(&["h1"])),
        description: of_main(&["description"])
            .or_else(|| stated(&["og:description", "twitter:description"]))
            .or_else(|| known.description.map(str::to_owned)),
        image: of_main(&["image", "thumbnailUrl"])
            .or_else(|| {
                stated(&["og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src"])
            })
            .map(url),
        site_name: stated(&["og:site_name"])
            .or_else(|| site.and_then(|site| at(site, "name")))
            .or_else(|| of_main(&["publisher.name"]))
            .or_else(|| stated(&["application-name"])),
        author: of_main(&["author.name", "author", "creator.name", "creator"])
            .or_else(|| stated(&["author", "article:author", "dc.creator", "dcterms.creator", "twitter:creator"])),
        published_at: of_main(&["datePublished", "datePosted", "uploadDate", "dateCreated"])
            .or_else(|| stated(&["article:published_time", "date", "dc.date", "dcterms.created", "publish-date"]))
            .map(date),
        modified_at: of_main(&["dateModified"])
            .or_else(|| stated(&["article:modified_time", "og:updated_time", "last-modified", "dcterms.modified"]))
            .map(date),
        price: of_main(&["offers.price", "offers.lowPrice", "offers.priceSpecification.price", "price"])
            .or_else(|| stated(&["product:price:amount", "og:price:amount"]))
            .and_then(|price| numbers::read(&price, language)),
        currency: of_main(&["offers.priceCurrency", "offers.priceSpecification.priceCurrency", "priceCurrency"])
            .or_else(|| stated(&["product:price:currency", "og:price:currency"])),
        availability: of_main(&["offers.availability", "availability"])
            .or_else(|| stated(&["product:availability", "og:availability"]))
            .map(|value| short(&value).to_owned()),
        language: page.language.clone(),
        words: known.words,
    }
}

/// The thing that the page is about: the first that is neither the page itself nor around it, else the page itself.
fn main_of<'a>(things: &[&'a Object]) -> Option<&'a Object> {
    let is_any = |thing: &Object, names: &[&str]| types(thing).any(|name| names.contains(&name));
    let is_typed = |thing: &Object| types(thing).next().is_some();
    let about =
        |thing: &&&Object| is_typed(thing) && !is_any(thing, &ABOUT_THE_PAGE) && !is_any(thing, &AROUND_THE_PAGE);
    let page = || things.iter().find(|thing| is_any(thing, &ABOUT_THE_PAGE));
    things.iter().find(about).or_else(page).copied()
}

/// The value at a path: of several the first, of an object what it is called.
fn at(object: &Object, path: &str) -> Option<String> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    first(object.get(name)?, rest)
}

fn first(value: &Json, rest: Option<&str>) -> Option<String> {
    match value {
        Json::Array(values) => values.iter().find_map(|value| first(value, rest)),
        Json::Object(object) => match rest {
            Some(rest) => at(object, rest),
            None => ["url", "contentUrl", "name", "@value", "@id"].iter().find_map(|name| at(object, name)),
        },
        Json::String(text) if rest.is_none() => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Json::Number(number) if rest.is_none() => Some(number.to_string()),
        _ => None,
    }
}

/// The first value that is called one of these, in their order.
fn named(values: &[Value], names: &[&str]) -> Option<String> {
    let sources = [Source::OpenGraph, Source::Twitter, Source::Meta, Source::Heading];
    names.iter().find_map(|name| {
        let is_it = |value: &&Value| value.name == *name && sources.contains(&value.source);
        values.iter().filter(is_it).find_map(|found| found.value.clone().filter(|value| !value.is_empty()))
    })
}
