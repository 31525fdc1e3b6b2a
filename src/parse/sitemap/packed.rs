//! Sitemaps packed with gzip.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::bufread::GzDecoder;

/// Bytes of one sitemap, unpacked (sitemaps.org: 50 MB).
pub const MAX_BYTES: u64 = 50 << 20;
/// Servers pack files once more that are packed already.
const MAX_WRAPPINGS: u32 = 4;

/// Why a packed sitemap could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    #[error("sitemap is larger than {MAX_BYTES} bytes when unpacked")]
    TooLarge,
    #[error("the gzip file is broken: {0}")]
    Broken(#[from] std::io::Error),
}

/// What came out of a file, and why that may not be all of it.
#[derive(Debug)]
pub(super) struct Unpacked<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) cut_short: Option<String>,
}

/// Whether this is a gzip file, told by its first bytes (RFC 1952).
pub fn is_packed(body: &[u8]) -> bool {
    body.starts_with(&[0x1f, 0x8b])
}

/// Unpacks a gzip file, as far as it goes; anything else stays as it is.
pub(super) fn unpack(body: &[u8]) -> Result<Unpacked<'_>, UnpackError> {
    let mut unpacked = Unpacked { bytes: Cow::Borrowed(body), cut_short: None };
    for _ in 0..MAX_WRAPPINGS {
        if !is_packed(&unpacked.bytes) {
            break;
        }
        let (bytes, error) = unwrap_once(&unpacked.bytes)?;
        let cut_short = unpacked.cut_short.or_else(|| error.map(|error| UnpackError::Broken(error).to_string()));
        unpacked = Unpacked { bytes: Cow::Owned(bytes), cut_short };
    }
    Ok(unpacked)
}

/// All members of a gzip file, one behind the other. What stands behind them and is none is no part of it.
fn unwrap_once(mut packed: &[u8]) -> Result<(Vec<u8>, Option<std::io::Error>), UnpackError> {
    let mut bytes = Vec::new();
    while is_packed(packed) {
        let left = (MAX_BYTES + 1).saturating_sub(bytes.len() as u64);
        let mut member = GzDecoder::new(packed);
        let result = member.by_ref().take(left).read_to_end(&mut bytes);
        match result {
            _ if bytes.len() as u64 > MAX_BYTES => return Err(UnpackError::TooLarge),
            Ok(_) => packed = member.into_inner(),
            Err(error) if bytes.is_empty() => return Err(error.into()),
            Err(error) => return Ok((bytes, Some(error))),
        }
    }
    Ok((bytes, None))
}
