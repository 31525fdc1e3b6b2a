use proptest::prelude::*;

use super::*;

/// What becomes of responses to GET that come in pieces, with whether the connection goes on; an error ends it.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, Result<bool, Malformed>) {
    let (mut responses, mut delivered) = (Responses::default(), Vec::new());
    assert!(responses.request(false, &mut delivered));
    for piece in pieces {
        let mut made = Vec::new();
        let kept = responses.read(piece, &mut made);
        delivered.extend_from_slice(&piece[..kept]);
        delivered.extend_from_slice(&made);
    }
    let ended = responses.is_over().map(|over| !over);
    (delivered, ended)
}

fn text(given: &str) -> (String, Result<bool, Malformed>) {
    let (delivered, ended) = read([given.as_bytes()]);
    (String::from_utf8_lossy(&delivered).into_owned(), ended)
}

#[test]
fn what_is_in_good_form_stays_as_it_is_and_keeps_the_connection() {
    for given in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 \r\nServer:x\r\ncontent-length:  2 \r\n\r\nok",
        "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 404 Nicht gefunden: m\u{f6}glich\r\nConnection: keep-alive\r\nContent-Length: 2, 2\r\n\r\nok",
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n00A\r\n0123456789\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 999 Request denied\r\nContent-Length: 2\r\n\r\nok",
    ] {
        assert_eq!(text(given), (given.to_owned(), Ok(true)));
    }
    for given in
        ["HTTP/1.1 200 OK\r\n\r\nto the close", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nto the close"]
    {
        assert_eq!(text(given), (given.to_owned(), Ok(true)));
    }
}

#[test]
fn status_lines_are_read_as_curl_and_chromium_read_them() {
    let rest = "\r\nContent-Length: 2\r\n\r\nok";
    for (given, expected) in [
        ("http/1.1 200 OK", "HTTP/1.1 200 OK"),
        ("HTTP/1.1  200 OK", "HTTP/1.1 200 OK"),
        ("HTTP/1.1\t200 OK", "HTTP/1.1 200 OK"),
        ("HTTP/1.1 200OK", "HTTP/1.1 200"),
        ("HTTP/1.1 2000 OK", "HTTP/1.1 200 OK"),
        ("HTTP/1.1 200 O\x01K", "HTTP/1.1 200"),
        ("HTTP/1 200 OK", "HTTP/1.0 200 OK"),
        ("HTTP/1.2 200 OK", "HTTP/1.0 200 OK"),
        ("HTTP/2 200", "HTTP/1.0 200"),
        ("HTTP 200 OK", "HTTP/1.0 200 OK"),
        ("ICY 200 OK", "HTTP/1.0 200 OK"),
        ("\u{feff}HTTP/1.1 200 OK", "HTTP/1.1 200 OK"),
        ("\r\n\n\r\nHTTP/1.1 200 OK", "HTTP/1.1 200 OK"),
    ] {
        let (delivered, _) = text(&format!("{given}{rest}"));
        assert_eq!(delivered, format!("{expected}{rest}"), "{given}");
    }
    for given in
        ["HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 OK", "HTTP/1.1 20", "HTTP/1.1 000 OK", "HTTP/1.1 099", "HTTP/1.1 -200"]
    {
        assert_eq!(text(&format!("{given}{rest}")), (String::new(), Err(Malformed::NotHttp)), "{given}");
    }
    for given in ["SSH-2.0-OpenSSH", "<!doctype html>", "220 mail.example ESMTP", "see http://a.example/"] {
        assert_eq!(text(given), (String::new(), Err(Malformed::NotHttp)), "{given}");
    }
}

#[test]
fn lines_that_are_no_header_fields_are_passed_over_and_folded_ones_joined() {
    for (given, expected) in [
        ("A: 1\nB: 2\n", "A: 1\r\nB: 2\r\n"),
        ("A: 1\r\r\nB: 2\r\n", "A: 1\r\nB: 2\r\n"),
        ("PHP Warning  in line 1\r\nA: 1\r\n", "A: 1\r\n"),
        ("PHP Warning: in line 1\r\n folded\r\nA: 1\r\n", "A: 1\r\n"),
        (": 1\r\nA: 1\r\n", "A: 1\r\n"),
        (" folded: 1\r\nA: 1\r\n", "A: 1\r\n"),
        ("A : 1\r\nB\t: 2\r\n", "A: 1\r\nB: 2\r\n"),
        ("A: 1 \r\n  2\r\n\t3 \r\n", "A: 1 2 3\r\n"),
        ("A: 1\x002\r\nB: \x7f\r\nC: \r2\r\n", ""),
        ("Location: /\x01\x7f\0\t\r\n", "Location: /%01%7F%00\t\r\n"),
        ("\u{e9}: 1\r\nA: \u{e9}\r\n", "A: \u{e9}\r\n"),
        ("HTTP/1.1 404 Not Found\r\nA: 1\r\n", "A: 1\r\n"),
    ] {
        let (delivered, goes_on) = text(&format!("HTTP/1.1 200 OK\r\n{given}Content-Length: 2\r\n\r\nok"));
        assert_eq!(delivered, format!("HTTP/1.1 200 OK\r\n{expected}Content-Length: 2\r\n\r\nok"), "{given:?}");
        assert_eq!(goes_on, Ok(false), "{given:?}");
    }
}

#[test]
fn of_very_many_header_fields_those_that_the_body_needs_count_wherever_they_stand() {
    let many = "X-A: 1\r\n".repeat(4990);
    let (delivered, _) = text(&format!("HTTP/1.1 200 OK\r\n{many}Content-Type: a\r\nContent-Length: 2\r\n\r\nok"));
    assert!(delivered.starts_with("HTTP/1.1 200 OK\r\nContent-Type: a\r\nContent-Length: 2\r\nX-A: 1\r\n"));
    assert_eq!(delivered.lines().count(), 1 + MAX_FIELDS + 2);
    let many = "X-A: 1\r\n".repeat(5001);
    assert_eq!(text(&format!("HTTP/1.1 200 OK\r\n{many}\r\nok")).1, Err(Malformed::TooLong));
    assert_eq!(text(&format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(MAX_HEAD))).1, Err(Malformed::TooLong));
    assert_eq!(text(&"HTTP/1.1 100 Continue\r\n\r\n".repeat(20_000)).1, Err(Malformed::TooLong));
    assert_eq!(text(&"\r\n".repeat(MAX_HEAD)).1, Err(Malformed::TooLong));
}

/// RFC 9112, section 6.3, with what curl makes of the rest.
#[test]
fn the_end_of_a_body_is_told_by_lengths_that_say_one_thing_or_by_the_close() {
    let close = |lines: &str| (format!("HTTP/1.1 200 OK\r\n{lines}\r\n0123456789"), Ok(true));
    for length in ["42s", "0x20", "99999999999999999999", "-1", "+1", "", "1 2", "1.0", "1;", "2,x", "\u{663}"] {
        let given = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nA: 1\r\n\r\n0123456789");
        assert_eq!(text(&given), close("A: 1\r\n"), "{length}");
    }
    for lengths in [["3", "5"], ["5", "3"], ["3,4", "5"], ["5", "3, 3"]] {
        let [a, b] = lengths;
        let given = format!("HTTP/1.1 200 OK\r\nContent-Length: {a}\r\nContent-Length: {b}\r\n\r\n0123456789");
        assert_eq!(text(&given), ("HTTP/1.1 200 OK\r\n\r\n01234".to_owned(), Ok(false)), "{lengths:?}");
    }
    let given = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n0123";
    assert_eq!(text(given), (given[..given.len() - 1].to_owned(), Ok(false)), "what is left over means nothing");
    let given = "HTTP/1.1 204 OK\r\nContent-Length: x\r\n\r\nbody";
    assert_eq!(text(given), ("HTTP/1.1 204 OK\r\n\r\n".to_owned(), Ok(false)));
}

#[test]
fn transfer_codings_are_read_in_any_version_and_however_often_they_are_named() {
    let body = "2\r\nok\r\n0\r\n\r\n";
    for (given, expected) in [
        ("1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n"),
        ("1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: chunked\r\n"),
        (
            "1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\n",
        ),
        ("1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: chunked\r\n"),
        ("1.1 200 OK\r\nTransfer-Encoding: CHUNKED;q=1\r\n", "Transfer-Encoding: chunked\r\n"),
        ("1.1 200 OK\r\nTransfer-Encoding: \x0bchunked\r\n", "Transfer-Encoding:  chunked\r\n"),
        (
            "1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
        ),
        (
            "1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 99\r\nTransfer-Encoding: chunked\r\n",
        ),
        ("1.1 200 OK\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n"),
    ] {
        let expected = format!("HTTP/1.1 200 OK\r\n{expected}\r\n{body}");
        assert_eq!(text(&format!("HTTP/{given}\r\n{body}")), (expected, Ok(false)), "{given}");
    }
    let given = "HTTP/1.0 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok";
    assert_eq!(text(given), ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned(), Ok(false)));
}

#[test]
fn chunks_are_read_as_curl_reads_them() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let good = "4\r\nfour\r\n0\r\n\r\n";
    for (given, goes_on) in [
        ("4\nfour\r\n0\r\n\r\n", false),
        ("4\r\nfour\n0\r\n\r\n", false),
        ("4\r\nfour\r\n0\n\r\n", false),
        ("4\r\nfour\r\n0\r\n\n", false),
        ("4\nfour\n0\n\n", false),
        ("4;name=value\r\nfour\r\n0;last\r\n\r\n", true),
        ("4 ; name=\"a\rb\"\r\nfour\r\n0\r\n\r\n", true),
        ("4\rx\r\nfour\r\n0\r\n\r\n", true),
        (" \t4 \r\nfour\r\n0\r\n\r\n", true),
        ("4 bytes\r\nfour\r\n0\r\n\r\n", true),
        ("4\r\nfour\r\n0\r\nX-Sum: 1\r\n\r\n", false),
        ("4\r\nfour\r\n0\r\nX-Sum: never ends", false),
        ("4\r\nfour\r\n0\r\n\rx", false),
    ] {
        assert_eq!(text(&format!("{head}{given}")), (format!("{head}{good}"), Ok(goes_on)), "{given:?}");
    }
    // The body is whole, and the connection waits for the line that may still come.
    for given in ["4\r\nfour\r\n0\r\n", "4\r\nfour\r\n0\r\n\r"] {
        assert_eq!(text(&format!("{head}{given}")), (format!("{head}{good}"), Ok(true)), "{given:?}");
    }
    for given in [
        "x\r\nfour",
        "\r\n4\r\nfour",
        "4\r\nfour!\r\n0\r\n\r\n",
        "4\r\nfour\r\r\n0\r\n\r\n",
        "-4\r\nfour",
        &"1".repeat(17),
    ] {
        assert_eq!(text(&format!("{head}{given}")).1, Err(Malformed::Chunk), "{given:?}");
    }
}

#[test]
fn nothing_left_over_becomes_the_next_answer() {
    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let mut made = Vec::new();
    let mut responses = Responses::default();
    for _ in 0..3 {
        assert!(responses.request(false, &mut made));
        assert_eq!(responses.read(response, &mut made), response.len());
        assert!(responses.is_idle());
    }
    assert_eq!(responses.read(b"\r\n", &mut made), 0);
    assert_eq!((responses.is_over(), responses.request(false, &mut made)), (Ok(true), false));

    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    let mut responses = Responses::default();
    assert!(responses.request(false, &mut made));
    responses.read(chunked, &mut made);
    assert!(!responses.request(false, &mut made), "its end has not come");

    let mut responses = Responses::default();
    assert!(responses.request(true, &mut made));
    made.clear();
    assert_eq!(responses.read(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", &mut made), 38);
    assert!(responses.is_idle(), "HEAD is answered without a body");
    assert!(responses.request(false, &mut made));
    assert_eq!(responses.read(b"the body after all", &mut made), 0);
    assert_eq!(responses.is_over(), Ok(true), "it is no answer, and the next request is made again elsewhere");
    assert!(made.is_empty());
}

#[test]
fn what_comes_before_the_request_is_its_answer() {
    let (mut responses, mut made) = (Responses::default(), Vec::new());
    let response = b"HTTP/1.1 408 Too slow\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(responses.read(response, &mut made), 0);
    assert!(responses.holds_greeting());
    assert!(responses.request(false, &mut made));
    assert_eq!(made, response);
}

#[test]
fn a_head_that_breaks_off_is_told_from_what_is_none() {
    for (given, expected) in [("", Ok(())), ("HTTP/1.1 200 O", Err(Malformed::CutOff)), ("hi", Err(Malformed::NotHttp))]
    {
        let mut responses = Responses::default();
        responses.request(false, &mut Vec::new());
        responses.read(given.as_bytes(), &mut Vec::new());
        assert_eq!(responses.close(), expected, "{given}");
    }
}

const WORDS: [&str; 24] = [
    "HTTP/1.1 200 OK\r\n",
    "http/1.0 404\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "\r\n",
    "\n",
    "\r",
    "Content-Length: 5\r\n",
    "Content-Length: 7\n",
    "Content-Length: x\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip",
    "A: 1\r\n",
    " folded\r\n",
    "A\x01 : b\r\n",
    "5\r\n",
    "5;x\n",
    "hello",
    "0\r\n\r\n",
    "0\n",
    " ",
    "\0",
    "HTTP",
    "ICY 200\r\n",
    ":",
];

proptest! {
    #[test]
    fn pieces_of_any_size_say_the_same_and_what_was_mended_once_is_in_good_form(
        words in proptest::collection::vec(0..WORDS.len(), 0..24),
        begins_well in any::<bool>(),
        sizes in proptest::collection::vec(1usize..9, 1..9),
    ) {
        let start = if begins_well { "HTTP/1.1 200 OK\r\n" } else { "" };
        let given: String = std::iter::once(start).chain(words.into_iter().map(|at| WORDS[at])).collect();
        let whole = read([given.as_bytes()]);
        let mut rest = given.as_bytes();
        let pieces = sizes.iter().cycle().map_while(|size| {
            let (piece, later) = rest.split_at((*size).min(rest.len()));
            rest = later;
            (!piece.is_empty()).then_some(piece)
        });
        prop_assert_eq!(&read(pieces), &whole);
        if whole.1.is_ok() {
            prop_assert_eq!(&read([&whole.0[..]]).0, &whole.0);
        }
    }
}
