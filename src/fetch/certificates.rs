//! When the certificates of hosts expire. That is read in the handshake, once a connection: so it is known of hosts whose
//! certificate is refused too.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use rustls::pki_types::{CertificateDer, ServerName};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use crate::canonical::CanonicalUrl;
use crate::visit::Millis;

/// Hosts remembered, whose next request takes what was read. Few wait for that, unless their connections came too late.
const REMEMBERED: usize = 1 << 14;

/// What was read and is not stored yet, by the name that the certificate is to be for.
#[derive(Debug, Default)]
pub(super) struct Certificates(Mutex<HashMap<String, Millis, RandomState>>);

impl Certificates {
    /// Reads the certificate that a server of this name showed.
    pub(super) fn note(&self, name: &ServerName<'_>, certificate: &CertificateDer<'_>) {
        let Some(expires_at) = expires_at(certificate) else { return };
        let mut read = self.read();
        if read.len() >= REMEMBERED {
            read.clear();
        }
        read.insert(name.to_str().into_owned(), expires_at);
    }

    /// What was read since the last request to this host.
    pub(super) fn take(&self, url: &CanonicalUrl) -> Option<Millis> {
        let url = url.url();
        let name = url.host_str().filter(|_| url.scheme() == "https")?;
        self.read().remove(name.trim_start_matches('[').trim_end_matches(']'))
    }

    fn read(&self) -> MutexGuard<'_, HashMap<String, Millis, RandomState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `notAfter` (RFC 5280, section 4.1.2.5). None of what is no certificate.
fn expires_at(certificate: &[u8]) -> Option<Millis> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let expires_at = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    Millis::try_from(expires_at.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read_and_of_what_is_none_nothing() {
        let whole = CertificateDer::from_pem_slice(include_bytes!("../../tests/common/localhost.pem")).unwrap();
        assert_eq!(expires_at(&whole), Some(4_733_510_400_000));
        assert!((0..whole.len()).all(|end| expires_at(&whole[..end]).is_none()));
        // Whatever one byte is: it is read or it is not.
        for at in 0..whole.len() {
            let mut changed = whole.to_vec();
            changed[at] ^= 0x55;
            expires_at(&changed);
        }
    }

    #[test]
    fn what_was_read_is_told_once_to_the_host_of_that_name() {
        let certificate = CertificateDer::from_pem_slice(include_bytes!("../../tests/common/localhost.pem")).unwrap();
        let certificates = Certificates::default();
        let url = |url| CanonicalUrl::parse(url).unwrap();
        for name in ["a.test", "::1"] {
            certificates.note(&ServerName::try_from(name).unwrap(), &certificate);
        }
        for (asked, told) in [
            ("https://b.test/", false),
            ("http://a.test/", false),
            ("https://a.test:8443/x", true),
            ("https://a.test/", false),
            ("https://[::1]/", true),
        ] {
            assert_eq!(certificates.take(&url(asked)).is_some(), told, "{asked}");
        }
    }
}
