//! What is said when a crawl has ended: numbers that add up, hints, and what to try next.

use std::time::Duration;

use crate::engine::{CrawlEnd, Summary};
use crate::store::postgres::is_postgres;

use super::console::Console;
use super::words::{count, counted, shell, size, time};

/// Says how the crawl ended.
pub fn say(console: &Console, summary: &Summary) {
    if console.is_for_people() {
        lines(summary).iter().for_each(|line| console.say(line));
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
        elapsed_seconds = summary.elapsed_seconds,
        "the crawl has ended"
    );
}

/// Says what to try next.
pub fn say_next(console: &Console, summary: &Summary, database: &str) {
    let [first, second] = next_commands(summary, database);
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

/// Commands that work as they are printed, but for the URL of a server, in which a password may stand.
fn next_commands(summary: &Summary, database: &str) -> [String; 2] {
    let option = if database.starts_with('-') { "--database=" } else { "-d " };
    let database =
        if is_postgres(database) { "-d postgres://…".to_owned() } else { format!("{option}{}", shell(database)) };
    let a = summary.accounting;
    let sql = if a.fetched > 0 {
        "select status, count(*) from pages group by status"
    } else if a.pending > 0 && summary.outcome != CrawlEnd::Finished {
        "select host, count(*), min(due_at) from queue group by host limit 20"
    } else if a.failed > 0 {
        "select kind, url, message from failures limit 20"
    } else {
        "select reason, url from skipped limit 20"
    };
    [format!("harvestman status {database}"), format!("harvestman query {database} \"{sql}\"")]
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
            tally: Tally { unchanged: 0, bytes: 5_242_880, requests: 1 },
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
        let [status, query] = next_commands(&summary(), "my crawl.db");
        assert_eq!(status, "harvestman status -d 'my crawl.db'");
        assert_eq!(query, "harvestman query -d 'my crawl.db' \"select status, count(*) from pages group by status\"");
        assert_eq!(next_commands(&summary(), "-x.db")[0], "harvestman status --database=-x.db");
        let server = next_commands(&summary(), "postgres://me:secret@db.test/crawl");
        assert_eq!(server[0], "harvestman status -d postgres://…");
    }
}
