//! Content and transfer codings: gzip, deflate, br and zstd, alone or stacked, removed while the body streams in.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::{BrotliDecoder, DeflateDecoder, GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use http::header::{CONTENT_ENCODING, HeaderMap, HeaderName, TRANSFER_ENCODING};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader, ReadBuf};
use tokio::task::coop;

/// What every server is offered.
pub const ACCEPTED: &str = "gzip, deflate, br, zstd";
/// Codings upon each other, at most.
const MAX_CODINGS: usize = 4;
/// The largest window that a body may ask for is 8 MiB (RFC 9659), or a few bytes could claim any amount of memory.
const ZSTD_WINDOW_LOG: u32 = 23;

/// What a coding may add to its content at most, beside an eighth of it.
const MAX_ADDED: u64 = 64 << 10;

/// Bytes before the stream of the zlib format (RFC 1950, section 2.2).
const ZLIB_HEADER: usize = 2;

/// A coding that can be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// A body as it was before its codings were applied.
pub(super) type Decoded = Box<dyn AsyncBufRead + Send + Unpin>;

impl Coding {
    /// The coding of this name (RFC 9110, section 8.4.1; RFC 9112, section 7.2).
    fn named(name: &str) -> Option<Self> {
        match name {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// The codings of a response in the order in which they were applied: those of its content (RFC 9110, section 8.4), then
/// those of its transfer (RFC 9112, section 6.1), each over all its header lines.
///
/// Any other word in `Content-Encoding` is no coding: servers put character encodings, media types and the like there,
/// and browsers read such a body as it is. Bytes in an unknown transfer coding are not the content at all.
pub(super) fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, String> {
    let mut codings: Vec<_> = words(headers, &CONTENT_ENCODING).filter_map(|name| Coding::named(&name)).collect();
    for name in words(headers, &TRANSFER_ENCODING) {
        match Coding::named(&name) {
            Some(coding) => codings.push(coding),
            // The HTTP client has removed it.
            None if matches!(name.as_str(), "" | "chunked" | "identity") => {}
            None => return Err(format!("transfer coding `{name}` is not supported")),
        }
    }
    if codings.len() > MAX_CODINGS {
        return Err(format!("more than {MAX_CODINGS} codings upon each other"));
    }
    Ok(codings)
}

/// The members of a list in a header, in lower case.
fn words<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = String> + 'a {
    let lines = headers.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    lines.flat_map(|line| line.split(',').map(|word| word.trim().to_ascii_lowercase()).collect::<Vec<_>>())
}

/// Removes the codings, the last one applied first. A body that is empty has none, whatever its headers say. Of each coded
/// form no more is read than content of `wanted` bytes can take: empty members, blocks and fields have no end.
pub(super) async fn decode(
    body: impl AsyncBufRead + Send + Unpin + 'static,
    codings: &[Coding],
    wanted: u64,
) -> io::Result<Decoded> {
    let limit = wanted.saturating_add(wanted / 8).saturating_add(MAX_ADDED);
    let mut reader: Decoded = Box::new(body.take(limit));
    for coding in codings.iter().rev() {
        let Some(first) = reader.fill_buf().await?.first().copied() else { break };
        reader = match coding {
            Coding::Gzip => {
                let mut decoder = GzipDecoder::new(reader);
                decoder.multiple_members(true);
                buffered(decoder, limit)
            }
            Coding::Deflate => {
                // Its check sum is behind the stream, where nobody looks: a wrong one takes nothing from the content.
                if is_zlib(first) {
                    reader.read_exact(&mut [0; ZLIB_HEADER]).await?;
                }
                buffered(DeflateDecoder::new(reader), limit)
            }
            Coding::Brotli => buffered(BrotliDecoder::new(reader), limit),
            Coding::Zstd => {
                let window = [DParameter::window_log_max(ZSTD_WINDOW_LOG)];
                let mut decoder = ZstdDecoder::with_params(reader, &window);
                decoder.multiple_members(true);
                buffered(decoder, limit)
            }
        };
    }
    Ok(reader)
}

fn buffered(decoder: impl AsyncRead + Send + Unpin + 'static, limit: u64) -> Decoded {
    Box::new(BufReader::new(Fair(decoder)).take(limit))
}

/// Lets other tasks take their turn. A decoder whose input is in memory never waits, and what it makes of a few bytes may
/// keep the next one busy for a minute.
struct Fair<R>(R);

impl<R: AsyncRead + Unpin> AsyncRead for Fair<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let turn = ready!(coop::poll_proceed(cx));
        let read = Pin::new(&mut self.0).poll_read(cx, buf);
        if read.is_ready() {
            turn.made_progress();
        }
        read
    }
}

/// `deflate` means the zlib format, but some servers send it without the zlib header. Its first byte names method 8 and
/// a window of at most 32 KiB (RFC 1950, section 2.2); no encoder starts a bare stream with such a byte.
fn is_zlib(first: u8) -> bool {
    first & 0x0f == 8 && first >> 4 <= 7
}
