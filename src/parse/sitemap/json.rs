//! [JSON Feed](https://www.jsonfeed.org/version/1.1/), versions 1 and 1.1, read item by item: what is cut off keeps what
//! stands before.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use url::Url;

use super::entries::Sitemap;
use super::lastmod::time;
use crate::canonical::CanonicalUrl;

/// Reads a feed; None if the text is none.
pub(super) fn parse_json(base: &Url, text: &str) -> Option<Sitemap> {
    let mut feed = Feed { base, sitemap: Sitemap::default(), is_feed: false };
    let result = (&mut feed).deserialize(&mut serde_json::Deserializer::from_str(text));
    let Feed { mut sitemap, is_feed, .. } = feed;
    if let Err(error) = result {
        sitemap.cut_short.get_or_insert(error.to_string());
    }
    is_feed.then_some(sitemap)
}

struct Feed<'a> {
    base: &'a Url,
    sitemap: Sitemap,
    /// Its version says so.
    is_feed: bool,
}

/// What is read of an item. A field of another type than the standard gives it counts as absent.
#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    url: serde_json::Value,
    #[serde(default)]
    date_modified: serde_json::Value,
    #[serde(default)]
    date_published: serde_json::Value,
}

impl<'de> DeserializeSeed<'de> for &mut Feed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Feed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON Feed")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "version" => {
                    let version: serde_json::Value = map.next_value()?;
                    self.is_feed = version.as_str().is_some_and(|version| version.contains("://jsonfeed.org/version/"));
                }
                "items" => map.next_value_seed(Items(&mut *self))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Items<'a, 'b>(&'a mut Feed<'b>);

impl<'de> DeserializeSeed<'de> for Items<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the items of a JSON Feed")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Feed { base, sitemap, .. } = self.0;
        while let Some(Item { url, date_modified, date_published }) = items.next_element()? {
            let url = url.as_str().filter(|url| !url.is_empty()).and_then(|url| CanonicalUrl::join(base, url).ok());
            let date = date_modified.as_str().or(date_published.as_str());
            sitemap.push(url, date.and_then(time));
        }
        Ok(())
    }
}
