//! Items by rules: rules are taken or refused with their place, and give of any page what their columns promise.

use std::time::{Duration, Instant};

use harvestman::internals::extract::Page;
use harvestman::internals::extract::items::{Column, Item, Rules, Tally};
use harvestman::internals::extract::page::Source;
use serde_json::Value;
use url::Url;

/// Rules, a line of three hyphens, and a page. Without that line all of it is the page of the rules that are there.
pub fn items(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (rules, html) = text.split_once("\n---\n").unwrap_or((Rules::builtin("product").unwrap(), &text));
    match Rules::parse(rules) {
        Ok(rules) => hold(&rules, html),
        Err(e) => {
            let line = rules.split('\n').nth(e.line - 1).unwrap_or_else(|| panic!("{e}"));
            assert!(e.column >= 1 && e.column <= line.chars().count() + 1, "{e}");
            assert!(!e.problem.is_empty() && !e.problem.contains('\n'), "{e}");
        }
    }
}

fn hold(rules: &Rules, html: &str) {
    let url = Url::parse("http://h.test/dir/page").unwrap();
    let read = || {
        let deadline = Instant::now() + Duration::from_secs(60);
        let page = Page::read(
            Source { url: &url, charset: None, is_xml: false, language: Some("de"), body: html.as_bytes() },
            deadline,
        );
        let mut tally = Tally::default();
        (rules.items(&page, deadline, &mut tally), tally)
    };
    let (items, tally) = read();
    assert!(items.len() <= 10_000);
    for name in rules.names() {
        let own: Vec<_> = items.iter().filter(|item| item.item == name).collect();
        assert_eq!(own.len() as u64, tally.rules[name].items);
        assert!(own.iter().zip(1..).all(|(item, position)| item.position == position));
        own.iter().for_each(|item| promised(rules, item));
    }
    rules.told(&tally);
    assert!(read() == (items, tally), "the same again");
}

fn promised(rules: &Rules, item: &Item) {
    let columns: Vec<_> = rules.columns(&item.item).collect();
    assert!(item.data.keys().eq(columns.iter().map(|(name, _)| *name)), "{item:?}");
    for ((_, column), value) in columns.iter().zip(item.data.values()) {
        let is_promised = match column {
            Column::Text => value.is_string(),
            Column::Number => value.is_number(),
            Column::Integer => value.is_i64(),
            Column::Boolean => value.is_boolean(),
            Column::Json => value.is_array() || value.is_object(),
        };
        assert!(is_promised || *value == Value::Null, "{column:?}: {value}");
    }
}
