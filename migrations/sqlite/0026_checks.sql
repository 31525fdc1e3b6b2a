-- What pages name and the crawl does not fetch, and whether it is there.

create table probe (
    id integer primary key,
    -- As pages name it.
    url text not null unique,
    kind text not null,
    home_id integer not null,
    -- 0: to be asked for; 1: that was done in this run.
    state integer not null default 0,
    -- What is to be asked now: the host and the URL that redirects led to, and how.
    host_id integer not null,
    at_url text,
    method text not null,
    -- It is a style sheet that is read for what it names: how many style sheets led to it.
    sheet integer,
    hops integer not null default 0,
    attempts integer not null default 0,
    due_at integer,
    -- What was found last, and how it was asked for.
    asked text,
    status integer,
    failure text,
    final_url text,
    verdict text,
    checked_at integer
);
create index probe_queue on probe (host_id, id) where state = 0;

-- Where it is named as a part: by a page, or by a style sheet, which is a row of probe (by_sheet).
create table resource (
    by_sheet integer not null,
    from_id integer not null,
    probe_id integer not null,
    element text not null,
    primary key (by_sheet, from_id, probe_id, element)
) without rowid;
create index resource_probe on resource (probe_id);

alter table run add column checked integer not null default 0;

create view checks as -- One row for each URL that is not crawled and that was checked (`--check`).
select p.url, -- As pages name it
    p.kind, -- external: the target of a link; resource: a part of a page, such as an image, a script, a style sheet or a font
    p.asked as method, -- HEAD or GET: how the last request asked; null if there was none
    p.status, -- HTTP status, after redirects; null without a response
    p.failure, -- Why there is no status: a failure kind, or why nothing was asked (robots, private_address, wait …)
    p.final_url, -- Where redirects ended; the URL itself without any
    p.verdict, -- ok; broken; unsure: the server turns crawlers away, or may not be asked
    strftime('%Y-%m-%dT%H:%M:%fZ', p.checked_at / 1000.0, 'unixepoch') as checked_at -- When it was found, ISO 8601 UTC
from probe p
where p.verdict is not null
    and (p.kind <> 'external' or exists (select 1 from url u where u.url = p.url and u.state = 3));

drop view broken_links;

create view broken_links as -- One row for each link to a status of 400 or above or to a failure, at once or after redirects; of what is not crawled, to what `checks` calls broken.
with recursive way (id, at) as (
    select p.url_id, p.redirect_to from page p join url u on u.id = p.url_id where p.redirect_to is not null and u.state <> 2),
hop (id, at, nth) as (
    select id, at, 1 from way
    union all
    select h.id, w.at, h.nth + 1 from hop h join way w on w.id = h.at where h.nth < 100),
fault (id, status, failure, final_url) as (
    select u.id, p.status, x.kind, u.url
    from page p join url u on u.id = p.url_id left join failure x on x.url_id = u.id and u.state = 2
    where p.status >= 400
    union all
    select u.id, p.status, x.kind, u.url
    from failure x join url u on u.id = x.url_id left join page p on p.url_id = u.id
    where u.state = 2 and coalesce(p.status, 0) < 400
    union all
    select u.id, c.status, c.failure, c.final_url
    from probe c join url u on u.url = c.url
    where c.verdict = 'broken' and u.state = 3),
broken (id, status, failure, final_url) as (
    select * from fault
    union all
    select h.id, e.status, e.failure, e.final_url from hop h join fault e on e.id = h.at)
select f.url as from_url, -- The page the link is on
    t.url as to_url, -- Where it leads
    l.text, -- The link's text
    b.status, -- HTTP status of the target; null for a failure
    b.failure, -- What went wrong there, in one word; null for a response
    l.element, -- The element it stands in: a, area, link …
    b.final_url -- Where redirects end; the target itself without any
from broken b
join link l on l.to_id = b.id
join url t on t.id = l.to_id
join url f on f.id = l.from_id;
