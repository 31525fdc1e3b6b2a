//! What stands around every page: its title, the way to the others, and the page that says why there is none.

use askama::Template;

use crate::cli::failure::Failure;
use crate::cli::output::printable;

/// The pages that the navigation leads to.
const PLACES: [(&str, &str); 7] = [
    ("/", "Overview"),
    ("/pages", "Pages"),
    ("/search", "Search"),
    ("/failures", "Failures"),
    ("/skipped", "Skipped"),
    ("/queue", "Queue"),
    ("/sql", "SQL"),
];

/// What the template of the frame needs.
#[derive(Debug)]
pub struct Frame {
    pub database: String,
    pub title: String,
    /// Which of the places it is, or belongs to.
    pub here: &'static str,
    pub version: &'static str,
    /// Whether it renews itself.
    pub is_live: bool,
}

impl Frame {
    pub fn new(database: &str, here: &'static str) -> Self {
        let title = PLACES.iter().find(|(path, _)| *path == here).map_or("", |(_, title)| title);
        let (database, title) = (database.to_owned(), title.to_owned());
        Self { database, title, here, version: env!("CARGO_PKG_VERSION"), is_live: false }
    }

    pub fn titled(self, title: &str) -> Self {
        Self { title: printable(title), ..self }
    }

    /// Address, name, and whether it is this place.
    pub fn places(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        PLACES.into_iter().map(|(path, title)| (path, title, path == self.here))
    }
}

/// The HTML of a page.
pub fn render(page: &impl Template) -> Result<String, Failure> {
    page.render().map_err(|e| Failure::new("cannot make the page").cause(&e))
}

#[derive(Template)]
#[template(path = "open/problem.html", whitespace = "minimize")]
struct Problem {
    frame: Frame,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

/// The page that tells a failure.
pub fn problem(database: &str, here: &'static str, failure: &Failure) -> String {
    let frame = Frame::new(database, here).titled("This did not work");
    let causes = failure.causes.iter().map(|cause| printable(cause)).collect();
    let hint = failure.hint.as_deref().map(printable);
    let problem = Problem { frame, message: printable(&failure.message), causes, hint };
    problem.render().unwrap_or_default()
}
