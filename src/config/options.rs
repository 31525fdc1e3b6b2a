//! Every option of a crawl, once, and the settings that they make up.

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;

use super::declare::{declare_options, store_options};
use super::kinds::{
    self, As, Count, File, Flag, List, Many, Maybe, Names, Negative, Rate, Size, Span, Text, TrapPattern,
};
use super::values::*;

/// Workers, at most: each costs some memory, busy or not.
const MAX_CONCURRENCY: usize = 100_000;

/// Bytes of a database, at least: one without a page takes most of them.
const LEAST_DATABASE: u64 = 1 << 20;

const USER_AGENT: &str = concat!("harvestman/", env!("CARGO_PKG_VERSION"), " (+", env!("CARGO_PKG_REPOSITORY"), ")");

const fn empty<T>() -> Vec<T> {
    Vec::new()
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const fn minutes(count: u64) -> Duration {
    seconds(60 * count)
}

const fn hours(count: u64) -> Duration {
    minutes(60 * count)
}

const fn days(count: u64) -> Duration {
    hours(24 * count)
}

/// Hands the list of options to a macro, in the form that [`declare_options`] describes.
macro_rules! with_options {
    ($then:ident $($more:tt)*) => { $then! { $($more)*
        /// The settings of one crawl.
        ///
        /// [`Config::default`] is what the command line starts from. [`Config::validate`] refuses what cannot work, which
        /// starting a crawl does too. Serialised, settings are one object without secrets; read back, what is missing is
        /// the default and what is unknown is left out.
        ///
        /// ```
        /// use harvestman::{Config, ScopeKind};
        ///
        /// let config = Config { scope: ScopeKind::Domain, max_pages: Some(100), ..Config::default() };
        /// assert!(config.validate().is_ok());
        /// ```
        #[derive(Debug, Clone, PartialEq)]
        pub struct Config;

        /// How far from the seeds the crawl goes.
        scope: [ScopeKind] = ScopeKind::Host, Judges, As<ScopeKind>, "How far from the seeds";
        /// A URL must match one of these, if there are any. Seeds are always in scope.
        include: [Vec<Pattern>] = empty(), Judges, Many<As<Pattern>>, "Only URLs that match; repeatable";
        /// A URL must match none of these. Seeds are always in scope.
        exclude: [Vec<Pattern>] = empty(), Judges, Many<As<Pattern>>, "No URLs that match; repeatable";
        /// Query parameters to leave out of the URLs that links and sitemaps lead to: names with commas, in which `*` stands for
        /// any characters and `?` for one. Seeds and targets of redirects keep theirs.
        drop_params: [Vec<String>] = empty(), Stored, Many<Names>,
            "Query parameters to leave out of the URLs of links and sitemaps, e.g. 'utm_*,gclid'; case counts; repeatable";
        /// Links away from a seed, at most; unlimited if unset.
        max_depth: [Option<u32>] = None, Judges, Maybe<Count<u32>>, "Links away from a seed", "unlimited";
        /// Responses stored by this invocation, exact; unlimited if unset.
        max_pages: [Option<u64>] = None, Stored, Maybe<Count<u64>>,
            "Responses stored by this invocation", "unlimited";
        /// Responses of each host that this invocation stores, at most; unlimited if unset.
        max_pages_per_host: [Option<u64>] = None, Stored, Maybe<Count<u64>>, "The same for each host", "unlimited";
        /// The crawl stops cleanly after this time; requests in flight get ten seconds more.
        max_duration: [Option<Duration>] = None, Stored, Maybe<Span>,
            "Stop cleanly after, e.g. 50m; requests in flight get ten seconds more", "unlimited";
        /// The crawl stops cleanly once the database holds so many bytes; space that is free in its file does not count.
        max_database_size: [Option<u64>] = None, Stored, Maybe<Size>,
            "Stop cleanly once the database has this size, 1MiB at least, e.g. 20GiB", "unlimited";
        /// Decoded bytes, at least 1; a larger body is a failure `too_large`.
        max_body_size: [u64] = 10 * 1024 * 1024, Stored, Size, "Decoded; a larger body is a failure";
        /// Workers, at least 1 and at most 100,000.
        concurrency: [usize] = 64, Stored, Count<usize>, "Workers";
        /// Requests in flight, at least 1; as many as workers if unset.
        max_connections: [Option<usize>] = None, Stored, Maybe<Count<usize>>,
            "Requests in flight", "as many as workers";
        /// Requests in flight to one host, at least 1.
        max_connections_per_host: [usize] = 2, Stored, Count<usize>, "Requests in flight to one host";
        /// Requests per second to one host; 0 is unlimited. A longer `Crawl-delay` wins.
        rate: [f64] = 2.0, Stored, Rate,
            "Requests per second to one host, 0 for no limit; a longer Crawl-delay wins";
        /// Requests per second in all; 0 is unlimited.
        global_rate: [f64] = 0.0, Stored, Rate, "Requests per second in all, 0 for no limit";
        /// Fetches what robots.txt forbids, and follows nofollow links.
        ignore_robots: [bool] = false, Judges, Flag, "Fetch what robots.txt forbids, and follow nofollow links";
        /// The `User-Agent` header. It starts with the product token that robots.txt is matched against. By default it names
        /// harvestman, its version and its home page.
        user_agent: [String] = USER_AGENT.to_owned(), Stored, Text,
            "The User-Agent; its product token is what robots.txt is matched against", "";
        /// How long a request may take, from the connection to the last byte of the body.
        timeout: [Duration] = seconds(30), Stored, Span, "The whole request";
        /// How long it may take to connect.
        connect_timeout: [Duration] = seconds(10), Stored, Span, "The connection";
        /// Tries after the first, for failures that may pass.
        retries: [u32] = 3, Stored, Count<u32>, "Tries after the first, for what may pass";
        /// The longest this invocation waits for a host that asked for time.
        max_wait: [Duration] = minutes(10), Stored, Span,
            "The longest to wait for a host that asked for time";
        /// Redirects in a row, at most.
        max_redirects: [u32] = 10, Stored, Count<u32>, "Hops in a row";
        /// Bytes; longer URLs are skipped.
        max_url_length: [usize] = 4096, Judges, Count<usize>, "Longer URLs are skipped";
        /// Sent with every request; `Authorization`, `Cookie` and names with `auth`, `token`, `key`, `secret` or `session` to
        /// the seeds' hosts only.
        header: [Vec<Header>] = empty(), Unstored, Many<kinds::Header>,
            "Sent with every request; Authorization, Cookie and names with auth, token, key, secret or session to the seeds' hosts only; repeatable";
        /// A Netscape `cookies.txt`, read at the start.
        cookies: [Option<PathBuf>] = None, Unstored, Maybe<File>,
            "Begin with the cookies of this Netscape cookies.txt", "none";
        /// Keeps the cookies that hosts set, and sends them back while the crawl runs (RFC 6265bis).
        keep_cookies as no_cookies: [bool] = true, Stored, Negative, "Keep no cookies, and send none but those of --header";
        /// A file with names and passwords for the seeds' hosts, as curl reads it.
        netrc: [Option<PathBuf>] = None, Unstored, Maybe<File>,
            "Send the names and passwords of this netrc file to the seeds' hosts (Basic)", "none";
        /// The URL of a proxy: `http`, `https`, `socks5` (names are resolved here) or `socks5h`; if unset, what the environment
        /// says, as curl reads it.
        proxy: [Option<Secret>] = None, Unstored, Maybe<kinds::Proxy>,
            "Proxy URL: http, https, socks5 or socks5h", "from the environment";
        /// Private addresses that may be requested though no seed names their host.
        allow_address: [Vec<Cidr>] = empty(), Judges, Many<As<Cidr>>,
            "Private addresses that may be requested though no seed names their host, e.g. 10.1.0.0/16; repeatable";
        /// Requests no private address, not even on a seed's host.
        deny_private: [bool] = false, Judges, Flag, "Request no private address, not even on a seed's host";
        /// Patterns of the view `traps` that are let through, or `all`.
        allow_trap: [Vec<String>] = empty(), Stored, Many<TrapPattern>,
            "Let through what was held back as trap: a pattern of the view traps, literally, or `all`; repeatable";
        /// Asks hosts directly, whatever the environment says of proxies.
        no_proxy: [bool] = false, Code, Flag, "";
        /// In a new run, known pages younger than this are left alone.
        recrawl_after: [Recrawl] = Recrawl::After(Duration::ZERO), Stored, As<Recrawl>,
            "In a new run, leave pages alone that were fetched less than this ago; `auto`: each at an interval that follows its changes";
        /// The shortest interval of [`Recrawl::Auto`].
        recrawl_min: [Duration] = hours(1), Stored, Span, "The shortest interval of `auto`";
        /// The longest interval of [`Recrawl::Auto`].
        recrawl_max: [Duration] = days(30), Stored, Span,
            "The longest interval of `auto`";
        /// In a new run, pages are left alone whose response says that it is still fresh.
        respect_cache: [bool] = false, Stored, Flag,
            "In a new run, leave pages alone whose Cache-Control or Expires says that they are fresh";
        /// Gives up an interrupted run.
        fresh: [bool] = false, Unstored, Flag, "Give up an interrupted run instead of continuing it";
        /// Media types whose bodies are downloaded.
        body_types: [BodyTypes] = BodyTypes::default(), Stored, As<BodyTypes>, "Media types whose bodies are downloaded";
        /// Stores the bodies of responses.
        store_bodies as no_bodies: [bool] = true, Stored, Negative, "Do not store bodies";
        /// Stores bodies compressed, in a SQLite database; PostgreSQL compresses by itself.
        compress: [bool] = false, Stored, Flag,
            "Store bodies compressed (zstd): a fraction of the space, and read by harvestman alone; PostgreSQL does so by itself";
        /// Stores which page links to which.
        store_links as no_links: [bool] = true, Stored, Negative, "Do not store links";
        /// Also takes the URLs of the hosts' sitemaps.
        sitemaps: [bool] = false, Judges, Flag,
            "Also take the URLs of the hosts' sitemaps: those robots.txt names, else /sitemap.xml";
        /// What pages name besides what is crawled, and that is looked for: whether it is there.
        check: [Vec<ToCheck>] = empty(), Stored, List<ToCheck>,
            "Check, with one request each, what is not crawled: links out of scope (external), images, scripts, styles, fonts and media (resources); without any, whether the places that links name behind # exist (fragments); several with commas; repeatable";
        /// Stores the readable text of pages. Titles and descriptions are stored anyway.
        store_text as no_text: [bool] = true, Stored, Negative,
            "Do not store readable text; titles and descriptions are kept";
        /// Older versions kept of each page that changes or goes away.
        keep_versions: [u32] = 0, Stored, Count<u32>,
            "Of a page that changes or goes away, keep up to N older versions; 0 keeps none";
        /// Runs of which fetches and changes are kept, at least 1; all if unset.
        keep_runs: [Option<u32>] = None, Stored, Maybe<Count<u32>>,
            "At the end of a run, delete the fetches and changes of all but the last N runs", "keep all";
        /// What this process is called among others that crawl into the same PostgreSQL database: a label.
        node: [Option<String>] = None, Unstored, Maybe<Text>,
            "On PostgreSQL: what this process is called among others", "host name and process";
        /// On PostgreSQL: how long a process that is silent keeps its hosts, at least a second and at most a day.
        lease: [Duration] = seconds(30), Stored, Span,
            "On PostgreSQL: how long a process that is silent keeps its hosts to itself";
        /// On PostgreSQL: takes part only in a crawl at which another process is at work.
        join: [bool] = false, Unstored, Flag,
            "On PostgreSQL: take part only in a crawl at which another process is at work; else end at once with exit code 0";
    } };
}

pub(crate) use with_options;

with_options! { declare_options }
with_options! { store_options }

/// A setting that no crawl can run with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option}: {problem}")]
#[non_exhaustive]
pub struct ConfigError {
    /// The name of the option on the command line.
    pub option: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Config {
    /// Requests in flight, at most.
    pub fn connections(&self) -> usize {
        self.max_connections.unwrap_or(self.concurrency)
    }

    /// Whether anything is asked for that is checked and not crawled.
    pub fn checks_by_requests(&self) -> bool {
        self.check.iter().any(|what| *what != ToCheck::Fragments)
    }

    /// Whether the places that links name by their fragments are looked for.
    pub fn checks_fragments(&self) -> bool {
        self.check.contains(&ToCheck::Fragments)
    }

    /// The product token that robots.txt is matched against (RFC 9309, section 2.2.1).
    pub fn product_token(&self) -> &str {
        product_token(&self.user_agent)
    }

    /// Refuses what cannot work, before anything is opened.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let refuse = |option, problem: &str| Err(ConfigError { option, problem: problem.to_owned() });
        if self.concurrency == 0 {
            return refuse("concurrency", "at least one worker is needed");
        }
        if self.concurrency > MAX_CONCURRENCY {
            return refuse("concurrency", &format!("more than {MAX_CONCURRENCY} workers"));
        }
        if self.connections() == 0 {
            return refuse("max-connections", "at least one connection is needed");
        }
        if self.max_connections_per_host == 0 {
            return refuse("max-connections-per-host", "at least one connection is needed");
        }
        if self.cookies.is_some() && !self.keep_cookies {
            return refuse("no-cookies", "keeps none, so --cookies contradicts it");
        }
        if self.deny_private && !self.allow_address.is_empty() {
            return refuse("deny-private", "allows no address, so --allow-address contradicts it");
        }
        for (is_stored, option) in [(self.store_bodies, "no-bodies"), (self.store_links, "no-links")] {
            if self.checks_fragments() && !is_stored {
                return refuse(option, "stores none, so --check fragments contradicts it");
            }
        }
        if self.max_database_size.is_some_and(|size| size < LEAST_DATABASE) {
            return refuse("max-database-size", "must be at least 1MiB: a database without a page takes most of that");
        }
        if self.max_body_size == 0 {
            return refuse("max-body-size", "must be at least one byte");
        }
        for (option, rate) in [("rate", self.rate), ("global-rate", self.global_rate)] {
            if !rate.is_finite() || rate < 0.0 {
                return refuse(option, "must be 0 (no limit) or a positive number of requests per second");
            }
        }
        if self.timeout.is_zero() {
            return refuse("timeout", "must be longer than zero");
        }
        if self.connect_timeout.is_zero() {
            return refuse("connect-timeout", "must be longer than zero");
        }
        if self.recrawl_min > self.recrawl_max {
            return refuse("recrawl-min", "must not be longer than --recrawl-max");
        }
        if !(seconds(1)..=days(1)).contains(&self.lease) {
            return refuse("lease", "must be at least a second and at most a day");
        }
        if self.keep_runs == Some(0) {
            return refuse("keep-runs", "at least the run itself is kept");
        }
        if self.product_token().is_empty() {
            return refuse("user-agent", "must start with a product token, such as `mybot/1.0`");
        }
        if HeaderValue::from_str(&self.user_agent).is_err() {
            return refuse("user-agent", "must be a text that a header can hold, without control characters");
        }
        Ok(())
    }
}

/// The leading letters, digits, hyphens and underscores of a user agent; of one that begins as browsers do, those after
/// `compatible;` (RFC 9309, section 2.2.1, has an example).
pub fn product_token(user_agent: &str) -> &str {
    let token = leading_token(user_agent);
    let after = user_agent.split_once("compatible;").filter(|_| token.eq_ignore_ascii_case("mozilla"));
    after.map(|(_, rest)| leading_token(rest.trim_start())).filter(|own| !own.is_empty()).unwrap_or(token)
}

fn leading_token(user_agent: &str) -> &str {
    let end = user_agent.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    &user_agent[..end.unwrap_or(user_agent.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_token_ends_before_the_version() {
        assert_eq!(product_token("harvestman/0.1 (+https://example.org)"), "harvestman");
        assert_eq!(product_token("My-Bot_x 2"), "My-Bot_x");
    }

    #[test]
    fn the_product_token_of_a_crawler_that_calls_itself_mozilla_is_its_own() {
        for (agent, token) in [
            ("Mozilla/5.0 (compatible; mybot/1.0; +https://example.com/bot.html)", "mybot"),
            (
                "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible;my_bot/2.1; +http://e.test) Safari",
                "my_bot",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla"),
            ("Mozilla/5.0 (compatible; )", "Mozilla"),
            ("mybot/1.0 (compatible; other/2)", "mybot"),
        ] {
            assert_eq!(product_token(agent), token);
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_name() {
        let config = Config { rate: f64::NAN, ..Config::default() };
        assert_eq!(config.validate().unwrap_err().option, "rate");
        assert!(Config::default().validate().is_ok());
    }
}
