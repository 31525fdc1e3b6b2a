-- What pages name and the crawl does not fetch, and whether it is there.

create table probe (
    id bigint generated always as identity primary key,
    -- As of a row of url.
    hash bytea not null,
    -- As pages name it.
    url text collate "C" not null,
    kind text collate "C" not null,
    home_id bigint not null references host,
    -- 0: to be asked for; 1: that was done in this run.
    state smallint not null default 0,
    -- What is to be asked now: the host and the URL that redirects led to, and how.
    host_id bigint not null references host,
    at_url text collate "C",
    method text collate "C" not null,
    -- It is a style sheet that is read for what it names: how many style sheets led to it.
    sheet int,
    hops int not null default 0,
    attempts int not null default 0,
    due_at bigint,
    -- What was found last, and how it was asked for.
    asked text collate "C",
    status int,
    failure text collate "C",
    final_url text collate "C",
    verdict text collate "C",
    checked_at bigint
);
create unique index probe_hash on probe (hash);
create index probe_queue on probe (host_id, id) where state = 0;

-- Where it is named as a part: by a page, or by a style sheet, which is a row of probe (by_sheet).
create table resource (
    by_sheet smallint not null,
    from_id bigint not null,
    probe_id bigint not null,
    element text collate "C" not null,
    primary key (by_sheet, from_id, probe_id, element)
);
create index resource_probe on resource (probe_id);

alter table run add column checked bigint not null default 0;
alter table invocation add column checked bigint not null default 0;

-- Hosts of which something is to be checked wait in the queue as those of which something is pending.
create trigger queue_new after insert on probe referencing new table as fresh
    for each statement execute function queue_hosts_of_new();
create trigger queue_changed after update on probe referencing new table as changed
    for each statement execute function queue_hosts_of_changed();

create view checks as
select p.url, p.kind, p.asked as method, p.status, p.failure, p.final_url, p.verdict, iso8601(p.checked_at) as checked_at
from probe p
where p.verdict is not null
    and (p.kind <> 'external' or exists (select 1 from url u where u.hash = p.hash and u.state = 3));

create view _probe as select id, url, kind, state, asked, status, failure, final_url, verdict, checked_at from probe;

create view _resource as select by_sheet, from_id, probe_id, element from resource;

drop view broken_links;

create view broken_links as
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
    from probe c join url u on u.hash = c.hash
    where c.verdict = 'broken' and u.state = 3),
broken (id, status, failure, final_url) as (
    select * from fault
    union all
    select h.id, e.status, e.failure, e.final_url from hop h join fault e on e.id = h.at)
select f.url as from_url, t.url as to_url, l.text, b.status, b.failure, l.element, b.final_url
from broken b
join link l on l.to_id = b.id
join url t on t.id = l.to_id
join url f on f.id = l.from_id;
