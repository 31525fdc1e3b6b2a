//! What two spellings of a URL become, and what a reference leads to, by the URL standard.

mod joins;

use proptest::prelude::*;

use super::*;

fn canonical(text: &str) -> String {
    CanonicalUrl::parse(text).unwrap().to_string()
}

#[test]
fn spellings_of_one_url_become_one() {
    for spelling in [
        "HTTP://EXAMPLE.com:80/a/./b/../c#part",
        "http://example.com/a/c",
        "  http://user:secret@example.com/a/c  ",
        "http:\\\\example.com\\a\\c",
    ] {
        assert_eq!(canonical(spelling), "http://example.com/a/c");
    }
    assert_eq!(canonical("http://0x7f.1/"), "http://127.0.0.1/");
    assert_eq!(canonical("http://bücher.example/ä"), "http://xn--bcher-kva.example/%C3%A4");
}

#[test]
fn credentials_are_left_out_of_what_is_told_of_a_text_whether_it_is_a_url_or_not() {
    for (text, told) in [
        ("http://user:secret@a.test/x", "http://…@a.test/x"),
        ("http://user:se@cret@a.test/x@y", "http://…@a.test/x@y"),
        ("http://a.test/x@y", "http://a.test/x@y"),
        ("user:secret@a.test/x", "…@a.test/x"),
        ("ftp://user:secret@a.test/x", "ftp://…@a.test/x"),
        ("http://user:sec/ret@a.test/", "http://…@a.test/"),
        ("http:user:secret@a.test/", "http:…@a.test/"),
        ("http:/user:secret@a.test//b", "http:/…@a.test//b"),
        ("ht\ntp:/\t\\user:secret@a.test/b@c", "ht\ntp:/\t\\…@a.test/b@c"),
        ("user:secret@a.test/?u=http://b.test/@c", "…@c"),
        ("//user:secret@a.test/", "…@a.test/"),
        ("POSTGRES://user:secret@a.test/b?password=secret", "POSTGRES://…@a.test/b?…"),
        ("postgresql:///b?password=secret", "postgresql:///b?…"),
        ("http://a.test/?q=x", "http://a.test/?q=x"),
        ("why?", "why?"),
        ("mailto:user@a.test", "mailto:user@a.test"),
        ("no URL", "no URL"),
    ] {
        assert_eq!(without_userinfo(text), told);
    }
}

#[test]
fn only_http_urls_are_crawled() {
    for text in ["ftp://example.com/", "mailto:a@b.c", "javascript:void(0)", "example.com", "", "http://"] {
        assert!(CanonicalUrl::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_host_is_scheme_name_and_port() {
    let host = |text| CanonicalUrl::parse(text).unwrap().host();
    assert_eq!(host("https://example.com:443/x").as_str(), "https://example.com");
    assert_eq!(host("http://[::1]:8080/x").as_str(), "http://[::1]:8080");
    assert_ne!(host("http://example.com/"), host("https://example.com/"));
    assert_eq!(host("http://example.com/a?b").robots_url().unwrap().as_str(), "http://example.com/robots.txt");
}

/// Where in the URL standard it is decided, a reference, and what it leads to from [`BASE`].
const JOINS: &[(&str, &str, &str)] = &[
    ("4.4 no scheme state", "g", "http://a.example/b/c/g"),
    ("4.4 relative state", "./g", "http://a.example/b/c/g"),
    ("4.4 relative state", "g/", "http://a.example/b/c/g/"),
    ("4.4 relative slash state", "/g", "http://a.example/g"),
    ("4.4 special authority ignore slashes state", "//g", "http://g/"),
    ("4.4 relative state", "?y", "http://a.example/b/c/d;p?y"),
    ("4.4 relative state", "g?y", "http://a.example/b/c/g?y"),
    ("4.4 relative state", "#s", "http://a.example/b/c/d;p?q"),
    ("4.4 relative state", "g#s", "http://a.example/b/c/g"),
    ("4.4 relative state", "g?y#s", "http://a.example/b/c/g?y"),
    ("4.4 path state", ";x", "http://a.example/b/c/;x"),
    ("4.4 path state", "g;x", "http://a.example/b/c/g;x"),
    ("4.4 path state", "g;x?y#s", "http://a.example/b/c/g;x?y"),
    ("4.4 relative state", "", "http://a.example/b/c/d;p?q"),
    ("4.4 path state", ".", "http://a.example/b/c/"),
    ("4.4 path state", "./", "http://a.example/b/c/"),
    ("4.4 path state", "..", "http://a.example/b/"),
    ("4.4 path state", "../", "http://a.example/b/"),
    ("4.4 path state", "../g", "http://a.example/b/g"),
    ("4.4 path state", "../..", "http://a.example/"),
    ("4.4 path state", "../../g", "http://a.example/g"),
    ("4.4 path state", "../../../g", "http://a.example/g"),
    ("4.4 path state", "../../../../g", "http://a.example/g"),
    ("4.4 path state", "/./g", "http://a.example/g"),
    ("4.4 path state", "/../g", "http://a.example/g"),
    ("4.4 path state", "g.", "http://a.example/b/c/g."),
    ("4.4 path state", ".g", "http://a.example/b/c/.g"),
    ("4.4 path state", "g..", "http://a.example/b/c/g.."),
    ("4.4 path state", "..g", "http://a.example/b/c/..g"),
    ("4.4 path state", "./../g", "http://a.example/b/g"),
    ("4.4 path state", "./g/.", "http://a.example/b/c/g/"),
    ("4.4 path state", "g/./h", "http://a.example/b/c/g/h"),
    ("4.4 path state", "g/../h", "http://a.example/b/c/h"),
    ("4.4 path state", "g;x=1/./y", "http://a.example/b/c/g;x=1/y"),
    ("4.4 path state", "g;x=1/../y", "http://a.example/b/c/y"),
    ("4.4 query state", "g?y/./x", "http://a.example/b/c/g?y/./x"),
    ("4.4 query state", "g?y/../x", "http://a.example/b/c/g?y/../x"),
    ("4.4 fragment state", "g#s/../x", "http://a.example/b/c/g"),
    ("4.4 special relative or authority state", "http:g", "http://a.example/b/c/g"),
    ("4.4 special relative or authority state", "HTTP:/g", "http://a.example/g"),
    ("4.4 special authority slashes state", "https:g", "https://g/"),
    ("4.4 special authority slashes state", "https:/g/h", "https://g/h"),
    ("4.4 single-dot URL path segment", "%2e/g", "http://a.example/b/c/g"),
    ("4.4 single-dot URL path segment", "g/%2E", "http://a.example/b/c/g/"),
    ("4.4 double-dot URL path segment", "%2e%2e/g", "http://a.example/b/g"),
    ("4.4 double-dot URL path segment", ".%2E/g", "http://a.example/b/g"),
    ("4.4 double-dot URL path segment", "%2e./g", "http://a.example/b/g"),
    ("4.4 double-dot URL path segment", "%2e%2e%2f", "http://a.example/b/c/%2e%2e%2f"),
    ("4.4 path state", "%2e%2e%2e", "http://a.example/b/c/%2e%2e%2e"),
    ("4.4 path state", "...", "http://a.example/b/c/..."),
    ("4.4 path state", "a//b", "http://a.example/b/c/a//b"),
    ("4.4 path state", "a//../b", "http://a.example/b/c/a/b"),
    ("4.4 path state", "/a/b/c/../..//d", "http://a.example/a//d"),
    ("4.4 path state", "/..//g", "http://a.example//g"),
    ("4.4 path state", "\\g", "http://a.example/g"),
    ("4.4 relative slash state", "\\\\g", "http://g/"),
    ("4.4 relative slash state", "/\\g", "http://g/"),
    ("4.4 relative slash state", "\\/g", "http://g/"),
    ("4.4 path state", "..\\g", "http://a.example/b/g"),
    ("4.4 path state", "g\\h", "http://a.example/b/c/g/h"),
    ("4.4 query state", "g?a\\b", "http://a.example/b/c/g?a\\b"),
    ("4.4 special authority ignore slashes state", "///g/h", "http://g/h"),
    ("4.4 special authority ignore slashes state", "////g", "http://g/"),
    ("4.4 special authority ignore slashes state", "/\\/g", "http://g/"),
    ("4.4 special authority ignore slashes state", "\\\\\\g", "http://g/"),
    ("4.4 special authority ignore slashes state", "//\\g", "http://g/"),
    ("4.4 special authority ignore slashes state", "/\t//g", "http://g/"),
    ("4.4 special authority ignore slashes state", " \n///g", "http://g/"),
    ("4.4 special authority ignore slashes state", "http:///g", "http://g/"),
    ("4.4 special authority ignore slashes state", "http:\\\\\\g", "http://g/"),
    ("4.4 special authority ignore slashes state", "///g?///x", "http://g/?///x"),
    ("4.4 leading and trailing C0 control or space", " g ", "http://a.example/b/c/g"),
    ("4.4 leading and trailing C0 control or space", "\n\tg\r\n", "http://a.example/b/c/g"),
    ("4.4 leading and trailing C0 control or space", "\u{0}g\u{1f}", "http://a.example/b/c/g"),
    ("4.4 leading and trailing C0 control or space", "\u{c}g\u{b}", "http://a.example/b/c/g"),
    ("4.4 leading and trailing C0 control or space", "\u{a0}g", "http://a.example/b/c/%C2%A0g"),
    ("4.4 leading and trailing C0 control or space", "\u{3000}", "http://a.example/b/c/%E3%80%80"),
    ("4.4 ASCII tab or newline", "g\n/\th", "http://a.example/b/c/g/h"),
    ("4.4 ASCII tab or newline", "/\n/g", "http://g/"),
    ("4.4 ASCII tab or newline", "ht\ntp://g/", "http://g/"),
    ("4.4 ASCII tab or newline", ".\n./g", "http://a.example/b/g"),
    ("4.4 ASCII tab or newline", "g?a\r\nb", "http://a.example/b/c/g?ab"),
    ("4.4 path state, white space before a fragment", "/g #s", "http://a.example/g%20"),
    ("4.4 query state, white space before a fragment", "/g?y #s", "http://a.example/g?y%20"),
    ("4.4 path state, white space before a query", "/g ?y", "http://a.example/g%20?y"),
    ("1.3 path percent-encode set", "a b", "http://a.example/b/c/a%20b"),
    ("1.3 path percent-encode set", "\"<>`{}^", "http://a.example/b/c/%22%3C%3E%60%7B%7D%5E"),
    ("1.3 path percent-encode set", "!$&'()*+,-.;=@_~[]:", "http://a.example/b/c/!$&'()*+,-.;=@_~[]:"),
    ("1.3 path percent-encode set", "ä", "http://a.example/b/c/%C3%A4"),
    ("1.3 path percent-encode set", "%C3%a4%zz%", "http://a.example/b/c/%C3%a4%zz%"),
    ("1.3 path percent-encode set", "\u{7f}", "http://a.example/b/c/%7F"),
    ("1.3 special-query percent-encode set", "?a b\"#", "http://a.example/b/c/d;p?a%20b%22"),
    ("1.3 special-query percent-encode set", "?'<>", "http://a.example/b/c/d;p?%27%3C%3E"),
    ("1.3 special-query percent-encode set", "?`{}[]^", "http://a.example/b/c/d;p?`{}[]^"),
    ("1.3 special-query percent-encode set", "?ä&ö=%E4", "http://a.example/b/c/d;p?%C3%A4&%C3%B6=%E4"),
    ("4.4 query state", "?a?b", "http://a.example/b/c/d;p?a?b"),
    ("4.4 query state", "?", "http://a.example/b/c/d;p?"),
    ("4.4 query state", "g?", "http://a.example/b/c/g?"),
    ("3.5 host parsing", "//A.EXAMPLE/", "http://a.example/"),
    ("3.5 host parsing", "//a%2eexample/", "http://a.example/"),
    ("3.5 host parsing", "//ä.example/", "http://xn--4ca.example/"),
    ("3.5 host parsing", "//%C3%A4.example/", "http://xn--4ca.example/"),
    ("3.5 host parsing", "//a。example/", "http://a.example/"),
    ("3.5 host parsing", "//a.example./", "http://a.example./"),
    ("3.5 IPv4 parser", "//0x7f.1/", "http://127.0.0.1/"),
    ("3.5 IPv4 parser", "//2130706433/", "http://127.0.0.1/"),
    ("3.5 IPv4 parser", "//0177.0.0.1/", "http://127.0.0.1/"),
    ("3.5 IPv4 parser", "//127.1./", "http://127.0.0.1/"),
    ("3.5 IPv6 parser", "//[0:0:0:0:0:0:0:1]/", "http://[::1]/"),
    ("3.5 IPv6 parser", "//[::FFFF:1.2.3.4]/", "http://[::ffff:102:304]/"),
    ("3.5 IPv6 parser", "//[1:0:0:2:0:0:0:3]/", "http://[1:0:0:2::3]/"),
    ("4.4 port state", "//g:80/", "http://g/"),
    ("4.4 port state", "//g:/", "http://g/"),
    ("4.4 port state", "//g:0080/", "http://g/"),
    ("4.4 port state", "//g:8080/", "http://g:8080/"),
    ("4.4 port state", "https://g:443", "https://g/"),
    ("4.4 port state", "https://g:80", "https://g:80/"),
    ("4.4 authority state", "//u:p@g/", "http://g/"),
    ("4.4 authority state", "//u@v@g/", "http://g/"),
    ("4.4 authority state", "//@g/", "http://g/"),
    ("4.4 authority state", "http://g?x@h", "http://g/?x@h"),
];
const BASE: &str = "http://a.example/b/c/d;p?q";

#[test]
fn references_lead_where_the_url_standard_says() {
    let base = Url::parse(BASE).unwrap();
    let wrong = JOINS.iter().filter_map(|(section, reference, expected)| {
        let joined = CanonicalUrl::join(&base, reference).map(|url| url.to_string());
        (joined.as_deref() != Ok(*expected)).then_some((section, reference, joined))
    });
    assert_eq!(wrong.collect::<Vec<_>>(), []);
    for none in
        ["//", "///", "////", "http://", "//g:x", "//g:65536", "//a b/", "//[::1", "//1.2.3.256", "//%00/", "//a|b"]
    {
        assert!(CanonicalUrl::join(&base, none).is_err(), "{none:?}");
    }
}

#[test]
fn the_query_of_a_link_is_in_the_encoding_of_its_document_and_no_other_part_is() {
    // URL standard, 1.3 "percent-encode after encoding".
    let cases = [
        ("windows-1251", "/я?q=привет", "/%D1%8F?q=%EF%F0%E8%E2%E5%F2"),
        ("Shift_JIS", "/日?q=日本", "/%E6%97%A5?q=%93%FA%96{"),
        ("GBK", "?q=中文€", "/p?q=%D6%D0%CE%C4%80"),
        ("EUC-KR", "?q=한국", "/p?q=%C7%D1%B1%B9"),
        ("ISO-8859-1", "?q=é€", "/p?q=%E9%80"),
        ("ISO-2022-JP", "?q=日本a", "/p?q=%1B$BF|K\\%1B(Ba"),
        ("windows-1251", "?q=日я", "/p?q=%26%2326085%3B%FF"),
        ("ISO-8859-2", "?a=\u{1f577}&b=ž#ž", "/p?a=%26%23128375%3B&b=%BE"),
        ("windows-1251", "?q=%D1%8F", "/p?q=%D1%8F"),
        ("windows-1251", "?я\nя", "/p?%FF%FF"),
        ("UTF-8", "?q=é", "/p?q=%C3%A9"),
        ("UTF-16LE", "?q=é", "/p?q=%C3%A9"),
        ("UTF-16BE", "?q=é", "/p?q=%C3%A9"),
    ];
    let base = Url::parse("http://a.example/p").unwrap();
    for (label, reference, expected) in cases {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let url = CanonicalUrl::join_in(&base, reference, encoding).unwrap();
        assert_eq!(url.path_and_query(), expected, "{label} {reference:?}");
    }
}

#[test]
fn a_header_is_taken_by_its_bytes() {
    let base = Url::parse("http://a.example/p").unwrap();
    let join = |value: &[u8]| CanonicalUrl::join_header(&base, value).map(|url| url.to_string());
    assert_eq!(join("/ä?ö".as_bytes()).as_deref(), Ok("http://a.example/%C3%A4?%C3%B6"));
    assert_eq!(join(b"/\xe4?\xf6").as_deref(), Ok("http://a.example/%E4?%F6"));
    assert_eq!(join("//bücher.example/".as_bytes()).as_deref(), Ok("http://xn--bcher-kva.example/"));
    assert_eq!(join(b" /a b ").as_deref(), Ok("http://a.example/a%20b"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn canonicalising_twice_is_once(
        reference in prop_oneof![
            r"[ \t\n]{0,2}(https?:)?[/\\]{0,4}[a-z0-9.:@%\[\]é。]{0,12}[/\\]{0,2}[a-z.%\x00-\x20é|^'/\\?#&;=]{0,20}",
            "\\PC{0,30}",
        ],
        encoding in prop::sample::select(vec![UTF_8, encoding_rs::WINDOWS_1251, encoding_rs::SHIFT_JIS]),
    ) {
        let base = Url::parse(BASE).unwrap();
        if let Ok(url) = CanonicalUrl::join_in(&base, &reference, encoding) {
            prop_assert_eq!(CanonicalUrl::parse(url.as_str()), Ok(url.clone()));
            prop_assert_eq!(CanonicalUrl::join(&base, url.as_str()), Ok(url));
        }
    }
}
