//! Connections that are refused, closed, reset, silent or slow, and servers that do not speak HTTP.

use std::time::Duration;

use crate::case::{Case, READ, case, flood, greeting, html, nowhere, ok, silence, then, tls, trickle};
use crate::raw::{Act, answer, say};

pub fn cases() -> Vec<Case> {
    let pause = || Act::Wait(Duration::from_millis(20));
    let piece = |text: &str| [Act::Send(text.into()), pause()];
    vec![
        nowhere("nobody listens", "http://127.0.0.1:1/", "failed connect"),
        nowhere("a name that does not exist", "http://no-such-host.invalid/", "failed dns"),
        nowhere(
            "a name of labels that are too long",
            "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid/",
            "failed dns",
        ),
        greeting("closes at once", vec![], "skipped robots_unreachable"),
        greeting("resets at once", vec![Act::Reset], "skipped robots_unreachable"),
        greeting("accepts and is silent", vec![silence()], "skipped robots_unreachable"),
        greeting("speaks SSH first", say("SSH-2.0-OpenSSH_9.6\r\n"), "skipped robots_unreachable"),
        greeting("speaks SMTP first", say("220 mail.example ESMTP\r\n"), "skipped robots_unreachable"),
        greeting("floods before it is asked", vec![flood(b"\0\xff")], "skipped robots_unreachable"),
        case("closes when it is asked", say(""), "failed closed"),
        case("resets when it is asked", vec![Act::Reset], "failed closed"),
        case("is silent when it is asked", vec![silence()], "failed timeout"),
        case("half a status line, then closed", say("HTTP/1.1 2"), "failed closed"),
        case("half a status line, then silence", then(say("HTTP/1.1 2"), [silence()]), "failed timeout"),
        case("closed within the headers", say("HTTP/1.1 200 OK\r\nContent-Type: text/ht"), "failed closed"),
        case(
            "silence within the headers",
            then(say("HTTP/1.1 200 OK\r\nServer: x\r\n"), [silence()]),
            "failed timeout",
        ),
        case(
            "headers one byte at a time, for ever",
            then(say("HTTP/1.1 200 OK\r\nX-A: "), [trickle("a")]),
            "failed timeout",
        ),
        case(
            "header lines without end, slowly",
            then(say("HTTP/1.1 200 OK\r\n"), [trickle("X-A: b\r\n")]),
            "failed timeout",
        ),
        case("interim answers without end", vec![trickle("HTTP/1.1 102 Processing\r\n\r\n")], "failed timeout"),
        case("silence before the body", then(html(""), [silence()]), "failed timeout"),
        case("silence within the body", then(html(READ), [silence()]), "failed timeout"),
        case("a body that trickles for ever", then(html(READ), [trickle(".")]), "failed timeout"),
        case("reset within the body", then(html(READ), [pause(), Act::Reset]), "failed closed"),
        case(
            "a page in many small pieces",
            [
                piece("HT"),
                piece("TP/1.1 200 "),
                piece("OK\r"),
                piece("\nContent-Ty"),
                piece("pe: text/html\r\n"),
                piece("\r"),
                piece("\n<ti"),
                piece("tle>re"),
                piece("ad</title>"),
            ]
            .concat(),
            "200 title=read",
        ),
        case("a page after a while", then(vec![Act::Wait(Duration::from_millis(700))], html(READ)), "200 title=read"),
        case(
            "two answers to one request",
            say([answer(200, &["Content-Type: text/html", "Content-Length: 19"], READ), answer(500, &[], "no")]
                .concat()),
            "200 title=read size=19",
        ),
        case(
            "junk behind the body",
            ok(&["Content-Type: text/html", "Content-Length: 19"], format!("{READ}\0junk\r\n\r\nHTTP/1.1")),
            "200 title=read size=19",
        ),
        case("a page without a head, as HTTP/0.9 had it", say(format!("{READ}\r\n")), "failed protocol"),
        case("another protocol's answer", say("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"), "failed protocol"),
        case("an FTP server's answer", say("530 Please login with USER and PASS.\r\n"), "failed protocol"),
        case("binary noise", say((0..=255).rev().collect::<Vec<u8>>().repeat(4)), "failed protocol"),
        case("noise without end", vec![flood(b"\x80\x81\r\n")], "failed protocol"),
        case("a redis error", say("-ERR wrong number of arguments for 'get' command\r\n"), "failed protocol"),
        case("TLS where HTTP is asked for", say(*b"\x15\x03\x01\x00\x02\x02\x0a"), "failed protocol"),
        tls("HTTP where TLS is asked for", html(READ), "failed tls"),
        tls("closed at the hello", say(""), "failed connect"),
        tls("reset at the hello", vec![Act::Reset], "failed connect"),
        tls("silent at the hello", vec![silence()], "failed timeout"),
        tls("an alert instead of a handshake", say(*b"\x15\x03\x03\x00\x02\x02\x28"), "failed tls"),
        tls("half of a record", then(say(*b"\x16\x03\x03\x40\x00\x02"), [silence()]), "failed timeout"),
        tls("a record that is too long", say([&b"\x16\x03\x03\xff\xff"[..], &[2; 70_000]].concat()), "failed tls"),
        tls("records without end that say nothing", vec![flood(b"\x16\x03\x03\x00\x00")], "failed tls"),
        tls("warnings without end", vec![flood(b"\x15\x03\x03\x00\x02\x01\x5a")], "failed tls"),
    ]
}
