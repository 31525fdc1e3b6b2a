//! Content codings: broken, stacked, mislabelled, and bombs.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use crate::case::{Case, READ, case, flood, html_with, ok, silence, stream, then};
use crate::raw::{Act, answer, say};

pub fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn br(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
    brotli::BrotliCompress(&mut bytes.as_ref(), &mut out, &params).unwrap();
    out
}

fn zstd(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    ::zstd::encode_all(bytes.as_ref(), 3).unwrap()
}

fn coded(coding: &str, body: impl AsRef<[u8]>) -> Vec<Act> {
    html_with(&[&format!("Content-Encoding: {coding}")], body)
}

/// A gzip header whose optional fields are there (RFC 1952, section 2.3): extra bytes, a name, a comment.
fn with_fields(name: &[u8]) -> Vec<u8> {
    let packed = gzip(READ);
    [&packed[..3], &[0b1_1100], &packed[4..10], b"\x03\0abc", name, b"\0comment\0", &packed[10..]].concat()
}

pub fn cases() -> Vec<Case> {
    let zeros = vec![0; 24 << 20];
    let long = READ.to_owned() + &(0..20_000).map(|n| format!("<p>{}", n * 7_919 % 10_007)).collect::<String>();
    let damaged = |mut bytes: Vec<u8>, at: usize| {
        bytes[at] ^= 0xff;
        bytes
    };
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let whole = "200 title=read size=19";
    let packed = gzip(READ);
    let length = packed.len();
    vec![
        case("gzip with all its optional fields", coded("gzip", with_fields(b"name")), whole),
        case("gzip with a name of 1 MB", coded("gzip", with_fields(&b"n".repeat(1 << 20))), whole),
        case(
            "gzip whose name never ends",
            then(coded("gzip", b"\x1f\x8b\x08\x08\0\0\0\0\0\x03"), [stream("n")]),
            "failed timeout",
        ),
        case("gzip with a wrong check sum", coded("gzip", damaged(packed.clone(), length - 6)), whole),
        case("gzip with a wrong length", coded("gzip", damaged(packed.clone(), length - 1)), whole),
        case("gzip without its trailer", coded("gzip", &packed[..length - 8]), whole),
        case("gzip with junk behind it", coded("gzip", [&packed[..], b"junk"].concat()), whole),
        case(
            "gzip of three members",
            coded("gzip", [gzip(&READ[..4]), gzip(&READ[4..9]), gzip(&READ[9..])].concat()),
            whole,
        ),
        case(
            "a thousand empty members and the page",
            coded("gzip", [gzip("").repeat(1_000), gzip(READ)].concat()),
            whole,
        ),
        case(
            "empty members without end",
            then(coded("gzip", ""), [Act::Forever(gzip("").repeat(200), Duration::from_millis(50))]),
            "failed timeout",
        ),
        case("empty members as fast as they are read", then(coded("gzip", ""), [flood(&gzip(""))]), "failed decode"),
        case("a bomb of empty members", coded("gzip, gzip", gzip(gzip("").repeat(1_000_000))), "failed decode"),
        case("half of a gzip", coded("gzip", half(gzip(&long))), "200 title=read"),
        case("gzip, then silence", then(coded("gzip", half(gzip(&long))), [silence()]), "failed timeout"),
        case("gzip of an unknown method", coded("gzip", damaged(packed.clone(), 2)), "failed decode"),
        case("no gzip at all", coded("gzip", READ), "failed decode"),
        case("gzip called br", coded("br", &packed), "failed decode"),
        case("br called gzip", coded("gzip", br(READ)), "failed decode"),
        case("gzip and no bytes", coded("gzip", ""), "200 size=0"),
        case("gzip that is not announced", ok(&["Content-Type: text/html"], &packed), "200 title=null"),
        case("gzip that names none", coded("utf-8", READ), whole),
        case("a gzip bomb", coded("gzip", gzip(&zeros)), "failed too_large"),
        case("a bomb in a bomb", coded("gzip, gzip", gzip(gzip(&zeros))), "failed too_large"),
        case("a deflate bomb", coded("deflate", zlib(&zeros)), "failed too_large"),
        case("a bomb of bare deflate", coded("deflate", deflate(&zeros)), "failed too_large"),
        case("a brotli bomb", coded("br", br(&zeros)), "failed too_large"),
        case("a zstd bomb", coded("zstd", zstd(&zeros)), "failed too_large"),
        case(
            "a bomb of error pages",
            say(answer(404, &["Content-Type: text/html", "Content-Encoding: gzip"], gzip(&zeros))),
            "404 size=0",
        ),
        case("deflate with its header", coded("deflate", zlib(READ)), whole),
        case("deflate without its header", coded("deflate", deflate(READ)), whole),
        case("deflate with a wrong check sum", coded("deflate", damaged(zlib(READ), zlib(READ).len() - 1)), whole),
        case("half of a deflate", coded("deflate", half(zlib(&long))), "200 title=read"),
        case("no deflate at all", coded("deflate", [0xff; 99]), "failed decode"),
        case("brotli", coded("br", br(READ)), whole),
        case("half of a brotli", coded("br", half(br(&long))), "200 title=read"),
        case("no brotli at all", coded("br", [0xff; 99]), "failed decode"),
        case("zstd", coded("zstd", zstd(READ)), whole),
        case(
            "zstd behind a frame to skip",
            coded("zstd", [&b"\x50\x2a\x4d\x18\x04\0\0\0skip"[..], &zstd(READ)].concat()),
            whole,
        ),
        case("zstd of two frames", coded("zstd", [zstd(&READ[..9]), zstd(&READ[9..])].concat()), whole),
        case("zstd that wants a window of 2 GB", coded("zstd", b"\x28\xb5\x2f\xfd\0\xa8\x01\0\0a"), "failed decode"),
        case("no zstd at all", coded("zstd", READ), "failed decode"),
        case("four codings upon each other", coded("gzip, br, deflate, zstd", zstd(zlib(br(gzip(READ))))), whole),
        case(
            "five codings upon each other",
            coded("gzip,gzip,gzip,gzip,gzip", gzip(gzip(gzip(gzip(gzip(READ)))))),
            "failed decode",
        ),
        case("a thousand codings", coded(&"gzip,".repeat(1_000), &packed), "failed decode"),
        case("a coding in mixed case", coded(" GZip ", &packed), whole),
        case("identity", coded("identity", READ), whole),
        case("a coding that is a sentence", coded("none, I think", READ), whole),
        case(
            "transfer in gzip and chunks",
            ok(
                &["Content-Type: text/html", "Transfer-Encoding: gzip, chunked"],
                [format!("{length:x}\r\n").as_bytes(), &packed, b"\r\n0\r\n\r\n"].concat(),
            ),
            whole,
        ),
        case(
            "a transfer coding that nobody knows",
            ok(&["Content-Type: text/html", "Transfer-Encoding: lzma"], READ),
            "failed decode",
        ),
    ]
}
