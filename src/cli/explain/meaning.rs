//! What the words of the database mean, and what the user can do about it.

/// A word, what it means, and what changes it.
type Meaning = (&'static str, &'static str, &'static str);

const SKIPPED: &[Meaning] = &[
    ("scope", "It lies outside the crawl's scope.", "A wider --scope, or a seed that it belongs to, lets it in."),
    (
        "excluded",
        "An --exclude pattern matches it, or there are --include patterns and none does.",
        "Other patterns let it in; a seed is never excluded.",
    ),
    (
        "depth",
        "It lies more links away from the seeds than --max-depth allows.",
        "A larger --max-depth lets it in, and so does a shorter path, once one is found.",
    ),
    (
        "robots",
        "The host's robots.txt forbids it.",
        "The next run judges it by the robots.txt of then; --ignore-robots fetches it all the same.",
    ),
    (
        "robots_unreachable",
        "The host's robots.txt gave no usable answer, and until it does nothing may be fetched (RFC 9309).",
        "The next invocation asks for robots.txt again.",
    ),
    (
        "nofollow",
        "Only links lead to it that crawlers are asked not to follow.",
        "A link without nofollow lets it in, once one is found; --ignore-robots follows them all.",
    ),
    (
        "private_address",
        "Its address is not of the public internet, and no seed names this very host.",
        "A seed on that host or --allow-address lets it in, unless --deny-private shuts it out; the next invocation looks again.",
    ),
    (
        "trap",
        "Only pages of one pattern, which bring nothing new, lead to it: there may be no end of these.",
        "--allow-trap lets it in, and so does a seed, a sitemap or a page of another kind that names it.",
    ),
    ("url_too_long", "It is longer than --max-url-length.", "A larger --max-url-length lets it in."),
    (
        "error_page",
        "Only responses with a status of 400 or more link to it, and their links are not followed.",
        "A link on a good page lets it in, once one is found, and so does making it a seed.",
    ),
];

const FAILED: &[Meaning] = &[
    ("dns", "The name of its host led to no address.", "See that the name is right and the name server answers."),
    ("connect", "No connection to its host could be made.", "A longer --connect-timeout helps with a slow host."),
    ("tls", "The encrypted connection failed: certificate or protocol.", "Only the host can mend its certificate."),
    ("timeout", "The answer took too long.", "A longer --timeout gives it more time."),
    (
        "closed",
        "The connection was cut off before the whole answer had come.",
        "It often passes; --retries is for that.",
    ),
    ("protocol", "What answered does not speak HTTP.", "See that scheme and port are right."),
    ("decode", "The answer's content coding is broken or unknown.", "Only the host can mend that."),
    ("too_large", "The body is larger than --max-body-size.", "A larger --max-body-size lets it in."),
    (
        "redirect",
        "The redirects run in a circle, are too many, or lead nowhere.",
        "A larger --max-redirects helps if they are only many.",
    ),
];

/// What it means to be skipped for that reason, and what changes it.
pub fn of_skipped(reason: &str) -> (&'static str, &'static str) {
    look_up(SKIPPED, reason)
}

/// What it means to have failed that way, and what may help.
pub fn of_failed(kind: &str) -> (&'static str, &'static str) {
    look_up(FAILED, kind)
}

fn look_up(meanings: &[Meaning], word: &str) -> (&'static str, &'static str) {
    let found = meanings.iter().find(|(known, ..)| *known == word);
    found.map_or(("A later version of harvestman wrote this.", ""), |(_, meaning, change)| (*meaning, *change))
}

#[cfg(test)]
mod tests {
    use crate::visit::{FailureKind, SkipReason};

    use super::*;

    #[test]
    fn every_reason_and_every_failure_has_its_sentences() {
        let reasons = SkipReason::ALL.iter().map(|reason| of_skipped(reason.as_str()));
        let kinds = FailureKind::ALL.iter().map(|kind| of_failed(kind.as_str()));
        for (meaning, change) in reasons.chain(kinds) {
            assert!(meaning.ends_with('.') && change.ends_with('.'), "{meaning} {change}");
        }
    }

    /// The document with the table of these words between the markers of `name`.
    fn with_table(document: &str, name: &str, meanings: &[Meaning]) -> String {
        let rows = meanings.iter().map(|(word, meaning, change)| format!("| `{word}` | {meaning} | {change} |\n"));
        let table: String = rows.collect();
        let start = document.find(&format!("<!-- {name}: ")).unwrap();
        let start = start + document[start..].find('\n').unwrap() + 1;
        let end = document.find(&format!("<!-- end of {name} -->")).unwrap();
        let head = "| word | what it means | what changes it |\n|---|---|---|";
        format!("{}\n{head}\n{table}\n{}", &document[..start], &document[end..])
    }

    #[test]
    fn messages_md_says_what_every_reason_and_failure_means() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/messages.md");
        let document = std::fs::read_to_string(&path).unwrap();
        let fresh = with_table(&with_table(&document, "failures", FAILED), "skipped", SKIPPED);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, fresh).unwrap();
            return;
        }
        assert!(document == fresh, "docs/messages.md is out of date; BLESS=1 writes it anew");
    }
}
