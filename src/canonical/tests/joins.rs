//! References against bases of other shapes than the usual one.

use super::*;

/// The base, and below it: where in the URL standard it is decided, a reference, and what it leads to, if to anything.
type Joins = (&'static str, &'static [(&'static str, &'static str, Option<&'static str>)]);

const JOINS: &[Joins] = &[
    (
        "http://a.example",
        &[
            ("4.4 path start state", "g", Some("http://a.example/g")),
            ("4.4 path start state", "", Some("http://a.example/")),
            ("4.4 path start state", ".", Some("http://a.example/")),
            ("4.4 path start state", "..", Some("http://a.example/")),
            ("4.4 path start state", "../../g", Some("http://a.example/g")),
            ("4.4 relative state", "?q", Some("http://a.example/?q")),
            ("4.4 relative state", "#f", Some("http://a.example/")),
            ("4.4 relative slash state", "//g", Some("http://g/")),
        ],
    ),
    (
        "http://a.example/b/",
        &[
            ("4.4 relative state", "g", Some("http://a.example/b/g")),
            ("4.4 relative state", "", Some("http://a.example/b/")),
            ("4.4 path state", ".", Some("http://a.example/b/")),
            ("4.4 path state", "..", Some("http://a.example/")),
            ("4.4 path state", "../b", Some("http://a.example/b")),
            ("4.4 path state", "./", Some("http://a.example/b/")),
            ("4.4 path state", "./.", Some("http://a.example/b/")),
            ("4.4 path state", "g/..", Some("http://a.example/b/")),
            ("4.4 path state", "/", Some("http://a.example/")),
            ("4.4 path state", "/..", Some("http://a.example/")),
            ("4.4 special authority ignore slashes state", "//./g", Some("http://./g")),
        ],
    ),
    (
        "http://a.example/b//c//",
        &[
            ("4.4 path state", "g", Some("http://a.example/b//c//g")),
            ("4.4 path state", "../g", Some("http://a.example/b//c/g")),
            ("4.4 path state", "../../g", Some("http://a.example/b//g")),
            ("4.4 path state", "../../../g", Some("http://a.example/b/g")),
            ("4.4 path state", ".//g", Some("http://a.example/b//c///g")),
        ],
    ),
    (
        "http://a.example/b/c?x/../y?z#f/g",
        &[
            ("4.4 relative state", "", Some("http://a.example/b/c?x/../y?z")),
            ("4.4 relative state", "#", Some("http://a.example/b/c?x/../y?z")),
            ("4.4 relative state", "?", Some("http://a.example/b/c?")),
            ("4.4 relative state", "g", Some("http://a.example/b/g")),
            ("4.4 relative state", ";", Some("http://a.example/b/;")),
            ("4.4 relative state", " \t\n", Some("http://a.example/b/c?x/../y?z")),
        ],
    ),
    (
        "https://u:p@a.example:8443/b/c",
        &[
            ("4.4 relative state", "g", Some("https://a.example:8443/b/g")),
            ("4.4 relative slash state", "/g", Some("https://a.example:8443/g")),
            ("4.4 relative slash state", "//g", Some("https://g/")),
            ("4.4 relative slash state", "//g:443/", Some("https://g/")),
            ("4.4 relative slash state", "//g:80/", Some("https://g:80/")),
            ("4.4 special relative or authority state", "https:g", Some("https://a.example:8443/b/g")),
            ("4.4 special relative or authority state", "https:/g", Some("https://a.example:8443/g")),
            ("4.4 special relative or authority state", "https:?q", Some("https://a.example:8443/b/c?q")),
            ("4.4 special relative or authority state", "https:#f", Some("https://a.example:8443/b/c")),
            ("4.4 special relative or authority state", "https:", Some("https://a.example:8443/b/c")),
            ("4.4 special relative or authority state", "https:../g", Some("https://a.example:8443/g")),
            ("4.4 special authority slashes state", "http:g", Some("http://g/")),
            ("4.4 special authority slashes state", "http:", None),
            ("4.4 special authority slashes state", "http:/", None),
            ("4.4 special authority slashes state", "http:?q", None),
        ],
    ),
    (
        "http://[2001:db8::1]:81/b",
        &[
            ("4.4 relative state", "g", Some("http://[2001:db8::1]:81/g")),
            ("3.5 host parsing", "//[2001:DB8:0:0::1]:80/", Some("http://[2001:db8::1]/")),
            ("3.5 IPv6 parser", "//[::]/", Some("http://[::]/")),
            ("3.5 IPv6 parser", "//[1:2:3:4:5:6:7:8]/", Some("http://[1:2:3:4:5:6:7:8]/")),
            ("3.5 IPv6 parser", "//[1:2:3:4:5:6:7::]/", Some("http://[1:2:3:4:5:6:7:0]/")),
            ("3.5 IPv6 parser", "//[::0001]/", Some("http://[::1]/")),
            ("3.5 IPv6 parser", "//[1::2::3]/", None),
            ("3.5 IPv6 parser", "//[1:2:3]/", None),
            ("3.5 IPv6 parser", "//[::12345]/", None),
            ("3.5 IPv6 parser", "//[::1.2.3]/", None),
            ("3.5 IPv6 parser", "//[::1.2.3.256]/", None),
            ("3.5 IPv6 parser", "//[::g]/", None),
            ("3.5 IPv6 parser", "//[fe80::1%25eth0]/", None),
            ("3.5 host parsing", "//[::1]x/", None),
            ("3.5 host parsing", "//::1/", None),
        ],
    ),
    (
        "http://a.example/",
        &[
            ("3.5 IPv4 parser", "//1.2.3.4./", Some("http://1.2.3.4/")),
            ("3.5 IPv4 parser", "//1/", Some("http://0.0.0.1/")),
            ("3.5 IPv4 parser", "//0x/", Some("http://0.0.0.0/")),
            ("3.5 IPv4 parser", "//1.256/", Some("http://1.0.1.0/")),
            ("3.5 IPv4 parser", "//0XFFFFFFFF/", Some("http://255.255.255.255/")),
            ("3.5 IPv4 parser", "//１.２.３.４/", Some("http://1.2.3.4/")),
            ("3.5 IPv4 parser", "//4294967296/", None),
            ("3.5 IPv4 parser", "//1.2.3.4.5/", None),
            ("3.5 IPv4 parser", "//1..2/", None),
            ("3.5 IPv4 parser", "//09/", None),
            ("3.5 ends in a number checker", "//x.1/", None),
            ("3.5 ends in a number checker", "//x.0x1/", None),
            ("3.5 ends in a number checker", "//1.x/", Some("http://1.x/")),
            ("3.5 ends in a number checker", "//x.1a/", Some("http://x.1a/")),
            ("3.3 domain to ASCII", "//faß.example/", Some("http://xn--fa-hia.example/")),
            ("3.3 domain to ASCII", "//ＧＯ.example/", Some("http://go.example/")),
            ("3.3 domain to ASCII", "//a\u{ad}b.example/", Some("http://ab.example/")),
            ("3.3 domain to ASCII", "//☕.example/", Some("http://xn--53h.example/")),
            ("3.3 domain to ASCII", "//xn--4CA.example/", Some("http://xn--4ca.example/")),
            ("3.3 domain to ASCII", "//xn--/", None),
            ("3.3 domain to ASCII", "//\u{ad}/", None),
            ("3.2 forbidden domain code point", "//a<b/", None),
            ("3.2 forbidden domain code point", "//a%20b/", None),
            ("3.2 forbidden domain code point", "//a%b/", None),
            ("3.2 forbidden domain code point", "//a%2Fb/", None),
            ("3.2 forbidden domain code point", "//a^b/", None),
            ("3.2 forbidden domain code point", "//a_b/", Some("http://a_b/")),
            ("3.2 forbidden domain code point", "//a!b/", Some("http://a!b/")),
            ("4.4 host state", "//a\\b", Some("http://a/b")),
            ("4.4 host state", "//a?b", Some("http://a/?b")),
            ("4.4 host state", "//a#b", Some("http://a/")),
            ("4.4 host state", "//:80/", None),
            ("4.4 port state", "//a:65535/", Some("http://a:65535/")),
            ("4.4 port state", "//a:00000000000000080/", Some("http://a/")),
            ("4.4 port state", "//a:-1/", None),
            ("4.4 port state", "//a:８０/", None),
            ("4.4 port state", "//a:8\n0/", Some("http://a/")),
            ("4.4 authority state", "//u:p@", None),
            ("4.4 authority state", "//u:p@/g", None),
            ("4.4 authority state", "//u\\@g/", Some("http://u/@g/")),
            ("4.4 authority state", "//u/@g/", Some("http://u/@g/")),
            ("4.4 authority state", "//%75:%40@g/", Some("http://g/")),
            ("4.4 scheme state", "javascript:void(0)", None),
            ("4.4 scheme state", "mailto:a@b.example", None),
            ("4.4 scheme state", "tel:+1", None),
            ("4.4 scheme state", "data:text/html,x", None),
            ("4.4 scheme state", "ftp://g/", None),
            ("4.4 scheme state", "file:///g", None),
            ("4.4 scheme state", "blob:http://g/x", None),
            ("4.4 scheme state", "HtTpS://G/", Some("https://g/")),
            ("4.4 scheme state", "view-source:http://g/", None),
            ("4.4 scheme start state", "1http://g/", Some("http://a.example/1http://g/")),
            ("4.4 scheme start state", "http//g", Some("http://a.example/http//g")),
            ("4.4 scheme start state", "://g", Some("http://a.example/://g")),
            ("4.4 scheme state", "a b://g", Some("http://a.example/a%20b://g")),
            ("4.4 no scheme state", "localhost:80", None),
            ("4.4 no scheme state", "./localhost:80", Some("http://a.example/localhost:80")),
            ("4.4 path state", "C:/g", None),
            ("4.4 path state", "/C|/g", Some("http://a.example/C|/g")),
            ("4.4 path state", "g%2f..%2fh", Some("http://a.example/g%2f..%2fh")),
            ("4.4 path state", "g/%2E%2E/h", Some("http://a.example/h")),
            ("4.4 path state", "g/..%3b/h", Some("http://a.example/g/..%3b/h")),
            ("4.4 path state", "\u{feff}g", Some("http://a.example/%EF%BB%BFg")),
            ("4.4 path state", "\u{fffd}", Some("http://a.example/%EF%BF%BD")),
            ("4.4 path state", "\u{1f577}", Some("http://a.example/%F0%9F%95%B7")),
            ("4.4 query state", "?#", Some("http://a.example/?")),
            ("4.4 query state", "??", Some("http://a.example/??")),
            ("4.4 query state", "?\u{0}\u{1f}\u{7f}x", Some("http://a.example/?%00%1F%7Fx")),
            ("4.4 query state", "?%\u{a0}", Some("http://a.example/?%%C2%A0")),
            ("4.4 fragment state", "#\u{0}?#x", Some("http://a.example/")),
            ("4.4 fragment state", "g#?x", Some("http://a.example/g")),
        ],
    ),
    (
        "http://a.example/b/c:/d",
        &[
            ("4.1 shorten a URL's path", "..", Some("http://a.example/b/")),
            ("4.1 shorten a URL's path", "../g?c:/..", Some("http://a.example/b/g?c:/..")),
            ("4.1 shorten a URL's path", "../../../g", Some("http://a.example/g")),
            ("4.1 shorten a URL's path", "g", Some("http://a.example/b/c:/g")),
            ("4.1 shorten a URL's path", "/x|/../g", Some("http://a.example/g")),
            ("4.1 shorten a URL's path", "\\x:\\y\\%2E.\\..\\g", Some("http://a.example/g")),
            ("4.1 shorten a URL's path", "/x\t:/../y:/z:/..", Some("http://a.example/y:/")),
            ("4.1 shorten a URL's path", "http://a.example/C:/../é", Some("http://a.example/%C3%A9")),
            ("4.1 shorten a URL's path", "x|/../g", Some("http://a.example/b/c:/g")),
            ("4.1 shorten a URL's path", "http:x:/../g", Some("http://a.example/b/c:/g")),
            ("4.1 shorten a URL's path", "//x:/../g", Some("http://x/g")),
            ("4.1 shorten a URL's path", "/~drive~/x:/g/..", Some("http://a.example/~drive~/x:/")),
        ],
    ),
    (
        "ftp://a.example/b/c",
        &[
            ("4.4 relative state", "g", None),
            ("4.4 relative slash state", "//g/", None),
            ("4.4 special authority slashes state", "http:g", Some("http://g/")),
        ],
    ),
    (
        "mailto:a@b.example",
        &[
            ("4.4 no scheme state", "g", None),
            ("4.4 no scheme state", "#f", None),
            ("4.4 scheme state", "http://g", Some("http://g/")),
        ],
    ),
];

#[test]
fn references_lead_where_they_should_from_bases_of_every_shape() {
    let mut wrong = Vec::new();
    for (base, rows) in JOINS {
        let url = Url::parse(base).unwrap();
        for (section, reference, expected) in *rows {
            let joined = CanonicalUrl::join(&url, reference).map(|url| url.to_string());
            if reference.starts_with("http://a.example/C:") {
                assert_eq!(
                    CanonicalUrl::parse(reference).ok(),
                    CanonicalUrl::join(&url, reference).ok(),
                    "{reference}"
                );
            }
            if joined.as_deref().ok() != *expected {
                wrong.push((base, section, reference, joined));
            }
        }
    }
    assert_eq!(wrong, []);
}
