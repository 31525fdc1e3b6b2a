//! RFC 6265bis, rule by rule.

use super::*;

/// 2026-01-01.
const NOW: Seconds = 1_767_225_600;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// What is sent to `to` after `from` has set these, each from its URL if it begins with one in angle brackets.
fn sent(from: &str, lines: &[&str], to: &str) -> String {
    let jar = Jar::default();
    for line in lines {
        let (from, line) = line.strip_prefix('<').and_then(|line| line.split_once("> ")).unwrap_or((from, line));
        jar.set(&url(from), line.as_bytes(), NOW);
    }
    line(&jar, to)
}

fn line(jar: &Jar, to: &str) -> String {
    let mut headers = HeaderMap::new();
    add(Some(jar), &url(to), &mut headers, NOW);
    headers.get(COOKIE).map_or_else(String::new, |line| String::from_utf8_lossy(line.as_bytes()).into_owned())
}

fn check(cases: &[(&str, &str, &[&str], &str, &str)]) {
    for (section, from, lines, to, expected) in cases {
        assert_eq!(sent(from, lines, to), *expected, "section {section}: {lines:?} from {from} to {to}");
    }
}

const A: &str = "http://a.test/";
const S: &str = "https://a.test/";
const WWW: &str = "http://www.a.test/";

#[test]
fn a_line_is_split_into_name_value_and_attributes() {
    check(&[
        ("5.6", A, &["a=b"], A, "a=b"),
        ("5.6", A, &["  a \t=  b  ; Path=/"], A, "a=b"),
        ("5.6", A, &["a=b=c=d"], A, "a=b=c=d"),
        ("5.6", A, &["a="], A, "a="),
        ("5.6", A, &["b"], A, "b"),
        ("5.6", A, &["=b"], A, "b"),
        ("5.6", A, &["=b=c"], A, "b=c"),
        ("5.6", A, &["a=\"b c\""], A, "a=\"b c\""),
        ("5.6", A, &["a=\"b;c\""], A, "a=\"b"),
        ("5.6", A, &["a=b, c=d"], A, "a=b, c=d"),
        ("5.6", A, &["a=b;;;Path=/;"], A, "a=b"),
        ("5.6", A, &["a=b; Unknown=x; y"], A, "a=b"),
        ("5.6", A, &["ä=ö"], A, "ä=ö"),
        ("5.6", A, &["a{}[]=b\\c"], A, "a{}[]=b\\c"),
        ("5.6", A, &["A=1", "a=2"], A, "A=1; a=2"),
        ("5.6 step 1", A, &["a=b\u{0}c"], A, ""),
        ("5.6 step 1", A, &["a=b\nc"], A, ""),
        ("5.6 step 1", A, &["a=b\rc"], A, ""),
        ("5.6 step 1", A, &["a=b\u{1f}"], A, ""),
        ("5.6 step 1", A, &["a=b\u{7f}"], A, ""),
        ("5.6 step 1", A, &["a=b; Path=/\u{1}"], A, ""),
        ("5.6 step 1", A, &["a=b\tc"], A, "a=b\tc"),
        ("5.7 step 1", A, &[""], A, ""),
        ("5.7 step 1", A, &["="], A, ""),
        ("5.7 step 1", A, &[" ; Path=/"], A, ""),
        ("5.7", A, &["a=1", "a=2"], A, "a=2"),
        ("5.7", A, &["1", "2"], A, "2"),
    ]);
}

#[test]
fn a_cookie_that_is_too_large_is_ignored() {
    let fits = format!("a={}", "x".repeat(MAX - 1));
    assert_eq!(sent(A, &[&fits], A), fits);
    for large in [format!("a={}", "x".repeat(MAX)), format!("{}=x", "a".repeat(MAX)), "x".repeat(MAX + 1)] {
        assert_eq!(sent(A, &[&large], A), "", "5.6 step 5");
    }
    let long = format!("a=1; Path=/{}", "x".repeat(1024));
    assert_eq!(sent(A, &[&long], A), "a=1", "5.6: an attribute that is too long is passed over");
    let long = format!("a=1; Domain={}a.test", ".".repeat(1024));
    assert_eq!(sent(A, &[&long], WWW), "", "5.6");
}

const MAX: usize = cookie::MAX_PAIR;

#[test]
fn the_last_max_age_goes_before_the_last_expires() {
    let (past, future) = ("Expires=Wed, 01 Jan 2020 00:00:00 GMT", "Expires=Fri, 01 Jan 2027 00:00:00 GMT");
    let case = |attributes: &str, kept: bool| {
        let line = format!("a=1; {attributes}");
        assert_eq!(sent(A, &[&line], A), if kept { "a=1" } else { "" }, "{attributes}");
    };
    // Section 5.6.2: digits, with or without a minus.
    case("Max-Age=1", true);
    case("Max-Age=0", false);
    case("Max-Age=-1", false);
    case("Max-Age=-0", false);
    case("Max-Age=00001", true);
    case("max-age=99999999999999999999999", true);
    case("Max-Age=-99999999999999999999999", false);
    for ignored in ["Max-Age=", "Max-Age", "Max-Age=+1", "Max-Age=1.5", "Max-Age=0x", "Max-Age=-", "Max-Age=\"0\""] {
        case(ignored, true);
    }
    // Section 5.6.1.
    case(past, false);
    case(future, true);
    case("Expires=nonsense", true);
    case("expires=", true);
    // Section 5.7, step 4.
    case(&format!("Max-Age=1; {past}"), true);
    case(&format!("{future}; Max-Age=0"), false);
    case("Max-Age=0; Max-Age=1", true);
    case("Max-Age=1; Max-Age=0", false);
    case(&format!("{past}; {future}"), true);
    case(&format!("{future}; {past}"), false);
    case("Max-Age=0; Max-Age=x", false);
    case(&format!("{past}; Expires=x"), false);
}

#[test]
fn a_cookie_ends_at_its_time_and_after_400_days_at_the_latest() {
    let at = |line: &[u8]| SetCookie::parse(line, NOW).unwrap().expires;
    let days = |days: Seconds| Some(NOW + days * 24 * 3600);
    assert_eq!(at(b"a=1"), None);
    assert_eq!(at(b"a=1; Max-Age=86400"), days(1));
    assert_eq!(at(b"a=1; Max-Age=34560001"), days(400), "5.5");
    assert_eq!(at(b"a=1; Expires=Sat, 01 Jan 2050 00:00:00 GMT"), days(400), "5.5");
    let jar = Jar::default();
    jar.set(&url(A), b"a=1; Max-Age=10", NOW);
    assert_eq!((jar.cookies(&url(A), NOW + 9).len(), jar.cookies(&url(A), NOW + 10).len()), (1, 0));
    check(&[
        ("5.7 step 23", A, &["a=1", "b=1", "a=; Max-Age=0"], A, "b=1"),
        ("5.7 step 23", A, &["a=1; Path=/x", "a=; Max-Age=0"], "http://a.test/x", "a=1"),
        ("5.7 step 23", A, &["a=1", "a=; Max-Age=0; Domain=a.test"], A, "a=1"),
    ]);
}

#[test]
fn dates_are_read_in_any_order_and_form() {
    let expected = Some(784_111_777);
    for text in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "06 Nov 1994 08:49:37",
        "1994 Nov 6 8:49:37",
        "08:49:37 6 nov 94",
        "6/NOVEMBER/1994;8:49:37",
        "08:49:37x 6th Novem 1994AD",
        "Nov 6 1994 08:49:37 PST+0200",
        "6,Nov,1994,08:49:37,7,Dec,1995,09:50:38",
    ] {
        assert_eq!(cookie::date(text.as_bytes()), expected, "5.1.1: {text}");
    }
    // What servers write that mean "for ever", and the end of the last day there is.
    assert_eq!(cookie::date(b"Fri, 31 Dec 9999 23:59:59 GMT"), Some(253_402_300_799));
    for (text, year) in [("70", 1970), ("99", 1999), ("00", 2000), ("69", 2069), ("1601", 1601)] {
        let day = civil_day(year);
        assert_eq!(cookie::date(format!("1 Jan {text} 00:00:00").as_bytes()), Some(day), "5.1.1: {text}");
    }
    for text in [
        "",
        "6 Nov 1994",
        "Nov 1994 08:49:37",
        "6 1994 08:49:37",
        "6 Nov 08:49:37",
        "0 Nov 1994 08:49:37",
        "32 Nov 1994 08:49:37",
        "31 Feb 1994 08:49:37",
        "29 Feb 1995 08:49:37",
        "6 Nov 1600 08:49:37",
        "6 Nov 1994 24:00:00",
        "6 Nov 1994 08:60:37",
        "6 Nov 1994 08:49:60",
        "6 Nov 1994 08:49",
        "6 Nov 1994 008:49:37",
        "6 Nov 1994 08:49:371",
        "6 No 1994 08:49:37",
        "6 Nov 19945 08:49:37",
        "006 Nov 1994 08:49:37",
        "6 Nov 4 08:49:37",
    ] {
        assert_eq!(cookie::date(text.as_bytes()), None, "5.1.1: {text}");
    }
}

fn civil_day(year: i16) -> Seconds {
    jiff::civil::date(year, 1, 1).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second()
}

#[test]
fn a_domain_is_the_hosts_own_or_one_above_it() {
    check(&[
        ("5.7 step 9", WWW, &["a=1"], WWW, "a=1"),
        ("5.7 step 9", WWW, &["a=1"], "http://x.www.a.test/", ""),
        ("5.7 step 9", WWW, &["a=1"], A, ""),
        ("5.7 step 9", WWW, &["a=1; Domain=a.test"], A, "a=1"),
        ("5.7 step 9", WWW, &["a=1; Domain=a.test"], "http://x.y.a.test/", "a=1"),
        ("5.6.3", WWW, &["a=1; Domain=.a.test"], A, "a=1"),
        ("5.6.3", WWW, &["a=1; Domain=..a.test"], A, ""),
        ("5.6.3", WWW, &["a=1; Domain=."], WWW, ""),
        ("5.6.3", WWW, &["a=1; Domain=.; Domain=a.test"], A, "a=1"),
        ("5.6.3", WWW, &["a=1; Domain=b.test; Domain="], WWW, "a=1"),
        ("5.6.3", WWW, &["a=1; Domain=a.test", "a=2; Domain=a.test; Domain="], WWW, "a=1; a=2"),
        ("5.6.3", WWW, &["a=1; Domain=A.TEST"], A, "a=1"),
        ("5.6.3", WWW, &["a=1; domain=  a.test "], A, "a=1"),
        ("5.6.3", WWW, &["a=1; Domain="], WWW, "a=1"),
        ("5.6.3", WWW, &["a=1; Domain="], "http://x.www.a.test/", ""),
        ("5.7 step 9", WWW, &["a=1; Domain=www.a.test"], "http://x.www.a.test/", "a=1"),
        ("5.7 step 9", WWW, &["a=1; Domain=x.www.a.test"], WWW, ""),
        ("5.7 step 9", WWW, &["a=1; Domain=b.test"], WWW, ""),
        ("5.1.3", "http://aa.test/", &["a=1; Domain=a.test"], "http://aa.test/", ""),
        ("5.1.3", A, &["a=1; Domain=a.test"], "http://aa.test/", ""),
        ("5.7 step 9", WWW, &["a=1; Domain=a.test."], WWW, ""),
        ("5.7 step 5", WWW, &["a=1; Domain=ä.test"], WWW, ""),
        ("5.7 step 9", WWW, &["a=1; Domain=b.test; Domain=a.test"], A, "a=1"),
        ("5.7 step 9", WWW, &["a=1; Domain=a.test; Domain=b.test"], A, ""),
        ("5.7 step 9", WWW, &["a=1; Domain=a.test; Domain="], A, ""),
        ("5.1.3", "http://127.0.0.1/", &["a=1; Domain=127.0.0.1"], "http://127.0.0.1/", "a=1"),
        ("5.1.3", "http://127.0.0.1/", &["a=1; Domain=0.0.1"], "http://127.0.0.1/", ""),
        ("5.1.3", "http://[::1]/", &["a=1"], "http://[::1]/", "a=1"),
        ("5.7 step 8", WWW, &["a=1; Domain=test"], WWW, ""),
        ("5.7 step 8", "http://a.co.uk/", &["a=1; Domain=co.uk"], "http://a.co.uk/", ""),
        ("5.7 step 8", "http://a.github.io/", &["a=1; Domain=github.io"], "http://b.github.io/", ""),
        ("5.7 step 8", "http://github.io/", &["a=1; Domain=github.io"], "http://github.io/", "a=1"),
        ("5.7 step 8", "http://github.io/", &["a=1; Domain=github.io"], "http://b.github.io/", ""),
        ("5.7 step 8", "http://localhost/", &["a=1; Domain=localhost"], "http://localhost/", "a=1"),
        ("8.5", "http://a.test:81/", &["a=1"], "http://a.test:8080/", "a=1"),
        ("8.6", A, &["a=1"], S, "a=1"),
    ]);
}

#[test]
fn a_path_covers_itself_and_what_is_below_it() {
    let at = |path: &str| format!("http://a.test{path}");
    for (section, from, attribute, to, is_sent) in [
        ("5.1.4", "/", "", "/x/y", true),
        ("5.1.4", "/x", "", "/", true),
        ("5.1.4", "/x/", "", "/x", true),
        ("5.1.4", "/x/y", "", "/x", true),
        ("5.1.4", "/x/y", "", "/x/z", true),
        ("5.1.4", "/x/y", "", "/", false),
        ("5.1.4", "/x/y/z", "", "/x/z", false),
        ("5.1.4", "/x/y?/z/", "", "/x/z", true),
        ("5.1.4", "/", "Path=/x", "/x", true),
        ("5.1.4", "/", "Path=/x", "/x/", true),
        ("5.1.4", "/", "Path=/x", "/x/y", true),
        ("5.1.4", "/", "Path=/x", "/x?y", true),
        ("5.1.4", "/", "Path=/x", "/xy", false),
        ("5.1.4", "/", "Path=/x", "/X", false),
        ("5.1.4", "/", "Path=/x/", "/x/y", true),
        ("5.1.4", "/", "Path=/x/", "/x", false),
        ("5.1.4", "/", "Path=/%78", "/x", false),
        ("5.6.4", "/x/y", "Path=", "/x/z", true),
        ("5.6.4", "/x/y", "Path=", "/", false),
        ("5.6.4", "/x/y", "Path", "/x/z", true),
        ("5.6.4", "/x/y", "Path=z", "/x/z", true),
        ("5.6.4", "/x/y", "Path=z", "/z", false),
        ("5.6.4", "/x/y", "Path=\"/\"", "/", false),
        ("5.6.4", "/x/y", "path=/", "/", true),
        ("5.7 step 10", "/", "Path=/x; Path=/y", "/y", true),
        ("5.7 step 10", "/", "Path=/x; Path=/y", "/x", false),
        ("5.7 step 10", "/x/y", "Path=/z; Path=", "/x/y", true),
    ] {
        let line = format!("a=1; {attribute}");
        let expected = if is_sent { "a=1" } else { "" };
        assert_eq!(sent(&at(from), &[&line], &at(to)), expected, "section {section}: {from} {attribute} {to}");
    }
}

#[test]
fn secure_cookies_come_from_and_go_to_https_alone() {
    check(&[
        ("5.7 step 12", S, &["a=1; Secure"], S, "a=1"),
        ("5.8.3", S, &["a=1; Secure"], A, ""),
        ("5.7 step 12", A, &["a=1; Secure"], S, ""),
        ("5.6.5", S, &["a=1; SECURE=no"], A, ""),
        ("5.7 step 14", A, &["<https://a.test/> a=1; Secure", "a=2"], S, "a=1"),
        ("5.7 step 14", A, &["<https://a.test/> a=1; Secure", "a=2"], A, ""),
        ("5.7 step 14", A, &["<https://a.test/> a=1; Secure", "a=; Max-Age=0"], S, "a=1"),
        ("5.7 step 14", WWW, &["<https://a.test/> a=1; Secure; Domain=a.test", "a=2"], WWW, ""),
        ("5.7 step 14", WWW, &["<https://www.a.test/> a=1; Secure", "a=2; Domain=a.test"], A, ""),
        ("5.7 step 14", A, &["<https://a.test/> a=1; Secure; Path=/x", "a=2; Path=/"], A, "a=2"),
        ("5.7 step 14", A, &["<https://a.test/> a=1; Secure; Path=/", "a=2; Path=/x"], "http://a.test/x", ""),
        ("5.7 step 14", A, &["<https://a.test/> a=1; Secure; Path=/x", "a=2; Path=/xy"], "http://a.test/xy", "a=2"),
        ("5.7 step 14", A, &["<https://a.test/> a=1; Secure", "b=2"], S, "a=1; b=2"),
        ("5.7 step 14", A, &["<https://a.test/> a=1; Secure", "<https://a.test/> a=2"], A, "a=2"),
        ("5.6.6", A, &["a=1; HttpOnly"], A, "a=1"),
        ("5.6.7", A, &["a=1; SameSite=Strict", "b=1; SameSite=None", "c=1; SameSite=x"], A, "a=1; b=1; c=1"),
    ]);
}

#[test]
fn prefixes_of_names_are_promises() {
    check(&[
        ("5.7 step 20", S, &["__Secure-a=1; Secure"], S, "__Secure-a=1"),
        ("5.7 step 20", S, &["__Secure-a=1"], S, ""),
        ("5.7 step 20", A, &["__Secure-a=1; Secure"], S, ""),
        ("5.7 step 20", S, &["__SECURE-a=1"], S, ""),
        ("5.7 step 20", S, &["__Secure-a=1; Secure; Domain=a.test; Path=/x"], "https://w.a.test/x", "__Secure-a=1"),
        ("5.7 step 21", S, &["__Host-a=1; Secure; Path=/"], S, "__Host-a=1"),
        ("5.7 step 21", S, &["__Host-a=1; Path=/"], S, ""),
        ("5.7 step 21", S, &["__Host-a=1; Secure"], S, ""),
        ("5.7 step 21", S, &["__Host-a=1; Secure; Path=/x"], "https://a.test/x", ""),
        ("5.7 step 21", S, &["__Host-a=1; Secure; Path=/; Domain=a.test"], S, ""),
        ("5.7 step 21", S, &["__Host-a=1; Secure; Path=/; Domain="], S, "__Host-a=1"),
        ("5.7 step 21", S, &["__hOsT-a=1; Secure"], S, ""),
        ("5.7 step 22", S, &["=__Host-a=1; Secure; Path=/"], S, ""),
        ("5.7 step 22", S, &["__Secure-a; Secure"], S, ""),
        ("5.7 step 22", S, &["=__secure-a=1"], S, ""),
        ("layered cookies", S, &["__Http-a=1; Secure; HttpOnly"], S, "__Http-a=1"),
        ("layered cookies", S, &["__Http-a=1; Secure"], S, ""),
        ("layered cookies", S, &["__http-a=1; HttpOnly"], S, ""),
        ("layered cookies", S, &["__Host-Http-a=1; Secure; HttpOnly; Path=/"], S, "__Host-Http-a=1"),
        ("layered cookies", S, &["__Host-Http-a=1; Secure; Path=/"], S, ""),
        ("layered cookies", S, &["__Host-Http-a=1; Secure; HttpOnly"], S, ""),
        ("layered cookies", S, &["__Http-a; Secure; HttpOnly"], S, ""),
        ("4.1.3", S, &["__Hosta=1", "_Host-a=1", "a__Host-=1"], S, "__Hosta=1; _Host-a=1; a__Host-=1"),
    ]);
}

#[test]
fn longer_paths_go_first_and_then_what_is_older() {
    check(&[
        ("5.8.3", A, &["a=1", "b=2", "c=3"], A, "a=1; b=2; c=3"),
        ("5.8.3", A, &["a=1", "b=2", "a=3"], A, "a=3; b=2"),
        ("5.8.3", A, &["a=1; Path=/", "b=2; Path=/x", "c=3; Path=/x/y"], "http://a.test/x/y", "c=3; b=2; a=1"),
        ("5.8.3", A, &["a=1; Path=/", "a=2; Path=/x"], "http://a.test/x", "a=2; a=1"),
        ("5.8.3", WWW, &["a=1; Domain=a.test", "a=2"], WWW, "a=1; a=2"),
        ("5.8.3", A, &["b", "a=1"], A, "b; a=1"),
    ]);
}

#[test]
fn the_jar_is_bounded_for_each_domain_and_in_all() {
    let jar = Jar::default();
    jar.set(&url(S), b"kept=1; Secure", NOW);
    for n in 0..2 * MAX_PER_DOMAIN {
        jar.set(&url(A), format!("c{n}=1").as_bytes(), NOW);
    }
    let cookies = jar.cookies(&url(S), NOW);
    assert_eq!(cookies.len(), MAX_PER_DOMAIN);
    assert_eq!((&*cookies[0].name, &*cookies[1].name), (&b"kept"[..], format!("c{}", MAX_PER_DOMAIN + 1).as_bytes()));
    let large = format!("a={}", "x".repeat(4000));
    for n in 0..10_000 {
        jar.set(&url(&format!("http://{n}.test/")), large.as_bytes(), NOW);
    }
    let shelves = jar.0.lock().unwrap();
    let bytes: usize = shelves.by_domain.values().flat_map(|shelf| &shelf.cookies).map(Cookie::size).sum();
    assert!(bytes == shelves.bytes && bytes <= MAX_BYTES && bytes > MAX_BYTES / 2, "{bytes}");
    assert!(shelves.by_domain.contains_key("9999.test") && !shelves.by_domain.contains_key("1.test"));
}

#[test]
fn what_the_user_gives_wins_and_goes_in_the_same_line() {
    let jar = Jar::default();
    for line in ["a=jar", "b=jar", "jar"] {
        jar.set(&url(A), line.as_bytes(), NOW);
    }
    let mut headers = HeaderMap::new();
    for given in ["a=mine; c=mine", "d = mine"] {
        headers.append(COOKIE, HeaderValue::from_static(given));
    }
    add(Some(&jar), &url(A), &mut headers, NOW);
    let lines: Vec<_> = headers.get_all(COOKIE).iter().map(|line| line.to_str().unwrap()).collect();
    assert_eq!(lines, ["a=mine; c=mine; d = mine; b=jar; jar"]);
}

#[test]
fn a_line_is_shown_with_its_name_and_attributes_alone() {
    for (line, shown) in [
        ("a=secret", "a=…"),
        ("a=secret; Path=/; HttpOnly; SameSite=Lax", "a=…; Path=/; HttpOnly; SameSite=Lax"),
        ("secret", "…"),
        ("=secret; Secure", "=…; Secure"),
        ("a=\"sec;ret\"; Max-Age=1", "a=…; …; Max-Age=1"),
        ("a=1; secret=secret; Secure=secret", "a=…; …; Secure"),
        ("", "…"),
    ] {
        assert_eq!(cookie::without_value(line.as_bytes()), shown);
    }
}
