//! Files that users give: seeds, cookies, credentials.

use harvestman::cli::internals::seeds;
use harvestman::internals::fetch::{cookies_txt, netrc};

/// Lines of a text, however they end.
fn lines(text: &[u8]) -> usize {
    1 + text.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count()
}

/// A file of seeds.
pub fn seeds(input: &[u8]) {
    let Some(found) = seeds::read(input) else { return };
    let mut before = 0;
    for line in &found {
        // A NUL ends a URL, but no line.
        assert!(line.number > 0 && line.number >= before, "{line:?}");
        before = line.number;
        assert!(line.url.trim() == line.url && !line.url.contains(['\n', '\r']), "{line:?}");
    }
    assert!(usize::try_from(before).unwrap() <= lines(input), "line {before}");
    // One a line, nothing beside: what is written reads back.
    let is_plain =
        |url: &str| !url.is_empty() && !url.contains(|c: char| c.is_whitespace() || ",\"#\u{feff}".contains(c));
    let urls: Vec<_> = found.iter().map(|line| line.url.as_str()).filter(|url| is_plain(url)).collect();
    let again = seeds::read(urls.join("\n").as_bytes()).unwrap();
    assert_eq!(again.iter().map(|line| line.url.as_str()).collect::<Vec<_>>(), urls);
}

/// A `cookies.txt`.
pub fn cookies_txt(input: &[u8]) {
    let cookies = match cookies_txt::parse(input) {
        Ok(cookies) => cookies,
        Err((line, _)) => return assert!((1..=lines(input)).contains(&line), "line {line}"),
    };
    let words = |is: bool| if is { "TRUE" } else { "FALSE" };
    let mut written = Vec::new();
    for cookie in &cookies {
        let (below, secure) = (words(!cookie.host_only), words(cookie.secure));
        let expires = cookie.expires.unwrap_or(0);
        written.extend_from_slice(format!("{}\t{below}\t", cookie.domain).as_bytes());
        written.extend_from_slice(&cookie.path);
        written.extend_from_slice(format!("\t{secure}\t{expires}\t").as_bytes());
        written.extend_from_slice(&[&cookie.name[..], b"\t", &cookie.value, b"\n"].concat());
    }
    let again = cookies_txt::parse(&written).map_err(|(line, problem)| format!("line {line}: {problem}"));
    // A fraction of the first second is no time.
    let is_equal = |again: &[_]| again == cookies || cookies.iter().any(|cookie| cookie.expires == Some(0));
    assert!(again.is_ok_and(|again| is_equal(&again)), "{:?}", String::from_utf8_lossy(&written));
}

/// A netrc.
pub fn netrc(input: &[u8]) {
    match netrc::Netrc::parse(input) {
        Ok(read) => {
            for host in ["host.test", "HOST.test", ""] {
                let secret = read.authorization(host).map(|secret| secret.expose().to_owned());
                assert!(secret.is_none_or(|secret| http::HeaderValue::from_str(&secret).is_ok()));
            }
        }
        Err(line) => assert!((1..=lines(input)).contains(&line), "line {line}"),
    }
}
