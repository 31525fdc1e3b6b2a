//! Which part of a page a reader is in.

use html5ever::{local_name, ns};
use scraper::node::Element as Tag;

use super::reader::attribute;
use crate::visit::Landmark;

/// An open element that may change the part.
#[derive(Debug, Clone, Copy)]
struct Open<'a> {
    tag: &'a Tag,
    part: Option<Landmark>,
    /// A `<header>` or `<footer>` within belongs to a section of the page, not to the page.
    is_sectioned: bool,
}

/// The landmarks around the place that is being read (HTML-AAM, 3.5 "HTML element role mappings"): `main`, `nav`, `aside`, a
/// `header` or `footer` outside of them and of `article` and `section`, and any other element whose `role` makes it one.
/// An `aside` is one with or without a name.
#[derive(Debug, Default)]
pub(super) struct Landmarks<'a> {
    open: Vec<Open<'a>>,
}

impl<'a> Landmarks<'a> {
    /// The innermost.
    pub fn part(&self) -> Option<Landmark> {
        self.open.last()?.part
    }

    #[inline]
    pub fn open(&mut self, tag: &'a Tag) {
        if tag.name.ns != ns!(html) {
            return;
        }
        let by_role = if tag.attrs.is_empty() { None } else { by_role(tag) };
        match (&tag.name.local, by_role) {
            (&local_name!("main"), _) => self.push(tag, Some(Landmark::Main), true),
            (&local_name!("nav"), _) => self.push(tag, Some(Landmark::Nav), true),
            (&local_name!("aside"), _) => self.push(tag, Some(Landmark::Aside), true),
            (&local_name!("header"), _) if !self.is_sectioned() => self.push(tag, Some(Landmark::Header), false),
            (&local_name!("footer"), _) if !self.is_sectioned() => self.push(tag, Some(Landmark::Footer), false),
            (&(local_name!("article") | local_name!("section")), part) => self.push(tag, part, true),
            (_, Some(part)) => {
                let is_sectioned = self.is_sectioned() || !matches!(part, Landmark::Header | Landmark::Footer);
                self.push(tag, Some(part), is_sectioned);
            }
            _ => {}
        }
    }

    #[inline]
    pub fn close(&mut self, tag: &'a Tag) {
        // Most elements are no landmarks, which their addresses tell sooner than their names.
        if self.open.last().is_some_and(|open| std::ptr::eq(open.tag, tag)) {
            self.open.pop();
        }
    }

    fn is_sectioned(&self) -> bool {
        self.open.last().is_some_and(|open| open.is_sectioned)
    }

    /// What is no landmark itself is a part of the one around it.
    fn push(&mut self, tag: &'a Tag, part: Option<Landmark>, is_sectioned: bool) {
        self.open.push(Open { tag, part: part.or(self.part()), is_sectioned });
    }
}

/// WAI-ARIA, 5.3.4 "landmark roles". Of a list of roles the first that is one counts.
fn by_role(tag: &Tag) -> Option<Landmark> {
    let role = attribute(tag, &local_name!("role"))?;
    role.split_ascii_whitespace().find_map(|role| match &*role.to_ascii_lowercase() {
        "main" => Some(Landmark::Main),
        "navigation" => Some(Landmark::Nav),
        "banner" => Some(Landmark::Header),
        "contentinfo" => Some(Landmark::Footer),
        "complementary" => Some(Landmark::Aside),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use url::Url;

    use crate::parse::parse_html;
    use crate::visit::Landmark::{self, Aside, Footer, Header, Main, Nav};

    /// The part of each link of a page.
    fn parts(body: &str) -> Vec<Option<Landmark>> {
        let base = Url::parse("http://a.test/").unwrap();
        let page = parse_html(&base, body, "harvestman", Duration::from_secs(60));
        page.links.iter().map(|link| link.part).collect()
    }

    #[test]
    fn a_link_stands_in_the_innermost_landmark_around_it() {
        for (body, expected) in [
            ("<a href=1>1</a><div><a href=2>2</a></div>", vec![None, None]),
            ("<main><p><a href=1>1</a></main><a href=2>2</a>", vec![Some(Main), None]),
            (
                "<header><a href=1>1</a><nav><a href=2>2</a></nav><a href=3>3</a></header>",
                [Header, Nav, Header].map(Some).into(),
            ),
            ("<main><aside><a href=1>1</a></aside><a href=2>2</a></main>", [Aside, Main].map(Some).into()),
            ("<footer><ul><li><a href=1>1</a></ul></footer>", vec![Some(Footer)]),
            ("<nav hidden><a href=1>1</a></nav>", vec![Some(Nav)]),
            ("<a href=1><nav>1</nav></a><a href=2>2</a>", vec![None, None]),
            ("<svg><nav><a href=1>1</a></nav></svg>", vec![None]),
        ] {
            assert_eq!(parts(body), expected, "{body}");
        }
    }

    #[test]
    fn the_header_and_the_footer_of_a_section_are_no_parts_of_the_page() {
        for (body, expected) in [
            ("<main><article><header><a href=1>1</a></header></article></main>", vec![Some(Main)]),
            ("<article><header><a href=1>1</a></header><footer><a href=2>2</a></footer></article>", vec![None, None]),
            (
                "<section><footer><a href=1>1</a></footer></section><footer><a href=2>2</a></footer>",
                vec![None, Some(Footer)],
            ),
            ("<aside><header><a href=1>1</a></header></aside>", vec![Some(Aside)]),
            ("<div><header><a href=1>1</a></header></div>", vec![Some(Header)]),
        ] {
            assert_eq!(parts(body), expected, "{body}");
        }
    }

    #[test]
    fn a_role_makes_a_landmark() {
        for (body, expected) in [
            ("<div role=main><header><a href=1>1</a></header></div><a href=2>2</a>", vec![Some(Main), None]),
            (
                "<div role='BANNER'><a href=1>1</a><header><a href=2>2</a></header></div>",
                [Header, Header].map(Some).into(),
            ),
            ("<div role='x-menu navigation'><div><a href=1>1</a></div></div>", vec![Some(Nav)]),
            ("<section role=contentinfo><a href=1>1</a></section>", vec![Some(Footer)]),
            ("<section role=complementary><a href=1>1</a></section>", vec![Some(Aside)]),
            ("<ul role=navigation><li><a href=1>1</a></ul>", vec![Some(Nav)]),
            ("<div role=button><a href=1>1</a></div>", vec![None]),
        ] {
            assert_eq!(parts(body), expected, "{body}");
        }
    }

    #[test]
    fn of_links_that_differ_in_their_part_alone_the_first_counts() {
        let body = "<nav><a href=1>1</a></nav><main><a href=1>1</a><a href=1>one</a></main>";
        assert_eq!(parts(body), [Some(Nav), Some(Main)]);
    }
}
