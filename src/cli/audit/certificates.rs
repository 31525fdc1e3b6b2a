//! Findings about the certificates that hosts of https show.

use crate::cli::words::counted;
use crate::read::ReadError;
use crate::visit::{self, Millis};

use super::finding::{Finding, Found, How, Severity, Site};

const DAY: Millis = 24 * 60 * 60 * 1000;
/// How soon the end of a certificate is soon: those who renew by themselves do so a month before.
const SOON: Millis = 30 * DAY;

pub const FINDINGS: [Finding; 2] = [
    Finding {
        name: "certificate-expired",
        severity: Severity::Error,
        about: "A host of https whose certificate has expired: browsers warn of it instead of showing its pages.",
        advice: "Renew the certificate, and see why it was not renewed by itself.",
        needs: &[],
        how: How::Rust(|site| ending(site, Millis::MIN, 0)),
    },
    Finding {
        name: "certificate-expiring",
        severity: Severity::Warning,
        about: "A host of https whose certificate expires within 30 days.",
        advice: "Renew the certificate, and see that it is renewed by itself from now on.",
        needs: &[],
        how: How::Rust(|site| ending(site, 0, SOON)),
    },
];

/// Hosts of the crawl whose certificate expires so long from now.
fn ending(site: &Site<'_>, from: Millis, to: Millis) -> Result<Vec<Found>, ReadError> {
    let now = visit::now();
    let sql = "select h.host, h.certificate_expires_at from _host h
        where h.certificate_expires_at >= ?1 and h.certificate_expires_at < ?2
            and exists (select 1 from _url u where u.host_id = h.id and u.state < 3)";
    let rows = site.db.query(sql, [now.saturating_add(from).into(), (now + to).into()])?.map(|row| {
        let row = row?;
        Ok(Found::new(format!("{}/", row.at::<&str>(0)?), told(row.at(1)?, now)))
    });
    rows.collect()
}

fn told(expires_at: Millis, now: Millis) -> String {
    let day = jiff::Timestamp::from_millisecond(expires_at).map(|at| at.strftime("%Y-%m-%d").to_string());
    let day = day.unwrap_or_default();
    match (expires_at - now) / DAY {
        _ if expires_at < now => format!("expired on {day}"),
        days => format!("expires on {day}, in {}", counted(days, "day")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_told_and_how_far_away_it_is() {
        let now = 1_700_000_000_000;
        assert_eq!(told(now - 1, now), "expired on 2023-11-14");
        assert_eq!(told(now + DAY, now), "expires on 2023-11-15, in 1 day");
        assert_eq!(told(now + 2 * DAY - 1, now), "expires on 2023-11-16, in 1 day");
        assert_eq!(told(now + 10 * DAY, now), "expires on 2023-11-24, in 10 days");
    }
}
