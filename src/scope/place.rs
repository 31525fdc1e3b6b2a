//! Where a URL lies: its directory, and its registrable domain.

use url::Url;

use crate::canonical::CanonicalUrl;

/// Fast, and seeded at random: what is looked up is the web's choice.
pub(super) type Seeded = foldhash::fast::RandomState;

/// The URL up to the last slash of its path.
pub(super) fn directory(url: &CanonicalUrl) -> String {
    let path_end = &url.url()[..url::Position::AfterPath];
    path_end[..=path_end.rfind('/').unwrap_or(path_end.len() - 1)].to_owned()
}

/// The domain one label below a public suffix ([publicsuffix.org](https://publicsuffix.org)); an address is its own.
pub fn registrable_domain(url: &Url) -> Option<String> {
    match url.host()? {
        url::Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            Some(psl::domain_str(name).unwrap_or(name).to_owned())
        }
        address => Some(address.to_string()),
    }
}
