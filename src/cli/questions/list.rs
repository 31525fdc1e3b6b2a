//! URLs of one state, filtered, a part at a time, in the order in which they became known.

use crate::read::{Database, Row, Value};

use crate::cli::failure::Failure;
use crate::cli::search;

/// Which URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Pages,
    Failures,
    Skipped,
    Queue,
}

impl Kind {
    /// What is selected after the id and the URL, and of what. The last condition is the filter by a word of this kind.
    fn sql(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Pages => (
                "p.status, p.content_type, p.title, p.size, u.depth, p.fetched_at",
                "_page p join _url u on u.id = p.url_id where p.url_id > ?1",
                "lower(p.content_type)",
            ),
            Self::Failures => (
                "f.kind, f.message, u.attempts, r.url",
                "_url u join _failure f on f.url_id = u.id left join _url r on r.id = u.referrer_id
                 where u.state = 2 and u.id > ?1",
                "f.kind",
            ),
            Self::Skipped => (
                "u.reason, r.url",
                "_url u left join _url r on r.id = u.referrer_id where u.state = 3 and u.id > ?1",
                "u.reason",
            ),
            Self::Queue => (
                "u.depth, u.attempts, u.due_at, r.url",
                "_url u left join _url r on r.id = u.referrer_id where u.state = 0 and u.id > ?1",
                "",
            ),
        }
    }
}

/// What the URLs must have.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct Filter {
    /// A name, or scheme, host and port.
    pub host: String,
    /// A text that the URL, or the title of a page, contains.
    pub text: String,
    /// Of pages: a status such as 404, or a class such as 4xx.
    pub status: String,
    /// Of pages: how the media type begins; of others, the reason or the kind of failure.
    pub word: String,
    /// Only what became known after the URL of this number.
    pub after: i64,
}

/// At most so many rows, each beginning with its number and its URL; and whether others follow.
pub fn list(db: &Database, kind: Kind, filter: &Filter, most: usize) -> Result<(Vec<Row>, bool), Failure> {
    let (columns, from, by_word) = kind.sql();
    let mut sql = format!("select u.id, u.url, {columns} from {from}");
    let mut values: Vec<Value> = vec![filter.after.into()];
    let mut place = |value: Value| {
        values.push(value);
        values.len()
    };
    if !filter.host.trim().is_empty() {
        let hosts = search::hosts(db, filter.host.trim())?;
        let places: Vec<_> = hosts.into_iter().map(|host| format!("?{}", place(host.into()))).collect();
        let hosts = if places.is_empty() { "null".to_owned() } else { places.join(", ") };
        sql.push_str(&format!(" and u.host_id in (select id from _host where host in ({hosts}))"));
    }
    if kind == Kind::Pages && !filter.status.trim().is_empty() {
        let (least, most) = statuses(filter.status.trim())?;
        sql.push_str(&format!(" and p.status between ?{} and ?{}", place(least.into()), place(most.into())));
    }
    if !filter.text.trim().is_empty() {
        let at = place(format!("%{}%", literal(&filter.text)).into());
        let title = if kind == Kind::Pages {
            format!(" or lower(p.title) like lower(?{at}) escape '!'")
        } else {
            String::new()
        };
        sql.push_str(&format!(" and (lower(u.url) like lower(?{at}) escape '!'{title})"));
    }
    if !by_word.is_empty() && !filter.word.trim().is_empty() {
        let at = place(format!("{}%", literal(&filter.word)).into());
        sql.push_str(&format!(" and {by_word} like lower(?{at}) escape '!'"));
    }
    sql.push_str(&format!(" order by u.id limit {}", most + 1));
    let mut rows = db.query(&sql, values)?.collect::<Result<Vec<_>, _>>()?;
    let has_more = rows.len() > most;
    rows.truncate(most);
    Ok((rows, has_more))
}

/// With what `like` takes for more than itself set off by `!`.
pub fn literal(text: &str) -> String {
    text.trim().chars().flat_map(|c| ['!', c].into_iter().skip(usize::from(!"!%_".contains(c)))).collect()
}

/// The least and the greatest status that are meant.
fn statuses(text: &str) -> Result<(i64, i64), Failure> {
    let class = text.strip_suffix("xx").and_then(|class| class.parse::<i64>().ok());
    let range = class.map(|class| (class * 100, class * 100 + 99)).or_else(|| text.parse().ok().map(|one| (one, one)));
    range.filter(|(least, _)| (100..1000).contains(least)).ok_or_else(|| {
        Failure::new(format!("`{text}` is no status")).hint("write one such as 404, or a class such as 4xx")
    })
}
