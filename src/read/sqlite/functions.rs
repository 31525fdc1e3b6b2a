//! Functions that questions may use beside SQLite's own. Those of URLs are the same on PostgreSQL, where a migration makes them:
//! what is changed here is changed there.

use percent_encoding::percent_decode_str;
use regex::Regex;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

use crate::scope::place::registrable_domain;

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// Every function by its name, for messages about one that does not exist.
pub const NAMES: [&str; 6] = ["regexp", "regexp_like", "url_host", "url_path", "url_param", "registrable_domain"];

/// Makes them on a connection.
pub fn create(db: &Connection) -> Result<()> {
    let pure = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    // `x regexp y` is written as `regexp(y, x)`.
    db.create_scalar_function("regexp", 2, pure, |context| matches(context, 0, 1))?;
    db.create_scalar_function("regexp_like", 2, pure, |context| matches(context, 1, 0))?;
    db.create_scalar_function("url_host", 1, pure, |context| {
        Ok(text(context, 0)?.and_then(parts).map(|(host, _)| host.to_owned()))
    })?;
    db.create_scalar_function("url_path", 1, pure, |context| {
        let path = |(_, rest): (_, &str)| rest[..rest.find(['?', '#']).unwrap_or(rest.len())].to_owned();
        Ok(text(context, 0)?.and_then(parts).map(path))
    })?;
    db.create_scalar_function("url_param", 2, pure, |context| {
        let (Some(url), Some(name)) = (text(context, 0)?, text(context, 1)?) else { return Ok(None) };
        Ok(param(url, name))
    })?;
    db.create_scalar_function("registrable_domain", 1, pure, |context| {
        let host = text(context, 0)?.and_then(parts).and_then(|(host, _)| url::Url::parse(host).ok());
        Ok(host.and_then(|host| registrable_domain(&host)))
    })
}

/// An argument, if it is text.
fn text<'a>(context: &'a Context<'_>, index: usize) -> Result<Option<&'a str>> {
    match context.get_raw(index) {
        ValueRef::Text(text) => std::str::from_utf8(text).map(Some).map_err(|e| Error::UserFunctionError(Box::new(e))),
        _ => Ok(None),
    }
}

/// Whether a pattern matches anywhere in a text; null if one of them is. A pattern that stays the same is read once.
fn matches(context: &Context<'_>, pattern: usize, of: usize) -> Result<Option<bool>> {
    let (Some(_), Some(text)) = (text(context, pattern)?, text(context, of)?) else { return Ok(None) };
    let at = i32::try_from(pattern).unwrap_or_default();
    let regex = context.get_or_create_aux(at, |pattern| -> Result<Regex, Problem> {
        let pattern = pattern.as_str()?;
        Regex::new(pattern).map_err(|e| {
            // The last line says what is wrong; those before draw where.
            let problem = e.to_string().lines().last().unwrap_or_default().replace("error: ", "");
            format!("`{pattern}` is not a regular expression: {problem}").into()
        })
    });
    Ok(Some(regex?.is_match(text)))
}

/// Scheme, host and port, and what comes behind them.
fn parts(url: &str) -> Option<(&str, &str)> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| url.starts_with(scheme))?;
    let name = &url[scheme.len()..];
    let end = scheme.len() + name.find(['/', '?', '#']).unwrap_or(name.len());
    (end > scheme.len()).then(|| url.split_at(end))
}

/// The value of the first parameter of that name.
fn param(url: &str, name: &str) -> Option<String> {
    let (_, rest) = parts(url)?;
    let query = rest[..rest.find('#').unwrap_or(rest.len())].split_once('?')?.1;
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value))
}

/// As forms write it. What is no UTF-8, or holds U+0000, stays as it is written.
fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(plain) if !plain.contains('\0') => plain.into_owned(),
        _ => text.to_owned(),
    }
}
