//! XHTML by the rules of XML, and by those of HTML where it is not well-formed.

use super::*;

/// A page served as XHTML.
pub(super) fn xhtml(body: &str) -> Parsed {
    page("application/xhtml+xml", body.as_bytes()).1
}

/// A document of XHTML with these elements in its head and its body.
pub(super) fn strict(head: &str, body: &str) -> String {
    let html = "<?xml version='1.0'?><!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'xhtml1-strict.dtd'>
        <html xmlns='http://www.w3.org/1999/xhtml' xmlns:x='http://www.w3.org/1999/xlink' lang='de' xml:lang='en'>";
    format!("{html}<head>{head}</head>\n<body>{body}</body></html>\n")
}

#[test]
fn an_empty_element_of_xhtml_ends_where_it_begins() {
    for name in
        ["script", "style", "title", "iframe", "textarea", "xmp", "noscript", "div", "p", "a", "select", "template"]
    {
        let html = strict(&format!("<{name}/><title>t</title>"), &format!("<{name}/>one <a href='x'>two</a>"));
        let parsed = xhtml(&html);
        assert_eq!(parsed.text.split_whitespace().collect::<Vec<_>>(), ["one", "two"], "{name}");
        assert_eq!((parsed.links.len(), parsed.links[0].text.as_str()), (1, "two"), "{name}");
        assert_eq!(parsed.head.title.as_deref(), Some("t").filter(|_| name != "title"), "{name}");
    }
}

#[test]
fn xhtml_is_read_by_the_rules_of_xml() {
    let text = |body: &str| xhtml(&strict("", body)).text;
    assert_eq!(text("a<![CDATA[<b>&amp;]]>c&eacute;&nbsp;&#x41;&#66;&lt;&own;"), "a<b>&amp;cé\u{a0}AB<&own;");
    assert_eq!(
        text("<script><![CDATA[ if (a < b) x(); ]]></script><pre>a\r\n b</pre><p hidden='hidden'>c</p>"),
        "a\n b"
    );
    assert_eq!(text("<p style='display:none'>a</p><o:title xmlns:o='urn:o'>b</o:title><TITLE>c</TITLE>"), "bc");
    assert_eq!(text("<template><a href='x'>a</a></template>b"), "b");
    let parsed = xhtml(&strict(
        "<title>a &amp; b</title><meta name='description' content='c&#xA;d'/><base href='/e/'/>",
        "<a href='f?a=1&amp;b=2'>g</a><o:a xmlns:o='urn:o' href='no'/><h:a xmlns:h='http://www.w3.org/1999/xhtml' href='i'/>
         <svg xmlns='http://www.w3.org/2000/svg'><a x:href='j'/></svg><p><a href='&#10;k'/></p>",
    ));
    let head = parsed.head;
    assert_eq!([head.title, head.description, head.language].map(Option::unwrap), ["a & b", "c d", "en"]);
    let found = parsed.links.iter().map(|link| link.url.path_and_query()).collect::<Vec<_>>();
    assert_eq!(found, ["/e/f?a=1&b=2", "/e/i", "/e/j", "/e/k"]);
}

#[test]
fn xhtml_that_is_not_well_formed_is_read_by_the_rules_of_html() {
    for broken in [
        "<p>a<br><a href=x>b</a>",
        "<html><p>a<a href='x'>b</p></html>",
        "<p>a<a href='x?a&b'>b</a></p>",
        "<p>a</p><a href='x'>b</a>",
        "a<a href='x'>b</a>",
        "<p>a<a href='x' href='y'>b</a></p>",
        "<p>a<a title='<' href='x'>b</a></p>",
        "<p>a<o:b/><a href='x'>b</a></p>",
        "<p>a<a href='x'>b</a>&#0;</p>",
        "<html><p>a</p><a href='x'>b</a>",
    ] {
        let parsed = xhtml(broken);
        assert_eq!((parsed.links.len(), parsed.cut_short), (1, false), "{broken}");
        assert!(parsed.text.starts_with('a') && parsed.text.contains('b'), "{broken}: {}", parsed.text);
    }
    let (charset, parsed) = page("application/xhtml+xml", b"<meta charset=koi8-r><p>\xd0\xd2\xc9");
    assert_eq!((&*charset, &*parsed.text), ("koi8-r", "при"));
    let declared = b"<?xml version='1.0' encoding='koi8-r'?><p>\xd0\xd2\xc9</p>";
    assert_eq!(page("application/xhtml+xml", declared).1.text, "при");
}
