//! Which addresses may be requested: those of the public internet, and private ones as far as the user says so.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::canonical::CanonicalUrl;
use crate::config::{Cidr, Config};

/// What the user says of private addresses.
#[derive(Debug, Clone)]
pub struct AddressRules {
    allowed: Vec<Cidr>,
    deny_private: bool,
}

impl AddressRules {
    pub fn new(config: &Config) -> Self {
        Self { allowed: config.allow_address.clone(), deny_private: config.deny_private }
    }

    /// Whether a seed opens the private addresses of its host.
    pub fn license(&self, is_seed_host: bool) -> bool {
        is_seed_host && !self.deny_private
    }

    /// Whether an address may be requested though no seed names the host.
    pub fn permit(&self, address: IpAddr) -> bool {
        !is_private(address) || self.allowed.iter().any(|range| range.contains(address))
    }

    /// Whether what a URL itself names, as far as it names an address, may be requested though no seed names the host.
    pub fn permit_url(&self, url: &CanonicalUrl) -> bool {
        match url.url().host() {
            Some(url::Host::Domain(name)) => !is_loopback(name) || LOOPBACK.iter().any(|address| self.permit(*address)),
            _ => url.literal_address().is_none_or(|address| self.permit(address)),
        }
    }
}

/// What `localhost` stands for.
const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// `localhost`, and whatever is below it (RFC 6761, section 6.3).
fn is_loopback(name: &str) -> bool {
    is_below(name.trim_end_matches('.'), &["localhost"])
}

fn is_below(name: &str, domains: &[&str]) -> bool {
    let is_below =
        |domain: &&str| name.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    domains.iter().any(is_below)
}

/// Whether a name is one of a network of its own, wherever it is resolved: a single label, or below `.local` (RFC 6762),
/// `.internal` (reserved by ICANN) or `.localhost`.
pub fn is_local_name(url: &CanonicalUrl) -> bool {
    let Some(url::Host::Domain(name)) = url.url().host() else { return false };
    let name = name.trim_end_matches('.');
    !name.contains('.') || is_below(name, &["local", "internal", "localhost"])
}

/// Whether an address is none of the public internet's: what the special-purpose registries of RFC 6890 call not globally
/// reachable, multicast, and whatever IPv6 wraps around such an IPv4 address (mapped, compatible, 6to4, Teredo, NAT64).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => is_private_v6(ip),
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    matches!(a, 0 | 10 | 127 | 224..)
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 168)
        || (a == 192 && b == 0 && matches!(c, 0 | 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && matches!(b, 18 | 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113)
}

fn is_private_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    let tail = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_private_v4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        // Unspecified, loopback, IPv4-compatible and IPv4-mapped.
        [0, 0, 0, 0, 0, 0, _, _] => true,
        [0, 0, 0, 0, 0, 0xffff, high, low] => tail(high, low),
        // NAT64: the well-known prefix carries an IPv4 address, the local-use one (RFC 8215) is private.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => tail(high, low),
        [0x64, 0xff9b, ..] => true,
        // 6to4.
        [0x2002, high, low, ..] => tail(high, low),
        // IETF protocol assignments (Teredo and others), documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => true,
        [0x3fff, second, ..] if second < 0x1000 => true,
        // Public addresses are of 2000::/3 (RFC 4291): the rest is unique-local, link-local, multicast or reserved.
        [first, ..] => first & 0xe000 != 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allowed: &[&str], deny_private: bool) -> AddressRules {
        let allow_address = allowed.iter().map(|range| range.parse().unwrap()).collect();
        AddressRules::new(&Config { allow_address, deny_private, ..Config::default() })
    }

    fn permits(rules: &AddressRules, url: &str) -> bool {
        rules.permit_url(&CanonicalUrl::parse(url).unwrap())
    }

    /// Every entry of IANA's special-purpose address registries (RFC 6890 and its updates), by one address or more in it.
    #[test]
    fn what_the_registries_call_not_globally_reachable_is_private() {
        for text in [
            "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255",
            "169.254.0.0 169.254.169.254 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.8 192.0.0.170 192.0.0.171 192.0.2.255",
            "192.88.99.2 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.1 203.0.113.1 240.0.0.1",
            "255.255.255.255 224.0.0.1 239.255.255.255",
            ":: ::1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b:1::1 100::1 100:0:0:1::1 2001::1 2001:2::1 2001:10::1",
            "2001:db8::1 3fff::1 3fff:fff:ffff::1 5f00::1 fc00::1 fdff::1 fe80::1 febf::1 fec0::1 ff02::1",
            "::127.0.0.1 ::ffff:0:10.0.0.1 64:ff9b::10.0.0.1 2002:7f00:1:: 2002:a00:1::1 2001:0:a00:1::1 4000::1",
        ]
        .iter()
        .flat_map(|line| line.split(' '))
        {
            assert!(is_private(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.0.1",
            "172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.31.196.1 192.52.193.1 192.167.255.255 192.169.0.0",
            "192.175.48.1 198.17.255.255 198.20.0.0 223.255.255.255 2606:4700::1111 2001:200::1 2620:4f:8000::1",
            "::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808:: 3fff:1000::1",
        ]
        .iter()
        .flat_map(|line| line.split(' '))
        {
            assert!(!is_private(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_range_opens_the_addresses_in_it_however_they_are_written() {
        let rules = rules(&["10.1.0.0/16", "127.0.0.1", "fd00::/8"], false);
        for url in ["http://10.1.2.3/", "http://[::ffff:10.1.2.3]/", "http://[fd12::1]/", "http://localhost/"] {
            assert!(permits(&rules, url), "{url}");
        }
        for url in ["http://10.2.0.1/", "http://127.0.0.2/", "http://[fc00::1]/", "http://[2002:a01:203::]/"] {
            assert!(!permits(&rules, url), "{url}");
        }
        assert!(permits(&rules, "http://example.com/"));
    }

    #[test]
    fn a_seed_is_a_licence_unless_private_addresses_are_denied() {
        assert!(rules(&[], false).license(true) && !rules(&[], false).license(false));
        assert!(!rules(&[], true).license(true));
        assert!(!permits(&rules(&["10.0.0.0/8"], false), "http://a.localhost/"));
    }

    #[test]
    fn single_labels_and_local_domains_are_names_of_a_network_of_its_own() {
        let is_local = |name| is_local_name(&CanonicalUrl::parse(&format!("http://{name}/")).unwrap());
        for name in ["intranet", "intranet.", "printer.local", "a.b.internal.", "x.localhost", "localhost", "LOCAL"] {
            assert!(is_local(name), "{name}");
        }
        for name in ["example.com", "local.example.com", "notlocal.test", "10.0.0.1", "[::1]"] {
            assert!(!is_local(name), "{name}");
        }
    }
}
