//! The registrable domains of hosts, which stand beside them for the function `registrable_domain`: the database has no public
//! suffix list to look in.

use sqlx::{PgConnection, Row as _};
use url::Url;

use crate::scope::place::registrable_domain;
use crate::store::failed::Failed;

use super::rows::sql;

/// Hosts that are looked up at once.
const AT_ONCE: i64 = 10_000;

/// That of each host; the host itself of one that has none.
pub(super) fn domains<H: AsRef<str>>(hosts: &[H]) -> Vec<String> {
    let domain = |host: &str| Url::parse(host).ok().and_then(|url| registrable_domain(&url));
    hosts.iter().map(|host| domain(host.as_ref()).unwrap_or_else(|| host.as_ref().to_owned())).collect()
}

/// Looks up those of hosts that were stored without.
pub(super) async fn complete(db: &mut PgConnection) -> Result<(), Failed> {
    loop {
        let some = sql("select id, host from host where domain is null limit $1").bind(AT_ONCE);
        let rows = some.fetch_all(&mut *db).await?;
        let (ids, hosts): (Vec<i64>, Vec<String>) =
            rows.iter().map(|row| (row.get::<i64, _>(0), row.get::<String, _>(1))).unzip();
        if ids.is_empty() {
            return Ok(());
        }
        sql("update host set domain = v.domain from unnest($1::bigint[], $2::text[]) v (id, domain) where host.id = v.id")
            .bind(ids)
            .bind(domains(&hosts))
            .execute(&mut *db)
            .await?;
    }
}
