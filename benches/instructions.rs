//! How many instructions the parts of the pipeline take: canonicalise, parse, schedule, commit. Unlike time, that is the same on
//! a busy machine, so that it can be compared with what was kept, in benches/instructions.txt.
//!
//! `cargo bench --bench instructions` fails where a part takes 5 % more than that; `-- --keep` keeps what it takes now. Needs
//! valgrind. Another compiler or processor makes other instructions: beside those that the kept ones are of, nothing is judged.
//!
//! With `--profile dev` it is the instructions of the unoptimised build, which has a file of its own: what is done more often
//! shows there too, and the build is at hand where the tests were run.
#![allow(clippy::unwrap_used, reason = "a bench may panic")]

#[path = "common/parts.rs"]
mod made;

use std::fmt::Write as _;
use std::hint::black_box;
use std::process::{Command, ExitCode};

use harvestman::internals::canonical::CanonicalUrl;
use harvestman::internals::config::Config;
use harvestman::internals::frontier::limits::Limits;
use harvestman::internals::store::Run as _;
use made::{BASE, IN_FLIGHT, TARGETS_PER_HOST, demo_page, parse, schedule_all, shop_page};
use tokio::runtime::Builder;

const KEPT: &str = if cfg!(debug_assertions) {
    concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions-dev.txt")
} else {
    concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt")
};
/// More than this share of what was kept is too much.
const ALLOWED: f64 = 1.05;
/// Few, since valgrind takes a second for what takes a fiftieth without it.
const PAGES: usize = 20;
const SHOP_PAGES: usize = 2;
const STORED: usize = 192;
const ASKED: i64 = 1_000;

/// What is measured: a name, what is counted, and how many of these one go is.
const PARTS: [(&str, &str, usize); 6] = [
    ("join", "link", 1_000),
    ("canonicalise", "URL", 1_000),
    ("parse", "generated page", PAGES),
    ("parse-shop", "page of a shop", SHOP_PAGES),
    ("schedule", "URL", (ASKED * TARGETS_PER_HOST) as usize),
    ("commit", "page", STORED),
];

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match &args[..] {
        [part, goes] => {
            run(part, goes == "1");
            ExitCode::SUCCESS
        }
        [keep] if keep == "--keep" => measure(true),
        _ => measure(false),
    }
}

/// Prepares a part, and goes through it.
fn run(part: &str, goes: bool) {
    match part {
        "join" => {
            let (base, links) = (CanonicalUrl::parse(BASE).unwrap(), made::references());
            if goes {
                links.iter().for_each(|link| _ = black_box(CanonicalUrl::join(base.url(), link)));
            }
        }
        "canonicalise" => {
            let urls = made::absolute(&made::references());
            if goes {
                urls.iter().for_each(|url| _ = black_box(CanonicalUrl::parse(url)));
            }
        }
        "parse" => parse_all((0..PAGES).map(demo_page).collect(), goes),
        "parse-shop" => parse_all(vec![shop_page(); SHOP_PAGES], goes),
        "schedule" => {
            let config = Config { rate: 1.0, ignore_robots: true, concurrency: IN_FLIGHT, ..Config::default() };
            let (limits, web) = (Limits::new(&config), (1..=ASKED).map(made::host_and_targets).collect());
            if goes {
                black_box(schedule_all(&limits, web));
            }
        }
        "commit" => Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let (_folder, mut run, hold, batches) = made::store_and_batches(STORED).await;
            if goes {
                for batch in batches {
                    run.commit(batch, |_| Some(hold)).await.unwrap();
                }
            }
        }),
        _ => panic!("no such part: {part}"),
    }
}

fn parse_all(pages: Vec<String>, goes: bool) {
    let base = CanonicalUrl::parse(BASE).unwrap();
    if goes {
        pages.iter().for_each(|page| _ = black_box(parse(&base, page)));
    }
}

/// Instructions of a part: those with it without those that prepare it.
fn instructions(part: &str, units: usize) -> f64 {
    let [without, with] = ["0", "1"].map(|goes| {
        let program = std::env::current_exe().unwrap();
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
        let output =
            command.args([part, goes]).output().unwrap_or_else(|error| panic!("cannot start valgrind: {error}"));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{told}");
        let collected = told.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim());
        collected.and_then(|count| count.parse::<f64>().ok()).unwrap_or_else(|| panic!("{told}"))
    });
    (with - without) / units as f64
}

/// What the instructions are made by and for.
fn makers() -> String {
    let told = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok();
        output.map(|output| String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
    };
    let processor = if is_avx2() { "with AVX2" } else { "without AVX2" };
    let parts = [told("rustc", &["--version"]), told("cc", &["--version"]), told("valgrind", &["--version"])];
    let parts: Vec<_> = parts.into_iter().map(|part| part.unwrap_or_else(|| "unknown".to_owned())).collect();
    format!("{}, {} {processor}", parts.join(", "), std::env::consts::ARCH)
}

#[cfg(target_arch = "x86_64")]
fn is_avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
fn is_avx2() -> bool {
    false
}

fn measure(keeps: bool) -> ExitCode {
    let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
    let makers = makers();
    let is_comparable = kept.lines().next() == Some(makers.as_str());
    let before = |part: &str| {
        let count = kept.lines().find_map(|line| line.strip_prefix(part)?.strip_prefix(' '))?;
        count.trim().parse::<f64>().ok()
    };
    let (mut table, mut new) = (String::new(), format!("{makers}\n"));
    let mut is_too_much = false;
    for (part, unit, units) in PARTS {
        let count = instructions(part, units);
        let _ = writeln!(new, "{part} {count:.0}");
        let ratio = before(part).map(|before| count / before);
        is_too_much |= ratio.is_some_and(|ratio| ratio > ALLOWED);
        let ratio = ratio.map(|ratio| format!("{ratio:.3} × what was kept")).unwrap_or_default();
        let _ = writeln!(table, "{part:<13} {count:>12.0} a {unit:<15} {ratio}");
    }
    print!("{table}");
    if keeps {
        std::fs::write(KEPT, new).unwrap();
    } else if !is_comparable {
        println!("Not judged: what was kept is of {}; this is {makers}", kept.lines().next().unwrap_or("nothing"));
    } else if is_too_much {
        println!("More than {ALLOWED} × what was kept in {KEPT}; `-- --keep` if it is worth it");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
