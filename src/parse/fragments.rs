//! Fragments of links, and whether a document has the places that they name (WHATWG HTML, 7.4.6.4 "scrolling to a fragment").

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::visit::Fragment;

/// What is percent-encoded in a fragment (WHATWG URL, 1.3 "fragment percent-encode set").
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`');
/// Bytes of a fragment; a longer one is data of a script rather than a name.
const LONGEST: usize = 2_000;

/// The fragment of a link, as written behind `#`, if it names a place. What does not is the top of a page, a route of a
/// script, or a fragment directive.
pub fn fragment(written: &str) -> Option<Fragment> {
    // The URL parser passes over these wherever they are.
    let raw: String = written.split(['\t', '\n', '\r']).flat_map(|part| utf8_percent_encode(part, ENCODED)).collect();
    let text = percent_decode_str(&raw).decode_utf8_lossy().replace('\0', "\u{fffd}");
    let names_none = text.is_empty()
        || text.starts_with(['/', '!'])
        || text.contains(":~:")
        || text.eq_ignore_ascii_case("top")
        || raw.len() > LONGEST;
    (!names_none).then(|| Fragment { raw: (raw != text).then_some(raw), text })
}

/// Those of `wanted` that name no place of a document.
pub fn missing<'a>(html: &str, wanted: &'a [Fragment]) -> Vec<&'a Fragment> {
    let mut places: HashMap<&[u8], Vec<usize>, RandomState> = HashMap::default();
    for (number, fragment) in wanted.iter().enumerate() {
        for name in fragment.raw.iter().chain([&fragment.text]) {
            places.entry(name.as_bytes()).or_default().push(number);
        }
    }
    let mut found = HashSet::new();
    each_name(html, |name| {
        if let Some(numbers) = places.remove(name.value) {
            found.extend(numbers);
        }
    });
    wanted.iter().enumerate().filter(|(number, _)| !found.contains(number)).map(|(_, fragment)| fragment).collect()
}

/// The ids that several elements of a document have, each once.
pub fn repeated_ids(html: &str) -> Vec<String> {
    let (mut seen, mut repeated) = (HashSet::<Vec<u8>, RandomState>::default(), Vec::new());
    each_name(html, |name| {
        if name.is_id && !seen.insert(name.value.to_vec()) {
            repeated.push(String::from_utf8_lossy(name.value).into_owned());
        }
    });
    repeated.sort_unstable();
    repeated.dedup();
    repeated
}

/// A name of an element.
struct Name<'a> {
    value: &'a [u8],
    /// It is an `id`; else the `name` of an `<a>`.
    is_id: bool,
}

/// What is being read.
#[derive(Default)]
struct Reading {
    /// Within a start tag; attributes of end tags count for nothing.
    in_tag: bool,
    is_anchor: bool,
    /// The attribute whose value comes next, if it is one of interest, and those that the tag had.
    attribute: Option<bool>,
    had: [bool; 2],
    /// Open templates, what is in which is no part of the document.
    templates: usize,
}

/// Goes through the names of a document's elements by its tags alone: it takes a fraction of the time that a tree does, and no
/// memory. `<noscript>` holds text, as it does in browsers, which run scripts.
fn each_name(html: &str, mut take: impl FnMut(Name<'_>)) {
    let mut reading = Reading::default();
    let mut read = |event: CallbackEvent<'_>, _: Span<()>| -> Option<()> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                (reading.in_tag, reading.is_anchor) = (true, name == b"a");
                (reading.attribute, reading.had) = (None, [false; 2]);
                reading.templates += usize::from(name == b"template");
            }
            CallbackEvent::EndTag { name: b"template" } => reading.templates = reading.templates.saturating_sub(1),
            CallbackEvent::CloseStartTag { .. } => reading.in_tag = false,
            CallbackEvent::AttributeName { name } => {
                reading.attribute = match name {
                    _ if !reading.in_tag => None,
                    b"id" => Some(true),
                    b"name" if reading.is_anchor => Some(false),
                    _ => None,
                };
                // The first attribute of a name counts.
                if let Some(is_id) = reading.attribute
                    && std::mem::replace(&mut reading.had[usize::from(is_id)], true)
                {
                    reading.attribute = None;
                }
            }
            CallbackEvent::AttributeValue { value } if !value.is_empty() && reading.templates == 0 => {
                if let Some(is_id) = reading.attribute.take() {
                    take(Name { value, is_id });
                }
            }
            _ => {}
        }
        None
    };
    let mut emitter = CallbackEmitter::new(&mut read);
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(html, emitter).collect::<Result<(), _>>();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(written: &str) -> Option<(String, Option<String>)> {
        fragment(written).map(|fragment| (fragment.text, fragment.raw))
    }

    #[test]
    fn a_fragment_is_decoded_and_kept_as_the_url_has_it_where_that_differs() {
        for (written, text, raw) in [
            ("part", "part", None),
            ("a-b_c.d:e", "a-b_c.d:e", None),
            ("a b", "a b", Some("a%20b")),
            ("a%20b", "a b", Some("a%20b")),
            ("b\u{fc}cher", "b\u{fc}cher", Some("b%C3%BCcher")),
            ("100%", "100%", None),
            ("%2525", "%25", Some("%2525")),
            ("%FF", "\u{fffd}", Some("%FF")),
            ("a%00b", "a\u{fffd}b", Some("a%00b")),
            ("a\n\tb", "ab", None),
            ("topics", "topics", None),
        ] {
            assert_eq!(named(written), Some((text.to_owned(), raw.map(str::to_owned))), "{written:?}");
        }
    }

    #[test]
    fn what_names_no_place_is_left_alone() {
        let long = "x".repeat(2_001);
        for written in
            ["", "top", "TOP", "t%6Fp", "/route", "%2Froute", "!route", ":~:text=a", "part:~:text=a,-b", &long]
        {
            assert_eq!(named(written), None, "{written}");
        }
    }

    fn lacks(html: &str, written: &str) -> bool {
        !missing(html, &[fragment(written).unwrap()]).is_empty()
    }

    #[test]
    fn places_are_found_by_id_and_by_the_name_of_an_anchor() {
        for (html, written, is_there) in [
            ("<h2 id=part>x</h2>", "part", true),
            ("<h2 id=part>x</h2>", "Part", false),
            ("<a name=part>x</a>", "part", true),
            ("<img name=part>", "part", false),
            ("<svg><g id='part'/></svg>", "part", true),
            ("<p id='a b'>", "a b", true),
            ("<p id='a%20b'>", "a b", true),
            ("<p id='a b'>", "a%20b", true),
            ("<p id='b\u{fc}cher'>", "b%C3%BCcher", true),
            ("<p id='b%C3%BCcher'>", "b\u{fc}cher", true),
            ("<p id='a&amp;b'>", "a&b", true),
            ("<p id=one id=part>", "part", false),
            ("<p id=''>", "part", false),
            ("<!-- <p id=part> -->", "part", false),
            ("<script>'<p id=part>'</script>", "part", false),
            ("<textarea><p id=part></textarea>", "part", false),
            ("<template><p id=part></template>", "part", false),
            ("<template></template><p id=part>", "part", true),
            ("<noscript><p id=part></noscript>", "part", false),
            ("<p>part</p id=part>", "part", false),
            ("", "part", false),
        ] {
            assert_eq!(!lacks(html, written), is_there, "{html} {written}");
        }
    }

    #[test]
    fn those_that_are_missing_are_told_of_many() {
        let wanted = ["a", "b", "a b", "c"].map(|written| fragment(written).unwrap());
        let missing = missing("<p id=a><p id='a%20b'><a name=c>", &wanted);
        assert_eq!(missing, [&wanted[1]]);
    }

    #[test]
    fn an_id_that_several_elements_have_is_told_once() {
        for (html, repeated) in [
            ("<p id=a><p id=b><p id=a><p id=a>", vec!["a"]),
            ("<p id=a><p id=A>", vec![]),
            ("<a name=a><p id=a>", vec![]),
            ("<p id=b><template><p id=b><p id=c><p id=c></template>", vec![]),
            ("<p id=b><noscript><p id=b></noscript>", vec![]),
            ("<p id=z><i id=y></i><p id=z><i id=y></i>", vec!["y", "z"]),
            ("<p id=''><p id=''>", vec![]),
        ] {
            assert_eq!(repeated_ids(html), repeated, "{html}");
        }
    }
}
