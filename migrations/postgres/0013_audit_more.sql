-- Where on its page a link stands; null if in none of its parts, and for pages that earlier versions read.
alter table link add column part text collate "C";

create or replace view links as
select f.url as from_url, t.url as to_url, l.text, l.rel, l.element, l.part
from link l join url f on f.id = l.from_id join url t on t.id = l.to_id;

create or replace view _link as select from_id, position, to_id, text, rel, element, follow, part from link;

create or replace view _page as
select url_id, status, content_type, title, description, size, content_hash, redirect_to, fetched_at, elapsed_ms, headers,
    interval_ms, fresh_until, canonical_url, language, charset
from page;

-- The fragments of links, where the crawl checks them: percent-decoded, and as the URL has it if that differs.
-- found: whether the target has such a place, as of its content of that changed_at; null before it was looked for.
create table fragment (
    from_id bigint not null,
    position int not null,
    fragment text collate "C" not null,
    raw text collate "C",
    to_id bigint not null,
    found boolean,
    target_changed_at bigint,
    primary key (from_id, position, fragment)
);
create index fragment_to on fragment (to_id);

create view broken_fragments as
select f.url as from_url, t.url as to_url, g.fragment, l.text
from fragment g
join link l on l.from_id = g.from_id and l.position = g.position
join url f on f.id = g.from_id
join url t on t.id = g.to_id and t.state < 2
join page p on p.url_id = g.to_id and p.status = 200 and p.changed_at = g.target_changed_at
where not g.found;

-- When the certificate expires that the host showed last.
alter table host add column certificate_expires_at bigint;

create or replace view hosts as
select h.host, coalesce(n.discovered, 0) as discovered, coalesce(n.fetched, 0) as fetched,
    coalesce(n.failed, 0) as failed, coalesce(n.skipped, 0) as skipped, coalesce(n.pending, 0) as pending,
    n.mean_elapsed_ms, coalesce(h.robots_status::text, h.robots_failure) as robots_status, h.crawl_delay_ms,
    iso8601(h.certificate_expires_at) as certificate_expires_at
from host h
left join (
    select u.host_id, count(*) as discovered, count(*) filter (where u.state = 1) as fetched,
        count(*) filter (where u.state = 2) as failed, count(*) filter (where u.state = 3) as skipped,
        count(*) filter (where u.state = 0) as pending, round(avg(p.elapsed_ms), 1)::float8 as mean_elapsed_ms
    from url u left join page p on p.url_id = u.id group by u.host_id) n on n.host_id = h.id;

create or replace view _host as
select id, host, asked_at, blocked_until, robots_at, robots_status, robots_failure, robots_body, crawl_delay_ms,
    certificate_expires_at
from host;
