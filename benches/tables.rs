//! How long a node takes for what it asks of PostgreSQL, as the crawl grows: for taking hosts, reading what is pending of
//! them, a commit, and a report to the other nodes.
//!
//! `HARVESTMAN_TEST_POSTGRES=postgres://… cargo bench --bench tables -- 1000000` goes on to so many URLs (300 bytes of disk
//! each), over 100,000 hosts; two fifths of these are done with. The rows of URLs are filled in by SQL, so that only their
//! number is like that of a crawl: no pages, no links. The user has to be a superuser.
#![allow(clippy::unwrap_used, reason = "a bench may panic")]

#[path = "../tests/common/postgres.rs"]
mod postgres;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harvestman::internals::canonical::CanonicalUrl;
use harvestman::internals::config::Config;
use harvestman::internals::scope::Scope;
use harvestman::internals::store::part::Part;
use harvestman::internals::store::postgres::PgDatabase;
use harvestman::internals::store::{Run as _, Start, Store as _};
use harvestman::internals::visit::{
    self, Candidate, Element, Hold, Page, PageOutcome, Record, Request, Rest, Standing, Target,
};
use postgres::Schema;

const HOSTS: usize = 100_000;
const SIZES: [usize; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
/// Without an argument.
const SIZE: usize = 1_000_000;
const REPEATS: usize = 30;
/// Hosts that are taken at once, and pages of one commit: one of each.
const BATCH: usize = 64;
const BODY: usize = 5_000;
/// Links of a page, and how many of them lead to URLs that nobody knew.
const LINKS: usize = 20;
const NEWS: usize = 4;
const STEPS: [&str; 5] = ["take 64 hosts", "their pending URLs", "commit 64 pages", "report", "give back"];

#[tokio::main]
async fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if !args.iter().any(|arg| arg == "--bench") {
        return;
    }
    let most = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(SIZE);
    let Some(schema) = Schema::new() else { return };
    schema.create();
    let config = Config { lease: Duration::from_secs(3_600), ..Config::default() };
    let seeds = [CanonicalUrl::parse("http://seed.example/").unwrap()];
    let database = PgDatabase::open(&schema.url, &config).await.unwrap();
    let scope = Arc::new(Scope::new(&config, &seeds));
    let start = Start { config: &config, scope: &scope, seeds: &seeds, given: &[] };
    let mut run = database.begin(start).await.unwrap();
    // One that cannot be looked at is 0.
    let server = schema.rows("select pid from pg_stat_activity where application_name = 'harvestman'").await.concat();
    println!(
        "\nMedian, longest of {REPEATS}, and the server's processor on average:\n\n| URLs | {} | bytes per URL |",
        STEPS.join(" | ")
    );
    println!("|--:|{}--:|", "--:|".repeat(STEPS.len()));
    let mut known = 0;
    for size in SIZES.into_iter().filter(|size| *size <= most) {
        fill(&schema, known, size).await;
        let mut times: [Vec<(Duration, Duration)>; STEPS.len()] = Default::default();
        for _ in 0..REPEATS {
            let spent = once(&mut run, size, &server).await;
            times.iter_mut().zip(spent).for_each(|(times, time)| times.push(time));
        }
        let cells: Vec<_> = times.iter_mut().map(|times| told(times)).collect();
        let bytes = schema.rows("select pg_total_relation_size('url') / (select count(*) from url)").await.concat();
        println!("| {size} | {} | {bytes} |", cells.join(" | "));
        known = size;
    }
}

fn told(times: &mut [(Duration, Duration)]) -> String {
    times.sort_unstable();
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let (median, longest) = (millis(times[times.len() / 2].0), millis(times[times.len() - 1].0));
    let busy = millis(times.iter().map(|(_, busy)| busy).sum()) / times.len() as f64;
    format!("{median:.1}, {longest:.0}, {busy:.2} ms")
}

/// How long a process of this machine was at work, all in all: the first number of its `schedstat` (proc(5)).
fn busy(process: &str) -> Duration {
    let told = std::fs::read_to_string(format!("/proc/{process}/schedstat")).unwrap_or_default();
    Duration::from_nanos(told.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
}

/// The URL of a number: numbers a hundred thousand apart are of one host.
fn url(number: usize) -> String {
    format!("http://host{}.example/page/{number}", number % HOSTS)
}

/// Makes the URLs from a number to another known. Their hosts were asked at times that have nothing to do with their order.
async fn fill(schema: &Schema, from: usize, to: usize) {
    let hosts = format!(
        "insert into host (host, asked_at) select 'http://host' || g || '.example', (random() * 1e12)::bigint
         from generate_series(0, {HOSTS} - 1) g on conflict do nothing"
    );
    let urls = format!(
        "insert into url (hash, url, host_id, state, depth, first_seen_at)
         select substring(sha256(convert_to(u.url, 'UTF8')) for 16), u.url, h.id, case when g % 5 < 2 then 1 else 0 end, 1, 0
         from generate_series({from}, {to} - 1) g
         cross join lateral (select 'http://host' || g % {HOSTS} || '.example' as host) n
         cross join lateral (select n.host || '/page/' || g as url) u
         join host h on h.host = n.host"
    );
    let queue =
        "update host h set queued_at = asked_at where exists (select 1 from url where host_id = h.id and state = 0)";
    let rows = [hosts.as_str(), &urls, queue].join(";");
    schema.execute(WITHOUT_INDEXES.replace("ROWS", &rows)).await;
    schema.execute("vacuum analyze".to_owned()).await;
    schema.execute("checkpoint".to_owned()).await;
}

/// Lets rows be written without the triggers of their tables, and to indexes afterwards.
const WITHOUT_INDEXES: &str = "do $$ declare line record; lines text[] := '{}'; begin
    set local session_replication_role = replica;
    for line in select indexname, indexdef from pg_indexes
        where schemaname = current_schema() and tablename = 'url' and indexname <> 'url_pkey'
    loop
        execute format('drop index %I', line.indexname);
        lines := lines || line.indexdef;
    end loop;
    ROWS;
    for at in 1 .. cardinality(lines) loop
        execute lines[at];
    end loop;
end $$";

/// What a node does again and again, and the time of each step.
async fn once(run: &mut Part<PgDatabase>, size: usize, server: &str) -> [(Duration, Duration); STEPS.len()] {
    let now = || (Instant::now(), busy(server));
    let (mut spent, mut began) = (Vec::new(), now());
    let mut lap = |began: &mut (Instant, Duration)| {
        let (at, before) = std::mem::replace(began, now());
        spent.push((at.elapsed(), began.1 - before));
    };
    let taken = run.take(BATCH).await.unwrap();
    lap(&mut began);
    let (mut holds, mut targets) = (HashMap::<_, Hold>::new(), Vec::new());
    let windows: Vec<_> = taken.into_iter().map(|host| (host, BATCH)).collect();
    for refill in run.pending(&windows).await.unwrap() {
        holds.insert(refill.host.id, refill.host.hold());
        targets.extend(refill.targets.into_iter().next());
    }
    lap(&mut began);
    let records = targets.into_iter().map(|target| record(target, size)).collect();
    began = now();
    let committed = run.commit(records, |host| holds.get(&host).copied()).await.unwrap();
    lap(&mut began);
    assert!(committed.lost.is_empty() && committed.settlements.len() == holds.len());
    run.report(&Standing { hosts: BATCH, room: BATCH, ..Standing::default() }).await.unwrap();
    lap(&mut began);
    let mut holds: Vec<_> = holds.into_values().collect();
    holds.extend(committed.hosts.iter().map(|host| host.hold()));
    let asked = holds.into_iter().map(|hold| Hold { asked_at: visit::now(), ..hold }).collect::<Vec<_>>();
    run.give_back(&asked).await.unwrap();
    lap(&mut began);
    spent.try_into().unwrap()
}

/// A page with links to known URLs and to new ones, of hosts that are known.
fn record(target: Target, size: usize) -> Record {
    let link = |number: usize| Candidate {
        text: "a link".to_owned(),
        ..Candidate::new(CanonicalUrl::parse(&url(number)).unwrap(), Element::A)
    };
    let known = std::iter::repeat_with(|| fastrand::usize(..size)).take(LINKS - NEWS);
    let news = std::iter::repeat_with(|| fastrand::usize(1 << 40..1 << 50)).take(NEWS);
    let body: Vec<u8> = std::iter::repeat_with(|| fastrand::alphanumeric() as u8).take(BODY).collect();
    let text = String::from_utf8_lossy(&body[..BODY / 2]).into_owned();
    let page = Page {
        status: 200,
        headers: vec![("content-type".into(), "text/html; charset=utf-8".into())],
        content_type: Some("text/html".into()),
        title: Some("A page".into()),
        text: Some(text),
        content_hash: Some(std::array::from_fn(|_| fastrand::u8(..))),
        links: known.chain(news).map(link).collect(),
        fetched_at: visit::now(),
        body: Some(body),
        ..Page::default()
    };
    let elapsed = Duration::from_millis(20);
    let request = Request {
        at: page.fetched_at,
        elapsed,
        status: Some(200),
        failure: None,
        bytes: BODY as u64,
        certificate_expires_at: None,
    };
    let rest = Rest { answered: Some(true), ..Rest::default() };
    Record::Page { target, request, rest, outcome: PageOutcome::Fetched(Arc::new(page)) }
}
