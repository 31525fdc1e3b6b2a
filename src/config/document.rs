//! The settings as they are stored beside a crawl: one JSON object, whose keys and values are those of the settings file.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::declare::Keys;
use super::options::Config;
use super::values::Recrawl;

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
            let told = Told { config: config.clone(), gated, credentials: BTreeSet::from(["--cookies".to_owned()]) };
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
    fn only_a_change_of_what_decides_on_skipping_has_urls_judged_again() {
        let config = Config { rate: 9.0, fresh: true, ..Config::default() };
        assert!(config.judges_like(&Config::default()));
        let config = Config { exclude: vec![Pattern::new("a").unwrap()], ..config };
        assert!(!config.judges_like(&Config::default()));
        assert!(config.judges_like(&config.clone()));
    }
}
