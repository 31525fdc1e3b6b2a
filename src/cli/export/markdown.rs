//! Markdown with front matter: a file a page, or a JSON line; whole, or in chunks.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tempfile::TempPath;
use url::Url;

use crate::cli::args::ExportArgs;
use crate::cli::console::Console;
use crate::cli::failure::Failure;
use crate::cli::leftovers;
use crate::cli::signals;
use crate::cli::target::Target;
use crate::cli::words::counted;
use crate::extract::{chunks, words};
use crate::read::{Database, Row};

use super::pages::Pages;

/// Characters of the part of a file's name that is for people.
const MAX_SLUG: usize = 80;
/// Bytes of the hash in a file's name.
const HASH: usize = 8;
/// What every article is told with, in this order.
const COLUMNS: [&str; 6] = ["url", "title", "author", "published_at", "language", "words"];

/// Writes the articles of the pages; returns how many there are.
pub fn write(db: &Database, pages: &Pages<'_>, args: &ExportArgs, console: &Console) -> Result<i64, Failure> {
    if !has_any(db)? {
        return Err(Failure::new(format!("no articles are stored in `{}`", db.name()))
            .hint("`harvestman extract articles` finds them in the stored pages"));
    }
    let columns = COLUMNS.map(|column| format!("a.{column}")).join(", ");
    let sql = format!(
        "with chosen as (select p.url_id as place, v.url {})
         select {columns}, a.markdown from chosen c cross join articles a where a.url = c.url order by c.place",
        pages.from()
    );
    let chunk = args.chunk.map(|words| words as usize);
    let is_folder = args.output.as_os_str().as_encoded_bytes().ends_with(b"/");
    let written = if is_folder {
        let folder = Folder::new(&args.output)?;
        pages.each(&sql, |row| folder.put(&Article::read(&row)?, chunk))?
    } else {
        Target::new(&args.output, db.path())?
            .whole(|out| pages.each(&sql, |row| put_lines(out, &Article::read(&row)?, chunk)))?
    };
    say_what_is_missing(pages, written, console)?;
    Ok(written)
}

pub fn has_any(db: &Database) -> Result<bool, Failure> {
    Ok(db.has_view("articles")? && db.first("select 1 from articles limit 1", [])?.is_some())
}

/// Pages that could have an article and have none.
fn say_what_is_missing(pages: &Pages<'_>, written: i64, console: &Console) -> Result<(), Failure> {
    let sql = format!(
        "select count(*) {} and v.status = 200
         and (v.content_type like 'text/html%' or v.content_type like 'application/xhtml+xml%')",
        pages.from()
    );
    let mut all = 0;
    pages.each(&sql, |row| {
        all = row.at(0)?;
        Ok(())
    })?;
    if all > written {
        let missing = counted(all - written, "page");
        console.say(&format!("{missing} left out: not extracted yet (`harvestman extract articles`), or no article."));
    }
    Ok(())
}

struct Article {
    /// What it is told with, without what is not known of it.
    head: Map<String, Value>,
    url: String,
    markdown: String,
}

impl Article {
    fn read(row: &Row) -> Result<Self, Failure> {
        let mut head = Map::new();
        for (at, column) in COLUMNS.iter().enumerate().take(COLUMNS.len() - 1) {
            let value: Option<String> = row.at(at)?;
            head.extend(value.map(|value| ((*column).to_owned(), value.into())));
        }
        head.insert("words".to_owned(), row.at::<i64>(COLUMNS.len() - 1)?.into());
        Ok(Self { head, url: row.at(0)?, markdown: row.at(COLUMNS.len())? })
    }

    /// It as a whole, or its chunks, each with what it is told with.
    fn parts(&self, chunk: Option<usize>) -> Vec<(Map<String, Value>, String)> {
        let Some(words) = chunk else { return vec![(self.head.clone(), self.markdown.clone())] };
        let chunks = chunks::chunks(&self.markdown, words).into_iter().map(|chunk| {
            let mut head = self.head.clone();
            head.insert("words".to_owned(), words::count(&chunk.text).into());
            head.insert("chunk".to_owned(), chunk.position.into());
            head.insert("headings".to_owned(), chunk.headings.into());
            (head, chunk.text)
        });
        chunks.collect()
    }
}

fn put_lines(out: &mut impl Write, article: &Article, chunk: Option<usize>) -> Result<(), Failure> {
    for (mut head, markdown) in article.parts(chunk) {
        head.insert("markdown".to_owned(), markdown.into());
        writeln!(out, "{}", Value::Object(head))?;
    }
    Ok(())
}

/// A folder that files are written into.
struct Folder {
    path: PathBuf,
    /// What a file is called while it is written. It is removed when this is dropped.
    part: TempPath,
}

impl Folder {
    fn new(path: &Path) -> Result<Self, Failure> {
        let failed = |e: &std::io::Error| Failure::new(format!("cannot write into `{}`", path.display())).cause(e);
        fs::create_dir_all(path).map_err(|e| failed(&e))?;
        leftovers::clean(path);
        let part = tempfile::Builder::new().prefix(leftovers::PREFIX).suffix(leftovers::FILE).tempfile_in(path);
        let part = part.map_err(|e| failed(&e))?.into_temp_path();
        let unfinished = part.to_path_buf();
        signals::end_after(move || drop(fs::remove_file(unfinished)))?;
        Ok(Self { path: path.to_owned(), part })
    }

    fn put(&self, article: &Article, chunk: Option<usize>) -> Result<(), Failure> {
        let name = name_of(&article.url);
        let parts = article.parts(chunk);
        let file = |part: Option<usize>| match part {
            Some(part) => self.path.join(format!("{name}-{part}.md")),
            None => self.path.join(format!("{name}.md")),
        };
        for (number, (head, markdown)) in (1..).zip(&parts) {
            self.write(&file(chunk.map(|_| number)), &format!("---\n{}---\n\n{markdown}\n", front_matter(head)))?;
        }
        if chunk.is_some() {
            // It may have had more chunks the last time.
            (parts.len() + 1..).take_while(|number| fs::remove_file(file(Some(*number))).is_ok()).for_each(drop);
        }
        Ok(())
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), Failure> {
        let written = fs::remove_file(&self.part).or_else(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(e),
        });
        // Nobody else's file is written into, and what is there is replaced by a whole one.
        let written = written
            .and_then(|()| OpenOptions::new().write(true).create_new(true).open(&self.part))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&self.part, path));
        written.map_err(|e| Failure::new(format!("cannot write `{}`", path.display())).cause(&e))
    }
}

/// Host and path of a URL as `[a-z0-9-]`, and a hash that no other URL has.
fn name_of(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    let readable =
        parsed.map(|url| format!("{}{}", url.host_str().unwrap_or_default(), url.path())).unwrap_or_default();
    let mut slug = String::new();
    for c in readable.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == MAX_SLUG {
            break;
        }
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, url.as_bytes());
    let hash: String = digest.as_ref().iter().take(HASH).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{hash}", slug.trim_end_matches('-')).trim_start_matches('-').to_owned()
}

/// YAML of which each value is JSON, which YAML 1.2 contains.
fn front_matter(head: &Map<String, Value>) -> String {
    head.iter().map(|(name, value)| format!("{name}: {}\n", yaml(value))).collect()
}

/// JSON in which what YAML takes for a line break or does not allow (YAML 1.1, 5.1 and 5.4) is escaped too.
fn yaml(value: &Value) -> String {
    let mut yaml = String::new();
    for c in value.to_string().chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                yaml.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => yaml.push(c),
        }
    }
    yaml
}

#[cfg(test)]
mod tests {
    use super::{name_of, yaml};

    #[test]
    fn the_name_of_a_file_is_made_of_letters_digits_and_hyphens_whatever_the_url() {
        assert_eq!(name_of("https://example.com/a/B%20c?d=1#e"), "example-com-a-b-20c-81b9b4015b2d7f17");
        assert_eq!(name_of("https://example.com/../../etc/passwd"), "example-com-etc-passwd-99164840ea556703");
        assert_eq!(name_of("http://[::1]/"), "1-dd58bbdf741702d0");
        assert_ne!(name_of("https://example.com/a?1"), name_of("https://example.com/a?2"));
        assert!(name_of(&format!("https://example.com/{}", "é/".repeat(2000))).len() < 110);
    }

    #[test]
    fn a_value_is_one_line_of_yaml_whatever_it_is() {
        let told = yaml(&"a: \"b\"\n---\u{85}\u{2028}\u{7f}\u{0} é 🕷 \\".into());
        assert_eq!(told, "\"a: \\\"b\\\"\\n---\\u0085\\u2028\\u007f\\u0000 é 🕷 \\\\\"");
    }
}
