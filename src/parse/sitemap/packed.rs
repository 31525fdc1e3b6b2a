//! Sitemaps packed with gzip.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::bufread::MultiGzDecoder;

/// Bytes of one sitemap, unpacked (sitemaps.org: 50 MB).
pub const MAX_BYTES: u64 = 50 << 20;

/// Why a packed sitemap could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    #[error("sitemap is larger than {MAX_BYTES} bytes when unpacked")]
    TooLarge,
    #[error("the gzip file is broken: {0}")]
    Broken(#[from] std::io::Error),
}

/// Whether this is a gzip file, told by its first bytes (RFC 1952).
pub fn is_packed(body: &[u8]) -> bool {
    body.starts_with(&[0x1f, 0x8b])
}

/// Unpacks a gzip file; anything else stays as it is.
pub(super) fn unpack(body: &[u8]) -> Result<Cow<'_, [u8]>, UnpackError> {
    if !is_packed(body) {
        return Ok(Cow::Borrowed(body));
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(body).take(MAX_BYTES + 1).read_to_end(&mut unpacked)?;
    if unpacked.len() as u64 > MAX_BYTES { Err(UnpackError::TooLarge) } else { Ok(Cow::Owned(unpacked)) }
}
