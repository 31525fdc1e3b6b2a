//! What is stored, as far as findings need it, and what that leaves unchecked.

use crate::cli::due;
use crate::cli::words::counted;
use crate::config::{Config, ToCheck};
use crate::read::{Database, ReadError};

use super::finding::{Finding, Need};

/// Something that was not checked, or not all of it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unchecked {
    pub what: String,
    pub why: String,
}

/// What a database has to offer.
#[derive(Debug)]
pub struct Stored {
    config: Config,
    /// URLs whose pages may hold links that nobody has seen.
    unread: i64,
}

impl Stored {
    pub fn look(db: &Database) -> Result<Self, ReadError> {
        let count = |sql: &str| db.first(sql, [])?.map_or(Ok(0), |row| row.at::<i64>(0));
        Ok(Self {
            config: due::settings(db)?.unwrap_or_default(),
            unread: count("select count(*) from _url where state = 0 or (state = 3 and reason = 'depth')")?,
        })
    }

    /// What a finding needs and is not there, in words.
    pub fn lacks(&self, finding: &Finding) -> Option<String> {
        finding.needs.iter().find_map(|need| self.lacking(*need))
    }

    fn lacking(&self, need: Need) -> Option<String> {
        let config = &self.config;
        let (is_there, why) = match need {
            Need::Links => (config.store_links, "the crawl stored no links (--no-links)"),
            Need::Bodies => (config.store_bodies, "the crawl stored no bodies (--no-bodies)"),
            Need::Texts => (config.store_text, "the crawl stored no text (--no-text)"),
            Need::Sitemaps => (config.sitemaps, "the crawl read no sitemaps: it needs --sitemaps"),
            Need::ExternalChecks => (config.check.contains(&ToCheck::External), "needs --check external"),
            Need::ResourceChecks => (config.check.contains(&ToCheck::Resources), "needs --check resources"),
            Need::Whole if self.unread > 0 => {
                return Some(format!(
                    "needs a crawl to the end: {} may hold more links",
                    counted(self.unread, "unread URL")
                ));
            }
            Need::Whole => return None,
        };
        (!is_there).then(|| why.to_owned())
    }

    /// What no finding tells, because pages are missing.
    pub fn gaps(&self, db: &Database) -> Result<Vec<Unchecked>, ReadError> {
        let mut gaps = Vec::new();
        let mut gap = |what: &str, why: String| gaps.push(Unchecked { what: what.to_owned(), why });
        let sql = "select case when u.state = 0 then 'pending' else u.reason end as why, count(*) from _url u
             join (select to_id as id from _link where element in ('a', 'area', 'iframe', 'frame')
                 union select redirect_to from _page where redirect_to is not null) t on t.id = u.id
             where u.state = 0 or (u.state = 3 and u.reason <> 'robots' and not exists (select 1 from checks c where c.url = u.url))
             group by case when u.state = 0 then 'pending' else u.reason end order by 2 desc, 1";
        let mut reasons = Vec::new();
        let mut targets = 0_i64;
        for row in db.query(sql, [])? {
            let row = row?;
            let number: i64 = row.at(1)?;
            targets += number;
            reasons.push(format!("{number} {}", row.at::<&str>(0)?));
        }
        if targets > 0 {
            let targets = counted(targets, "target");
            gap("links", format!("{targets} of links and redirects not asked for ({})", reasons.join(", ")));
        }
        if !self.config.check.contains(&ToCheck::Resources) {
            gap("images, scripts, styles", "needs --check resources".to_owned());
        }
        gap("#fragments", "pages were asked for whole".to_owned());
        if !self.config.store_bodies {
            gap("meta robots", "the crawl stored no bodies (--no-bodies): X-Robots-Tag alone was read".to_owned());
        }
        Ok(gaps)
    }
}
