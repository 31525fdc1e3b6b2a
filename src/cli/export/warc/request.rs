//! What is known of the requests: those of the last run were made as its settings say. What tells hosts who is asking is not
//! kept, and what the user's own headers said is not either.

use crate::cli::failure::Failure;
use crate::config::Told;
use crate::fetch::{ACCEPT, ACCEPT_ENCODING};
use crate::read::Database;
use crate::visit::Millis;
use crate::warc::one_line;

/// Headers of a response, and those of a request that asks whether it is still so.
const CONDITIONS: [(&str, &str); 2] = [("etag", "If-None-Match"), ("last-modified", "If-Modified-Since")];

#[derive(Debug)]
pub struct Requests {
    /// When the last run began.
    since: Millis,
    lines: String,
}

impl Requests {
    pub fn of(db: &Database) -> Result<Self, Failure> {
        let run = db.first("select started_at from _run order by id desc limit 1", [])?;
        let since = run.map_or(Ok(Millis::MAX), |row| row.at(0))?;
        let told = db.first("select value from _meta where key = 'config'", [])?;
        let told: Option<String> = told.as_ref().map(|row| row.at(0)).transpose()?;
        let told: Option<Told> = told.and_then(|told| serde_json::from_str(&told).ok());
        let Some(Told { config, way, .. }) = told else { return Ok(Self { since, lines: String::new() }) };
        let is_own = |name: &str| way.headers.iter().any(|header| header.split(' ').next() == Some(name));
        let sent = [("User-Agent", &*config.user_agent), ("Accept", ACCEPT), ("Accept-Encoding", ACCEPT_ENCODING)];
        let sent = sent.into_iter().filter(|(name, _)| !is_own(&name.to_ascii_lowercase()));
        Ok(Self { since, lines: sent.map(|(name, value)| line(name, value)).collect() })
    }

    /// The header lines of a request that was made then; if it was conditional, with the headers that the conditions are from.
    pub fn lines(&self, at: Millis, conditions: Option<&[(String, String)]>) -> String {
        let mut lines = if at >= self.since { self.lines.clone() } else { String::new() };
        for (from, name) in CONDITIONS {
            let told = conditions.unwrap_or_default().iter().find(|(told, _)| told == from);
            lines.extend(told.map(|(_, value)| line(name, value)));
        }
        lines
    }
}

fn line(name: &str, value: &str) -> String {
    format!("{name}: {}\r\n", one_line(value))
}
