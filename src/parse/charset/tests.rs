//! Every place where an encoding can be declared, and which of two counts.

use super::*;

/// Encoding standard, 4.2, "names and labels".
const LABELS: &[(&str, &str)] = &[
    ("Big5", "big5 csbig5 cn-big5 x-x-big5 big5-hkscs"),
    ("EUC-JP", "euc-jp x-euc-jp cseucpkdfmtjapanese"),
    (
        "EUC-KR",
        "korean euc-kr ksc5601 cseuckr ksc_5601 iso-ir-149 windows-949 csksc56011987 ks_c_5601-1987 \
         ks_c_5601-1989",
    ),
    ("gb18030", "gb18030"),
    ("GBK", "gbk x-gbk gb2312 gb_2312 chinese csgb2312 iso-ir-58 gb_2312-80 csiso58gb231280"),
    ("IBM866", "866 cp866 ibm866 csibm866"),
    ("ISO-2022-JP", "iso-2022-jp csiso2022jp"),
    ("ISO-8859-10", "l6 latin6 iso885910 iso8859-10 iso-ir-157 iso-8859-10 csisolatin6"),
    ("ISO-8859-13", "iso885913 iso8859-13 iso-8859-13"),
    ("ISO-8859-14", "iso885914 iso8859-14 iso-8859-14"),
    ("ISO-8859-15", "l9 iso885915 iso8859-15 iso-8859-15 iso_8859-15 csisolatin9"),
    ("ISO-8859-16", "iso-8859-16"),
    ("ISO-8859-2", "l2 latin2 iso88592 iso8859-2 iso-ir-101 iso-8859-2 iso_8859-2 csisolatin2 iso_8859-2:1987"),
    ("ISO-8859-3", "l3 latin3 iso88593 iso8859-3 iso-8859-3 iso_8859-3 iso-ir-109 csisolatin3 iso_8859-3:1988"),
    ("ISO-8859-4", "l4 latin4 iso88594 iso8859-4 iso-ir-110 iso-8859-4 iso_8859-4 csisolatin4 iso_8859-4:1988"),
    ("ISO-8859-5", "iso88595 cyrillic iso8859-5 iso-ir-144 iso-8859-5 iso_8859-5 iso_8859-5:1988 csisolatincyrillic"),
    (
        "ISO-8859-6",
        "arabic ecma-114 iso88596 asmo-708 iso8859-6 iso-8859-6 iso_8859-6 iso-ir-127 csiso88596e csiso88596i \
         iso-8859-6-e iso-8859-6-i iso_8859-6:1987 csisolatinarabic",
    ),
    (
        "ISO-8859-7",
        "greek greek8 iso88597 ecma-118 elot_928 iso8859-7 iso-ir-126 iso-8859-7 iso_8859-7 sun_eu_greek \
         iso_8859-7:1987 csisolatingreek",
    ),
    (
        "ISO-8859-8",
        "visual hebrew iso88598 iso8859-8 iso-8859-8 iso_8859-8 iso-ir-138 csiso88598e iso-8859-8-e \
         iso_8859-8:1988 csisolatinhebrew",
    ),
    ("ISO-8859-8-I", "logical csiso88598i iso-8859-8-i"),
    ("KOI8-R", "koi koi8 koi8-r koi8_r cskoi8r"),
    ("KOI8-U", "koi8-u koi8-ru"),
    ("macintosh", "mac macintosh csmacintosh x-mac-roman"),
    ("replacement", "hz-gb-2312 iso-2022-cn iso-2022-kr csiso2022kr replacement iso-2022-cn-ext"),
    ("Shift_JIS", "sjis ms932 x-sjis ms_kanji shift-jis shift_jis csshiftjis windows-31j"),
    ("UTF-16BE", "utf-16be unicodefffe"),
    ("UTF-16LE", "ucs-2 utf-16 unicode utf-16le csunicode unicodefeff iso-10646-ucs-2"),
    ("UTF-8", "utf8 utf-8 unicode20utf8 unicode11utf8 x-unicode20utf8 unicode-1-1-utf-8"),
    ("windows-1250", "cp1250 x-cp1250 windows-1250"),
    ("windows-1251", "cp1251 x-cp1251 windows-1251"),
    (
        "windows-1252",
        "l1 cp819 ascii latin1 cp1252 ibm819 iso88591 x-cp1252 us-ascii iso8859-1 iso-ir-100 iso-8859-1 \
         iso_8859-1 csisolatin1 windows-1252 ansi_x3.4-1968 iso_8859-1:1987",
    ),
    ("windows-1253", "cp1253 x-cp1253 windows-1253"),
    (
        "windows-1254",
        "l5 cp1254 latin5 x-cp1254 iso88599 iso8859-9 iso-ir-148 iso-8859-9 iso_8859-9 csisolatin5 \
         windows-1254 iso_8859-9:1989",
    ),
    ("windows-1255", "cp1255 x-cp1255 windows-1255"),
    ("windows-1256", "cp1256 x-cp1256 windows-1256"),
    ("windows-1257", "cp1257 x-cp1257 windows-1257"),
    ("windows-1258", "cp1258 x-cp1258 windows-1258"),
    ("windows-874", "tis-620 dos-874 iso885911 iso8859-11 iso-8859-11 windows-874"),
    ("x-mac-cyrillic", "x-mac-cyrillic x-mac-ukrainian"),
    ("x-user-defined", "x-user-defined"),
];

fn name(body: &[u8], label: Option<&str>) -> &'static str {
    decode(body, label, Declares::Html).1.name()
}

#[test]
fn a_byte_order_mark_wins_over_every_label() {
    let (text, encoding) = decode(b"\xef\xbb\xbfh\xc3\xa9", Some("windows-1251"), Declares::Html);
    assert_eq!((text.as_ref(), encoding.name()), ("h\u{e9}", "UTF-8"));
}

#[test]
fn the_http_label_wins_over_meta_and_uses_whatwg_names() {
    assert_eq!(name(b"<meta charset=utf-8>", Some("latin1")), "windows-1252");
}

#[test]
fn meta_is_found_quoted_unquoted_and_in_content_but_not_in_comments() {
    assert_eq!(name(b"<META CHARSET='Shift_JIS'>", None), "Shift_JIS");
    let equiv = b"<meta http-equiv=content-type content='text/html; charset=windows-1251'>";
    assert_eq!(name(equiv, None), "windows-1251");
    assert_eq!(name(b"<!-- <meta charset=koi8-r> --><meta charset=koi8-u>", None), "KOI8-U");
    assert_eq!(name(b"<meta charset=utf-16le>", None), "UTF-8");
    assert_eq!(name(b"<meta content='charset=none'><meta charset=koi8-u>", None), "KOI8-U");
}

#[test]
fn an_xml_declaration_counts() {
    assert_eq!(decode(b"<?xml version='1.0' encoding='ISO-8859-2'?><a/>", None, Declares::Xml).1.name(), "ISO-8859-2");
}

#[test]
fn without_a_label_the_bytes_decide() {
    assert_eq!(name("h\u{e9}llo".as_bytes(), None), "UTF-8");
    let (cyrillic, _, _) = encoding_rs::WINDOWS_1251.encode("Привет, это довольно длинный текст на русском языке");
    assert_eq!(name(&cyrillic, None), "windows-1251");
}

#[test]
fn every_label_of_the_standard_names_its_encoding_wherever_it_is_declared() {
    assert_eq!(LABELS.iter().flat_map(|(_, labels)| labels.split(' ')).count(), 228);
    for (expected, labels) in LABELS {
        for label in labels.split(' ') {
            let padded = format!("\t{} ", label.to_uppercase());
            assert_eq!(name(b"x", Some(label)), *expected, "{label}");
            assert_eq!(name(b"x", Some(&padded)), *expected, "{label}");
            let (in_meta, in_xml) = match *expected {
                "UTF-16BE" | "UTF-16LE" => ("UTF-8", "UTF-8"),
                "x-user-defined" => ("windows-1252", "x-user-defined"),
                other => (other, other),
            };
            for meta in [
                format!("<meta charset={label}>"),
                format!("<meta charset='\n{padded}'>"),
                format!("<meta content='text/html;charset={label}' http-equiv=content-type>"),
            ] {
                assert_eq!(name(meta.as_bytes(), None), in_meta, "{meta}");
            }
            let declaration = format!("<?xml version='1.0' encoding = \"{label}\"?><a/>");
            assert_eq!(name(declaration.as_bytes(), None), in_xml, "{label}");
            assert_eq!(decode(declaration.as_bytes(), None, Declares::Xml).1.name(), in_xml, "{label}");
        }
    }
}

#[test]
fn of_two_declarations_the_one_that_the_standard_ranks_higher_counts() {
    // WHATWG HTML, 13.2.3.1 and 13.2.3.2; Encoding standard, 6 "BOM sniff".
    let cases: &[(&[u8], Option<&str>, &str)] = &[
        (b"\xef\xbb\xbf<meta charset=koi8-r>", Some("windows-1251"), "UTF-8"),
        (b"\xff\xfe<\0", Some("windows-1251"), "UTF-16LE"),
        (b"\xfe\xff\0<", Some("windows-1251"), "UTF-16BE"),
        (b"<meta charset=koi8-r>", Some("windows-1251"), "windows-1251"),
        (b"<meta charset=koi8-r>", Some("no such"), "KOI8-R"),
        (b"<meta charset=koi8-r>", Some("utf-16"), "UTF-16LE"),
        (b"<\0?\0x\0m\0l\0", None, "UTF-16LE"),
        (b"\0<\0?\0x\0m\0l", None, "UTF-16BE"),
        (b"<?xml version='1.0' encoding='koi8-r'?><meta charset=koi8-u>", None, "KOI8-U"),
        (b"<?xml version='1.0' encoding='koi8-r'?><meta charset=none>", None, "KOI8-R"),
        (b"<meta charset=koi8-r><meta charset=koi8-u>", None, "KOI8-R"),
    ];
    for (body, label, expected) in cases {
        assert_eq!(name(body, *label), *expected, "{}", body.escape_ascii());
    }
}

#[test]
fn a_declaration_is_found_where_the_prescan_finds_it_and_nowhere_else() {
    // WHATWG HTML, 13.2.3.2 "prescan a byte stream", "get an attribute", and 2.4 "extracting a character encoding".
    let found = [
        "<meta/charset=koi8-r>",
        "<META\nCharSet\n=\n\"KOI8-R\"\n/>",
        "<meta a charset=koi8-r>",
        "<meta a=b/c charset=koi8-r>",
        "<meta a='>' charset=koi8-r>",
        "<meta =x charset=koi8-r>",
        "<meta charset=koi8-r charset=koi8-u>",
        "<meta charset=koi8-r content='charset=koi8-u' http-equiv=content-type>",
        "<meta content='charset=koi8-u' charset=koi8-r>",
        "<meta http-equiv=Content-Type content=\"charset charset = 'koi8-r' x\">",
        "<meta content='text/html; charset=koi8-r; x' http-equiv='content-type'>",
        "<meta content='xcharset=koi8-r' http-equiv=content-type>",
        "<!--><meta charset=koi8-r>",
        "<!-- <meta charset=koi8-u> --><meta charset=koi8-r>",
        "<!x <meta charset=koi8-u><meta charset=koi8-r>",
        "</x <meta charset=koi8-u><meta charset=koi8-r>",
        "<?x <meta charset=koi8-u><meta charset=koi8-r>",
        "</ <meta charset=koi8-u><meta charset=koi8-r>",
        "<p title='<meta charset=koi8-u>'><meta charset=koi8-r>",
        "<script a='>'>'<meta charset=koi8-u>'</SCRIPT><meta charset=koi8-r>",
        "< script><meta charset=koi8-r>",
        "<meta charset=none><meta charset=koi8-r>",
        "<meta content='charset=koi8-u'><meta charset=koi8-r>",
        "<metacharset=koi8-u><meta charset=koi8-r>",
        "<meta charset=koi8-r >",
    ];
    for html in found {
        assert_eq!(name(html.as_bytes(), None), "KOI8-R", "{html}");
    }
    let not_found = [
        "<meta charset=koi8-r",
        "<!-- <meta charset=koi8-r>",
        "<script><meta charset=koi8-r>",
        "<p a='<meta charset=koi8-r>",
        "<meta content='charset=koi8-r'>",
        "<meta http-equiv=refresh content='charset=koi8-r'>",
        "<meta http-equiv=content-type content='charset=\"koi8-r'>",
        "<meta http-equiv=content-type content='koi8-r'>",
        "<meta name=charset content=koi8-r>",
        "<meta charset='koi8-r;'>",
        "<metas charset=koi8-r>",
        " <?xml version='1.0' encoding='koi8-r'?>",
        "<?xml version='1.0' encoding=koi8-r?>",
        "<?xml version='1.0' encoding='koi8-r '?>",
        "<?xml version='1.0' encoding='koi8-r?>",
    ];
    for html in not_found {
        assert_eq!(name(html.as_bytes(), None), "UTF-8", "{html}");
    }
    let late = format!("{}<meta charset=koi8-r>", " ".repeat(PRESCAN));
    assert_eq!(name(late.as_bytes(), None), "UTF-8");
}

#[test]
fn a_large_body_is_decoded_as_a_small_one_is() {
    for name in ["utf-8", "windows-874", "gbk", "iso-2022-jp", "utf-16le", "replacement"] {
        let encoding = Encoding::for_label(name.as_bytes()).unwrap();
        for mark in [&b""[..], b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"] {
            let mut body = mark.to_vec();
            body.extend((0..=255_u8).cycle().take(LARGE + 3));
            let (text, used) = text_of(encoding, &body);
            let (expected, by, _) = encoding.decode(&body);
            assert!(text == expected && used == by, "{} after {mark:?}", encoding.name());
        }
    }
}
