//! The addresses of a page's images, as it writes them: they are what a page without words says.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use html5ever::{LocalName, local_name};
use scraper::node::Element as Tag;

use super::reader::{Base, Context, Interest, Reader, attribute};

/// Images of one page that count.
const MAX_IMAGES: usize = 256;
/// Digits in a row, of any base up to sixteen, from which on they are drawn by lot or computed.
const TOKEN: usize = 8;

const ADDRESSES: [LocalName; 3] = [local_name!("src"), local_name!("srcset"), local_name!("poster")];

/// Collects a hash of each address.
#[derive(Debug, Default)]
pub(super) struct ImageReader {
    images: Vec<u64>,
}

impl<'a> Reader<'a> for ImageReader {
    type Found = Vec<u64>;

    const INTERESTS: &'static [Interest] = &[
        (local_name!("img"), &[local_name!("src"), local_name!("srcset")]),
        (local_name!("source"), &[local_name!("src"), local_name!("srcset")]),
        (local_name!("video"), &[local_name!("src"), local_name!("poster")]),
        (local_name!("audio"), &[local_name!("src")]),
    ];

    fn new(_: &Context<'a>) -> Self {
        Self::default()
    }

    #[inline]
    fn open(&mut self, tag: &'a Tag) {
        let address = match tag.name.local {
            local_name!("img") | local_name!("source") | local_name!("video") | local_name!("audio") => {
                ADDRESSES.iter().find_map(|name| attribute(tag, name))
            }
            _ => return,
        };
        if let Some(address) = address.filter(|_| self.images.len() < MAX_IMAGES) {
            self.images.push(FixedState::default().hash_one(without_token(address)));
        }
    }

    fn finish(mut self, _: &Base, _: &mut bool) -> Vec<u64> {
        self.images.sort_unstable();
        self.images.dedup();
        self.images
    }
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
}
