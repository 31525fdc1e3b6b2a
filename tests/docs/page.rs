//! A page of the documentation as a list of steps: its fenced blocks and what comments ask for.
//!
//! What a reader does not see stands in HTML comments, alone on their line:
//!
//! | comment | what it does |
//! |---|---|
//! | `<!-- first: COMMAND -->` | runs a command that the page takes for granted, such as a crawl |
//! | `<!-- file: NAME -->` | the block below is in the folder under this name, from the start on |
//! | `<!-- not run: needs WHAT -->` | the block below is not run, for `WHAT` is not there; [`ABSENT`] lists what that may be |
//! | `<!-- needs: NAME -->` | the block below is run where this program, or module of Python, is installed; `PostgreSQL`: where `.ci/postgres` has started a server |
//! | `<!-- exit: CODE -->` | the block below ends with this exit code |

use std::path::Path;

/// What commands may need that neither CI nor every developer's machine has.
const ABSENT: [&str; 6] = ["root", "Docker", "a browser", "a release build", "a large crawl", "pywb and py-wacz"];

pub struct Page {
    /// Its path in the repository.
    pub name: String,
    pub steps: Vec<Step>,
}

pub enum Step {
    /// A command that the page takes for granted.
    First(String),
    Block(Block),
}

#[derive(Default)]
pub struct Block {
    /// The line of its fence, from 1 on.
    pub line: usize,
    pub language: String,
    pub text: String,
    pub file: Option<String>,
    pub absent: Option<String>,
    /// A program or a module of Python.
    pub needs: Option<String>,
    pub code: i32,
    /// The `text` block behind it: what it prints. `…` stands for anything within a line, a line of it for any lines.
    pub output: Option<String>,
}

impl Page {
    pub fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        let (mut steps, mut next) = (Vec::new(), Block::default());
        let mut lines = text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let place = || format!("{name}:{}", at + 1);
            if let Some((key, value)) = mark(line) {
                match key {
                    "first" => steps.push(Step::First(value.to_owned())),
                    "file" => next.file = Some(value.to_owned()),
                    "needs" => next.needs = Some(value.to_owned()),
                    "exit" => next.code = value.parse().unwrap_or_else(|_| panic!("{}: {value}", place())),
                    // tests/recipes.rs runs them.
                    "recipes" => {
                        lines.by_ref().take_while(|(_, line)| *line != "<!-- end of recipes -->").for_each(drop)
                    }
                    "not run" => next.absent = Some(absent(value, &place()).to_owned()),
                    // A marker of parts that tests write.
                    _ => {}
                }
            } else if let Some(language) = line.trim_start().strip_prefix("```") {
                let indent = line.len() - line.trim_start().len();
                (next.line, next.language) = (at + 1, language.to_owned());
                for (_, line) in lines.by_ref().take_while(|(_, line)| line.trim() != "```") {
                    next.text.push_str(line.get(indent..).unwrap_or_default());
                    next.text.push('\n');
                }
                push(&mut steps, std::mem::take(&mut next));
            } else if !line.trim().is_empty() {
                assert!(next.is_unmarked(), "{}: the comment above is about no block", place());
                // A text that stands apart is nobody's output.
                steps.push(Step::First(String::new()));
            }
        }
        steps.retain(|step| !matches!(step, Step::First(command) if command.is_empty()));
        Self { name: name.to_owned(), steps }
    }

    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.steps.iter().filter_map(|step| match step {
            Step::Block(block) => Some(block),
            Step::First(_) => None,
        })
    }
}

impl Block {
    fn is_unmarked(&self) -> bool {
        self.file.is_none() && self.absent.is_none() && self.needs.is_none() && self.code == 0
    }
}

/// A `text` block right behind a command is its output.
fn push(steps: &mut Vec<Step>, block: Block) {
    match steps.last_mut() {
        Some(Step::Block(last)) if block.language == "text" && last.output.is_none() => last.output = Some(block.text),
        _ => steps.push(Step::Block(block)),
    }
}

fn mark(line: &str) -> Option<(&str, &str)> {
    line.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")?.split_once(": ")
}

fn absent<'a>(reason: &'a str, place: &str) -> &'a str {
    let what = reason.strip_prefix("needs ").unwrap_or_else(|| panic!("{place}: not run, but not for a need"));
    assert!(ABSENT.contains(&what), "{place}: {what} is no reason");
    what
}

/// Where what was printed differs from what is shown, if it does.
pub fn difference(shown: &str, printed: &str) -> Option<String> {
    let trimmed = |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    let (shown, printed) = (trimmed(shown), trimmed(printed));
    (!lines_match(&shown, &printed)).then(|| format!("shown:\n{}\nprinted:\n{}", shown.join("\n"), printed.join("\n")))
}

fn lines_match(shown: &[String], printed: &[String]) -> bool {
    match (shown, printed) {
        ([], printed) => printed.is_empty(),
        ([first, rest @ ..], _) if first == "…" => {
            (0..=printed.len()).any(|skipped| lines_match(rest, &printed[skipped..]))
        }
        ([first, rest @ ..], [line, more @ ..]) => line_matches(first, line) && lines_match(rest, more),
        (_, []) => false,
    }
}

fn line_matches(shown: &str, printed: &str) -> bool {
    let pattern = shown.split('…').map(regex::escape).collect::<Vec<_>>().join(".*");
    regex::Regex::new(&format!("^{pattern}$")).unwrap().is_match(printed)
}

#[test]
fn marks_of_blocks_and_gaps_in_outputs_are_understood() {
    assert_eq!(mark("  <!-- not run: needs root -->"), Some(("not run", "needs root")));
    assert_eq!(mark("<!-- end of views -->"), None);
    for (shown, printed, is_same) in [
        ("a … c\n", "a b c  \n", true),
        ("a\n…\nd\n", "a\nb\nc\nd", true),
        ("a\n…\nd\n", "a\nd", true),
        ("a (b)\n", "a b\n", false),
        ("a\n", "a\nb\n", false),
        ("a\nb\n", "a\n", false),
    ] {
        assert_eq!(difference(shown, printed).is_none(), is_same, "{shown} {printed}");
    }
}
