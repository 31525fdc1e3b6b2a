//! What a finding is, and what it is found in.

use std::cell::OnceCell;

use crate::read::{Database, ReadError, Row};

use super::heads::{self, Heads};
use super::settings::Settings;

/// How much a finding matters, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
    Notice,
}

impl Severity {
    pub const NAMES: [&str; 3] = ["error", "warning", "notice"];

    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// What must be stored for a finding to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The links of the pages.
    Links,
    /// The bodies of the pages.
    Bodies,
    /// The readable text of the pages.
    Texts,
    /// The sitemaps of the hosts, read for what they name.
    Sitemaps,
    /// The places that links name by their fragments, looked for.
    Fragments,
    /// Whether targets of links are there that the crawl did not fetch.
    ExternalChecks,
    /// The same of what pages are put together from.
    ResourceChecks,
    /// Every page that the crawl knows, so that what is missing is missing.
    Whole,
    /// What `extract metadata` derives.
    Metadata,
    /// What `extract articles` derives.
    Articles,
}

/// One kind of finding.
#[derive(Debug)]
pub struct Finding {
    pub name: &'static str,
    pub severity: Severity,
    /// What it is.
    pub about: &'static str,
    /// What to do.
    pub advice: &'static str,
    pub needs: &'static [Need],
    pub how: How,
}

/// How it is found.
#[derive(Debug)]
pub enum How {
    /// A question with the columns `url`, `other_url` and `detail`.
    Sql(&'static str),
    Rust(fn(&Site<'_>) -> Result<Vec<Found>, ReadError>),
}

/// Where it was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub url: String,
    pub other_url: Option<String>,
    pub detail: Option<String>,
}

impl Found {
    pub fn new(url: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { url: url.into(), other_url: None, detail: Some(detail.into()) }
    }

    pub fn with(self, other_url: impl Into<String>) -> Self {
        Self { other_url: Some(other_url.into()), ..self }
    }

    fn read(row: &Row) -> Result<Self, ReadError> {
        Ok(Self { url: row.at(0)?, other_url: row.at(1)?, detail: row.at(2)? })
    }
}

/// What is stored of a site.
#[derive(Debug)]
pub struct Site<'db> {
    pub db: &'db Database,
    pub settings: &'db Settings,
    heads: OnceCell<Heads>,
}

impl<'db> Site<'db> {
    pub fn new(db: &'db Database, settings: &'db Settings) -> Self {
        Self { db, settings, heads: OnceCell::new() }
    }

    /// What pages say to robots and of their encoding, read once.
    pub fn heads(&self) -> Result<&Heads, ReadError> {
        if let Some(heads) = self.heads.get() {
            return Ok(heads);
        }
        let heads = heads::read(self.db)?;
        Ok(self.heads.get_or_init(|| heads))
    }

    /// The answer to a question as [`How::Sql`] has it.
    pub fn ask(&self, sql: &str) -> Result<Vec<Found>, ReadError> {
        self.db.query(sql, [])?.map(|row| Found::read(&row?)).collect()
    }

    /// Where a kind of finding is found, in the order of the URLs.
    pub fn find(&self, finding: &Finding) -> Result<Vec<Found>, ReadError> {
        let mut found = match finding.how {
            How::Sql(sql) => self.ask(sql)?,
            How::Rust(find) => find(self)?,
        };
        found.sort();
        found.dedup_by(|a, b| (&a.url, &a.other_url) == (&b.url, &b.other_url));
        Ok(found)
    }
}
