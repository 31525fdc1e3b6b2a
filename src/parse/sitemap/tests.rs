//! What is read of sitemaps, and that no text is too strange.

use std::fmt::Write as _;
use std::io::Write as _;

use super::lastmod::time;
use super::*;

fn xml(text: &str) -> Sitemap {
    parse_xml(&Url::parse("http://example.com/maps/s.xml").unwrap(), text).unwrap()
}

fn urls(sitemap: &Sitemap) -> Vec<&str> {
    sitemap.entries.iter().map(|entry| entry.url.as_str()).collect()
}

fn dates(sitemap: &Sitemap) -> Vec<Option<String>> {
    let date = |at| jiff::Timestamp::from_millisecond(at).unwrap().to_string();
    sitemap.entries.iter().map(|entry| entry.lastmod.map(date)).collect()
}

#[test]
fn entries_are_read_however_their_text_is_written() {
    let sitemap = xml("<?xml version='1.0'?><!-- <url> --><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>
        <url><lastmod>2026-01-02</lastmod><loc>\n http://example.com/?a=1&amp;b=&#50;&#x33; </loc></url>
        <url><loc><![CDATA[http://example.com/c?d&e]]></loc><priority>0.5</priority></url>
        <url><loc>http://example.com/<!-- no -->f?g=1&h=2</loc></url>
        <url><loc>/relative#part</loc></url><url><loc>ftp://example.com/</loc></url><url><loc/></url><url/></urlset>");
    let expected = [
        "http://example.com/?a=1&b=23",
        "http://example.com/c?d&e",
        "http://example.com/f?g=1&h=2",
        "http://example.com/relative",
    ];
    assert_eq!(urls(&sitemap), expected);
    assert_eq!(dates(&sitemap)[..2], [Some("2026-01-02T00:00:00Z".into()), None]);
    assert_eq!((sitemap.unusable, sitemap.is_index, sitemap.cut_short), (3, false, None));
}

#[test]
fn other_vocabularies_within_an_entry_are_none_of_its_pages() {
    let sitemap = xml("<s:urlset xmlns:s='x' xmlns:image='y'><s:url><image:loc>http://example.com/bare.png</image:loc>
        <image:image><image:loc>http://example.com/a.png</image:loc></image:image><s:loc>http://example.com/a</s:loc>
        <s:extra><s:loc>http://example.com/deep</s:loc></s:extra></s:url><loc>http://example.com/b</loc></s:urlset>");
    assert_eq!(urls(&sitemap), ["http://example.com/a"]);
}

#[test]
fn an_index_names_sitemaps() {
    let sitemap = xml(
        "<sitemapindex><sitemap><loc>http://example.com/1.xml.gz</loc><lastmod>2026-01</lastmod></sitemap></sitemapindex>",
    );
    assert!(sitemap.is_index);
    assert_eq!(urls(&sitemap), ["http://example.com/1.xml.gz"]);
}

#[test]
fn feeds_name_the_pages_of_their_items() {
    let rss =
        xml("<rss version='2.0' xmlns:atom='a'><channel><link>http://example.com/home</link><atom:link href='/self'/>
        <item><title>A &nbsp; title</title><link>http://example.com/a</link><atom:link href='/no'/>
        <pubDate>Thu, 01 Jan 2026 10:00:00 +0100</pubDate></item><item><guid>x</guid></item></channel></rss>");
    assert_eq!((urls(&rss), rss.unusable), (vec!["http://example.com/a"], 1));
    assert_eq!(dates(&rss), [Some("2026-01-01T09:00:00Z".into())]);
    let atom = xml("<feed xmlns='http://www.w3.org/2005/Atom'><link href='http://example.com/home'/>
        <entry><link rel='edit' href='/edit'/><link rel='alternate' href='../a?b=1&amp;c=2'/><link href='/second'/>
        <link rel=\"enclosure\" href=\"/e.mp3\"/><updated>2026-01-01T10:00:00.5Z</updated></entry></feed>");
    assert_eq!(urls(&atom), ["http://example.com/a?b=1&c=2"]);
    assert_eq!(dates(&atom), [Some("2026-01-01T10:00:00.5Z".into())]);
}

#[test]
fn times_are_read_in_every_precision_and_nothing_else_is_a_time() {
    let day = 1_767_225_600_000;
    for text in
        ["2026", "2026-01", "2026-01-01", "2026-01-01T00:00Z", "2026-01-01T01:00+01:00", "2026-01-01T00:00:00.000Z"]
    {
        assert_eq!(time(text), Some(day), "{text}");
    }
    for text in ["", "soon", "2026-13-01", "9999999999-01-01", "01.01.2026", "éé", "2026-01-01T25:00Z"] {
        assert_eq!(time(text), None, "{text}");
    }
}

#[test]
fn entities_of_the_document_are_never_resolved() {
    let mut laughs = "<!DOCTYPE urlset [<!ENTITY l0 'http://example.com/lol'>".to_owned();
    for n in 1..10 {
        let _ = write!(laughs, "<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10));
    }
    laughs += "<!ENTITY file SYSTEM 'file:///etc/passwd'>]><urlset><url><loc>&l9;</loc></url>
        <url><loc>http://example.com/&file;/x</loc></url><url><loc>http://example.com/a</loc></url></urlset>";
    let sitemap = xml(&laughs);
    assert_eq!((urls(&sitemap), sitemap.unusable), (vec!["http://example.com/a"], 2));
}

#[test]
fn nesting_is_bounded_and_what_stood_before_counts() {
    let first = "<url><loc>http://example.com/a</loc></url>";
    let sitemap = xml(&format!("<urlset>{first}{}", "<url>".repeat(1 << 20)));
    assert_eq!(urls(&sitemap), ["http://example.com/a"]);
    assert!(sitemap.cut_short.unwrap().contains("nested"));
}

#[test]
fn what_is_broken_is_read_as_far_as_it_goes() {
    let first = "<urlset><url><loc>http://example.com/a</loc></url>";
    for rest in ["", "<url><loc>http://example.com/b", "</url></urlset>", "<url <", "<![CDATA[", "<!-- "] {
        let sitemap = xml(&format!("{first}{rest}"));
        assert_eq!(urls(&sitemap), ["http://example.com/a"], "{rest}");
        assert!(sitemap.cut_short.is_some(), "{rest}");
    }
    let long = format!("<urlset><url><loc>http://example.com/{}</loc></url></urlset>", "x".repeat(1 << 20));
    assert_eq!(xml(&long).unusable, 1);
}

#[test]
fn fifty_thousand_entries_are_taken_and_not_one_more() {
    let entries = |count| (0..count).map(|n| format!("<url><loc>/{n}</loc></url>")).collect::<String>();
    let whole = xml(&format!("<urlset>{}</urlset>", entries(MAX_ENTRIES)));
    assert_eq!((whole.entries.len(), whole.cut_short), (MAX_ENTRIES, None));
    let more = xml(&format!("<urlset>{}</urlset>", entries(MAX_ENTRIES + 1)));
    assert_eq!(more.entries.len(), MAX_ENTRIES);
    assert!(more.cut_short.unwrap().contains("50000"));
    let lines = (0..60_000).map(|n| format!("http://example.com/{n}\r\n")).collect::<String>();
    let lines = parse_lines(&lines).unwrap();
    assert_eq!((lines.entries.len(), lines.cut_short.is_some()), (MAX_ENTRIES, true));
}

#[test]
fn other_documents_are_no_sitemaps() {
    let base = Url::parse("http://example.com/").unwrap();
    for text in ["", "<html><urlset>", "<!DOCTYPE html><p>x", "<", "<x:html xmlns:x='y'/>", "<?xml version='1.0'?>"] {
        assert_eq!(parse_xml(&base, text), None, "{text}");
    }
    assert_eq!(parse_lines("Not found\nwww.example.com/x\n/y"), None);
}

#[test]
fn packed_files_are_told_by_their_first_bytes_and_bounded() {
    let gzip = |size: usize| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        (0..size >> 20).for_each(|_| encoder.write_all(&[0; 1 << 20]).unwrap());
        encoder.write_all(b"end").unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(unpack(b"<urlset/>").unwrap(), &b"<urlset/>"[..]);
    assert_eq!(unpack(&gzip(0)).unwrap(), &b"end"[..]);
    // 1 GiB of zeros, in a megabyte.
    assert!(matches!(unpack(&gzip(64 << 20).repeat(16)), Err(UnpackError::TooLarge)));
    assert!(matches!(unpack(&gzip(1 << 20)[..500]), Err(UnpackError::Broken(_))));
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange(parts in proptest::collection::vec(proptest::sample::select(vec![
        "<urlset>", "</urlset>", "<url>", "</url>", "<loc>", "</loc>", "<feed>", "<entry>", "<link href='/a'/>", "&",
        "&amp;", "&x;", "&#0;", "&#x110000;", "<![CDATA[", "]]>", "<!--", "-->", "<!DOCTYPE a [", "]>", "<?", "?>",
        "http://h/", "\u{0}", "é", "<", ">", "'", "<a b=c b=c d>", "<:>", "<x:loc>",
    ]), 0..60)) {
        let base = Url::parse("http://example.com/").unwrap();
        let text = parts.concat();
        for root in ["", "<urlset>", "<rss><channel><item>", "<feed><entry>"] {
            let sitemap = parse_xml(&base, &format!("{root}{text}")).unwrap_or_default();
            assert!(sitemap.entries.len() <= parts.len());
        }
        let _ = parse_lines(&text);
    }
}
