-- The crawl's tables, and the views that people and scripts read: these are the same as on SQLite, and docs/queries.md
-- says what their columns mean. Tables may change.
-- Times in tables are milliseconds since 1970, but for those of leases, which only this server's clock tells; views show
-- them as ISO 8601 UTC. Text that is compared or sorted is so by its bytes, whatever the database's locale.

create table meta (key text primary key, value text not null);

-- One sweep of the frontier; finished_at is set once nothing is pending.
create table run (
    id bigint generated always as identity primary key,
    started_at bigint not null,
    finished_at bigint,
    outcome text,
    discovered bigint not null default 0,
    fetched bigint not null default 0,
    failed bigint not null default 0,
    skipped bigint not null default 0,
    pending bigint not null default 0,
    unchanged bigint not null default 0,
    bytes bigint not null default 0,
    requests bigint not null default 0
);

-- One invocation of the crawler. It holds the hosts that bear its number until its lease ends: one row to renew, however
-- many hosts there are.
create table node (
    id bigint generated always as identity primary key,
    name text not null,
    started_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    leased_until timestamptz not null,
    ended_at timestamptz
);

create table host (
    id bigint generated always as identity primary key,
    host text collate "C" not null unique,
    -- When the last request started, from which whatever pace holds is counted.
    asked_at bigint not null default 0,
    blocked_until bigint not null default 0,
    robots_at bigint,
    robots_status int,
    robots_failure text,
    robots_body bytea,
    crawl_delay_ms bigint,
    -- The node that has taken it, 0 for none. Whoever takes it raises the epoch, so that what was done under an older
    -- one is told apart.
    holder bigint not null default 0,
    epoch bigint not null default 0
);

create sequence url_id;

-- Every URL the crawl knows. state: 0 pending, 1 fetched, 2 failed, 3 skipped (reason says why).
create table url (
    id bigint primary key default nextval('url_id'),
    -- The first 16 bytes of the SHA-256 of the URL: a URL may be longer than a row of an index.
    hash bytea not null,
    url text collate "C" not null,
    host_id bigint not null references host,
    state smallint not null,
    reason text collate "C",
    depth int not null,
    hops int not null default 0,
    attempts int not null default 0,
    due_at bigint,
    referrer_id bigint,
    first_seen_at bigint not null,
    -- A link that crawlers may follow leads there, or it is a seed.
    followed boolean not null default true,
    -- A page of it is stored: it comes after those that are new.
    known boolean not null default false,
    -- How many files from robots.txt, if it was named as a sitemap; when a sitemap says that the page changed last.
    sitemap int,
    lastmod bigint,
    -- How long after page.fetched_at a new run fetches it again.
    recrawl_ms bigint,
    -- What pays for it, if only its pages name it.
    trap_id bigint
);
alter sequence url_id owned by url.id;
create unique index url_hash on url (hash);
create index url_queue on url (host_id, state, known, depth, id);
create index url_trap on url (trap_id) where reason = 'trap';

create table page (
    url_id bigint primary key,
    status int not null,
    content_type text,
    charset text,
    language text,
    title text collate "C",
    description text,
    canonical_url text collate "C",
    size bigint not null,
    content_hash text collate "C",
    etag text,
    last_modified text,
    redirect_to bigint,
    fetched_at bigint not null,
    changed_at bigint not null,
    elapsed_ms bigint not null,
    headers text not null,
    -- What it was when it answered last with 2xx or 3xx, whatever statuses followed.
    fingerprint text,
    gone boolean not null,
    -- The run in which it answered for the first time, and when.
    new_run bigint,
    new_at bigint,
    interval_ms bigint,
    fresh_until bigint,
    -- What was kept of it: 1 its body, 2 its links, 4 its text, 8 what it names as a sitemap.
    kept smallint not null
);

create table content (url_id bigint primary key, text text, body bytea);

create table link (
    from_id bigint not null,
    position int not null,
    to_id bigint not null,
    text text not null,
    rel text not null,
    element text not null,
    follow boolean not null,
    primary key (from_id, position)
);

-- What a shorter depth is passed on along where links are not kept; emptied at the run's end.
create table edge (
    from_id bigint not null,
    to_id bigint not null,
    step boolean not null,
    primary key (from_id, to_id)
);

create table failure (
    url_id bigint primary key,
    kind text collate "C" not null,
    message text not null,
    attempts int not null,
    last_attempt_at bigint not null
);

-- Every request ever made. url_id is null for robots.txt, which is named by url.
create table request (
    id bigint generated always as identity primary key,
    run_id bigint not null,
    url_id bigint,
    url text collate "C",
    at bigint not null,
    status int,
    failure text,
    elapsed_ms bigint not null,
    bytes bigint not null,
    unchanged boolean not null
);

-- Pages that are new are found in page.
create table change (
    id bigint generated always as identity primary key,
    run_id bigint not null,
    url_id bigint not null,
    kind text collate "C" not null,
    at bigint not null
);

-- One row for each older content, however many versions and pages share it.
create table old_content (
    id bigint generated always as identity primary key,
    hash text collate "C" not null unique,
    text text,
    body bytea
);

-- Of one page, a larger id is a later version.
create table version (
    id bigint generated always as identity primary key,
    url_id bigint not null,
    content_id bigint not null,
    fetched_at bigint not null,
    status int not null,
    content_type text,
    charset text,
    size bigint not null
);
create index version_url on version (url_id);
create index version_content on version (content_id);

-- What the last invocation was asked to crawl, and how that was given.
create table seed (url_id bigint primary key);
create table seed_line (
    id bigint generated always as identity primary key,
    url_id bigint,
    line bigint,
    given text not null,
    problem text
);

-- The pages that redirects of a seed led to: each counts for the seed, for good.
create table heir (url_id bigint not null, seed_id bigint not null, primary key (url_id, seed_id));

-- Each invocation numbers its budgets of patterns within a block of its own.
create sequence trap_block increment by 4294967296;

-- Budgets of URL patterns: pages that brought something, pages that did not, and of these the ones that are the same
-- byte for byte as another.
create table trap (
    id bigint primary key,
    host_id bigint not null references host,
    pattern text collate "C" not null,
    budget bigint not null,
    fruitful bigint not null,
    barren bigint not null,
    identical bigint not null,
    held boolean not null
);
create index trap_host on trap (host_id);

-- LZ4 takes a fraction of the time of the default; a server that was built without it keeps the default.
do $$ begin
    alter table content alter text set compression lz4, alter body set compression lz4;
    alter table old_content alter text set compression lz4, alter body set compression lz4;
exception when feature_not_supported then null;
end $$;

-- Frontiers and logs change all the time.
alter table url set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

create function iso8601(at bigint) returns text language sql stable strict parallel safe
    return to_char(timestamp 'epoch' + at * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

create function state_word(state smallint) returns text language sql immutable strict parallel safe
    return (array['pending', 'fetched', 'failed', 'skipped'])[state + 1];

create view pages as
select u.url, h.host, p.status, p.content_type, p.charset, p.language, p.title, p.description, p.canonical_url, c.text,
    p.size, p.content_hash, p.etag, p.last_modified, t.url as redirect_to, u.depth, r.url as referrer,
    iso8601(u.first_seen_at) as first_seen_at, iso8601(p.fetched_at) as fetched_at,
    iso8601(p.changed_at) as changed_at, p.elapsed_ms
from page p
join url u on u.id = p.url_id
join host h on h.id = u.host_id
left join content c on c.url_id = p.url_id
left join url t on t.id = p.redirect_to
left join url r on r.id = u.referrer_id;

create view bodies as
select u.url, c.body from content c join url u on u.id = c.url_id where c.body is not null;

create view headers as
select u.url, j.value ->> 0 as name, j.value ->> 1 as value
from page p join url u on u.id = p.url_id, json_array_elements(p.headers::json) j;

create view links as
select f.url as from_url, t.url as to_url, l.text, l.rel, l.element
from link l join url f on f.id = l.from_id join url t on t.id = l.to_id;

create view failures as
select u.url, h.host, f.kind, f.message, f.attempts, iso8601(f.last_attempt_at) as last_attempt_at, r.url as referrer
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
    -- A Crawl-delay asks for time as Retry-After does. Four digits hold no later year.
    iso8601(nullif(least(253402300799999, greatest(coalesce(u.due_at, 0), h.blocked_until,
        case when h.crawl_delay_ms > 0 then h.asked_at + h.crawl_delay_ms else 0 end)), 0)) as due_at
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
select id, iso8601(started_at) as started_at, iso8601(finished_at) as finished_at, outcome, discovered, fetched, failed,
    skipped, pending, unchanged, bytes, requests
from run;

create view hosts as
select h.host, coalesce(n.discovered, 0) as discovered, coalesce(n.fetched, 0) as fetched,
    coalesce(n.failed, 0) as failed, coalesce(n.skipped, 0) as skipped, coalesce(n.pending, 0) as pending,
    n.mean_elapsed_ms, coalesce(h.robots_status::text, h.robots_failure) as robots_status, h.crawl_delay_ms
from host h
left join (
    select u.host_id, count(*) as discovered, count(*) filter (where u.state = 1) as fetched,
        count(*) filter (where u.state = 2) as failed, count(*) filter (where u.state = 3) as skipped,
        count(*) filter (where u.state = 0) as pending, round(avg(p.elapsed_ms), 1)::float8 as mean_elapsed_ms
    from url u left join page p on p.url_id = u.id group by u.host_id) n on n.host_id = h.id;

create view fetches as
select q.run_id as run, coalesce(u.url, q.url) as url, iso8601(q.at) as at, q.status, q.failure, q.elapsed_ms, q.bytes,
    q.unchanged::int as unchanged
from request q left join url u on u.id = q.url_id;

create view accounting as
select count(*) as discovered, count(*) filter (where state = 1) as fetched,
    count(*) filter (where state = 2) as failed, count(*) filter (where state = 3) as skipped,
    count(*) filter (where state = 0) as pending
from url;

create view urls as
select u.url, h.host, state_word(u.state) as state, coalesce(u.reason, f.kind) as reason, u.depth, r.url as referrer,
    iso8601(u.first_seen_at) as first_seen_at
from url u
join host h on h.id = u.host_id
left join failure f on f.url_id = u.id and u.state = 2
left join url r on r.id = u.referrer_id;

create view seeds as
with recursive hop (seed_id, id, nth) as (
    select url_id, url_id, 0 from seed
    union all
    select h.seed_id, p.redirect_to, h.nth + 1 from hop h join url u on u.id = h.id join page p on p.url_id = h.id
    where u.state = 1 and p.redirect_to is not null and h.nth < 100),
final (seed_id, id) as (select distinct on (seed_id) seed_id, id from hop order by seed_id, nth desc),
reach (seed_id, id) as (
    select url_id, url_id from seed
    union
    select r.seed_id, u.id from reach r join url u on u.referrer_id = r.id)
select s.url, case when l.problem is not null then 'rejected' else state_word(u.state) end as state,
    coalesce(l.problem, u.reason, f.kind) as reason, p.status, l.line, l.given, u.url as final_url, n.pages
from seed_line l
left join url s on s.id = l.url_id
left join final e on e.seed_id = l.url_id
left join url u on u.id = e.id
left join failure f on f.url_id = u.id and u.state = 2
left join page p on p.url_id = u.id
left join (select r.seed_id, count(*) filter (where u.state = 1) as pages
           from reach r join url u on u.id = r.id group by r.seed_id) n
    on n.seed_id = l.url_id;

create view inbound_links as
select u.url, n.links, n.pages
from (select to_id, count(*) as links, count(distinct from_id) as pages from link where from_id <> to_id group by to_id) n
join url u on u.id = n.to_id;

create view host_links as
select f.host as from_host, t.host as to_host, n.links
from (select a.host_id as from_id, b.host_id as to_id, count(*) as links
      from link l join url a on a.id = l.from_id join url b on b.id = l.to_id
      where a.host_id <> b.host_id group by a.host_id, b.host_id) n
join host f on f.id = n.from_id
join host t on t.id = n.to_id;

create view orphans as
select u.url, h.host, p.status, u.depth, r.url as referrer
from page p
join url u on u.id = p.url_id
join host h on h.id = u.host_id
left join url r on r.id = u.referrer_id
where not exists (select 1 from link where to_id = p.url_id and from_id <> to_id);

create view redirect_chains as
with recursive chain (start, at, hops, path) as (
    select p.url_id, p.redirect_to, 1, f.url || ' > ' || t.url
    from page p join url f on f.id = p.url_id join url t on t.id = p.redirect_to
    union all
    select c.start, p.redirect_to, c.hops + 1, c.path || ' > ' || t.url
    from chain c join page p on p.url_id = c.at join url t on t.id = p.redirect_to
    where p.redirect_to <> c.start and c.hops < 20)
select f.url as from_url, t.url as to_url, c.hops, c.path, p.status
from chain c
join url f on f.id = c.start
join url t on t.id = c.at
left join page p on p.url_id = c.at
where p.redirect_to is null or p.redirect_to = c.start or c.hops = 20;

create view page_ranks as
with way (from_id, to_id) as (
    select from_id, to_id from link where follow and from_id <> to_id
    union select url_id, redirect_to from page where redirect_to is not null and redirect_to <> url_id),
share (from_id, to_id, part) as materialized (
    select from_id, to_id, 0.85::float8 / count(*) over (partition by from_id) from way),
-- A page that nothing leads to keeps the 0.15 that every page has.
one (id, weight) as materialized (select to_id, 0.15 + sum(part) from share group by to_id),
two (id, weight) as materialized (
    select s.to_id, 0.15 + sum(s.part * coalesce(r.weight, 0.15)) from share s left join one r on r.id = s.from_id group by s.to_id),
three (id, weight) as materialized (
    select s.to_id, 0.15 + sum(s.part * coalesce(r.weight, 0.15)) from share s left join two r on r.id = s.from_id group by s.to_id),
four (id, weight) as materialized (
    select s.to_id, 0.15 + sum(s.part * coalesce(r.weight, 0.15)) from share s left join three r on r.id = s.from_id group by s.to_id)
select u.url, round(coalesce(r.weight, 0.15)::numeric, 3)::float8 as rank
from page p
join url u on u.id = p.url_id
left join four r on r.id = p.url_id
where p.status = 200;

create view changes as
select c.run_id as run, u.url, c.kind as change, iso8601(c.at) as at
from (select new_run as run_id, url_id, 'new' collate "C" as kind, new_at as at from page where new_run is not null
      union all select run_id, url_id, kind, at from change) c
join url u on u.id = c.url_id;

create view versions as
select u.url, iso8601(v.fetched_at) as fetched_at, v.status, v.content_type, v.charset, v.size, c.hash as content_hash,
    c.body, c.text
from version v join old_content c on c.id = v.content_id join url u on u.id = v.url_id;

create view recrawl as
select u.url, h.host, p.interval_ms,
    -- Now if, by a clock that was wrong, it was fetched in the future.
    iso8601(case when p.fetched_at > n.now then n.now else p.fetched_at + u.recrawl_ms end) as due_at,
    iso8601(u.lastmod) as lastmod
from page p
join url u on u.id = p.url_id
join host h on h.id = u.host_id
cross join (select (extract(epoch from clock_timestamp()) * 1000)::bigint as now) n
where u.state in (1, 2);

create view traps as
select h.host, t.pattern,
    format('of %s pages %s brought nothing new', t.fruitful + t.barren, t.barren)
        || case when t.identical > 0 then format(', %s of them the same byte for byte as another', t.identical) else '' end
        as reason,
    u.held_back, e.url as example
from (select trap_id, count(*) as held_back, min(id) as first from url
      where reason = 'trap' and state = 3 and trap_id is not null group by trap_id) u
join trap t on t.id = u.trap_id
join host h on h.id = t.host_id
join url e on e.id = u.first;
