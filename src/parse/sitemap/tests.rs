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
fn names_in_capitals_and_urls_outside_of_entries_are_read_too() {
    let sitemap =
        xml("<URLSET><URL><LOC>/a</LOC><LastMod>2026-01-02</LastMod></URL><Loc>/b</Loc><lastmod>2026</lastmod>
        <loc/><other><loc>/no</loc></other><Url><loc>/c</loc></Url></URLSET>");
    assert_eq!(urls(&sitemap), ["http://example.com/a", "http://example.com/b", "http://example.com/c"]);
    assert_eq!((dates(&sitemap)[0].is_some(), &dates(&sitemap)[1..], sitemap.unusable), (true, &[None, None][..], 1));
    let index = xml("<SiteMapIndex><loc>/1.xml</loc><sitemap><loc>/2.xml</loc></sitemap></SiteMapIndex>");
    assert!(index.is_index);
    assert_eq!(urls(&index), ["http://example.com/1.xml", "http://example.com/2.xml"]);
    let feeds = [
        "<RSS><Channel><link>/no</link><Item><Link>/a</Link></Item></Channel></RSS>",
        "<Feed><link href='/no'/><Entry><Link href='/a'/></Entry></Feed>",
    ];
    for feed in feeds {
        assert_eq!(urls(&xml(feed)), ["http://example.com/a"], "{feed}");
    }
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
    let based = xml(
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='/blog/'><entry xml:base='2026/?a&amp;b'><link href='a'/>
        </entry><entry><link href='b'/></entry><entry xml:base='http://['><link href='/c'/></entry></feed>",
    );
    let expected = ["http://example.com/blog/2026/a", "http://example.com/blog/b", "http://example.com/c"];
    assert_eq!(urls(&based), expected);
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
    let sitemap = xml(&format!("<urlset>{first}{}", "<x>".repeat(1 << 20)));
    assert_eq!(urls(&sitemap), ["http://example.com/a"]);
    assert!(sitemap.cut_short.unwrap().contains("nested"));
}

#[test]
fn what_is_broken_is_read_as_far_as_it_goes() {
    let first = "<urlset><url><loc>http://example.com/a</loc></url>";
    for rest in ["", "<url><loc>http://example.com/b", "<url <", "<![CDATA[", "<!-- "] {
        let sitemap = xml(&format!("{first}{rest}"));
        assert_eq!(urls(&sitemap), ["http://example.com/a"], "{rest}");
        assert!(sitemap.cut_short.is_some(), "{rest}");
    }
    let long = format!("<urlset><url><loc>http://example.com/{}</loc></url></urlset>", "x".repeat(1 << 20));
    assert_eq!(xml(&long).unusable, 1);
}

#[test]
fn a_missing_or_needless_tag_costs_no_entry_after_it() {
    for entries in [
        "<url><loc>/a</loc></url><url><loc>/b</url><url><loc>/c</loc></url>",
        "<url><loc>/a</loc><url><loc>/b</loc></url><url><loc>/c",
        "<url><loc>/a</loc></url></url><url><lastmod>x</loc><loc>/b</loc></url></x><url><loc>/c</loc></url>",
        "<url><loc>/a</loc><image:image xmlns:image='i'><image:url>x</url><url><loc>/b</loc></url><url><loc>/c</loc></url>",
    ] {
        let sitemap = xml(&format!("<urlset>{entries}</urlset>"));
        assert_eq!(urls(&sitemap), ["/a", "/b", "/c"].map(|path| format!("http://example.com{path}")), "{entries}");
        assert_eq!((sitemap.unusable, sitemap.cut_short), (0, None), "{entries}");
    }
}

#[test]
fn what_a_program_prints_before_a_sitemap_is_passed_over() {
    let base = Url::parse("http://example.com/").unwrap();
    let sitemap = "<?xml version='1.0'?><urlset><url><loc>/a</loc></url></urlset>";
    for noise in ["Warning: x in y.php\n\n", "<br />\n<b>Notice</b>: x<br />\n"] {
        let body = format!("{noise}{sitemap}");
        let (read_of, _) = read(&base, body.as_bytes(), None, true).unwrap().unwrap();
        assert_eq!(urls(&read_of), ["http://example.com/a"], "{noise}");
        assert_eq!(read(&base, body.as_bytes(), None, false).unwrap(), None, "another page that quotes one is none");
    }
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
    assert_eq!(*unpack(b"<urlset/>").unwrap().bytes, b"<urlset/>"[..]);
    assert_eq!(*unpack(&gzip(0)).unwrap().bytes, b"end"[..]);
    // 1 GiB of zeros, in a megabyte.
    assert!(matches!(unpack(&gzip(64 << 20).repeat(16)), Err(UnpackError::TooLarge)));
    assert!(matches!(unpack(&gzip(1 << 20)[..5]), Err(UnpackError::Broken(_))));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn packed_files_are_read_as_far_as_they_go() {
    let base = Url::parse("http://example.com/").unwrap();
    let entries: String = (0..2_000).map(|n| format!("<url><loc>/{n}/{:x}</loc></url>", n * 7_919 % 65_537)).collect();
    let whole = format!("<urlset>{entries}</urlset>");
    let lines: String = (0..2_000).map(|n| format!("http://example.com/{n}/{:x}\n", n * 7_919 % 65_537)).collect();
    let (start, end) = whole.as_bytes().split_at(9_000);
    let packed = gzip(whole.as_bytes());
    let behind = |bytes: &[u8]| [&packed, bytes].concat();
    let mut wrong_sum = packed.clone();
    *wrong_sum.iter_mut().nth_back(6).unwrap() ^= 1;
    for (name, body, is_cut) in [
        ("whole", packed.clone(), false),
        ("members", [gzip(start), gzip(end)].concat(), false),
        ("twice", gzip(&packed), false),
        ("a comment behind", behind(b"\n<!-- cached -->"), false),
        ("zeros behind", behind(&[0; 512]), false),
        ("twice, a comment behind", gzip(&behind(b"x")), false),
        ("no check sum", packed[..packed.len() - 8].to_vec(), true),
        ("wrong check sum", wrong_sum, true),
        ("broken second member", behind(&[0x1f, 0x8b, 8, 0]), true),
    ] {
        let (sitemap, _) = read(&base, &body, None, true).unwrap().unwrap();
        assert_eq!((sitemap.entries.len(), sitemap.cut_short.is_some()), (2_000, is_cut), "{name}");
    }
    for body in [packed[..packed.len() / 2].to_vec(), gzip(lines.as_bytes())[..6_000].to_vec()] {
        let (sitemap, _) = read(&base, &body, None, true).unwrap().unwrap();
        let count = sitemap.entries.len();
        assert!((10..2_000).contains(&count) && sitemap.cut_short.is_some(), "{count}");
        let last = format!("http://example.com/{}/{:x}", count - 1, (count - 1) * 7_919 % 65_537);
        assert_eq!(sitemap.entries[count - 1].url.as_str(), last, "no half of a URL");
    }
}

#[test]
fn rss_in_rdf_keeps_its_items_beside_the_channel() {
    let rdf = "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'";
    let dc = "xmlns:dc='http://purl.org/dc/elements/1.1/'";
    let one = xml(&format!(
        "<?xml version='1.0'?><rdf:RDF {rdf} xmlns='http://purl.org/rss/1.0/' {dc}>
        <channel rdf:about='/c'><link>http://example.com/</link><items><rdf:Seq><rdf:li resource='/li'/></rdf:Seq></items>
        </channel><item rdf:about='/a'><title>A</title><link>http://example.com/a</link>
        <dc:date>2026-01-02T03:04:05Z</dc:date></item><item><link>/b</link></item></rdf:RDF>"
    ));
    assert_eq!(urls(&one), ["http://example.com/a", "http://example.com/b"]);
    assert_eq!(dates(&one), [Some("2026-01-02T03:04:05Z".into()), None]);
    let prefixed = xml(
        "<RDF xmlns='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:r='http://my.netscape.com/rdf/simple/0.9/'>
        <item><link>/no</link></item><r:item><r:link>/a</r:link></r:item></RDF>",
    );
    assert_eq!(urls(&prefixed), ["http://example.com/a"]);
}

#[test]
fn an_item_without_a_link_is_known_by_its_guid() {
    let rss = xml("<rss><channel><item><guid>http://example.com/a</guid></item>
        <item><guid isPermaLink='false'>http://example.com/no</guid></item><item><guid>tag:1</guid></item>
        <item><guid>http://example.com/no</guid><link>/b</link></item>
        <item><link>/c</link><guid>http://example.com/no</guid></item></channel></rss>");
    assert_eq!(urls(&rss), ["/a", "/b", "/c"].map(|path| format!("http://example.com{path}")));
    assert_eq!(rss.unusable, 2);
}

#[test]
fn a_json_feed_names_the_pages_of_its_items() {
    let base = Url::parse("http://example.com/feed.json").unwrap();
    let feed = r#"{"version": "https://jsonfeed.org/version/1.1", "home_page_url": "http://example.com/", "items": [
        {"id": "1", "url": "/a", "date_published": "2026-01-02T03:04:05Z", "attachments": [{"url": "/no"}]},
        {"id": "2", "url": "/b", "date_modified": "2026-01-03"}, {"id": "3", "url": 7}], "expired": true}"#;
    let sitemap = parse_json(&base, feed).unwrap();
    assert_eq!(urls(&sitemap), ["http://example.com/a", "http://example.com/b"]);
    assert_eq!(dates(&sitemap), ["2026-01-02T03:04:05Z", "2026-01-03T00:00:00Z"].map(|date| Some(date.into())));
    assert_eq!((sitemap.unusable, &sitemap.cut_short), (1, &None));
    let cut = parse_json(&base, &feed[..feed.find("\"3\"").unwrap()]).unwrap();
    assert_eq!((cut.entries.len(), cut.cut_short.is_some()), (2, true));
    assert_eq!(parse_json(&base, r#"{"items": [{"url": "/a"}]}"#), None);
    assert_eq!(parse_json(&base, "{{"), None);
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
