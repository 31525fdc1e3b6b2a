//! What stands below the help of each command: how it is typed.

/// Lines under a heading.
macro_rules! examples {
    ($($command:ident: $($line:literal)+;)+) => {
        $(pub const $command: &str = concat!("Examples:", $("\n  harvestman ", $line),+);)+

        #[cfg(test)]
        const ALL: &[&str] = &[$($($line),+),+];
    };
}

examples! {
    CRAWL: "crawl https://example.com/ --max-depth 3" "crawl seeds.txt --rate 1 --max-pages 1000";
    QUERY: "query \"select status, count(*) from pages group by status\"" "query --recipe broken-links --format csv" "query --schema pages";
    SEARCH: "search 'spider NOT orb' --limit 20";
    STATUS: "status" "status --format json";
    SHOW: "show https://example.com/ --text";
    EXPORT: "export --format jsonl --output pages.jsonl --where \"status = 200\"";
    REPORT: "report --output report.html";
    OPEN: "open" "open -d demo.db --port 8080 --no-browser";
    MCP: "mcp -d crawl.db" "mcp --allow-crawl example.com";
    EXPLAIN: "explain https://example.com/page";
    CHANGES: "changes --since 2026-01-31 --diff";
    AUDIT: "audit --fail-on 'error>0'" "audit --output audit.xlsx";
    EXTRACT: "extract" "extract items --rules product --format csv";
    COPY: "copy crawl.db postgres://me@localhost/crawl";
    CHECK: "check" "check --format json";
    INIT: "init" "init https://example.com/ --yes";
    VACUUM: "vacuum";
    ROBOTS: "robots https://example.com/private/" "robots https://example.com/robots.txt https://example.com/private/ --user-agent mybot";
    DEMO: "demo";
    COMPLETIONS: "completions bash";
    MAN: "man";
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use crate::cli::args::Cli;

    use super::ALL;

    /// As a shell would, as far as quotation marks go.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quote) = (vec![String::new()], None);
        for c in line.chars() {
            match (quote, c) {
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), c) if open == c => quote = None,
                (None, ' ') => words.push(String::new()),
                (_, c) => words.last_mut().unwrap().push(c),
            }
        }
        words
    }

    #[test]
    fn every_example_is_a_command_line_that_is_understood() {
        for line in ALL {
            let typed = std::iter::once("harvestman".to_owned()).chain(words(line));
            assert!(Cli::try_parse_from(typed).is_ok(), "{line}");
        }
    }

    #[test]
    fn every_command_has_an_example_of_itself() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let call = format!("  harvestman {}", command.get_name());
            assert!(help.lines().skip(1).all(|line| line.starts_with(&call)) && help.contains(&call), "{help}");
        }
    }
}
