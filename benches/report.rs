//! Time, peak of resident memory and size of the report of a large crawl, by the release binary; and of one page of `open`.
//!
//! `cargo bench --bench report` fills a file by SQL with 1,000,000 pages of 10,000 hosts, 10,000,000 links and two runs (1 GB);
//! `cargo bench --bench report -- 200000` with so many pages. `KEEP=crawl.db` leaves it behind, for `copy` to PostgreSQL and
//! for `open`.

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use common::Outcome;
use rusqlite::Connection;
use wait4::Wait4 as _;

const PAGES: i64 = 1_000_000;
/// Pages of a host.
const DEPTH: i64 = 100;

/// `:pages` pages of `:hosts` hosts. Every 25th is missing, every 50th redirects to the next, every 7th has no title and every 11th
/// that of others, every tenth shares its body with 99; a tenth as many URLs are skipped, and a hundredth as many failed.
const FILL: &str = "
    pragma synchronous = off;
    create temp table n as with recursive n(i) as (select 1 union all select i + 1 from n where i < :pages) select i from n;
    delete from url; delete from host; delete from failure; delete from seed; delete from seed_line; delete from fetch;
    insert into host (id, host, robots_status) select i, 'https://host-' || i || '.example', 404 from n where i <= :hosts;
    insert into url (id, url, host_id, state, depth, referrer_id, first_seen_at, known)
        select i, 'https://host-' || ((i - 1) % :hosts + 1) || '.example/section-' || (i % 97) || '/page-' || i,
            (i - 1) % :hosts + 1, 1, (i - 1) / :hosts, case when i > :hosts then i - :hosts end,
            1700000000000 + i % 10 / 9 * 200000000, 1 from n;
    insert into url (id, url, host_id, state, reason, depth, referrer_id, first_seen_at)
        select :pages + i, 'https://elsewhere.example/' || i, i % :hosts + 1, 3, 'scope', 1, i, 1700000000000
        from n where i <= :pages / 10;
    insert into url (id, url, host_id, state, depth, referrer_id, first_seen_at)
        select 2 * :pages + i, 'https://host-' || (i % :hosts + 1) || '.example/lost-' || i, i % :hosts + 1, 2, 1, i, 1700000000000
        from n where i <= :pages / 100;
    insert into failure (url_id, kind, message, attempts, last_attempt_at)
        select 2 * :pages + i, 'timeout', 'no answer within 30 s', 4, 1700000000000 from n where i <= :pages / 100;
    insert into page (url_id, status, content_type, title, description, size, content_hash, redirect_to, fetched_at, changed_at,
            elapsed_ms, headers, new_run, new_at)
        select i, case when i % 25 = 0 then 404 when i % 50 = 1 then 301 else 200 end, 'text/html; charset=utf-8',
            case when i % 7 = 0 then null when i % 11 = 0 then 'Home' else 'Page ' || i || ' of the section ' || (i % 97) end,
            case when i % 2 = 0 then 'What page ' || i || ' is about, in a sentence that is as long as such sentences are.' end,
            5000 + i % 20000, printf('%064x', case when i % 10 = 0 then i / 1000 else i + 1000000000 end),
            case when i % 50 = 1 then i % :pages + 1 end, 1700000000000, 1700000000000, 20 + i % 1000, '[]',
            case when i % 10 = 9 then 2 else 1 end, 1700000000000 from n;
    insert into link (from_id, position, to_id, text, rel, element, follow)
        select n.i, j.i, (n.i * j.i * 7919) % :pages + 1, 'a link of page ' || n.i, '', 'a', 1
        from n join (select i from n limit 10) j;
    insert into fetch (run_id, url_id, at, status, elapsed_ms, bytes, unchanged)
        select r.i, n.i, 1700000000000 + r.i * 100000000 + n.i, 200, 20 + n.i % 1000, 5000, 0
        from (select i from n limit 2) r join n;
    insert into change (run_id, url_id, kind, at)
        select 2, i, case when i % 9 = 0 then 'gone' when i % 8 = 0 then 'restored' else 'changed' end, 1700000000000
        from n where i % 3 = 0;
    insert into seed (url_id) select i from n where i <= :hosts;
    insert into seed_line (url_id, line, given) select i, i, url from n join url on id = i where i <= :hosts;
    insert into audit (run_id, at) values (2, 1700000000000);
    insert into finding_kind (finding, severity, advice)
        select 'finding-' || i, case (i % 3) when 0 then 'error' when 1 then 'warning' else 'notice' end, 'Mend it.'
        from n where i <= 60;
    insert into finding (run_id, number, finding, url, state)
        select 2, i, 'finding-' || (i % 60 + 1), 'https://host-' || (i % :hosts) || '.example/page-' || i, 'new' from n;
    delete from run;
    insert into run (id, started_at, finished_at, outcome, discovered, fetched, failed, skipped, requests, bytes)
        select i, 1700000000000 + i * 100000000, 1700000000000 + i * 100000000 + 90000000, 'finished', :pages - 5 + i,
            :pages - 5 + i, 3, 7, :pages, :pages * 5000 from n where i <= 2;
    analyze;";

fn main() -> Outcome {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if !args.iter().any(|arg| arg == "--bench") {
        return Ok(());
    }
    let pages = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(PAGES);
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("crawl.db");
    fill(&database, pages)?;
    println!("\n| of {pages} pages | seconds | KB written | peak memory |\n|---|--:|--:|--:|");
    for output in ["report.html", "report.xlsx"] {
        println!("{}", report(output, folder.path())?);
    }
    if let Some(keep) = std::env::var_os("KEEP") {
        std::fs::copy(database, keep)?;
    }
    Ok(())
}

fn fill(database: &Path, pages: i64) -> Outcome {
    // Nothing listens there: what it leaves is an empty crawl.
    let mut crawl = Command::new(env!("CARGO_BIN_EXE_harvestman"));
    crawl.args(["crawl", "http://127.0.0.1:9/", "--quiet", "--retries", "0", "-d"]).arg(database).status()?;
    let sql = FILL.replace(":pages", &pages.to_string()).replace(":hosts", &(pages / DEPTH).to_string());
    Connection::open(database)?.execute_batch(&sql)?;
    Ok(())
}

/// Makes a report with the binary, and returns the row of the table.
fn report(output: &str, folder: &Path) -> Outcome<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harvestman"));
    command.args(["report", "--quiet", "--output", output]).current_dir(folder);
    let began = Instant::now();
    let used = command.spawn()?.wait4()?;
    if !used.status.success() {
        return Err(format!("{output} failed").into());
    }
    let written = std::fs::metadata(folder.join(output))?.len() as f64 / 1e3;
    let peak = used.rusage.maxrss as f64 / 1e6;
    Ok(format!("| {output} | {:.1} | {written:.0} | {peak:.0} MB |", began.elapsed().as_secs_f64()))
}
