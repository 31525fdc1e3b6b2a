//! What is said when a crawl has ended: numbers that add up, hints, and what to try next.

use std::time::Duration;

use crate::engine::{CrawlEnd, Summary};
use crate::store::postgres::is_postgres;

use super::args::DatabaseArg;
use super::console::Console;
use super::ending::Changes;
use super::words::{count, counted, shell, size, time};

/// Says how the crawl ended, and what it found changed since the run before, if there was one.
pub fn say(console: &Console, summary: &Summary, changes: Option<&Changes>) {
    if console.is_for_people() {
        lines(summary).iter().for_each(|line| console.say(line));
        changes.iter().for_each(|changes| console.say(&changed(summary, changes)));
        return;
    }
    let (a, t) = (summary.accounting, summary.tally);
    tracing::info!(
        run = summary.run,
        outcome = summary.outcome.as_str(),
        discovered = a.discovered,
        fetched = a.fetched,
        failed = a.failed,
        skipped = a.skipped,
        pending = a.pending,
        unchanged = t.unchanged,
        bytes = t.bytes,
        requests = t.requests,
        checked = t.checked,
        elapsed_seconds = summary.elapsed_seconds,
        "the crawl has ended"
    );
}

/// Says what to try next.
pub fn say_next(console: &Console, summary: &Summary, changes: Option<&Changes>, database: &str) {
    let found = DatabaseArg { database: std::env::var("HARVESTMAN_DATABASE").ok() }.path();
    let is_found = is_postgres(database) && found.is_ok_and(|found| found == database);
    let has_changed = changes.is_some_and(|changes| *changes != Changes::default());
    let [first, second] = next_commands(summary, has_changed, if is_found { None } else { Some(database) });
    console.say(&format!("Next: {first}"));
    console.say(&format!("      {second}"));
}

fn lines(summary: &Summary) -> [String; 2] {
    let (a, t) = (summary.accounting, summary.tally);
    let how = match summary.outcome {
        CrawlEnd::Finished => "finished",
        CrawlEnd::Limit => "stopped at a limit",
        CrawlEnd::Interrupted => "was interrupted",
        CrawlEnd::Waiting => "waits for hosts that asked for time",
    };
    let took = time(Duration::try_from_secs_f64(summary.elapsed_seconds).unwrap_or_default());
    let bytes = if t.bytes < 1024 { size(t.bytes) } else { format!("{} ({} bytes)", size(t.bytes), count(t.bytes)) };
    [
        format!("Run {} {how} after {took}: {}, {bytes}.", summary.run, counted(t.requests, "request")),
        format!(
            "{} discovered = {} fetched + {} failed + {} skipped + {} pending",
            counted(a.discovered, "URL"),
            count(a.fetched),
            count(a.failed),
            count(a.skipped),
            count(a.pending)
        ),
    ]
}

fn changed(summary: &Summary, changes: &Changes) -> String {
    let Changes { new, changed, gone, restored } = *changes;
    let since =
        format!("Since run {}{}", summary.run - 1, if summary.outcome == CrawlEnd::Finished { "" } else { ", so far" });
    match new + changed + gone + restored {
        0 => format!("{since}: no page is new, changed, gone or restored."),
        _ => format!(
            "{since}: {} new, {} changed, {} gone, {} restored.",
            counted(new, "page"),
            count(changed),
            count(gone),
            count(restored)
        ),
    }
}

/// What stands before a command and behind it so that it finds this database.
pub fn database_option(database: &str) -> (&'static str, String) {
    if is_postgres(database) {
        let (url, had_one) = without_password(database).unwrap_or_else(|| ("postgres://…".to_owned(), false));
        return (if had_one { "PGPASSWORD=… " } else { "" }, format!(" -d {}", shell(&url)));
    }
    match database.starts_with('-') {
        true => ("", format!(" --database={}", shell(database))),
        false => ("", format!(" -d {}", shell(database))),
    }
}

/// Commands that fit how it ended, and work as they are printed; a password is left for the user to put in. Without a
/// database, they find it without being told.
fn next_commands(summary: &Summary, has_changed: bool, database: Option<&str>) -> [String; 2] {
    let (before, option) = database.map_or(("", String::new()), database_option);
    let a = summary.accounting;
    let sql = if a.fetched > 0 && a.failed > 0 {
        "select kind, count(*), min(url) from failures group by kind"
    } else if a.fetched > 0 {
        "select status, count(*) from pages group by status"
    } else if a.pending > 0 && summary.outcome != CrawlEnd::Finished {
        "select host, count(*), min(due_at) from queue group by host limit 20"
    } else if a.failed > 0 {
        "select kind, url, message from failures limit 20"
    } else {
        "select reason, url from skipped limit 20"
    };
    let first = if has_changed { "changes" } else { "status" };
    [format!("{before}harvestman {first}{option}"), format!("{before}harvestman query{option} \"{sql}\"")]
}

/// The URL of a server without the password that may stand in two places of it, and whether one did.
fn without_password(url: &str) -> Option<(String, bool)> {
    let mut url = url::Url::parse(url).ok()?;
    let mut had_one = url.password().is_some();
    if had_one {
        url.set_password(None).ok()?;
    }
    let rest: Vec<_> = url.query_pairs().into_owned().filter(|(key, _)| !key.contains("password")).collect();
    if rest.len() < url.query_pairs().count() {
        had_one = true;
        url.query_pairs_mut().clear().extend_pairs(rest);
        if url.query() == Some("") {
            url.set_query(None);
        }
    }
    Some((url.into(), had_one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Accounting, Tally};

    fn summary() -> Summary {
        Summary {
            run: 3,
            outcome: CrawlEnd::Finished,
            accounting: Accounting { discovered: 1234, fetched: 1200, failed: 4, skipped: 30, pending: 0 },
            tally: Tally { bytes: 5_242_880, requests: 1, ..Tally::default() },
            elapsed_seconds: 2.25,
        }
    }

    #[test]
    fn the_summary_is_two_lines_of_numbers_that_add_up() {
        let expected = [
            "Run 3 finished after 2.2 s: 1 request, 5.0 MiB (5,242,880 bytes).",
            "1,234 URLs discovered = 1,200 fetched + 4 failed + 30 skipped + 0 pending",
        ];
        assert_eq!(lines(&summary()), expected);
    }

    #[test]
    fn the_next_commands_name_the_database_as_a_shell_takes_it() {
        let fine = |database| {
            let accounting = Accounting { failed: 0, ..summary().accounting };
            next_commands(&Summary { accounting, ..summary() }, false, database)
        };
        let [status, query] = fine(Some("my crawl.db"));
        assert_eq!(status, "harvestman status -d 'my crawl.db'");
        assert_eq!(query, "harvestman query -d 'my crawl.db' \"select status, count(*) from pages group by status\"");
        assert_eq!(fine(Some("-x.db"))[0], "harvestman status --database=-x.db");
        assert_eq!(fine(None)[0], "harvestman status");
    }

    #[test]
    fn what_comes_next_fits_how_it_ended() {
        let [first, query] = next_commands(&summary(), true, None);
        assert_eq!(first, "harvestman changes");
        assert_eq!(query, "harvestman query \"select kind, count(*), min(url) from failures group by kind\"");
    }

    #[test]
    fn a_line_says_what_changed_since_the_run_before() {
        let changes = Changes { new: 1, changed: 14, gone: 2, restored: 0 };
        assert_eq!(changed(&summary(), &changes), "Since run 2: 1 page new, 14 changed, 2 gone, 0 restored.");
        let stopped = Summary { outcome: CrawlEnd::Interrupted, ..summary() };
        let nothing = "Since run 2, so far: no page is new, changed, gone or restored.";
        assert_eq!(changed(&stopped, &Changes::default()), nothing);
    }

    #[test]
    fn the_next_commands_name_a_server_without_its_password() {
        for (url, status) in [
            ("postgres://db.test/crawl", "harvestman status -d postgres://db.test/crawl"),
            ("postgres://me:secret@db.test/crawl", "PGPASSWORD=… harvestman status -d postgres://me@db.test/crawl"),
            (
                "postgresql://me@db.test/crawl?password=secret",
                "PGPASSWORD=… harvestman status -d postgresql://me@db.test/crawl",
            ),
            (
                "postgres:///crawl?host=/run/pg&password=secret&options=-csearch_path%3Dnews",
                "PGPASSWORD=… harvestman status -d 'postgres:///crawl?host=%2Frun%2Fpg&options=-csearch_path%3Dnews'",
            ),
        ] {
            assert_eq!(next_commands(&summary(), false, Some(url))[0], status);
        }
    }
}
