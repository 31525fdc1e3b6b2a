//! What a page is put together from: images, scripts, style sheets, fonts, media. It is read from the tokens, in a pass of its
//! own, when somebody asks for it: the tree does not hold the attributes, and most crawls need none of them.

use encoding_rs::Encoding;
use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use url::Url;

use super::css;
use super::deadline::{Deadline, Left};
use super::reader::Base;
use crate::canonical;
use crate::visit::Resource;

/// Resources of one page, at most.
const MAX_RESOURCES: usize = 10_000;
/// Bytes of their URLs: a long `<base>` makes much of little.
const MAX_BYTES: usize = 4 << 20;
/// Bytes of URLs that are put together for it, those that come twice included.
const MAX_WORK: usize = 4 * MAX_BYTES;
/// Tokens between two looks at the clock.
const STEP: usize = 1_000;

/// What a page that is text already names, each URL once for each element that names it; and whether all of it was read: it is
/// as far as `deadline` allows.
pub fn of_page(document: &Url, html: &str, encoding: &'static Encoding, deadline: Deadline) -> (Vec<Resource>, bool) {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let (mut page, mut is_whole) = (Page::default(), true);
    for (nth, token) in Tokenizer::new_with_emitter(html, emitter).enumerate() {
        if nth % STEP == STEP - 1 && deadline.left() != Left::All {
            is_whole = false;
            break;
        }
        match token {
            Ok(Token::StartTag(tag)) => page.open(&tag),
            Ok(Token::EndTag(tag)) => page.close(&tag.name),
            Ok(Token::String(text)) if page.is_style => page.style.push_str(&String::from_utf8_lossy(&text)),
            Ok(_) => {}
            Err(never) => match never {},
        }
    }
    let base = page.base.take().and_then(|href| canonical::join(document, &href, encoding).ok());
    let url = base.filter(|url| !matches!(url.scheme(), "data" | "javascript")).unwrap_or_else(|| document.clone());
    (resolved(&Base { url, encoding }, page.named), is_whole)
}

/// What a style sheet names.
pub fn of_style_sheet(sheet: &Url, text: &str) -> Vec<Resource> {
    let mut named = Vec::new();
    style(text, &mut named);
    resolved(&Base { url: sheet.clone(), encoding: encoding_rs::UTF_8 }, named)
}

/// A reference as it is written.
struct Named {
    reference: String,
    element: &'static str,
    is_sheet: bool,
}

fn style(text: &str, named: &mut Vec<Named>) {
    let urls = css::urls(text).into_iter();
    named.extend(urls.map(|found| Named { reference: found.url, element: "style", is_sheet: found.is_import }));
}

fn resolved(base: &Base, named: Vec<Named>) -> Vec<Resource> {
    let (mut seen, mut bytes) = (std::collections::HashSet::<_, foldhash::fast::RandomState>::default(), 0);
    let (mut resources, mut work) = (Vec::new(), 0);
    for Named { reference, element, is_sheet } in named {
        let reference = reference.trim();
        // Of itself it names but a part, such as a filter of an SVG image.
        let is_part = reference.is_empty() || reference.starts_with('#');
        let Some(url) = base.join(reference).filter(|_| !is_part) else { continue };
        work += url.as_str().len();
        if work > MAX_WORK {
            break;
        }
        if seen.insert((url.clone(), element)) {
            bytes += url.as_str().len();
            if bytes > MAX_BYTES || resources.len() == MAX_RESOURCES {
                break;
            }
            resources.push(Resource { url, element, is_sheet });
        }
    }
    resources
}

/// What was read so far.
#[derive(Default)]
struct Page {
    named: Vec<Named>,
    base: Option<String>,
    /// Templates around: what is in them is no part of the document (WHATWG HTML, 4.12.3).
    templates: usize,
    /// The text of a style element is being read, and that text.
    is_style: bool,
    style: String,
}

impl Page {
    fn open(&mut self, tag: &StartTag<()>) {
        let name: &[u8] = &tag.name;
        let value = |attribute: &[u8]| tag.attributes.get(attribute).map(|value| String::from_utf8_lossy(value));
        // One that is shown in its place is a part of the document, unless it stands in one that is not.
        if name == b"template" && (self.templates > 0 || value(b"shadowrootmode").is_none()) {
            self.templates += 1;
        }
        if self.templates > 0 || self.named.len() > MAX_RESOURCES * 2 {
            return;
        }
        let mut add = |attribute: &[u8], element| {
            let reference = value(attribute).map(|value| value.into_owned());
            self.named.extend(reference.map(|reference| Named { reference, element, is_sheet: false }));
        };
        match name {
            b"base" if self.base.is_none() => self.base = value(b"href").map(|href| href.into_owned()),
            b"img" => add(b"src", "img"),
            b"source" => add(b"src", "source"),
            b"script" => {
                add(b"src", "script");
                add(b"href", "script");
            }
            b"video" => {
                add(b"src", "video");
                add(b"poster", "video");
            }
            b"audio" => add(b"src", "audio"),
            b"track" => add(b"src", "track"),
            b"embed" => add(b"src", "embed"),
            b"object" => add(b"data", "object"),
            b"input" if value(b"type").is_some_and(|kind| kind.eq_ignore_ascii_case("image")) => add(b"src", "input"),
            b"body" => add(b"background", "body"),
            b"image" | b"use" | b"feimage" => {
                let href = if tag.attributes.contains_key(&b"href"[..]) { &b"href"[..] } else { b"xlink:href" };
                add(href, "image");
            }
            b"link" => self.link(&value(b"rel").unwrap_or_default(), value(b"href").as_deref()),
            b"style" => self.is_style = true,
            _ => {}
        }
        if matches!(name, b"img" | b"source") {
            let element = if name == b"img" { "img" } else { "source" };
            for reference in value(b"srcset").iter().flat_map(|set| candidates(set)) {
                self.named.push(Named { reference, element, is_sheet: false });
            }
        }
        if let Some(text) = value(b"style") {
            style(&text, &mut self.named);
        }
    }

    /// The link types that browsers fetch for the page itself (WHATWG HTML, 4.6.7).
    fn link(&mut self, rel: &str, href: Option<&str>) {
        let Some(href) = href else { return };
        let has = |word: &str| rel.split_ascii_whitespace().any(|found| found.eq_ignore_ascii_case(word));
        let is_sheet = has("stylesheet");
        let icons = ["icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon"];
        let element = match () {
            () if is_sheet => "stylesheet",
            () if icons.into_iter().any(has) => "icon",
            () if ["preload", "modulepreload", "manifest"].into_iter().any(has) => "link",
            () => return,
        };
        self.named.push(Named { reference: href.to_owned(), element, is_sheet });
    }

    fn close(&mut self, name: &[u8]) {
        match name {
            b"template" => self.templates = self.templates.saturating_sub(1),
            b"style" => {
                self.is_style = false;
                style(&std::mem::take(&mut self.style), &mut self.named);
            }
            _ => {}
        }
    }
}

/// The URLs of a `srcset` (WHATWG HTML, 4.8.4.3.10): each ends at white space, and a comma at its end ends the candidate too.
/// Descriptors reach to the next comma outside of parentheses.
fn candidates(srcset: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = srcset;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() || found.len() > MAX_RESOURCES {
            return found;
        }
        let (url, after) = rest.split_at(rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len()));
        let trimmed = url.trim_end_matches(',');
        found.push(trimmed.to_owned());
        rest = after;
        if trimmed.len() == url.len() {
            let mut depth = 0_usize;
            let end = rest.find(|c| {
                match c {
                    '(' => depth += 1,
                    ')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                c == ',' && depth == 0
            });
            rest = &rest[end.unwrap_or(rest.len())..];
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn found(html: &str) -> Vec<String> {
        let page = Url::parse("https://a.test/dir/").unwrap();
        let deadline = Deadline::after(Duration::from_secs(9), Duration::ZERO);
        let found = of_page(&page, html, encoding_rs::UTF_8, deadline).0.into_iter();
        found
            .map(|Resource { url, element, .. }| format!("{element} {}", url.as_str().replace("https://a.test", "")))
            .collect()
    }

    #[test]
    fn every_part_of_a_page_is_found_and_no_link() {
        let html = r##"<link rel="Shortcut Icon" href=/i.ico><link rel=stylesheet href=s.css><link rel=canonical href=/c>
            <link rel=preload as=font href=p.woff2><style>@import "t.css"; b { background: url(u.png) }</style>
            <script src=v.js></script><script>"<img src=no.png>"</script><a href=/page>x</a><iframe src=/f></iframe>
            <picture><source srcset="w.webp 1x, x.webp 2x"><img src=y.png srcset="y.png, z,1.png 2x,,/q?a,b"></picture>
            <video src=1.mp4 poster=2.png><track src=3.vtt></video><audio src=4.mp3></audio><object data=5.pdf></object>
            <embed src=6.svg><input type=IMAGE src=7.png><p style="background: url('8.png')">
            <svg><image href=9.png /><use xlink:href="#own" /><use href="10.svg#part" /></svg>
            <img src="data:image/png;base64,xx"><img src=""><template><img src=no.png></template><img src=11.png>"##;
        let expected = "icon /i.ico, stylesheet /dir/s.css, link /dir/p.woff2, style /dir/t.css, style /dir/u.png, \
             script /dir/v.js, source /dir/w.webp, source /dir/x.webp, img /dir/y.png, img /dir/z,1.png, img /q?a,b, \
             video /dir/1.mp4, video /dir/2.png, track /dir/3.vtt, audio /dir/4.mp3, object /dir/5.pdf, embed /dir/6.svg, \
             input /dir/7.png, style /dir/8.png, image /dir/9.png, image /dir/10.svg, img /dir/11.png";
        assert_eq!(found(html).join(", "), expected);
    }

    #[test]
    fn the_first_base_counts_wherever_it_stands() {
        assert_eq!(found("<img src=1.png><base href=/other/><base href=/no/>"), ["img /other/1.png"]);
    }

    #[test]
    fn a_srcset_ends_its_urls_as_browsers_do() {
        assert_eq!(candidates(" a.png 1x , b.png 2x,c.png"), ["a.png", "b.png", "c.png"]);
        assert_eq!(candidates("a,b.png 100w (x, y), c.png,"), ["a,b.png", "c.png"]);
        assert_eq!(candidates(", ,"), [""; 0]);
    }

    #[test]
    fn a_page_names_no_more_than_can_be_checked() {
        let html: String = (0..MAX_RESOURCES * 3).map(|n| format!("<img src=/{n}>")).collect();
        assert_eq!(found(&html).len(), MAX_RESOURCES);
    }
}
