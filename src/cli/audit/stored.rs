//! What is stored, as far as findings need it, and what that leaves unchecked.

use crate::cli::due;
use crate::cli::words::counted;
use crate::config::{Config, ToCheck};
use crate::extract::{Kind, Wanted};
use crate::policy::kept::Kept;
use crate::read::{Database, ReadError};

use super::finding::{Finding, Need};
use super::sql::{bare, extracted, pages};

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
    /// Pages, and those that `extract` has not read as they are now: for metadata, and for articles.
    pages: i64,
    stale: [i64; 2],
}

/// What `extract` derives and findings read.
const DERIVED: [Kind; 2] = [Kind::Metadata, Kind::Articles];

impl Stored {
    pub fn look(db: &Database) -> Result<Self, ReadError> {
        let count = |sql: &str| db.first(sql, [])?.map_or(Ok(0), |row| row.at::<i64>(0));
        let stale = |kind: Kind| {
            let sql = concat!(
                "select count(*) from ",
                pages!(),
                " left join _derived d on d.url_id = p.url_id and d.kind = ?1 and d.version = ?2
                     and d.content_hash = p.content_hash where d.url_id is null"
            );
            let wanted = Wanted::new(&[kind], None);
            let version = wanted.iter().next().map_or("", |(_, version)| version);
            db.first(sql, [kind.as_str().into(), version.into()])?.map_or(Ok(0), |row| row.at(0))
        };
        let [metadata, articles] = DERIVED.map(stale);
        Ok(Self {
            config: due::settings(db)?.unwrap_or_default(),
            unread: count("select count(*) from _url where state = 0 or (state = 3 and reason = 'depth')")?,
            pages: count(concat!("select count(*) from ", pages!()))?,
            stale: [metadata?, articles?],
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
            Need::Metadata => (self.has_read(Kind::Metadata), "needs `harvestman extract metadata`"),
            Need::Articles => (self.has_read(Kind::Articles), "needs `harvestman extract articles`"),
            Need::Sitemaps => (config.sitemaps, "the crawl read no sitemaps: it needs --sitemaps"),
            Need::Fragments => (config.checks_fragments(), "needs --check fragments"),
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

    /// Whether `extract` has read any page for this as it is now. Where there are none, nothing is missing.
    fn has_read(&self, kind: Kind) -> bool {
        let stale = DERIVED.iter().zip(self.stale).find(|(derived, _)| **derived == kind);
        self.pages == 0 || stale.is_none_or(|(_, stale)| stale < self.pages)
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
        let unread = |bit: u8| {
            let sql = concat!("select count(*) from ", pages!(), " where p.kept & ?1 = 0");
            db.first(sql, [i64::from(bit).into()])?.map_or(Ok(0_i64), |row| row.at(0))
        };
        let parts = "images, scripts, styles";
        if self.config.check.contains(&ToCheck::Resources) {
            let unread = unread(Kept::RESOURCES)?;
            if unread > 0 {
                gap(parts, format!("{} fetched before they were asked for", counted(unread, "page")));
            }
            let sql = "select count(*) from _probe where state = 0 and kind = 'resource'";
            let waiting: i64 = db.first(sql, [])?.map_or(Ok(0), |row| row.at(0))?;
            if waiting > 0 {
                gap(parts, format!("{} not asked for yet: go on with the crawl", counted(waiting, "resource")));
            }
        } else {
            gap(parts, "needs --check resources".to_owned());
        }
        if self.config.checks_fragments() {
            let unread = unread(Kept::FRAGMENTS)?;
            if unread > 0 {
                gap("fragments", format!("{} fetched before they were asked for", counted(unread, "page")));
            }
        }
        let sql = "select count(*) from _host h where host like 'https:%' and certificate_expires_at is null
             and exists (select 1 from _url u where u.host_id = h.id and u.state = 1)";
        let unseen: i64 = db.first(sql, [])?.map_or(Ok(0), |row| row.at(0))?;
        if unseen > 0 {
            gap("certificates", format!("of {} of https none is known yet", counted(unseen, "host")));
        }
        for (kind, stale) in DERIVED.iter().zip(self.stale).filter(|(kind, stale)| *stale > 0 && self.has_read(**kind))
        {
            let (pages, kind) = (counted(stale, "page"), kind.as_str());
            gap(kind, format!("{pages} not read as now stored: needs `harvestman extract {kind}`"));
        }
        let sql = concat!(
            "select count(distinct m.target) from (select ",
            bare!("m.value"),
            " as target from ",
            extracted!("metadata"),
            " join _meta_value m on m.url_id = p.url_id and m.source = 'hreflang') m
             left join _url t on t.url = m.target
             where t.id is null or t.state = 0 or (t.state = 3 and t.reason <> 'robots')"
        );
        let translations: i64 = db.first(sql, [])?.map_or(Ok(0), |row| row.at(0))?;
        if translations > 0 {
            gap("hreflang", format!("{} not asked for", counted(translations, "translation")));
        }
        if !self.config.store_bodies {
            gap("meta robots", "the crawl stored no bodies (--no-bodies): X-Robots-Tag alone was read".to_owned());
        }
        Ok(gaps)
    }
}
