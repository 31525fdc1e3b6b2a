-- How the seeds were given, with the lines that were left out, and where their redirects end.

create table seed_line (id integer primary key, url_id integer, line integer, given text not null, problem text);
insert into seed_line (url_id, given) select s.url_id, u.url from seed s join url u on u.id = s.url_id;

drop view seeds;
create view seeds as -- One row for each seed of the last invocation, as it was given, and for each line that was left out.
with recursive hop (seed_id, id, nth) as (
    select url_id, url_id, 0 from seed
    union all
    select h.seed_id, p.redirect_to, h.nth + 1 from hop h join url u on u.id = h.id join page p on p.url_id = h.id
    where u.state = 1 and p.redirect_to is not null and h.nth < 100),
-- Beside max(), SQLite takes the other columns from the row that has the maximum.
final (seed_id, id) as (select seed_id, id from (select seed_id, id, max(nth) from hop group by seed_id)),
reach (seed_id, id) as (
    select url_id, url_id from seed
    union
    select r.seed_id, u.id from reach r join url u on u.referrer_id = r.id)
select s.url, -- The canonical URL; null for a line that was left out
    case when l.problem is not null then 'rejected'
        else case u.state when 0 then 'pending' when 1 then 'fetched' when 2 then 'failed' else 'skipped' end end as state, -- pending, fetched, failed or skipped, of the final URL; rejected if the line is no URL
    coalesce(l.problem, u.reason, f.kind) as reason, -- Why it is skipped or failed, in one word, or why the line is no URL; null for the others
    p.status, -- HTTP status of the final URL's latest response; null if there never was one
    l.line, -- The number of its line; null if it was not given in a file
    l.given, -- The text it was given as, credentials left out
    u.url as final_url, -- Where its redirects end; the URL itself if it has none
    n.pages -- Fetched URLs that were found by way of it, itself included
from seed_line l
left join url s on s.id = l.url_id
left join final e on e.seed_id = l.url_id
left join url u on u.id = e.id
left join failure f on f.url_id = u.id and u.state = 2
left join page p on p.url_id = u.id
left join (select r.seed_id, sum(u.state = 1) as pages from reach r join url u on u.id = r.id group by r.seed_id) n
    on n.seed_id = l.url_id;
