//! Documents that are read in parts, and those that are skimmed.

use super::*;
use crate::parse::tree::MAX_NODES;

#[test]
fn a_document_of_many_trees_is_read_as_if_it_were_of_one() {
    let rows: String = (0..MAX_NODES / 4).map(|row| format!("<tr><td>a<td><a href=/{row}>{row}</a>")).collect();
    let html = format!("<base href=http://b.test><title>t</title><table>{rows}</table><p hidden>x<b>y</p><i>z</i>");
    let parsed = parse(&html);
    assert!(!parsed.cut_short);
    assert_eq!(parsed.head.title.as_deref(), Some("t"));
    assert_eq!(parsed.links.len(), MAX_NODES / 4);
    assert!(parsed.links.iter().enumerate().all(|(row, link)| link.url.as_str() == format!("http://b.test/{row}")));
    let expected: String = (0..MAX_NODES / 4).map(|row| format!("a\n{row}\n")).collect();
    assert!(parsed.text == expected + "z", "{:?}", &parsed.text[..100]);
}

#[test]
fn what_hides_a_part_of_a_document_hides_it_in_each_tree() {
    let many = "<p>x".repeat(MAX_NODES);
    for (open, close) in [("<div hidden>", "</div>"), ("<template>", "</template>"), ("<ul><li hidden>", "</ul>")] {
        let text = parse(&format!("a{open}{many}{close}b")).text;
        assert_eq!((text.len(), text.split_whitespace().collect::<String>()), (3, "ab".to_owned()), "{open}");
    }
}

#[test]
fn what_is_behind_many_open_elements_is_read() {
    for open in ["<div>", "<b><i>", "<font size=1><p>", "<table><tr><td>", "<svg>"] {
        let parsed = parse(&format!("<a href=/1>1</a>{}word<a href=/2>2</a>", open.repeat(20_000)));
        assert_eq!((parsed.links.len(), parsed.cut_short), (2, false), "{open}");
    }
}

#[test]
fn xhtml_of_many_trees_is_read_by_the_rules_of_xml_to_its_end() {
    let items: String = (0..MAX_NODES / 2).map(|item| format!("<li><a href='/{item}'/></li>")).collect();
    let parsed = xhtml::xhtml(&xhtml::strict("", &format!("<ul>{items}</ul><title/><p>word</p>")));
    assert_eq!((parsed.links.len(), &*parsed.text), (MAX_NODES / 2, "word"));
}

#[test]
fn a_document_for_which_there_is_no_time_is_skimmed_for_links_and_words() {
    let html = format!(
        "<title>t</title><a href=/1>1</a>{}<p>one<p>two<script>'<a href=/no>'</script>
         <textarea><a href=/no></textarea><!-- <a href=/no> --><a rel=nofollow href=/2>last</a>",
        "<div>".repeat(20_000)
    );
    let base = Url::parse("http://h.test/").unwrap();
    let format = Format { kind: kind::Kind::Html, charset: None, is_xml: false };
    let deadline = Deadline::after(Duration::ZERO, Duration::from_secs(60));
    let (_, parsed) = parse_page(&base, &format, html.as_bytes(), "", false, deadline);
    assert!(parsed.cut_short);
    let links: Vec<_> =
        parsed.links.iter().map(|link| (link.url.path_and_query(), &*link.text, link.nofollow)).collect();
    assert_eq!(links, [("/1", "1", false), ("/2", "last", true)]);
    assert!(parsed.text.contains("one two"), "{:?}", &parsed.text[..100]);
}
