//! An element for people: its start tag, and where it is.

use scraper::ElementRef;

/// Characters of a start tag, and of an attribute in it.
const MAX_TAG: usize = 200;
const MAX_ATTRIBUTE: usize = 60;
/// Steps of a path.
const MAX_STEPS: usize = 6;

/// The start tag, with long attributes cut off.
pub fn start_tag(element: ElementRef<'_>) -> String {
    let mut tag = format!("<{}", element.value().name());
    for (name, value) in element.value().attrs() {
        tag.push_str(&format!(" {name}=\"{}\"", cut(value, MAX_ATTRIBUTE).replace('"', "&quot;")));
        if tag.len() > MAX_TAG {
            tag = cut(&tag, MAX_TAG);
            break;
        }
    }
    tag + ">"
}

/// A text's beginning.
pub fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The way to an element as a selector: from `within`, which is no part of it, or from its nearest ancestors on.
pub fn path(element: ElementRef<'_>, within: Option<ElementRef<'_>>) -> String {
    if within == Some(element) {
        return ":scope".to_owned();
    }
    let mut steps = vec![step(element)];
    for ancestor in element.ancestors().filter_map(ElementRef::wrap) {
        let is_known = steps.last().is_some_and(|step| step.contains('#'));
        if Some(ancestor) == within || is_known || steps.len() == MAX_STEPS || ancestor.value().name() == "body" {
            break;
        }
        steps.push(step(ancestor));
    }
    steps.reverse();
    steps.join(" > ")
}

/// An element's name with its `id`, or its first class and its place among those of its name.
fn step(element: ElementRef<'_>) -> String {
    let name = element.value().name();
    let is_plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if let Some(id) = element.value().id().filter(|id| !id.is_empty() && is_plain(id) && id.len() <= MAX_ATTRIBUTE) {
        return format!("{name}#{id}");
    }
    let class = element.value().classes().find(|class| is_plain(class) && class.len() <= MAX_ATTRIBUTE);
    let class = class.map_or(String::new(), |class| format!(".{class}"));
    let same = |other: &ElementRef<'_>| other.value().name() == name;
    let before = element.prev_siblings().filter_map(ElementRef::wrap).filter(same).count();
    let is_alone = before == 0 && !element.next_siblings().filter_map(ElementRef::wrap).any(|other| same(&other));
    let place = if is_alone { String::new() } else { format!(":nth-of-type({})", before + 1) };
    format!("{name}{class}{place}")
}
