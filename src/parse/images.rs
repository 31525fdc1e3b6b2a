//! What a page without words says: the addresses of its images and other media, as it writes them, its drawings, and the
//! texts in place of its images.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use html5ever::{LocalName, local_name};
use scraper::node::Element as Tag;

use super::reader::{Base, Context, Interest, Reader, attribute};
use super::words::{end_word, push_words};

/// Media of one page that count.
const MAX_MEDIA: usize = 256;
/// Bytes of texts in place of images from which on no more are taken.
const MAX_CAPTIONS: usize = 500;
/// Digits in a row, of any base up to sixteen, from which on they are drawn by lot or computed.
const TOKEN: usize = 8;

/// The first of these counts. Where a script loads an image once it is seen, `src` is a place holder, and the tree has the
/// address as `data`.
const ADDRESSES: [LocalName; 4] =
    [local_name!("data"), local_name!("src"), local_name!("srcset"), local_name!("poster")];
/// What the tree has the image as that an inline style shows behind an element.
const BACKGROUND: LocalName = local_name!("background");

/// What a page says besides its text.
#[derive(Debug, Clone, Default)]
pub struct Media {
    /// Of the addresses of its images and other media, and of the lines of its drawings, a hash each.
    pub addresses: Vec<u64>,
    /// What stands in place of its images.
    pub captions: String,
}

/// Collects [`Media`].
#[derive(Debug, Default)]
pub(super) struct ImageReader<'a> {
    media: Media,
    /// Addresses of documents within the page.
    embedded: Vec<&'a str>,
}

impl<'a> Reader<'a> for ImageReader<'a> {
    type Found = Media;

    const INTERESTS: &'static [Interest] = &[
        (local_name!("img"), &[local_name!("src"), local_name!("srcset"), local_name!("data"), local_name!("alt")]),
        (local_name!("source"), &[local_name!("src"), local_name!("srcset"), local_name!("data")]),
        (local_name!("video"), &[local_name!("src"), local_name!("poster")]),
        (local_name!("audio"), &[local_name!("src")]),
        (local_name!("iframe"), &[local_name!("src"), local_name!("data")]),
        (local_name!("embed"), &[local_name!("src")]),
        (local_name!("object"), &[local_name!("data")]),
        (local_name!("path"), &[local_name!("d")]),
    ];

    fn new(_: &Context<'a>) -> Self {
        Self::default()
    }

    #[inline]
    fn open(&mut self, tag: &'a Tag) {
        let is_embedded = match tag.name.local {
            local_name!("img") => {
                self.caption(tag);
                false
            }
            local_name!("source") | local_name!("video") | local_name!("audio") => false,
            local_name!("iframe") | local_name!("embed") | local_name!("object") => true,
            local_name!("path") => return self.add(attribute(tag, &local_name!("d"))),
            _ => return self.add(attribute(tag, &BACKGROUND).map(without_token)),
        };
        let Some(address) = ADDRESSES.iter().find_map(|name| attribute(tag, name)) else { return };
        if self.media.addresses.len() + self.embedded.len() >= MAX_MEDIA {
            return;
        }
        match is_embedded {
            true => self.embedded.push(address),
            false => self.media.addresses.push(hash(without_token(address))),
        }
    }

    fn finish(mut self, base: &Base, _: &mut bool) -> Media {
        // Buttons to share or like a page have its own address in their query.
        let paths =
            self.embedded.iter().map(|address| address.split_once(['?', '#']).map_or(*address, |(path, _)| path));
        let host = base.url.host_str().unwrap_or_default();
        let media = &mut self.media;
        media.addresses.extend(paths.filter(|path| is_elsewhere(path, host)).map(hash));
        media.addresses.sort_unstable();
        media.addresses.dedup();
        self.media
    }
}

impl<'a> ImageReader<'a> {
    fn add(&mut self, medium: Option<&str>) {
        let is_full = self.media.addresses.len() + self.embedded.len() >= MAX_MEDIA;
        if let Some(medium) = medium.filter(|_| !is_full) {
            self.media.addresses.push(hash(medium));
        }
    }

    fn caption(&mut self, tag: &'a Tag) {
        let captions = &mut self.media.captions;
        if let Some(text) = attribute(tag, &local_name!("alt")).filter(|_| captions.len() < MAX_CAPTIONS) {
            push_words(captions, &text[..text.floor_char_boundary(MAX_CAPTIONS)]);
            end_word(captions);
        }
    }
}

fn hash(address: &str) -> u64 {
    FixedState::default().hash_one(address)
}

/// Whether an address names another host than this. A document of the page's own host is a page like any other.
fn is_elsewhere(address: &str, host: &str) -> bool {
    let rest = address.split_once("//").filter(|(scheme, _)| scheme.is_empty() || scheme.ends_with(':'));
    rest.is_some_and(|(_, rest)| rest.split(['/', ':']).next() != Some(host))
}

/// The address; one whose query holds a token, without its query: what counts visits adds one to each.
fn without_token(address: &str) -> &str {
    let Some((path, query)) = address.split_once('?') else { return address };
    let is_token = |run: &str| run.len() >= TOKEN && run.bytes().any(|byte| byte.is_ascii_digit());
    if query.split(|c: char| !c.is_ascii_hexdigit()).any(is_token) { path } else { address }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_as_it_is_written_but_for_a_token_in_its_query() {
        for (address, counts) in [
            ("/photos/17.jpg", "/photos/17.jpg"),
            ("/photos/3f2a9c41d7e0.jpg", "/photos/3f2a9c41d7e0.jpg"),
            ("image.php?id=17", "image.php?id=17"),
            ("/pixel.gif?r=0.8273648273", "/pixel.gif"),
            ("/pixel.gif?s=3f2a9c41d7e0&x=1", "/pixel.gif"),
        ] {
            assert_eq!(without_token(address), counts);
        }
    }

    #[test]
    fn documents_of_other_hosts_are_media_and_those_of_the_own_host_are_pages() {
        for (address, is) in [
            ("https://video.test/embed/17", true),
            ("//video.test/embed/17", true),
            ("https://a.test/day/17", false),
            ("//a.test:8080/day/17", false),
            ("/day/17", false),
            ("day//17", false),
        ] {
            assert_eq!(is_elsewhere(address, "a.test"), is, "{address}");
        }
    }
}
