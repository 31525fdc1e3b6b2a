-- Where on its page a link stands; null if in none of its parts, and for pages that earlier versions read.
alter table link add column part text;

drop view links;
create view links as -- One row for each link of each page, in its latest version.
select f.url as from_url, -- The page the link is on
    t.url as to_url, -- Where it leads
    l.text, -- The link's text, white space collapsed
    l.rel, -- Its rel attribute, lower case
    l.element, -- The element it was found in: a, area, iframe, frame, link or meta
    l.part -- The part of the page it stands in: main, nav, header, footer or aside; null if in none of them
from link l join url f on f.id = l.from_id join url t on t.id = l.to_id;

-- The fragments of links, where the crawl checks them: percent-decoded, and as the URL has it if that differs.
-- found: whether the target has such a place, as of its content of that changed_at; null before it was looked for.
create table fragment (
    from_id integer not null,
    position integer not null,
    fragment text not null,
    raw text,
    to_id integer not null,
    found integer,
    target_changed_at integer,
    primary key (from_id, position, fragment)
) without rowid;
create index fragment_to on fragment (to_id);

create view broken_fragments as -- One row for each link to a place of a page that the page does not have: with --check fragments.
select f.url as from_url, -- The page the link is on
    t.url as to_url, -- The page it leads to, of status 200
    g.fragment, -- The place in it, without # and percent-decoded
    l.text -- The link's text
from fragment g
join link l on l.from_id = g.from_id and l.position = g.position
join url f on f.id = g.from_id
join url t on t.id = g.to_id and t.state < 2
join page p on p.url_id = g.to_id and p.status = 200 and p.changed_at = g.target_changed_at
where g.found = 0;

-- When the certificate expires that the host showed last.
alter table host add column certificate_expires_at integer;

drop view hosts;
create view hosts as -- One row for each host: scheme, name and port.
select h.host, -- Scheme, host and port
    count(u.id) as discovered, -- URLs known on it
    coalesce(sum(u.state = 1), 0) as fetched, -- Of these, with a stored response
    coalesce(sum(u.state = 2), 0) as failed, -- Of these, without a usable response
    coalesce(sum(u.state = 3), 0) as skipped, -- Of these, deliberately not requested
    coalesce(sum(u.state = 0), 0) as pending, -- Of these, waiting
    (select (20 * sum(p.elapsed_ms) + count(*)) / (2 * count(*)) / 10.0 from page p join url v on v.id = p.url_id where v.host_id = h.id) as mean_elapsed_ms, -- Milliseconds a response took, on average
    cast(coalesce(h.robots_status, h.robots_failure) as text) as robots_status, -- HTTP status of its robots.txt, or the word of the failure: text
    h.crawl_delay_ms, -- Milliseconds it asks crawlers to wait between requests
    strftime('%Y-%m-%dT%H:%M:%fZ', h.certificate_expires_at / 1000.0, 'unixepoch') as certificate_expires_at -- When its certificate expires, as of the last connection; null without one
from host h left join url u on u.host_id = h.id
group by h.id;
