//! What a page says of itself in its head and on its root element: title, description, canonical URL, language, and
//! whether crawlers may follow its links.

use html5ever::{local_name, ns};
use scraper::node::Element as Tag;

use super::directives::forbids_following;
use super::links::has_rel;
use super::reader::{Base, Context, Interest, Reader, attribute};
use super::words::{cut, push_words};

/// Characters of title and description kept, each.
pub(super) const MAX_TITLE: usize = 2_000;

/// What a page says of itself.
#[derive(Debug, Clone, Default)]
pub struct Head {
    pub title: Option<String>,
    pub description: Option<String>,
    /// `lang` of the root element.
    pub language: Option<String>,
    pub canonical_url: Option<String>,
    /// `<meta name=robots>` forbids to follow links.
    pub nofollow: bool,
}

/// Collects a [`Head`].
#[derive(Debug)]
pub(super) struct HeadReader<'a> {
    product_token: &'a str,
    head: Head,
    /// The canonical URL as written.
    canonical: Option<&'a str>,
    in_title: bool,
    title_done: bool,
    /// Open `<svg>` elements: a `<title>` within is not the page's.
    in_svg: usize,
}

impl<'a> Reader<'a> for HeadReader<'a> {
    type Found = Head;

    const INTERESTS: &'static [Interest] = &[
        (local_name!("html"), &[local_name!("lang")]),
        (local_name!("link"), &[local_name!("href"), local_name!("rel")]),
        (local_name!("meta"), &[local_name!("name"), local_name!("content")]),
    ];

    fn new(context: &Context<'a>) -> Self {
        let (head, canonical) = Default::default();
        Self { product_token: context.product_token, head, canonical, in_title: false, title_done: false, in_svg: 0 }
    }

    #[inline]
    fn open(&mut self, tag: &'a Tag) {
        match tag.name.local {
            local_name!("html") => {
                let language = attribute(tag, &local_name!("lang")).map(str::trim);
                self.head.language = language.filter(|language| !language.is_empty()).map(str::to_owned);
            }
            local_name!("title") => self.in_title = !self.title_done && self.in_svg == 0,
            local_name!("svg") => self.in_svg += 1,
            local_name!("link") if tag.name.ns == ns!(html) && has_rel(tag, "canonical") => {
                self.canonical = self.canonical.or_else(|| attribute(tag, &local_name!("href")));
            }
            local_name!("meta") => self.meta(tag),
            _ => {}
        }
    }

    #[inline]
    fn close(&mut self, tag: &'a Tag) {
        match tag.name.local {
            local_name!("title") if self.in_title => {
                self.in_title = false;
                self.title_done = true;
            }
            local_name!("svg") => self.in_svg -= 1,
            _ => {}
        }
    }

    #[inline]
    fn text(&mut self, text: &'a str) {
        if self.in_title {
            push_words(self.head.title.get_or_insert_default(), text);
        }
    }

    fn finish(mut self, base: &Base, _: &mut bool) -> Head {
        let canonical = self.canonical.and_then(|href| base.join(href));
        self.head.canonical_url = canonical.map(|url| url.to_string());
        for text in [&mut self.head.title, &mut self.head.description] {
            text.as_mut().into_iter().for_each(|text| cut(text, MAX_TITLE));
            *text = text.take().filter(|text| !text.is_empty());
        }
        self.head
    }
}

impl<'a> HeadReader<'a> {
    fn meta(&mut self, tag: &'a Tag) {
        let name = attribute(tag, &local_name!("name")).unwrap_or_default().trim();
        let content = attribute(tag, &local_name!("content")).unwrap_or_default();
        if name.eq_ignore_ascii_case("description") && self.head.description.is_none() {
            let mut description = String::new();
            push_words(&mut description, content);
            self.head.description = Some(description);
        } else if name.eq_ignore_ascii_case("robots")
            || (!self.product_token.is_empty() && name.eq_ignore_ascii_case(self.product_token))
        {
            self.head.nofollow |= forbids_following(content);
        }
    }
}
