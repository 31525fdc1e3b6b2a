//! URLs: one form for each, however it is written, joined or read again.

use encoding_rs::{Encoding, UTF_8};
use harvestman::internals::canonical::{CanonicalUrl, Host, without_userinfo};
use url::Url;

use super::text_line;

/// What holds of every canonical URL (URL standard, 4.5 and 4.6).
pub fn is_canonical(url: &CanonicalUrl) {
    let text = url.as_str();
    assert_eq!(CanonicalUrl::parse(text).as_ref(), Ok(url), "canonicalising twice is once");
    assert!(text.starts_with("http://") || text.starts_with("https://"), "{text}");
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{text}");
    assert!(url.url().username().is_empty() && url.url().password().is_none(), "{text}");
    let host = url.host();
    assert_eq!(format!("{host}{}", url.path_and_query()), text);
    assert!(url.path_and_query().starts_with('/'), "{text}");
    assert_eq!(Host::parse(host.as_str()).as_ref(), Ok(&host));
    assert_eq!(host.robots_url().map(|robots| robots.host()), Ok(host));
}

/// An encoding, a base, and a reference.
pub fn url(input: &[u8]) {
    let (label, rest) = text_line(input);
    let (base, rest) = text_line(rest);
    let reference = String::from_utf8_lossy(rest);
    let encoding = Encoding::for_label(label.as_bytes()).unwrap_or(UTF_8);
    hides_passwords(&base);
    hides_passwords(&reference);
    if let Ok(alone) = CanonicalUrl::parse(&reference) {
        is_canonical(&alone);
    }
    let Ok(base) = CanonicalUrl::parse(&base) else { return };
    is_canonical(&base);
    let joined = [
        CanonicalUrl::join(base.url(), &reference),
        CanonicalUrl::join_in(base.url(), &reference, encoding),
        CanonicalUrl::join_header(base.url(), rest),
    ];
    for url in joined.into_iter().flatten() {
        is_canonical(&url);
        assert_eq!(CanonicalUrl::join_in(base.url(), url.as_str(), encoding).as_ref(), Ok(&url), "an absolute URL");
    }
}

/// A password that a text holds is not shown.
fn hides_passwords(text: &str) {
    let shown = without_userinfo(text);
    let url = Url::parse(text).ok();
    // The parser leaves these out (URL standard, 4.4), so a password that they break up may stand elsewhere as a whole.
    let parsed = text.replace(['\t', '\n', '\r'], "");
    let secret = url.as_ref().and_then(Url::password).filter(|secret| parsed.matches(secret).count() == 1);
    assert!(secret.is_none_or(|secret| !shown.contains(secret)), "{text:?} is shown as {shown:?}");
}
