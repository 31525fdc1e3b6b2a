//! Whether the crawl was shut out of what it was let into before.

use url::Url;

/// Words for pages that end a session.
const LOGOUT: [&str; 4] = ["logout", "logoff", "signout", "signoff"];
/// Words for pages where one says who one is, as URLs have them.
const LOGIN: [&str; 4] = ["login", "logon", "signin", "signon"];
/// More of them, which are none as the end of another word.
const GATES: [&str; 9] = ["auth", "authenticate", "authorize", "cas", "oauth", "oauth2", "saml", "saml2", "sso"];

/// Whether a redirect leads to a login page, by the words of its target that its own URL has not.
pub fn leads_to_login(from: &Url, to: &Url) -> bool {
    names_login(to) && !names_login(from)
}

fn names_login(url: &Url) -> bool {
    let text = format!("{}/{}", url.host_str().unwrap_or_default(), url.path()).to_ascii_lowercase();
    names(&text, &LOGIN) || words(&text).any(|word| GATES.contains(&word))
}

/// What of a URL says that its page ends the session of who asks for it. What else is in the URL may be another one the next
/// time, such as a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd<'u> {
    /// Its path up to the name that says so.
    Path(&'u str),
    /// One parameter of its query, with its value if that says so.
    Parameter(&'u str),
}

/// What says that a page ends sessions, if it does: its path, or else its query.
pub fn session_end(url: &Url) -> Option<SessionEnd<'_>> {
    let path = url.path();
    let mut ends = path.match_indices(['/', ';']).map(|(at, _)| at).skip(1).chain([path.len()]);
    let up_to = |end: usize| {
        let part = path[..end].rsplit(['/', ';']).next()?;
        Some(&path[..end - part.len() + telling(part)?.len()])
    };
    let parameter = || url.query()?.split(['&', ';']).find_map(telling).map(SessionEnd::Parameter);
    ends.find_map(up_to).map(SessionEnd::Path).or_else(parameter)
}

/// What of a part of a URL says that its page ends sessions: its name alone if that does, since the value may be a token.
fn telling(part: &str) -> Option<&str> {
    let says_so = |text: &&str| names(&text.to_ascii_lowercase(), &LOGOUT);
    part.split('=').next().filter(says_so).or_else(|| Some(part).filter(says_so))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

/// Whether one of these words is in the text, be it as the end of another, or in two parts of one name.
fn names(text: &str, these: &[&str]) -> bool {
    text.split(['/', '.', '?', '&', '=']).any(|name| {
        let all: Vec<_> = words(name).collect();
        all.iter().any(|word| these.iter().any(|this| word.ends_with(this)))
            || all.windows(2).any(|pair| these.contains(&pair.concat().as_str()))
    })
}

/// The pages of a host that answered 401 or led to a login page, and what stands beside them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refusals {
    pub pages: i64,
    /// Those of them that had answered before.
    pub replaced: i64,
    /// Other pages of this invocation, before the first of them and after it.
    pub good_before: i64,
    pub good_after: i64,
    /// The host knew who was asking: credentials were given, or it had set cookies.
    pub was_known: bool,
}

impl Refusals {
    /// Whether a session ended: pages are gone that had answered, or from some page on most are refused. That pages for
    /// members are refused to everybody else is nothing new.
    pub fn end_a_session(&self) -> bool {
        let turned = self.good_before > 0 && self.pages > 1 && self.pages > self.good_after;
        self.replaced > 0 || self.was_known && turned
    }
}

/// Whether a server asks for Digest credentials (RFC 7616) and takes no Basic ones, by its challenges (RFC 9110, section
/// 11.6.1).
pub fn asks_for_digest_alone<'a>(challenges: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut digest, mut basic) = (false, false);
    for line in challenges {
        // Every other part is quoted.
        let plain: String = line.split('"').step_by(2).collect();
        for part in plain.split(',') {
            let scheme = part.split_whitespace().next().filter(|word| !word.contains('=')).unwrap_or_default();
            digest |= scheme.eq_ignore_ascii_case("digest");
            basic |= scheme.eq_ignore_ascii_case("basic");
        }
    }
    digest && !basic
}

/// Whether a URL is the secure form of another's host, with `www.` or without.
pub fn is_secure_form(of: &Url, url: &Url) -> bool {
    let name = |url: &Url| url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host).to_owned());
    of.scheme() == "http" && url.scheme() == "https" && name(of).is_some() && name(of) == name(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn login_pages_are_told_by_the_words_of_their_urls() {
        let from = url("http://a.test/docs/1");
        for to in [
            "http://a.test/login",
            "http://a.test/Account/LogOn?ReturnUrl=%2fdocs",
            "http://a.test/users/sign_in",
            "http://a.test/sign-in/",
            "http://a.test/wp-login.php",
            "http://a.test/SAML2/start",
            "https://accounts.example.com/ServiceLogin",
            "https://login.example.com/",
            "https://sso.example.com/x",
        ] {
            assert!(leads_to_login(&from, &url(to)), "{to}");
        }
        for to in ["http://a.test/", "http://a.test/plugin", "http://a.test/blog/in", "http://a.test/x?from=login"] {
            assert!(!leads_to_login(&from, &url(to)), "{to}");
        }
        assert!(!leads_to_login(&url("http://a.test/auth"), &url("http://a.test/auth/")), "a page about it");
    }

    #[test]
    fn pages_that_end_sessions_are_told_by_the_words_of_their_urls() {
        for path in ["/logout", "/user/log-out?token=1", "/wp-login.php?action=logout", "/Account/SignOff", "/doLogout"]
        {
            assert!(session_end(&url(&format!("http://a.test{path}"))).is_some(), "{path}");
        }
        for path in [
            "/",
            "/login",
            "/blog/outdoors",
            "/signs/out-of-date?x=logouts",
            "/log?out=csv",
            "/log/out",
            "/build/log.out",
            "/x?sort=log&out=1",
        ] {
            assert_eq!(session_end(&url(&format!("http://logout.test{path}"))), None, "{path}");
        }
    }

    #[test]
    fn what_ends_a_session_is_told_without_what_changes_beside_it() {
        use SessionEnd::{Parameter, Path};
        for (path, end) in [
            ("/wp-login.php?action=logout&_wpnonce=1f2e", Parameter("action=logout")),
            ("/index.php?token=logout1&do=Log-Out", Parameter("do=Log-Out")),
            ("/user/logout/1f2e?next=/", Path("/user/logout")),
            ("/a/sign_off.aspx?x=logout", Path("/a/sign_off.aspx")),
            ("/x?a=1&logout=1f2e", Parameter("logout")),
            ("/index.php?action=logout;t=1f2e", Parameter("action=logout")),
            ("/logout;jsessionid=1f2e", Path("/logout")),
            ("/a;logout=1f2e/b", Path("/a;logout")),
        ] {
            assert_eq!(session_end(&url(&format!("http://a.test{path}"))), Some(end), "{path}");
        }
    }

    #[test]
    fn a_session_ended_if_pages_are_gone_or_most_are_refused_to_one_who_was_known() {
        let refusals = |pages, replaced, good_before, good_after, was_known| {
            Refusals { pages, replaced, good_before, good_after, was_known }.end_a_session()
        };
        assert!(refusals(1, 1, 0, 90, false));
        assert!(refusals(5, 0, 10, 2, true));
        assert!(!refusals(5, 0, 10, 2, false), "members' pages of a public site");
        assert!(!refusals(5, 0, 10, 50, true), "members' pages among others");
        assert!(!refusals(5, 0, 0, 0, true), "there never was one");
        assert!(!refusals(1, 0, 10, 0, true), "one page may be for others");
    }

    #[test]
    fn digest_is_told_from_what_else_may_stand_in_a_challenge() {
        for (lines, expected) in [
            (&["Digest realm=\"x\", nonce=\"y\""][..], true),
            (&["digest"], true),
            (&["Negotiate", "NTLM", "DIGEST realm=\"a, Basic b\""], true),
            (&["Basic realm=\"x\", Digest realm=\"y\""], false),
            (&["Digest realm=\"x\"", "Basic realm=\"y\""], false),
            (&["Basic realm=\"Digest, Digest \""], false),
            (&["Bearer digest=1"], false),
            (&[], false),
        ] {
            assert_eq!(asks_for_digest_alone(lines.iter().copied()), expected, "{lines:?}");
        }
    }

    #[test]
    fn the_secure_form_of_a_host_has_its_name() {
        let is_secure = |of, to| is_secure_form(&url(of), &url(to));
        assert!(is_secure("http://a.test:8080/", "https://a.test:8443/x"));
        assert!(is_secure("http://a.test/", "https://www.a.test/"));
        assert!(!is_secure("http://a.test/", "https://b.test/"));
        assert!(!is_secure("https://a.test/", "https://a.test/"));
        assert!(!is_secure("http://a.test/", "http://www.a.test/"));
    }
}
