//! Redirects in a row, and those that lead back to where they came from.

use crate::cli::failure::Failure;
use crate::cli::words::{count, counted};
use crate::policy::redirect::led_round;
use crate::read::Database;

use super::findings::ROWS;
use super::parts::{Cell, Listing, Section};
use super::query::{all, one};

/// Hops of a chain that are followed at most.
const HOPS: i64 = 20;

/// Chains from their beginnings on, to which nothing redirects. Those that go round are what a failure says that it leads back,
/// (as earlier versions said without the URL), and stored redirects of different runs that form a circle, which begins with its least number. The first come those that
/// go round, then the longest.
const CHAINS: &str = "
    with recursive turn (id, next) as materialized (
        select p.url_id, p.redirect_to from _page p join _url u on u.id = p.url_id and u.state < 2
        where p.redirect_to is not null),
    round (id, message) as materialized (
        select f.url_id, f.message from _failure f join _url u on u.id = f.url_id and u.state = 2
        where f.kind = 'redirect'
            and (f.message like 'redirects to %' or f.message = 'the redirects lead back to this URL')),
    led (id) as materialized (select next from turn),
    chain (first, last, hops, path) as (
        select id, next, 1, id || ' ' || next from turn where id not in (select id from led)
        union all
        select c.first, p.redirect_to, c.hops + 1, c.path || ' ' || p.redirect_to
        from chain c join _page p on p.url_id = c.last join _url u on u.id = c.last and u.state < 2
        where p.redirect_to is not null and c.hops < ?2),
    circle (first, last, hops, path) as (
        select id, next, 1, id || ' ' || next from turn where id in (select id from led)
        union all
        select c.first, p.redirect_to, c.hops + 1, c.path || ' ' || p.redirect_to
        from circle c join _page p on p.url_id = c.last join _url u on u.id = c.last and u.state < 2
        where p.redirect_to is not null and c.last > c.first and c.hops < ?2),
    whole (first, last, hops, path, is_round) as (
        select c.first, c.last, c.hops, c.path, case when r.id is not null then 1 else 0 end
        from chain c left join turn t on t.id = c.last left join round r on r.id = c.last
        where t.id is null or c.hops = ?2
        union all
        select first, last, hops, path, 1 from circle where last = first
        union all
        select id, id, 0, cast(id as text), 1 from round where id not in (select id from led)),
    ranked as (
        select first, last, hops, path, is_round, count(*) over (partition by is_round) as known,
            sum(case when hops > 1 then 1 else 0 end) over (partition by is_round) as longer,
            row_number() over (partition by is_round order by hops desc, first) as place
        from whole)
    select w.path, w.hops, w.is_round, w.known, w.longer, f.message,
        coalesce(cast(p.status as text), f.kind, 'skipped: ' || u.reason, 'pending')
    from ranked w join _url u on u.id = w.last left join _page p on p.url_id = w.last and u.state < 2
    left join _failure f on f.url_id = w.last and u.state = 2
    where w.place <= ?1
    order by w.is_round desc, w.place";

/// A chain: the numbers of its URLs, how many hops it has, what its end failed with, and how it ended.
struct Chain {
    path: String,
    hops: i64,
    is_round: bool,
    message: Option<String>,
    end: String,
}

pub fn redirects(db: &Database) -> Result<Section, Failure> {
    let (mut chains, mut longer, mut loops) = (0_i64, 0_i64, 0_i64);
    let rows: Vec<Chain> = all(db, CHAINS, [ROWS.into(), HOPS.into()], |row| {
        let is_round = row.at::<i64>(2)? == 1;
        match is_round {
            true => loops = row.at(3)?,
            false => (chains, longer) = (row.at(3)?, row.at(4)?),
        }
        Ok(Chain { path: row.at(0)?, hops: row.at(1)?, is_round, message: row.at(5)?, end: row.at(6)? })
    })?;
    let (mut round, mut straight) = (Vec::new(), Vec::new());
    for chain in rows {
        let mut urls = urls(db, &chain.path)?;
        if chain.is_round {
            let back = chain.message.as_deref().and_then(led_round).map(str::to_owned);
            let hops = chain.hops + i64::from(back.is_some());
            urls.extend(back);
            from_the_least(&mut urls);
            round.push(vec![Cell::chain(&urls, true), Cell::count(hops)]);
        } else {
            straight.push(vec![Cell::chain(&urls, false), Cell::count(chain.hops), Cell::text(&chain.end)]);
        }
    }
    let told = match chains {
        0 => "No redirects that lead on.".to_owned(),
        _ => format!("{}, {} of them with more than one hop.", counted(chains, "chain"), count(longer)),
    };
    let lead = match (chains, loops) {
        (0, 0) => "No redirects.".to_owned(),
        (_, 0) => told,
        _ => format!("{told} {} without end.", counted(loops, "loop")),
    };
    let mut blocks = Listing::first("Loops", &["From, over, back to", "#Hops"], round, loops, "loops");
    let names = ["From, over, to", "#Hops", "Ends with"];
    blocks.extend(Listing::first("Longest chains", &names, straight, chains, "chains"));
    Ok(Section { id: "redirects", title: "Redirect chains and loops", lead, is_wide: true, blocks })
}

/// A loop begins with its least URL, whichever closed it; one that is led into begins where that begins.
fn from_the_least(urls: &mut Vec<String>) {
    if urls.len() > 1 && urls.first() == urls.last() {
        urls.pop();
        let least = (0..urls.len()).min_by_key(|at| &urls[*at]).unwrap_or(0);
        urls.rotate_left(least);
        urls.extend(urls.first().cloned());
    }
}

/// The URLs of these numbers, which have spaces between them.
fn urls(db: &Database, path: &str) -> Result<Vec<String>, Failure> {
    let url =
        |id: &str| one(db, "select url from _url where id = ?1", [id.parse().unwrap_or(0_i64).into()], |row| row.at(0));
    path.split(' ').map(url).collect()
}
