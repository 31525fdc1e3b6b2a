//! How well the main content of pages is found, and in what time: precision, recall and their harmonic mean of the words of
//! 72 pages of twelve kinds, in six dresses and five languages, on which it is marked.
//!
//! `cargo bench --bench articles` prints the table; `cargo bench --bench articles -- --write FOLDER` writes the pages, and
//! `… -- --read FOLDER` judges what another program made of them: FOLDER/00.txt and so on, plain text.

mod corpus;
mod kinds;
mod words;

use std::path::Path;
use std::time::{Duration, Instant};

use corpus::{Sample, Score};
use harvestman::internals::extract::{Article, Page, page::Source};
use url::Url;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let pages = corpus::pages();
    let arguments: Vec<String> = std::env::args().filter(|argument| argument != "--bench").skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--write", folder] => write(&pages, Path::new(folder)),
        ["--read", folder] => read(&pages, Path::new(folder)),
        _ => measure(&pages),
    }
}

fn measure(pages: &[Sample]) -> Outcome {
    let url = Url::parse("https://example.com/a/b")?;
    let began = Instant::now();
    let found = pages.iter().map(|page| {
        let source =
            Source { url: &url, charset: Some("UTF-8"), is_xml: false, language: None, body: page.html.as_bytes() };
        let page = Page::read(source, Instant::now() + Duration::from_secs(10));
        Article::of(&page).map(|article| article.text).unwrap_or_default()
    });
    let found: Vec<_> = found.collect();
    let time = began.elapsed() / u32::try_from(pages.len())?;
    tell(pages, &found);
    println!(
        "\n{time:?} a page of {} bytes on average",
        pages.iter().map(|page| page.html.len()).sum::<usize>() / pages.len()
    );
    Ok(())
}

fn write(pages: &[Sample], folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder)?;
    for (number, page) in pages.iter().enumerate() {
        std::fs::write(folder.join(format!("{number:02}.html")), &page.html)?;
    }
    Ok(())
}

fn read(pages: &[Sample], folder: &Path) -> Outcome {
    let texts = (0..pages.len()).map(|number| std::fs::read_to_string(folder.join(format!("{number:02}.txt"))));
    tell(pages, &texts.collect::<Result<Vec<_>, _>>()?);
    Ok(())
}

/// Prints the means over the pages of each kind, and over all.
fn tell(pages: &[Sample], found: &[String]) {
    let scores: Vec<_> = pages.iter().zip(found).map(|(page, text)| (page.kind, page.score(text))).collect();
    println!("\n| kind | pages | precision | recall | F1 |\n|---|--:|--:|--:|--:|");
    for (kind, _) in kinds::KINDS {
        row(kind, &scores.iter().filter(|(of, _)| *of == kind).map(|(_, score)| *score).collect::<Vec<_>>());
    }
    row("all", &scores.iter().map(|(_, score)| *score).collect::<Vec<_>>());
}

fn row(kind: &str, scores: &[Score]) {
    let mean = |of: fn(Score) -> f64| scores.iter().map(|score| of(*score)).sum::<f64>() / scores.len() as f64;
    let (precision, recall, both) = (mean(Score::precision), mean(Score::recall), mean(Score::both));
    println!("| {kind} | {} | {precision:.3} | {recall:.3} | {both:.3} |", scores.len());
}
