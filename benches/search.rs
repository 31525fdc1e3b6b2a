//! What the full-text index costs, and how soon the release binary answers, on databases of generated pages: in Latin
//! script, and in Chinese and Thai characters, which set no spaces between words.
//!
//! `cargo bench --bench search` takes 100,000 pages of each; `cargo bench --bench search -- 20000` as many as asked for.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Outcome, Role};
use harvestman::internals::parse::unspaced;
use harvestman::internals::store::sqlite::SqliteDatabase;
use rusqlite::{Connection, params};
use wait4::Wait4 as _;

/// The pages unless another number is asked for.
const PAGES: i64 = 100_000;
/// Different words there are.
const VOCABULARY: f64 = 50_000.0;
const HOSTS: i64 = 10;
/// How often each question is asked.
const TIMES: usize = 15;

#[tokio::main]
async fn main() -> Outcome {
    let pages = match Role::of_this_process() {
        Role::Bench(pages) => pages.first().map_or(Ok(PAGES), |pages| pages.parse())?,
        Role::Server(_) | Role::Nothing => return Ok(()),
    };
    for language in [&LATIN, &CHINESE, &THAI] {
        measure(language, pages).await?;
    }
    Ok(())
}

/// A made language. As in any, its nth word is as frequent as 1/n.
struct Language {
    name: &'static str,
    /// The nth word.
    word: fn(usize) -> String,
    between: &'static str,
    /// Words of a page, about 4 kB of them.
    words: usize,
}

const LATIN: Language = Language { name: "Latin", word: latin, between: " ", words: 500 };
const CHINESE: Language = Language { name: "Chinese", word: chinese, between: "", words: 650 };
const THAI: Language = Language { name: "Thai", word: thai, between: "", words: 250 };

fn latin(n: usize) -> String {
    let syllable = |rest: usize| [b"bcdfghjklmnprstvwxyz"[rest % 20], b"aeiou"[rest / 20 % 5]].map(char::from);
    digits(n, 100).flat_map(syllable).collect()
}

/// One or two characters, of which the first are the most frequent.
fn chinese(n: usize) -> String {
    digits(n, 2_000).filter_map(|digit| char::from_u32(0x4e00 + digit as u32)).collect()
}

/// Some of the consonants with a vowel or tone on top.
fn thai(n: usize) -> String {
    let syllable = |rest: usize| {
        let mark = [None, Some('\u{e35}'), Some('\u{e48}'), Some('\u{e31}')][rest / 40 % 4];
        char::from_u32(0xe01 + rest as u32 % 40).into_iter().chain(mark)
    };
    digits(n, 160).flat_map(syllable).chain(['า']).collect()
}

fn digits(n: usize, base: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(n), move |n| Some(n / base).filter(|n| *n > 0)).map(move |n| n % base)
}

async fn measure(language: &Language, pages: i64) -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("crawl.db");
    SqliteDatabase::open(&path).await?.close().await?;
    generate(&path, language, pages)?;
    index(&path, language, pages)?;
    println!("\n| words | pages that hold them | answered within | CPU |\n|---|--:|--:|--:|");
    let word = language.word;
    let (frequent, usual, rare) = (word(1), word(2_000), word(30_000));
    let beginning: String = rare.chars().take(4).collect();
    for words in [
        rare.clone(),
        usual.clone(),
        word(100),
        frequent.clone(),
        format!("{usual} {frequent}"),
        format!("\"{}{}{}\"", word(20), language.between, word(30)),
        format!("{beginning}*"),
        format!("title: {usual}"),
    ] {
        ask(&path, &words, &[])?;
    }
    ask(&path, &usual, &["--host", "h3.test"])
}

/// Pages of a crawl as its commits leave them, bodies and links not stored.
fn generate(path: &Path, language: &Language, pages: i64) -> Outcome {
    let mut random = fastrand::Rng::with_seed(7);
    let mut text = |words| {
        let words = (0..words).map(|_| (language.word)(VOCABULARY.powf(random.f64()) as usize));
        words.collect::<Vec<_>>().join(language.between)
    };
    let mut db = Connection::open(path)?;
    db.set_prepared_statement_cache_capacity(8);
    let tx = db.transaction()?;
    for host in 0..HOSTS {
        tx.execute("insert into host (id, host) values (?1, ?2)", params![host, format!("http://h{host}.test")])?;
    }
    for id in 1..=pages {
        let (host, url) = (id % HOSTS, format!("http://h{}.test/{id}", id % HOSTS));
        tx.prepare_cached(
            "insert into url (id, url, host_id, state, depth, first_seen_at) values (?1, ?2, ?3, 1, 1, 0)",
        )?
        .execute(params![id, url, host])?;
        tx.prepare_cached(
            "insert into page (url_id, status, title, description, size, fetched_at, changed_at, elapsed_ms, headers)
             values (?1, 200, ?2, ?3, 0, 0, 0, 0, '[]')",
        )?
        .execute(params![id, text(6), text(20)])?;
        tx.prepare_cached("insert into content (url_id, text) values (?1, ?2)")?
            .execute(params![id, text(language.words)])?;
        tx.prepare_cached("insert into unindexed (url_id) values (?1)")?.execute([id])?;
    }
    Ok(tx.commit()?)
}

fn search(path: &Path, words: &str, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harvestman"));
    command.arg("search").arg("-d").arg(path).args(options).arg(words).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn index(path: &Path, language: &Language, pages: i64) -> Outcome {
    let before = path.metadata()?.len();
    let start = Instant::now();
    let used = search(path, "nothing", &[]).spawn()?.wait4()?.rusage;
    let seconds = start.elapsed().as_secs_f64();
    let added = path.metadata()?.len() - before;
    println!(
        "\n{}: {pages} pages without bodies ({:.0} MB) indexed in {seconds:.1} s: {:.2} ms of CPU time and {:.2} kB a page, \
         {:.0} % on top of the database; {:.0} MB of memory",
        language.name,
        before as f64 / 1e6,
        (used.utime + used.stime).as_secs_f64() * 1e3 / pages as f64,
        added as f64 / 1e3 / pages as f64,
        added as f64 * 100.0 / before as f64,
        used.maxrss as f64 / 1e6,
    );
    Ok(())
}

/// Prints how long the command takes, from its start to its end, and how much CPU time, in the middle of many times.
fn ask(path: &Path, words: &str, options: &[&str]) -> Outcome {
    let db = Connection::open(path)?;
    let hits = "select count(*) from page_index where page_index match ?1";
    let hits: i64 = db.query_row(hits, [unspaced::query(words)], |row| row.get(0))?;
    let [mut took, mut used]: [Vec<Duration>; 2] = Default::default();
    for _ in 0..TIMES {
        let start = Instant::now();
        let ended = search(path, words, options).spawn()?.wait4()?;
        if !ended.status.success() {
            return Err(format!("the search for {words} failed").into());
        }
        took.push(start.elapsed());
        used.push(ended.rusage.utime + ended.rusage.stime);
    }
    let [took, used] = [took, used].map(|mut times| {
        times.sort();
        times[TIMES / 2].as_secs_f64() * 1e3
    });
    println!("| `{words}` {} | {hits} | {took:.1} ms | {used:.1} ms |", options.join(" "));
    Ok(())
}
