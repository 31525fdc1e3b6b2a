//! Character encodings: declared wrong, late, twice, not at all, or broken.

use encoding_rs::Encoding;

use crate::case::{Case, case, html, ok};
use crate::raw::Act;

fn in_encoding(label: &str, text: &str) -> Vec<u8> {
    let encoding = Encoding::for_label(label.as_bytes()).unwrap();
    encoding.encode(text).0.into_owned()
}

/// A page whose title is this, with its encoding in a `<meta>`.
fn meta(label: &str, title: &str) -> Vec<Act> {
    html(in_encoding(label, &format!("<meta charset={label}><title>{title}</title>")))
}

fn header(label: &str, body: impl AsRef<[u8]>) -> Vec<Act> {
    ok(&[&format!("Content-Type: text/html; charset={label}")], body)
}

fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

pub fn cases() -> Vec<Case> {
    let russian = "<title>Паук</title>";
    let koi8 = in_encoding("koi8-r", russian);
    vec![
        case("koi8-r in a meta element", meta("koi8-r", "Паук"), "200 title=Паук charset=koi8-r"),
        case("windows-1251 in a meta element", meta("windows-1251", "Паук"), "200 title=Паук charset=windows-1251"),
        case("Shift_JIS in a meta element", meta("shift_jis", "蜘蛛の巣"), "200 title=蜘蛛の巣 charset=shift_jis"),
        case("EUC-JP in a meta element", meta("euc-jp", "蜘蛛の巣"), "200 title=蜘蛛の巣 charset=euc-jp"),
        case(
            "ISO-2022-JP in a meta element",
            meta("iso-2022-jp", "蜘蛛の巣"),
            "200 title=蜘蛛の巣 charset=iso-2022-jp",
        ),
        case("EUC-KR in a meta element", meta("euc-kr", "거미"), "200 title=거미 charset=euc-kr"),
        case("GBK in a meta element", meta("gb2312", "蜘蛛"), "200 title=蜘蛛 charset=gbk"),
        case("Big5 in a meta element", meta("big5", "蜘蛛"), "200 title=蜘蛛 charset=big5"),
        case("windows-874 in a meta element", meta("tis-620", "แมงมุม"), "200 title=แมงมุม charset=windows-874"),
        case("Latin-1 is windows-1252", meta("iso-8859-1", "€œ"), "200 title=€œ charset=windows-1252"),
        case(
            "the header goes before the meta element",
            header("koi8-r", [&b"<meta charset=utf-8>"[..], &koi8].concat()),
            "200 title=Паук charset=koi8-r",
        ),
        case(
            "a mark goes before the header",
            header("koi8-r", format!("\u{feff}{russian}")),
            "200 title=Паук charset=utf-8",
        ),
        case(
            "UTF-16 with a mark, little end first",
            html(utf16(&format!("\u{feff}{russian}"), u16::to_le_bytes)),
            "200 title=Паук charset=utf-16le",
        ),
        case(
            "UTF-16 with a mark, big end first",
            html(utf16(&format!("\u{feff}{russian}"), u16::to_be_bytes)),
            "200 title=Паук charset=utf-16be",
        ),
        case(
            "UTF-16 by its header",
            header("utf-16", utf16(russian, u16::to_le_bytes)),
            "200 title=Паук charset=utf-16le",
        ),
        case(
            "UTF-16 in a meta element is UTF-8",
            html(format!("<meta charset=utf-16>{russian}")),
            "200 title=Паук charset=utf-8",
        ),
        case(
            "half a unit of UTF-16",
            header("utf-16le", [&utf16(russian, u16::to_le_bytes)[..], b"x"].concat()),
            "200 title=Паук",
        ),
        case(
            "a lone surrogate in UTF-16",
            header(
                "utf-16le",
                [&utf16("<title>a", u16::to_le_bytes)[..], b"\x00\xd8", &utf16("b</title>", u16::to_le_bytes)].concat(),
            ),
            "200 title=a\u{fffd}b",
        ),
        case(
            "bytes that are no UTF-8",
            header("utf-8", b"<title>a\xff\xc0\x80b</title>"),
            "200 title=a\u{fffd}\u{fffd}\u{fffd}b charset=utf-8",
        ),
        case("UTF-8 that breaks off", header("utf-8", b"<title>a\xe2\x82</title>"), "200 title=a\u{fffd}"),
        case(
            "a surrogate in UTF-8",
            header("utf-8", b"<title>\xed\xa0\x80</title>"),
            "200 title=\u{fffd}\u{fffd}\u{fffd}",
        ),
        case(
            "a declaration behind 3 KB of script",
            html([format!("<script>{}</script><meta charset=koi8-r>", "x".repeat(3_000)).as_bytes(), &koi8].concat()),
            "200 title=Паук charset=koi8-r",
        ),
        case(
            "a declaration in a comment",
            html([&b"<!-- <meta charset=big5> --><meta charset=koi8-r>"[..], &koi8].concat()),
            "200 title=Паук charset=koi8-r",
        ),
        case(
            "a declaration by http-equiv",
            html([&b"<meta http-equiv=Content-Type content='text/html; charset=koi8-r'>"[..], &koi8].concat()),
            "200 title=Паук charset=koi8-r",
        ),
        case(
            "two declarations",
            html([&b"<meta charset=koi8-r><meta charset=utf-8>"[..], &koi8].concat()),
            "200 title=Паук charset=koi8-r",
        ),
        case("no declaration, and UTF-8", html(russian), "200 title=Паук charset=utf-8"),
        case("an encoding that hides mark-up", header("iso-2022-kr", "<title>no</title>"), "200 title=null"),
        case("UTF-7 is none", header("utf-7", "<title>+AGE-</title>"), "200 title=+AGE-"),
        case(
            "an XML declaration in XHTML",
            ok(
                &["Content-Type: application/xhtml+xml"],
                in_encoding(
                    "koi8-r",
                    "<?xml version='1.0' encoding='koi8-r'?><html xmlns='http://www.w3.org/1999/xhtml'><head><title>Паук</title></head></html>",
                ),
            ),
            "200 title=Паук charset=koi8-r",
        ),
        case(
            "plain text in koi8-r",
            ok(&["Content-Type: text/plain; charset=koi8-r"], in_encoding("koi8-r", "Паук")),
            "200 text=Паук charset=koi8-r",
        ),
    ]
}
