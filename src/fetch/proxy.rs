//! Which proxy a request goes through: `--proxy`, or else what the environment says, as curl reads it (curl(1),
//! ENVIRONMENT).

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

use crate::config::{Config, ConfigError, proxy_url};

/// The proxies of a crawl. Its URLs may hold passwords, so it has no `Debug`.
#[derive(Default)]
pub(super) struct Proxies {
    pub(super) http: Option<Url>,
    pub(super) https: Option<Url>,
    pub(super) none_for: NoProxy,
}

impl Proxies {
    /// Fails on a proxy that cannot be used and would be.
    pub(super) fn new(config: &Config, environment: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| Some((*name, environment(name).filter(|value| !value.is_empty())?)))
        };
        let none_for = NoProxy(first(&["no_proxy", "NO_PROXY"]).map(|(_, list)| list).unwrap_or_default());
        if config.no_proxy || none_for.is_all() {
            return Ok(Self::default());
        }
        let problem = |problem: String| ConfigError { option: "proxy", problem };
        if let Some(proxy) = &config.proxy {
            let url = proxy_url(proxy.expose()).map_err(|e| problem(e.to_string()))?;
            return Ok(Self { http: Some(url.clone()), https: Some(url), none_for });
        }
        let from = |names: &[&'static str]| {
            let found = first(names).or_else(|| first(&["all_proxy", "ALL_PROXY"]));
            let url = |(name, text): (&str, String)| {
                proxy_url(&text).map_err(|e| problem(format!("{name} in the environment is no proxy: {e}")))
            };
            found.map(url).transpose()
        };
        // In capitals, a server that runs programs for its requests sets it from what a client sends (CVE-2016-5385).
        Ok(Self { http: from(&["http_proxy"])?, https: from(&["https_proxy", "HTTPS_PROXY"])?, none_for })
    }
}

/// Whether a proxy of this URL is told names, and not addresses.
pub(super) fn resolves_names(proxy: &Url) -> bool {
    proxy.scheme() != "socks5"
}

/// Hosts that are asked directly: a list of names, addresses and networks with commas or blanks, or `*`.
#[derive(Debug, Default)]
pub(super) struct NoProxy(String);

impl NoProxy {
    fn is_all(&self) -> bool {
        self.0 == "*"
    }

    /// Whether it lists the host of a URL: a name with all below it, whether or not it begins with a dot, or an address.
    pub(super) fn lists(&self, url: &Url) -> bool {
        let is_listed = |entry: &str| match url.host() {
            Some(Host::Domain(name)) => is_at_or_below(name.trim_end_matches('.'), entry),
            Some(Host::Ipv4(ip)) => holds(entry, ip.into()),
            Some(Host::Ipv6(ip)) => holds(entry, ip.into()),
            None => false,
        };
        // A blank sets entries apart to most releases of curl; to the latest it ends the list, which nobody means who writes one.
        self.0.split([',', ' ', '\t']).any(is_listed)
    }
}

fn is_at_or_below(name: &str, entry: &str) -> bool {
    let entry = entry.strip_prefix('.').unwrap_or(entry).trim_end_matches('.').to_ascii_lowercase();
    !entry.is_empty() && name.strip_suffix(&*entry).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn holds(entry: &str, address: IpAddr) -> bool {
    let entry = entry.trim_start_matches('[').replace(']', "");
    match entry.parse::<IpNet>() {
        Ok(network) => network.contains(&address),
        Err(_) => entry.parse() == Ok(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(config: &Config, environment: &[(&str, &str)]) -> Result<[String; 2], ConfigError> {
        let value = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let Proxies { http, https, .. } = Proxies::new(config, value)?;
        Ok([http, https].map(|url| url.map_or_else(String::new, String::from)))
    }

    #[test]
    fn the_option_goes_before_the_environment_which_is_read_as_curl_reads_it() {
        let of = |environment: &[(&str, &str)]| proxies(&Config::default(), environment).unwrap();
        assert_eq!(of(&[]), ["", ""]);
        assert_eq!(of(&[("http_proxy", "a.test:8080")]), ["http://a.test:8080/", ""]);
        assert_eq!(of(&[("HTTP_PROXY", "http://a.test")]), ["", ""], "in capitals it is not obeyed");
        assert_eq!(of(&[("HTTPS_PROXY", "https://a.test")]), ["", "https://a.test/"]);
        assert_eq!(of(&[("https_proxy", "http://b"), ("HTTPS_PROXY", "http://a")]), ["", "http://b/"]);
        assert_eq!(of(&[("ALL_PROXY", "socks5h://a:1"), ("http_proxy", "b")]), ["http://b/", "socks5h://a:1"]);
        assert_eq!(of(&[("http_proxy", ""), ("all_proxy", "a")]), ["http://a/", "http://a/"]);
        assert_eq!(of(&[("all_proxy", "a"), ("NO_PROXY", "*")]), ["", ""]);
        let config = Config { proxy: Some("b.test:1".into()), ..Config::default() };
        assert_eq!(proxies(&config, &[("all_proxy", "a")]).unwrap(), ["http://b.test:1/", "http://b.test:1/"]);
        assert_eq!(proxies(&Config { no_proxy: true, ..config }, &[]).unwrap(), ["", ""]);
    }

    #[test]
    fn a_proxy_of_another_kind_is_refused_where_it_would_be_used() {
        for scheme in ["socks", "socks4", "socks4a", "htp", "ftp", "quic", "file"] {
            let url = format!("{scheme}://me:pass@a.test:1");
            let error = proxies(&Config::default(), &[("ALL_PROXY", &url)]).unwrap_err();
            assert!(error.problem.starts_with("ALL_PROXY in the environment"), "{error}");
            assert!(!error.problem.contains("pass"), "{error}");
            assert!(proxies(&Config { proxy: Some(url.clone().into()), ..Config::default() }, &[]).is_err());
            let shadowed = [("ALL_PROXY", &*url), ("http_proxy", "a"), ("https_proxy", "a")];
            assert!(proxies(&Config::default(), &shadowed).is_ok());
            assert!(proxies(&Config::default(), &[("ALL_PROXY", &url), ("no_proxy", "*")]).is_ok());
        }
    }

    /// After the table of curl's own unit test 1614.
    #[test]
    fn hosts_without_a_proxy_are_listed_as_curl_lists_them() {
        for (host, list, expected) in [
            ("www.example.com", "localhost .example.com .example.de", true),
            ("www.example.com", "localhost,.example.com,.example.de", true),
            ("www.example.com.", "localhost,.example.com,.example.de", true),
            ("example.com", "localhost,.example.com,.example.de", true),
            ("example.com", "localhost,.example.com.", true),
            ("nexample.com", "localhost,.example.de,.example.com", false),
            ("www.example.com", "example.com", true),
            ("127.0.0.1", "127.0.0.1,localhost,", true),
            ("127.0.0.1", "127.0.0.1/8,localhost", true),
            ("127.0.0.1", "localhost,127.0.0.1.127.0.0.1", false),
            ("localhost", "127.0.0.1,localhost", true),
            ("foobar", "barfoo", false),
            ("192.168.0.1", "foobar", false),
            ("192.168.0.1", "192.168.0.0/16", true),
            ("192.168.0.1", "192.168.0.0/32", false),
            ("192.168.1.1", "foo, bar, 192.168.0.0/24", false),
            ("192.168.1.1", "foo, bar, 192.168.0.0/16", true),
            ("192.168.1.1", "192.168.1.1/33", false),
            ("[::1]", "foo, bar, ::1/64", true),
            ("[::1]", "[::1]", true),
            ("[::1]", "foo, 192.168.0.0/16", false),
            ("BAr", "foo,,,,,              bar, ::1/64", true),
            ("www.example.com", "www2.example.com, .example.net", false),
            ("a.test", "b.test a.test", true),
            ("a.test", "b.test\tc.test, a.test", true),
            ("a.test", "*", true),
            ("a.test", "b.test,*", false),
            ("a.test", "", false),
            ("a.test", ".", false),
        ] {
            let url = Url::parse(&format!("http://{host}:8080/")).unwrap();
            let none_for = NoProxy(list.to_owned());
            assert_eq!(none_for.is_all() || none_for.lists(&url), expected, "{host} in `{list}`");
        }
    }
}
