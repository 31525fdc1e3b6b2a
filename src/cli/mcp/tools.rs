//! The tools as a client is told of them: names, what each is for, and its arguments as JSON Schema.

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use super::crawl::{Crawler, MAX_PAGES, MAX_SECONDS};
use super::schema;

pub const CRAWL: &str = "crawl";

/// All tools; that which crawls only with a crawler.
pub fn tools(crawler: Option<&Crawler>) -> Vec<Tool> {
    let pages = [
        reading(
            "search",
            "Full-text search over titles, descriptions and texts of the crawled pages, the best first, with snippets.",
            json!({
                "words": text("Words, \"a phrase\", word*, AND, OR, NOT, NEAR(a b)"),
                "host": text("Only pages of this host, such as example.com or https://example.com"),
                "limit": number("Hits, at most", 1, 50, 10),
                "skip": number("Hits to pass over", 0, 1_000, 0),
            }),
            &["words"],
        ),
        reading(
            "show",
            "One page. part: summary (what is known of it, and the beginning of its text), text, markdown (the main content, \
             as far as `harvestman extract` found it), headers, links (on it), inbound (to it), metadata, versions.",
            json!({
                "url": text("The page's URL, in any spelling"),
                "part": {
                    "type": "string", "default": "summary",
                    "enum": ["summary", "text", "markdown", "headers", "links", "inbound", "metadata", "versions"],
                },
                "skip": number("Characters of a text, or rows, to pass over", 0, i64::MAX, 0),
            }),
            &["url"],
        ),
        reading(
            "explain",
            "Why a URL was or was not fetched: how it was found, scope, robots.txt, requests, and what happens next. It need not \
             be in the database.",
            json!({ "url": text("The URL, in any spelling") }),
            &["url"],
        ),
    ];
    pages.into_iter().chain(asking()).chain(crawler.map(crawling)).collect()
}

/// The tools that are asked about the whole crawl.
fn asking() -> [Tool; 3] {
    [
        reading(
            "query",
            "Runs one SELECT on the views that `schema` describes, or a recipe by its name. Nothing can be written. A first \
             question: select * from accounting",
            json!({
                "sql": text("One statement; its parameters are written :name"),
                "recipe": text("The name of a recipe instead of SQL: `schema` lists them"),
                "params": {
                    "type": "object", "additionalProperties": { "type": ["string", "number"] },
                    "description": "Values of the parameters, by name",
                },
                "limit": number("Rows, at most", 1, 500, 50),
                "skip": number("Rows to pass over", 0, i64::MAX, 0),
            }),
            &[],
        ),
        reading(
            "schema",
            "The views that `query` can ask, and the recipes; with a view's name, what each of its columns holds.",
            json!({ "view": { "type": "string", "enum": schema::names() } }),
            &[],
        ),
        reading(
            "changes",
            "Which pages are new, changed, gone or restored, and since which run.",
            json!({
                "since": text("From this run's number, or this day or moment (UTC) on; the last run if it is left out"),
                "limit": number("Rows, at most", 1, 500, 50),
                "skip": number("Rows to pass over", 0, i64::MAX, 0),
            }),
            &[],
        ),
    ]
}

fn reading(name: &'static str, about: &'static str, properties: Value, required: &[&str]) -> Tool {
    let annotations = ToolAnnotations::new().read_only(true).open_world(false);
    Tool::new(name, about, schema_of(properties, required)).with_annotations(annotations)
}

fn crawling(crawler: &Crawler) -> Tool {
    let about = format!(
        "Fetches pages from seeds on, politely and by robots.txt, and stores them in the database. Allowed is {}, and nothing \
         else is requested. It answers when it is done or a limit is reached; called again, it goes on with what is left.",
        crawler.reach()
    );
    let properties = json!({
        "seeds": { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 100,
            "description": "URLs to begin with" },
        "max_pages": number("Pages to fetch, at most", 1, MAX_PAGES, 50),
        "max_depth": { "type": "integer", "minimum": 0, "description": "Links away from a seed; 0 fetches the seeds alone" },
        "max_seconds": number("How long it may take", 1, MAX_SECONDS, 45),
        "again": { "type": "boolean", "default": false,
            "description": "Fetch known pages again, whatever their age; else only those of more than a day" },
    });
    let annotations = ToolAnnotations::new().read_only(false).destructive(false).open_world(true);
    Tool::new(CRAWL, about, schema_of(properties, &["seeds"])).with_annotations(annotations)
}

fn schema_of(properties: Value, required: &[&str]) -> JsonObject {
    let schema = json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    });
    match schema {
        Value::Object(schema) => schema,
        _ => JsonObject::new(),
    }
}

fn text(about: &str) -> Value {
    json!({ "type": "string", "description": about })
}

fn number(about: &str, least: i64, most: impl Into<i64>, default: i64) -> Value {
    let most = most.into();
    let mut number = json!({ "type": "integer", "description": about, "minimum": least, "default": default });
    if most < i64::MAX {
        number["maximum"] = most.into();
    }
    number
}
