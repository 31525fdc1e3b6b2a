-- The crawl's tables, and the views that people and scripts read. Tables may change; the views are public.
-- Times in tables are milliseconds since 1970; views show them as ISO 8601 UTC.

create table meta (key text primary key, value text not null) without rowid;

-- One sweep of the frontier; finished_at is set once nothing is pending.
create table run (
    id integer primary key,
    started_at integer not null,
    finished_at integer,
    outcome text,
    discovered integer not null default 0,
    fetched integer not null default 0,
    failed integer not null default 0,
    skipped integer not null default 0,
    pending integer not null default 0,
    unchanged integer not null default 0,
    bytes integer not null default 0,
    requests integer not null default 0
);

create table host (
    id integer primary key,
    host text not null unique,
    -- When the last request started: kept so that a restart does not burst.
    asked_at integer not null default 0,
    blocked_until integer not null default 0,
    robots_at integer,
    robots_status integer,
    robots_failure text,
    robots_body blob,
    crawl_delay_ms integer
);

-- Every URL the crawl knows. state: 0 pending, 1 fetched, 2 failed, 3 skipped (reason says why).
create table url (
    id integer primary key,
    url text not null unique,
    host_id integer not null references host,
    state integer not null,
    reason text,
    depth integer not null,
    hops integer not null default 0,
    attempts integer not null default 0,
    due_at integer,
    referrer_id integer,
    first_seen_at integer not null
);
-- The frontier's windows, and the counts by host and state, are read from this alone.
create index url_queue on url (host_id, state, depth);

create table page (
    url_id integer primary key,
    status integer not null,
    content_type text,
    charset text,
    language text,
    title text,
    description text,
    canonical_url text,
    size integer not null,
    content_hash text,
    etag text,
    last_modified text,
    redirect_to integer,
    fetched_at integer not null,
    changed_at integer not null,
    elapsed_ms integer not null,
    headers text not null
);

-- Apart from page, so that a scan of pages does not read their bodies.
create table content (url_id integer primary key, text text, body blob);

create table link (
    from_id integer not null,
    position integer not null,
    to_id integer not null,
    text text not null,
    rel text not null,
    element text not null,
    follow integer not null,
    primary key (from_id, position)
) without rowid;

create table failure (
    url_id integer primary key,
    kind text not null,
    message text not null,
    attempts integer not null,
    last_attempt_at integer not null
);

-- Every request ever made. url_id is null for robots.txt, which is named by url.
create table fetch (
    id integer primary key,
    run_id integer not null,
    url_id integer,
    url text,
    at integer not null,
    status integer,
    failure text,
    elapsed_ms integer not null,
    bytes integer not null,
    unchanged integer not null
);

create view pages as
select u.url, h.host, p.status, p.content_type, p.charset, p.language, p.title, p.description, p.canonical_url, c.text,
    p.size, p.content_hash, p.etag, p.last_modified, t.url as redirect_to, u.depth, r.url as referrer,
    strftime('%Y-%m-%dT%H:%M:%fZ', u.first_seen_at / 1000.0, 'unixepoch') as first_seen_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', p.fetched_at / 1000.0, 'unixepoch') as fetched_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', p.changed_at / 1000.0, 'unixepoch') as changed_at, p.elapsed_ms
from page p
join url u on u.id = p.url_id
join host h on h.id = u.host_id
left join content c on c.url_id = p.url_id
left join url t on t.id = p.redirect_to
left join url r on r.id = u.referrer_id;

create view bodies as
select u.url, c.body from content c join url u on u.id = c.url_id where c.body is not null;

create view headers as
select u.url, json_extract(j.value, '$[0]') as name, json_extract(j.value, '$[1]') as value
from page p join url u on u.id = p.url_id, json_each(p.headers) j;

create view links as
select f.url as from_url, t.url as to_url, l.text, l.rel, l.element
from link l join url f on f.id = l.from_id join url t on t.id = l.to_id;

create view failures as
select u.url, h.host, f.kind, f.message, f.attempts,
    strftime('%Y-%m-%dT%H:%M:%fZ', f.last_attempt_at / 1000.0, 'unixepoch') as last_attempt_at, r.url as referrer
from failure f
join url u on u.id = f.url_id
join host h on h.id = u.host_id
left join url r on r.id = u.referrer_id
where u.state = 2;

create view skipped as
select u.url, h.host, u.reason, r.url as referrer
from url u join host h on h.id = u.host_id left join url r on r.id = u.referrer_id
where u.state = 3;

create view queue as
select u.url, h.host, u.depth, u.attempts,
    -- A Crawl-delay asks for time as Retry-After does. Beyond the year 9999 SQLite writes no time.
    strftime('%Y-%m-%dT%H:%M:%fZ', nullif(min(253402300799999, max(coalesce(u.due_at, 0), h.blocked_until,
        iif(h.crawl_delay_ms > 0, h.asked_at + h.crawl_delay_ms, 0))), 0) / 1000.0, 'unixepoch') as due_at
from url u join host h on h.id = u.host_id
where u.state = 0;

create view redirects as
select f.url as from_url, t.url as to_url, p.status
from page p join url f on f.id = p.url_id join url t on t.id = p.redirect_to;

create view broken_links as
select f.url as from_url, t.url as to_url, l.text, p.status, x.kind as failure
from link l
join url t on t.id = l.to_id
left join page p on p.url_id = l.to_id
left join failure x on x.url_id = l.to_id and t.state = 2
join url f on f.id = l.from_id
where p.status >= 400 or x.kind is not null;

create view duplicates as
select d.content_hash, u.url, d.copies
from (select content_hash, count(*) as copies from page where status = 200 and content_hash is not null
      group by content_hash having count(*) > 1) d
join page p on p.content_hash = d.content_hash and p.status = 200
join url u on u.id = p.url_id;

create view runs as
select id, strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1000.0, 'unixepoch') as started_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_at / 1000.0, 'unixepoch') as finished_at,
    outcome, discovered, fetched, failed, skipped, pending, unchanged, bytes, requests
from run;

create view hosts as
select h.host, count(u.id) as discovered, coalesce(sum(u.state = 1), 0) as fetched,
    coalesce(sum(u.state = 2), 0) as failed, coalesce(sum(u.state = 3), 0) as skipped,
    coalesce(sum(u.state = 0), 0) as pending,
    (select round(avg(p.elapsed_ms), 1) from page p join url v on v.id = p.url_id where v.host_id = h.id) as mean_elapsed_ms,
    coalesce(h.robots_status, h.robots_failure) as robots_status, h.crawl_delay_ms
from host h left join url u on u.host_id = h.id
group by h.id;

create view fetches as
select f.run_id as run, coalesce(u.url, f.url) as url,
    strftime('%Y-%m-%dT%H:%M:%fZ', f.at / 1000.0, 'unixepoch') as at,
    f.status, f.failure, f.elapsed_ms, f.bytes, f.unchanged
from fetch f left join url u on u.id = f.url_id;

create view accounting as
select count(*) as discovered, coalesce(sum(state = 1), 0) as fetched, coalesce(sum(state = 2), 0) as failed,
    coalesce(sum(state = 3), 0) as skipped, coalesce(sum(state = 0), 0) as pending
from url;
