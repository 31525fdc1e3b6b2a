//! The parts of the pipeline, each by itself: canonicalise, parse, schedule, commit.
#![allow(clippy::unwrap_used, reason = "a bench may panic")]

#[path = "common/parts.rs"]
mod made;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use harvestman::internals::canonical::CanonicalUrl;
use harvestman::internals::config::Config;
use harvestman::internals::frontier::limits::Limits;
use harvestman::internals::store::Run as _;
use made::{BASE, IN_FLIGHT, TARGETS_PER_HOST, demo_page, parse, schedule_all, shop_page};
use tokio::runtime::Runtime;

const HOSTS: i64 = 10_000;
const RECORDS: usize = 1_024;

fn canonicalise(c: &mut Criterion) {
    let base = CanonicalUrl::parse(BASE).unwrap();
    let hrefs = made::references();
    let mut group = c.benchmark_group("canonicalise");
    group.throughput(Throughput::Elements(hrefs.len() as u64));
    group.bench_function("relative link", |b| {
        b.iter(|| hrefs.iter().filter(|href| CanonicalUrl::join(base.url(), black_box(href)).is_ok()).count());
    });
    let urls = made::absolute(&hrefs);
    group.bench_function("absolute URL", |b| {
        b.iter(|| urls.iter().filter(|url| CanonicalUrl::parse(black_box(url)).is_ok()).count());
    });
}

fn parsing(c: &mut Criterion) {
    let base = CanonicalUrl::parse(BASE).unwrap();
    let mut group = c.benchmark_group("parse");
    for (name, html) in [("demo page", demo_page(7)), ("shop page", shop_page())] {
        println!("{name}: {} kB, {} links", html.len() / 1000, parse(&base, &html).links.len());
        group.throughput(Throughput::Bytes(html.len() as u64));
        group.bench_function(name, |b| b.iter(|| parse(&base, black_box(&html))));
    }
}

fn schedule(c: &mut Criterion) {
    let config = Config { rate: 1.0, ignore_robots: true, concurrency: IN_FLIGHT, ..Config::default() };
    let limits = Limits::new(&config);
    let web: Vec<_> = (1..=HOSTS).map(made::host_and_targets).collect();
    assert_eq!(schedule_all(&limits, web.clone()) as i64, HOSTS * TARGETS_PER_HOST);
    let mut group = c.benchmark_group("schedule");
    group.sample_size(20).throughput(Throughput::Elements((HOSTS * TARGETS_PER_HOST) as u64));
    group.bench_function("10,000 hosts", |b| {
        b.iter_batched(|| web.clone(), |web| schedule_all(&limits, web), BatchSize::PerIteration);
    });
}

fn commit(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = c.benchmark_group("commit");
    group.sample_size(10).throughput(Throughput::Elements(RECORDS as u64));
    group.bench_function("pages of 20 kB and 26 links, 64 at a time", |b| {
        b.iter_batched(
            || runtime.block_on(made::store_and_batches(RECORDS)),
            |(folder, mut run, hold, batches)| {
                runtime.block_on(async {
                    for batch in batches {
                        run.commit(batch, |_| Some(hold)).await.unwrap();
                    }
                });
                (folder, run)
            },
            BatchSize::PerIteration,
        );
    });
}

criterion_group!(parts, canonicalise, parsing, schedule, commit);
criterion_main!(parts);
