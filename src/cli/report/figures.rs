//! The numbers at the top, each with its difference to the run before.

use std::time::Duration;

use crate::cli::failure::Failure;
use crate::cli::words::{count, size, time};
use crate::read::Database;

use super::parts::{Figure, difference};
use super::query::one;
use super::run::Run;

/// The numbers; their differences only if they are asked for, because it takes longer to find them.
pub fn figures(db: &Database, run: &Run, is_compared: bool) -> Result<Vec<Figure>, Failure> {
    let sql = "select discovered, fetched, failed, (select count(*) from _host) from accounting";
    let [discovered, fetched, failed, hosts]: [i64; 4] =
        one(db, sql, [], |row| Ok([row.at(0)?, row.at(1)?, row.at(2)?, row.at(3)?]))?;
    let before = run.before.as_ref().filter(|_| is_compared);
    let earlier = before.and_then(|before| before.span);
    let hosts_before = before.map(|_| hosts_before(db, run)).transpose()?;
    let [was_fetched, was_failed] = [0, 1].map(|state| before.map(|before| before.states[state]));
    let figure = |name, now: i64, then: Option<i64>, words: fn(i64) -> String| Figure {
        name,
        value: words(now),
        difference: then.map(|then| difference(now, then, words)),
    };
    let length = |took: Duration| took.as_millis().try_into().unwrap_or(i64::MAX);
    let tenths = |pace: f64| (pace * 10.0).round() as i64;
    let pace = run.span.pace().map(tenths);
    let pace_before = earlier.and_then(|span| span.pace()).map(tenths);
    Ok(vec![
        figure("URLs discovered", discovered, before.map(|before| before.discovered), count),
        figure("pages fetched", fetched, was_fetched, count),
        figure("failed", failed, was_failed, count),
        figure("hosts", hosts, hosts_before, count),
        figure("requests in this run", run.requests, before.map(|before| before.requests), count),
        figure("received in this run", run.bytes, before.map(|before| before.bytes), size),
        figure(
            "from first to last request",
            length(run.span.length()),
            earlier.map(|span| length(span.length())),
            span,
        ),
        Figure {
            name: "pages per second",
            value: pace.map_or_else(|| "–".to_owned(), in_tenths),
            difference: pace.zip(pace_before).map(|(now, then)| difference(now, then, in_tenths)),
        },
    ])
}

/// The hosts of which a URL was known when the run began.
fn hosts_before(db: &Database, run: &Run) -> Result<i64, Failure> {
    let sql = "select count(*) from _host h
        where exists (select 1 from _url u where u.host_id = h.id and u.first_seen_at < ?1)";
    one(db, sql, [run.started_at.into()], |row| row.at(0))
}

fn in_tenths(number: i64) -> String {
    format!("{:.1}", number as f64 / 10.0)
}

/// Milliseconds in words.
pub fn span(ms: i64) -> String {
    time(Duration::from_millis(ms.try_into().unwrap_or_default()))
}
