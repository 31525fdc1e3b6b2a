//! The settings as they are stored beside a crawl: one JSON object, whose keys and values are those of the settings file.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use aws_lc_rs::digest;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::declare::Keys;
use super::options::Config;
use super::values::{Recrawl, proxy_url};

/// What an invocation was told, as it is stored for those who ask later: the settings, and what they do not say.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct Told {
    #[serde(flatten)]
    pub config: Config,
    /// More than the settings decided what is skipped: a hook, or another version of the crawler.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gated: bool,
    /// The options that told hosts who is asking, in this invocation or an earlier one of the same run.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub credentials: BTreeSet<String>,
    /// What else is no part of the settings as they are stored, and the same for all processes of one crawl.
    #[serde(flatten)]
    pub way: Way,
}

/// How requests are sent, without what is secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Way {
    /// Scheme, host and port of the proxy.
    #[serde(default, rename = "proxy-server", skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Names of headers that are no secret by their names, each with a digest of its value, which may be one after all.
    #[serde(default, rename = "headers", skip_serializing_if = "BTreeSet::is_empty")]
    pub headers: BTreeSet<String>,
}

impl Way {
    pub(crate) fn of(config: &Config) -> Self {
        let proxy = config.proxy.as_ref().and_then(|proxy| proxy_url(proxy.expose()).ok());
        let server = |url: url::Url| {
            let port = url.port_or_known_default().map_or_else(String::new, |port| format!(":{port}"));
            format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
        };
        let plain = config.header.iter().filter(|header| !header.is_confidential());
        let headers = plain.map(|header| {
            let digest = digest::digest(&digest::SHA256, header.value.expose().as_bytes());
            let digest: String = digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            format!("{} #{digest}", header.name.to_ascii_lowercase())
        });
        Self { proxy: proxy.map(server), headers: headers.collect() }
    }
}

/// An option in which two processes of one crawl differ, with both values as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option} is {ours} here and {theirs} there")]
pub struct Difference {
    option: String,
    ours: String,
    theirs: String,
}

impl Difference {
    pub(crate) fn new(option: impl Into<String>, ours: String, theirs: String) -> Self {
        Self { option: option.into(), ours, theirs }
    }
}

/// Options that each process has as it likes.
const OWN: [&str; 2] = ["concurrency", "max-connections"];

impl Told {
    /// The first option in which these settings differ from those of another document. What is missing there is the
    /// default.
    pub(crate) fn difference(&self, theirs: &str) -> Option<Difference> {
        let document = |told: &Self| serde_json::to_value(told).ok();
        let default =
            Self { config: Config::default(), gated: false, credentials: BTreeSet::new(), way: Way::default() };
        let (ours, default) = (document(self)?, document(&default)?);
        let theirs: serde_json::Value = serde_json::from_str(theirs).unwrap_or_default();
        let empty = serde_json::Map::new();
        let (ours_map, theirs_map) = (ours.as_object()?, theirs.as_object().unwrap_or(&empty));
        let value = |map: &serde_json::Map<String, serde_json::Value>, key: &str| {
            map.get(key).or_else(|| default.get(key)).filter(|value| !value.is_null()).cloned()
        };
        let keys: BTreeSet<_> =
            ours_map.keys().chain(theirs_map.keys()).filter(|key| !OWN.contains(&key.as_str())).collect();
        keys.into_iter().find_map(|key| {
            let (ours, theirs) = (value(ours_map, key), value(theirs_map, key));
            let option = match key.as_str() {
                "gated" => "a program that decides on URLs".to_owned(),
                "credentials" => "what tells hosts who is asking".to_owned(),
                "proxy-server" => "--proxy".to_owned(),
                "headers" => "--header".to_owned(),
                key => format!("--{key}"),
            };
            (ours != theirs).then(|| Difference::new(option, shown(ours.as_ref()), shown(theirs.as_ref())))
        })
    }
}

/// A stored value as a person reads it.
fn shown(value: Option<&serde_json::Value>) -> String {
    match value {
        None => "not set".to_owned(),
        Some(serde_json::Value::String(text)) => format!("`{text}`"),
        Some(serde_json::Value::Array(values)) if values.is_empty() => "not set".to_owned(),
        Some(serde_json::Value::Array(values)) => {
            values.iter().map(|value| shown(Some(value))).collect::<Vec<_>>().join(", ")
        }
        // A rate that is whole is written so.
        Some(value) => match value.as_f64().filter(|number| number.fract() == 0.0 && !value.is_u64()) {
            Some(number) => format!("`{number}`"),
            None => format!("`{value}`"),
        },
    }
}

impl<'de> Deserialize<'de> for Config {
    /// Reads what any version stored: what is missing is the default, what is unknown is left out.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Document)
    }
}

struct Document;

impl<'de> Visitor<'de> for Document {
    type Value = Config;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Config, A::Error> {
        let mut config = Config::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                // Version 0.1 named fields, and wrote numbers where there are texts now.
                "max_body_size" => config.max_body_size = map.next_value()?,
                "recrawl_after_ms" => {
                    let age = map.next_value::<Option<u64>>()?.map(Duration::from_millis);
                    config.recrawl_after = age.map_or(Recrawl::Auto, Recrawl::After);
                }
                "recrawl_min_ms" => config.recrawl_min = Duration::from_millis(map.next_value()?),
                "recrawl_max_ms" => config.recrawl_max = Duration::from_millis(map.next_value()?),
                key => config.read(&key.replace('_', "-"), &mut map)?,
            }
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::values::{Pattern, ScopeKind};

    #[test]
    fn settings_are_read_as_they_were_stored() {
        let config = Config {
            scope: ScopeKind::Domain,
            include: vec![Pattern::new("/a/").unwrap()],
            max_depth: Some(3),
            max_duration: Some(Duration::from_millis(90_500)),
            max_body_size: 5_000_000,
            rate: 0.25,
            recrawl_after: Recrawl::Auto,
            recrawl_max: Duration::MAX,
            body_types: "text/html, *+xml".parse().unwrap(),
            store_links: false,
            ..Config::default()
        };
        for config in [config, Config::default()] {
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), config, "{json}");
        }
    }

    #[test]
    fn secrets_and_what_concerns_one_invocation_are_not_stored() {
        let header = "Authorization: Bearer abc".parse().unwrap();
        let proxy = Some("http://me:abc@proxy.test".into());
        let config = Config { header: vec![header], proxy, fresh: true, no_proxy: true, ..Config::default() };
        assert_eq!(serde_json::to_string(&config).unwrap(), serde_json::to_string(&Config::default()).unwrap());
        assert!(!format!("{config:?}").contains("abc"));
    }

    #[test]
    fn what_was_told_is_one_document_that_is_read_as_settings_too() {
        let config = Config { max_depth: Some(3), keep_runs: Some(2), ..Config::default() };
        for gated in [true, false] {
            let told = Told {
                config: config.clone(),
                gated,
                credentials: BTreeSet::from(["--cookies".to_owned()]),
                way: Way::default(),
            };
            let json = serde_json::to_string(&told).unwrap();
            assert_eq!(serde_json::from_str::<Told>(&json).unwrap(), told);
            assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), config);
        }
        let of_first_version = r#"{"max_body_size": 1000, "recrawl_after_ms": null}"#;
        let told: Told = serde_json::from_str(of_first_version).unwrap();
        assert_eq!((told.config.max_body_size, told.config.recrawl_after, told.gated), (1000, Recrawl::Auto, false));
    }

    #[test]
    fn a_document_of_another_version_is_read_as_far_as_it_goes() {
        let first = r#"{"scope": "any", "include": [], "exclude": ["a"], "max_depth": null, "max_url_length": 100,
            "ignore_robots": true, "user_agent": "x/1", "rate": 1.5, "retries": 1, "max_redirects": 2,
            "max_body_size": 1000, "recrawl_after_ms": null, "recrawl_min_ms": 60000, "recrawl_max_ms": 120000}"#;
        let expected = Config {
            scope: ScopeKind::Any,
            exclude: vec![Pattern::new("a").unwrap()],
            max_url_length: 100,
            ignore_robots: true,
            user_agent: "x/1".into(),
            rate: 1.5,
            retries: 1,
            max_redirects: 2,
            max_body_size: 1000,
            recrawl_after: Recrawl::Auto,
            recrawl_min: Duration::from_secs(60),
            recrawl_max: Duration::from_secs(120),
            ..Config::default()
        };
        assert_eq!(serde_json::from_str::<Config>(first).unwrap(), expected);
        let later = r#"{"of-another-version": ["a"], "max-depth": 2}"#;
        assert_eq!(serde_json::from_str::<Config>(later).unwrap(), Config { max_depth: Some(2), ..Config::default() });
    }

    #[test]
    fn two_documents_differ_in_an_option_and_not_in_how_much_a_machine_does() {
        let told = |config: Config| Told { config, gated: false, credentials: BTreeSet::new(), way: Way::default() };
        let written = |told: &Told| serde_json::to_string(told).unwrap();
        let ours = told(Config { concurrency: 9, rate: 3.0, ..Config::default() });
        assert_eq!(ours.difference(&written(&told(Config { rate: 3.0, ..Config::default() }))), None);
        let difference = |theirs: &str| ours.difference(theirs).map(|it| it.to_string());
        let slower = written(&told(Config { rate: 1.5, ..Config::default() }));
        assert_eq!(difference(&slower).as_deref(), Some("--rate is `3` here and `1.5` there"));
        assert_eq!(
            difference("{}").as_deref(),
            Some("--rate is `3` here and `2` there"),
            "what is missing is the default"
        );
        let theirs = Told { credentials: BTreeSet::from(["--netrc".to_owned()]), ..ours.clone() };
        let said = "what tells hosts who is asking is not set here and `--netrc` there";
        assert_eq!(difference(&written(&theirs)).as_deref(), Some(said));
        let limited = told(Config { max_pages: Some(5), ..ours.config.clone() });
        assert_eq!(difference(&written(&limited)).as_deref(), Some("--max-pages is not set here and `5` there"));
    }

    #[test]
    fn proxies_and_headers_are_compared_and_no_secret_of_them_is_kept() {
        let told = |proxy: Option<&str>, header: &str| {
            let config = Config {
                proxy: proxy.map(Into::into),
                header: vec![header.parse().unwrap(), "X-Api-Key: hidden".parse().unwrap()],
                ..Config::default()
            };
            let (credentials, way) = (config.credentials(), Way::of(&config));
            Told { config, gated: false, credentials, way }
        };
        let ours = told(Some("socks5://me:hidden@proxy.test"), "X-Team: hidden");
        let written = serde_json::to_string(&ours).unwrap();
        assert!(!written.contains("hidden"), "{written}");
        assert_eq!(serde_json::from_str::<Told>(&written).unwrap().way, ours.way);
        let difference = |theirs: &Told| ours.difference(&serde_json::to_string(theirs).unwrap());
        assert_eq!(difference(&told(Some("socks5://you:other@proxy.test"), "x-team: hidden")), None);
        let said = difference(&told(Some("proxy.test:3128"), "X-Team: hidden")).unwrap().to_string();
        assert_eq!(said, "--proxy is `socks5://proxy.test` here and `http://proxy.test:3128` there");
        let said = difference(&told(Some("socks5://proxy.test"), "X-Team: other")).unwrap().to_string();
        assert!(said.starts_with("--header is `x-team #") && said.contains(" here and `x-team #"), "{said}");
    }

    #[test]
    fn only_a_change_of_what_decides_on_skipping_has_urls_judged_again() {
        let config = Config { rate: 9.0, fresh: true, ..Config::default() };
        assert!(config.judges_like(&Config::default()));
        let config = Config { exclude: vec![Pattern::new("a").unwrap()], ..config };
        assert!(!config.judges_like(&Config::default()));
        assert!(config.judges_like(&config.clone()));
    }
}
